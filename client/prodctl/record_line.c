/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/record_line.h"

#include <inttypes.h>

#include "client/prodctl/moment.h"
#include "client/prodctl/value.h"
#include "proto/shm/line.h"

#define NS_PER_MS UINT64_C(1000000)

struct opened {
	struct record record;
	struct origin origin;
};

static int open_it(const struct wire_log_record *record, struct opened *ret, struct prodd_error *e)
{
	struct prodd_cursor c = prodd_cursor(record->origin);

	if (record_open(record->record, &ret->record, NULL) && origin_take(&c, &ret->origin) && c.at == c.end)
		return 0;
	return prodd_error_set(e, PRODD_E_PROTOCOL, "prodd sent something that is no record");
}

static enum colour colour_of(enum record_level level)
{
	if (level >= RECORD_ERROR)
		return BAD;
	return level == RECORD_WARN ? WARN : PLAIN;
}

static void pad(struct text *to, const char *word, unsigned width, enum colour colour)
{
	unsigned size = (unsigned)strlen(word);

	text_printf(to, colour, "%s", word);
	text_spaces(to, 2 + (size < width ? width - size : 0));
}

static void put_value(struct text *to, struct prodd_slice value)
{
	prodd_auto_buffer b = { .limit = TEXT_MAX };
	struct prodd_cursor c = prodd_cursor(value);

	if (prodd_cursor_kind(&c) == PRODD_KIND_BIN) {
		text_printf(to, PLAIN, "(%zu bytes)", value.size);
		return;
	}
	if (value_append(&b, value, prodd_slice(""), false) == 0)
		text_slice(to, PLAIN, prodd_buffer_slice(&b));
}

static void put_fields(struct text *to, const struct record *record)
{
	struct prodd_cursor c = prodd_cursor(record->fields);
	struct prodd_slice key, value;

	for (unsigned i = 0; i < record->field_count; i++) {
		if (!prodd_cursor_str(&c, &key) || !prodd_cursor_skip(&c, &value))
			return;
		text_spaces(to, i == 0 ? 2 : 1);
		text_slice(to, STRONG, key);
		text_printf(to, PLAIN, "=");
		put_value(to, value);
	}
}

int record_line(struct text *to, const struct wire_log_record *record, struct prodd_error *e)
{
	struct opened it;
	const struct record *r = &it.record;
	int result = open_it(record, &it, e);

	if (result < 0)
		return result;
	text_printf(to, PLAIN, "%s.%03u  ", moment_time(r->time_ns / NS_PER_MS).text,
		    (unsigned)(r->time_ns / NS_PER_MS % 1000));
	pad(to, record_level_word(r->level), 5, colour_of(r->level));
	text_printf(to, PLAIN, "%.*s/%.*s  ", PRODD_SLICE(record->app), PRODD_SLICE(it.origin.instance));
	text_slice(to, PLAIN, r->target);
	text_spaces(to, 2);
	text_slice(to, colour_of(r->level), r->message);
	put_fields(to, r);
	if (it.origin.crash.size > 0) {
		text_spaces(to, 2);
		text_printf(to, BAD, "crashed=%.*s", PRODD_SLICE(it.origin.crash));
	}
	text_end_line(to);
	return 0;
}

int record_line_json(struct prodd_buffer *to, const struct wire_log_record *record, struct prodd_error *e)
{
	struct opened it;
	int r = open_it(record, &it, e);
	const struct line line = { .app = record->app, .number = record->number, .origin = &it.origin,
				   .record = &it.record };

	if (r == 0)
		line_write(to, LINE_JSON, &line);	/* a failure sticks to the buffer */
	return r;
}
