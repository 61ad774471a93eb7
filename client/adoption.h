/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a configuration that arrives: judged by the program's
 * validator, put in use, refused, or kept for later.  Used by the engine only,
 * in one thread at a time.
 */
#ifndef PRODD_CLIENT_ADOPTION_H
#define PRODD_CLIENT_ADOPTION_H

#include "client/cache.h"
#include "client/snapshot.h"
#include "client/status.h"
#include "client/settings.h"

/* A candidate between offer and commit. */
struct prodd_candidate {
	uint64_t txn;
	struct prodd_config *config;	/* one reference; NULL: there is no candidate */
	bool restart;			/* the validator wants it at the next start only */
	struct prodd_error why;
	struct prodd_buffer file;	/* what the cache shall hold after the commit */
};

struct prodd_adoption {
	struct prodd *p;		/* borrowed: for the callbacks */
	const struct prodd_settings *settings;	/* borrowed, as the following */
	struct prodd_current *current;
	const struct prodd_names *keys;
	struct prodd_messages *messages;
	struct prodd_status *status;
	struct prodd_cache cache;
	struct prodd_candidate candidate;
	bool cache_tried;		/* at most once, at the start */
	struct prodd_buffer unsaved;	/* what the cache shall hold, once the daemon has its answer */
	struct prodd_error why;		/* of the last answer: its texts borrow from here */
	struct prodd_buffer kept;	/* LIST(kept_key) of the last answer */
	uint32_t kept_count;
};

/* Frees the candidate and buffers. */
void prodd_adoption_clear(struct prodd_adoption *a);

/* Whether the daemon need not send the live generation if it is the one in use: fills `ret`, which borrows
 * from the snapshot in use, *ret_config (a reference, may be NULL: nothing is in use, or the daemon shall
 * send it again). */
void prodd_adoption_subscribe(struct prodd_adoption *a, struct wire_subscribe *ret,
			      const struct prodd_config **ret_config);

/*
 * The daemon's calls. Each fills its answer, whose texts are borrowed until the next call. Returns 0, or an
 * error that is the answer: -PRODD_E_NOT_FOUND from commit, after which the session starts anew; errors of
 * prodd_snapshot_new.
 */
int prodd_adoption_apply(struct prodd_adoption *a, const struct wire_apply *apply, struct wire_applied *ret,
			 struct prodd_error *e);
int prodd_adoption_offer(struct prodd_adoption *a, const struct wire_offer *offer, struct wire_verdict *ret,
			 struct prodd_error *e);
int prodd_adoption_commit(struct prodd_adoption *a, const struct wire_commit *commit,
			  struct wire_applied *ret, struct prodd_error *e);

/* After the answer has gone: writes what is to be cached. */
void prodd_adoption_save(struct prodd_adoption *a);

void prodd_adoption_abort(struct prodd_adoption *a, uint64_t txn);

/* The session is over: a candidate is not going to be committed in it. */
void prodd_adoption_forget(struct prodd_adoption *a);

/* The generation in use is the live one. */
void prodd_adoption_confirmed(struct prodd_adoption *a);

/* The daemon has no valid configuration, for the reason *why: uses the cached one when there is none in
 * use. */
void prodd_adoption_fall_back(struct prodd_adoption *a, const struct prodd_error *why);

/* The daemon has none yet. */
void prodd_adoption_nothing(struct prodd_adoption *a, const struct prodd_error *why);

/* Uses the cached one when there is none in use and it was not tried before. True: there is one in use
 * now. */
bool prodd_adoption_use_cache(struct prodd_adoption *a);

#endif
