/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry as records of its ledger: counters and histograms; gauges end
 * with their process and are not kept.  What a record refers to is on record before it.
 */
#include "daemon/core/counters.h"
#include "daemon/metric/registry.h"
#include "daemon/util/container.h"
#include "proto/codec.h"

typedef bool entering(struct ledger *ledger, struct ledger_slot *slot, struct book_record record,
		      const void *body, const uint64_t *cells);

static bool enter(struct ledger *ledger, struct ledger_slot *slot, struct book_record record,
		  const void *body, const uint64_t *cells)
{
	ledger_enter(ledger, slot, record, body, cells);
	return true;
}

static bool is_kept(const struct family *family)
{
	return family->is.type != SEGMENT_GAUGE;
}

/* ---- each kind of record */

static bool family_record(struct ledger *ledger, struct family *family, entering *put)
{
	prodd_auto_buffer body = { 0 };

	if (family_encode(&family->is, &body) < 0)
		return false;
	return put(ledger, &family->slot,
		   (struct book_record){ .kind = BOOK_FAMILY, .id = family->id, .body = (uint16_t)body.size },
		   body.at, NULL);
}

static bool series_record(struct ledger *ledger, struct series *series, entering *put)
{
	prodd_auto_buffer body = { 0 };
	unsigned words = family_words(series->family);
	uint64_t cells[SERIES_WORDS_MAX + 1];

	memcpy(cells, series->folded, words * sizeof *cells);
	cells[words] = series_bits(series->shown);
	if (prodd_encode(&body, &wire_record_push_series,
			 &(struct wire_push_series){ .labels = series->values }) < 0)
		return false;
	return put(ledger, &series->slot,
		   (struct book_record){
			   .kind = BOOK_SERIES,
			   .flags = series == series->family->overflow ? BOOK_OVERFLOW : 0,
			   .id = series->id,
			   .of = series->family->id,
			   .cells = (uint16_t)(words + 1),
			   .body = (uint16_t)body.size,
			   .made_ns = series->created_ns,
		   },
		   body.at, cells);
}

static bool attachment_record(struct ledger *ledger, struct attachment *attachment, entering *put)
{
	struct book_segment body = { .pid = (uint64_t)attachment->pid, .start = attachment->start };

	memcpy(body.uuid, attachment->uuid, sizeof body.uuid);
	memcpy(body.instance, attachment->instance, sizeof attachment->instance);
	return put(ledger, &attachment->slot,
		   (struct book_record){
			   .kind = BOOK_SEGMENT,
			   .flags = attachment->state == ATTACHMENT_PUSHED ? BOOK_PUSHED : 0,
			   .id = attachment->id,
			   .body = sizeof body,
		   },
		   &body, NULL);
}

static bool binding_record(struct ledger *ledger, struct binding *binding, entering *put)
{
	return put(ledger, &binding->slot,
		   (struct book_record){
			   .kind = BOOK_READING,
			   .of = binding->owner->id,
			   .with = binding->series->id,
			   .cells = (uint16_t)family_words(binding->series->family),
		   },
		   NULL, binding->last);
}

/* ---- one by one, as they come */

void registry_record_attachment(struct registry *registry, struct attachment *attachment)
{
	attachment_record(&registry->ledger, attachment, enter);
}

static bool record_family(struct ledger *ledger, struct family *family)
{
	if (family->id == 0) {
		family->id = registry_id(family->registry);
		family_record(ledger, family, enter);
	}
	return ledger_holds(ledger, &family->slot);
}

static bool record_series(struct ledger *ledger, struct series *series)
{
	if (!record_family(ledger, series->family))
		return false;
	if (series->id == 0) {
		series->id = registry_id(series->family->registry);
		series_record(ledger, series, enter);
	}
	return ledger_holds(ledger, &series->slot);
}

void registry_record_binding(struct registry *registry, struct binding *binding)
{
	struct ledger *ledger = &registry->ledger;

	if (!is_kept(binding->series->family))
		return;
	if (record_series(ledger, binding->series) && ledger_holds(ledger, &binding->owner->slot))
		binding_record(ledger, binding, enter);
	else
		ledger_renew(ledger);
}

/* ---- all at once */

static uint64_t needs(struct ledger *ledger)
{
	const struct registry *registry = container_of(ledger, struct registry, ledger);
	const struct attachment *attachment;
	const struct binding *binding;
	uint64_t bytes = 0;

	for (size_t i = 0; i < registry->count; i++) {
		const struct family *family = registry->families[i];

		bytes += is_kept(family) ? book_needs(SEGMENT_ENTRY_MAX, 0) : 0;
		for (size_t j = 0; j < family->count && is_kept(family); j++)
			bytes += book_needs(family->series[j]->values.size + 16, family_words(family) + 1);
	}
	LIST_FOREACH(attachment, &registry->attachments, link) {
		bytes += book_needs(sizeof(struct book_segment), 0);
		LIST_FOREACH(binding, &attachment->bindings, in_owner)
			bytes += book_needs(0, family_words(binding->series->family));
	}
	return bytes;
}

