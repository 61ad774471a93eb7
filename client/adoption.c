/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules: nothing is in use before it was decided; the validator sees
 * exactly what would be in use; what is in use stays until something better
 * has passed.  Callbacks run without locks, so they may call anything but what waits.
 */
#include "client/adoption.h"

#include "client/changes.h"
#include "client/print.h"
#include "proto/codec.h"

enum judgement { ACCEPTED, RESTART, REJECTED };

/* The wire's limits: applied.reason and verdict.reason, applied.kept, kept_key.value. */
enum { reason_max = 512, kept_max = 512, kept_text_max = 1024 };

static void drop_candidate(struct prodd_candidate *candidate)
{
	prodd_config_unref(candidate->config);
	prodd_buffer_clear(&candidate->file);
	*candidate = (struct prodd_candidate){ 0 };
}

void prodd_adoption_clear(struct prodd_adoption *a)
{
	drop_candidate(&a->candidate);
	prodd_buffer_clear(&a->kept);
	prodd_buffer_clear(&a->unsaved);
}

void prodd_adoption_forget(struct prodd_adoption *a)
{
	drop_candidate(&a->candidate);
}

static struct prodd_slice reason_of(const struct prodd_error *why)
{
	return prodd_text_cut(prodd_slice(why->text), reason_max);
}

static struct prodd_served served_by_apply(const struct wire_apply *apply)
{
	return (struct prodd_served){ apply->epoch, apply->hash, apply->environment, apply->generation,
				      apply->overlay, apply->snapshot };
}

/* ---- judging */

/* At the first configuration there is nothing to stay on: a restart is what happens already. */
static enum judgement judge(struct prodd_adoption *a, const struct prodd_config *candidate, bool is_first,
			    struct prodd_error *why)
{
	int r;

	*why = (struct prodd_error){ 0 };
	if (!a->settings->validate)
		return ACCEPTED;
	r = a->settings->validate(candidate, why, a->settings->validate_arg);
	if (r == 0 || (r > 0 && is_first))
		return ACCEPTED;
	why->text[sizeof why->text - 1] = '\0';
	if (!why->text[0] || !prodd_is_text(prodd_slice(why->text)))
		prodd_error_set(why, PRODD_E_REJECTED, "the program gave no reason");
	why->code = r > 0 ? PRODD_E_FAILED : PRODD_E_REJECTED;
	return r > 0 ? RESTART : REJECTED;
}

/* ---- answering */

static void add_kept(struct prodd_adoption *a, const struct prodd_entry *entry)
{
	prodd_auto_buffer text = { 0 };
	struct wire_kept_key kept = { .key = prodd_slice(entry->name) };

	prodd_print_value(&text, &entry->value);
	kept.value = prodd_text_cut(prodd_buffer_slice(&text), kept_text_max);
	prodd_encode_element(&a->kept, &a->kept_count, &wire_record_kept_key, &kept);
}

static void list_kept(struct prodd_adoption *a, const struct prodd_config *c)
{
	prodd_buffer_reset(&a->kept);
	a->kept_count = 0;
	for (size_t i = 0; i < c->count && a->kept_count < kept_max && c->kept_count > 0; i++)
		if (c->entries[i].kept)
			add_kept(a, &c->entries[i]);
}

/* *why is copied: what the caller has may be gone when the answer is written. */
static void answer(struct prodd_adoption *a, const char *state, const struct prodd_error *why,
		   const struct prodd_config *c, struct wire_applied *ret)
{
	a->why = *why;
	if (c)
		list_kept(a, c);
	*ret = (struct wire_applied){ .state = prodd_slice(state), .reason = reason_of(&a->why) };
	if (c && !a->kept.failed)
		ret->kept = prodd_list(&a->kept, a->kept_count);
}

/* ---- putting in use */

static void say_not_cached(struct prodd_adoption *a, const char *why)
{
	prodd_messages_say_once(a->messages, LOG_WARNING, "the configuration is not cached: %s", why);
}

