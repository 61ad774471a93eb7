/* SPDX-License-Identifier: Apache-2.0 */
/* Life of what a handle counts. */
#include "client/metric.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/metric_family.h"
#include "client/metric_series.h"

static void make_dead(struct prodd_metrics *m, enum segment_type type)
{
	struct prodd_dead *dead = &m->dead[type];

	dead->family.metrics = m;
	dead->family.is.type = type;
	dead->family.dead = true;
	dead->series.family = &dead->family;
	prodd_series_bind(&dead->series, m->nowhere, 0, 1, &m->nowhere[0]);
}

static void init_locks(struct prodd_metrics *m)
{
	pthread_mutex_init(&m->opening, NULL);
	pthread_mutex_init(&m->lock, NULL);
}

struct prodd_metrics *prodd_metrics_new(struct prodd_messages *messages)
{
	struct prodd_metrics *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->messages = messages;
	init_locks(m);
	make_dead(m, SEGMENT_COUNTER);
	make_dead(m, SEGMENT_GAUGE);
	make_dead(m, SEGMENT_HISTOGRAM);
	return m;
}

void prodd_metrics_end(struct prodd_metrics *m)
{
	if (!m || !m->segment.region.at)
		return;
	prodd_region_own(&m->segment.region);
	atomic_store_explicit(&m->segment.segment.head->closed, 1, memory_order_release);
}

void prodd_metrics_free(struct prodd_metrics *m)
{
	struct prodd_metric_entry *entry;

	if (!m)
		return;
	prodd_metric_segment_free(&m->segment);
	while ((entry = m->first)) {
		m->first = entry->next;
		free(entry);
	}
	prodd_units_clear(&m->units);
	free(m->chains);
	pthread_mutex_destroy(&m->lock);
	pthread_mutex_destroy(&m->opening);
	free(m);
}

void prodd_metrics_append(struct prodd_metrics *m, struct prodd_metric_entry *entry)
{
	if (m->last)
		m->last->next = entry;
	else
		m->first = entry;
	m->last = entry;
}

/* ---- in a forked child */

/* Tells the fresh segment what was declared. There was room before, and every series has the cells it had. */
static void tell_again(struct prodd_metrics *m, struct prodd_metric_entry *entry)
{
	struct prodd_series *series;

	if (entry->is_family) {
		segment_add_family(&m->segment.segment, &((struct prodd_family *)entry)->is);
		return;
	}
	series = (struct prodd_series *)entry;
	segment_add_series(&m->segment.segment, series->family->number, &series->family->is, series->values);
	if (series->is_overflow) {
		atomic_store_explicit(&series->family->overflow, series, memory_order_release);
		return;
	}
	m->series_count++;
	prodd_series_link(m, series);
}

static struct prodd_metrics *metrics_of(struct prodd_region *region)
{
	char *segment = (char *)region - offsetof(struct prodd_metric_segment, region);

	return (void *)(segment - offsetof(struct prodd_metrics, segment));
}

static void hold(struct prodd_region *region)
{
	pthread_mutex_lock(&metrics_of(region)->lock);
}

static void release(struct prodd_region *region)
{
	pthread_mutex_unlock(&metrics_of(region)->lock);
}

static void renewed(struct prodd_region *region)
{
	struct prodd_metrics *m = metrics_of(region);

	prodd_metric_segment_renew(&m->segment);
	prodd_series_unlink(m);
	m->series_count = 0;
	m->last = NULL;
	for (struct prodd_metric_entry *entry = m->first; entry; entry = entry->next) {
		tell_again(m, entry);
		m->last = entry;
	}
}

/* Threads that may have held a lock do not exist here. A segment that one was making is left behind. */
void prodd_metrics_own(struct prodd_metrics *m)
{
	bool is_open = atomic_load(&m->is_open);

	atomic_store(&m->poller, NULL);
	if (!is_open || m->segment.region.pid != getpid())
		init_locks(m);
	if (is_open)
		prodd_region_own(&m->segment.region);
	else
		m->segment = (struct prodd_metric_segment){ .region.at = NULL };
}

/* ---- opening */

static int make(struct prodd_metrics *m, struct prodd_error *e)
{
	if (!m->chains)
		m->chains = calloc(PRODD_SERIES_CHAINS, sizeof *m->chains);
	if (!m->chains)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "metrics");
	m->segment.region.renewed = renewed;
	m->segment.region.hold = hold;
	m->segment.region.release = release;
	return prodd_metric_segment_make(&m->segment, e);
}

int prodd_metrics_open(struct prodd_metrics *m, struct prodd_error *e)
{
	const struct prodd_poller *poller;
	int r = 0;

	if (atomic_load_explicit(&m->is_open, memory_order_acquire))
		return 0;
	pthread_mutex_lock(&m->opening);
	if (!atomic_load(&m->is_open)) {
		r = make(m, e);
		atomic_store_explicit(&m->is_open, r == 0, memory_order_release);
	}
	pthread_mutex_unlock(&m->opening);
	poller = atomic_load(&m->poller);
	if (r == 0 && poller)
		prodd_poller_wake(poller);
	return r;
}
