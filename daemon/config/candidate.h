/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scope's part in a transaction: its files as they were read, what
 * prodd-parse made of them, and the generation that may go live.
 */
#ifndef PRODD_CONFIG_CANDIDATE_H
#define PRODD_CONFIG_CANDIDATE_H

#include "daemon/config/app.h"
#include "daemon/layers/layers.h"

struct voter;

enum candidate_verdict {
	CANDIDATE_OPEN,			/* not known yet */
	CANDIDATE_UNCHANGED,		/* the files are those of the live generation */
	CANDIDATE_KNOWN_BAD,		/* they were rejected before, and nobody asked for them by command */
	CANDIDATE_NO_FILES,
	CANDIDATE_INVALID,
	CANDIDATE_SAME,			/* other bytes, same settings: a new origin of the live generation */
	CANDIDATE_CHANGED,
};

struct candidate {
	struct transaction *transaction;	/* borrowed */
	struct scope *scope;			/* borrowed */
	uint64_t txn;				/* number of the transaction */
	enum candidate_verdict verdict;
	bool unjudged;				/* INVALID, but prodd-parse failed: try the same again */
	struct layers layers;			/* filled on the disk thread */
	int read_result;			/* of layers_read_stable() */
	struct prodd_error error;		/* of reading, parsing or making */
	char sources[40];			/* hash of the files and the schema from code */
	bool trial;				/* with the schema from code that is tried */
	struct prodd_buffer declared;		/* that schema, LIST of schema_key */
	uint32_t declared_count;
	struct prodd_buffer problem_rows;	/* LIST of problem: what the report says */
	uint32_t problem_count;
	struct generation *before;		/* shared: live when the transaction began; NULL: none */
	struct generation *generation;		/* shared: the candidate; NULL until made */
	struct prodd_buffer changes;		/* LIST of change */
	uint32_t change_count;
	TAILQ_HEAD(, voter) voters;
	TAILQ_ENTRY(candidate) link;
};

/* NULL: no memory. */
struct candidate *candidate_new(struct transaction *transaction, struct scope *scope);
struct candidate *candidate_free(struct candidate *candidate);	/* NULL is allowed; returns NULL */

/* Forgets what was read and made, to begin anew. */
void candidate_reset(struct candidate *candidate);

/* Disk thread: reads the files, twice. */
void candidate_read(struct candidate *candidate);

/* The hash of a source set: files, and the schema from code (encoded). `ret` has room for 33 bytes. */
void candidate_hash_sources(const struct layers *layers, struct prodd_slice declared, char *ret);

/* Loop: what the bytes alone tell. `asked`: by a command, so that files once rejected are tried again. */
void candidate_compare(struct candidate *candidate, bool asked);

/* Does it hold a file that is not the same in the live generation, and has that real path? */
bool candidate_changed_file(const struct candidate *candidate, struct prodd_slice real);

/* The request to prodd-parse, one whole frame. */
int candidate_request(const struct candidate *candidate, struct prodd_buffer *ret, struct prodd_error *e);

#endif
