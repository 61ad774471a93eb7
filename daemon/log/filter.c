/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are compared as they are: no patterns, no folding of case. */
#define _GNU_SOURCE
#include "daemon/log/filter.h"

#include <stdio.h>

int filter_set(struct filter *ret, struct prodd_slice app, struct prodd_slice level, struct prodd_slice match,
	       struct prodd_error *e)
{
	int lowest = level.size > 0 ? record_level_of(level) : RECORD_TRACE;

	*ret = (struct filter){ .level = RECORD_TRACE };
	if (lowest < 0)
		return prodd_error_set(e, PRODD_E_USAGE, "no level \"%.*s\": trace, debug, info, warn, error or off",
				       PRODD_SLICE(level));
	if (app.size >= sizeof ret->app || match.size > sizeof ret->match)
		return prodd_error_set(e, PRODD_E_USAGE, "too long: an app's name, or a text to look for");
	snprintf(ret->app, sizeof ret->app, "%.*s", PRODD_SLICE(app));
	ret->level = (enum record_level)lowest;
	ret->match_size = (unsigned)match.size;
	if (match.size > 0)
		memcpy(ret->match, match.at, match.size);
	return 0;
}

bool filter_takes_app(const struct filter *filter, const char *app)
{
	return !*filter->app || strcmp(filter->app, app) == 0;
}

static bool has_match(const struct filter *filter, struct prodd_slice text)
{
	return text.size > 0 && memmem(text.at, text.size, filter->match, filter->match_size);
}

bool filter_takes(const struct filter *filter, struct prodd_slice bytes)
{
	struct prodd_slice key, text;
	struct prodd_cursor c;
	struct record record;

	if (!record_open(bytes, &record, NULL) || record.level < filter->level)
		return false;
	if (filter->match_size == 0 || has_match(filter, record.message))
		return true;
	c = prodd_cursor(record.fields);
	for (unsigned i = 0; i < record.field_count; i++) {
		if (!prodd_cursor_str(&c, &key))
			return false;
		if (prodd_cursor_str(&c, &text)) {
			if (has_match(filter, text))
				return true;
		} else if (!prodd_cursor_skip(&c, NULL)) {
			return false;
		}
	}
	return false;
}
