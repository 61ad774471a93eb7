/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame that breaks the rules ends the session: the engine connects again
 * and what the app has is compared afresh.  What is in use stays.
 */
#include "client/conversation.h"

#include "config.h"

#include <stdio.h>

#include "client/log.h"
#include "proto/codec.h"
#include "proto/limits.h"

static int queued(struct prodd_conversation *c, struct prodd_error *e)
{
	int failed = c->link->out.failed;

	return failed ? prodd_error_set(e, -failed, "the daemon does not read what it is sent") : 0;
}

/* ---- our calls */

int prodd_conversation_begin(struct prodd_conversation *c, struct prodd_error *e)
{
	struct wire_hello hello = {
		.protocol = PRODD_PROTOCOL_VERSION,
		.protocol_min = PRODD_PROTOCOL_OLDEST,
		.client = prodd_slice("libprodd-client " PACKAGE_VERSION),
		.app = prodd_slice(c->settings->app),
		.instance = prodd_slice(c->instance),
		.environment = prodd_slice(c->surroundings->environment),
		.variables = prodd_list(&c->surroundings->variables, c->surroundings->variable_count),
	};

	c->phase = PRODD_PHASE_GREETING;
	c->last_id = 1;
	c->hello_id = c->last_id;
	c->subscribe_id = 0;
	prodd_frame_call(&c->link->out, c->hello_id, WIRE_M_hello, &hello);
	return queued(c, e);
}

int prodd_conversation_call(struct prodd_conversation *c, struct prodd_outcall *call, enum wire_method method,
			    const void *params, const struct prodd_region *region, struct prodd_error *e)
{
	size_t start = c->link->out.size;
	int r;

	prodd_frame_call(&c->link->out, ++c->last_id, method, params);
	r = queued(c, e);
	if (r == 0 && region && prodd_link_bring(c->link, start, region) < 0)
		r = prodd_error_set(e, PRODD_E_OVER_LIMIT, "too many descriptors for the daemon");
	if (r < 0)
		return r;
	call->id = c->last_id;
	call->next = c->outcalls;
	c->outcalls = call;
	return 0;
}

/* The call of that id, which is under way no more; NULL: none. */
static struct prodd_outcall *take_outcall(struct prodd_conversation *c, uint64_t id)
{
	struct prodd_outcall **at = &c->outcalls;
	struct prodd_outcall *call;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	call = *at;
	if (call) {
		*at = call->next;
		call->id = 0;
	}
	return call;
}

static void end_outcalls(struct prodd_conversation *c)
{
	struct prodd_error ignored;

	while (c->outcalls) {
		struct prodd_outcall *call = take_outcall(c, c->outcalls->id);

		call->answered(call, NULL, &ignored);
	}
}

void prodd_conversation_end(struct prodd_conversation *c)
{
	c->phase = PRODD_PHASE_AWAY;
	end_outcalls(c);
	prodd_log_left(c->log);
	prodd_adoption_forget(c->adoption);
}

static int declare_and_subscribe(struct prodd_conversation *c, struct prodd_error *e)
{
	const struct prodd_declared *declared = &c->settings->declared;
	const struct prodd_config *in_use;
	struct wire_subscribe subscribe;

	for (size_t i = 0; i < declared->part_count; i++) {
		struct wire_declare declare = { .keys = prodd_declared_list(declared, i),
						.more = i + 1 < declared->part_count };

		prodd_frame_call(&c->link->out, ++c->last_id, WIRE_M_config_declare, &declare);
	}
	prodd_adoption_subscribe(c->adoption, &subscribe, &in_use);
	c->subscribe_id = ++c->last_id;
	prodd_frame_call(&c->link->out, c->subscribe_id, WIRE_M_config_subscribe, &subscribe);
	prodd_config_unref(in_use);
	c->phase = PRODD_PHASE_SUBSCRIBING;
	return queued(c, e);
}

/* ---- answers to them */

static void copy_text(char *to, size_t capacity, struct prodd_slice text)
{
	snprintf(to, capacity, "%.*s", PRODD_SLICE(text));
}

