/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with the daemon that waits: connect, hello, one call after
 * another.  Every wait has an end, and an answer is checked to its last
 * element before it is handed out, so that printing it cannot fail.
 */
#ifndef PRODCTL_CONNECTION_H
#define PRODCTL_CONNECTION_H

#include <prodd/error.h>

#include "client/prodctl/place.h"
#include "proto/frame.h"

#define CONNECTION_OPEN_MS 2000		/* for the connect, and again for the welcome */
#define CONNECTION_ANSWER_MS 5000	/* for what the daemon answers from memory */

struct connection {
	int fd;				/* owned; -1: not open */
	struct place place;
	uint64_t last_id;
	uint64_t daemon_pid;
	char daemon[129];		/* version of prodd */
	char farewell[257];		/* why it said that it goes away; "" : it did not */
	int64_t heard_ms;		/* moment_monotonic_ms of the last bytes */
	struct prodd_deframer deframer;
	struct prodd_slice unread;	/* in chunk */
	char chunk[16384];
};

/*
 * Connects and says hello. `socket` is the value of --socket or NULL.  Errors
 * of place_connect; -PRODD_E_UNREACHABLE also when no welcome comes in
 * `timeout_ms`; what the daemon answers to hello; -PRODD_E_PROTOCOL.
 */
int connection_open(struct connection *c, const char *socket, int timeout_ms, struct prodd_error *e);

/* Closes. A connection that is not open is allowed. */
void connection_close(struct connection *c);

/*
 * Calls `method`.  The result in `ret`, of the method's record, is borrowed from
 * the connection until the next call.  Returns 0, the daemon's error, or
 *   -PRODD_E_TIMEOUT   no answer in `timeout_ms`, or a daemon that answers no ping
 *   -PRODD_E_CLOSED    the daemon closed the connection
 *   -PRODD_E_PROTOCOL  it does not speak the protocol
 *   -PRODD_E_FAILED    a signal came (interrupt_signal)
 */
int connection_call(struct connection *c, enum wire_method method, const void *params, void *ret,
		    int64_t timeout_ms, struct prodd_error *e);

/* Waits, for ever, for the next note `method` and decodes it; others are skipped. Errors as above. */
int connection_note(struct connection *c, enum wire_method method, void *ret, struct prodd_error *e);

#endif
