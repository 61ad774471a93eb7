/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a segment of metrics, from an app that may write anything
 * into it.  What the reader gives out lies in its copy, is what may be
 * declared, and has cells of its own; written again it reads back the same.
 */
#include "proto/shm/segment.h"

#include "tests/fuzz/fuzz.h"

enum { directory_size = 8192, cells = 512, shards = 2, whole_size = 4096 + 8192 + 8192 };

static const uint8_t uuid[16];

static unsigned char *make(struct segment *s)
{
	unsigned char *memory = calloc(1, whole_size);

	FUZZ_DEMAND(segment_size(directory_size, cells, shards) == whole_size && memory);
	segment_make(s, memory, directory_size, cells, shards, uuid, 1, 1);
	return memory;
}

static void lies_in(struct prodd_slice text, const unsigned char *copy)
{
	const unsigned char *at = (const unsigned char *)text.at;

	FUZZ_DEMAND(text.size == 0 || (at >= copy && at + text.size <= copy + SEGMENT_ENTRY_MAX));
}

static void look_at_family(const struct segment_read *read, const unsigned char *copy)
{
	const struct segment_family *family = &read->family;
	struct prodd_error e;

	FUZZ_DEMAND(segment_check_family(family, &e) == 0);
	lies_in(family->name, copy);
	lies_in(family->unit, copy);
	lies_in(family->help, copy);
	for (unsigned i = 0; i < family->label_count; i++)
		lies_in(family->labels[i], copy);
	FUZZ_DEMAND(segment_same(family, family) && segment_clash(family, family));
}

static void look_at_series(const struct segment_read *read, const unsigned char *copy,
			   const struct segment *s)
{
	FUZZ_DEMAND(read->entry.count > 0 && read->entry.cell + read->entry.count <= cells);
	FUZZ_DEMAND(read->entry.cell + read->entry.count == s->next_cell);
	FUZZ_DEMAND(read->entry.family < s->next_family);
	for (unsigned i = 0; i < read->entry.labels; i++)
		lies_in(read->values[i], copy);
}

/* A family that was read fits into a segment again, and comes out as it went in. */
static void write_again(const struct segment_family *family)
{
	unsigned char copy[SEGMENT_ENTRY_MAX];
	struct segment_read read;
	struct segment s, reader;
	struct prodd_error e;
	uint8_t found[16];
	unsigned char *memory = make(&s);

	FUZZ_DEMAND(segment_add_family(&s, family) == 0);
	FUZZ_DEMAND(segment_add_series(&s, 0, family, NULL) == 0);
	FUZZ_DEMAND(segment_attach(&reader, memory, whole_size, found, &e) == 0);
	FUZZ_DEMAND(segment_next(&reader, copy, &read, &e) == 1);
	FUZZ_DEMAND(segment_same(&read.family, family) && prodd_slice_equal(read.family.name, family->name));
	FUZZ_DEMAND(segment_next(&reader, copy, &read, &e) == 1 && segment_suits(&read.entry, family));
	FUZZ_DEMAND(segment_next(&reader, copy, &read, &e) == 0);
	free(memory);
}

static void walk(struct segment *s)
{
	unsigned char copy[SEGMENT_ENTRY_MAX];
	struct segment_read read;
	struct prodd_error e = { 0 };
	int r;

	while ((r = segment_next(s, copy, &read, &e)) > 0)
		if (read.entry.kind == SEGMENT_FAMILY) {
			look_at_family(&read, copy);
			write_again(&read.family);
		} else {
			look_at_series(&read, copy, s);
		}
	FUZZ_DEMAND(r == 0 || (r == -PRODD_E_CORRUPT && e.text[0]));
}

/* The input is the directory; all of it is published, as far as entries go. */
static void read_directory(const uint8_t *data, size_t size)
{
	struct segment s, reader;
	struct prodd_error e;
	uint8_t found[16];
	unsigned char *memory = make(&s);

	if (size > directory_size)
		size = directory_size;
	if (size > 0)
		memcpy(memory + s.directory_at, data, size);
	atomic_store(&s.head->used, size / 8 * 8);
	FUZZ_DEMAND(segment_attach(&reader, memory, whole_size, found, &e) == 0);
	walk(&reader);
	free(memory);
}

/* The input is the beginning of a head; in place of the mapping's size anything may be said. */
static void read_head(const uint8_t *data, size_t size)
{
	struct segment_family family = { .type = SEGMENT_COUNTER, .name = prodd_slice("x_total") };
	struct segment s, reader;
	struct prodd_error e = { 0 };
	uint8_t found[16];
	unsigned char *memory = make(&s);

	FUZZ_DEMAND(segment_add_family(&s, &family) == 0);
	if (size > sizeof(struct segment_head))
		size = sizeof(struct segment_head);
	if (size > 0)
		memcpy(memory, data, size);
	if (segment_attach(&reader, memory, whole_size, found, &e) == 0)
		walk(&reader);
	else
		FUZZ_DEMAND(e.code == PRODD_E_CORRUPT && e.text[0]);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_directory(data, size);
	read_head(data, size);
	return 0;
}
