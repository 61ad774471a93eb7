/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/verbs.h"

#include <stdio.h>
#include <string.h>

const struct option options[OPTION_COUNT] = {
#define X(id, name_, letter_, value_, help_) \
	[OPTION_##id] = { .name = name_, .letter = letter_, .value = value_, .help = help_ },
	PRODCTL_OPTIONS(X)
#undef X
};

const struct verb verbs[] = {
#define X(handler, noun_, verb_, arguments_, options_, help_) \
	{ .noun = noun_, .name = verb_, .arguments = arguments_, .options = (options_) | OPTIONS_COMMON, \
	  .help = help_, .run = run_##handler },
	PRODCTL_VERBS(X)
#undef X
	{ .name = NULL }
};

/* The word after *at, and moves *at behind it; 0: no more. */
static size_t next_word(const char **at, const char **ret)
{
	size_t size;

	*at += strspn(*at, " ");
	size = strcspn(*at, " ");
	*ret = *at;
	*at += size;
	return size;
}

unsigned verb_arguments_max(const struct verb *v)
{
	const char *at = v->arguments, *word;
	unsigned count = 0;

	while (next_word(&at, &word) > 0)
		count++;
	return count;
}

unsigned verb_arguments_min(const struct verb *v)
{
	const char *at = v->arguments, *word;
	unsigned count = 0;

	while (next_word(&at, &word) > 0 && *word != '[')
		count++;
	return count;
}

bool verb_argument(const struct verb *v, unsigned index, char *ret, size_t size)
{
	const char *at = v->arguments, *word;
	size_t length = 0;

	for (unsigned i = 0; i <= index; i++) {
		length = next_word(&at, &word);
		if (length == 0)
			return false;
	}
	if (*word == '[') {
		word++;
		length = strcspn(word, " ]");
	}
	snprintf(ret, size, "%.*s", (int)length, word);
	return true;
}

const struct verb *verb_find(const char *noun, const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->noun, noun) == 0 && strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

const char *verb_noun_help(const char *noun)
{
#define X(name, help) \
	if (strcmp(noun, name) == 0) \
		return help;
	PRODCTL_NOUNS(X)
#undef X
	return "";
}

bool verb_is_noun(const char *word)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (*word && strcmp(v->noun, word) == 0)
			return true;
	return false;
}
