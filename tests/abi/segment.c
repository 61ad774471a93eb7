/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the layout of a segment of metrics, and a small one as hex, as in tests/abi/segment.golden. */
#include "proto/shm/segment.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/families.h"

static void print_layout(void)
{
	puts("# SPDX-License-Identifier: Apache-2.0");
	printf("magic %llx version %u\n", (unsigned long long)SEGMENT_MAGIC, SEGMENT_VERSION);
#define HEAD(name) \
	printf("head %s at %zu size %zu\n", #name, offsetof(struct segment_head, name), \
	       sizeof(((struct segment_head *)0)->name))
	HEAD(magic);
	HEAD(version);
	HEAD(head_size);
	HEAD(directory_at);
	HEAD(directory_size);
	HEAD(cells_at);
	HEAD(cells);
	HEAD(shards);
	HEAD(uuid);
	HEAD(pid);
	HEAD(made_ns);
	HEAD(used);
	HEAD(refused);
	HEAD(not_a_number);
	HEAD(closed);
#undef HEAD
#define ENTRY(name) \
	printf("entry %s at %zu size %zu\n", #name, offsetof(struct segment_entry, name), \
	       sizeof(((struct segment_entry *)0)->name))
	ENTRY(size);
	ENTRY(kind);
	ENTRY(type);
	ENTRY(mode);
	ENTRY(labels);
	ENTRY(family);
	ENTRY(cell);
	ENTRY(count);
	ENTRY(reserved);
#undef ENTRY
}

static void print_numbers(void)
{
#define NUMBER(name) printf("%s %u\n", #name, (unsigned)(name))
	NUMBER(SEGMENT_HEAD);
	NUMBER(SEGMENT_ENTRY_MAX);
	NUMBER(SEGMENT_SIZE_MAX);
	NUMBER(SEGMENT_SHARDS_MAX);
	NUMBER(SEGMENT_NAME_MAX);
	NUMBER(SEGMENT_HELP_MAX);
	NUMBER(SEGMENT_UNIT_MAX);
	NUMBER(SEGMENT_LABELS_MAX);
	NUMBER(SEGMENT_LABEL_VALUE_MAX);
	NUMBER(SEGMENT_BUCKETS_MAX);
	NUMBER(SEGMENT_FAMILY);
	NUMBER(SEGMENT_SERIES);
	NUMBER(SEGMENT_COUNTER);
	NUMBER(SEGMENT_GAUGE);
	NUMBER(SEGMENT_HISTOGRAM);
	NUMBER(SEGMENT_LAST);
	NUMBER(SEGMENT_SUM);
	NUMBER(SEGMENT_MIN);
	NUMBER(SEGMENT_MAX);
	NUMBER(SEGMENT_EACH);
#undef NUMBER
}

static bool is_blank(const unsigned char *bytes)
{
	for (int i = 0; i < 16; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Lines of zeros alone are left out. */
static void print_hex(const unsigned char *bytes, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += 16) {
		if (is_blank(bytes + at))
			continue;
		printf("%05llx ", (unsigned long long)at);
		for (int i = 0; i < 16; i++)
			printf(" %02x", bytes[at + (uint64_t)i]);
		putchar('\n');
	}
}

static void print_small(void)
{
	static const struct prodd_slice values[] = { { "GET", 3 }, { "200", 3 } };
	static const uint8_t uuid[16] = "0123456789abcdef";
	struct segment_family families[] = { requests(), seconds(), depth() };
	uint64_t size = segment_size(4096, 512, 2);
	unsigned char *memory = calloc(1, size);
	struct segment s;

	if (!memory)
		exit(99);
	segment_make(&s, memory, 4096, 512, 2, uuid, 4711, UINT64_C(1700000000000000000));
	for (uint32_t i = 0; i < 3; i++) {
		segment_add_family(&s, &families[i]);
		if (i == 0)
			segment_add_series(&s, i, &families[i], values);
		segment_add_series(&s, i, &families[i], NULL);
	}
	for (uint32_t i = 0; i < s.next_cell; i++)
		atomic_store(segment_cell(&s, i), i + 1);
	atomic_store(segment_cell(&s, 0) + s.cells, 255);
	printf("size %llu\n", (unsigned long long)size);
	print_hex(memory, size);
	free(memory);
}

int main(void)
{
	print_layout();
	print_numbers();
	print_small();
	return 0;
}