static int welcomed(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_welcome welcome;
	char instance[PRODD_INSTANCE_MAX + 1];
	int r;

	if (m->error.code) {
		*e = m->error;
		return prodd_error_prefix(e, "the daemon refuses this instance");
	}
	r = prodd_message_decode(m, &wire_record_welcome, &welcome, e);
	if (r < 0)
		return r;
	if (welcome.protocol < PRODD_PROTOCOL_OLDEST || welcome.protocol > PRODD_PROTOCOL_VERSION)
		return prodd_error_set(e, PRODD_E_UNSUPPORTED,
				       "the daemon chose version %llu of the protocol",
				       (unsigned long long)welcome.protocol);
	copy_text(instance, sizeof instance, welcome.instance);
	copy_text(c->granted, sizeof c->granted, welcome.app);
	prodd_status_connected(c->status, instance);
	r = prodd_log_welcomed(c->log, e);
	return r < 0 ? r : declare_and_subscribe(c, e);
}

/* "FILE:LINE: KEY: TEXT", of which only the text must be there. */
static void describe(const struct wire_problem *p, struct prodd_error *ret)
{
	char line[24] = "";

	if (p->line > 0)
		snprintf(line, sizeof line, ":%llu", (unsigned long long)p->line);
	prodd_error_set(ret, PRODD_E_INVALID, "%.*s%s%s%.*s%s%.*s", PRODD_SLICE(p->file),
			p->file.size ? line : "", p->file.size ? ": " : "", PRODD_SLICE(p->key),
			p->key.size ? ": " : "", PRODD_SLICE(p->text));
}

static int first_problem(struct prodd_list problems, const char *otherwise, struct prodd_error *ret,
			 struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(problems);
	struct wire_problem problem;
	int r = prodd_next(&it, &wire_record_problem, &problem, e);

	if (r > 0)
		describe(&problem, ret);
	else if (r == 0)
		prodd_error_set(ret, PRODD_E_INVALID, "%s", otherwise);
	return r < 0 ? r : 0;
}

static int subscribed(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_subscribed subscribed;
	struct prodd_error why;
	int r = m->error.code;

	if (r) {
		*e = m->error;
		return prodd_error_prefix(e, "the daemon refuses the subscription");
	}
	r = prodd_message_decode(m, &wire_record_subscribed, &subscribed, e);
	if (r < 0)
		return r;
	c->phase = PRODD_PHASE_TALKING;
	if (prodd_slice_is(subscribed.state, "current")) {
		prodd_adoption_confirmed(c->adoption);
	} else if (prodd_slice_is(subscribed.state, "none")) {
		prodd_error_set(&why, PRODD_E_NO_CONFIG, "the daemon has no configuration for %s yet",
				c->settings->app);
		prodd_adoption_nothing(c->adoption, &why);
	} else if (prodd_slice_is(subscribed.state, "separate")) {
		prodd_error_set(&why, PRODD_E_NOT_PERMITTED,
				"this user may not call itself \"%s\" (it is \"%s\" here): "
				"no configuration is served",
				c->settings->app, c->granted);
		prodd_status_set(c->status, PRODD_STATE_SEPARATE, &why);
	} else if (prodd_slice_is(subscribed.state, "invalid")) {
		r = first_problem(subscribed.problems, "the configuration is invalid", &why, e);
		if (r == 0)
			prodd_adoption_fall_back(c->adoption, &why);
	}
	return r;
}

static int take_answer(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct prodd_outcall *call;

	if (m->id == c->hello_id && c->phase == PRODD_PHASE_GREETING)
		return welcomed(c, m, e);
	if (m->id == c->subscribe_id && c->phase == PRODD_PHASE_SUBSCRIBING)
		return subscribed(c, m, e);
	call = take_outcall(c, m->id);
	if (call)
		return call->answered(call, m, e);
	if (m->id <= c->hello_id || m->id > c->last_id || m->id >= c->subscribe_id)
		return prodd_error_set(e, PRODD_E_PROTOCOL, "the daemon answers what was not asked");
	if (m->error.code)
		prodd_messages_say_once(c->messages, LOG_ERR, "the daemon refuses the schema in code: %s",
					m->error.text);
	return 0;
}

/* ---- the daemon's calls */

