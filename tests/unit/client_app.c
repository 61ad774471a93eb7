/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/client_app.h"

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int judge(const struct prodd_config *c, struct prodd_error *why, void *arg)
{
	struct app *a = arg;

	atomic_fetch_add(&a->judged, 1);
	ck_assert_ptr_nonnull(c);
	if (atomic_load(&a->opinion) == REJECTS)
		return prodd_reject(why, "a: must not be %lld", (long long)prodd_config_int(c, "a"));
	if (atomic_load(&a->opinion) == WANTS_RESTART)
		return prodd_restart_needed(why, "a: only at a start");
	return 0;
}

static int note_change(struct prodd *p, const struct prodd_config *now, const struct prodd_changes *changes,
		       struct prodd_error *why, void *arg)
{
	struct app *a = arg;
	prodd_auto_config const struct prodd_config *c = prodd_config(p);
	size_t used = 0;

	ck_assert_ptr_eq(p, a->p);
	ck_assert_ptr_eq(c, now);
	a->changed[0] = '\0';
	for (size_t i = 0; i < prodd_changes_count(changes) && used < sizeof a->changed - 64; i++)
		used += (size_t)snprintf(a->changed + used, sizeof a->changed - used, "%s%s", i ? " " : "",
					 prodd_changes_name(changes, i));
	a->before = prodd_config_generation(prodd_changes_before(changes));
	atomic_fetch_add(&a->changes, 1);
	return atomic_load(&a->cannot_apply) ? prodd_reject(why, "a: no such device") : 0;
}

void app_new(struct app *a, struct peer *p, enum way way)
{
	*a = (struct app){ .way = way };
	a->p = prodd_new("orders");
	ck_assert_ptr_nonnull(a->p);
	ck_assert_int_eq(prodd_set_socket(a->p, p->socket), 0);
	ck_assert_int_eq(prodd_set_reconnect(a->p, 20), 0);	/* tests are in a hurry */
	ck_assert_int_eq(prodd_set_log(a->p, NULL, NULL), 0);
	ck_assert_int_eq(prodd_on_validate(a->p, judge, a), 0);
	ck_assert_int_eq(prodd_on_change(a->p, note_change, a), 0);
	if (way == OWN_LOOP)
		ck_assert_int_eq(prodd_set_own_loop(a->p), 0);
}

/* As a server would: the descriptor in its poll set. A closed one comes as POLLNVAL, and dispatching cures
 * it. */
static void *pump(void *arg)
{
	struct app *a = arg;
	struct prodd_error e;

	while (!atomic_load(&a->stop)) {
		struct pollfd fd = { .fd = prodd_fd(a->p), .events = POLLIN };

		poll(&fd, 1, 20);
		prodd_dispatch(a->p, &e);
	}
	return NULL;
}

void app_start(struct app *a)
{
	struct prodd_error e;

	ck_assert_msg(prodd_start(a->p, &e) == 0, "%s", e.text);
	if (a->way == OWN_LOOP)
		ck_assert_int_eq(pthread_create(&a->pump, NULL, pump, a), 0);
}

void app_free(struct app *a)
{
	atomic_store(&a->stop, true);
	if (a->way == OWN_LOOP && a->pump)
		pthread_join(a->pump, NULL);
	prodd_free(a->p);
	a->p = NULL;
}

int64_t app_int(struct app *a, const char *key)
{
	prodd_auto_config const struct prodd_config *c = prodd_config(a->p);

	return c ? prodd_config_int(c, key) : -1;
}

uint64_t app_generation(struct app *a)
{
	prodd_auto_config const struct prodd_config *c = prodd_config(a->p);

	return prodd_config_generation(c);
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Nothing announces a state: it is looked at again and again. */
static void pause_briefly(void)
{
	poll(NULL, 0, 2);
}

void app_await_state(struct app *a, enum prodd_state state)
{
	int64_t end = now_ms() + peer_patience_ms;

	while (prodd_state(a->p, NULL) != state) {
		ck_assert_msg(now_ms() < end, "state is %d", prodd_state(a->p, NULL));
		pause_briefly();
	}
}

void app_await_connected(struct app *a, bool connected)
{
	int64_t end = now_ms() + peer_patience_ms;

	while (prodd_is_connected(a->p) != connected) {
		ck_assert_msg(now_ms() < end, "still %sconnected", connected ? "not " : "");
		pause_briefly();
	}
}

int count_descriptors(void)
{
	DIR *fds = opendir("/proc/self/fd");
	int count = -1;	/* its own */

	ck_assert_ptr_nonnull(fds);
	while (readdir(fds))
		count++;
	closedir(fds);
	return count;
}
