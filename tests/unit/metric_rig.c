/* SPDX-License-Identifier: Apache-2.0 */
/* The disk thread of daemon/core/disk.h is a list here. */
#define _GNU_SOURCE
#include "tests/unit/metric_rig.h"

#include <stdio.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "tests/unit/remove.h"

struct rig rig;

static STAILQ_HEAD(, disk_job) jobs = STAILQ_HEAD_INITIALIZER(jobs);
static struct disk_job *running;

void disk_submit(struct disk *disk, struct disk_job *job)
{
	(void)disk;
	ck_assert(!job->queued);
	job->queued = true;
	STAILQ_INSERT_TAIL(&jobs, job, link);
}

bool rig_disk_step(void)
{
	struct disk_job *job = running;

	if (job) {
		running = NULL;
		job->queued = false;
		job->done(job);
		return true;
	}
	running = STAILQ_FIRST(&jobs);
	if (!running)
		return false;
	STAILQ_REMOVE_HEAD(&jobs, link);
	running->run(running);
	return true;
}

static bool is_filled(void)
{
	struct registry *registry, *next;
	bool filled = false;

	HASH_ITER(hh, rig.metric->registries, registry, next)
		filled |= registry->ledger.stage == LEDGER_FILLS;
	return filled;
}

/* A turn of the loop, for the slices that a book is filled in. */
bool rig_turn(void)
{
	if (!is_filled())
		return false;
	event_base_loop(rig.loop.base, EVLOOP_NONBLOCK);
	return true;
}

void rig_disk(void)
{
	while (rig_disk_step() || rig_turn())
		;
}

/* ---- prodd */

void rig_start(void)
{
	struct prodd_error e = { 0 };
	int r = metric_new(&rig.metric, &rig.loop, NULL, rig.events, &rig.mappings, &rig.places,
			   rig.series_max, &e);

	ck_assert_msg(r == 0, "%s", e.text);
	metric_look(rig.metric);
}

void rig_stop(void)
{
	rig_disk();
	rig.metric = metric_free(rig.metric);
}

void rig_crash(void)
{
	struct registry *registry, *next;
	struct attachment *a;

	if (running && running->done)
		running = NULL;
	STAILQ_INIT(&jobs);
	HASH_ITER(hh, rig.metric->registries, registry, next)
		LIST_FOREACH(a, &registry->attachments, link)
			if (a->state == ATTACHMENT_LIVES)
				a->state = ATTACHMENT_ABSENT;
	rig.metric = metric_free(rig.metric);
}

