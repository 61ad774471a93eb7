/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks log: and sink: as plain values: what is absent, what is set, which sinks there are. */
#include "daemon/log/settings.h"

#include "proto/codec.h"
#include "tests/unit/suite.h"

static struct prodd_buffer entries;
static uint32_t count;
static struct log_settings settings;

static void add(const char *key, const struct prodd_buffer *value)
{
	struct wire_tree_entry entry = { .key = prodd_slice(key), .type = prodd_slice("string"),
					 .value = prodd_buffer_slice(value) };

	prodd_encode_element(&entries, &count, &wire_record_tree_entry, &entry);
}

static void add_text(const char *key, const char *text)
{
	prodd_auto_buffer value = { .limit = 0 };

	prodd_pack_str(&value, prodd_slice(text));
	add(key, &value);
}

static void add_number(const char *key, uint64_t number)
{
	prodd_auto_buffer value = { .limit = 0 };

	prodd_pack_uint(&value, number);
	add(key, &value);
}

static int load(struct prodd_error *e)
{
	ck_assert_int_eq(log_settings_load(&settings, prodd_list(&entries, count), e), 0);
	return log_settings_complete(&settings, e);
}

static void set_up(void)
{
	entries = (struct prodd_buffer){ .limit = 0 };
	count = 0;
	log_settings_default(&settings);
}

static void tear_down(void)
{
	log_settings_clear(&settings);
	prodd_buffer_clear(&entries);
}

START_TEST(an_absent_file_is_one_sink_of_files)
{
	const struct log_sink_settings *sink;
	struct prodd_error e;

	ck_assert_int_eq(load(&e), 0);
	ck_assert_str_eq(log_policy_word(settings.policy), "interval");
	ck_assert_str_eq(log_full_word(settings.full), "drop_oldest");
	ck_assert_uint_eq(settings.interval_ms, 1000);
	ck_assert_uint_eq(settings.limit, UINT64_C(4) << 30);
	ck_assert_uint_eq(settings.app_limit, UINT64_C(1) << 30);
	ck_assert_uint_eq(settings.keep_free_percent, 10);
	ck_assert_ptr_null(settings.directory);
	ck_assert_uint_eq(settings.rate + settings.burst, 0);
	ck_assert_uint_eq(settings.sink_count, 1);
	sink = STAILQ_FIRST(&settings.sinks);
	ck_assert_str_eq(sink->name, "local");
	ck_assert_str_eq(sink->type, "file");
	ck_assert_str_eq(sink->format, "json");
	ck_assert_uint_eq(sink->app_count, 0);
}
END_TEST

START_TEST(each_setting_has_its_place)
{
	prodd_auto_buffer apps = { .limit = 0 };
	const struct log_sink_settings *sink;
	struct prodd_error e;

	add_text("log.sync", "always");
	add_text("log.full", "block");
	add_number("log.interval", 250000000);
	add_number("log.limit", 100);
	add_number("log.app_limit", 50);
	add_number("log.keep_free", 3);
	add_text("log.directory", "/logs");
	add_number("log.rate", 1000);
	add_number("log.burst", 2000);
	add_text("sink.central.type", "stdout");
	add_text("sink.central.format", "logfmt");
	prodd_pack_array(&apps, 2);
	prodd_pack_str(&apps, prodd_slice("orders"));
	prodd_pack_str(&apps, prodd_slice("billing"));
	add("sink.central.apps", &apps);
	add_text("sink.disk.directory", "/other");
	add_number("sink.disk.rotate_age", 1500000000);
	add_number("sink.disk.keep_bytes", 7);
	add_number("sink.disk.allowance", 9);
	ck_assert_int_eq(load(&e), 0);
	ck_assert_str_eq(log_policy_word(settings.policy), "always");
	ck_assert_str_eq(log_full_word(settings.full), "block");
	ck_assert_uint_eq(settings.interval_ms, 250);
	ck_assert_uint_eq(settings.limit + settings.app_limit + settings.keep_free_percent, 153);
	ck_assert_str_eq(settings.directory, "/logs");
	ck_assert_uint_eq(settings.rate + settings.burst, 3000);
	ck_assert_uint_eq(settings.sink_count, 2);
	sink = STAILQ_FIRST(&settings.sinks);
	ck_assert_str_eq(sink->name, "central");
	ck_assert_str_eq(sink->type, "stdout");
	ck_assert_str_eq(sink->format, "logfmt");
	ck_assert_uint_eq(sink->app_count, 2);
	ck_assert(memcmp(sink->apps.at, "\xa6orders\xa7" "billing", 15) == 0);
	sink = STAILQ_NEXT(sink, link);
	ck_assert_str_eq(sink->name, "disk");
	ck_assert_str_eq(sink->type, "file");
	ck_assert_str_eq(sink->directory, "/other");
	ck_assert_uint_eq(sink->rotate_age_s, 2);
	ck_assert_uint_eq(sink->keep_bytes + sink->allowance, 16);
}
END_TEST

START_TEST(a_sink_that_cannot_be_is_named)
{
	struct prodd_error e;

	add_text("sink.out.type", "stdout");
	add_text("sink.out.directory", "/logs");
	ck_assert_int_eq(load(&e), -PRODD_E_INVALID);
	ck_assert_str_eq(e.text, "sink out: type \"stdout\" has no directory");
}
END_TEST

START_TEST(there_is_a_most_of_sinks)
{
	struct prodd_error e;
	char key[32];

	for (unsigned i = 0; i <= LOG_SINKS_MAX; i++) {
		snprintf(key, sizeof key, "sink.s%u.type", i);
		add_text(key, "file");
	}
	ck_assert_int_eq(load(&e), -PRODD_E_INVALID);
	ck_assert_ptr_nonnull(strstr(e.text, "17 sinks"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log_settings");
	TCase *tc = tcase_create("log_settings");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_absent_file_is_one_sink_of_files);
	tcase_add_test(tc, each_setting_has_its_place);
	tcase_add_test(tc, a_sink_that_cannot_be_is_named);
	tcase_add_test(tc, there_is_a_most_of_sinks);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
