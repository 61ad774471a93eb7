/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent, at most SCAN_DEPTH_MAX deep, one token ahead.  A function
 * returns false when the scan cannot go on; what can be stepped over (a number
 * that does not fit, a double name) is reported and marked instead.
 */
#include "config.h"	/* _GNU_SOURCE */

#include "daemon/parse/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/parse/doubles.h"
#include "daemon/parse/token.h"
#include "proto/cursor.h"
#include "proto/limits.h"
#include <prodd/error.h>

enum { shown_max = 60 };	/* bytes of a token inside a sentence */

struct scanner {
	struct scan *scan;
	struct problems *problems;
	const struct place *file;
	struct tokens tokens;
	struct token token;		/* the one at hand */
	struct token last;		/* the one before it */
	char path[PRODD_KEY_MAX + 1];	/* dotted name of the group at hand, with a final dot */
	size_t path_size;
	unsigned settings, groups;	/* seen so far, outside of lists */
	unsigned depth;
	unsigned in_list;		/* lists around the place at hand */
	bool bad;			/* the value at hand was reported */
	unsigned includes;		/* @include lines stepped over */
	unsigned includes_before;	/* those before `last` */
	int failed;
};

/* ---- reporting */

__attribute__((format(printf, 3, 4)))
static void report(struct scanner *s, uint32_t line, const char *format, ...)
{
	struct place place = *s->file;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	place.line = line;
	problems_add(s->problems, &place, (struct prodd_slice){ NULL, 0 }, "%s", text);
	s->scan->incomplete = true;
}

static struct prodd_slice shown(const struct token *token)
{
	return token->text.size > shown_max ? (struct prodd_slice){ token->text.at, shown_max } : token->text;
}

static bool syntax_error(struct scanner *s, uint32_t line, const char *expected)
{
	report(s, line, "syntax error, expected %s", expected);
	return false;
}

/* For a token that has no place anywhere. */
static bool refuse_token(struct scanner *s, const char *expected)
{
	const struct token *t = &s->token;

	switch (t->kind) {
	case TOKEN_OPEN_STRING:
		report(s, t->line, "syntax error, the string that begins here has no closing quote");
		break;
	case TOKEN_OPEN_COMMENT:
		report(s, t->line, "syntax error, the comment that begins here is never closed");
		break;
	case TOKEN_END:
		report(s, t->line, "syntax error, the file ends where %s is expected", expected);
		break;
	case TOKEN_OTHER:
		if (prodd_text_character(t->text) == 0 || (unsigned char)t->text.at[0] < 0x20) {
			report(s, t->line, "syntax error, expected %s, got the byte 0x%02x", expected,
			       (unsigned char)t->text.at[0]);
			break;
		}
		/* fall through */
	default:
		report(s, t->line, "syntax error, expected %s, got %s%.*s%s", expected,
		       t->kind == TOKEN_STRING ? "" : "\"", PRODD_SLICE(shown(t)),
		       t->kind == TOKEN_STRING ? "" : "\"");
	}
	return false;
}

/* ---- tokens */

/* "@include" is a token that libconfig acts upon: the line is reported and stepped over. */
static void skip_include(struct scanner *s)
{
	struct prodd_slice *left = &s->tokens.left;
	size_t size = 0;

	report(s, s->token.line, "@include is not supported; the files in conf.d are read by themselves");
	s->includes++;
	while (size < left->size && left->at[size] != '\n')
		size++;
	left->at += size;
	left->size -= size;
}

static void next(struct scanner *s)
{
	s->last = s->token;
	s->includes_before = s->includes;
	s->token = token_next(&s->tokens);
	while (s->token.kind == TOKEN_OTHER && s->token.text.at[0] == '@' && s->tokens.left.size >= 7 &&
	       memcmp(s->tokens.left.at, "include", 7) == 0) {
		skip_include(s);
		s->token = token_next(&s->tokens);
	}
}

static struct token peek(const struct scanner *s)
{
	struct tokens ahead = s->tokens;

	return token_next(&ahead);
}

static bool enter(struct scanner *s)
{
	if (++s->depth <= SCAN_DEPTH_MAX)
		return true;
	report(s, s->token.line, "groups and lists are nested more than %u deep", SCAN_DEPTH_MAX);
	return false;
}

/* ---- leaves */

static struct leaf *add_leaf(struct scanner *s, struct prodd_slice name)
{
	struct scan *scan = s->scan;
	struct leaf *leaf;

	if (scan->count == scan->capacity) {
		size_t capacity = scan->capacity ? 2 * scan->capacity : 64;
		struct leaf *grown = realloc(scan->leaves, capacity * sizeof *grown);

		if (!grown) {
			s->failed = -PRODD_E_NO_MEMORY;
			return NULL;
		}
		scan->leaves = grown;
		scan->capacity = capacity;
	}
	leaf = &scan->leaves[scan->count++];
	*leaf = (struct leaf){ .key_at = scan->names.size, .line = s->token.line };
	prodd_buffer_append(&scan->names, s->path, s->path_size);
	prodd_buffer_append(&scan->names, name.at, name.size);
	leaf->key_size = scan->names.size - leaf->key_at;
	s->failed = scan->names.failed;
	return s->failed ? NULL : leaf;
}

