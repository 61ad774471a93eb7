/* SPDX-License-Identifier: Apache-2.0 */
/* Options may stand anywhere; "--" ends them, and a word as "-5" is a value, not an option. */
#include "client/prodctl/arguments.h"

#include <stdio.h>
#include <string.h>

#include "client/prodctl/guess.h"
#include "proto/units.h"

enum { words_max = ARGUMENTS_MAX + 2 };

/* ", did you mean ..." or nothing. */
static int unknown(struct prodd_error *e, const char *what, const struct guess *g, const char *dashes)
{
	if (g->best)
		return prodd_error_set(e, PRODD_E_USAGE, "%s \"%s%s\"; did you mean \"%s%s\"?", what, dashes,
				       g->typed, dashes, g->best);
	return prodd_error_set(e, PRODD_E_USAGE, "%s \"%s%s\"", what, dashes, g->typed);
}

/* ---- options */

static int parse_number(const char *text, uint64_t *ret)
{
	uint64_t number = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || number > (UINT64_MAX >> 1) / 10)
			return -1;
		number = number * 10 + (uint64_t)(*c - '0');
	}
	*ret = number;
	return *text && number > 0 ? 0 : -1;
}

static int not_a_duration(const struct option *option, const char *value, struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_USAGE,
			       "--%s: \"%s\" is not a duration of 1ms or more, such as 30s, 5m or 1h30m",
			       option->name, value);
}

static int set_value(struct arguments *a, enum option_id id, const char *value, struct prodd_error *e)
{
	const struct option *option = &options[id];
	int64_t ns = 0;

	if (*value == '\0')
		return prodd_error_set(e, PRODD_E_USAGE, "--%s: an empty %s", option->name, option->value);
	a->values[id] = value;
	if (strcmp(option->value, "N") == 0 && parse_number(value, &a->numbers[id]) < 0)
		return prodd_error_set(e, PRODD_E_USAGE, "--%s: \"%s\" is not a number from 1", option->name,
				       value);
	if (strcmp(option->value, "DUR") == 0) {
		if (!prodd_parse_duration(prodd_slice(value), &ns) || ns < 1000000)
			return not_a_duration(option, value, e);
		a->numbers[id] = (uint64_t)ns / 1000000;
	}
	return 0;
}

/* The name up to '=' or the end. */
static int find_long(const char *name, enum option_id *ret, struct prodd_error *e)
{
	size_t length = strcspn(name, "=");
	char typed[64];
	struct guess g = { .typed = typed };

	for (int i = 0; i < OPTION_COUNT; i++)
		if (strlen(options[i].name) == length && strncmp(options[i].name, name, length) == 0) {
			*ret = (enum option_id)i;
			return 0;
		}
	snprintf(typed, sizeof typed, "%.*s", (int)length, name);
	for (int i = 0; i < OPTION_COUNT; i++)
		guess_try(&g, options[i].name);
	return unknown(e, "unknown option", &g, "--");
}

static int find_letter(const char *word, enum option_id *ret, struct prodd_error *e)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (options[i].letter && options[i].letter == word[1]) {
			*ret = (enum option_id)i;
			return 0;
		}
	return prodd_error_set(e, PRODD_E_USAGE, "unknown option \"%s\"", word);
}

/* The option words[*at]; moves *at to its last word. */
static int parse_option(struct arguments *a, int count, char *const words[], int *at, struct prodd_error *e)
{
	const char *word = words[*at];
	bool is_long = word[1] == '-';
	const char *value = is_long ? strchr(word, '=') : word[2] ? word + 1 : NULL;
	enum option_id id = OPTION_HELP;
	int r = is_long ? find_long(word + 2, &id, e) : find_letter(word, &id, e);

	if (r < 0)
		return r;
	if (!options[id].value) {
		a->values[id] = "";
		if (value)
			return prodd_error_set(e, PRODD_E_USAGE, "%s: --%s takes no value", word,
					       options[id].name);
		return 0;
	}
	if (value)
		return set_value(a, id, value + 1, e);
	if (*at + 1 >= count)
		return prodd_error_set(e, PRODD_E_USAGE, "%s needs a value: --%s %s", word, options[id].name,
				       options[id].value);
	return set_value(a, id, words[++*at], e);
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') && word[1] != '.';
}

/* ---- words */

/* A word that is neither a noun nor a verb without one. */
static int unknown_word(const char *word, struct prodd_error *e)
{
	struct guess g = { .typed = word };

	for (const struct verb *v = verbs; v->name; v++)
		if (*v->noun && strcmp(v->name, word) == 0)
			return prodd_error_set(e, PRODD_E_USAGE,
					       "unknown word \"%s\"; did you mean \"%s %s\"?", word, v->noun,
					       v->name);
	for (const struct verb *v = verbs; v->name; v++)
		guess_try(&g, *v->noun ? v->noun : v->name);
	return unknown(e, "unknown word", &g, "");
}

static int unknown_verb(const char *noun, const char *word, struct prodd_error *e)
{
	char what[64];
	struct guess g = { .typed = word };

	snprintf(what, sizeof what, "%s has no verb", noun);
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->noun, noun) == 0)
			guess_try(&g, v->name);
	return unknown(e, what, &g, "");
}

static int missing_verb(const char *noun, struct prodd_error *e)
{
	char list[256] = "";

	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->noun, noun) == 0) {
			size_t used = strlen(list);

			snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", v->name);
		}
	return prodd_error_set(e, PRODD_E_USAGE, "%s needs a verb: %s", noun, list);
}

