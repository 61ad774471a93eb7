/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A family of metrics as it is declared: name, type, labels, buckets; in the
 * model of Prometheus (prometheus.io/docs/concepts/data_model) and OpenMetrics.
 * The rules are here once, for the library that declares and the daemon that
 * believes nothing.  All is pure; everything is borrowed.
 */
#ifndef PRODD_SHM_FAMILY_H
#define PRODD_SHM_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/slice.h"
#include <prodd/error.h>

#define SEGMENT_NAME_MAX 128u		/* bytes of a metric's name, of a label's name */
#define SEGMENT_HELP_MAX 512u
#define SEGMENT_UNIT_MAX 32u
#define SEGMENT_LABELS_MAX 16u
#define SEGMENT_LABEL_VALUE_MAX 256u
#define SEGMENT_BUCKETS_MAX 64u		/* +Inf not counted */

/* What the linker sees begins with prodd_, as in proto/wire.h. */
#define SEGMENT_SYMBOL(name) __asm__("prodd_segment_" name)

enum segment_type { SEGMENT_COUNTER = 1, SEGMENT_GAUGE = 2, SEGMENT_HISTOGRAM = 3 };

/* How the gauges of several instances of an app become one. */
enum segment_mode {
	SEGMENT_LAST = 0,	/* the value set last, by time */
	SEGMENT_SUM = 1,
	SEGMENT_MIN = 2,
	SEGMENT_MAX = 3,
	SEGMENT_EACH = 4	/* not at all: a label "instance" is added */
};

struct segment_family {
	enum segment_type type;
	enum segment_mode mode;		/* of a gauge; else 0 */
	struct prodd_slice name;	/* [a-zA-Z_:][a-zA-Z0-9_:]*; a counter's alone ends with _total */
	struct prodd_slice unit;	/* "", or the last part of the name (before _total) */
	struct prodd_slice help;	/* text; may be "" */
	unsigned label_count;
	/* names, each once: [a-zA-Z_][a-zA-Z0-9_]*, not "__..." and none of those that prodd gives: app,
	 * instance, le, overflow */
	struct prodd_slice labels[SEGMENT_LABELS_MAX];
	unsigned bucket_count;		/* of a histogram; else 0 */
	double buckets[SEGMENT_BUCKETS_MAX];	/* ascending, finite */
};

/* Whether it may be declared: -PRODD_E_USAGE names the part and what was expected ("orders_served: the name
 * of a counter must end with _total"). The library asks at declaration, the daemon again. */
int segment_check_family(const struct segment_family *family, struct prodd_error *e)
	SEGMENT_SYMBOL("check_family");

/* The same for the values of a series, as many as the family has labels: text, of at most
 * SEGMENT_LABEL_VALUE_MAX bytes each. */
int segment_check_values(const struct segment_family *family, const struct prodd_slice *values,
			 struct prodd_error *e) SEGMENT_SYMBOL("check_values");

/* Two families of different names that may not be side by side: samples of one, or its name in OpenMetrics (a
 * counter's without _total), would have a name of the other's: a histogram "x", and "x_count". */
bool segment_clash(const struct segment_family *a, const struct segment_family *b) SEGMENT_SYMBOL("clash");

/* The same in all that two declarations must agree in: type, mode, unit, labels, buckets. (Not the help.) */
bool segment_same(const struct segment_family *a, const struct segment_family *b) SEGMENT_SYMBOL("same");

/* Cells of one series of the family. */
unsigned segment_cells(const struct segment_family *family) SEGMENT_SYMBOL("cells");

#endif
