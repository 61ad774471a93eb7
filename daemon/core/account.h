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

struct account_limits {
	unsigned sessions_per_uid;	/* 1,024 */
	size_t bytes_per_uid;		/* 16 MiB */
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
	UT_hash_handle hh;
};

struct accounts {
	struct account_limits limits;
	struct account *by_uid;		/* owned */
	unsigned sessions;
};

void accounts_clear(struct accounts *accounts);

/* Opens a session of `uid`. NULL, counted, when the uid or the daemon has its most (ret_full_uid says which), or no memory. */
struct account *account_open(struct accounts *accounts, uid_t uid, bool *ret_full_uid);
void account_close(struct accounts *accounts, struct account *account);

/* Charges `bytes`; false and nothing charged when it would be over the limit. */
bool account_charge(struct accounts *accounts, struct account *account, size_t bytes);
void account_discharge(struct account *account, size_t bytes);

#endif
