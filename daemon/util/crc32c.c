/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight bytes at a time: by the instruction of SSE 4.2 or of ARMv8, chosen when
 * the program runs; else by eight tables ("slicing-by-8", Kounavis and Berry,
 * A Systematic Approach to Building High Performance Software-based CRC
 * Generators, 2005).
 */
#include "daemon/util/crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined __x86_64__
#define INSTRUCTION __attribute__((target("sse4.2")))
#define step_8(crc, word) __builtin_ia32_crc32di(crc, word)
#define step_1(crc, byte) __builtin_ia32_crc32qi((uint32_t)(crc), byte)
#elif defined __aarch64__ && !defined __clang__
#include <arm_acle.h>
#include <sys/auxv.h>
#define INSTRUCTION __attribute__((target("+crc")))
#define step_8(crc, word) __crc32cd((uint32_t)(crc), word)
#define step_1(crc, byte) __crc32cb((uint32_t)(crc), byte)
#endif

enum { reflected = (int)0x82f63b78 };

static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? (uint32_t)reflected : 0);
		tables[0][i] = crc;
	}
	for (int t = 1; t < 8; t++)
		for (uint32_t i = 0; i < 256; i++)
			tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 255];
}

static uint64_t little_64(const unsigned char *at)
{
	uint64_t word = 0;

	for (int i = 7; i >= 0; i--)
		word = word << 8 | at[i];
	return word;
}

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	pthread_once(&tables_once, make_tables);
	crc = ~crc;
	for (; size >= 8; size -= 8, at += 8) {
		uint64_t word = little_64(at) ^ crc;

		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= tables[7 - i][word >> 8 * i & 255];
	}
	for (; size > 0; size--, at++)
		crc = crc >> 8 ^ tables[0][(crc ^ *at) & 255];
	return ~crc;
}

#ifdef INSTRUCTION

#if defined __x86_64__
bool crc32c_has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
bool crc32c_has_instruction(void)
{
	return getauxval(AT_HWCAP) & 1 << 7;	/* HWCAP_CRC32 */
}
#endif

INSTRUCTION uint32_t crc32c_by_instruction(uint32_t crc, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint64_t state = (uint32_t)~crc;

	for (; size >= 8; size -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, sizeof word);
		state = step_8(state, word);
	}
	for (; size > 0; size--, at++)
		state = step_1(state, *at);
	return ~(uint32_t)state;
}

#else

bool crc32c_has_instruction(void)
{
	return false;
}

uint32_t crc32c_by_instruction(uint32_t crc, const void *bytes, size_t size)
{
	return crc32c_by_table(crc, bytes, size);
}

#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
	return crc32c_has_instruction() ? crc32c_by_instruction(crc, bytes, size)
					: crc32c_by_table(crc, bytes, size);
}
