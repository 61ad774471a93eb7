/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of uids.  A look-up may block and flooders connect often: a name is
 * remembered for a while.  Loop thread only.
 */
#ifndef PRODD_CORE_USER_H
#define PRODD_CORE_USER_H

#include <stddef.h>
#include <sys/types.h>

#define USERS_KEPT 256u			/* names remembered; when full all are forgotten */
#define USERS_KEPT_MS (60u * 1000)	/* for how long */

/* The name of `uid`; its number when it has none. */
void user_name(uid_t uid, char *ret, size_t size);

void users_clear(void);

#endif
