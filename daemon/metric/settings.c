/* SPDX-License-Identifier: Apache-2.0 */
/* prodd-parse has checked names, types and ranges by the built-in schema; here values find their place. */
#include "daemon/metric/settings.h"

#include <stdio.h>

#include "proto/codec.h"

void metric_settings_default(struct metric_settings *ret)
{
	*ret = (struct metric_settings){ .socket = true, .series = 2000 };
}

static void set(struct metric_settings *s, const struct wire_tree_entry *entry)
{
	struct prodd_cursor cursor = prodd_cursor(entry->value);
	struct prodd_slice text;
	uint64_t number;

	if (prodd_slice_is(entry->key, "metrics.listen") && prodd_cursor_str(&cursor, &text))
		snprintf(s->listen, sizeof s->listen, "%.*s", PRODD_SLICE(text));
	else if (prodd_slice_is(entry->key, "metrics.socket"))
		prodd_cursor_bool(&cursor, &s->socket);
	else if (prodd_slice_is(entry->key, "metrics.series") && prodd_cursor_uint(&cursor, &number))
		s->series = (unsigned)number;
}

int metric_settings_load(struct metric_settings *settings, struct prodd_list entries, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(entries);
	struct wire_tree_entry entry;
	int r;

	while ((r = prodd_next(&it, &wire_record_tree_entry, &entry, e)) > 0)
		set(settings, &entry);
	return r;
}