/* Takes what is in `file`. */
static void keep_for_cache(struct prodd_adoption *a, struct prodd_buffer *file)
{
	prodd_buffer_clear(&a->unsaved);
	if (file->failed) {
		say_not_cached(a, prodd_error_meaning(-file->failed));
		prodd_buffer_clear(file);
	}
	a->unsaved = *file;
	*file = (struct prodd_buffer){ 0 };
}

static void encode_for_cache(struct prodd_adoption *a, const struct wire_apply *served)
{
	struct prodd_buffer file = { 0 };

	prodd_cache_encode(&a->cache, served, &file);
	keep_for_cache(a, &file);
}

void prodd_adoption_save(struct prodd_adoption *a)
{
	struct prodd_error e;

	if (a->unsaved.size > 0 && prodd_cache_write(&a->cache, prodd_buffer_slice(&a->unsaved), &e) < 0)
		say_not_cached(a, e.text);
	prodd_buffer_clear(&a->unsaved);
}

static int tell_change(struct prodd_adoption *a, const struct prodd_config *before,
		       const struct prodd_config *now, struct prodd_error *why)
{
	struct prodd_changes changes;
	int r;

	*why = (struct prodd_error){ 0 };
	if (!a->settings->change)
		return 0;
	r = prodd_changes_find(&changes, before, now, why);
	if (r == 0)
		r = a->settings->change(a->p, now, &changes, why, a->settings->change_arg);
	prodd_changes_clear(&changes);
	if (r >= 0)
		return 0;
	why->text[sizeof why->text - 1] = '\0';
	if (!why->text[0] || !prodd_is_text(prodd_slice(why->text)))
		prodd_error_set(why, PRODD_E_REJECTED, "the program gave no reason");
	why->code = PRODD_E_REJECTED;
	return r;
}

/* Takes the caller's reference to `next`. Returns what the program made of it: true, it uses it. */
static bool use(struct prodd_adoption *a, struct prodd_config *next, struct prodd_error *why)
{
	const struct prodd_config *before = prodd_snapshot_in_use(a->current);
	bool done;

	prodd_config_ref(next);
	prodd_snapshot_use(a->current, next);
	done = tell_change(a, before, next, why) == 0;
	prodd_config_unref(before);
	prodd_config_unref(next);
	return done;
}

/* Takes the reference; fills the answer. True: the program uses it, and it may be cached. */
static bool switch_to(struct prodd_adoption *a, struct prodd_config *next, struct wire_applied *ret)
{
	struct prodd_error why;
	bool done;

	prodd_config_ref(next);
	done = use(a, next, &why);
	prodd_status_set(a->status, done ? PRODD_STATE_APPLIED : PRODD_STATE_DIVERGED, &why);
	answer(a, done ? "applied" : "diverged", &why, next, ret);
	prodd_config_unref(next);
	return done;
}

static void stay(struct prodd_adoption *a, enum judgement judgement, const struct prodd_error *why,
		 struct wire_applied *ret)
{
	bool restart = judgement == RESTART;

	prodd_status_set(a->status, restart ? PRODD_STATE_RESTART : PRODD_STATE_DIVERGED, why);
	answer(a, restart ? "restart" : "diverged", why, NULL, ret);
}

/* ---- apply */

/* The live generation is what is in use, to the last value: only the answer is asked for again. */
static bool is_in_use(const struct prodd_config *running, const struct prodd_config *candidate,
		      const struct prodd_served *served)
{
	struct prodd_changes changes;
	struct prodd_error ignored;
	bool same = false;

	if (!running || !prodd_snapshot_is(running, served) || running->count != candidate->count)
		return false;
	if (prodd_changes_find(&changes, running, candidate, &ignored) == 0)
		same = changes.count == 0;
	prodd_changes_clear(&changes);
	return same;
}

