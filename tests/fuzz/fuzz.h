/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target is a .c file with LLVMFuzzerTestOneInput.  With
 * --enable-fuzzers it is linked with libFuzzer; without, with replay.c, whose
 * main feeds it its corpus tests/fuzz/corpus/TARGET/ (hex text, tests/hex.h) and a few seeded
 * mutations of each entry, in `make check`.
 */
#ifndef PRODD_TESTS_FUZZ_H
#define PRODD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes to try; must return 0. Called many times in one process, so that it must leave nothing behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Mutations that replay tries of each entry; a target whose runs are slow may define its own number. */
extern unsigned fuzz_mutations;

/* Ends the program when a property does not hold; also without assert. */
#define FUZZ_DEMAND(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif
