/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a handle, and what can be asked of it at any time. */
#include "client/handle.h"

#include "config.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "client/clock.h"

const char *prodd_client_version(void)
{
	return PACKAGE_VERSION;
}

/* ---- making and starting */

static void name_by_pid(char name[16])
{
	snprintf(name, 16, "%d", (int)getpid());
}

struct prodd *prodd_new(const char *app)
{
	struct prodd *p = calloc(1, sizeof *p);
	char name[16];

	if (!p)
		return NULL;
	p->messages = prodd_messages_new(app ? app : "");
	p->metrics = p->messages ? prodd_metrics_new(p->messages) : NULL;
	prodd_log_init(&p->log, &p->threshold);
	if (!p->metrics || prodd_settings_init(&p->settings, app ? app : "") < 0) {
		prodd_metrics_free(p->metrics);
		prodd_log_clear(&p->log);
		prodd_messages_unref(p->messages);
		free(p);
		return NULL;
	}
	name_by_pid(name);
	prodd_status_init(&p->status, PRODD_STATE_OFF, name);
	prodd_mark_open(&p->mark);
	return p;
}

static void *run(void *arg)
{
	struct prodd *p = arg;
	struct prodd_engine *engine = p->engine;
	struct timespec pause = { .tv_sec = PRODD_NET_MS / 1000 };
	struct prodd_error e;

	if (!prodd_engine_enter(engine))
		return NULL;
	while (!atomic_load(&engine->stop))
		if (prodd_engine_turn(engine, PRODD_NET_MS, &e) < 0) {
			prodd_messages_say_once(p->messages, LOG_WARNING, "%s", e.text);
			nanosleep(&pause, NULL);
		}
	prodd_engine_exit(engine);
	return NULL;
}

/* The thread inherits the mask of its maker: no signal of the program's is ever handled in it. */
int prodd_handle_run(struct prodd *p, struct prodd_error *e)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&p->thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return prodd_error_set(e, PRODD_E_IO, "starting a thread: %s", strerror(r));
	p->has_thread = true;
	return 0;
}

static int start(struct prodd *p, struct prodd_error *e)
{
	int r = prodd_surroundings_read(&p->surroundings, &p->settings, p->messages, e);

	if (r == 0)
		r = prodd_rings_open(&p->log.rings, p->settings.log_ring, p->messages, e);
	if (r < 0)
		return r;
	p->engine = prodd_engine_new(p, p->settings.instance);
	if (!p->engine)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "starting");
	r = prodd_engine_open(p->engine, e);
	if (r < 0)
		return r;
	if (p->settings.instance)
		prodd_status_rename(&p->status, p->settings.instance);
	prodd_status_set(&p->status, PRODD_STATE_WAITING, NULL);
	return p->settings.own_loop ? 0 : prodd_handle_run(p, e);
}

int prodd_start(struct prodd *p, struct prodd_error *e)
{
	int r;

	if (!p)
		return 0;
	prodd_handle_look(p);
	if (p->started)
		return prodd_error_set(e, PRODD_E_USAGE, "prodd_start: started already");
	r = prodd_settings_check_app(&p->settings, e);
	if (r < 0)
		return r;
	p->started = true;
	r = start(p, e);
	if (r < 0) {
		p->started = false;
		prodd_engine_free(p->engine);
		p->engine = NULL;
		prodd_rings_free(&p->log.rings);
		prodd_surroundings_clear(&p->surroundings);
		prodd_status_set(&p->status, PRODD_STATE_OFF, NULL);
	}
	return r;
}

/* ---- ending */

/* With an own loop another thread may be in a turn that ends soon. */
static void end_turns(struct prodd *p)
{
	struct timespec pause = { .tv_nsec = PRODD_NS_PER_MS };

	prodd_engine_stop(p->engine);
	if (p->has_thread)
		pthread_join(p->thread, NULL);
	p->has_thread = false;
	while (!prodd_engine_seize(p->engine))
		nanosleep(&pause, NULL);
}

int prodd_close(struct prodd *p)
{
	if (!p)
		return 0;
	if (prodd_mark_is_forked(&p->mark))
		prodd_handle_disown(p);
	if (!p->engine || atomic_load(&p->closed))
		return 0;
	if (prodd_engine_is_inside(p->engine))
		return -PRODD_E_USAGE;
	if (atomic_exchange(&p->closed, true))
		return 0;
	prodd_log_finish(p);
	end_turns(p);
	prodd_log_close(p);
	prodd_engine_close(p->engine);
	prodd_status_close(&p->status);
	return 0;
}

void prodd_free(struct prodd *p)
{
	if (!p)
		return;
	if (!p->engine || !prodd_engine_is_inside(p->engine))
		prodd_metrics_end(p->metrics);
	if (prodd_close(p) < 0) {
		prodd_messages_say(p->messages, LOG_ERR,
				   "prodd_free is called from a callback: nothing is freed");
		return;
	}
	prodd_messages_close(p->messages);
	prodd_engine_free(p->engine);
	prodd_metrics_free(p->metrics);
	prodd_snapshot_use(&p->current, NULL);
	prodd_names_clear(&p->keys);
	prodd_log_clear(&p->log);
	prodd_status_clear(&p->status);
	prodd_surroundings_clear(&p->surroundings);
	prodd_settings_clear(&p->settings);
	prodd_messages_unref(p->messages);
	prodd_mark_close(&p->mark);
	free(p->lineage);
	free(p);
}

