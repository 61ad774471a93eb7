/* SPDX-License-Identifier: Apache-2.0 */
/* Who declares first is right, for as long as somebody uses what was declared. */
#define HASH_NONFATAL_OOM 1	/* one that could not be added has no table */
#include "daemon/metric/registry.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/metric/labels.h"
#include "daemon/metric/metric.h"
#include "daemon/util/clock.h"

#define OVERFLOW_EVENT_MS 60000	/* no more than one event of an app in that time */

/* ---- lifecycle */

/* NAME~USER: a name that anybody may have. */
static bool is_separate(const char *name)
{
	return strchr(name, '~') != NULL;
}

static int join_tenant(struct registry *registry, uid_t uid, struct prodd_error *e)
{
	struct tenant **all = &registry->metric->tenants;
	struct tenant *tenant;

	HASH_FIND(hh, *all, &uid, sizeof uid, tenant);
	if (!tenant) {
		tenant = calloc(1, sizeof *tenant);
		if (!tenant)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "the account of a uid");
		tenant->uid = uid;
		HASH_ADD(hh, *all, uid, sizeof tenant->uid, tenant);
		if (!tenant->hh.tbl) {
			free(tenant);
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "the account of a uid");
		}
	}
	if (tenant->apps == TENANT_APPS_MAX)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "uid %u counts under %u names already",
				       (unsigned)uid, TENANT_APPS_MAX);
	tenant->apps++;
	registry->tenant = tenant;
	return 0;
}

static void leave_tenant(struct registry *registry)
{
	struct tenant *tenant = registry->tenant;

	if (!tenant)
		return;
	tenant->bytes -= registry->bytes;
	if (--tenant->apps > 0)
		return;
	HASH_DEL(registry->metric->tenants, tenant);
	free(tenant);
}

static char *render_app(const char *name)
{
	prodd_auto_buffer text = { 0 };

	labels_add(&text, prodd_slice("app"), prodd_slice(name));
	prodd_buffer_append(&text, "", 1);
	return text.failed ? NULL : strdup(text.at);
}

struct registry *registry_new(struct metric *metric, const char *name, uid_t uid, struct prodd_error *e)
{
	struct registry *registry = calloc(1, sizeof *registry);

	if (registry)
		registry->label = render_app(name);
	if (!registry || !registry->label) {
		free(registry);
		prodd_error_set(e, PRODD_E_NO_MEMORY, "the metrics of %s", name);
		return NULL;
	}
	registry->metric = metric;
	snprintf(registry->name, sizeof registry->name, "%s", name);
	if (is_separate(name) && join_tenant(registry, uid, e) < 0) {
		free(registry->label);
		free(registry);
		return NULL;
	}
	registry->number = ++metric->last_number;
	LIST_INIT(&registry->attachments);
	STAILQ_INIT(&registry->waiting);
	ledger_init(&registry->ledger, &registry_ledger_ops, metric->disk, metric->directory, metric->boot,
		    name, uid);
	if (ledger_start(&registry->ledger, metric->loop, e) < 0)
		return registry_free(registry);
	HASH_ADD_STR(metric->registries, name, registry);
	if (!registry->hh.tbl) {
		prodd_error_set(e, PRODD_E_NO_MEMORY, "the metrics of %s", name);
		return registry_free(registry);
	}
	metric->names_changed = true;
	if (!loop_timer_armed(&metric->look))
		loop_timer_arm(&metric->look, METRIC_LOOK_MS);
	return registry;
}

struct registry *registry_free(struct registry *registry)
{
	if (!registry)
		return NULL;
	registry_answer(registry);
	while (!LIST_EMPTY(&registry->attachments))
		attachment_free(LIST_FIRST(&registry->attachments));
	for (size_t i = 0; i < registry->count; i++)
		family_free(registry->families[i]);
	free(registry->families);
	ledger_clear(&registry->ledger);
	leave_tenant(registry);
	if (registry->hh.tbl)
		HASH_DEL(registry->metric->registries, registry);
	free(registry->label);
	free(registry);
	return NULL;
}

uint32_t registry_id(struct registry *registry)
{
	return ++registry->last_id;
}

/* ---- what it may take */

bool registry_charge(struct registry *registry, size_t bytes)
{
	struct tenant *tenant = registry->tenant;

	if (registry->bytes + bytes > (size_t)registry->metric->series_max * REGISTRY_BYTES_OF_SERIES)
		return false;
	if (tenant && tenant->bytes + bytes > TENANT_BYTES_MAX)
		return false;
	registry->bytes += bytes;
	if (tenant)
		tenant->bytes += bytes;
	return true;
}

void registry_discharge(struct registry *registry, size_t bytes)
{
	registry->bytes -= bytes;
	if (registry->tenant)
		registry->tenant->bytes -= bytes;
}

/* ---- families */

