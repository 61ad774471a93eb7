/* SPDX-License-Identifier: Apache-2.0 */
/* Looking back into spools, and following what is kept, with a disk thread and sessions; records are made here. */
#define _GNU_SOURCE
#include "daemon/log/tail.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/latest.h"
#include "daemon/spool/writer.h"
#include "daemon/util/clock.h"
#include "tests/unit/rig.h"

static struct rig rig;
static struct disk *disk;
static struct tail tail;
static char state[256];
static int spool;
static struct spool_total total;
static struct spool_writer *orders, *billing;

static struct spool_writer *open_writer(const char *app)
{
	struct spool_writer *writer;
	struct prodd_error e;

	ck_assert_msg(spool_writer_open(&writer, spool, app, &total, &e) == 0, "%s", e.text);
	return writer;
}

static void set_up(void)
{
	const char *tmp = getenv("TMPDIR");
	struct prodd_error e;
	char path[300];

	rig_init(&rig);
	snprintf(state, sizeof state, "%s/tail-XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(state));
	snprintf(path, sizeof path, "%s/spool", state);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	spool = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	total = (struct spool_total){ .policy = SPOOL_NEVER };
	orders = open_writer("orders");
	billing = NULL;
	ck_assert_int_eq(disk_new(&disk, &rig.loop, &e), 0);
	memset(&tail, 0, sizeof tail);
	ck_assert_int_eq(tail_init(&tail, disk, state, &e), 0);
	rig.host.handlers[WIRE_M_log_tail] = &tail.log_tail;
}

static void tear_down(void)
{
	char command[300];

	session_host_clear(&rig.host);
	disk_finish(disk);
	disk = disk_free(disk);
	ck_assert(LIST_EMPTY(&tail.requests));
	ck_assert_uint_eq(tail.readings, 0);
	ck_assert_uint_eq(tail.followers, 0);
	tail_clear(&tail);
	tail_clear(&tail);
	spool_writer_close(orders);
	spool_writer_close(billing);
	close(spool);
	rig_clear(&rig);
	snprintf(command, sizeof command, "rm -rf '%s'", state);
	ck_assert_int_eq(system(command), 0);
}

/* ---- records */

struct made {
	struct prodd_buffer origin;
	struct prodd_buffer bytes;
	struct spool_record record;
};

/* With a field of text, one that is none, and `padding` bytes. */
static void make(struct made *m, uint64_t time_ns, unsigned level, const char *message, const char *field, size_t padding)
{
	static char filler[128 * 1024];

	*m = (struct made){ .bytes = { 0 } };
	origin_pack(&m->origin, &(struct origin){ .instance = prodd_slice("8080"), .pid = 1 });
	prodd_pack_array(&m->bytes, 8 + 6);
	prodd_pack_uint(&m->bytes, time_ns);
	prodd_pack_uint(&m->bytes, level);
	prodd_pack_str(&m->bytes, prodd_slice("main"));
	prodd_pack_str(&m->bytes, prodd_slice(message));
	for (int i = 0; i < 4; i++)
		prodd_pack_nil(&m->bytes);
	prodd_pack_str(&m->bytes, prodd_slice("n"));
	prodd_pack_uint(&m->bytes, 7);
	prodd_pack_str(&m->bytes, prodd_slice("text"));
	prodd_pack_str(&m->bytes, prodd_slice(field));
	prodd_pack_str(&m->bytes, prodd_slice("padding"));
	prodd_pack_bin(&m->bytes, (struct prodd_slice){ filler, padding });
	m->record = (struct spool_record){ .origin = prodd_buffer_slice(&m->origin),
					   .record = prodd_buffer_slice(&m->bytes) };
}

static void clear(struct made *m)
{
	prodd_buffer_clear(&m->origin);
	prodd_buffer_clear(&m->bytes);
}

static uint64_t append(struct spool_writer *writer, struct made *m)
{
	struct prodd_error e;
	uint64_t first;
	unsigned taken;

	ck_assert_int_eq(spool_writer_append(writer, &m->record, 1, &first, &taken, &e), 0);
	ck_assert_uint_eq(taken, 1);
	m->record.number = first;
	return first;
}

static uint64_t put(struct spool_writer *writer, uint64_t time_ns, unsigned level, const char *message, const char *field,
		    size_t padding)
{
	struct made m;
	uint64_t number;

	make(&m, time_ns, level, message, field, padding);
	number = append(writer, &m);
	clear(&m);
	return number;
}

/* Kept, but not read: as if the writer had told of it. */
static void tell(const char *app, uint64_t number, const char *message, size_t padding)
{
	struct made m;

	make(&m, number, RECORD_INFO, message, "", padding);
	m.record.number = number;
	tail_kept(&tail, app, &m.record);
	clear(&m);
}

/* ---- a peer's part */

static void ask(int fd, uint64_t id, struct wire_log_tail params)
{
	rig_send_call(fd, id, WIRE_M_log_tail, &params);
	rig_run(&rig);
}

static void take(int fd, struct prodd_buffer *b, struct prodd_message *m)
{
	uint64_t until = clock_monotonic_ms() + 20000;
	bool end;

	while (!rig_take(fd, b, m, &end)) {
		ck_assert(!end);
		ck_assert_uint_lt(clock_monotonic_ms(), until);
		event_base_loop(rig.loop.base, EVLOOP_NONBLOCK);
	}
}

/* "orders:1:hello " */
static void write_record(const struct wire_log_record *r, char *to, size_t size)
{
	struct record record;
	size_t at = strlen(to);

	ck_assert(record_open(r->record, &record, NULL));
	snprintf(to + at, size - at, "%.*s:%.*s%s ", PRODD_SLICE(r->app), PRODD_SLICE(record.message),
		 r->lost ? "(lost)" : "");
}

static void expect_answer(int fd, uint64_t id, const char *records)
{
	prodd_auto_buffer b = { 0 };
	struct wire_log_tailed result;
	struct wire_log_record r;
	struct prodd_message m;
	struct prodd_iter it;
	char text[4096] = "";

	take(fd, &b, &m);
	ck_assert_int_eq(m.type, PRODD_ANSWER);
	ck_assert_uint_eq(m.id, id);
	ck_assert_msg(m.error.code == PRODD_OK, "%s", m.error.text);
	ck_assert_int_eq(prodd_message_decode(&m, &wire_record_log_tailed, &result, NULL), 0);
	for (it = prodd_iter(result.records); prodd_next(&it, &wire_record_log_record, &r, NULL) > 0;)
		write_record(&r, text, sizeof text);
	ck_assert_str_eq(text, records);
}

static void expect_error(int fd, uint64_t id, int code)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;

	take(fd, &b, &m);
	ck_assert_uint_eq(m.id, id);
	ck_assert_msg(m.error.code == code, "%s", m.error.text);
}