void rig_set_up(void)
{
	struct prodd_error e;

	snprintf(rig.state, sizeof rig.state, "/tmp/prodd-metric-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig.state));
	rig.places.state = rig.state;
	rig.series_max = 0;
	running = NULL;
	STAILQ_INIT(&jobs);
	counters = (struct counters){ 0 };
	ck_assert_int_eq(loop_init(&rig.loop, &e), 0);
	ck_assert_int_eq(events_new(&rig.events, &rig.loop, &e), 0);
	rig_start();
}

void rig_tear_down(void)
{
	if (rig.metric)
		rig_stop();
	rig.events = events_free(rig.events);
	loop_clear(&rig.loop);
	clock_test_set(0);
	remove_tree(rig.state);
}

struct registry *rig_registry(const char *app)
{
	struct prodd_error e = { 0 };
	struct registry *registry = metric_registry(rig.metric, app, 1000, &e);

	ck_assert_msg(registry != NULL, "%s", e.text);
	return registry;
}

/* ---- processes */

void process_start(struct process *p, const char *instance)
{
	static uint8_t last;
	uint64_t size = segment_size(65536, RIG_CELLS, RIG_SHARDS);

	*p = (struct process){ .memory = aligned_alloc(4096, size) };
	memset(p->memory, 0, size);
	memset(p->uuid, ++last, sizeof p->uuid);
	snprintf(p->instance, sizeof p->instance, "%s", instance);
	segment_make(&p->writer, p->memory, 65536, RIG_CELLS, RIG_SHARDS, p->uuid, 0,
		     clock_wall_ms() * 1000000);
}

void process_attach(struct process *p, const char *app)
{
	struct registry *registry = rig_registry(app);
	struct attachment *a = attachment_find(registry, p->uuid);
	struct prodd_error e;
	uint8_t uuid[16];

	if (a) {
		ck_assert_int_eq(a->state, ATTACHMENT_ABSENT);
		a->state = ATTACHMENT_LIVES;
		a->restored = true;
	} else {
		a = attachment_new(registry, ATTACHMENT_LIVES, p->instance);
		ck_assert_ptr_nonnull(a);
		memcpy(a->uuid, p->uuid, sizeof a->uuid);
		a->id = registry_id(registry);
		registry_record_attachment(registry, a);
	}
	ck_assert_int_eq(segment_attach(&a->segment, p->memory, segment_size(65536, RIG_CELLS, RIG_SHARDS),
					uuid, &e),
			 0);
	a->lost_ms = clock_monotonic_ms();
	p->attachment = a;
	metric_look(rig.metric);
}

void process_end(struct process *p)
{
	attachment_end(p->attachment);
	metric_look(rig.metric);
	p->attachment = NULL;
}

void process_free(struct process *p)
{
	free(p->memory);
	p->memory = NULL;
}

int64_t process_family(struct process *p, struct segment_family is)
{
	int64_t number = segment_add_family(&p->writer, &is);

	ck_assert_int_ge(number, 0);
	return number;
}

_Atomic uint64_t *process_series(struct process *p, int64_t number, const struct segment_family *is,
				 const char *const *values)
{
	struct prodd_slice slices[SEGMENT_LABELS_MAX];
	int64_t cell;

	for (unsigned i = 0; i < is->label_count && values; i++)
		slices[i] = prodd_slice(values[i]);
	cell = segment_add_series(&p->writer, (uint32_t)number, is,
				  is->label_count && values ? slices : NULL);
	ck_assert_int_ge(cell, 0);
	return segment_cell(&p->writer, (uint32_t)cell);
}

_Atomic uint64_t *process_counter(struct process *p, const char *name)
{
	struct segment_family is = { .type = SEGMENT_COUNTER, .name = prodd_slice(name) };

	return process_series(p, process_family(p, is), &is, NULL);
}

_Atomic uint64_t *process_gauge(struct process *p, const char *name, enum segment_mode mode)
{
	struct segment_family is = { .type = SEGMENT_GAUGE, .mode = mode, .name = prodd_slice(name) };

	return process_series(p, process_family(p, is), &is, NULL);
}

void process_set(_Atomic uint64_t *cell, double value, uint64_t at_ns)
{
	cell[0] = series_bits(value);
	cell[1] = at_ns;
}

_Atomic uint64_t *process_shard(const struct process *p, _Atomic uint64_t *cell, unsigned shard)
{
	return cell + (size_t)shard * p->writer.cells;
}

/* ---- what is told */

static bool find_sample(struct metric_walk *walk, const char *name, const char *labels,
			struct metric_sample *ret)
{
	const struct metric_source_ops *ops = walk->source->ops;
	struct metric_family family;
	bool found = false;

	while (!found && ops->family(walk, &family))
		while (prodd_slice_is(family.name, name) && !found && ops->sample(walk, ret))
			found = prodd_slice_is(ret->labels, labels);
	return found;
}

bool rig_sample(const char *app, const char *name, const char *labels, struct metric_sample *ret)
{
	static uint64_t buckets[SERIES_WORDS_MAX];
	struct metric_walk *walk = metric_source_ops.begin(&rig.metric->source, prodd_slice(app));
	char all[1024];
	bool found;

	ck_assert_ptr_nonnull(walk);
	snprintf(all, sizeof all, labels && *labels ? "app=\"%s\",%s" : "app=\"%s\"%.0s", app,
		 labels ? labels : "");
	found = find_sample(walk, name, all, ret);
	if (found && ret->buckets) {
		memcpy(buckets, ret->buckets, (ret->bound_count + 1) * sizeof *buckets);
		ret->buckets = buckets;
	}
	metric_source_ops.sync(walk);
	metric_source_ops.end(walk);
	return found;
}

uint64_t rig_count(const char *app, const char *name, const char *labels)
{
	struct metric_sample sample;

	ck_assert_msg(rig_sample(app, name, labels, &sample), "no %s of %s {%s}", name, app,
		      labels ? labels : "");
	return sample.count;
}

double rig_value(const char *app, const char *name, const char *labels)
{
	struct metric_sample sample;

	ck_assert_msg(rig_sample(app, name, labels, &sample), "no %s of %s {%s}", name, app,
		      labels ? labels : "");
	return sample.value;
}
