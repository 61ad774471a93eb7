/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, driven with hand-fed bytes: hello, rights, and the end. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/container.h"
#include "proto/limits.h"
#include "tests/unit/rig.h"

static struct rig rig;

static void set_up(void)
{
	rig_init(&rig);
}

static void tear_down(void)
{
	rig_clear(&rig);
}

static const struct wire_hello hello = { .protocol = 1, .client = { "test 1", 6 } };
static const struct wire_empty empty;

/* ---- hello */

START_TEST(a_session_says_hello_and_pings)
{
	int fd = rig_greeted(&rig, false, NULL);

	for (uint64_t id = 1; id < 100; id++) {
		rig_send_call(fd, id, WIRE_M_ping, &empty);
		rig_expect(&rig, fd, id, PRODD_OK);
	}
	ck_assert(prodd_slice_is(session_client(rig.last), "test 1"));
	ck_assert_uint_eq(rig.called, 0);
	close(fd);
	rig_run(&rig);
	ck_assert_uint_eq(rig.host.count, 0);
	ck_assert_uint_eq(counters.connections_closed, 1);
	ck_assert_uint_eq(counters.sessions_ended_protocol, 0);
}
END_TEST

START_TEST(nothing_is_taken_before_hello)
{
	int fd = rig_connect(&rig, true);

	rig_send_call(fd, 7, WIRE_M_ping, &empty);
	rig_expect(&rig, fd, 7, PRODD_E_PROTOCOL);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.sessions_ended_protocol, 1);
	ck_assert_uint_eq(rig.host.count, 0);
	close(fd);
}
END_TEST

START_TEST(a_second_hello_is_an_error)
{
	int fd = rig_greeted(&rig, false, NULL);

	rig_send_call(fd, 2, WIRE_M_hello, &hello);
	rig_expect(&rig, fd, 2, PRODD_E_USAGE);
	rig_send_call(fd, 3, WIRE_M_ping, &empty);
	rig_expect(&rig, fd, 3, PRODD_OK);
	close(fd);
}
END_TEST

static const struct { uint64_t highest, lowest; int code; } versions[] = {
	{ 1, 0, PRODD_OK }, { 1, 1, PRODD_OK }, { 9, 1, PRODD_OK }, { UINT64_MAX, 1, PRODD_OK },
	{ 2, 0, PRODD_E_UNSUPPORTED }, { 9, 2, PRODD_E_UNSUPPORTED }, { 0, 0, PRODD_E_UNSUPPORTED },
	{ 1, 2, PRODD_E_USAGE },
};

START_TEST(the_highest_common_version_is_spoken)
{
	struct wire_hello h = hello;
	int fd = rig_connect(&rig, false);

	h.protocol = versions[_i].highest;
	h.protocol_min = versions[_i].lowest;
	rig_send_call(fd, 1, WIRE_M_hello, &h);
	rig_expect(&rig, fd, 1, versions[_i].code);
	if (versions[_i].code)
		rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.hellos_refused, versions[_i].code != PRODD_OK);
	close(fd);
}
END_TEST

START_TEST(a_refusal_names_both_ranges)
{
	struct wire_hello h = { .protocol = 5, .protocol_min = 3, .client = { "x", 1 } };
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	bool end;
	int fd = rig_connect(&rig, false);

	rig_send_call(fd, 1, WIRE_M_hello, &h);
	rig_run(&rig);
	ck_assert(rig_take(fd, &b, &m, &end));
	ck_assert_ptr_nonnull(strstr(m.error.text, "3 to 5"));
	ck_assert_ptr_nonnull(strstr(m.error.text, "1 to 1"));
	close(fd);
}
END_TEST

START_TEST(a_name_that_the_service_refuses_ends_the_session)
{
	struct wire_hello h = hello;
	int fd = rig_connect(&rig, false);

	h.app = prodd_slice("forbidden");
	rig_send_call(fd, 1, WIRE_M_hello, &h);
	rig_expect(&rig, fd, 1, PRODD_E_NOT_PERMITTED);
	rig_expect_end(&rig, fd);
	close(fd);
}
END_TEST

START_TEST(who_never_says_hello_is_told_and_cut)
{
	int fd;

	rig.limits.hello_ms = 20;
	fd = rig_connect(&rig, false);
	rig_send(fd, "\0\0", 2);
	rig_until(&rig, &counters.connections_closed, 1);
	ck_assert_uint_eq(counters.sessions_no_hello, 1);
	rig_expect(&rig, fd, 0, PRODD_E_TIMEOUT);
	rig_expect_end(&rig, fd);
	close(fd);
}
END_TEST

