/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate of an app, shared by those who log for it: each has an even part of
 * its own, and what some leave is for whoever comes first.  Token buckets;
 * time is the caller's.
 */
#ifndef PRODD_LOG_SHARE_H
#define PRODD_LOG_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* One who logs; embedded; zero is not entered. */
struct share {
	uint64_t tokens;		/* millionths of a record */
	LIST_ENTRY(share) link;
	bool entered;
};

struct shares {
	uint64_t rate;			/* records per second; 0: no limit */
	uint64_t burst;			/* records at once */
	uint64_t spare;			/* millionths of a record, for any */
	uint64_t filled_us;		/* when the buckets were filled last; 0: never */
	unsigned count;
	LIST_HEAD(, share) members;
};

void shares_init(struct shares *shares, uint64_t rate, uint64_t burst);
void shares_enter(struct shares *shares, struct share *share);
void shares_leave(struct shares *shares, struct share *share);		/* those not entered too */

/* Gives everybody what has come since. */
void shares_fill(struct shares *shares, uint64_t now_us);

/* Takes one record's token. False: over the rate. */
bool shares_take(struct shares *shares, struct share *share);

#endif
