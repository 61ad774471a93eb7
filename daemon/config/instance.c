/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connected process of an app.  What it uses is only ever what it said it
 * uses; until it answers, its state says so.
 */
#include "daemon/config/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/claim.h"
#include "daemon/config/config.h"
#include "daemon/core/counters.h"
#include "daemon/util/container.h"

const char *instance_state_word(enum instance_state state)
{
	static const char *const words[] = {
		[INSTANCE_WAITING] = "waiting", [INSTANCE_APPLIED] = "applied", [INSTANCE_RESTART] = "restart",
		[INSTANCE_DIVERGED] = "diverged", [INSTANCE_UNCONFIRMED] = "unconfirmed",
		[INSTANCE_REFUSED] = "refused", [INSTANCE_SEPARATE] = "separate",
	};

	return words[state];
}

void overlay_clear(struct overlay *overlay)
{
	prodd_buffer_clear(&overlay->entries);
	prodd_buffer_clear(&overlay->problems);
	overlay->count = overlay->problem_count = 0;
}

/* ---- lifecycle */

static bool name_is_taken(const struct app *app, const char *name)
{
	const struct instance *other;

	TAILQ_FOREACH(other, &app->instances, in_app)
		if (strcmp(other->name, name) == 0)
			return true;
	return false;
}

/* The app's own choice, else the unit's instance part, else the pid; a second one of that name gets "+PID". */
static void choose_name(struct instance *instance, const struct identity *who, struct prodd_slice wish)
{
	char first[APP_NAME_MAX / 2], second[APP_NAME_MAX];

	snprintf(first, sizeof first, "%.*s", PRODD_SLICE(wish));
	if (!*first)
		claim_unit_instance(who->unit, first, sizeof first);
	if (!*first)
		snprintf(first, sizeof first, "%d", (int)who->pid);
	snprintf(second, sizeof second, "%s", first);
	for (unsigned n = 1; name_is_taken(instance->app, second); n++)
		snprintf(second, sizeof second, n == 1 ? "%s+%d" : "%s+%d.%u", first, (int)who->pid, n);
	memcpy(instance->name, second, sizeof instance->name);
}

static void forget_waiting(struct instance *instance)
{
	static const struct prodd_error gone = { PRODD_E_CLOSED, "the session has ended" };

	if (instance->waiting)
		call_fail(instance->waiting, &gone);
	instance->waiting = NULL;
}

const char instance_kind;

static void instance_closed(struct peer *peer)
{
	struct instance *instance = container_of(peer, struct instance, peer);
	struct app *app = instance->app;
	struct scope *scope = instance->scope;

	outcall_cancel(&instance->apply);
	outcall_cancel(&instance->probe);
	forget_waiting(instance);
	TAILQ_REMOVE(&app->instances, instance, in_app);
	if (scope)
		TAILQ_REMOVE(&scope->instances, instance, in_scope);
	config_instance_left(app->config, app, scope, instance);
	prodd_buffer_clear(&instance->variables);
	prodd_buffer_clear(&instance->declaration.keys);
	prodd_buffer_clear(&instance->declaration.problems);
	prodd_buffer_clear(&instance->kept);
	free(instance);
}

static int copy_list(struct prodd_buffer *to, uint32_t *count, struct prodd_list from)
{
	prodd_buffer_clear(to);
	*count = from.count;
	return prodd_buffer_append(to, from.at, from.size);
}

struct instance *instance_new(struct app *app, struct scope *scope, struct session *session,
			      const struct wire_hello *hello)
{
	struct instance *instance = calloc(1, sizeof *instance);

	if (!instance)
		return NULL;
	if (copy_list(&instance->variables, &instance->variable_count, hello->variables) < 0) {
		prodd_buffer_clear(&instance->variables);
		free(instance);
		return NULL;
	}
	instance->app = app;
	instance->scope = scope;
	instance->state = scope ? INSTANCE_WAITING : INSTANCE_SEPARATE;
	choose_name(instance, session_identity(session), hello->instance);
	TAILQ_INSERT_TAIL(&app->instances, instance, in_app);
	if (scope)
		TAILQ_INSERT_TAIL(&scope->instances, instance, in_scope);
	instance->peer.closed = instance_closed;
	instance->peer.kind = &instance_kind;
	session_attach(session, &instance->peer);
	return instance;
}

