/* SPDX-License-Identifier: Apache-2.0 */
/* The ring with one thread at both ends: its edges, its damages, and a consumer that dies at each store of a release. */
#include "proto/shm/ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/suite.h"

enum { capacity = RING_CAPACITY_MIN, longest = capacity / 8 };

static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static unsigned char *memory;
static struct ring ring;		/* the producer's */
static struct ring reader;		/* the consumer's */
static struct ring_reading reading;
static unsigned char copy[longest];

static void set_up(void)
{
	struct ring_identity identity;
	const char *why = "";

	memory = mmap(NULL, RING_HEAD + capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(memory != MAP_FAILED);
	ring_make(&ring, memory, capacity, uuid, 4711, 99);
	ck_assert(ring_open(&reader, memory, RING_HEAD + capacity, &identity, &why));
	ck_assert_ptr_null(why);
	ck_assert(memcmp(identity.uuid, uuid, 16) == 0 && identity.pid == 4711 && identity.made_ns == 99);
	ck_assert(ring_attach(&reader, 0, &reading));
	ck_assert(reading.at == 0);
}

static void tear_down(void)
{
	munmap(memory, RING_HEAD + capacity);
}

static _Atomic uint64_t *word(uint64_t position)
{
	return (_Atomic uint64_t *)(void *)(ring.slots + position % capacity);
}

/* Bytes that tell one record from another and their ends from their middle. */
static unsigned char byte_of(unsigned number, uint32_t i)
{
	return (unsigned char)(number * 37 + i * 11 + 1);
}

static bool put(unsigned number, uint32_t length)
{
	uint64_t position;
	unsigned char *at = ring_reserve(&ring, length, &position);

	if (!at)
		return false;
	for (uint32_t i = 0; i < length; i++)
		at[i] = byte_of(number, i);
	ring_publish(&ring, position, length);
	return true;
}

static enum ring_found take(bool dead, uint32_t *length, uint64_t *skipped)
{
	uint64_t end = 0;
	enum ring_found found = ring_next(&reader, &reading, copy, sizeof copy, length, &end, dead, skipped);

	ck_assert(found != RING_FOUND_RECORD || end == reading.at);
	return found;
}

static void takes(unsigned number, uint32_t length)
{
	uint32_t got = 0;
	uint64_t skipped = 0;

	ck_assert_int_eq(take(false, &got, &skipped), RING_FOUND_RECORD);
	ck_assert_uint_eq(got, length);
	for (uint32_t i = 0; i < length; i++)
		if (copy[i] != byte_of(number, i))
			ck_abort_msg("record %u: byte %u is damaged", number, i);
	ck_assert_uint_eq(skipped, 0);
}

static void finds(enum ring_found found)
{
	uint32_t length;
	uint64_t skipped = 0;

	ck_assert_int_eq(take(false, &length, &skipped), found);
}

static bool is_zero(uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		if (ring.slots[from % capacity])
			return false;
	return true;
}

/* ---- in order */

START_TEST(records_come_out_as_they_went_in)
{
	finds(RING_FOUND_NONE);
	for (uint32_t length = 1; length <= 40; length++)
		ck_assert(put(length, length));
	for (uint32_t length = 1; length <= 40; length++)
		takes(length, length);
	finds(RING_FOUND_NONE);
	ck_assert(ring_fill(&ring) == reading.at);
	ring_release(&reader, reading.at);
	ck_assert(ring_fill(&ring) == 0 && is_zero(0, capacity));
}
END_TEST

/* Every length beside every place of the end: many times around with a step that has no common divisor. */
START_TEST(it_goes_around_with_padding_at_every_place)
{
	struct dice d = dice_start("it_goes_around_with_padding_at_every_place");
	unsigned in = 0, out = 0;
	uint32_t lengths[4096];

	while (in < 40000) {
		uint32_t length = 1 + dice_below(&d, dice_below(&d, 8) ? 200 : longest);

		if (put(in, length)) {
			lengths[in++ % 4096] = length;
			continue;
		}
		while (out < in) {
			takes(out, lengths[out % 4096]);
			out++;
		}
		finds(RING_FOUND_NONE);
		ring_release(&reader, reading.at);
		ck_assert(is_zero(0, capacity));
	}
	ck_assert(reading.at > 40u * capacity);
}
END_TEST

START_TEST(padding_may_be_of_one_word)
{
	unsigned count = 0;

	while (count < capacity / 32 - 1)
		ck_assert(put(count++, 24));
	ck_assert(put(count++, 16));
	ck_assert(ring_fill(&ring) == capacity - 8);
	for (unsigned i = 0; i < count; i++)
		takes(i, i + 1 == count ? 16 : 24);
	ring_release(&reader, reading.at);
	ck_assert(put(count, 8));
	ck_assert(*word(capacity - 8) == ring_word(RING_KIND_PADDING, 0));
	takes(count, 8);
	ck_assert(reading.at == capacity + 16);
}
END_TEST

START_TEST(a_record_fits_to_the_last_byte)
{
	unsigned count = 0;

	while (put(count, 24))		/* 32 with its word: capacity / 32 of them */
		count++;
	ck_assert_uint_eq(count, capacity / 32);
	ck_assert(ring_fill(&ring) == capacity);
	for (unsigned i = 0; i < count; i++)
		takes(i, 24);
	finds(RING_FOUND_NONE);
	ck_assert(!put(count, 1));
	ring_release(&reader, 32);
	ck_assert(!put(count, 25));
	ck_assert(put(count, 24));
	takes(count, 24);
}
END_TEST

START_TEST(too_large_and_empty_are_refused)
{
	uint64_t position = 7;

	ck_assert_ptr_null(ring_reserve(&ring, 0, &position));
	ck_assert_ptr_null(ring_reserve(&ring, longest + 1, &position));
	ck_assert(position == 7 && ring_fill(&ring) == 0);
	ck_assert(put(1, longest));
	takes(1, longest);
	ck_assert_uint_eq(RING_RECORD_MAX(RING_CAPACITY_MAX), RECORD_MAX);
}
END_TEST

START_TEST(drops_are_counted_by_reason)
{
	ring_drop(&ring, RING_DROP_FULL, 2);
	ring_drop(&ring, RING_DROP_BLOCKED, 1);
	ring_drop(&ring, RING_DROP_FULL, 3);
	ck_assert_uint_eq(ring.head->dropped[RING_DROP_FULL], 5);
	ck_assert_uint_eq(ring.head->dropped[RING_DROP_TOO_LARGE], 0);
	ck_assert_uint_eq(ring.head->dropped[RING_DROP_BLOCKED], 1);
}
END_TEST

/* ---- sleep */

START_TEST(the_first_to_publish_wakes_the_sleeper)
{
	uint64_t position, second;

	ck_assert(ring_reserve(&ring, 8, &position));
	ck_assert(ring_reserve(&ring, 8, &second));
	ck_assert(!ring_publish(&ring, position, 8));		/* it is awake */
	ck_assert(!ring_sleep(&reader, &reading));
	ck_assert_uint_eq(ring.head->asleep, 0);
	finds(RING_FOUND_RECORD);
	finds(RING_FOUND_UNPUBLISHED);
	ck_assert(ring_sleep(&reader, &reading));
	ck_assert(ring_publish(&ring, second, 8));
	ck_assert(ring_reserve(&ring, 8, &position));
	ck_assert(!ring_publish(&ring, position, 8));
}
END_TEST

/* Full to the last byte, read and not released: the word where it stands is that of a record read already. */
START_TEST(a_ring_read_but_not_released_lets_its_reader_sleep)
{
	while (put(1, 24))
		;
	for (unsigned i = 0; i < capacity / 32; i++)
		takes(1, 24);
	ck_assert(reading.at == capacity && *word(reading.at) != 0);
	ck_assert(ring_sleep(&reader, &reading));
}
END_TEST

/* ---- producers that died */

START_TEST(an_unpublished_slot_blocks_until_its_producers_are_dead)
{
	uint64_t position, skipped = 0;
	uint32_t length;

	ck_assert(put(1, 8));
	ck_assert(ring_reserve(&ring, 100, &position));
	ck_assert(put(2, 8));
	takes(1, 8);
	finds(RING_FOUND_UNPUBLISHED);
	finds(RING_FOUND_UNPUBLISHED);
	ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_RECORD);
	ck_assert(skipped == 1 && copy[0] == byte_of(2, 0));
	ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_NONE);
	ck_assert(skipped == 1 && reading.at == ring_fill(&ring));
}
END_TEST

