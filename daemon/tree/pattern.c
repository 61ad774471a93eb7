/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc compiles a{300}{300} into copies of copies, and follows \1 by trying
 * everything: both are refused before it sees them.
 */
#include "daemon/tree/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <prodd/error.h>

/* The greater bound of "{m,n}" at `at`, which is behind the brace; 0: it is no repetition. */
static unsigned long bound_at(const char *at)
{
	char *end;
	unsigned long low = strtoul(at, &end, 10);
	unsigned long high = low;

	if (*at < '0' || *at > '9')
		return 0;
	if (*end == ',')
		high = strtoul(end + 1, &end, 10);
	return high > low ? high : low;
}

/* Behind the bracket expression that begins at `at`. */
static const char *after_bracket(const char *at)
{
	at++;
	if (*at == '^')
		at++;
	if (*at == ']')
		at++;
	while (*at && *at != ']') {
		if (*at == '[' && at[1] && strchr(".:=", at[1])) {
			const char kind = at[1];

			for (at += 2; *at && !(*at == kind && at[1] == ']'); at++)
				;
			at += *at != '\0';
		}
		at += *at != '\0';
	}
	return *at ? at + 1 : at;
}

static const char *refusal(const char *text)
{
	unsigned long product = 1;

	while (*text) {
		if (*text == '\\' && text[1] >= '1' && text[1] <= '9')
			return "references back such as \\1 are not supported";
		if (*text == '[') {
			text = after_bracket(text);
			continue;
		}
		if (*text == '{') {
			unsigned long bound = bound_at(text + 1);

			product *= bound ? bound : 1;
			if (bound > PATTERN_REPEAT_MAX || product > PATTERN_REPEAT_MAX)
				return "its repetitions multiply to more than 1000";
		}
		text += *text == '\\' && text[1] ? 2 : 1;
	}
	return NULL;
}

static char *copy(struct prodd_slice s)
{
	return strndup(s.at ? s.at : "", s.size);
}

static void discard(struct pattern *p)
{
	free(p->text);
	free(p->origin);
	free(p);
}

static int compile(struct pattern *p, char *why, size_t size)
{
	const char *refused = refusal(p->text);
	int r;

	if (refused) {
		snprintf(why, size, "%s", refused);
		return -PRODD_E_INVALID;
	}
	r = regcomp(&p->regex, p->text, REG_EXTENDED | REG_NOSUB);
	if (r == 0)
		return 0;
	regerror(r, &p->regex, why, size);
	return r == REG_ESPACE ? -PRODD_E_NO_MEMORY : -PRODD_E_INVALID;
}

int pattern_new(struct pattern **ret, struct prodd_slice text, struct prodd_slice origin, char *why,
		size_t size)
{
	struct pattern *p;
	int r;

	if (text.size > PATTERN_SIZE_MAX) {
		snprintf(why, size, "the pattern has %zu bytes, at most %u are allowed", text.size,
			 PATTERN_SIZE_MAX);
		return -PRODD_E_INVALID;
	}
	p = calloc(1, sizeof *p);
	if (!p)
		return -PRODD_E_NO_MEMORY;
	p->text = copy(text);
	p->origin = copy(origin);
	r = p->text && p->origin ? compile(p, why, size) : -PRODD_E_NO_MEMORY;
	if (r < 0) {
		discard(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct pattern *pattern_free(struct pattern *pattern)
{
	while (pattern) {
		struct pattern *next = pattern->next;

		regfree(&pattern->regex);
		discard(pattern);
		pattern = next;
	}
	return NULL;
}

int pattern_match(const struct pattern *pattern, struct prodd_slice value)
{
	char text[PATTERN_VALUE_MAX + 1];	/* regexec() wants a final NUL */

	int r;

	if (value.size >= sizeof text)
		return 0;
	if (value.size)
		memcpy(text, value.at, value.size);
	text[value.size] = '\0';
	errno = 0;
	r = regexec(&pattern->regex, text, 0, NULL, 0);
	/* glibc 2.36 calls any failure a mismatch: only errno tells. */
	return r != 0 && (r == REG_ESPACE || errno == ENOMEM) ? -PRODD_E_NO_MEMORY : r == 0;
}
