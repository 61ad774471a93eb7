/* SPDX-License-Identifier: Apache-2.0 */
/* The library against a scripted daemon: every answer of the transaction, in both ways of running. */
#include <stdlib.h>

#include "tests/unit/client_app.h"
#include "tests/unit/client_suite.h"

static struct peer peer;
static struct line line;
static struct app app;
static struct served one, two;		/* a = 1, b = 1; a = 2, b = 1 */

static void setup(void)
{
	peer_open(&peer);
	peer_listen(&peer);
	served_int(&one, "a", "int", 1, false);
	served_int(&one, "b", "int", 1, false);
	served_int(&two, "a", "int", 2, false);
	served_int(&two, "b", "int", 1, false);
}

static void teardown(void)
{
	if (app.p)
		app_free(&app);
	line_close(&line);
	peer_close(&peer);
	served_clear(&one);
	served_clear(&two);
}

static bool is(struct prodd_slice text, const char *expected)
{
	return prodd_slice_is(text, expected);
}

/* Up to the point where generation 1 is in use. */
static void run(int way)
{
	app_new(&app, &peer, (enum way)way);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	ck_assert(is(line_apply(&line, &one, 1).state, "applied"));
}

static void reconnect(const char *state)
{
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, state);
}

START_TEST(the_first_configuration_is_served)
{
	struct prodd_error e;

	run(_i);
	ck_assert_int_eq(prodd_wait_config(app.p, 0, &e), 0);
	ck_assert_int_eq(app_int(&app, "a"), 1);
	ck_assert_uint_eq(app_generation(&app), 1);
	ck_assert_int_eq(prodd_state(app.p, &e), PRODD_STATE_APPLIED);
	ck_assert_int_eq(e.code, PRODD_OK);
	ck_assert(prodd_is_connected(app.p));
	ck_assert_uint_eq(app.judged, 1);
	ck_assert_uint_eq(app.changes, 1);
	ck_assert_str_eq(app.changed, "a b");
	ck_assert_str_eq(line.app, "orders");
}
END_TEST

START_TEST(nothing_is_used_before_the_commit)
{
	run(_i);
	ck_assert(is(line_offer(&line, &two, 7, 2).verdict, "accept"));
	ck_assert_int_eq(app_int(&app, "a"), 1);
	ck_assert_uint_eq(app.changes, 1);
	ck_assert(is(line_commit(&line, 7, 2).state, "applied"));
	ck_assert_int_eq(app_int(&app, "a"), 2);
	ck_assert_str_eq(app.changed, "a");
	ck_assert_uint_eq(app.before, 1);
	ck_assert_uint_eq(app.judged, 2);
}
END_TEST

START_TEST(a_held_snapshot_stays_as_it_is)
{
	prodd_auto_config const struct prodd_config *held = NULL;

	run(_i);
	held = prodd_config(app.p);
	line_offer(&line, &two, 7, 2);
	line_commit(&line, 7, 2);
	ck_assert_int_eq(prodd_config_int(held, "a"), 1);
	app_free(&app);
	ck_assert_int_eq(prodd_config_int(held, "a"), 1);
	ck_assert_int_eq(prodd_config_int(held, "unknown"), 0);
}
END_TEST

START_TEST(a_rejection_has_its_reason)
{
	struct wire_verdict verdict;

	run(_i);
	atomic_store(&app.opinion, REJECTS);
	verdict = line_offer(&line, &two, 7, 2);
	ck_assert(is(verdict.verdict, "reject"));
	ck_assert(is(verdict.reason, "a: must not be 2"));
	line_abort(&line, 7);
	ck_assert_int_eq(app_int(&app, "a"), 1);
	ck_assert_int_eq(line_commit_fails(&line, 7, 2), PRODD_E_NOT_FOUND);
}
END_TEST

START_TEST(an_aborted_candidate_is_forgotten)
{
	run(_i);
	line_offer(&line, &two, 7, 2);
	line_abort(&line, 7);
	ck_assert_int_eq(line_commit_fails(&line, 7, 2), PRODD_E_NOT_FOUND);
	ck_assert_int_eq(app_int(&app, "a"), 1);
}
END_TEST

