/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot: one generation as this instance uses it.  Built from what the
 * daemon served, with this instance's overlay laid over it and, in a running
 * instance, the values kept that need a restart.  Immutable from then on.
 */
#ifndef PRODD_CLIENT_SNAPSHOT_H
#define PRODD_CLIENT_SNAPSHOT_H

#include <prodd/config.h>

#include "client/current.h"
#include "client/messages.h"
#include "client/value.h"
#include "proto/wire.h"

struct prodd_entry {
	const char *name;
	uint32_t hash;			/* of the name */
	bool restart;			/* takes effect at the next start only */
	bool kept;			/* has the value of the generation before, until then */
	struct prodd_value value;
};

/* What a key handle reads: a copy of the value, one load from `slots`. */
struct prodd_slot {
	const char *name;		/* identity of the key: the text of its struct prodd_name */
	struct prodd_value value;
};

struct prodd_config {
	const struct prodd_slot *slots;	/* by number of the name */
	unsigned slot_count;
	uint32_t mask;			/* of `table` */
	const uint32_t *table;		/* number of an entry + 1; 0: free */
	const struct prodd_entry *entries;	/* by name */
	size_t count;
	uint64_t generation;
	const char *epoch;
	const char *hash;
	const char *environment;
	size_t kept_count;
	struct prodd_messages *messages;	/* shares */
	struct prodd_arena arena;
	struct prodd_names texts;	/* of values that are no strings; made when somebody asks for them */
	struct prodd_counted counted;
};

/* What a snapshot is made of; all borrowed. */
struct prodd_served {
	struct prodd_slice epoch, hash, environment;
	uint64_t generation;
	struct prodd_list overlay;	/* of config_entry */
	struct prodd_list snapshot;
};

/*
 * Makes a snapshot, with one reference.  `running`: the one in use, whose values stay where a key needs a
 * restart; NULL: none is.  Returns 0; -PRODD_E_PROTOCOL or -PRODD_E_USAGE for what is not a snapshot;
 * -PRODD_E_NO_MEMORY.
 */
int prodd_snapshot_new(const struct prodd_served *served, const struct prodd_config *running,
		       const struct prodd_names *keys, struct prodd_messages *messages,
		       struct prodd_config **ret, struct prodd_error *e);

/* Puts it in use (takes the caller's reference; NULL: none) in place of the one before. */
void prodd_snapshot_use(struct prodd_current *current, struct prodd_config *next);

/* A reference to the one in use; NULL: none. Wait-free. */
const struct prodd_config *prodd_snapshot_in_use(struct prodd_current *current);

const struct prodd_entry *prodd_snapshot_find(const struct prodd_config *c, const char *name);

/* Same epoch, generation and hash. */
bool prodd_snapshot_is(const struct prodd_config *c, const struct prodd_served *served);

#endif