START_TEST(who_has_said_hello_may_be_idle)
{
	int fd, other;

	rig.limits.hello_ms = 300;
	fd = rig_greeted(&rig, false, NULL);
	other = rig_connect(&rig, false);
	rig_until(&rig, &counters.connections_closed, 1);
	ck_assert_uint_eq(rig.host.count, 1);
	rig_send_call(fd, 3, WIRE_M_ping, &empty);
	rig_expect(&rig, fd, 3, PRODD_OK);
	close(fd);
	close(other);
}
END_TEST

/* ---- rights */

static const struct {
	enum wire_method method;
	bool is_operator;
	const char *is_app;
	const char *app;	/* in the params */
	int code;		/* of the answer; NOT_FOUND: it reached the service */
} rights[] = {
	{ WIRE_M_reload, true, NULL, "any", PRODD_E_NOT_FOUND },
	{ WIRE_M_reload, true, NULL, NULL, PRODD_E_NOT_FOUND },
	{ WIRE_M_reload, false, NULL, "mine", PRODD_E_NOT_FOUND },
	{ WIRE_M_reload, false, NULL, "other", PRODD_E_NOT_PERMITTED },
	{ WIRE_M_reload, false, NULL, NULL, PRODD_E_NOT_PERMITTED },
	{ WIRE_M_reload, false, "mine", "other", PRODD_E_NOT_PERMITTED },
	{ WIRE_M_status, false, NULL, "mine", PRODD_E_NOT_FOUND },
	{ WIRE_M_status, false, NULL, NULL, PRODD_E_NOT_PERMITTED },
	{ WIRE_M_config_history, true, NULL, "mine", PRODD_E_NOT_FOUND },
	{ WIRE_M_config_history, false, NULL, "mine", PRODD_E_NOT_PERMITTED },
	{ WIRE_M_events, false, "mine", NULL, PRODD_E_NOT_PERMITTED },
	{ WIRE_M_config_subscribe, false, "mine", NULL, PRODD_E_NOT_FOUND },
	{ WIRE_M_config_subscribe, true, "mine", NULL, PRODD_E_NOT_FOUND },
	{ WIRE_M_config_subscribe, true, NULL, NULL, PRODD_E_NOT_PERMITTED },
	{ WIRE_M_config_subscribe, false, NULL, NULL, PRODD_E_NOT_PERMITTED },
	{ WIRE_M_config_offer, true, "mine", NULL, PRODD_E_NOT_PERMITTED },
	{ WIRE_M_config_commit, true, NULL, NULL, PRODD_E_NOT_PERMITTED },
	{ WIRE_M_parse, true, NULL, "mine", PRODD_E_NOT_PERMITTED },
	{ WIRE_M_event, true, NULL, NULL, PRODD_E_NOT_PERMITTED },
};

static const struct wire_field *field_app(const struct wire_record *record)
{
	for (unsigned i = 0; i < record->count; i++)
		if (strcmp(record->fields[i].name, "app") == 0)
			return &record->fields[i];
	return NULL;
}

START_TEST(each_method_has_its_senders)
{
	_Alignas(16) char params[512] = { 0 };
	const struct wire_record *record = wire_methods[rights[_i].method].params;
	int fd = rig_greeted(&rig, rights[_i].is_operator, rights[_i].is_app);

	ck_assert_uint_le(record->size, sizeof params);
	if (rights[_i].app && field_app(record)) {
		struct prodd_slice app = prodd_slice(rights[_i].app);

		memcpy(params + field_app(record)->offset, &app, sizeof app);
	}
	rig_send_call(fd, 5, rights[_i].method, params);
	rig_expect(&rig, fd, 5, rights[_i].code);
	ck_assert_uint_eq(rig.called, rights[_i].code == PRODD_E_NOT_FOUND);
	ck_assert_uint_eq(counters.calls_not_permitted, rights[_i].code == PRODD_E_NOT_PERMITTED);
	close(fd);
}
END_TEST

static void send_frame(int fd, const char *body, size_t size)
{
	char head[4] = { 0, 0, 0, (char)size };

	rig_send(fd, head, sizeof head);
	rig_send(fd, body, size);
}

START_TEST(unknown_methods_and_wrong_params_are_answered_and_the_session_goes_on)
{
	static const char unknown[] = "\x94\x00\x05\xa6" "future" "\x80";
	static const char wrong[] = "\x94\x00\x06\xa6" "reload" "\x81\xa3" "app" "\xc3";
	static const char note[] = "\x93\x02\xa6" "future" "\x80";
	int fd = rig_greeted(&rig, true, NULL);

	send_frame(fd, unknown, sizeof unknown - 1);
	rig_expect(&rig, fd, 5, PRODD_E_UNSUPPORTED);
	send_frame(fd, wrong, sizeof wrong - 1);
	rig_expect(&rig, fd, 6, PRODD_E_USAGE);
	send_frame(fd, note, sizeof note - 1);
	rig_send_call(fd, 7, WIRE_M_ping, &empty);
	rig_expect(&rig, fd, 7, PRODD_OK);
	ck_assert_uint_eq(counters.calls_unsupported, 2);
	close(fd);
}
END_TEST

