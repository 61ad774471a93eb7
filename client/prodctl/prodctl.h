/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the command: what was typed, the session, and what is to be printed. */
#ifndef PRODCTL_PRODCTL_H
#define PRODCTL_PRODCTL_H

#include "client/prodctl/arguments.h"
#include "client/prodctl/connection.h"
#include "client/prodctl/text.h"

struct prodctl {
	struct arguments args;
	struct connection connection;	/* open after the first prodctl_call */
	struct text out;		/* to stdout at the end */
	struct text err;		/* to stderr at the end */
	char hint[PRODD_ERROR_TEXT_MAX];	/* printed under the error that ends the run; "": nothing */
};

/* Longest wait for what reads or writes files, or asks instances, apart from `more_ms`. The daemon bounds
 * each step itself and answers pings meanwhile (connection.c); this is the net under it. */
#define PRODCTL_CHANGE_MS (10 * 60 * 1000)
#define PRODCTL_RELOAD_TIMEOUT_MS (30 * 1000)	/* reload.timeout_ms when it is 0 */

/* Connects when that is still to be done, and calls. As connection_call; an error gets its hint. */
int prodctl_ask(struct prodctl *p, enum wire_method method, const void *params, void *ret,
		struct prodd_error *e);

/* The same, for what may take longer than CONNECTION_ANSWER_MS. */
int prodctl_wait(struct prodctl *p, enum wire_method method, const void *params, void *ret, int64_t timeout_ms,
		 struct prodd_error *e);

/* Prints what there is, and waits for the next note. As connection_note; -PRODD_E_UNREACHABLE: the daemon has gone. */
int prodctl_note(struct prodctl *p, enum wire_method method, void *ret, struct prodd_error *e);

/* As prodctl_ask, for what changes something: waits PRODCTL_CHANGE_MS and `more_ms`, and when contact is lost says
 * that the daemon carries on. */
int prodctl_change(struct prodctl *p, enum wire_method method, const void *params, void *ret, int64_t more_ms,
		   struct prodd_error *e);

/* With --json: puts the record into p->out and returns true. */
bool prodctl_json(struct prodctl *p, const struct wire_record *type, const void *record);

/* Sends what p->out holds. Returns 0 or an error of text_flush. */
int prodctl_flush(struct prodctl *p, struct prodd_error *e);

#endif