START_TEST(an_abort_of_another_transaction_changes_nothing)
{
	run(_i);
	line_offer(&line, &two, 7, 2);
	line_abort(&line, 6);
	ck_assert(is(line_commit(&line, 7, 2).state, "applied"));
}
END_TEST

START_TEST(a_commit_of_another_transaction_is_unknown)
{
	run(_i);
	line_offer(&line, &two, 7, 2);
	ck_assert_int_eq(line_commit_fails(&line, 8, 2), PRODD_E_NOT_FOUND);
	ck_assert_int_eq(app_int(&app, "a"), 1);
}
END_TEST

START_TEST(a_later_offer_replaces_the_one_before)
{
	run(_i);
	line_offer(&line, &one, 7, 2);
	line_offer(&line, &two, 8, 3);
	ck_assert(is(line_commit(&line, 8, 3).state, "applied"));
	ck_assert_int_eq(app_int(&app, "a"), 2);
	ck_assert_uint_eq(app_generation(&app), 3);
}
END_TEST

START_TEST(an_unknown_commit_starts_a_new_session)
{
	run(_i);
	ck_assert_int_eq(line_commit_fails(&line, 99, 5), PRODD_E_NOT_FOUND);
	line_expect_end(&line);
	reconnect("follows");
	ck_assert_uint_eq(line.generation, 1);
	ck_assert(is(line_apply(&line, &two, 5).state, "applied"));
	ck_assert_int_eq(app_int(&app, "a"), 2);
}
END_TEST

START_TEST(a_commit_twice_is_unknown_the_second_time)
{
	run(_i);
	line_offer(&line, &two, 7, 2);
	line_commit(&line, 7, 2);
	ck_assert_int_eq(line_commit_fails(&line, 7, 2), PRODD_E_NOT_FOUND);
	ck_assert_int_eq(app_int(&app, "a"), 2);
}
END_TEST

START_TEST(who_needs_a_restart_stays_whole)
{
	struct wire_verdict verdict;
	struct wire_applied applied;
	struct prodd_error why;

	run(_i);
	atomic_store(&app.opinion, WANTS_RESTART);
	verdict = line_offer(&line, &two, 7, 2);
	ck_assert(is(verdict.verdict, "restart") && is(verdict.reason, "a: only at a start"));
	applied = line_commit(&line, 7, 2);
	ck_assert(is(applied.state, "restart") && is(applied.reason, "a: only at a start"));
	ck_assert_int_eq(app_int(&app, "a"), 1);
	ck_assert_uint_eq(app.changes, 1);
	ck_assert_int_eq(prodd_state(app.p, &why), PRODD_STATE_RESTART);
	ck_assert_str_eq(why.text, "a: only at a start");
	reconnect("follows");
	ck_assert_uint_eq(line.generation, 1);
	ck_assert(is(line_apply(&line, &two, 2).state, "restart"));
	ck_assert_int_eq(app_int(&app, "a"), 1);
}
END_TEST

START_TEST(at_the_start_a_restart_is_not_needed)
{
	app_new(&app, &peer, (enum way)_i);
	atomic_store(&app.opinion, WANTS_RESTART);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	ck_assert(is(line_apply(&line, &one, 1).state, "applied"));
}
END_TEST

/* ---- keys that need a restart */

static void serve_port(struct served *s, int64_t hot, int64_t port)
{
	served_clear(s);
	served_int(s, "a", "int", hot, false);
	served_int(s, "port", "int", port, true);
}

static void expect_kept(struct prodd_list kept)
{
	struct prodd_iter it = prodd_iter(kept);
	struct wire_kept_key key;
	struct prodd_error e;

	ck_assert_int_eq(prodd_next(&it, &wire_record_kept_key, &key, &e), 1);
	ck_assert(is(key.key, "port") && is(key.value, "8080"));
	ck_assert_int_eq(prodd_next(&it, &wire_record_kept_key, &key, &e), 0);
}

