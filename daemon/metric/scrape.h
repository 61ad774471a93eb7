/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a scrape, made in slices: text, and compressed if that was
 * asked for (gzip, RFC 1952).  It is whole before a byte of it is sent, since
 * what it says must be in the ledger first.
 */
#ifndef PRODD_METRIC_SCRAPE_H
#define PRODD_METRIC_SCRAPE_H

#include <zlib.h>

#include "daemon/metric/text.h"

#define SCRAPE_BYTES_MAX (64u * 1024 * 1024)	/* of a body: some 500,000 series */

struct scrape {
	struct text_writer writer;
	struct prodd_buffer body;	/* owned */
	struct prodd_buffer slice;	/* text that waits to be compressed; owned */
	z_stream stream;
	bool gzip;
};

/* -PRODD_E_NO_MEMORY; nothing is left to clear then. */
int scrape_begin(struct scrape *ret, struct metric_source *source, enum text_format format, bool gzip,
		 struct prodd_error *e);

/* A slice: well below a millisecond. Returns 1 while there is more to do, 0 when the body is whole, -PRODD_E_NO_MEMORY or
 * -PRODD_E_TOO_LARGE. */
int scrape_step(struct scrape *scrape);

/* One that never began, or has failed, is allowed. */
void scrape_clear(struct scrape *scrape);

#endif