static uint64_t expect_note(int fd, const char *text)
{
	prodd_auto_buffer b = { 0 };
	struct wire_log_record r;
	struct prodd_message m;
	char got[256] = "";

	take(fd, &b, &m);
	ck_assert_int_eq(m.type, PRODD_NOTE);
	ck_assert_int_eq(prodd_message_decode(&m, &wire_record_log_record, &r, NULL), 0);
	write_record(&r, got, sizeof got);
	if (text)
		ck_assert_str_eq(got, text);
	return r.lost;
}

static void expect_nothing(int fd)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	bool end;

	rig_run(&rig);
	ck_assert(!rig_take(fd, &b, &m, &end));
}

/* ---- looking back */

START_TEST(the_latest_come_in_order)
{
	int ops = rig_greeted(&rig, true, NULL);
	char message[16];

	for (int i = 1; i <= 100; i++) {
		snprintf(message, sizeof message, "%d", i);
		put(orders, 1000 - (uint64_t)i, RECORD_INFO, message, "", 0);	/* a clock that runs back */
	}
	ask(ops, 1, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 3 });
	expect_answer(ops, 1, "orders:98 orders:99 orders:100 ");
	ask(ops, 2, (struct wire_log_tail){ .app = { "orders", 6 } });
	expect_answer(ops, 2, "");
	close(ops);
}
END_TEST

