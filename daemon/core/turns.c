/* SPDX-License-Identifier: Apache-2.0 */
/* A queue is in the round exactly while somebody waits in it. */
#include "daemon/core/turns.h"

#include "daemon/util/clock.h"
#include "daemon/util/container.h"

static void leave_round(struct turns *turns, struct turn_queue *queue)
{
	TAILQ_REMOVE(&turns->round, queue, link);
	queue->in_round = false;
}

static void run_one(struct turns *turns)
{
	struct turn_queue *queue = TAILQ_FIRST(&turns->round);
	struct turn *turn = TAILQ_FIRST(&queue->waiting);

	TAILQ_REMOVE(&queue->waiting, turn, link);
	turn->waiting = false;
	leave_round(turns, queue);
	if (!TAILQ_EMPTY(&queue->waiting)) {
		TAILQ_INSERT_TAIL(&turns->round, queue, link);
		queue->in_round = true;
	}
	turn->run(turn);
}

static void run_round(struct loop_timer *timer)
{
	struct turns *turns = container_of(timer, struct turns, next);
	uint64_t end_us = clock_monotonic_us() + TURNS_BUDGET_US;

	while (!TAILQ_EMPTY(&turns->round)) {
		run_one(turns);
		if (clock_monotonic_us() >= end_us)
			break;
	}
	if (!TAILQ_EMPTY(&turns->round))
		loop_timer_arm(&turns->next, 0);
}

int turns_init(struct turns *turns, struct loop *loop, struct prodd_error *e)
{
	turns->loop = loop;
	TAILQ_INIT(&turns->round);
	return loop_timer_init(&turns->next, loop, run_round, e);
}

void turns_clear(struct turns *turns)
{
	loop_timer_clear(&turns->next);
}

void turns_wish(struct turns *turns, struct turn *turn)
{
	struct turn_queue *queue = turn->queue;

	if (turn->waiting)
		return;
	if (!queue->in_round) {
		if (TAILQ_EMPTY(&turns->round))
			loop_timer_soon(&turns->next);
		TAILQ_INIT(&queue->waiting);
		TAILQ_INSERT_TAIL(&turns->round, queue, link);
		queue->in_round = true;
	}
	TAILQ_INSERT_TAIL(&queue->waiting, turn, link);
	turn->waiting = true;
}

void turns_cancel(struct turns *turns, struct turn *turn)
{
	struct turn_queue *queue = turn->queue;

	if (!turn->waiting)
		return;
	TAILQ_REMOVE(&queue->waiting, turn, link);
	turn->waiting = false;
	if (TAILQ_EMPTY(&queue->waiting))
		leave_round(turns, queue);
}