START_TEST(a_key_that_needs_a_restart_is_kept_and_reported)
{
	struct wire_applied applied;

	serve_port(&one, 1, 8080);
	serve_port(&two, 2, 9090);
	run(_i);
	ck_assert(is(line_offer(&line, &two, 7, 2).verdict, "accept"));
	applied = line_commit(&line, 7, 2);
	ck_assert(is(applied.state, "applied"));
	expect_kept(applied.kept);
	ck_assert_int_eq(app_int(&app, "a"), 2);
	ck_assert_int_eq(app_int(&app, "port"), 8080);
	ck_assert_str_eq(app.changed, "a");

	/* A new session asks for it again, so that the daemon hears of it again; nobody else notices. */
	reconnect("follows");
	ck_assert_uint_eq(line.generation, 0);
	applied = line_apply(&line, &two, 2);
	expect_kept(applied.kept);
	ck_assert_uint_eq(app.changes, 2);

	serve_port(&one, 3, 8080);
	ck_assert_uint_eq(line_apply(&line, &one, 3).kept.count, 0);
}
END_TEST

/* ---- what the program makes of it */

START_TEST(who_cannot_apply_is_diverged)
{
	struct wire_applied applied;
	struct prodd_error why;

	run(_i);
	atomic_store(&app.cannot_apply, true);
	line_offer(&line, &two, 7, 2);
	applied = line_commit(&line, 7, 2);
	ck_assert(is(applied.state, "diverged") && is(applied.reason, "a: no such device"));
	ck_assert_int_eq(prodd_state(app.p, &why), PRODD_STATE_DIVERGED);
	ck_assert_str_eq(why.text, "a: no such device");
	reconnect("follows");
	ck_assert_uint_eq(line.generation, 0);
	ck_assert(is(line_apply(&line, &two, 2).state, "diverged"));
	atomic_store(&app.cannot_apply, false);
	ck_assert(is(line_apply(&line, &one, 3).state, "applied"));
	ck_assert_int_eq(prodd_state(app.p, NULL), PRODD_STATE_APPLIED);
}
END_TEST

START_TEST(the_first_one_rejected_leaves_nothing)
{
	struct prodd_error e;
	struct wire_applied applied;

	app_new(&app, &peer, (enum way)_i);
	atomic_store(&app.opinion, REJECTS);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	applied = line_apply(&line, &one, 1);
	ck_assert(is(applied.state, "diverged") && is(applied.reason, "a: must not be 1"));
	ck_assert_int_eq(prodd_wait_config(app.p, 5000, &e), -PRODD_E_REJECTED);
	ck_assert_str_eq(e.text, "a: must not be 1");
	ck_assert_ptr_null(prodd_config(app.p));
	atomic_store(&app.opinion, ACCEPTS);
	ck_assert(is(line_apply(&line, &two, 2).state, "applied"));
	ck_assert_int_eq(prodd_wait_config(app.p, 0, &e), 0);
}
END_TEST

START_TEST(what_is_in_use_already_is_not_told_again)
{
	run(_i);
	ck_assert(is(line_apply(&line, &one, 1).state, "applied"));
	ck_assert_uint_eq(app.changes, 1);
	ck_assert_uint_eq(app.judged, 1);
}
END_TEST

/* ---- sessions */

START_TEST(a_lost_session_is_made_again_and_compared)
{
	run(_i);
	reconnect("current");
	ck_assert_uint_eq(line.generation, 1);
	app_await_connected(&app, true);
	ck_assert(is(line_apply(&line, &two, 2).state, "applied"));
	ck_assert_uint_eq(app.changes, 2);
}
END_TEST

START_TEST(what_was_offered_in_a_lost_session_is_forgotten)
{
	run(_i);
	line_offer(&line, &two, 7, 2);
	reconnect("current");
	ck_assert_int_eq(line_commit_fails(&line, 7, 2), PRODD_E_NOT_FOUND);
	ck_assert_int_eq(app_int(&app, "a"), 1);
}
END_TEST

