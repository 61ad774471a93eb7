/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/client_ring.h"

#include <check.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

void reader_open(struct reader *r, const struct line *l)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	const char *why = "";
	struct stat st;

	ck_assert_int_ge(l->ring, 0);
	ck_assert_int_eq(fstat(l->ring, &st), 0);
	ck_assert_int_eq(fcntl(l->ring, F_GET_SEALS) & (seals | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE), seals);
	r->size = (size_t)st.st_size;
	r->mapping = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, l->ring, 0);
	ck_assert(r->mapping != MAP_FAILED);
	ck_assert_msg(ring_open(&r->ring, r->mapping, r->size, &r->identity, &why), "%s", why);
	ck_assert(ring_attach(&r->ring, 0, &r->reading));
}

void reader_close(struct reader *r)
{
	if (r->mapping)
		munmap(r->mapping, r->size);
	r->mapping = NULL;
}

static enum ring_found next(struct reader *r, uint32_t *length)
{
	uint64_t end, skipped = 0;

	return ring_next(&r->ring, &r->reading, r->copy, sizeof r->copy, length, &end, false, &skipped);
}

void reader_take(struct reader *r)
{
	const char *why = NULL;
	uint32_t length = 0;

	ck_assert_int_eq(next(r, &length), RING_FOUND_RECORD);
	ck_assert_msg(record_open((struct prodd_slice){ (char *)r->copy, length }, &r->record, &why), "%s", why);
}

void reader_finds_nothing(struct reader *r)
{
	uint32_t length;

	ck_assert_int_eq(next(r, &length), RING_FOUND_NONE);
}

static bool find_field(const struct record *record, const char *key, struct prodd_cursor *ret)
{
	struct prodd_slice name;

	*ret = prodd_cursor(record->fields);
	while (prodd_cursor_str(ret, &name)) {
		if (prodd_slice_is(name, key))
			return true;
		prodd_cursor_skip(ret, NULL);
	}
	return false;
}

int64_t record_int(const struct record *record, const char *key)
{
	struct prodd_cursor c;
	int64_t value = -1;

	if (find_field(record, key, &c))
		prodd_cursor_int(&c, &value);
	return value;
}

bool record_has_text(const struct record *record, const char *key, const char *text)
{
	struct prodd_slice value = { 0 };
	struct prodd_cursor c;

	return find_field(record, key, &c) && prodd_cursor_str(&c, &value) && prodd_slice_is(value, text);
}

bool next_pushed(struct prodd_slice *rest, struct record *ret)
{
	struct prodd_cursor c = prodd_cursor(*rest);
	struct prodd_slice one;
	const char *why = NULL;

	if (rest->size == 0)
		return false;
	ck_assert(prodd_cursor_skip(&c, &one));
	ck_assert_msg(record_open(one, ret, &why), "%s", why);
	*rest = (struct prodd_slice){ (const char *)c.at, (size_t)(c.end - c.at) };
	return true;
}