START_TEST(a_slot_of_zeroes_is_passed_to_the_next_word)
{
	uint64_t skipped = 0;
	uint32_t length;

	ck_assert(put(1, 8));
	ring.head->tail += 64;		/* who reserved this died before it said so */
	ck_assert(put(2, 8));
	takes(1, 8);
	finds(RING_FOUND_UNPUBLISHED);
	ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_RECORD);
	ck_assert(skipped == 1 && copy[0] == byte_of(2, 0));
	ring.head->tail += 800;		/* the last one of all */
	ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_NONE);
	ck_assert(skipped == 2 && reading.at == ring.head->tail);
}
END_TEST

/* It died between the two words that it stores at the end of the slots, in either order. */
START_TEST(a_death_in_the_padding_is_passed)
{
	uint64_t position, start, skipped = 0;
	uint32_t length;

	while (capacity - ring_fill(&ring) > 64)
		ck_assert(put(1, 8));
	while (reading.at < ring_fill(&ring))
		takes(1, 8);
	ring_release(&reader, reading.at);
	start = reading.at;
	ck_assert(ring_reserve(&ring, 100, &position) && position == capacity);
	ck_assert(put(2, 8));
	*word(start) = 0;
	ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_RECORD);
	ck_assert(copy[0] == byte_of(2, 0) && skipped == 2);

	reading.at = start;
	*word(start) = ring_word(RING_KIND_PADDING, 64 - 8);
	*word(capacity) = 0;
	skipped = 0;
	ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_RECORD);
	ck_assert(copy[0] == byte_of(2, 0) && skipped == 1);
}
END_TEST

