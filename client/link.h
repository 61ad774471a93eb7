/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket to the daemon: connects without waiting, cuts what comes into
 * frames, sends what is queued as far as it goes.  Descriptors travel with the first byte of
 * the frame that they belong to.
 */
#ifndef PRODD_CLIENT_LINK_H
#define PRODD_CLIENT_LINK_H

#include <sys/types.h>

#include "client/region.h"
#include "proto/frame.h"

/* Bytes read in one turn, so that a turn is short whatever the daemon sends. */
#define PRODD_LINK_TURN_BYTES (256u * 1024)

/* Descriptors under way, each way; the daemon takes no more of a session. */
#define PRODD_LINK_DESCRIPTORS 4

/* A frame of `out` that brings a region's memfd. */
struct prodd_link_bringer {
	size_t ahead;			/* bytes of `out` before it */
	size_t size;
	const struct prodd_region *region;	/* borrowed until it is sent or the link is dropped */
};

struct prodd_link {
	int fd;				/* owned; -1: not connected */
	dev_t device; /* identity of the socket, to tell it from another of the same number */
	ino_t inode;
	struct prodd_deframer in;
	struct prodd_buffer out;	/* whole frames, and the rest of one */
	struct prodd_link_bringer bringers[PRODD_LINK_DESCRIPTORS];	/* in the order of sending */
	unsigned bringer_count;
	int received[PRODD_LINK_DESCRIPTORS];	/* owned; in the order of coming */
	unsigned received_count;
};

void prodd_link_init(struct prodd_link *link);

/* Returns 0; -PRODD_E_UNREACHABLE when nobody listens at `path`, or is busy accepting others; -PRODD_E_IO.
 * The text is a sentence for people. */
int prodd_link_connect(struct prodd_link *link, const char *path, struct prodd_error *e);

/* What takes the frames; returns 0, or the error that ends the session. `frame` is borrowed until it
 * returns. */
struct prodd_link_reader {
	int (*frame)(struct prodd_link_reader *reader, struct prodd_slice frame, struct prodd_error *e);
};

/* Reads what is there. Returns 0; -PRODD_E_CLOSED at the end; an error of the reader or of the deframer. */
int prodd_link_receive(struct prodd_link *link, struct prodd_link_reader *reader, struct prodd_error *e);

/* The frame that is in `out` from `start` to the end brings the memfd of `region`. When the program has closed
 * that by the time of sending, it goes without. -PRODD_E_OVER_LIMIT: too many are under way. */
int prodd_link_bring(struct prodd_link *link, size_t start, const struct prodd_region *region);

/* The descriptor that came first of those that nobody has taken; the caller owns it. -1: none. */
int prodd_link_take(struct prodd_link *link);

/* Sends what is queued in `out`, as far as the socket takes it. Returns 0 or -PRODD_E_CLOSED. */
int prodd_link_flush(struct prodd_link *link, struct prodd_error *e);

/* Whether the connection stands, as far as the kernel knows. */
bool prodd_link_is_up(const struct prodd_link *link);

/* Forgets the connection and closes its socket, unless the number is another file's by now. */
void prodd_link_drop(struct prodd_link *link);

/* Only closes the socket: another thread was at work on the rest when this process was forked. */
void prodd_link_abandon(struct prodd_link *link);

#endif