static size_t place_of(const struct registry *registry, struct prodd_slice name)
{
	size_t low = 0, high = registry->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prodd_slice_compare(registry->families[middle]->is.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct family *find_family(const struct registry *registry, struct prodd_slice name)
{
	size_t place = place_of(registry, name);

	if (place == registry->count || !prodd_slice_equal(registry->families[place]->is.name, name))
		return NULL;
	return registry->families[place];
}

static bool in_use(const struct family *family)
{
	if (family->users > 0)
		return true;
	for (size_t i = 0; i < family->count; i++)
		if (!LIST_EMPTY(&family->series[i]->bindings))
			return true;
	return false;
}

static size_t bytes_of(const struct family *family)
{
	size_t bytes = family->bytes;

	for (size_t i = 0; i < family->count; i++)
		bytes += family->series[i]->bytes;
	return bytes;
}

static void remove_family(struct registry *registry, struct family *family)
{
	size_t place = place_of(registry, family->is.name);

	registry->count--;
	memmove(&registry->families[place], &registry->families[place + 1],
		(registry->count - place) * sizeof *registry->families);
	registry->series -= (unsigned)family->count - (family->overflow ? 1 : 0);
	registry_discharge(registry, bytes_of(family));
	if (family->id)
		registry->ledger.stale = true;
	registry->metric->names_changed = true;
	if (registry->metric->walks == 0) {
		family_free(family);
		return;
	}
	family->next_buried = registry->metric->buried;
	registry->metric->buried = family;
}

static bool insert_family(struct registry *registry, struct family *family)
{
	size_t place = place_of(registry, family->is.name);

	if (registry->count == registry->room) {
		size_t room = registry->room ? 2 * registry->room : 16;
		struct family **families = realloc(registry->families, room * sizeof *families);

		if (!families)
			return false;
		registry->families = families;
		registry->room = room;
	}
	memmove(&registry->families[place + 1], &registry->families[place],
		(registry->count - place) * sizeof *registry->families);
	registry->families[place] = family;
	registry->count++;
	registry->metric->names_changed = true;
	return true;
}

static int conflict(const struct family *there, const char *by, const char *differs,
		    struct prodd_error *e)
{
	counters.metric_conflicts++;
	return prodd_error_set(e, PRODD_E_USAGE,
			       "%.*s: instance %s declared it first, instance %s otherwise: %s",
			       PRODD_SLICE(there->is.name), there->by, by, differs);
}

/* A family with a name that others' samples have, or the other way round. One that nobody uses gives way. */
static int make_way(struct registry *registry, const struct segment_family *is, const char *by,
		    struct prodd_error *e)
{
	char differs[SEGMENT_NAME_MAX + 64];

	for (size_t i = 0; i < registry->count; i++) {
		struct family *there = registry->families[i];

		if (!prodd_slice_equal(there->is.name, is->name) && !segment_clash(&there->is, is))
			continue;
		if (in_use(there)) {
			snprintf(differs, sizeof differs, "%.*s has samples of the same name",
				 PRODD_SLICE(is->name));
			family_differs(&there->is, is, differs, sizeof differs);
			return conflict(there, by, differs, e);
		}
		remove_family(registry, there);
		i--;
	}
	return 0;
}

static bool is_prodds(struct prodd_slice name)
{
	return name.size >= 6 && memcmp(name.at, "prodd_", 6) == 0;
}

int registry_declare(struct registry *registry, const struct segment_family *is, const char *by,
		     struct family **ret, struct prodd_error *e)
{
	struct family *family = find_family(registry, is->name);

	if (family && segment_same(&family->is, is)) {
		*ret = family;
		return 0;
	}
	if (is_prodds(is->name))
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: names that begin with prodd_ are prodd's own",
				       PRODD_SLICE(is->name));
	if (make_way(registry, is, by, e) < 0)
		return -PRODD_E_USAGE;
	if (registry->count >= REGISTRY_FAMILIES_MAX)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "%.*s: %s has %u metrics already",
				       PRODD_SLICE(is->name), registry->name, REGISTRY_FAMILIES_MAX);
	family = family_new(registry, is, by);
	if (!family)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%.*s", PRODD_SLICE(is->name));
	if (!registry_charge(registry, family->bytes)) {
		family_free(family);
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "%.*s: %s has its most bytes",
				       PRODD_SLICE(is->name), registry->name);
	}
	if (!insert_family(registry, family)) {
		registry_discharge(registry, family->bytes);
		family_free(family);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%.*s", PRODD_SLICE(is->name));
	}
	*ret = family;
	return 0;
}

/* ---- series */

static int render(const struct registry *registry, const struct family *family,
		  const struct prodd_slice *values, unsigned count, struct prodd_buffer *labels,
		  struct prodd_buffer *texts)
{
	prodd_buffer_append(labels, registry->label, strlen(registry->label));
	for (unsigned i = 0; i < count; i++) {
		labels_add(labels, family->is.labels[i], values[i]);
		prodd_pack_str(texts, values[i]);
	}
	if (count == 0 && family->is.label_count > 0)
		labels_add(labels, prodd_slice("overflow"), prodd_slice("true"));
	return labels->failed ? labels->failed : texts->failed;
}