/* ---- release, and a consumer that dies in it */

static bool reattach(uint64_t high_water)
{
	struct ring_identity identity;

	return ring_open(&reader, memory, RING_HEAD + capacity, &identity, NULL) &&
	       ring_attach(&reader, high_water, &reading);
}

/* The state after each store of ring_release(): reclaim, so many bytes of zeroes, head. */
START_TEST(a_release_is_completed_from_every_point)
{
	for (unsigned zeroed = 0; zeroed <= 4 * 32; zeroed++) {
		uint64_t from, to;

		ck_assert(reattach(0));
		ck_assert(ring_fill(&ring) == 0);
		from = reading.at;
		for (unsigned i = 0; i < 4; i++)
			ck_assert(put(i, 20));
		to = ring.head->tail;
		ck_assert(put(9, 20));
		ring.head->reclaim = to;
		for (unsigned i = 0; i < zeroed && from + i < to; i++)
			ring.slots[(from + i) % capacity] = 0;
		ck_assert(reattach(0));
		ck_assert(reading.at == to && ring.head->head == to && is_zero(from, to));
		takes(9, 20);
		ring_release(&reader, reading.at);
	}
}
END_TEST

START_TEST(before_the_release_the_high_water_counts)
{
	uint64_t second;

	ck_assert(put(1, 8) && put(2, 8) && put(3, 8));
	takes(1, 8);
	takes(2, 8);
	second = reading.at;
	ck_assert(reattach(second));
	ck_assert(reading.at == second);
	takes(3, 8);
	ring_release(&reader, reading.at);
	ck_assert(is_zero(0, capacity));
	ck_assert(reattach(second));		/* an old one */
	ck_assert(reading.at == ring.head->tail);
	ck_assert(!reattach(ring.head->tail + 8));
}
END_TEST

START_TEST(a_cold_release_gives_pages_back)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned char resident[capacity / 4096];

	for (unsigned round = 0; round < 5; round++) {
		unsigned count = 0;

		while (put(count, 1000))
			count++;
		while (reading.at < ring.head->tail)
			finds(count-- ? RING_FOUND_RECORD : RING_FOUND_NONE);
		ring_release_cold(&reader, reading.at, page);
		ck_assert(ring_fill(&ring) == 0);
		ck_assert_int_eq(mincore(ring.slots, capacity, resident), 0);
		if (page == 4096)
			for (size_t i = 0; i < sizeof resident; i++)
				ck_assert(!(resident[i] & 1) || i == reading.at % capacity / 4096 || i == 0 ||
					  i + 1 == sizeof resident);
		ck_assert(is_zero(0, capacity));
	}
}
END_TEST

/* ---- words of a hostile producer */

START_TEST(a_damaged_word_is_told)
{
	static const uint64_t words[] = {
		1, RING_RESERVED, RING_RESERVED | 1, UINT64_MAX, UINT64_MAX - 7,
		(uint64_t)3 << 32 | 8, (uint64_t)RING_KIND_RECORD << 32, (uint64_t)RING_KIND_RECORD << 32 | (longest + 1),
		(uint64_t)RING_KIND_RECORD << 32 | UINT32_MAX, (uint64_t)RING_KIND_RECORD << 32 | 9,
		(uint64_t)RING_KIND_PADDING << 32, (uint64_t)RING_KIND_PADDING << 32 | 8,
		(uint64_t)RING_KIND_PADDING << 32 | (capacity - 8), RING_RESERVED | (uint64_t)RING_KIND_PADDING << 32 | 8,
	};

	ck_assert(put(1, 8));
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		uint64_t skipped = 0;
		uint32_t length;

		*word(0) = words[i];
		reading.at = 0;
		ck_assert_int_eq(take(false, &length, &skipped), RING_FOUND_DAMAGED);
		ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_DAMAGED);
		ck_assert(reading.at == 0);
		ck_assert(!ring_sleep(&reader, &reading) || words[i] & RING_RESERVED);
	}
}
END_TEST

