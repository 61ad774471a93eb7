/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that no daemon came for in the life of a process: they go to a file in
 * the library's cache directory when the handle is closed, and whichever instance of the
 * app has a session next sends them.  It holds a lock on the file (flock) while it does, says in
 * the file how far it is, and unlinks it at the end, so that no two send the same.
 *
 * File APP.rest-XXXXXX: 8 bytes magic, 4 version, 4 zero, 8 records that were dropped, 8 offset of the first record
 * that is still to be sent; then the records, each 4 bytes length, 4 zero, 8 checksum, and a record (proto/shm/record.h).
 * All big-endian.
 */
#ifndef PRODD_CLIENT_REST_H
#define PRODD_CLIENT_REST_H

#include <sys/types.h>

#include "client/messages.h"
#include "proto/buffer.h"

#define PRODD_PUSH_BYTES 245760u		/* of a batch: records of log_push in the wire's schema */
#define PRODD_REST_BYTES_MAX (8u * 1024 * 1024)	/* of a file */
#define PRODD_REST_FILES_MAX 16			/* of an app in a directory; further ones are not written */

struct prodd_rings;

/*
 * Writes what is in rings that no daemon reads into a file, and empties them. Nothing to write: no file. Says what could not
 * be kept. `directory` NULL: nothing can.
 */
void prodd_rest_save(struct prodd_rings *rings, const char *directory, const char *app, struct prodd_messages *messages);

/* The sending of what earlier processes left. */
struct prodd_rest {
	const char *directory;		/* borrowed, as the following; NULL: none */
	const char *app;
	struct prodd_messages *messages;
	bool done;			/* no file is left, or none that can be sent by us */
	int fd;				/* owned, and locked; -1: none */
	ino_t inode;
	dev_t device;
	char *path;			/* owned; of the file */
	uint64_t dropped;		/* still to be told */
	uint64_t from, to;		/* offsets of the records under way */
	uint64_t size;
};

void prodd_rest_init(struct prodd_rest *rest, const char *directory, const char *app, struct prodd_messages *messages);
void prodd_rest_clear(struct prodd_rest *rest);

/* Appends the next records, `most` bytes at most in all, and sets *ret_dropped. False: there are none, for this
 * process. */
bool prodd_rest_read(struct prodd_rest *rest, struct prodd_buffer *batch, size_t most, uint64_t *ret_dropped);

/* The daemon has them. */
void prodd_rest_passed(struct prodd_rest *rest);

/* It has not: they are read once more. */
void prodd_rest_repeat(struct prodd_rest *rest);

#endif
