/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member is in the list from rollout_add() to the next rollout_clear().
 * done() is only ever called from a timer, when the rollout is sealed and
 * nobody is waited for.
 */
#include "daemon/core/rollout.h"

#include "daemon/util/clock.h"
#include "daemon/util/container.h"

static void settle(struct rollout *rollout)
{
	if (rollout->sealed && rollout->waiting == 0 && !loop_timer_armed(&rollout->settled))
		loop_timer_soon(&rollout->settled);
}

static void mark_silent(struct rollout *rollout)
{
	struct rollout_member *member;

	TAILQ_FOREACH(member, &rollout->members, link) {
		if (member->outcome != ROLLOUT_WAITING)
			continue;
		member->outcome = ROLLOUT_SILENT;
		outcall_cancel(&member->outcall);
	}
	rollout->waiting = 0;
}

static void settled(struct loop_timer *timer)
{
	struct rollout *rollout = container_of(timer, struct rollout, settled);

	if (rollout->waiting > 0) {
		if (loop_timer_armed(&rollout->deadline))
			return;		/* somebody joined meanwhile */
		mark_silent(rollout);	/* somebody joined too late */
	}
	loop_timer_disarm(&rollout->deadline);
	rollout->sealed = false;
	rollout->done(rollout);
}

static void deadline_passed(struct loop_timer *timer)
{
	struct rollout *rollout = container_of(timer, struct rollout, deadline);

	mark_silent(rollout);
	settle(rollout);
}

static void member_done(struct outcall *outcall, const struct prodd_message *answer)
{
	struct rollout_member *member = container_of(outcall, struct rollout_member, outcall);
	struct rollout *rollout = member->rollout;

	rollout->waiting--;
	member->elapsed_us = clock_monotonic_us() - rollout->started_us;
	member->outcome = ROLLOUT_GONE;
	if (answer)
		member->outcome = rollout->answered(rollout, member, answer) < 0 ? ROLLOUT_FAILED : ROLLOUT_ANSWERED;
	settle(rollout);
}

int rollout_init(struct rollout *rollout, struct loop *loop, struct prodd_error *e)
{
	int r;

	TAILQ_INIT(&rollout->members);
	rollout->loop = loop;
	rollout->waiting = 0;
	rollout->sealed = false;
	r = loop_timer_init(&rollout->deadline, loop, deadline_passed, e);
	return r < 0 ? r : loop_timer_init(&rollout->settled, loop, settled, e);
}

static void let_go(struct rollout *rollout, struct rollout_member *member)
{
	outcall_cancel(&member->outcall);
	TAILQ_REMOVE(&rollout->members, member, link);
	if (member->outcome == ROLLOUT_WAITING)
		rollout->waiting--;
	member->rollout = NULL;
}

void rollout_clear(struct rollout *rollout)
{
	if (!rollout->loop)
		return;
	loop_timer_disarm(&rollout->deadline);
	loop_timer_disarm(&rollout->settled);
	while (!TAILQ_EMPTY(&rollout->members))
		let_go(rollout, TAILQ_FIRST(&rollout->members));
	rollout->sealed = false;
}

void rollout_add(struct rollout *rollout, struct rollout_member *member, struct session *session,
		 enum wire_method method, const void *params, const char *last, struct shared *tail)
{
	if (member->rollout)
		let_go(member->rollout, member);
	if (TAILQ_EMPTY(&rollout->members) && !rollout->sealed)
		rollout->started_us = clock_monotonic_us();
	member->rollout = rollout;
	member->outcome = ROLLOUT_WAITING;
	member->elapsed_us = 0;
	member->outcall = (struct outcall){ .done = member_done };
	TAILQ_INSERT_TAIL(&rollout->members, member, link);
	if (session_call(session, &member->outcall, method, params, last, tail) < 0)
		member->outcome = ROLLOUT_GONE;
	else
		rollout->waiting++;
}

void rollout_start(struct rollout *rollout, uint64_t deadline_ms)
{
	rollout->started_us = clock_monotonic_us();
	rollout->sealed = true;
	loop_timer_arm(&rollout->deadline, deadline_ms);
	settle(rollout);
}