/* Takes noun and verb off the front of the words. Returns how many there were, or an error. */
static int take_verb(struct arguments *a, unsigned count, const char *const words[], struct prodd_error *e)
{
	unsigned used = 0;

	a->noun = "";
	if (count > 0 && verb_is_noun(words[0]))
		a->noun = words[used++];
	if (used == count)
		return *a->noun ? missing_verb(a->noun, e) :
		       prodd_error_set(e, PRODD_E_USAGE, "a verb is missing");
	a->verb = verb_find(a->noun, words[used]);
	if (!a->verb)
		return *a->noun ? unknown_verb(a->noun, words[used], e) : unknown_word(words[used], e);
	return (int)used + 1;
}

/* "config set" */
static const char *full_name(const struct verb *v, char *ret, size_t size)
{
	snprintf(ret, size, "%s%s%s", v->noun, *v->noun ? " " : "", v->name);
	return ret;
}

static int check_options(const struct arguments *a, struct prodd_error *e)
{
	char name[64];

	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (a->values[i] && !(a->verb->options & (1u << i)))
			return prodd_error_set(e, PRODD_E_USAGE, "%s takes no --%s",
					       full_name(a->verb, name, sizeof name), options[i].name);
	return 0;
}

static int check_count(const struct arguments *a, const char *beyond, struct prodd_error *e)
{
	char name[64], missing[64];

	full_name(a->verb, name, sizeof name);
	if (beyond)
		return prodd_error_set(e, PRODD_E_USAGE, "%s: one word too many: \"%s\"", name, beyond);
	if (a->count < verb_arguments_min(a->verb)) {
		verb_argument(a->verb, a->count, missing, sizeof missing);
		return prodd_error_set(e, PRODD_E_USAGE, "%s needs %s", name, missing);
	}
	for (unsigned i = 0; i < a->count; i++)
		if (*a->words[i] == '\0' && i < 2)	/* a VALUE may be empty */
			return prodd_error_set(e, PRODD_E_USAGE, "%s: an empty word", name);
	return 0;
}

bool arguments_names_directory(const char *word)
{
	return strchr(word, '/') || strcmp(word, ".") == 0 || strcmp(word, "..") == 0;
}

/* Splits APP[/INSTANCE], or APP[/TARGET]. */
static int split_app(struct arguments *a, struct prodd_error *e)
{
	char kind[64] = "", name[64];
	const char *word = arguments_word(a, 0), *slash = strchr(word, '/');
	size_t length = slash ? (size_t)(slash - word) : strlen(word);

	verb_argument(a->verb, 0, kind, sizeof kind);
	if (a->count == 0 || strncmp(kind, "APP", 3) != 0 ||
	    (strchr(kind, '|') && arguments_names_directory(word)))
		return 0;
	full_name(a->verb, name, sizeof name);
	if (slash && !strchr(kind, '/'))
		return prodd_error_set(e, PRODD_E_USAGE, "%s takes an app, not an instance: \"%s\"", name,
				       word);
	if (length == 0 || length >= sizeof a->app ||
	    (slash && (slash[1] == '\0' || strlen(slash) > sizeof a->instance)))
		return prodd_error_set(e, PRODD_E_USAGE, "%s: \"%s\" is not the name of an app", name, word);
	snprintf(a->app, sizeof a->app, "%.*s", (int)length, word);
	snprintf(a->instance, sizeof a->instance, "%s", slash ? slash + 1 : "");
	return 0;
}

static int assign_words(struct arguments *a, unsigned count, const char *const words[], struct prodd_error *e)
{
	const char *beyond = NULL;
	unsigned most;
	int used, r;

	used = take_verb(a, count, words, e);
	if (used < 0)
		return used;
	most = verb_arguments_max(a->verb);
	for (unsigned i = (unsigned)used; i < count; i++) {
		if (a->count < most)
			a->words[a->count++] = words[i];
		else if (!beyond)
			beyond = words[i];
	}
	r = check_options(a, e);
	if (r == 0 && !arguments_has(a, OPTION_HELP))
		r = check_count(a, beyond, e);
	if (r == 0 && !arguments_has(a, OPTION_HELP))
		r = split_app(a, e);
	return r;
}

int arguments_parse(struct arguments *ret, int count, char *const words[], struct prodd_error *e)
{
	const char *plain[words_max + 1];
	unsigned plain_count = 0;
	bool ended = false;

	*ret = (struct arguments){ .noun = "" };
	for (int i = 0; i < count; i++) {
		int r = 0;

		if (!ended && strcmp(words[i], "--") == 0)
			ended = true;
		else if (!ended && is_option(words[i]))
			r = parse_option(ret, count, words, &i, e);
		else if (plain_count <= words_max)
			plain[plain_count++] = words[i];
		if (r < 0)
			return r;
	}
	if (plain_count == 0 && (arguments_has(ret, OPTION_HELP) || arguments_has(ret, OPTION_VERSION)))
		return 0;
	if (plain_count == 1 && arguments_has(ret, OPTION_HELP) && verb_is_noun(plain[0])) {
		ret->noun = plain[0];
		return 0;
	}
	return assign_words(ret, plain_count, plain, e);
}

int arguments_generation(const struct arguments *a, unsigned index, uint64_t *ret, struct prodd_error *e)
{
	const char *word = arguments_word(a, index);

	*ret = 0;
	if (*word && parse_number(word, ret) < 0)
		return prodd_error_set(e, PRODD_E_USAGE, "\"%s\" is not the number of a generation", word);
	return 0;
}
