/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which directories decide what an app's files are: the app's own, its
 * conf.d, and every directory in which a name on the way to one of them is
 * looked up, through all symbolic links.  Runs on the disk thread.
 */
#ifndef PRODD_CONFIG_SURVEY_H
#define PRODD_CONFIG_SURVEY_H

#include <prodd/error.h>
#include <stdbool.h>

#define SURVEY_MAX 1024u	/* names followed for one app: files, links and the directories on the way */

/* A name in a directory that matters. */
struct survey_point {
	int wd;			/* inotify watch of the directory */
	char *path;		/* owned: the real directory, "/", the name */
	const char *name;	/* in `path`; "": any that may be a layer; "/": the directory itself */
};

struct survey {
	struct survey_point *points;	/* owned */
	unsigned count;
	bool complete;		/* false: some directory could not be watched; the rescan is the net */
	int error;			/* why; an errno */
};

/* Walks from `directory` and adds a watch (to the inotify descriptor `fd`) for each directory on the way. */
void survey_run(struct survey *survey, int fd, const char *directory);

void survey_clear(struct survey *survey);

/* Does `name` in the directory of `wd` matter? "": the directory itself. */
bool survey_has(const struct survey *survey, int wd, const char *name);

/* The directory of `wd`, with a final slash, `ret_length` bytes long. NULL: it is not watched. */
const char *survey_directory_of(const struct survey *survey, int wd, int *ret_length);

#endif
