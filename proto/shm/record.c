/* SPDX-License-Identifier: Apache-2.0 */
/* Each part is taken by the cursor in its turn; the first that does not fit is named. */
#include "proto/shm/record.h"

#include "proto/head.h"

enum { fixed_values = 8, origin_values = 6, trace_size = 16, span_size = 8, uuid_size = 16 };

static const char *const level_words[] = {
	[RECORD_TRACE] = "trace", [RECORD_DEBUG] = "debug", [RECORD_INFO] = "info",
	[RECORD_WARN] = "warn",	  [RECORD_ERROR] = "error", [RECORD_OFF] = "off",
};

const char *record_level_word(unsigned level)
{
	return level <= RECORD_OFF ? level_words[level] : NULL;
}

int record_level_of(struct prodd_slice word)
{
	for (int level = RECORD_TRACE; level <= RECORD_OFF; level++)
		if (prodd_slice_is(word, level_words[level]))
			return level;
	if (prodd_slice_is(word, "warning"))
		return RECORD_WARN;
	return prodd_slice_is(word, "err") ? RECORD_ERROR : -1;
}

static inline bool take_str(struct prodd_cursor *c, struct prodd_slice *ret)
{
	return prodd_short_str(c, ret) || prodd_cursor_str(c, ret);
}

static inline bool take_nil(struct prodd_cursor *c)
{
	if (c->at == c->end || *c->at != 0xc0)
		return false;
	c->at++;
	return true;
}

/* A str or nil. */
static bool take_name(struct prodd_cursor *c, struct prodd_slice *ret)
{
	*ret = (struct prodd_slice){ NULL, 0 };
	return take_nil(c) || (take_str(c, ret) && ret->size <= RECORD_NAME_MAX);
}

/* A bin of exactly that size, or nil. */
static bool take_id(struct prodd_cursor *c, size_t size, struct prodd_slice *ret)
{
	*ret = (struct prodd_slice){ NULL, 0 };
	return take_nil(c) || (prodd_cursor_bin(c, ret) && ret->size == size);
}

static bool take_level(struct prodd_cursor *c, enum record_level *ret)
{
	uint64_t level;

	if (!prodd_cursor_uint(c, &level) || level > RECORD_ERROR)
		return false;
	*ret = (enum record_level)level;
	return true;
}

static bool take_fields(struct prodd_cursor *c, unsigned count, struct prodd_slice *ret)
{
	const char *start = (const char *)c->at;

	for (unsigned i = 0; i < count; i++) {
		struct prodd_slice key;
		size_t value;

		if (!take_str(c, &key) || key.size == 0 || key.size > RECORD_KEY_MAX)
			return false;
		value = prodd_scalar_size(c->at, (size_t)(c->end - c->at));
		if (value == 0)
			return false;
		c->at += value;
	}
	*ret = (struct prodd_slice){ start, (size_t)((const char *)c->at - start) };
	return true;
}

/* NULL, or what is wrong. */
static const char *take_record(struct prodd_cursor *c, struct record *ret)
{
	uint32_t count;

	if (!prodd_cursor_array(c, &count) || count < fixed_values || count % 2 != 0 ||
	    count > fixed_values + 2 * RECORD_FIELDS_MAX)
		return "no array of eight values and fields";
	ret->field_count = (count - fixed_values) / 2;
	if (!prodd_cursor_uint(c, &ret->time_ns))
		return "time";
	if (!take_level(c, &ret->level))
		return "level";
	if (!take_str(c, &ret->target) || ret->target.size > RECORD_NAME_MAX)
		return "target";
	if (!take_str(c, &ret->message))
		return "message";
	if (!take_name(c, &ret->thread))
		return "thread";
	if (!take_name(c, &ret->source))
		return "source";
	if (!take_id(c, trace_size, &ret->trace))
		return "trace";
	if (!take_id(c, span_size, &ret->span))
		return "span";
	if (!take_fields(c, ret->field_count, &ret->fields))
		return "fields";
	return c->at == c->end ? NULL : "bytes behind the record";
}

bool record_open(struct prodd_slice bytes, struct record *ret, const char **why)
{
	struct prodd_cursor c = prodd_cursor(bytes);
	const char *wrong = bytes.size > RECORD_MAX ? "over 1 MiB" : take_record(&c, ret);

	if (why)
		*why = wrong;
	return !wrong;
}

/* ---- origin */

void origin_pack(struct prodd_buffer *b, const struct origin *origin)
{
	prodd_pack_array(b, origin_values);
	prodd_pack_str(b, origin->instance);
	prodd_pack_uint(b, origin->pid);
	prodd_pack_uint(b, origin->uid);
	prodd_pack_bin(b, origin->ring);
	prodd_pack_uint(b, origin->end);
	if (origin->crash.size > 0)
		prodd_pack_str(b, origin->crash);
	else
		prodd_pack_nil(b);
}

bool origin_take(struct prodd_cursor *c, struct origin *ret)
{
	struct prodd_cursor at = *c;
	uint32_t count;

	if (!prodd_cursor_array(&at, &count) || count != origin_values ||
	    !take_str(&at, &ret->instance) || !prodd_cursor_uint(&at, &ret->pid) ||
	    !prodd_cursor_uint(&at, &ret->uid) || !prodd_cursor_bin(&at, &ret->ring) ||
	    (ret->ring.size != 0 && ret->ring.size != uuid_size) || !prodd_cursor_uint(&at, &ret->end) ||
	    !take_name(&at, &ret->crash))
		return false;
	*c = at;
	return true;
}
