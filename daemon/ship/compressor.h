/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to compress a rotated file.  To add one: a file with a struct
 * compressor, a line in compressor.c.
 *
 * A compressed file has a note in front, which readers of its format skip, so
 * that what its last line was can be said without reading it all.
 */
#ifndef PRODD_SHIP_COMPRESSOR_H
#define PRODD_SHIP_COMPRESSOR_H

#include <stdatomic.h>

#include "proto/slice.h"
#include <prodd/error.h>

#define COMPRESSOR_NOTE_MAX 128	/* bytes with the final NUL */

struct compressor {
	const char *name;	/* "gzip": the word in prodd.conf */
	const char *suffix;	/* ".gz" */
	/* Compresses `from`, to its end, into `to`. Given up with -PRODD_E_CLOSED when *ending becomes
	 * true. */
	int (*compress)(int from, int to, const char *note, const atomic_bool *ending, struct prodd_error *e);
	/* Reads the note of a file; false: it has none. */
	bool (*note)(int fd, char ret[COMPRESSOR_NOTE_MAX]);
};

extern const struct compressor compressor_gzip;
extern const struct compressor compressor_zstd;

/* "none" and "" give NULL. -PRODD_E_INVALID: unknown, or this build has it not. */
int compressor_find(struct prodd_slice name, const struct compressor **ret, struct prodd_error *e);

/* That of a file's name; NULL: none. */
const struct compressor *compressor_of_file(struct prodd_slice name);

/* Writes all. -PRODD_E_IO. */
int compressor_write(int fd, const void *bytes, size_t size, struct prodd_error *e);

#endif