START_TEST(level_and_text_are_looked_for_back_to_the_first_segment)
{
	int ops = rig_greeted(&rig, true, NULL);

	put(orders, 1, RECORD_ERROR, "first", "the needle", 0);
	put(orders, 2, RECORD_DEBUG, "second needle", "", 0);
	for (int i = 0; i < 200; i++)			/* three segments */
		put(orders, 3, RECORD_INFO, "hay", "hay", 100 * 1024);
	put(orders, 4, RECORD_WARN, "third", "a needle", 0);
	ck_assert_uint_ge(spool_writer_segments(orders), 3);
	ask(ops, 1, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 10, .match = { "needle", 6 } });
	expect_answer(ops, 1, "orders:first orders:second needle orders:third ");
	ask(ops, 2, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 2, .match = { "needle", 6 } });
	expect_answer(ops, 2, "orders:second needle orders:third ");
	ask(ops, 3, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 9, .level = { "warn", 4 } });
	expect_answer(ops, 3, "orders:first orders:third ");
	ask(ops, 4, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 9, .match = { "Needle", 6 } });
	expect_answer(ops, 4, "");
	close(ops);
}
END_TEST

START_TEST(of_all_apps_the_latest_by_time)
{
	int ops = rig_greeted(&rig, true, NULL);

	billing = open_writer("billing");
	put(orders, 10, RECORD_INFO, "a", "", 0);
	put(billing, 20, RECORD_INFO, "b", "", 0);
	put(orders, 30, RECORD_INFO, "c", "", 0);
	put(billing, 40, RECORD_INFO, "d", "", 0);
	put(orders, 50, RECORD_INFO, "e", "", 0);
	ask(ops, 1, (struct wire_log_tail){ .last = 4 });
	expect_answer(ops, 1, "billing:b orders:c billing:d orders:e ");
	close(ops);
}
END_TEST

START_TEST(what_cannot_be_is_said)
{
	int ops = rig_greeted(&rig, true, NULL), own = rig_greeted(&rig, false, "mine");

	ask(ops, 1, (struct wire_log_tail){ .app = { "nobody", 6 }, .last = 3 });
	expect_error(ops, 1, PRODD_E_NOT_FOUND);
	ask(ops, 2, (struct wire_log_tail){ .app = { "../spool/orders", 15 }, .last = 3 });
	expect_error(ops, 2, PRODD_E_NOT_FOUND);
	ask(ops, 3, (struct wire_log_tail){ .last = 3, .level = { "loud", 4 } });
	expect_error(ops, 3, PRODD_E_USAGE);
	ask(own, 4, (struct wire_log_tail){ .last = 3 });
	expect_error(own, 4, PRODD_E_NOT_PERMITTED);
	ask(own, 5, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 3 });
	expect_error(own, 5, PRODD_E_NOT_PERMITTED);
	close(ops), close(own);
}
END_TEST

START_TEST(only_so_many_look_back_at_once)
{
	int ops = rig_greeted(&rig, true, NULL);

	tail.readings = TAIL_READINGS_MAX;	/* others look back for long */
	ask(ops, 1, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 3 });
	expect_error(ops, 1, PRODD_E_BUSY);
	ask(ops, 2, (struct wire_log_tail){ .app = { "orders", 6 }, .follow = true });
	expect_answer(ops, 2, "");
	tail.readings = 0;
	put(orders, 1, RECORD_INFO, "x", "", 0);
	ask(ops, 3, (struct wire_log_tail){ .app = { "orders", 6 }, .last = 3 });
	expect_answer(ops, 3, "orders:x ");
	close(ops);
}
END_TEST

