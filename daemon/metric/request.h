/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1 request (RFC 9112), as far as a scrape needs it.
 * Pure: bytes in, a decision out.
 */
#ifndef PRODD_METRIC_REQUEST_H
#define PRODD_METRIC_REQUEST_H

#include "proto/slice.h"

#define REQUEST_HEAD_MAX 8192	/* bytes of a head; Prometheus needs 400 */
#define REQUEST_HEADERS_MAX 64	/* header lines */

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_OTHER };

struct request {
	enum request_method method;
	struct prodd_slice path;	/* without the query; borrowed from the bytes parsed */
	bool keep_alive;		/* the sender wants the connection kept, and it can be */
	bool openmetrics;		/* OpenMetrics is asked for, and not less than plain text */
	bool gzip;			/* the answer may be compressed */
};

/*
 * Reads the head at the beginning of `bytes`. Returns its length; 0 when its end has not come; or, negative, the HTTP status to
 * answer with before the connection is closed: -400 it breaks the grammar, -413 it brings a body, -431 it is too long, -505 it
 * is of another version.
 */
int request_parse(struct prodd_slice bytes, struct request *ret);

#endif