static struct series *make_series(struct registry *registry, struct family *family, struct prodd_slice labels,
				  struct prodd_list values, uint64_t made_ns)
{
	struct series *series = series_new(family, labels, values, made_ns);

	if (!series)
		return NULL;
	if (!registry_charge(registry, series->bytes))
		return series_free(series);
	if (!family_add(family, series)) {
		registry_discharge(registry, series->bytes);
		return series_free(series);
	}
	return series;
}

void registry_overflowed(struct registry *registry, const struct family *family)
{
	uint64_t now_ms = clock_wall_ms();

	counters.metric_series_overflowed++;
	if (registry->overflow_ms && now_ms - registry->overflow_ms < OVERFLOW_EVENT_MS)
		return;
	registry->overflow_ms = now_ms;
	events_add(registry->metric->events, EVENT_METRIC_OVERFLOW, registry->name, "",
		   "%.*s: over %u series; new ones count into the one with overflow=\"true\"",
		   PRODD_SLICE(family->is.name), registry->metric->series_max);
}

/* The only series of a family is always made: there is no other to count into. */
static bool has_room(const struct registry *registry, unsigned values)
{
	return values == 0 || registry->series < registry->metric->series_max;
}

/* The series, or NULL: no room. */
static struct series *find_or_make(struct registry *registry, struct family *family,
				   const struct prodd_slice *values, unsigned count, uint64_t made_ns,
				   bool room)
{
	bool overflow = count == 0 && family->is.label_count > 0;
	prodd_auto_buffer labels = { 0 };
	prodd_auto_buffer texts = { 0 };
	struct series *series;

	if (overflow && family->overflow)
		return family->overflow;
	if (render(registry, family, values, count, &labels, &texts) < 0)
		return NULL;
	series = family_find(family, prodd_buffer_slice(&labels));
	if (series || !room)
		return series;
	series = make_series(registry, family, prodd_buffer_slice(&labels), prodd_list(&texts, count),
			     made_ns);
	if (overflow)
		family->overflow = series;
	else if (series)
		registry->series++;
	return series;
}

struct series *registry_restore_series(struct registry *registry, struct family *family,
				       const struct prodd_slice *values, unsigned count, uint64_t made_ns)
{
	return find_or_make(registry, family, values, count, made_ns, true);
}

struct series *registry_series(struct registry *registry, struct family *family,
			       const struct prodd_slice *values, unsigned count, uint64_t made_ns)
{
	struct series *series =
		find_or_make(registry, family, values, count, made_ns, has_room(registry, count));

	if (series || family->is.label_count == 0)
		return series;
	return find_or_make(registry, family, NULL, 0, made_ns, true);
}

/* ---- bindings */

struct binding *registry_bound(const struct series *series, const struct attachment *owner)
{
	struct binding *binding;

	LIST_FOREACH(binding, &series->bindings, in_series)
		if (binding->owner == owner)
			return binding;
	return NULL;
}

struct binding *registry_bind(struct registry *registry, struct series *series, struct attachment *owner)
{
	size_t bytes = binding_bytes(series->family);
	struct binding *binding = registry_bound(series, owner);

	if (binding || !registry_charge(registry, bytes))
		return binding;
	binding = binding_new(series, owner);
	if (!binding) {
		registry_discharge(registry, bytes);
		return NULL;
	}
	LIST_INSERT_HEAD(&series->bindings, binding, in_series);
	LIST_INSERT_HEAD(&owner->bindings, binding, in_owner);
	return binding;
}

void registry_unbind(struct registry *registry, struct binding *binding)
{
	LIST_REMOVE(binding, in_series);
	LIST_REMOVE(binding, in_owner);
	registry_discharge(registry, binding_bytes(binding->series->family));
	registry->dirty = true;
	binding_free(binding);
}

/* ---- what nobody needs */

static void sweep_series(struct registry *registry, struct family *family)
{
	for (size_t i = family->count; i-- > 0;) {
		struct series *series = family->series[i];

		if (!LIST_EMPTY(&series->bindings))
			continue;
		registry->series -= series != family->overflow;
		registry_discharge(registry, series->bytes);
		family_remove(family, series);
		series_free(series);
	}
}

/* One that has never been on record: its name may go back to its uid. */
static bool is_empty(const struct registry *registry)
{
	const struct ledger *ledger = &registry->ledger;

	return registry->count == 0 && LIST_EMPTY(&registry->attachments) &&
	       STAILQ_EMPTY(&registry->waiting) && ledger->stage == LEDGER_RESTS &&
	       !ledger->books[ledger->current].at && !ledger->foreign;
}

void registry_sweep(struct registry *registry)
{
	if (is_empty(registry) && registry->metric->walks == 0) {
		registry_free(registry);
		return;
	}
	if (!registry->dirty || registry->metric->walks > 0)
		return;
	registry->dirty = false;
	for (size_t i = registry->count; i-- > 0;) {
		struct family *family = registry->families[i];

		if (family->is.type == SEGMENT_GAUGE)
			sweep_series(registry, family);
		if (family->count == 0 && family->users == 0)
			remove_family(registry, family);
	}
}
