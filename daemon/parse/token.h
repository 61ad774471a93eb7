/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of libconfig's language (its manual, section "Configuration
 * Files"), without its traps: a word is read whole before it is judged, so that
 * "12abc" is no 12 followed by a name.
 */
#ifndef PRODD_PARSE_TOKEN_H
#define PRODD_PARSE_TOKEN_H

#include "proto/slice.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_BOOL,
	TOKEN_INT,		/* 32 bits in libconfig */
	TOKEN_INT64,		/* with L */
	TOKEN_FLOAT,
	TOKEN_STRING,
	TOKEN_WORD,		/* letters and digits that are none of these */
	TOKEN_MARK,		/* one of = : , ; { } [ ] ( ) */
	TOKEN_OTHER,		/* a character that has no place outside of strings */
	TOKEN_OPEN_STRING,	/* a string without its end */
	TOKEN_OPEN_COMMENT,
};

struct token {
	enum token_kind kind;
	struct prodd_slice text;	/* borrowed */
	uint32_t line;			/* of its first byte, from 1 */
};

struct tokens {
	struct prodd_slice left;
	uint32_t line;
};

struct token token_next(struct tokens *tokens);

/* A token of one character. */
static inline bool token_is(const struct token *token, char mark)
{
	return token->kind == TOKEN_MARK && token->text.at[0] == mark;
}

/* Room for what token_is_whole() says. */
#define TOKEN_WHY_MAX 320

/*
 * Whether libconfig keeps the whole value: an integer in 32 bits, or 64 with L; a float that is not
 * infinite; a string without "\x00". Else false, with the sentence for it in `why`.
 */
bool token_is_whole(const struct token *token, char why[TOKEN_WHY_MAX]);

#endif
