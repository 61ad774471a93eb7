/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The making of a generation, on the disk thread: with thousands of settings
 * it takes longer than a turn of the loop may.  It reads of its candidate only
 * what stays as it is meanwhile, and keeps what it makes until the loop takes it.
 */
#ifndef PRODD_CONFIG_MAKING_H
#define PRODD_CONFIG_MAKING_H

#include "daemon/config/candidate.h"

struct making {
	const struct candidate *candidate;	/* borrowed */
	const char *cause;			/* borrowed */
	struct prodd_message answer;		/* prodd-parse's */
	struct prodd_buffer answer_bytes;	/* what `answer` borrows from */
	enum candidate_verdict verdict;
	bool unjudged;				/* as in the candidate */
	struct problems problems;
	struct prodd_buffer problem_rows;
	uint32_t problem_count;
	struct generation *generation;		/* its one reference; NULL: none was made */
	struct prodd_buffer changes;
	uint32_t change_count;
	struct prodd_error error;
};

/* Loop: begins anew. `cause` is for the generation's record. */
void making_begin(struct making *making, const struct candidate *candidate, const char *cause);

/* Loop: keeps prodd-parse's answer, or why there is none. */
void making_take_answer(struct making *making, const struct prodd_message *answer,
			const struct prodd_error *why);

/* Disk thread: the generation from that answer, or its problems. */
void making_from_answer(struct making *making);

/* Disk thread: the generation of a directive: `base` (its files and schema) with other overrides. */
void making_from_generation(struct making *making, const struct generation *base,
			    struct prodd_list overrides);

/* Disk thread: it cannot be made. */
void making_fail(struct making *making, const struct prodd_error *why);

/* Loop: the candidate gets verdict, problems and generation. */
void making_end(struct making *making, struct candidate *candidate);

/* Also of one that never began. The disk thread must not be at it. */
void making_clear(struct making *making);

#endif