START_TEST(the_name_is_the_one_that_the_daemon_grants)
{
	char name[129];

	app_new(&app, &peer, (enum way)_i);
	prodd_set_instance(app.p, "8080");
	ck_assert_uint_eq(prodd_instance_name(app.p, name, sizeof name) > 0, 1);
	app_start(&app);
	prodd_instance_name(app.p, name, sizeof name);
	ck_assert_str_eq(name, "8080");
	peer_accept(&peer, &line);
	line_greet(&line, "8080+4711", "none");
	ck_assert_str_eq(line.instance, "8080");
	app_await_connected(&app, true);
	ck_assert_uint_eq(prodd_instance_name(app.p, name, 5), 9);
	ck_assert_str_eq(name, "8080");
	prodd_instance_name(app.p, name, sizeof name);
	ck_assert_str_eq(name, "8080+4711");
}
END_TEST

START_TEST(only_variables_with_the_prefix_are_sent)
{
	setenv("APP_A", "5", 1);
	setenv("APP_B", "6", 1);
	setenv("APPLE", "7", 1);
	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	ck_assert_uint_eq(line.variables, 2);
	app_free(&app);
	line_close(&line);
	app_new(&app, &peer, (enum way)_i);
	prodd_set_variables(app.p, false);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	ck_assert_uint_eq(line.variables, 0);
	unsetenv("APP_A");
	unsetenv("APP_B");
}
END_TEST

START_TEST(a_schema_in_code_goes_before_the_subscription)
{
	static struct prodd_schema_key keys[3000];
	static char names[3000][16];
	struct prodd_error e;

	for (int i = 0; i < 3000; i++) {
		snprintf(names[i], sizeof names[i], "key%d", i);
		keys[i] = (struct prodd_schema_key){ .key = names[i], .type = "int" };
	}
	app_new(&app, &peer, (enum way)_i);
	ck_assert_int_eq(prodd_declare(app.p, keys, 3000, &e), 0);
	app_start(&app);
	ck_assert_int_eq(prodd_declare(app.p, keys, 1, &e), -PRODD_E_USAGE);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	ck_assert_uint_eq(line.declared, 3000);
	ck_assert(is(line_apply(&line, &one, 1).state, "applied"));
}
END_TEST

/* ---- what the daemon has to say instead of a configuration */

static void subscribe_with_problem(const char *state)
{
	prodd_auto_buffer b = { 0 };
	uint32_t count = 0;
	struct wire_problem problem = { .file = prodd_slice("/etc/orders/default.conf"),
					.line = 4,
					.key = prodd_slice("upstream.timout"),
					.text = prodd_slice("unknown key") };
	struct wire_subscribed subscribed = { .state = prodd_slice(state) };

	prodd_encode_element(&b, &count, &wire_record_problem, &problem);
	subscribed.problems = prodd_list(&b, count);
	line_receive(&line);	/* hello */
	line_answer(&line, &wire_record_welcome,
		    &(struct wire_welcome){ .protocol = 1,
					    .daemon = prodd_slice("0"),
					    .pid = 1,
					    .epoch = prodd_slice("e"),
					    .app = prodd_slice("orders~alice") });
	line_receive(&line);
	line_take_ring(&line);
	line_receive(&line);	/* subscribe */
	line_answer(&line, &wire_record_subscribed, &subscribed);
}

START_TEST(broken_files_are_named_at_once)
{
	struct prodd_error e;
	int64_t start = now_ms();

	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	peer_accept(&peer, &line);
	subscribe_with_problem("invalid");
	ck_assert_int_eq(prodd_wait_config(app.p, 60000, &e), -PRODD_E_INVALID);
	ck_assert_str_eq(e.text, "/etc/orders/default.conf:4: upstream.timout: unknown key");
	ck_assert_int_lt(now_ms() - start, 30000);
	ck_assert_int_eq(prodd_state(app.p, NULL), PRODD_STATE_INVALID);
	ck_assert(is(line_apply(&line, &one, 1).state, "applied"));
	ck_assert_int_eq(prodd_wait_config(app.p, 0, &e), 0);
}
END_TEST