/* ---- values */

static bool settings(struct scanner *s, const struct token *open);
static bool value(struct scanner *s);

/* Reported and marked, but the scan goes on behind it. */
static void check_value(struct scanner *s)
{
	char why[TOKEN_WHY_MAX];

	if (token_is_whole(&s->token, why))
		return;
	report(s, s->token.line, "%s", why);
	s->bad = true;
}

static bool scalar(struct scanner *s)
{
	switch (s->token.kind) {
	case TOKEN_STRING:
		do {				/* neighbours are one string */
			check_value(s);
			next(s);
		} while (s->token.kind == TOKEN_STRING);
		return true;
	case TOKEN_INT:
	case TOKEN_INT64:
	case TOKEN_FLOAT:
		check_value(s);
		/* fall through */
	case TOKEN_BOOL:
		next(s);
		return true;
	case TOKEN_NAME:
	case TOKEN_WORD:
		report(s, s->token.line, "syntax error, \"%.*s\" is no value; a string stands in quotes",
		       PRODD_SLICE(shown(&s->token)));
		return false;
	default:
		return refuse_token(s, "a value");
	}
}

static bool never_closed(struct scanner *s, const struct token *open)
{
	report(s, open->line, "syntax error, the \"%c\" here is never closed", open->text.at[0]);
	return false;
}

/* The elements up to `close`; those of an array are scalars of one type. */
static bool elements(struct scanner *s, const struct token *open, char close)
{
	enum token_kind first = TOKEN_END;
	bool array = close == ']';

	next(s);
	while (!token_is(&s->token, close)) {
		enum token_kind kind = s->token.kind;
		uint32_t line = s->token.line;

		if (kind == TOKEN_END)
			return never_closed(s, open);
		if (!(array ? scalar(s) : value(s)))
			return false;
		first = first == TOKEN_END ? kind : first;
		if (array && kind != first && !s->bad) {
			report(s, line,
			       "the values in [ ] are of different types; write ( ) for such a list");
			s->bad = true;
		}
		if (token_is(&s->token, close))
			break;
		if (s->token.kind == TOKEN_END)
			return never_closed(s, open);
		if (!token_is(&s->token, ','))
			return syntax_error(s, s->last.line, array ? "\",\" or \"]\" after the value"
								   : "\",\" or \")\" after the value");
		next(s);
		if (token_is(&s->token, close))
			return syntax_error(s, s->token.line, "a value after the comma");
	}
	next(s);
	return true;
}

static bool group(struct scanner *s)
{
	struct token open = s->token;

	next(s);
	if (!settings(s, &open))
		return false;
	next(s);
	return true;
}

static bool value(struct scanner *s)
{
	struct token open = s->token;
	bool ok;

	if (!token_is(&open, '{') && !token_is(&open, '[') && !token_is(&open, '('))
		return scalar(s);
	if (!enter(s))
		return false;
	if (token_is(&open, '{')) {
		ok = group(s);
	} else {
		s->in_list++;
		ok = elements(s, &open, token_is(&open, '[') ? ']' : ')');
		s->in_list--;
	}
	s->depth--;
	return ok;
}

/* ---- settings */

static bool refuse_name(struct scanner *s)
{
	const struct token *t = &s->token;
	struct prodd_slice name = shown(t);
	const char *dot = memchr(name.at, '.', name.size);

	if (t->kind == TOKEN_BOOL) {
		report(s, t->line, "syntax error, \"%.*s\" cannot be a name", PRODD_SLICE(name));
	} else if (t->kind == TOKEN_WORD && dot && dot > name.at && dot < name.at + name.size - 1) {
		report(s, t->line, "syntax error, a name has no dots: write %.*s: { %.*s = ...; };",
		       (int)(dot - name.at), name.at, (int)(name.at + name.size - dot - 1), dot + 1);
	} else if (t->kind == TOKEN_WORD) {
		report(s, t->line,
		       "syntax error, \"%.*s\" cannot be a name: a letter, then letters, digits, _ and -",
		       PRODD_SLICE(name));
	} else {
		return refuse_token(s, "the name of a setting");
	}
	return false;
}

/* The name at hand and its "=" or ":"; the value comes next. */
static bool name_and_mark(struct scanner *s, const struct token *name)
{
	if (s->path_size + name->text.size > PRODD_KEY_MAX) {
		report(s, name->line, "the name of the setting is too long: at most %u bytes with its groups",
		       PRODD_KEY_MAX);
		return false;
	}
	next(s);
	if (!token_is(&s->token, '=') && !token_is(&s->token, ':'))
		return syntax_error(s, name->line, "\"=\" or \":\" after the name");
	next(s);
	return true;
}

static bool group_setting(struct scanner *s, const struct token *name)
{
	size_t outer = s->path_size;
	bool ok;

	memcpy(s->path + outer, name->text.at, name->text.size);
	s->path_size = outer + name->text.size;
	s->path[s->path_size++] = '.';
	ok = value(s);
	s->path_size = outer;
	return ok;
}