/* Records that may still be entered in this slice. */
struct slice {
	struct ledger *ledger;
	int left;
	bool full;			/* the new book has no room */
};

/* Is it to be entered now? */
static bool wants(struct slice *slice, const struct ledger_slot *slot)
{
	return slice->left > 0 && !slice->full && !ledger_filled(slice->ledger, slot);
}

static void entered(struct slice *slice, bool good)
{
	slice->left--;
	slice->full = slice->full || !good;
}

static void fill_family(struct slice *slice, struct family *family)
{
	if (family->id == 0)
		family->id = registry_id(family->registry);
	if (wants(slice, &family->slot))
		entered(slice, family_record(slice->ledger, family, ledger_fill));
	for (size_t i = 0; i < family->count && slice->left > 0 && !slice->full; i++) {
		struct series *series = family->series[i];

		if (series->id == 0)
			series->id = registry_id(family->registry);
		if (wants(slice, &series->slot))
			entered(slice, series_record(slice->ledger, series, ledger_fill));
	}
}

static void fill_attachment(struct slice *slice, struct attachment *attachment)
{
	struct binding *binding;

	if (wants(slice, &attachment->slot))
		entered(slice, attachment_record(slice->ledger, attachment, ledger_fill));
	LIST_FOREACH(binding, &attachment->bindings, in_owner) {
		if (slice->left == 0 || slice->full)
			return;
		if (is_kept(binding->series->family) && wants(slice, &binding->slot))
			entered(slice, binding_record(slice->ledger, binding, ledger_fill));
	}
}

/* From the beginning each time: what has come since may be what others refer to. */
static int fill(struct ledger *ledger, int budget)
{
	struct registry *registry = container_of(ledger, struct registry, ledger);
	struct slice slice = { ledger, budget, false };
	struct attachment *attachment;

	for (size_t i = 0; i < registry->count; i++)
		if (is_kept(registry->families[i]))
			fill_family(&slice, registry->families[i]);
	LIST_FOREACH(attachment, &registry->attachments, link)
		if (attachment->state != ATTACHMENT_SETS)
			fill_attachment(&slice, attachment);
	return slice.full ? -1 : budget - slice.left;
}

static void replaced(struct ledger *ledger)
{
	struct registry *registry = container_of(ledger, struct registry, ledger);

	registry_fold(registry);
	if (!ledger->again)
		registry_answer(registry);
}

const struct ledger_ops registry_ledger_ops = {
	.needs = needs,
	.fill = fill,
	.replaced = replaced,
};

/* ---- what is on record */

bool registry_tells(const struct registry *registry, const struct series *series)
{
	return !is_kept(series->family) || ledger_has(&registry->ledger, &series->slot);
}

bool registry_tells_binding(const struct registry *registry, const struct binding *binding)
{
	if (!is_kept(binding->series->family))
		return attachment_shows_gauges(binding->owner);
	return ledger_has(&registry->ledger, &binding->slot);
}

static bool all_on_record(const struct registry *registry, const struct attachment *attachment)
{
	const struct binding *binding;

	LIST_FOREACH(binding, &attachment->bindings, in_owner)
		if (!registry_tells_binding(registry, binding))
			return false;
	return true;
}

/* In memory at once; the ledger, which has the same sum until then, at its next renewal. */
static void fold(struct registry *registry, struct attachment *attachment)
{
	struct binding *binding;

	while ((binding = LIST_FIRST(&attachment->bindings))) {
		if (is_kept(binding->series->family))
			series_add_words(binding->series->family, binding->series->folded, binding->last);
		registry_unbind(registry, binding);
	}
	registry->ledger.stale = true;
	counters.metric_segments_folded++;
	attachment_free(attachment);
}

void registry_fold(struct registry *registry)
{
	struct attachment *attachment, *next;

	if (registry->ledger.stage == LEDGER_FILLS)
		return;		/* a series may be in the new book already, and the attachment not yet */
	for (attachment = LIST_FIRST(&registry->attachments); attachment; attachment = next) {
		next = LIST_NEXT(attachment, link);
		if (attachment->state == ATTACHMENT_DEAD && all_on_record(registry, attachment))
			fold(registry, attachment);
	}
}
