/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the daemon to a session.  Ids count up and are never used again:
 * an answer is the one that is waited for, or comes late, or is forged.
 */
#include "daemon/core/session_parts.h"

#include <inttypes.h>

#include "daemon/core/counters.h"
#include "proto/limits.h"

int session_call(struct session *session, struct outcall *outcall, enum wire_method method, const void *params,
		 const char *last, struct shared *tail)
{
	struct session_host *host = session->host;
	uint64_t id = session->next_id;
	int r;

	if (tail)
		prodd_frame_call_head(&host->frame, id, method, params, last, shared_list(tail));
	else
		prodd_frame_call(&host->frame, id, method, params);
	r = session_queue(session, tail);
	if (r < 0)
		return r;
	session->next_id++;
	outcall->session = session;
	outcall->id = id;
	TAILQ_INSERT_TAIL(&session->outcalls, outcall, link);
	return 0;
}

void outcall_cancel(struct outcall *outcall)
{
	if (!outcall->session)
		return;
	TAILQ_REMOVE(&outcall->session->outcalls, outcall, link);
	outcall->session = NULL;
}

static void end(struct outcall *outcall, const struct prodd_message *answer)
{
	outcall_cancel(outcall);
	outcall->done(outcall, answer);
}

void outcall_end_all(struct session *session)
{
	while (!TAILQ_EMPTY(&session->outcalls))
		end(TAILQ_FIRST(&session->outcalls), NULL);
}

static struct outcall *find(const struct session *session, uint64_t id)
{
	struct outcall *outcall;

	TAILQ_FOREACH(outcall, &session->outcalls, link)
		if (outcall->id == id)
			return outcall;
	return NULL;
}

static void take_late(struct session *session)
{
	struct prodd_error e;

	counters.answers_late++;
	if (++session->late_answers <= session_limits(session)->late_answers)
		return;
	prodd_error_set(&e, PRODD_E_PROTOCOL, "%u answers that nobody waits for", session->late_answers);
	session_violation(session, 0, &e, &counters.sessions_ended_protocol);
}

static void take_forged(struct session *session, uint64_t id)
{
	struct prodd_error e;

	counters.answers_forged++;
	prodd_error_set(&e, PRODD_E_PROTOCOL, "an answer to call %" PRIu64 ", which was never made", id);
	session_violation(session, 0, &e, &counters.sessions_ended_protocol);
}

void outcall_take_answer(struct session *session, const struct prodd_message *message)
{
	struct outcall *outcall = find(session, message->id);

	if (outcall) {
		counters.answers_received++;
		end(outcall, message);
	} else if (message->id == 0 || message->id >= session->next_id) {
		take_forged(session, message->id);
	} else {
		take_late(session);
	}
}
