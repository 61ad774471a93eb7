/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the layouts of ring and record, and one of each byte by byte: what two versions on one host must agree on. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/shm/ring.h"

static void print_numbers(void)
{
#define NUMBER(name) printf("number %s %#llx\n", #name, (unsigned long long)(name))
	NUMBER(RING_MAGIC);
	NUMBER(RING_VERSION);
	NUMBER(RING_HEAD);
	NUMBER(RING_CAPACITY_MIN);
	NUMBER(RING_CAPACITY_MAX);
	NUMBER(RING_ALIGN);
	NUMBER(RING_RESERVED);
	NUMBER(RING_KIND_SHIFT);
	NUMBER(RING_KIND_RECORD);
	NUMBER(RING_KIND_PADDING);
	NUMBER(RING_DROP_FULL);
	NUMBER(RING_DROP_TOO_LARGE);
	NUMBER(RING_DROP_BLOCKED);
	NUMBER(RING_DROP_REASONS);
	NUMBER(RECORD_MAX);
	NUMBER(RECORD_FIELDS_MAX);
	NUMBER(RECORD_KEY_MAX);
	NUMBER(RECORD_NAME_MAX);
#undef NUMBER
	for (unsigned level = RECORD_TRACE; level <= RECORD_OFF; level++)
		printf("level %u %s\n", level, record_level_word(level));
}

static void print_head(void)
{
#define MEMBER(name) \
	printf("ring_head.%s at %zu size %zu\n", #name, offsetof(struct ring_head, name), \
	       sizeof((struct ring_head *)NULL)->name)
	MEMBER(magic);
	MEMBER(version);
	MEMBER(head_size);
	MEMBER(capacity);
	MEMBER(uuid);
	MEMBER(pid);
	MEMBER(made_ns);
	MEMBER(tail);
	MEMBER(dropped);
	MEMBER(closed);
	MEMBER(head);
	MEMBER(reclaim);
	MEMBER(counted);
	MEMBER(asleep);
#undef MEMBER
	printf("ring_head size %zu\n", sizeof(struct ring_head));
}

/* Lines of 16 bytes that are not all zero, lowest byte first. */
static void print_bytes(const char *what, const unsigned char *bytes, size_t size)
{
	for (size_t at = 0; at < size; at += 16) {
		size_t end = at + 16 < size ? at + 16 : size;
		bool any = false;

		for (size_t i = at; i < end; i++)
			any = any || bytes[i];
		if (!any)
			continue;
		printf("%s %06zx ", what, at);
		for (size_t i = at; i < end; i++)
			printf(" %02x", bytes[i]);
		putchar('\n');
	}
}

static void pack_example(struct prodd_buffer *b)
{
	prodd_pack_array(b, 12);
	prodd_pack_uint(b, UINT64_C(1795000000123456789));
	prodd_pack_uint(b, RECORD_INFO);
	prodd_pack_str(b, prodd_slice("main"));
	prodd_pack_str(b, prodd_slice("order served"));
	prodd_pack_str(b, prodd_slice("worker-3"));
	prodd_pack_str(b, prodd_slice("orders.c:88"));
	prodd_pack_bin(b, (struct prodd_slice){ "0123456789abcdef", 16 });
	prodd_pack_nil(b);
	prodd_pack_str(b, prodd_slice("order_id"));
	prodd_pack_int(b, 42);
	prodd_pack_str(b, prodd_slice("customer"));
	prodd_pack_nil(b);
}

/* One record published; one reserved at the end, behind padding; one published again; 40 bytes released. */
static void print_ring(struct prodd_slice record)
{
	static const uint8_t uuid[16] = "a uuid of a ring";
	void *memory = aligned_alloc(4096, RING_HEAD + RING_CAPACITY_MIN);
	struct ring_identity identity;
	struct ring ring, reader;
	struct ring_reading reading;
	uint64_t position;

	if (!memory)
		exit(99);
	memset(memory, 0, RING_HEAD + RING_CAPACITY_MIN);
	ring_make(&ring, memory, RING_CAPACITY_MIN, uuid, 4711, UINT64_C(1795000000000000000));
	if (!ring_open(&reader, memory, RING_HEAD + RING_CAPACITY_MIN, &identity, NULL) ||
	    !ring_attach(&reader, 0, &reading))
		exit(99);
	for (unsigned i = 0; i < RING_CAPACITY_MIN / 1024; i++)
		ring_publish(&ring, (ring_reserve(&ring, 1000, &position), position), 1000);
	ring_release(&reader, position + 1008);
	memcpy(ring_reserve(&ring, (uint32_t)record.size, &position), record.at, record.size);
	ring_publish(&ring, position, (uint32_t)record.size);
	ring_reserve(&ring, 2000, &position);
	ring_sleep(&reader, &reading);
	ring_drop(&ring, RING_DROP_BLOCKED, 3);
	print_bytes("ring", memory, RING_HEAD + RING_CAPACITY_MIN);
	free(memory);
}

int main(void)
{
	prodd_auto_buffer record = { 0 };
	prodd_auto_buffer origin = { 0 };

	puts("# SPDX-License-Identifier: Apache-2.0");
	print_numbers();
	print_head();
	pack_example(&record);
	print_bytes("record", (const unsigned char *)record.at, record.size);
	origin_pack(&origin, &(struct origin){ prodd_slice("8080"), 4711, 1000, { "a uuid of a ring", 16 }, 128,
					       prodd_slice("SIGKILL") });
	print_bytes("origin", (const unsigned char *)origin.at, origin.size);
	print_ring(prodd_buffer_slice(&record));
	return fflush(stdout) != 0 || ferror(stdout);
}
