/* SPDX-License-Identifier: Apache-2.0 */
/* The end of logging: who has what, and what becomes of what nobody has. */
#include "client/log.h"

#include <time.h>

#include "client/clock.h"
#include "client/handle.h"

enum { finish_ms = 250, step_ms = 1 };

/* Records are where the daemon has not got them. */
static bool is_unfinished(struct prodd_rings *rings)
{
	for (unsigned i = 0; i < rings->count; i++)
		if (atomic_load(&rings->rings[i].reader) != PRODD_READ_BY_DAEMON &&
		    ring_fill(&rings->rings[i].ring) > 0)
			return true;
	return false;
}

/* There is a session, or it is not known yet that there can be none. */
static bool is_hopeful(struct prodd *p)
{
	struct prodd_standing standing;

	prodd_status_get(&p->status, &standing);
	return standing.connected || standing.contact.code == PRODD_OK;
}

static void turn(struct prodd *p)
{
	struct timespec pause = { .tv_nsec = step_ms * PRODD_NS_PER_MS };
	struct prodd_error ignored;

	if (p->settings.own_loop && prodd_engine_enter(p->engine)) {
		prodd_engine_turn(p->engine, step_ms, &ignored);
		prodd_engine_exit(p->engine);
	} else {
		nanosleep(&pause, NULL);
	}
}

void prodd_log_finish(struct prodd *p)
{
	int64_t deadline_ns = prodd_clock_after_ms(finish_ms);

	prodd_log_sync_close(&p->log.sync);
	while (is_unfinished(&p->log.rings) && is_hopeful(p) && prodd_clock_ns() < deadline_ns)
		turn(p);
}

void prodd_log_close(struct prodd *p)
{
	struct prodd_rings *rings = &p->log.rings;

	if (!prodd_link_is_up(&p->engine->link))
		prodd_rings_left(rings);
	prodd_rest_save(rings, p->surroundings.cache, p->settings.app, p->messages);
	for (unsigned i = 0; i < rings->count; i++)
		atomic_store(&rings->rings[i].ring.head->closed, 1);
	prodd_poller_ring(&p->engine->poller, atomic_load(&rings->wake));
	prodd_rings_hang_up(rings);
}