START_TEST(who_leaves_while_it_looks_back_is_forgotten)
{
	int ops = rig_greeted(&rig, true, NULL);

	for (int i = 0; i < 50; i++)
		put(orders, 3, RECORD_INFO, "hay", "hay", 100 * 1024);
	rig_send_call(ops, 1, WIRE_M_log_tail, &(struct wire_log_tail){ .last = 3, .follow = true });
	close(ops);
	rig_run(&rig);
}
END_TEST

/* ---- following */

START_TEST(what_is_kept_comes_as_it_is_wanted)
{
	int ops = rig_greeted(&rig, true, NULL), own = rig_greeted(&rig, false, "mine");

	ck_assert(!tail_is_followed(&tail, "orders"));
	ask(ops, 1, (struct wire_log_tail){ .follow = true, .match = { "yes", 3 } });
	expect_answer(ops, 1, "");
	ask(own, 1, (struct wire_log_tail){ .app = { "mine", 4 }, .follow = true });
	expect_answer(own, 1, "");
	ck_assert(tail_is_followed(&tail, "orders"));
	tell("orders", 1, "yes 1", 0);
	tell("orders", 2, "no 2", 0);
	tell("mine", 3, "no 3", 0);
	tell("mine", 4, "yes 4", 0);
	expect_note(ops, "orders:yes 1 ");
	expect_note(ops, "mine:yes 4 ");
	expect_nothing(ops);
	expect_note(own, "mine:no 3 ");
	expect_note(own, "mine:yes 4 ");
	expect_nothing(own);
	ask(ops, 2, (struct wire_log_tail){ .follow = true });
	expect_error(ops, 2, PRODD_E_USAGE);
	close(ops), close(own);
	rig_run(&rig);
	ck_assert(!tail_is_followed(&tail, "mine"));
}
END_TEST

/* A job that keeps the disk thread until it is let go. */
static struct {
	struct disk_job job;
	sem_t go;
} hold;

static void hold_run(struct disk_job *job)
{
	(void)job;
	while (sem_wait(&hold.go) < 0)
		;
}

static void hold_done(struct disk_job *job)
{
	(void)job;
}

START_TEST(nothing_is_missed_and_nothing_comes_twice_between_the_past_and_what_comes)
{
	int ops = rig_greeted(&rig, true, NULL);
	struct made m[4];

	for (int i = 0; i < 4; i++)
		make(&m[i], (uint64_t)i, RECORD_INFO, (const char *[]){ "a", "b", "c", "d" }[i], "", 0);
	append(orders, &m[0]);
	append(orders, &m[1]);
	append(orders, &m[2]);
	sem_init(&hold.go, 0, 0);
	hold.job = (struct disk_job){ .run = hold_run, .done = hold_done };
	disk_submit(disk, &hold.job);
	rig_send_call(ops, 1, WIRE_M_log_tail, &(struct wire_log_tail){ .last = 10, .follow = true });
	rig_run(&rig);
	ck_assert_uint_eq(tail.readings, 1);
	tail_kept(&tail, "orders", &m[1].record);	/* on disk too; told while it looks back */
	m[3].record.number = m[2].record.number + 1;
	tail_kept(&tail, "orders", &m[3].record);	/* not seen on disk any more */
	sem_post(&hold.go);
	expect_answer(ops, 1, "orders:a orders:b orders:c orders:d ");
	tail_kept(&tail, "orders", &m[2].record);	/* was seen on disk, is told only now */
	tail_kept(&tail, "orders", &m[3].record);
	expect_nothing(ops);
	tell("orders", m[3].record.number + 1, "e", 0);
	expect_note(ops, "orders:e ");
	for (int i = 0; i < 4; i++)
		clear(&m[i]);
	close(ops);
}
END_TEST

START_TEST(an_app_that_is_not_there_yet_can_be_followed)
{
	int ops = rig_greeted(&rig, true, NULL);

	ask(ops, 1, (struct wire_log_tail){ .app = { "later", 5 }, .last = 10, .follow = true });
	expect_answer(ops, 1, "");
	tell("later", 1, "hello", 0);
	expect_note(ops, "later:hello ");
	close(ops);
}
END_TEST

