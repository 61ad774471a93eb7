/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is: work that many peers want done, in small pieces, round
 * robin over the uids and within a uid over its sessions.  However many
 * sessions one uid has and however fast it sends, another waits for one piece
 * of each uid at most.
 *
 * After TURNS_BUDGET_US the loop looks at its descriptors again before it goes on.
 */
#ifndef PRODD_CORE_TURNS_H
#define PRODD_CORE_TURNS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/core/loop.h"

#define TURNS_BUDGET_US 1000

struct turn_queue;

/* One who may want a turn; embedded. */
struct turn {
	void (*run)(struct turn *turn);		/* a bounded piece of work; may wish for another turn, or free it */
	struct turn_queue *queue;		/* borrowed; set by the owner */
	bool waiting;
	TAILQ_ENTRY(turn) link;
};

/* Those who share one place in the round: a uid's. Embedded; zero is empty. */
struct turn_queue {
	TAILQ_HEAD(, turn) waiting;
	bool in_round;
	TAILQ_ENTRY(turn_queue) link;
};

struct turns {
	struct loop *loop;			/* borrowed */
	struct loop_timer next;
	TAILQ_HEAD(, turn_queue) round;
};

int turns_init(struct turns *turns, struct loop *loop, struct prodd_error *e);
void turns_clear(struct turns *turns);		/* half-built objects too; nobody may be waiting any more */

/* No-op when it waits already. */
void turns_wish(struct turns *turns, struct turn *turn);
void turns_cancel(struct turns *turns, struct turn *turn);

#endif
