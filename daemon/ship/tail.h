/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a file of lines, as whoever wrote it before left it: which line
 * is the last whole one, and what behind it is to be cut.
 */
#ifndef PRODD_SHIP_TAIL_H
#define PRODD_SHIP_TAIL_H

#include "proto/shm/digits.h"
#include "proto/shm/line.h"
#include <prodd/error.h>

struct tail {
	uint64_t number;		/* seq of the last whole line; 0: there is none */
	uint64_t check;			/* of the last line whose seq is at most `last`; 0: there is none */
	char check_time[DIGITS_TIME];	/* and its time */
	uint64_t end;			/* bytes of the file that are whole: what is behind is torn */
	bool damaged;			/* zeros stand before the last line, and were not cut */
	uint64_t before;		/* then: of the last line before them; 0: there is none */
};

/* What is looked for. */
struct tail_wish {
	enum line_format format;
	uint64_t cursor;		/* the last number that is known to be synced; 0: not known */
	uint64_t last;			/* see tail.check */
	/* also lines behind damage are worth nothing: whoever asks has them */
	bool cut;
};

/*
 * Reads the end of a file of `size` bytes, as far back as the line of the cursor: what is behind that may
 * have suffered when the host went down, and can be written again. Whole lines of somebody else are left
 * alone. -PRODD_E_IO, -PRODD_E_NO_MEMORY.
 */
int tail_read(int fd, uint64_t size, const struct tail_wish *wish, struct tail *ret, struct prodd_error *e);

#endif