static void repeat(struct prodd_adoption *a, const struct prodd_config *candidate, struct wire_applied *ret)
{
	struct prodd_standing standing;

	prodd_status_get(a->status, &standing);
	if (standing.state == PRODD_STATE_DIVERGED) {
		answer(a, "diverged", &standing.why, candidate, ret);
		return;
	}
	prodd_status_set(a->status, PRODD_STATE_APPLIED, NULL);
	answer(a, "applied", &(struct prodd_error){ 0 }, candidate, ret);
}

/* Takes the reference. */
static void decide(struct prodd_adoption *a, const struct prodd_config *running,
		   struct prodd_config *candidate, const struct wire_apply *apply, struct wire_applied *ret)
{
	struct prodd_error why;
	enum judgement judgement = judge(a, candidate, !running, &why);

	if (judgement == ACCEPTED) {
		if (switch_to(a, candidate, ret))
			encode_for_cache(a, apply);
		return;
	}
	if (judgement == RESTART)
		encode_for_cache(a, apply);
	stay(a, judgement, &why, ret);
	prodd_config_unref(candidate);
	if (judgement == REJECTED)
		prodd_adoption_use_cache(a);
}

int prodd_adoption_apply(struct prodd_adoption *a, const struct wire_apply *apply, struct wire_applied *ret,
			 struct prodd_error *e)
{
	struct prodd_served served = served_by_apply(apply);
	const struct prodd_config *running = prodd_snapshot_in_use(a->current);
	struct prodd_config *candidate;
	int r;

	drop_candidate(&a->candidate);
	r = prodd_snapshot_new(&served, running, a->keys, a->messages, &candidate, e);
	if (r == 0 && is_in_use(running, candidate, &served)) {
		repeat(a, candidate, ret);
		prodd_config_unref(candidate);
	} else if (r == 0) {
		decide(a, running, candidate, apply, ret);
	}
	prodd_config_unref(running);
	return r;
}

/* ---- offer, commit, abort */

/* The frame is gone after the answer; the cache wants its content after the commit. */
static void remember(struct prodd_adoption *a, const struct wire_offer *offer)
{
	struct wire_apply apply = { .epoch = offer->epoch,
				    .generation = offer->generation,
				    .hash = offer->hash,
				    .environment = offer->environment,
				    .overlay = offer->overlay,
				    .snapshot = offer->snapshot };

	prodd_cache_encode(&a->cache, &apply, &a->candidate.file);
}

static void vote(struct prodd_adoption *a, enum judgement judgement, struct wire_verdict *ret)
{
	static const char *const words[] = {
		[ACCEPTED] = "accept", [RESTART] = "restart", [REJECTED] = "reject"
	};

	a->why = a->candidate.why;
	*ret = (struct wire_verdict){ .verdict = prodd_slice(words[judgement]),
				      .reason = reason_of(&a->why) };
}

int prodd_adoption_offer(struct prodd_adoption *a, const struct wire_offer *offer, struct wire_verdict *ret,
			 struct prodd_error *e)
{
	struct prodd_served served = { offer->epoch, offer->hash, offer->environment, offer->generation,
				       offer->overlay, offer->snapshot };
	const struct prodd_config *running = prodd_snapshot_in_use(a->current);
	struct prodd_candidate *candidate = &a->candidate;
	enum judgement judgement = REJECTED;
	int r;

	drop_candidate(candidate);
	candidate->txn = offer->txn;
	r = prodd_snapshot_new(&served, running, a->keys, a->messages, &candidate->config, e);
	if (r == 0) {
		remember(a, offer);
		judgement = judge(a, candidate->config, !running, &candidate->why);
		candidate->restart = judgement == RESTART;
		vote(a, judgement, ret);
	}
	if (judgement == REJECTED)
		drop_candidate(candidate);
	prodd_config_unref(running);
	return r;
}

int prodd_adoption_commit(struct prodd_adoption *a, const struct wire_commit *commit,
			  struct wire_applied *ret, struct prodd_error *e)
{
	struct prodd_candidate *candidate = &a->candidate;
	bool good = true;