/* Settings and groups each have the limit to themselves: 5,000 settings fit in whatever groups. */
static bool count_leaf(struct scanner *s, const struct leaf *leaf)
{
	unsigned *count = leaf->group ? &s->groups : &s->settings;

	if (++*count <= PRODD_SETTINGS_MAX)
		return true;
	report(s, leaf->line, "more than %u %s in one file", PRODD_SETTINGS_MAX,
	       leaf->group ? "groups" : "settings");
	s->scan->count--;
	return false;
}

static bool setting(struct scanner *s)
{
	struct token name = s->token;
	struct leaf *leaf = s->in_list ? NULL : add_leaf(s, name.text);
	const char *begin;
	unsigned includes;
	bool ok;

	if ((!s->in_list && !leaf) || !name_and_mark(s, &name)) {
		s->scan->count -= leaf != NULL;
		return false;
	}
	if (s->in_list)
		return value(s);
	leaf->value_line = s->token.line;
	leaf->group = token_is(&s->token, '{');
	if (!count_leaf(s, leaf))
		return false;
	if (leaf->group)
		return group_setting(s, &name);
	begin = s->token.text.at;
	includes = s->includes;
	s->bad = false;
	ok = value(s);
	leaf->bad = s->bad || !ok || s->includes_before != includes;
	leaf->value = (struct prodd_slice){ begin, (size_t)(s->last.text.at + s->last.text.size - begin) };
	return ok;
}

/* What may stand between two settings. */
static bool terminator(struct scanner *s)
{
	struct token ahead;

	if (token_is(&s->token, ';') || token_is(&s->token, ',')) {
		next(s);
		return true;
	}
	if (s->token.kind == TOKEN_END || token_is(&s->token, '}'))
		return true;
	if (s->token.kind == TOKEN_NAME) {		/* libconfig needs no semicolon */
		ahead = peek(s);
		if (token_is(&ahead, '=') || token_is(&ahead, ':'))
			return true;
	}
	if (s->token.kind == TOKEN_OPEN_STRING || s->token.kind == TOKEN_OPEN_COMMENT)
		return refuse_token(s, "");
	return syntax_error(s, s->last.line, "\";\" after the value");
}

/* The names of one group inside a list; outside of lists doubles_report() looks at all at once. */
struct siblings {
	struct token names[SCAN_LIST_GROUP_MAX];
	unsigned count;
};

static bool note_sibling(struct scanner *s, struct siblings *siblings)
{
	if (siblings->count == SCAN_LIST_GROUP_MAX) {
		report(s, s->token.line, "more than %u settings in a group inside a list",
		       SCAN_LIST_GROUP_MAX);
		return false;
	}
	for (unsigned i = 0; i < siblings->count; i++)
		if (prodd_slice_equal(siblings->names[i].text, s->token.text)) {
			report(s, s->token.line, "\"%.*s\" is already set in line %u",
			       PRODD_SLICE(shown(&s->token)), siblings->names[i].line);
			s->bad = true;
		}
	siblings->names[siblings->count++] = s->token;
	return true;
}

/* Up to the "}" that closes `open`, which stays at hand; or to the end of the file when `open` is NULL. */
static bool settings(struct scanner *s, const struct token *open)
{
	struct siblings siblings = { .count = 0 };

	for (;;) {
		if (s->token.kind == TOKEN_END)
			return open ? never_closed(s, open) : true;
		if (open && token_is(&s->token, '}'))
			return true;
		if (s->token.kind != TOKEN_NAME)
			return refuse_name(s);
		if (s->in_list && !note_sibling(s, &siblings))
			return false;
		if (!setting(s) || !terminator(s))
			return false;
	}
}

/* ---- the file */

static uint32_t line_of(struct prodd_slice content, const char *at)
{
	uint32_t line = 1;

	for (const char *p = content.at; p < at; p++)
		line += *p == '\n';
	return line;
}

int scan_run(struct prodd_slice content, const struct place *file, struct problems *problems,
	     struct scan *ret)
{
	struct scanner s = { .scan = ret, .problems = problems, .file = file };
	const char *nul = content.size ? memchr(content.at, '\0', content.size) : NULL;
	int r;

	*ret = (struct scan){ 0 };
	if (nul) {
		report(&s, line_of(content, nul), "holds a NUL byte: not a text file");
		return 0;
	}
	if (content.size >= 3 && memcmp(content.at, "\xef\xbb\xbf", 3) == 0) {
		report(&s, 1, "begins with a byte order mark; save it as UTF-8 without one");
		content = (struct prodd_slice){ content.at + 3, content.size - 3 };
	}
	s.tokens = (struct tokens){ content, 1 };
	next(&s);
	settings(&s, NULL);
	r = s.failed ? s.failed : doubles_report(ret, file, problems);
	if (r < 0)
		scan_clear(ret);
	return r;
}

void scan_clear(struct scan *scan)
{
	free(scan->leaves);
	prodd_buffer_clear(&scan->names);
	*scan = (struct scan){ 0 };
}
