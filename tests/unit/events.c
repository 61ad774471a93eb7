/* SPDX-License-Identifier: Apache-2.0 */
/* The last events, and those who follow. */
#include "daemon/core/events.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/rig.h"

static struct rig rig;
static struct events *events;
static struct prodd_buffer answer;	/* what the lists of the last answer are borrowed from */

static void set_up(void)
{
	struct prodd_error e;

	rig_init(&rig);
	ck_assert_int_eq(events_new(&events, &rig.loop, &e), 0);
}

static void tear_down(void)
{
	events = events_free(events);
	ck_assert_ptr_null(events);
	prodd_buffer_clear(&answer);
	rig_clear(&rig);
}

/* The answer; with dropped = UINT64_MAX it was an error. */
static struct wire_events ask(int fd, struct wire_events_request request)
{
	struct wire_events ret = { .dropped = UINT64_MAX };
	struct prodd_message m;
	struct prodd_error e;
	bool end;

	rig_send_call(fd, 5, WIRE_M_events, &request);
	rig_run(&rig);
	events_call(events, rig.kept[--rig.kept_count], &request);
	rig_run(&rig);
	ck_assert(rig_take(fd, &answer, &m, &end));
	ck_assert_int_eq(m.type, PRODD_ANSWER);
	if (!m.error.code)
		ck_assert_int_eq(prodd_message_decode(&m, &wire_record_events, &ret, &e), 0);
	return ret;
}

static struct wire_event first(struct prodd_list list)
{
	struct prodd_iter it = prodd_iter(list);
	struct wire_event event;

	ck_assert_int_eq(prodd_next(&it, &wire_record_event, &event, NULL), 1);
	return event;
}

START_TEST(events_are_told_oldest_first)
{
	struct wire_events got;
	int fd = rig_greeted(&rig, true, NULL);

	ck_assert_uint_eq(ask(fd, (struct wire_events_request){ 0 }).events.count, 0);
	events_add(events, EVENT_STARTED, "", "", "prodd %s", "0.1.0");
	events_add(events, EVENT_CONNECTED, "orders", "1", "pid 7");
	events_add(events, EVENT_CONNECTED, "other", "1", "pid 8");
	got = ask(fd, (struct wire_events_request){ 0 });
	ck_assert_uint_eq(got.events.count, 3);
	ck_assert_uint_eq(got.dropped, 0);
	ck_assert(prodd_slice_is(first(got.events).kind, "started"));
	ck_assert(prodd_slice_is(first(got.events).text, "prodd 0.1.0"));
	got = ask(fd, (struct wire_events_request){ .app = prodd_slice("orders") });
	ck_assert_uint_eq(got.events.count, 1);
	ck_assert_uint_eq(first(got.events).number, 2);
	ck_assert_uint_eq(ask(fd, (struct wire_events_request){ .after = 2 }).events.count, 1);
	ck_assert_uint_eq(ask(fd, (struct wire_events_request){ .after = 3 }).events.count, 0);
	ck_assert_uint_eq(ask(fd, (struct wire_events_request){ .after = UINT64_MAX }).events.count, 0);
	close(fd);
}
END_TEST

START_TEST(older_events_are_dropped_and_counted)
{
	struct wire_events got;
	int fd = rig_greeted(&rig, true, NULL);

	for (int i = 0; i < EVENTS_KEPT + 10; i++)
		events_add(events, EVENT_CONNECTED, "orders", "1", "%d", i);
	got = ask(fd, (struct wire_events_request){ 0 });
	ck_assert_uint_eq(got.events.count, EVENTS_KEPT);
	ck_assert_uint_eq(got.dropped, 10);
	ck_assert_uint_eq(first(got.events).number, 11);
	ck_assert_uint_eq(counters.events_dropped, 10);
	ck_assert_uint_eq(ask(fd, (struct wire_events_request){ .after = 5 }).dropped, 5);
	ck_assert_uint_eq(ask(fd, (struct wire_events_request){ .after = 10 }).dropped, 0);
	close(fd);
}
END_TEST