/* ---- its own variables */

int instance_overlay(const struct instance *instance, const struct generation *generation, struct overlay *ret,
		     struct prodd_error *e)
{
	problems_auto errors = { 0 };
	problems_auto warnings = { 0 };
	int r = 0;

	*ret = (struct overlay){ 0 };
	if (instance->variable_count > 0)
		r = overlay_build(generation->index, prodd_list(&instance->variables, instance->variable_count),
				  generation->record.overrides, &errors, &warnings, &ret->entries, &ret->count, e);
	if (r >= 0 && problems_count(&errors) > 0)
		r = problems_encode(&errors, &ret->problems, &ret->problem_count);
	if (r < 0)
		overlay_clear(ret);
	return r;
}

/* The first problem of a list, as the reason that status shows. */
static void reason_from(struct instance *instance, struct prodd_list problems)
{
	struct prodd_iter it = prodd_iter(problems);
	struct wire_problem problem;

	if (prodd_next(&it, &wire_record_problem, &problem, NULL) <= 0)
		return;
	snprintf(instance->reason, sizeof instance->reason, "%.*s: %.*s",
		 PRODD_SLICE(problem.file.size ? problem.file : problem.key), PRODD_SLICE(problem.text));
}

/* ---- serving the live generation */

static void set_state(struct instance *instance, enum instance_state state)
{
	instance->state = state;
	if (state == INSTANCE_APPLIED || state == INSTANCE_UNCONFIRMED)
		instance->reason[0] = '\0';
}

static void answer_subscription(struct instance *instance, const char *state, struct prodd_list problems)
{
	struct wire_subscribed subscribed = { .state = prodd_slice(state), .problems = problems };

	if (!instance->waiting)
		return;
	call_answer(instance->waiting, &subscribed);
	instance->waiting = NULL;
	instance->subscribed = true;
}

static void refuse(struct instance *instance, const struct overlay *overlay)
{
	struct prodd_list problems = prodd_list(&overlay->problems, overlay->problem_count);

	set_state(instance, INSTANCE_REFUSED);
	instance->told = instance->scope->live->record.number;
	reason_from(instance, problems);
	config_event_refused(instance->app->config, instance);
	if (instance->waiting)
		answer_subscription(instance, "invalid", problems);
	else
		session_note(instance->peer.session, WIRE_M_config_refused,
			     &(struct wire_refused){ .generation = instance->scope->live->record.number,
						     .problems = problems });
}

void instance_diverge(struct instance *instance, struct prodd_list problems)
{
	set_state(instance, INSTANCE_DIVERGED);
	reason_from(instance, problems);
	instance->told = instance->scope->live ? instance->scope->live->record.number : 0;
	if (instance->waiting)
		answer_subscription(instance, "invalid", problems);
	else
		session_note(instance->peer.session, WIRE_M_config_refused,
			     &(struct wire_refused){ .generation = instance->told, .problems = problems });
	config_instance_confirmed(instance->app->config, instance);
}

static bool has_live(const struct instance *instance)
{
	const struct wire_generation *live = &instance->scope->live->record;

	return prodd_slice_equal(instance->has.epoch, live->epoch) && instance->has.generation == live->number &&
	       prodd_slice_equal(instance->has.hash, live->hash);
}

void instance_confirm(struct instance *instance, uint64_t generation, const struct wire_applied *applied)
{
	copy_list(&instance->kept, &instance->kept_count, applied->kept);
	if (prodd_slice_is(applied->state, "applied")) {
		instance->generation = generation;
		set_state(instance, INSTANCE_APPLIED);
		counters.commits_confirmed++;
	} else {
		set_state(instance, prodd_slice_is(applied->state, "restart") ? INSTANCE_RESTART : INSTANCE_DIVERGED);
		snprintf(instance->reason, sizeof instance->reason, "%.*s", PRODD_SLICE(applied->reason));
	}
	config_instance_confirmed(instance->app->config, instance);
}

