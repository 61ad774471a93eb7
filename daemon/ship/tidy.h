/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to rotated files while the stream goes on, by a thread of low
 * priority: unfinished compressions removed, files compressed, old ones
 * deleted.  Each look begins with what is in the directory, so that a crash
 * leaves nothing behind that the next look does not mend.
 */
#ifndef PRODD_SHIP_TIDY_H
#define PRODD_SHIP_TIDY_H

#include <stdatomic.h>

#include "daemon/ship/settings.h"

#define TIDY_FILE_MODE 0640

struct tidy;

/* Starts the thread; `settings` is borrowed. */
int tidy_new(struct tidy **ret, const struct settings *settings, struct prodd_error *e);

/* Ends the thread; what it was at is left for the next start. NULL is allowed; returns NULL. */
struct tidy *tidy_free(struct tidy *tidy);

/* Asks for a look at the rotated files of `file`. Without memory there is none this time. */
void tidy_look(struct tidy *tidy, const char *file);

/* One look, on the caller's thread: for tests. `ending` as in compressor.h. */
int tidy_run(const struct settings *settings, const char *file, const atomic_bool *ending,
	     struct prodd_error *e);

#endif