/* What cannot be decoded or used is answered with its error; the session goes on. */
static int fail(struct prodd_conversation *c, const struct prodd_message *m, const struct prodd_error *why,
		struct prodd_error *e)
{
	prodd_frame_error(&c->link->out, m->id, why);
	return queued(c, e);
}

static int take_apply(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct prodd_error why;
	struct wire_apply apply;
	struct wire_applied applied;

	if (prodd_message_decode(m, &wire_record_apply, &apply, &why) < 0 ||
	    prodd_adoption_apply(c->adoption, &apply, &applied, &why) < 0)
		return fail(c, m, &why, e);
	prodd_frame_answer(&c->link->out, m->id, &wire_record_applied, &applied);
	return queued(c, e);
}

static int take_offer(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct prodd_error why;
	struct wire_offer offer;
	struct wire_verdict verdict;

	if (prodd_message_decode(m, &wire_record_offer, &offer, &why) < 0 ||
	    prodd_adoption_offer(c->adoption, &offer, &verdict, &why) < 0)
		return fail(c, m, &why, e);
	prodd_frame_answer(&c->link->out, m->id, &wire_record_verdict, &verdict);
	return queued(c, e);
}

/* A commit of what is not here means that the two sides differ: a new session compares them. */
static int take_commit(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct prodd_error why;
	struct wire_commit commit;
	struct wire_applied applied;

	if (prodd_message_decode(m, &wire_record_commit, &commit, &why) < 0)
		return fail(c, m, &why, e);
	if (prodd_adoption_commit(c->adoption, &commit, &applied, &why) < 0) {
		prodd_frame_error(&c->link->out, m->id, &why);
		prodd_link_flush(c->link, NULL);
		*e = why;
		return -why.code;
	}
	prodd_frame_answer(&c->link->out, m->id, &wire_record_applied, &applied);
	return queued(c, e);
}

static int take_call(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct prodd_error why;

	if (m->method == WIRE_M_ping) {
		prodd_frame_answer(&c->link->out, m->id, &wire_record_empty, &(struct wire_empty){ 0 });
		return queued(c, e);
	}
	if (c->phase == PRODD_PHASE_TALKING && m->method == WIRE_M_config_apply)
		return take_apply(c, m, e);
	if (c->phase == PRODD_PHASE_TALKING && m->method == WIRE_M_config_offer)
		return take_offer(c, m, e);
	if (c->phase == PRODD_PHASE_TALKING && m->method == WIRE_M_config_commit)
		return take_commit(c, m, e);
	prodd_error_set(&why, PRODD_E_UNSUPPORTED, "%.*s is not known here",
			PRODD_SLICE(prodd_text_cut(m->name, 64)));
	return fail(c, m, &why, e);
}

/* ---- the daemon's notes; those that are not known here are of a later version */

static int take_abort(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_abort abort;
	int r = prodd_message_decode(m, &wire_record_abort, &abort, e);

	if (r == 0)
		prodd_adoption_abort(c->adoption, abort.txn);
	return r;
}

static int take_refused(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_refused refused;
	struct prodd_error why;
	int r = prodd_message_decode(m, &wire_record_refused, &refused, e);

	if (r == 0)
		r = first_problem(refused.problems, "this instance's variables or schema are invalid", &why,
				  e);
	if (r == 0)
		prodd_status_set(c->status, PRODD_STATE_REFUSED, &why);
	return r;
}

static int take_note(struct prodd_conversation *c, const struct prodd_message *m, struct prodd_error *e)
{
	if (m->method == WIRE_M_config_abort)
		return take_abort(c, m, e);
	if (m->method == WIRE_M_config_refused)
		return take_refused(c, m, e);
	if (m->method == WIRE_M_log_levels)
		return prodd_log_take_levels(c->log, m, e);
	return 0;
}

int prodd_conversation_frame(struct prodd_conversation *c, struct prodd_slice frame, struct prodd_error *e)
{
	struct prodd_message m;
	int r = prodd_message_open(frame, &prodd_check_reply, &m, e);

	if (r < 0)
		return prodd_error_prefix(e, "the daemon does not speak the protocol");
	switch (m.type) {
	case PRODD_CALL:
		return take_call(c, &m, e);
	case PRODD_ANSWER:
		return take_answer(c, &m, e);
	default:
		return take_note(c, &m, e);
	}
}