static void apply_done(struct outcall *outcall, const struct prodd_message *answer)
{
	struct instance *instance = container_of(outcall, struct instance, apply);
	struct wire_applied applied;
	struct prodd_error e;

	if (!answer)
		return;		/* instance_closed() comes next */
	if (answer->error.code || prodd_message_decode(answer, &wire_record_applied, &applied, &e) < 0)
		applied = (struct wire_applied){ .state = prodd_slice("diverged"),
						 .reason = prodd_slice(answer->error.code ? answer->error.text : e.text) };
	instance_confirm(instance, instance->applying, &applied);
	if (instance_lags(instance))
		instance_serve(instance);
}

static void apply_live(struct instance *instance, const struct overlay *overlay)
{
	const struct generation *live = instance->scope->live;
	struct wire_apply apply = {
		.epoch = live->record.epoch, .generation = live->record.number, .hash = live->record.hash,
		.environment = live->record.environment, .overlay = prodd_list(&overlay->entries, overlay->count),
	};

	if (instance->apply.session)
		return;		/* apply_done() looks again */
	set_state(instance, INSTANCE_UNCONFIRMED);
	instance->applying = instance->told = live->record.number;
	instance->apply.done = apply_done;
	session_call(instance->peer.session, &instance->apply, WIRE_M_config_apply, &apply, "snapshot", live->snapshot);
}

bool instance_lags(const struct instance *instance)
{
	const struct generation *live = instance->scope->live;

	return instance->waiting || (live && instance->told != live->record.number);
}

static void serve_nothing(struct instance *instance)
{
	struct scope *scope = instance->scope;
	struct prodd_list problems = prodd_list(&scope->problems, scope->problem_count);

	if (instance->app->transaction)
		return;		/* its end serves */
	if (instance->waiting)
		answer_subscription(instance, problems.count ? "invalid" : "none", problems);
}

void instance_serve(struct instance *instance)
{
	struct scope *scope = instance->scope;
	struct overlay overlay;
	struct prodd_error e;

	if (!instance->waiting && !instance->subscribed)
		return;
	if (!scope) {
		answer_subscription(instance, "separate", (struct prodd_list){ 0 });
		return;
	}
	if (!scope->live) {
		serve_nothing(instance);
		return;
	}
	if (instance_overlay(instance, scope->live, &overlay, &e) < 0) {
		session_end(instance->peer.session, 0);		/* no memory for its overlay: it comes back */
		return;
	}
	if (overlay.problem_count > 0) {
		refuse(instance, &overlay);
	} else if (instance->waiting && has_live(instance)) {
		instance->generation = instance->told = instance->has.generation;
		set_state(instance, INSTANCE_APPLIED);
		answer_subscription(instance, "current", (struct prodd_list){ 0 });
	} else {
		answer_subscription(instance, "follows", (struct prodd_list){ 0 });
		apply_live(instance, &overlay);
	}
	overlay_clear(&overlay);
}

/* ---- a sign of life */

static void probe_done(struct outcall *outcall, const struct prodd_message *answer)
{
	struct instance *instance = container_of(outcall, struct instance, probe);

	if (answer)		/* an error is a sign of life, too */
		config_instance_heard(instance->app->config, instance);
}

void instance_probe(struct instance *instance)
{
	static const struct wire_empty nothing;

	if (instance->probe.session)
		return;
	instance->probe.done = probe_done;
	session_call(instance->peer.session, &instance->probe, WIRE_M_ping, &nothing, NULL, NULL);
}

/* ---- the subscription */

static struct prodd_slice keep_text(char *to, size_t size, struct prodd_slice from)
{
	snprintf(to, size, "%.*s", PRODD_SLICE(from));
	return prodd_slice(to);
}

void instance_subscribe(struct instance *instance, struct call *call, const struct wire_subscribe *has)
{
	instance->waiting = call;
	instance->has = (struct wire_subscribe){
		.epoch = keep_text(instance->has_text[0], sizeof instance->has_text[0], has->epoch),
		.hash = keep_text(instance->has_text[1], sizeof instance->has_text[1], has->hash),
		.generation = has->generation,
	};
	copy_list(&instance->kept, &instance->kept_count, has->kept);
}
