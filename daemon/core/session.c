/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's life.  It ends only in its turn, so that no function here frees
 * a session, or tells anybody of its end, under the hands of its caller; and
 * so that the end of many is spread over turns of the loop too.
 */
#include "daemon/core/session_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"
#include "proto/limits.h"

enum {
	charge_session = 2048,		/* for the objects of a session, whatever it does */
	charge_call = 256,		/* for an outstanding call */
	charge_overhead = 16,		/* one byte in so many for what malloc(3) adds to a buffer */
};

const struct session_limits session_limits_usual = {
	.hello_ms = PRODD_HELLO_TIMEOUT_MS,
	.stall_ms = 30000,
	.grace_ms = 1000,
	.frames = 64,
	.calls = 64,
	.late_answers = 1000,
	.shared = 8,
	.output_soft = 64 * 1024,
	.output_hard = 1024 * 1024,
};

const struct session_limits *session_limits(const struct session *session)
{
	return session->host->limits ? session->host->limits : &session_limits_usual;
}

/* ---- deadlines */

static void sooner(uint64_t *deadline, uint64_t other)
{
	if (!*deadline || other < *deadline)
		*deadline = other;
}

void session_schedule(struct session *session)
{
	const struct session_limits *limits = session_limits(session);
	uint64_t now, deadline = 0;

	if (!session->greeted && !session->ending)
		sooner(&deadline, session->accepted_ms + limits->hello_ms);
	if (session->out.pending > 0)
		sooner(&deadline, session->progress_ms + limits->stall_ms);
	if (session->ending)
		sooner(&deadline, session->ends_ms);
	if (!deadline) {
		loop_timer_disarm(&session->timer);
		return;
	}
	now = clock_monotonic_ms();
	loop_timer_arm(&session->timer, deadline > now ? deadline - now : 0);
}

/* ---- the end */

void session_end(struct session *session, uint64_t grace_ms)
{
	if (session->ending)
		return;
	session->ending = true;
	session->ends_ms = clock_monotonic_ms() + grace_ms;
	file_close(&session->sent_fd);
	event_del(session->on_readable);
	turns_wish(&session->host->turns, &session->turn);
}

void session_fail(struct session *session)
{
	session_end(session, 0);
	session->failed = true;
	turns_wish(&session->host->turns, &session->turn);
}

void session_end_counted(struct session *session, uint64_t *count)
{
	if (session->ending)
		return;
	(*count)++;
	session_fail(session);
}

void session_violation(struct session *session, uint64_t id, const struct prodd_error *why, uint64_t *count)
{
	if (session->ending)
		return;
	(*count)++;
	log_debug("session of uid %u, pid %d: %s", (unsigned)session->identity.uid, (int)session->identity.pid,
		  why->text);
	session_answer_error(session, id, why);
	session_end(session, session_limits(session)->grace_ms);
}

/* Outcalls before the peers: who waits for an answer still has its owner. */
static void tell(struct session *session)
{
	struct peer *peer;

	outcall_end_all(session);
	call_forget_all(session);
	while ((peer = LIST_FIRST(&session->peers))) {
		LIST_REMOVE(peer, link);
		peer->closed(peer);
	}
}

static void session_free(struct session *session)
{
	struct session_host *host = session->host;

	LIST_REMOVE(session, link);
	host->count--;
	turns_cancel(&host->turns, &session->turn);
	if (session->on_readable)
		event_free(session->on_readable);
	if (session->on_writable)
		event_free(session->on_writable);
	loop_timer_clear(&session->timer);
	prodd_deframer_clear(&session->in);
	prodd_buffer_clear(&session->backlog);
	output_clear(&session->out);
	identity_clear(&session->identity);
	file_close(&session->fd);
	free(session->client);
	free(session->app);
	free(session->instance);
	account_discharge(host->accounts, session->account, session->charged);
	account_close(host->accounts, session->account);
	counters.connections_closed++;
	free(session);
}

bool session_finish(struct session *session)
{
	tell(session);
	if (!session->failed && session->out.pending > 0 && clock_monotonic_ms() < session->ends_ms)
		return false;
	session_free(session);
	return true;
}

static void hello_overdue(struct session *session)
{
	struct prodd_error e;

	prodd_error_set(&e, PRODD_E_TIMEOUT, "no hello within %u ms", session_limits(session)->hello_ms);
	session_violation(session, 0, &e, &counters.sessions_no_hello);
}

static void timer_fired(struct loop_timer *timer)
{
	struct session *session = container_of(timer, struct session, timer);
	const struct session_limits *limits = session_limits(session);
	uint64_t now = clock_monotonic_ms();

	if (session->ending)
		turns_wish(&session->host->turns, &session->turn);
	else if (!session->greeted && now >= session->accepted_ms + limits->hello_ms)
		hello_overdue(session);
	else if (session->out.pending > 0 && now >= session->progress_ms + limits->stall_ms)
		session_end_counted(session, &counters.sessions_ended_output);
	else
		session_schedule(session);
}

/* ---- what it keeps */

bool session_recharge(struct session *session)
{
	size_t buffers = session->in.pending.capacity + session->backlog.capacity + session->out.kept;
	size_t kept = charge_session + buffers + buffers / charge_overhead + session->call_count * charge_call;

	if (kept > session->charged) {
		if (!account_charge(session->host->accounts, session->account, kept - session->charged)) {
			session_end_counted(session, &counters.sessions_ended_memory);
			return false;
		}
	} else {
		account_discharge(session->host->accounts, session->account, session->charged - kept);
	}
	session->charged = kept;
	return true;
}

/* ---- the beginning */

