/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/user.h"

#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "daemon/util/clock.h"

struct user {
	uid_t uid;
	uint64_t read_ms;
	char name[64];
	UT_hash_handle hh;
};

static struct user *users;

void users_clear(void)
{
	struct user *user, *next;

	HASH_ITER(hh, users, user, next) {
		HASH_DEL(users, user);
		free(user);
	}
}

static void look_up(uid_t uid, char *ret, size_t size)
{
	char memory[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, memory, sizeof memory, &found) == 0 && found)
		snprintf(ret, size, "%s", found->pw_name);
	else
		snprintf(ret, size, "%u", (unsigned)uid);
}

static struct user *remember(uid_t uid)
{
	struct user *user;

	if (HASH_COUNT(users) >= USERS_KEPT)
		users_clear();
	user = calloc(1, sizeof *user);
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, users, uid, sizeof user->uid, user);
	return user;
}

void user_name(uid_t uid, char *ret, size_t size)
{
	uint64_t now = clock_monotonic_ms();
	struct user *user;

	HASH_FIND(hh, users, &uid, sizeof uid, user);
	if (!user || now - user->read_ms > USERS_KEPT_MS) {
		user = user ? user : remember(uid);
		if (!user) {
			look_up(uid, ret, size);
			return;
		}
		look_up(uid, user->name, sizeof user->name);
		user->read_ms = now;
	}
	snprintf(ret, size, "%s", user->name);
}
