/* SPDX-License-Identifier: Apache-2.0 */
/* What is over a limit here is over it in the eyes of segment_check_family() too: it says so. */
#include "client/metric_declare.h"

#include "client/handle.h"

static unsigned at_most(size_t count, unsigned most)
{
	return count > most ? most + 1 : (unsigned)count;
}

struct prodd_family *prodd_metric_declare(struct prodd *p, const struct prodd_declaration *d)
{
	struct segment_family is = {
		.type = d->type,
		.mode = d->mode,
		.name = prodd_slice(d->name ? d->name : ""),
		.help = prodd_slice(d->help ? d->help : ""),
		.label_count = at_most(d->labels ? d->label_count : 0, SEGMENT_LABELS_MAX),
		.bucket_count = at_most(d->bounds ? d->bound_count : 0, SEGMENT_BUCKETS_MAX),
	};

	if (!p)
		return NULL;
	prodd_handle_look(p);
	for (unsigned i = 0; i < is.label_count && i < SEGMENT_LABELS_MAX; i++)
		is.labels[i] = prodd_slice(d->labels[i] ? d->labels[i] : "");
	for (unsigned i = 0; i < is.bucket_count && i < SEGMENT_BUCKETS_MAX; i++)
		is.buckets[i] = d->bounds[i];
	return prodd_family_declare(p->metrics, &is, d->place);
}

int prodd_metric_unit(struct prodd *p, const char *name, const char *unit)
{
	if (!p)
		return 0;
	if (!name || !unit)
		return -PRODD_E_USAGE;
	prodd_handle_look(p);
	return prodd_units_add(p->metrics, name, unit);
}