START_TEST(texts_are_cut_between_characters_and_always_valid)
{
	static char text[3000];
	struct wire_event event;
	int fd = rig_greeted(&rig, true, NULL);

	for (int i = 0; i < 1000; i++)
		memcpy(text + 1 + 2 * i, "\xc3\xa9", 2);
	text[0] = 'x';
	events_add(events, EVENT_REJECTED, "orders", text, "%s", text);
	events_add(events, EVENT_REJECTED, "orders", "1", "\xff\xfe");
	event = first(ask(fd, (struct wire_events_request){ 0 }).events);
	ck_assert_uint_eq(event.text.size, 1023);
	ck_assert_uint_eq(event.instance.size, 127);
	close(fd);
}
END_TEST

static unsigned count_notes(int fd)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	unsigned count = 0;
	bool end;

	rig_run(&rig);
	while (rig_take(fd, &b, &m, &end)) {
		ck_assert_int_eq(m.type, PRODD_NOTE);
		ck_assert_int_eq(m.method, WIRE_M_event);
		count++;
	}
	return count;
}

START_TEST(followers_are_told_what_concerns_them)
{
	int all = rig_greeted(&rig, true, NULL);
	int one = rig_greeted(&rig, true, NULL);
	int none = rig_greeted(&rig, true, NULL);

	events_add(events, EVENT_STARTED, "", "", "%s", "");
	ck_assert_uint_eq(ask(all, (struct wire_events_request){ .follow = true }).events.count, 1);
	ask(one, (struct wire_events_request){ .follow = true, .app = prodd_slice("orders") });
	ask(none, (struct wire_events_request){ 0 });
	events_add(events, EVENT_CONNECTED, "orders", "1", "%s", "");
	events_add(events, EVENT_CONNECTED, "other", "1", "%s", "");
	ck_assert_uint_eq(count_notes(all), 2);
	ck_assert_uint_eq(count_notes(one), 1);
	ck_assert_uint_eq(count_notes(none), 0);
	close(all);
	rig_run(&rig);
	events_add(events, EVENT_CONNECTED, "orders", "1", "%s", "");
	ck_assert_uint_eq(count_notes(one), 1);
	close(one);
	close(none);
}
END_TEST

START_TEST(a_session_follows_once)
{
	int fd = rig_greeted(&rig, true, NULL);

	ask(fd, (struct wire_events_request){ .follow = true });
	ck_assert_uint_eq(ask(fd, (struct wire_events_request){ .follow = true }).dropped, UINT64_MAX);
	events_add(events, EVENT_CONNECTED, "orders", "1", "%s", "");
	ck_assert_uint_eq(count_notes(fd), 1);
	close(fd);
}
END_TEST

START_TEST(followers_have_a_most)
{
	int fds[65];

	for (int i = 0; i < 64; i++) {
		fds[i] = rig_greeted(&rig, true, NULL);
		ck_assert_uint_eq(ask(fds[i], (struct wire_events_request){ .follow = true }).dropped, 0);
	}
	fds[64] = rig_greeted(&rig, true, NULL);
	ck_assert_uint_eq(ask(fds[64], (struct wire_events_request){ .follow = true }).dropped, UINT64_MAX);
	for (int i = 0; i < 65; i++)
		close(fds[i]);
}
END_TEST

static Suite *events_suite(void)
{
	Suite *s = suite_create("events");
	TCase *tc = tcase_create("events");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, events_are_told_oldest_first);
	tcase_add_test(tc, older_events_are_dropped_and_counted);
	tcase_add_test(tc, texts_are_cut_between_characters_and_always_valid);
	tcase_add_test(tc, followers_are_told_what_concerns_them);
	tcase_add_test(tc, a_session_follows_once);
	tcase_add_test(tc, followers_have_a_most);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(events_suite());
}