START_TEST(who_reads_too_slowly_misses_records_and_is_told_how_many)
{
	int ops = rig_greeted(&rig, true, NULL);
	unsigned sent = 100, got = 0;
	uint64_t lost = 0;

	ask(ops, 1, (struct wire_log_tail){ .follow = true });
	expect_answer(ops, 1, "");
	for (unsigned i = 1; i <= sent; i++) {
		tell("orders", i, "x", 30000);
		rig_run(&rig);
	}
	ck_assert_uint_le(session_pending(rig.last), TAIL_PENDING_MAX + 64 * 1024);
	ck_assert_uint_eq(rig.host.count, 1);
	while (session_pending(rig.last) > 0) {
		lost += expect_note(ops, NULL);
		got++;
		rig_run(&rig);
	}
	ck_assert_uint_eq(lost, 0);
	tell("orders", sent + 1, "last", 0);
	rig_run(&rig);
	for (bool last = false; !last; got++) {
		uint64_t now = expect_note(ops, NULL);

		lost += now;
		last = now > 0;
	}
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_eq(got + lost, sent + 1);
	close(ops);
}
END_TEST

/* ---- the latest of many */

static void add(struct latest *latest, const char *app, uint64_t number, uint64_t time_ns, size_t padding)
{
	struct made m;

	make(&m, time_ns, RECORD_INFO, "x", "", padding);
	m.record.number = number;
	latest_add(latest, app, &m.record);
	clear(&m);
}

START_TEST(the_latest_of_records_in_any_order)
{
	struct dice dice = { 7 };
	struct latest latest, more;
	const struct latest_row *row;
	uint64_t number = 951;

	latest_init(&latest, 50, false);
	latest_init(&more, 50, false);
	for (int i = 0; i < 100000; i++)
		add(i % 2 ? &latest : &more, "a", 1 + dice_next(&dice) % 1000, 0, 0);
	latest_merge(&latest, &more);
	ck_assert_uint_eq(more.count, 0);
	ck_assert_uint_eq(latest.count, 50);
	TAILQ_FOREACH(row, &latest.rows, link)
		ck_assert_uint_eq(row->number, number++);
	latest_clear(&latest);
	ck_assert_uint_eq(latest.bytes, 0);
}
END_TEST

START_TEST(the_latest_have_a_most_of_bytes)
{
	struct latest latest;

	latest_init(&latest, 1000, true);
	for (uint64_t i = 1; i <= 100; i++)
		add(&latest, "a", i, i, 100 * 1024);
	ck_assert_uint_le(latest.bytes, LATEST_BYTES_MAX);
	ck_assert_uint_ge(latest.bytes, LATEST_BYTES_MAX - 200 * 1024);
	ck_assert_uint_eq(TAILQ_LAST(&latest.rows, latest_rows)->number, 100);
	latest_clear(&latest);
}
END_TEST

static Suite *tail_suite(void)
{
	Suite *s = suite_create("tail");
	TCase *tc = tcase_create("tail");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_latest_come_in_order);
	tcase_add_test(tc, level_and_text_are_looked_for_back_to_the_first_segment);
	tcase_add_test(tc, of_all_apps_the_latest_by_time);
	tcase_add_test(tc, what_cannot_be_is_said);
	tcase_add_test(tc, only_so_many_look_back_at_once);
	tcase_add_test(tc, who_leaves_while_it_looks_back_is_forgotten);
	tcase_add_test(tc, what_is_kept_comes_as_it_is_wanted);
	tcase_add_test(tc, nothing_is_missed_and_nothing_comes_twice_between_the_past_and_what_comes);
	tcase_add_test(tc, an_app_that_is_not_there_yet_can_be_followed);
	tcase_add_test(tc, who_reads_too_slowly_misses_records_and_is_told_how_many);
	tcase_add_test(tc, the_latest_of_records_in_any_order);
	tcase_add_test(tc, the_latest_have_a_most_of_bytes);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(tail_suite());
}
