/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics that a test has thought up, given out as the registry gives its own. */
#ifndef PRODD_TESTS_FAKE_SOURCE_H
#define PRODD_TESTS_FAKE_SOURCE_H

#include "daemon/metric/sample.h"

struct fake_family {
	struct metric_family family;
	const struct metric_sample *samples;
	unsigned count;
	/* Instead of `samples`, for many: writes the one at `index`. */
	void (*make)(unsigned index, struct metric_sample *ret);
};

struct fake_source {
	struct metric_source source;
	const struct fake_family *families;	/* sorted by name */
	unsigned count;
	unsigned walks;				/* open now */
	unsigned begun;				/* in all */
	unsigned syncs;
	bool no_memory;				/* begin() fails */
};

void fake_source_init(struct fake_source *source, const struct fake_family *families, unsigned count);

#define FAKE(type_, name_, unit_, help_) \
	{ .name = { name_, sizeof name_ - 1 }, .unit = { unit_, sizeof unit_ - 1 }, \
	  .help = { help_, sizeof help_ - 1 }, .type = METRIC_##type_ }
#define FAKE_LABELS(text) .labels = { text, sizeof text - 1 }

#endif
