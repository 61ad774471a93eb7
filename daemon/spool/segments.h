/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The segments in an app's directory, in the order of their ids.  The id in the
 * head counts, whatever the file is called, since files are copied and renamed
 * by hand; only one whose head is damaged is placed by its name.
 */
#ifndef PRODD_SPOOL_SEGMENTS_H
#define PRODD_SPOOL_SEGMENTS_H

#include "daemon/spool/format.h"

#define SPOOL_NAME_SIZE 24		/* "%016x.seg" with the final NUL, and a bit */
#define SPOOL_SEGMENTS_MAX 8192u	/* in one directory: 64 GiB of full ones */

enum spool_state {
	SPOOL_GOOD,
	SPOOL_DAMAGED,	/* no head is intact; only id, name and size are known */
	SPOOL_NEWER,	/* of a newer version: never touched */
};

struct spool_segment {
	char name[SPOOL_NAME_SIZE];
	enum spool_state state;
	struct spool_head head;	/* when it is not good: only the id, taken from the name */
	uint64_t size;		/* bytes of the file */
	uint64_t limit;		/* records from this number on are superseded; UINT64_MAX: none */
};

struct spool_segments {
	struct spool_segment *at;	/* owned */
	unsigned count;
	unsigned capacity;
};

void spool_segment_name(uint64_t id, char name[SPOOL_NAME_SIZE]);

/* Reads the directory; heads of files that *list has already are not read again. -PRODD_E_IO,
 * -PRODD_E_NO_MEMORY, -PRODD_E_TOO_LARGE: the list is as it was. */
int spool_segments_read(struct spool_segments *list, int directory, struct prodd_error *e);
void spool_segments_clear(struct spool_segments *list);

/* Below 0, 0, above: by id; of copies the one with the name of its id comes last, since that is the one being
 * written. */
int spool_segment_order(const struct spool_segment *a, const struct spool_segment *b);

/* Room for one more at the end. False: no memory. */
bool spool_segments_reserve(struct spool_segments *list);

#endif
