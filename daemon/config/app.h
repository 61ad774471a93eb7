/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner tree of configuration: an app has scopes (one per environment)
 * and a scope has the instances that use it.
 */
#ifndef PRODD_CONFIG_APP_H
#define PRODD_CONFIG_APP_H

#include <sys/queue.h>
#include <uthash.h>

#include "daemon/config/generation.h"
#include "daemon/config/settings.h"
#include "daemon/config/store.h"

#define APP_NAME_MAX 128		/* "NAME~USER" has room */

struct config;
struct request;
struct transaction;
struct watch;
struct scope;
struct app;

enum instance_state {
	INSTANCE_WAITING,		/* has not said what it uses */
	INSTANCE_APPLIED,
	INSTANCE_RESTART,		/* stays whole on its old generation until it restarts */
	INSTANCE_DIVERGED,		/* cannot use the live generation */
	INSTANCE_UNCONFIRMED,		/* was told, has not answered yet */
	INSTANCE_REFUSED,		/* its own variables or schema break the live generation */
	INSTANCE_SEPARATE,		/* NAME~USER: nothing is served */
};

/* Settings that come from an instance's variables under one generation, or what is wrong with them. */
struct overlay {
	struct prodd_buffer entries;	/* LIST of config_entry */
	uint32_t count;
	struct prodd_buffer problems;	/* LIST of problem; when there are any it must not be served */
	uint32_t problem_count;
};

void overlay_clear(struct overlay *overlay);

/* The schema that an instance's code has sent. */
struct declaration {
	struct prodd_buffer keys;	/* LIST of schema_key */
	uint32_t count;
	bool untried;			/* it has not been in force, and waits for its try */
	uint64_t tried_with;		/* generation live when it was tried in vain; DECLARED_NEVER */
	bool doubtful;			/* it or the files are invalid: a look without it tells */
	struct prodd_buffer problems;	/* LIST of problem, of that try */
	uint32_t problem_count;
};

#define DECLARED_NEVER UINT64_MAX

struct instance {
	struct peer peer;
	struct app *app;		/* borrowed */
	struct scope *scope;		/* borrowed; NULL when separate */
	char name[APP_NAME_MAX];
	struct prodd_buffer variables;	/* LIST of variable, as hello brought them */
	uint32_t variable_count;
	enum instance_state state;
	uint64_t generation;		/* the one it confirmed; 0: none */
	char reason[512];
	struct prodd_buffer kept;	/* LIST of kept_key */
	uint32_t kept_count;
	struct declaration declaration;
	bool subscribed;
	bool silent;			/* it was asked in vain, and has given no sign of life since */
	struct call *waiting;		/* a config.subscribe not answered yet; owned; NULL: none */
	struct wire_subscribe has;	/* what it said it has; texts in `has_text` */
	char has_text[2][64];
	struct outcall probe;		/* ping to an instance that was silent */
	struct outcall apply;		/* config.apply under way */
	uint64_t applying;		/* generation sent with it */
	uint64_t told;			/* the latest that it was told of as live, or refused */
	TAILQ_ENTRY(instance) in_app;
	TAILQ_ENTRY(instance) in_scope;
};

extern const char instance_kind;	/* of its peer */

TAILQ_HEAD(instance_list, instance);

struct scope {
	struct app *app;		/* borrowed */
	struct store_row *row;		/* borrowed from the store */
	struct generation *live;	/* shared; NULL: none yet */
	struct prodd_buffer problems;	/* LIST of problem of the files as last read; empty: valid */
	uint32_t problem_count;
	char differs_hash[40];		/* files that differ from live and are not to be offered; "" */
	char differs_why[STORE_WHY_MAX];
	uint64_t differs_ms;		/* since when, wall clock */
	bool retry_silent;		/* by silence: offered again when that instance answers or leaves */
	uint64_t no_end_before_ms;	/* monotonic: an end that failed is tried again then */
	struct instance_list instances;
	LIST_ENTRY(scope) link;
};

struct app {
	char name[APP_NAME_MAX];
	struct config *config;		/* borrowed */
	bool served;			/* false: NAME~USER */
	char *directory;		/* owned; of its files */
	char environment[64];		/* its default */
	struct prodd_buffer declared;	/* LIST of schema_key: the last schema from code */
	uint32_t declared_count;
	bool trying;			/* a transaction runs, or is queued, that looks with `trial` */
	struct prodd_buffer trial;	/* LIST of schema_key */
	uint32_t trial_count;
	struct instance *declarer;	/* borrowed: who sent `trial`; NULL: it has left */
	LIST_HEAD(, scope) scopes;
	TAILQ_HEAD(, instance) instances;
	struct transaction *transaction;	/* borrowed; NULL: none runs */
	struct watch *watch;		/* owned; NULL: not watched */
	TAILQ_HEAD(, request) requests;	/* owned: they wait for the app not to be busy */
	bool confirming;		/* a confirmation is being written */
	bool held;			/* after a start: instances that were connected are not back yet */
	unsigned expected;		/* how many of them are missing */
	UT_hash_handle hh;
};

/* ---- apps */

/* Finds or makes. NULL: no memory, or not found without `make`. */
struct app *app_find(struct config *config, const char *name, bool make);
void app_free(struct app *app);		/* with scopes; no instance may be left */

/* Does a transaction run, or is its row of the table being written? */
bool app_is_busy(const struct app *app);

/* Finds or makes the scope, and reads its live generation when the store has one. Blocks for that file: a
 * start, or the first instance of an environment. */
struct scope *app_scope(struct app *app, const char *environment, bool make, struct prodd_error *e);

/* The scope that a command means: the environment named, else the default, else the only one. NULL: none. */
struct scope *app_choose_scope(struct app *app, struct prodd_slice environment, struct prodd_error *e);

/* The environment, when the app has more than this one; else "". */
const char *scope_label(const struct scope *scope);

/* Has it an instance, or is it the app's default? */
bool scope_is_active(const struct scope *scope);

void scope_set_live(struct scope *scope, struct generation *generation);	/* shares */

/* ---- instances */

const char *instance_state_word(enum instance_state state);

/* Makes an instance and attaches it to the session. NULL: no memory. */
struct instance *instance_new(struct app *app, struct scope *scope, struct session *session,
			      const struct wire_hello *hello);

/* What the instance's variables say under `generation`. Returns 0 (with or without problems), or
 * -PRODD_E_NO_MEMORY. */
int instance_overlay(const struct instance *instance, const struct generation *generation,
		     struct overlay *ret, struct prodd_error *e);

/* Takes call: config.subscribe. It is answered by instance_serve(). */
void instance_subscribe(struct instance *instance, struct call *call, const struct wire_subscribe *has);

/* Its schema contradicts the files: it is named diverged, and told so. */
void instance_diverge(struct instance *instance, struct prodd_list problems);

/* Brings it to the scope's live generation: answers a waiting subscription, sends config.apply or
 * config.refused. */
void instance_serve(struct instance *instance);

/* Has it not been told yet of what is live? */
bool instance_lags(const struct instance *instance);

/* Asks a silent instance for a sign of life; config_instance_heard() tells of it. */
void instance_probe(struct instance *instance);

/* Takes in what an `applied` answer says about `generation`. */
void instance_confirm(struct instance *instance, uint64_t generation, const struct wire_applied *applied);

#endif