START_TEST(a_name_that_is_not_granted_is_told)
{
	struct prodd_error e;

	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	peer_accept(&peer, &line);
	subscribe_with_problem("separate");
	ck_assert_int_eq(prodd_wait_config(app.p, 60000, &e), -PRODD_E_NOT_PERMITTED);
	ck_assert_ptr_nonnull(strstr(e.text, "orders~alice"));
	ck_assert_int_eq(prodd_state(app.p, NULL), PRODD_STATE_SEPARATE);
}
END_TEST

START_TEST(no_files_yet_is_waited_for)
{
	struct prodd_error e;

	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	app_await_connected(&app, true);
	ck_assert_int_eq(prodd_wait_config(app.p, 100, &e), -PRODD_E_NO_CONFIG);
	ck_assert_str_eq(e.text, "the daemon has no configuration for orders yet");
	ck_assert(is(line_apply(&line, &one, 1).state, "applied"));
	ck_assert_int_eq(prodd_wait_config(app.p, 0, &e), 0);
}
END_TEST

START_TEST(refused_keeps_what_it_has)
{
	prodd_auto_buffer list = { 0 }, b = { 0 };
	uint32_t count = 0;
	struct wire_problem problem = { .file = prodd_slice("APP_A"), .key = prodd_slice("a"),
					.text = prodd_slice("x is not an int") };
	struct wire_refused refused = { .generation = 2 };
	struct prodd_error why;

	run(_i);
	prodd_encode_element(&list, &count, &wire_record_problem, &problem);
	refused.problems = prodd_list(&list, count);
	prodd_frame_note(&b, WIRE_M_config_refused, &refused);
	line_send(&line, prodd_buffer_slice(&b));
	app_await_state(&app, PRODD_STATE_REFUSED);
	prodd_state(app.p, &why);
	ck_assert_str_eq(why.text, "APP_A: a: x is not an int");
	ck_assert_int_eq(app_int(&app, "a"), 1);
}
END_TEST

/* ---- the cache */

START_TEST(without_daemon_the_cached_one_serves)
{
	struct prodd_error e;
	int64_t start;

	run(_i);
	line_offer(&line, &two, 7, 2);
	line_commit(&line, 7, 2);
	app_free(&app);
	line_close(&line);
	peer_deafen(&peer);
	app_new(&app, &peer, (enum way)_i);
	start = now_ms();
	app_start(&app);
	ck_assert_int_eq(prodd_wait_config(app.p, 60000, &e), 0);
	ck_assert_int_lt(now_ms() - start, 30000);
	ck_assert_int_eq(app_int(&app, "a"), 2);
	ck_assert_int_eq(prodd_state(app.p, NULL), PRODD_STATE_CACHED);
	ck_assert_uint_eq(app.judged, 1);
	peer_listen(&peer);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "current");
	ck_assert_uint_eq(line.generation, 2);
	app_await_state(&app, PRODD_STATE_APPLIED);
}
END_TEST

START_TEST(a_silent_daemon_leaves_the_cached_one_at_the_timeout)
{
	struct prodd_error e;

	run(_i);
	app_free(&app);
	line_close(&line);
	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	peer_accept(&peer, &line);
	/* The thread that reads it has 5 ms; a machine that is slower than that has it ready for the next call. */
	if (prodd_wait_config(app.p, 50, &e) < 0)
		ck_assert_int_eq(prodd_wait_config(app.p, 2000, &e), 0);
	ck_assert_int_eq(app_int(&app, "a"), 1);
}
END_TEST

START_TEST(what_the_validator_rejects_is_not_used_from_the_cache)
{
	struct prodd_error e;

	run(_i);
	app_free(&app);
	line_close(&line);
	peer_deafen(&peer);
	app_new(&app, &peer, (enum way)_i);
	atomic_store(&app.opinion, REJECTS);
	app_start(&app);
	ck_assert_int_eq(prodd_wait_config(app.p, 50, &e), -PRODD_E_NO_CONFIG);
	ck_assert_ptr_null(prodd_config(app.p));
}
END_TEST