/* ---- in a forked child */

/* "8080.4712"; when that is too long the pid alone. The parent's status is read without its lock, which
 * nobody here will ever release. */
static char *lineage_new(const struct prodd *p)
{
	char *name = malloc(PRODD_NAME_MAX + 1);
	int pid = (int)getpid();

	if (name && snprintf(name, PRODD_NAME_MAX + 1, "%.*s.%d", PRODD_INSTANCE_MAX, p->status.instance,
			     pid) > PRODD_NAME_MAX)
		snprintf(name, PRODD_NAME_MAX + 1, "%d", pid);
	return name;
}

static int leave_parent(struct prodd *p)
{
	int number = -1;

	prodd_messages_forked(p->messages);
	prodd_metrics_own(p->metrics);
	prodd_log_forked(&p->log);
	p->has_thread = false;
	if (p->engine)
		p->abandoned = prodd_engine_leave(p->engine, &number);
	p->engine = NULL;
	return number;
}

static void start_anew(struct prodd *p, int number)
{
	struct prodd_error e;
	char *lineage = lineage_new(p);
	const struct prodd_config *inherited = prodd_snapshot_in_use(&p->current);

	free(p->lineage);
	p->lineage = lineage;
	prodd_status_init(&p->status, inherited ? PRODD_STATE_CACHED : PRODD_STATE_WAITING,
			  lineage ? lineage : "");
	prodd_config_unref(inherited);
	p->engine = prodd_engine_new(p, lineage);
	if (!p->engine) {
		prodd_messages_say(p->messages, LOG_ERR,
				   "no memory in a forked process: its configuration stays as it is");
		p->closed = true;
		if (number >= 0)
			close(number);
		return;
	}
	if (prodd_engine_take_over(p->engine, number, &e) < 0)
		prodd_messages_say(p->messages, LOG_WARNING, "in a forked process: %s", e.text);
	if (!p->settings.own_loop && prodd_handle_run(p, &e) < 0)
		prodd_messages_say(p->messages, LOG_ERR, "in a forked process: %s", e.text);
}

void prodd_handle_own(struct prodd *p)
{
	int number;

	if (!prodd_mark_claim(&p->mark)) {
		while (prodd_mark_is_forked(&p->mark))
			sched_yield();
		return;
	}
	number = leave_parent(p);
	if (p->started && !p->closed)
		start_anew(p, number);
	else
		prodd_status_init(&p->status, PRODD_STATE_OFF, p->status.instance);
	prodd_mark_own(&p->mark);
}

void prodd_handle_disown(struct prodd *p)
{
	int number;

	if (!prodd_mark_claim(&p->mark))
		return;
	number = leave_parent(p);
	if (number >= 0)
		close(number);
	prodd_status_init(&p->status, PRODD_STATE_OFF, p->status.instance);
	p->closed = p->started;
	prodd_mark_own(&p->mark);
}

/* ---- queries */

const struct prodd_config *prodd_config(struct prodd *p)
{
	if (!p)
		return NULL;
	prodd_handle_look(p);
	return prodd_snapshot_in_use(&p->current);
}

struct prodd_key prodd_key(struct prodd *p, const char *name)
{
	const struct prodd_name *added;

	if (!p || !name)
		return (struct prodd_key){ NULL, 0 };
	prodd_handle_look(p);
	added = prodd_names_add(&p->keys, name, NULL);
	if (!added) {
		prodd_messages_say(p->messages, LOG_ERR, "no memory for the key %s", name);
		return (struct prodd_key){ NULL, 0 };
	}
	return (struct prodd_key){ added->text, added->number };
}

enum prodd_state prodd_state(struct prodd *p, struct prodd_error *why)
{
	struct prodd_standing standing = { .state = PRODD_STATE_OFF };

	if (p) {
		prodd_handle_look(p);
		prodd_status_get(&p->status, &standing);
	}
	if (why)
		*why = standing.why.code || !standing.contact.code ? standing.why : standing.contact;
	return standing.state;
}

bool prodd_is_connected(struct prodd *p)
{
	struct prodd_standing standing = { 0 };

	if (p) {
		prodd_handle_look(p);
		prodd_status_get(&p->status, &standing);
	}
	return standing.connected;
}

size_t prodd_instance_name(struct prodd *p, char *name, size_t size)
{
	char copy[PRODD_INSTANCE_MAX + 1] = "";

	if (p) {
		prodd_handle_look(p);
		prodd_status_name(&p->status, copy);
	}
	if (name && size > 0)
		snprintf(name, size, "%s", copy);
	return strlen(copy);
}