START_TEST(damaged_positions_are_told)
{
	static const uint64_t tails[] = { 1, 8, 32 + capacity + 8, UINT64_MAX, UINT64_MAX - 7, 31 };
	uint32_t length;
	uint64_t skipped = 0;

	ck_assert(put(1, 24) && put(2, 24));
	takes(1, 24);
	ring_release(&reader, reading.at);
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		ring.head->tail = tails[i];
		ck_assert_int_eq(take(true, &length, &skipped), RING_FOUND_DAMAGED);
		ck_assert(ring_fill(&ring) <= capacity);
		ck_assert(!reattach(0) || tails[i] == 0);
		ring.head->tail = 64;
		ck_assert(reattach(0));
	}
	ring.head->head = 72;
	ck_assert(!reattach(0));
	ck_assert(!put(3, 8));		/* to the producer it is a full ring */
	ring.head->head = 4;
	ck_assert(!reattach(0));
	ring.head->head = 32;
	ring.head->reclaim = 72;
	ck_assert(!reattach(0));
}
END_TEST

START_TEST(a_head_of_another_kind_is_refused)
{
	struct ring_identity identity;
	struct ring_head good = *ring.head;
	const uint64_t size = RING_HEAD + capacity;
	const char *why;

	ck_assert(!ring_open(&reader, memory, size - 1, &identity, &why) && !strcmp(why, "size"));
	ck_assert(!ring_open(&reader, memory, 0, &identity, &why) && !strcmp(why, "size"));
	ck_assert(!ring_open(&reader, memory, size + 4096, &identity, &why) && !strcmp(why, "size"));
	ck_assert(!ring_open(&reader, memory, RING_HEAD + 2 * capacity, &identity, &why) && !strcmp(why, "capacity"));
	ring.head->magic++;
	ck_assert(!ring_open(&reader, memory, size, &identity, &why) && !strcmp(why, "magic"));
	ring.head->magic = good.magic;
	ring.head->version = 2;
	ck_assert(!ring_open(&reader, memory, size, &identity, &why) && !strcmp(why, "version"));
	ring.head->version = good.version;
	ring.head->head_size = 8;
	ck_assert(!ring_open(&reader, memory, size, &identity, NULL));
}
END_TEST

START_TEST(a_record_over_the_readers_buffer_is_damage)
{
	uint32_t length;
	uint64_t end, skipped = 0;

	ck_assert(put(1, 100));
	ck_assert_int_eq(ring_next(&reader, &reading, copy, 99, &length, &end, false, &skipped), RING_FOUND_DAMAGED);
	ck_assert_int_eq(ring_next(&reader, &reading, copy, 100, &length, &end, false, &skipped), RING_FOUND_RECORD);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ring");
	TCase *t = tcase_create("ring");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, records_come_out_as_they_went_in);
	tcase_add_test(t, it_goes_around_with_padding_at_every_place);
	tcase_add_test(t, padding_may_be_of_one_word);
	tcase_add_test(t, a_record_fits_to_the_last_byte);
	tcase_add_test(t, too_large_and_empty_are_refused);
	tcase_add_test(t, drops_are_counted_by_reason);
	tcase_add_test(t, the_first_to_publish_wakes_the_sleeper);
	tcase_add_test(t, a_ring_read_but_not_released_lets_its_reader_sleep);
	tcase_add_test(t, an_unpublished_slot_blocks_until_its_producers_are_dead);
	tcase_add_test(t, a_slot_of_zeroes_is_passed_to_the_next_word);
	tcase_add_test(t, a_death_in_the_padding_is_passed);
	tcase_add_test(t, a_release_is_completed_from_every_point);
	tcase_add_test(t, before_the_release_the_high_water_counts);
	if (!suite_is_emulated())
		tcase_add_test(t, a_cold_release_gives_pages_back);
	tcase_add_test(t, a_damaged_word_is_told);
	tcase_add_test(t, damaged_positions_are_told);
	tcase_add_test(t, a_head_of_another_kind_is_refused);
	tcase_add_test(t, a_record_over_the_readers_buffer_is_damage);
	suite_add_tcase(s, t);
	return suite_run(s);
}