static int set_up(struct session *session, struct prodd_error *e)
{
	struct event_base *base = session->host->loop->base;

	session->on_readable = event_new(base, session->fd, EV_READ | EV_PERSIST, session_became_readable, session);
	session->on_writable = event_new(base, session->fd, EV_WRITE, session_became_writable, session);
	if (loop_timer_init(&session->timer, session->host->loop, timer_fired, e) < 0)
		return -PRODD_E_NO_MEMORY;
	if (!session->on_readable || !session->on_writable || event_add(session->on_readable, NULL) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a session");
	if (account_charge(session->host->accounts, session->account, charge_session)) {
		session->charged = charge_session;
		return 0;
	}
	counters.connections_refused_uid++;
	return prodd_error_set(e, PRODD_E_OVER_LIMIT, "uid %u has its most bytes", (unsigned)session->identity.uid);
}

static int set_up_host(struct session_host *host, struct prodd_error *e)
{
	if (host->ready)
		return 0;
	LIST_INIT(&host->sessions);
	if (turns_init(&host->turns, host->loop, e) < 0)
		return -PRODD_E_NO_MEMORY;
	host->frame.limit = PRODD_FRAME_HEADER + PRODD_REPLY_MAX;
	host->ready = true;
	return 0;
}

static int refuse(int fd, struct identity *identity, int r)
{
	counters.connections_closed++;
	identity_clear(identity);
	close(fd);
	return r;
}

bool session_refuse(struct session_host *host, uid_t uid)
{
	enum account_room room = account_room(host->accounts, uid);

	if (room == ACCOUNT_HAS_ROOM)
		return false;
	account_refuse(host->accounts, uid);
	if (room == ACCOUNT_FULL_UID)
		counters.connections_refused_uid++;
	else
		counters.connections_refused_daemon++;
	return true;
}

int session_new(struct session_host *host, int fd, struct identity *identity, bool is_operator,
		struct prodd_error *e)
{
	struct session *session;
	struct account *account;
	int r = set_up_host(host, e);

	if (r < 0)
		return refuse(fd, identity, r);
	if (session_refuse(host, identity->uid))
		return refuse(fd, identity, prodd_error_set(e, PRODD_E_OVER_LIMIT, "no room for a session of uid %u",
							    (unsigned)identity->uid));
	account = account_open(host->accounts, identity->uid);
	if (!account)
		return refuse(fd, identity, prodd_error_set(e, PRODD_E_NO_MEMORY, "a session"));
	session = calloc(1, sizeof *session);
	if (!session) {
		account_close(host->accounts, account);
		return refuse(fd, identity, prodd_error_set(e, PRODD_E_NO_MEMORY, "a session"));
	}
	session->host = host;
	session->account = account;
	session->identity = *identity;
	identity->pidfd = -1;		/* given to the session */
	session->fd = fd;
	session->sent_fd = -1;
	session->is_operator = is_operator;
	session->turn = (struct turn){ .run = session_take_turn, .queue = &account->turns };
	session->in.limit = PRODD_FRAME_MAX;
	output_init(&session->out);
	session->accepted_ms = session->heard_ms = clock_monotonic_ms();
	session->next_id = 1;
	LIST_INIT(&session->calls);
	TAILQ_INIT(&session->outcalls);
	LIST_INSERT_HEAD(&host->sessions, session, link);
	host->count++;
	r = set_up(session, e);
	if (r < 0)
		session_free(session);
	else
		session_schedule(session);
	return r;
}

/* ---- what it is */

const struct identity *session_identity(const struct session *session)
{
	return &session->identity;
}

bool session_is_operator(const struct session *session)
{
	return session->is_operator;
}

struct prodd_slice session_client(const struct session *session)
{
	return prodd_slice(session->client);
}

uint64_t session_heard_ms(const struct session *session)
{
	return clock_monotonic_ms() - session->heard_ms;
}

uint64_t session_bytes_in(const struct session *session)
{
	return session->bytes_in;
}

uint64_t session_bytes_out(const struct session *session)
{
	return session->bytes_out;
}

size_t session_pending(const struct session *session)
{
	return session->out.pending;
}

uint64_t session_up_ms(const struct session *session)
{
	return clock_monotonic_ms() - session->accepted_ms;
}

const char *session_app(const struct session *session)
{
	return session->app ? session->app : "";
}

const char *session_instance(const struct session *session)
{
	return session->instance ? session->instance : "";
}

void session_attach(struct session *session, struct peer *peer)
{
	peer->session = session;
	LIST_INSERT_HEAD(&session->peers, peer, link);
}

void session_detach(struct peer *peer)
{
	if (!peer->session)
		return;
	LIST_REMOVE(peer, link);
	peer->session = NULL;
}

struct peer *session_peer(struct session *session, const void *kind)
{
	struct peer *peer;

	LIST_FOREACH(peer, &session->peers, link)
		if (peer->kind == kind)
			return peer;
	return NULL;
}

/* ---- all of them */

void session_host_farewell(struct session_host *host, const char *reason, uint64_t grace_ms)
{
	struct wire_going_away note = { .reason = prodd_slice(reason) };
	struct session *session;

	if (!host->ready)
		return;
	LIST_FOREACH(session, &host->sessions, link) {
		if (session->greeted)
			session_note(session, WIRE_M_going_away, &note);
		session_end(session, grace_ms);
	}
}

void session_host_clear(struct session_host *host)
{
	struct session *session;

	if (!host->ready)
		return;
	while ((session = LIST_FIRST(&host->sessions))) {
		session_fail(session);
		tell(session);
		session_free(session);
	}
	turns_clear(&host->turns);
	prodd_buffer_clear(&host->frame);
	host->ready = false;
}
