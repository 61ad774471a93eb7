/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libprodd-client: what prodd does for a program.  Includes a header for each family of calls.
 *
 *	static int validate(const struct prodd_config *c, struct prodd_error *why, void *arg)
 *	{
 *		if (prodd_config_int(c, "database.max_connections") > 100)
 *			return prodd_reject(why, "database.max_connections: the database allows 100");
 *		return 0;
 *	}
 *
 *	int main(void)
 *	{
 *		struct prodd_error e;
 *		prodd_auto struct prodd *p = prodd_new("orders");
 *
 *		prodd_on_validate(p, validate, NULL);
 *		if (prodd_start(p, &e) < 0 || prodd_wait_config(p, 5000, &e) < 0)
 *			return fprintf(stderr, "orders: %s\n", e.text), 78;
 *		...
 *	}
 *
 * Rules that hold for every call:
 *
 *   NULL        A NULL handle or snapshot is allowed everywhere: the call does nothing and returns 0,
 *               false, "" or the fallback, so that prodd can be switched off by not making a handle.
 *   Returns     Calls that return int give 0 or more for success, and -PRODD_E_X (<prodd/error.h>) for an
 *               error; where they take a `struct prodd_error *e` it says what happened; it may be NULL.
 *   Time        No call needs a connection.  Those that wait have a timeout in their arguments and return
 *               at most 10 ms after it; all others return within 5 ms and make no system call that blocks.
 *               prodd_close() and prodd_free() wait for a callback that runs at that moment, and up to
 *               250 ms for a daemon that is there to take log records that it does not have yet.
 *   Threads     Each call says who may make it.  Callbacks run without locks held: in the library's thread,
 *               or, when the program has its own loop, in the one that calls prodd_dispatch() or
 *               prodd_wait_config().  They may make any call but those that wait, dispatch or end the handle.
 *   Ownership   "borrowed": the callee keeps nothing; "takes": the callee frees it; "shares": it is
 *               counted, and freed with the last reference.
 *   Fork        A child process is a new instance from its first call on, with a session of its own, named
 *               PARENT.CHILD; snapshots and key handles stay valid.  Nothing needs to be called for it.
 *               The child of a callback must call exec(3) or _exit(2).
 *   Descriptors Those that the program closes, as by closefrom(3), are noticed and made anew; others that have
 *               their numbers by then are left alone.
 *   Signals     None is taken or raised; the library's thread blocks all of them.
 */
#ifndef PRODD_CLIENT_H
#define PRODD_CLIENT_H

#include <prodd/config.h>
#include <prodd/error.h>
#include <prodd/handle.h>
#include <prodd/log.h>
#include <prodd/metric.h>

#endif
