/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts outlive their sessions, so that status can tell; there is a most of those too. */
#include "daemon/core/account.h"

#include <malloc.h>
#include <stdlib.h>

static size_t limit_or(size_t configured, size_t usual)
{
	return configured ? configured : usual;
}

void accounts_clear(struct accounts *accounts)
{
	struct account *account, *next;

	HASH_ITER(hh, accounts->by_uid, account, next) {
		HASH_DEL(accounts->by_uid, account);
		free(account);
	}
	accounts->sessions = 0;
	accounts->bytes = accounts->bytes_high = 0;
}

/* Forgets the oldest account that nobody uses, when there are many. */
static void forget_one(struct accounts *accounts)
{
	struct account *account, *next;

	if (HASH_COUNT(accounts->by_uid) < ACCOUNTS_KEPT)
		return;
	HASH_ITER(hh, accounts->by_uid, account, next) {
		if (account->sessions > 0)
			continue;
		HASH_DEL(accounts->by_uid, account);
		free(account);
		return;
	}
}

static struct account *find(const struct accounts *accounts, uid_t uid)
{
	struct account *account;

	HASH_FIND(hh, accounts->by_uid, &uid, sizeof uid, account);
	return account;
}

enum account_room account_room(const struct accounts *accounts, uid_t uid)
{
	const struct account *account = find(accounts, uid);
	size_t most = limit_or(accounts->limits.sessions, ACCOUNTS_SESSIONS_MAX);
	size_t has = account ? account->sessions : 0;

	if (has >= limit_or(accounts->limits.sessions_per_uid, ACCOUNT_SESSIONS_MAX))
		return ACCOUNT_FULL_UID;
	return accounts->sessions >= most || has >= most - accounts->sessions ? ACCOUNT_FULL_DAEMON : ACCOUNT_HAS_ROOM;
}

static struct account *find_or_make(struct accounts *accounts, uid_t uid)
{
	struct account *account = find(accounts, uid);

	if (account)
		return account;
	forget_one(accounts);
	account = calloc(1, sizeof *account);
	if (!account)
		return NULL;
	account->uid = uid;
	HASH_ADD(hh, accounts->by_uid, uid, sizeof account->uid, account);
	return account;
}

void account_refuse(struct accounts *accounts, uid_t uid)
{
	struct account *account = find_or_make(accounts, uid);

	if (account)
		account->refused++;
}

struct account *account_open(struct accounts *accounts, uid_t uid)
{
	struct account *account = find_or_make(accounts, uid);

	if (!account)
		return NULL;
	account->sessions++;
	accounts->sessions++;
	return account;
}

void account_close(struct accounts *accounts, struct account *account)
{
	account->sessions--;
	accounts->sessions--;
}

bool account_charge(struct accounts *accounts, struct account *account, size_t bytes)
{
	size_t most = limit_or(accounts->limits.bytes_per_uid, ACCOUNT_BYTES_MAX);

	if (account->bytes > most || bytes > most - account->bytes) {
		account->refused++;
		return false;
	}
	account->bytes += bytes;
	if (account->bytes > account->bytes_max)
		account->bytes_max = account->bytes;
	accounts->bytes += bytes;
	if (accounts->bytes > accounts->bytes_high)
		accounts->bytes_high = accounts->bytes;
	return true;
}

/* free(3) alone keeps what lies below anything that was allocated later. */
static void give_back(struct accounts *accounts)
{
	if (accounts->bytes_high - accounts->bytes < ACCOUNTS_TRIM)
		return;
	malloc_trim(0);
	accounts->bytes_high = accounts->bytes;
}

void account_discharge(struct accounts *accounts, struct account *account, size_t bytes)
{
	account->bytes -= bytes;
	accounts->bytes -= bytes;
	give_back(accounts);
}
