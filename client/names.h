/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of names that only grows.  Any number of threads add at once, without a
 * lock, so that a fork at any moment leaves it whole.
 */
#ifndef PRODD_CLIENT_NAMES_H
#define PRODD_CLIENT_NAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct prodd_name {
	const struct prodd_name *next;	/* added before it */
	unsigned number;		/* from 0, in the order of adding */
	size_t size;
	char text[];			/* ends with NUL; its address is the name's identity */
};

struct prodd_names {
	_Atomic(const struct prodd_name *) newest;
};

/* The name, added if it was not there (then *ret_added is true; may be NULL). Valid until
 * prodd_names_clear(); NULL: no memory. */
const struct prodd_name *prodd_names_add(struct prodd_names *names, const char *text, bool *ret_added);

/* The newest name, from which `next` leads to all the others; NULL: none. */
const struct prodd_name *prodd_names_newest(const struct prodd_names *names);

/* Frees all; no other thread uses the set any more. */
void prodd_names_clear(struct prodd_names *names);

#endif
