/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each uid makes the daemon keep: sessions, bytes of input not yet
 * handled, output not yet read, pending calls.  Everything is charged before
 * it is kept and given back when it goes.
 */
#ifndef PRODD_CORE_ACCOUNT_H
#define PRODD_CORE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <uthash.h>

#include "daemon/core/turns.h"

#define ACCOUNT_SESSIONS_MAX 1024u		/* of a uid, unless configured */
#define ACCOUNT_BYTES_MAX (16u * 1024 * 1024)	/* of a uid, unless configured */
#define ACCOUNTS_SESSIONS_MAX 16384u		/* of the daemon, unless configured or fewer by RLIMIT_NOFILE */
#define ACCOUNTS_TRIM (2u * 1024 * 1024)	/* bytes freed, after which memory is given back to the kernel */
#define ACCOUNTS_KEPT 1024u			/* accounts without sessions that are remembered for status */

/* 0: as above. */
struct account_limits {
	unsigned sessions_per_uid;
	size_t bytes_per_uid;
	unsigned sessions;		/* of the daemon */
};

struct account {
	uid_t uid;
	unsigned sessions;
	size_t bytes;			/* kept now */
	size_t bytes_max;		/* the most ever */
	uint64_t refused;
	uint64_t bytes_in;
	uint64_t bytes_out;
	struct turn_queue turns;	/* its sessions that want a turn */
	UT_hash_handle hh;
};

struct accounts {
	struct account_limits limits;
	struct account *by_uid;		/* owned */
	unsigned sessions;
	size_t bytes;			/* of all */
	size_t bytes_high;		/* the most since memory was last given back to the kernel */
};

void accounts_clear(struct accounts *accounts);

enum account_room {
	ACCOUNT_HAS_ROOM,
	ACCOUNT_FULL_UID,		/* the uid has its most sessions */
	ACCOUNT_FULL_DAEMON,		/* the daemon has, or so few are free that this uid must leave them to others */
};

/* May `uid` have one session more? A uid never has more than are free: whatever one uid opens, others find room. */
enum account_room account_room(const struct accounts *accounts, uid_t uid);

/* Counts a refusal. */
void account_refuse(struct accounts *accounts, uid_t uid);

/* Opens a session of `uid`, which has room. NULL: no memory. */
struct account *account_open(struct accounts *accounts, uid_t uid);
void account_close(struct accounts *accounts, struct account *account);

/* Charges `bytes`; false and nothing charged when it would be over the limit. */
bool account_charge(struct accounts *accounts, struct account *account, size_t bytes);

/* After the bytes were freed: when there were many, their memory goes back to the kernel. */
void account_discharge(struct accounts *accounts, struct account *account, size_t bytes);

#endif
