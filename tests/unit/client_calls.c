/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that does not wait, in each situation of the daemon.  A write to
 * no descriptor goes before and after each, so that
 * tests/integration/library_calls_do_not_block.py finds the system calls
 * between, when it runs this under strace.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/client_app.h"
#include "tests/unit/client_suite.h"

static struct peer peer;
static struct line line;
static struct app app;
static struct served one, two;

static void mark(const char *word, const char *call)
{
	char text[128];
	int size = snprintf(text, sizeof text, "%s %s", word, call);

	if (write(-1, text, (size_t)size) >= 0)
		ck_abort();
}

#define MARKED(call) do { \
		mark("begin", #call); \
		call; \
		mark("end", #call); \
	} while (0)

static void setup(void)
{
	peer_open(&peer);
	peer_listen(&peer);
	served_int(&one, "a", "int", 1, false);
	served_int(&two, "a", "int", 2, false);
}

static void teardown(void)
{
	app_free(&app);
	peer_close(&peer);
	served_clear(&one);
	served_clear(&two);
}

/* The program's only thread plays both sides: it dispatches until `done` or nothing more happens. */
static void dispatch_some(void)
{
	struct prodd_error e;

	for (int i = 0; i < 5 && app.way == OWN_LOOP; i++) {
		struct pollfd fd = { .fd = prodd_fd(app.p), .events = POLLIN };

		poll(&fd, 1, 20);
		MARKED(prodd_dispatch(app.p, &e));
	}
}

static void make_all_calls(void)
{
	const struct prodd_config *c;
	struct prodd_key key;
	struct prodd_error e;
	char name[129];

	dispatch_some();
	MARKED(c = prodd_config(app.p));
	MARKED(key = prodd_key(app.p, "a"));
	MARKED(prodd_config_int(c, "a"));
	MARKED(prodd_config_string_or(c, "a", ""));
	MARKED(prodd_config_int(c, "unknown"));
	MARKED(prodd_key_int(c, key));
	MARKED(prodd_config_ref(c));
	MARKED(prodd_config_unref(c));
	MARKED(prodd_config_unref(c));
	MARKED(prodd_info(app.p, "a record", prodd_int("n", 1)));
	MARKED(prodd_debug(app.p, "below the level"));
	MARKED(prodd_set_level(app.p, "db", PRODD_DEBUG));
	MARKED(prodd_state(app.p, &e));
	MARKED(prodd_is_connected(app.p));
	MARKED(prodd_instance_name(app.p, name, sizeof name));
	MARKED(prodd_fd(app.p));
	MARKED(prodd_dispatch(app.p, &e));
}

static void make(int way)
{
	struct prodd_error e;

	app_new(&app, &peer, (enum way)way);
	MARKED(prodd_start(app.p, &e));
}

/* The call is answered by the same thread, in between: so it is sent, dispatched, and then its answer
 * read. */
static void send_call(enum wire_method method, const void *params)
{
	prodd_auto_buffer b = { 0 };

	ck_assert_int_eq(prodd_frame_call(&b, ++line.last_id, method, params), 0);
	line_send(&line, prodd_buffer_slice(&b));
	dispatch_some();
	line_receive(&line);
	ck_assert_int_eq(line.m.error.code, PRODD_OK);
}

static void converse(void)
{
	struct wire_welcome welcome = { .protocol = 1,
					.daemon = prodd_slice("0"),
					.pid = 1,
					.epoch = prodd_slice("e"),
					.app = prodd_slice("orders"),
					.instance = prodd_slice("1"),
					.served = true };
	struct wire_subscribed subscribed = { .state = prodd_slice("follows") };
	struct wire_apply apply = { .epoch = prodd_slice("e"), .generation = 1, .hash = prodd_slice("h1"),
				    .snapshot = served_list(&one) };
	struct wire_offer offer = { .txn = 1,
				    .epoch = prodd_slice("e"),
				    .generation = 2,
				    .hash = prodd_slice("h2"),
				    .snapshot = served_list(&two) };

	dispatch_some();
	peer_accept(&peer, &line);
	line_receive(&line);
	line_answer(&line, &wire_record_welcome, &welcome);
	dispatch_some();
	line_receive(&line);
	line_take_ring(&line);
	line_receive(&line);
	line_answer(&line, &wire_record_subscribed, &subscribed);
	send_call(WIRE_M_config_apply, &apply);
	send_call(WIRE_M_config_offer, &offer);
	send_call(WIRE_M_config_commit, &(struct wire_commit){ .txn = 1, .generation = 2 });
	ck_assert_int_eq(app_int(&app, "a"), 2);
}

START_TEST(without_a_daemon)
{
	peer_deafen(&peer);
	make(_i);
	make_all_calls();
}
END_TEST

START_TEST(with_a_stopped_daemon)
{
	make(_i);
	make_all_calls();
}
END_TEST

START_TEST(with_a_daemon)
{
	make(_i);
	converse();
	make_all_calls();
	line_close(&line);
	make_all_calls();
}
END_TEST

START_TEST(from_the_cache)
{
	make(_i);
	converse();
	app_free(&app);
	line_close(&line);
	peer_deafen(&peer);
	make(_i);
	make_all_calls();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: calls that do not wait");
	TCase *tc = tcase_create("calls");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, without_a_daemon, 0, WAYS);
	tcase_add_loop_test(tc, with_a_stopped_daemon, 0, WAYS);
	tcase_add_loop_test(tc, with_a_daemon, 0, WAYS);
	tcase_add_loop_test(tc, from_the_cache, 0, WAYS);
	return client_suite_run(s);
}