START_TEST(with_a_bad_live_one_the_cached_one_serves)
{
	struct prodd_error e;

	run(_i);
	app_free(&app);
	line_close(&line);
	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	peer_accept(&peer, &line);
	subscribe_with_problem("invalid");
	ck_assert_int_eq(prodd_wait_config(app.p, 10000, &e), 0);
	ck_assert_int_eq(app_int(&app, "a"), 1);
	app_await_state(&app, PRODD_STATE_CACHED);
	prodd_state(app.p, &e);
	ck_assert_int_eq(e.code, PRODD_E_INVALID);
}
END_TEST

START_TEST(no_descriptor_and_no_file_is_left)
{
	int before = count_descriptors();

	for (int i = 0; i < 3; i++) {
		run(_i);
		line_close(&line);
		peer_accept(&peer, &line);
		app_free(&app);
		line_close(&line);
	}
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

static void add_to(TCase *tc)
{
	tcase_add_loop_test(tc, the_first_configuration_is_served, 0, WAYS);
	tcase_add_loop_test(tc, nothing_is_used_before_the_commit, 0, WAYS);
	tcase_add_loop_test(tc, a_held_snapshot_stays_as_it_is, 0, WAYS);
	tcase_add_loop_test(tc, a_rejection_has_its_reason, 0, WAYS);
	tcase_add_loop_test(tc, an_aborted_candidate_is_forgotten, 0, WAYS);
	tcase_add_loop_test(tc, an_abort_of_another_transaction_changes_nothing, 0, WAYS);
	tcase_add_loop_test(tc, a_commit_of_another_transaction_is_unknown, 0, WAYS);
	tcase_add_loop_test(tc, a_later_offer_replaces_the_one_before, 0, WAYS);
	tcase_add_loop_test(tc, an_unknown_commit_starts_a_new_session, 0, WAYS);
	tcase_add_loop_test(tc, a_commit_twice_is_unknown_the_second_time, 0, WAYS);
	tcase_add_loop_test(tc, who_needs_a_restart_stays_whole, 0, WAYS);
	tcase_add_loop_test(tc, at_the_start_a_restart_is_not_needed, 0, WAYS);
	tcase_add_loop_test(tc, a_key_that_needs_a_restart_is_kept_and_reported, 0, WAYS);
	tcase_add_loop_test(tc, who_cannot_apply_is_diverged, 0, WAYS);
	tcase_add_loop_test(tc, the_first_one_rejected_leaves_nothing, 0, WAYS);
	tcase_add_loop_test(tc, what_is_in_use_already_is_not_told_again, 0, WAYS);
	tcase_add_loop_test(tc, a_lost_session_is_made_again_and_compared, 0, WAYS);
	tcase_add_loop_test(tc, what_was_offered_in_a_lost_session_is_forgotten, 0, WAYS);
	tcase_add_loop_test(tc, the_name_is_the_one_that_the_daemon_grants, 0, WAYS);
	tcase_add_loop_test(tc, only_variables_with_the_prefix_are_sent, 0, WAYS);
	tcase_add_loop_test(tc, a_schema_in_code_goes_before_the_subscription, 0, WAYS);
	tcase_add_loop_test(tc, broken_files_are_named_at_once, 0, WAYS);
	tcase_add_loop_test(tc, a_name_that_is_not_granted_is_told, 0, WAYS);
	tcase_add_loop_test(tc, no_files_yet_is_waited_for, 0, WAYS);
	tcase_add_loop_test(tc, refused_keeps_what_it_has, 0, WAYS);
	tcase_add_loop_test(tc, without_daemon_the_cached_one_serves, 0, WAYS);
	tcase_add_loop_test(tc, a_silent_daemon_leaves_the_cached_one_at_the_timeout, 0, WAYS);
	tcase_add_loop_test(tc, what_the_validator_rejects_is_not_used_from_the_cache, 0, WAYS);
	tcase_add_loop_test(tc, with_a_bad_live_one_the_cached_one_serves, 0, WAYS);
	tcase_add_loop_test(tc, no_descriptor_and_no_file_is_left, 0, WAYS);
}

int main(void)
{
	Suite *s = suite_create("client: session");
	TCase *tc = tcase_create("session");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	add_to(tc);
	return client_suite_run(s);
}
