/* SPDX-License-Identifier: Apache-2.0 */
/* What was typed, read by the tables of verbs.h. */
#ifndef PRODCTL_ARGUMENTS_H
#define PRODCTL_ARGUMENTS_H

#include <stdint.h>

#include "client/prodctl/verbs.h"

#define ARGUMENTS_MAX 3

struct arguments {
	const struct verb *verb;		/* NULL: none was typed, only --help or --version */
	const char *noun;			/* typed; "": none */
	const char *words[ARGUMENTS_MAX];	/* after the verb; borrowed from argv */
	unsigned count;
	const char *values[OPTION_COUNT];	/* NULL: not given; "" for a switch */
	uint64_t numbers[OPTION_COUNT];		/* of "DUR" (milliseconds) and "N" */
	char app[129];				/* first word of verbs that take an APP */
	char instance[129];			/* its part after the slash, an instance or a target; "": none */
};

/*
 * Reads the words after the program's name. Returns 0 or -PRODD_E_USAGE with the wrong word and, where one is
 * near, the right one; ret->verb is set as far as it was found.
 */
int arguments_parse(struct arguments *ret, int count, char *const words[], struct prodd_error *e);

static inline bool arguments_has(const struct arguments *a, enum option_id option)
{
	return a->values[option] != NULL;
}

/* Word `index`; "" when it was not given. */
static inline const char *arguments_word(const struct arguments *a, unsigned index)
{
	return index < a->count ? a->words[index] : "";
}

/* Text of an option; "" when it was not given. */
static inline const char *arguments_value(const struct arguments *a, enum option_id option)
{
	return a->values[option] ? a->values[option] : "";
}

/* A word as the number of a generation, 0 when it was not given. Returns 0 or -PRODD_E_USAGE. */
int arguments_generation(const struct arguments *a, unsigned index, uint64_t *ret, struct prodd_error *e);

/* Is the first word of `config check` a directory and no app? */
bool arguments_names_directory(const char *word);

#endif