/* ---- the end */

struct waiting {
	struct outcall outcall;
	unsigned answers;
	unsigned ends;
};

static void answered(struct outcall *outcall, const struct prodd_message *answer)
{
	struct waiting *w = container_of(outcall, struct waiting, outcall);

	ck_assert_ptr_null(outcall->session);
	if (answer)
		w->answers++;
	else
		w->ends++;
}

static const struct wire_commit commit = { .txn = 1, .generation = 2 };

static void ask(struct waiting *w)
{
	w->outcall.done = answered;
	ck_assert_int_eq(session_call(rig.last, &w->outcall, WIRE_M_config_commit, &commit, NULL, NULL), 0);
}

struct attached {
	struct peer peer;
	unsigned closed;
};

static void peer_closed(struct peer *peer)
{
	struct attached *a = container_of(peer, struct attached, peer);
	struct waiting w = { .outcall.done = answered };

	a->closed++;
	/* An owner may still talk: nothing is sent, nothing is called back. */
	ck_assert_int_eq(session_note(peer->session, WIRE_M_config_abort, &(struct wire_abort){ .txn = 1 }),
			 -PRODD_E_CLOSED);
	ck_assert_int_eq(session_call(peer->session, &w.outcall, WIRE_M_config_commit, &commit, NULL, NULL),
			 -PRODD_E_CLOSED);
	session_end(peer->session, 0);
}

START_TEST(a_peer_is_told_of_the_end_once)
{
	struct attached a = { .peer.closed = peer_closed };
	struct waiting w = { 0 };
	int fd;

	rig.attach = &a.peer;
	fd = rig_greeted(&rig, false, "mine");
	ck_assert_ptr_eq(session_peer(rig.last, NULL), &a.peer);
	ask(&w);
	if (_i == 0)
		close(fd);
	else
		session_end(rig.last, _i == 1 ? 0 : 5000);
	ck_assert_uint_eq(a.closed, 0);		/* never from inside a function */
	rig_run(&rig);
	ck_assert_uint_eq(a.closed, 1);
	ck_assert_uint_eq(w.ends, 1);
	ck_assert_uint_eq(rig.host.count, 0);
	if (_i > 0)
		close(fd);
}
END_TEST

START_TEST(what_is_queued_is_sent_before_the_end)
{
	int fd = rig_greeted(&rig, false, "mine");
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	bool end;

	session_host_farewell(&rig.host, "upgrade", 1000);
	rig_run(&rig);
	ck_assert(rig_take(fd, &b, &m, &end));
	ck_assert_int_eq(m.method, WIRE_M_going_away);
	rig_expect_end(&rig, fd);
	close(fd);
}
END_TEST

START_TEST(the_host_can_be_cleared_and_used_again)
{
	struct attached a = { .peer.closed = peer_closed };
	int fd, again;

	rig.attach = &a.peer;
	fd = rig_greeted(&rig, false, "mine");
	session_host_clear(&rig.host);
	ck_assert_uint_eq(a.closed, 1);
	rig.attach = NULL;
	again = rig_greeted(&rig, false, "mine");
	close(fd);
	close(again);
}
END_TEST

static Suite *session_suite(void)
{
	Suite *s = suite_create("session");
	TCase *tc = tcase_create("session");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_session_says_hello_and_pings);
	tcase_add_test(tc, nothing_is_taken_before_hello);
	tcase_add_test(tc, a_second_hello_is_an_error);
	tcase_add_loop_test(tc, the_highest_common_version_is_spoken, 0, sizeof versions / sizeof *versions);
	tcase_add_test(tc, a_refusal_names_both_ranges);
	tcase_add_test(tc, a_name_that_the_service_refuses_ends_the_session);
	tcase_add_test(tc, who_never_says_hello_is_told_and_cut);
	tcase_add_test(tc, who_has_said_hello_may_be_idle);
	tcase_add_loop_test(tc, each_method_has_its_senders, 0, sizeof rights / sizeof *rights);
	tcase_add_test(tc, unknown_methods_and_wrong_params_are_answered_and_the_session_goes_on);
	tcase_add_loop_test(tc, a_peer_is_told_of_the_end_once, 0, 3);
	tcase_add_test(tc, what_is_queued_is_sent_before_the_end);
	tcase_add_test(tc, the_host_can_be_cleared_and_used_again);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(session_suite());
}
