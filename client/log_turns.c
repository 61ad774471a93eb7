/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's part of logging: each turn looks after the rings, pushes what is to be pushed, asks what is to be asked. */
#include "client/log.h"

#include "proto/codec.h"

void prodd_log_init(struct prodd_log *log, struct prodd_threshold *threshold)
{
	prodd_levels_init(&log->levels, threshold);
	prodd_log_sync_init(&log->sync);
}

void prodd_log_clear(struct prodd_log *log)
{
	prodd_rings_free(&log->rings);
	prodd_levels_clear(&log->levels);
	prodd_log_sync_clear(&log->sync);
}

void prodd_log_forked(struct prodd_log *log)
{
	prodd_levels_forked(&log->levels);
	prodd_log_sync_init(&log->sync);
	prodd_rings_forked(&log->rings);
}

void prodd_log_turns_init(struct prodd_log_turns *turns, struct prodd_log *log, struct prodd_conversation *conversation,
			  struct prodd_poller *poller, struct prodd_messages *messages, const char *directory,
			  const char *app)
{
	turns->log = log;
	prodd_rings_use(&log->rings, conversation, poller);
	prodd_log_push_init(&turns->push, &log->rings, conversation, messages, directory, app);
	prodd_log_asking_init(&turns->asking, &log->sync, &log->rings, conversation);
}

void prodd_log_turns_clear(struct prodd_log_turns *turns)
{
	prodd_log_push_clear(&turns->push);
}

int prodd_log_welcomed(struct prodd_log_turns *turns, struct prodd_error *e)
{
	turns->welcomed = true;
	turns->push.rest.done = false;
	return prodd_rings_welcomed(&turns->log->rings, e);
}

int prodd_log_take_levels(struct prodd_log_turns *turns, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_levels levels;
	int r = prodd_message_decode(m, &wire_record_levels, &levels, e);

	return r < 0 ? r : prodd_levels_operators(&turns->log->levels, levels.levels, e);
}

int prodd_log_turn(struct prodd_log_turns *turns, struct prodd_error *e)
{
	int r = prodd_rings_look(&turns->log->rings, turns->welcomed, e);

	if (r == 0 && turns->welcomed)
		r = prodd_log_push_turn(&turns->push, e);
	if (r == 0 && turns->welcomed)
		r = prodd_log_asking_turn(&turns->asking, e);
	return r;
}

void prodd_log_left(struct prodd_log_turns *turns)
{
	turns->welcomed = false;
	prodd_rings_left(&turns->log->rings);
	prodd_log_asking_left(&turns->asking);
}
