/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a segment: new entries are taken in, within a budget.  It is
 * believed in nothing; what is wrong with it is told to operators, a few times,
 * and counted.
 */
#include "daemon/metric/attachment.h"

#include <stdio.h>

#include "daemon/core/counters.h"
#include "daemon/metric/metric.h"
#include "daemon/util/clock.h"

#define REFUSED_MAX 1000000000u

static void tell(struct attachment *a, enum event_kind kind, const char *text)
{
	struct metric *metric = a->registry->metric;

	if (a->told++ < ATTACHMENT_TOLD_MAX)
		events_add(metric->events, kind, a->registry->name, a->instance, "%s", text);
}

static bool add_family(struct attachment *a, struct family *family)
{
	if (a->family_count == a->family_room) {
		unsigned room = a->family_room ? 2 * a->family_room : 8;
		struct family **families;

		if (!registry_charge(a->registry, (room - a->family_room) * sizeof *families))
			return false;
		families = realloc(a->families, room * sizeof *families);
		if (!families) {
			registry_discharge(a->registry, (room - a->family_room) * sizeof *families);
			return false;
		}
		a->families = families;
		a->family_room = room;
	}
	a->families[a->family_count++] = family;
	return true;
}

static void take_family(struct attachment *a, const struct segment_read *read)
{
	struct family *family = NULL;
	struct prodd_error e;

	if (a->family_count >= ATTACHMENT_FAMILIES_MAX)
		return;
	if (registry_declare(a->registry, &read->family, a->instance, &family, &e) < 0) {
		counters.metric_families_refused++;
		a->refused_families++;
		a->registry->refused_ms = clock_wall_ms();
		memcpy(a->registry->refusal, e.text, sizeof e.text);
		tell(a, EVENT_METRIC_REFUSED, e.text);
	}
	if (!add_family(a, family))
		a->damaged = true;	/* the numbers of those that come would be others */
	else if (family)
		family->users++;
}

/* When it began, by its own word if that can be. */
static uint64_t began_ns(const struct attachment *a)
{
	uint64_t now_ms = clock_wall_ms(), made_ms = a->segment.made_ns / 1000000;

	return made_ms <= now_ms && made_ms + clock_boot_ms() >= now_ms ? a->segment.made_ns
									: now_ms * 1000000;
}

/* What counted into the overflow series before prodd's restart does so now, even if there is room: it is in
 * there. */
static struct series *series_for(struct attachment *a, struct family *family, const struct segment_read *read)
{
	struct series *series =
		registry_series(a->registry, family, read->values, read->entry.labels, began_ns(a));

	if (!series || !a->restored || !family->overflow || registry_bound(series, a))
		return series;
	return registry_bound(family->overflow, a) ? family->overflow : series;
}

static void refuse(struct attachment *a, const struct family *family, const char *why)
{
	char text[SEGMENT_NAME_MAX + 128];

	counters.metric_entries_refused++;
	if (!family)
		return;		/* was told when it was declared */
	snprintf(text, sizeof text, "%.*s: %s", PRODD_SLICE(family->is.name), why);
	tell(a, EVENT_METRIC_REFUSED, text);
}

static void take_series(struct attachment *a, const struct segment_read *read)
{
	struct family *family = read->entry.family < a->family_count ? a->families[read->entry.family] : NULL;
	struct binding *binding = NULL;
	struct series *series;

	if (!family || !segment_suits(&read->entry, &family->is)) {
		refuse(a, family, "a series is not as its family was declared");
		return;
	}
	if (family->is.type == SEGMENT_GAUGE && a->ending)
		return;
	series = series_for(a, family, read);
	if (series)
		binding = registry_bind(a->registry, series, a);
	if (!binding || !binding_place(binding, read->entry.cell)) {
		refuse(a, family, "the app has its most bytes");
		return;
	}
	if (series == family->overflow)
		registry_overflowed(a->registry, family);
	if (binding->places == 1 && binding->slot.at[0] == 0 && binding->slot.at[1] == 0)
		registry_record_binding(a->registry, binding);
}

/* What its own library refused. More than ever happens in a look is a lie. */
static uint64_t more(uint64_t *last, const _Atomic uint64_t *word)
{
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed);
	uint64_t more = now > *last && now - *last < REFUSED_MAX ? now - *last : 0;

	*last = now;
	return more;
}

static void read_head(struct attachment *a)
{
	counters.metric_series_refused += more(&a->refused, &a->segment.head->refused);
	counters.metric_values_refused += more(&a->not_a_number, &a->segment.head->not_a_number);
}

unsigned attachment_look(struct attachment *a, unsigned budget)
{
	unsigned char copy[SEGMENT_ENTRY_MAX];
	struct segment_read read;
	struct prodd_error e;
	unsigned done = 0;
	int r = 0;

	if (a->state != ATTACHMENT_LIVES)
		return 0;
	read_head(a);
	for (; done < budget && !a->damaged && (r = segment_next(&a->segment, copy, &read, &e)) > 0; done++) {
		if (read.entry.kind == SEGMENT_FAMILY)
			take_family(a, &read);
		else
			take_series(a, &read);
	}
	if (r < 0) {
		a->damaged = true;
		counters.metric_directories_damaged++;
		tell(a, EVENT_METRIC_DAMAGED, e.text);
	}
	if (a->ending && (a->damaged || r == 0) && done < budget)
		attachment_die(a);
	return done;
}
