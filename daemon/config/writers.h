/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that somebody has modified and not closed yet, as inotify(7) tells of
 * them: by the watch of their directory and their name.  Names that do not
 * matter are kept too, for they may be renamed to one that does.
 */
#ifndef PRODD_CONFIG_WRITERS_H
#define PRODD_CONFIG_WRITERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>

#include "daemon/config/survey.h"

#define WRITERS_MAX 64u		/* kept of one app; of others quiet alone tells that they are complete */

struct writer {
	int wd;
	char *name;		/* owned */
	uint64_t since_ms;	/* monotonic: the first modification */
	uint32_t cookie;	/* of the rename that took its name away; 0: it has its name */
	bool matters;		/* it is one of the app's files */
};

struct writers {
	struct writer *list;	/* owned */
	unsigned count;
};

/* Takes in an event of a directory; `matters`: the survey has the name. */
void writers_event(struct writers *writers, const struct inotify_event *event, const char *name,
		   bool matters);

/* There is another survey: what is outside of its directories is forgotten. */
void writers_resurvey(struct writers *writers, const struct survey *survey);

/* The one that has kept a file of the app's open for the longest time; NULL: none has. */
const struct writer *writers_eldest(const struct writers *writers);

void writers_clear(struct writers *writers);

#endif