	if (!candidate->config || candidate->txn != commit->txn)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "no candidate of transaction %llu here",
				       (unsigned long long)commit->txn);
	if (candidate->restart)
		stay(a, RESTART, &candidate->why, ret);
	else
		good = switch_to(a, (struct prodd_config *)prodd_config_ref(candidate->config), ret);
	if (good)
		keep_for_cache(a, &candidate->file);
	drop_candidate(candidate);
	return 0;
}

void prodd_adoption_abort(struct prodd_adoption *a, uint64_t txn)
{
	if (a->candidate.txn == txn)
		drop_candidate(&a->candidate);
}

/* ---- before and without the daemon */

void prodd_adoption_subscribe(struct prodd_adoption *a, struct wire_subscribe *ret,
			      const struct prodd_config **ret_config)
{
	const struct prodd_config *c = prodd_snapshot_in_use(a->current);
	struct prodd_standing standing;

	prodd_status_get(a->status, &standing);
	*ret = (struct wire_subscribe){ 0 };
	*ret_config = c;
	if (!c || c->kept_count > 0 || standing.state == PRODD_STATE_DIVERGED)
		return;
	*ret = (struct wire_subscribe){ .epoch = prodd_slice(c->epoch), .generation = c->generation,
					.hash = prodd_slice(c->hash) };
}

void prodd_adoption_confirmed(struct prodd_adoption *a)
{
	prodd_status_set(a->status, PRODD_STATE_APPLIED, NULL);
}

static bool has_config(struct prodd_adoption *a)
{
	const struct prodd_config *c = prodd_snapshot_in_use(a->current);

	prodd_config_unref(c);
	return c;
}

/* Takes the reference. */
static bool use_cached(struct prodd_adoption *a, struct prodd_config *cached)
{
	struct prodd_error why;

	if (judge(a, cached, true, &why) == REJECTED) {
		prodd_messages_say(a->messages, LOG_WARNING, "the cached configuration is not used: %s",
				   why.text);
		prodd_config_unref(cached);
		return false;
	}
	if (!use(a, cached, &why))
		prodd_messages_say(a->messages, LOG_WARNING, "the cached configuration: %s", why.text);
	return true;
}

static bool load_cached(struct prodd_adoption *a)
{
	prodd_auto_buffer content = { .limit = PRODD_CACHE_CONTENT_MAX + 4096 };
	struct prodd_config *cached;
	struct prodd_served served;
	struct wire_apply apply;
	struct prodd_error e;
	int r = prodd_cache_load(&a->cache, &content, &apply, &e);

	if (r == 0) {
		served = served_by_apply(&apply);
		r = prodd_snapshot_new(&served, NULL, a->keys, a->messages, &cached, &e);
	}
	if (r == 0)
		return use_cached(a, cached);
	if (r != -PRODD_E_NOT_FOUND)
		prodd_messages_say(a->messages, LOG_WARNING, "the cached configuration is not used: %s",
				   e.text);
	return false;
}

bool prodd_adoption_use_cache(struct prodd_adoption *a)
{
	struct prodd_standing standing;

	if (a->cache_tried || has_config(a))
		return has_config(a);
	a->cache_tried = true;
	if (!load_cached(a))
		return false;
	prodd_status_get(a->status, &standing);
	if (standing.state == PRODD_STATE_WAITING)
		prodd_status_set(a->status, PRODD_STATE_CACHED, &standing.why);
	else
		prodd_status_notify(a->status);
	return true;
}

void prodd_adoption_nothing(struct prodd_adoption *a, const struct prodd_error *why)
{
	prodd_status_set(a->status, has_config(a) ? PRODD_STATE_CACHED : PRODD_STATE_WAITING, why);
}

void prodd_adoption_fall_back(struct prodd_adoption *a, const struct prodd_error *why)
{
	prodd_adoption_nothing(a, why);
	if (!prodd_adoption_use_cache(a))
		prodd_status_set(a->status, PRODD_STATE_INVALID, why);
}
