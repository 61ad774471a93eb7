/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log record as MessagePack (proto/shm/record.h), written by hand into memory of exactly
 * its size: first measured, then written, both without allocation.
 */
#ifndef PRODD_CLIENT_ENCODE_H
#define PRODD_CLIENT_ENCODE_H

#include <prodd/log.h>

#include "proto/shm/record.h"

/* What is to be written; all borrowed. */
struct prodd_entry_of_log {
	uint64_t time_ns;
	int level;
	struct prodd_slice target;	/* at most RECORD_NAME_MAX, as the following two */
	struct prodd_slice message;
	struct prodd_slice thread;	/* empty: none */
	struct prodd_slice source;	/* empty: none */
	const struct prodd_field *fields;
	unsigned count;			/* at most RECORD_FIELDS_MAX */
	struct {
		uint8_t size;		/* of its key, at most RECORD_KEY_MAX */
		bool secret;		/* its value stays here */
	} keys[RECORD_FIELDS_MAX];	/* of the fields; filled by prodd_encode_measure() */
};

/* Bytes of the record. */
size_t prodd_encode_measure(struct prodd_entry_of_log *entry);

/* Writes so many bytes. Nothing of `entry` has changed since it was measured. */
void prodd_encode_write(const struct prodd_entry_of_log *entry, unsigned char *at);

#endif
