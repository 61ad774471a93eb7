/* SPDX-License-Identifier: Apache-2.0 */
/* The socket to prodd: frames in, frames out. */
#ifndef PRODD_SHIP_CHANNEL_H
#define PRODD_SHIP_CHANNEL_H

#include "proto/frame.h"

enum { channel_piece = 65536 };

struct channel {
	int fd;				/* borrowed */
	struct prodd_deframer in;
	struct prodd_slice input;	/* of `bytes`: not looked at yet */
	char bytes[channel_piece];
	struct prodd_buffer out;
	bool ended;			/* nothing more comes from prodd; it may still read */
};

void channel_init(struct channel *channel, int fd);
void channel_clear(struct channel *channel);

/* Waits until prodd says something, at most `timeout_ms`. */
void channel_wait(struct channel *channel, int timeout_ms);

/* Takes the next message, without waiting; borrowed until the next call. 1; 0: none is there;
 * -PRODD_E_CLOSED: nothing more will come; other errors: what came is none. */
int channel_next(struct channel *channel, struct prodd_message *ret, struct prodd_error *e);

/* Each sends one frame, and waits until it is taken. -PRODD_E_CLOSED and others. */
int channel_answer(struct channel *channel, uint64_t id, struct prodd_error *e);	/* {} */
int channel_refuse(struct channel *channel, uint64_t id, const struct prodd_error *why,
		   struct prodd_error *e);
int channel_note(struct channel *channel, enum wire_method method, const void *params, struct prodd_error *e);

#endif
