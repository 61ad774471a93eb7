/* SPDX-License-Identifier: Apache-2.0 */
/* prodd.conf as plain values: what is absent, what is set, and the blocks of apps. */
#include "daemon/config/settings.h"

#include "proto/codec.h"
#include "tests/unit/suite.h"

static struct prodd_buffer entries;
static uint32_t count;
static struct settings settings;

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

static void load(void)
{
	struct prodd_error e;

	ck_assert_int_eq(settings_load(&settings, prodd_list(&entries, count), &e), 0);
}

static void set_up(void)
{
	entries = (struct prodd_buffer){ .limit = 0 };
	count = 0;
	settings_default(&settings);
}

static void tear_down(void)
{
	settings_clear(&settings);
	prodd_buffer_clear(&entries);
}

START_TEST(an_absent_file_is_the_defaults)
{
	load();
	ck_assert_str_eq(settings.environment, "");
	ck_assert(settings.watch);
	ck_assert_uint_eq(settings.answer_timeout_ms, 5000);
	ck_assert(!settings.proceed_over_silence && !settings.refuse_unknown);
	ck_assert_uint_eq(settings.history, 20);
	ck_assert_uint_eq(settings.limits.sessions_per_uid, 1024);
	ck_assert_uint_eq(settings.limits.bytes_per_uid, 16 << 20);
	ck_assert_ptr_null(settings_block(&settings, "orders"));
}
END_TEST

START_TEST(each_setting_has_its_place)
{
	add_text("environment", "blue");
	add_text("watch", "manual");
	add_number("answer_timeout", 1500000000);
	add_text("no_answer", "proceed");
	add_text("unknown_apps", "refuse");
	add_number("history", 7);
	add_number("limits.sessions", 100);
	add_number("limits.sessions_per_uid", 10);
	add_number("limits.bytes_per_uid", 5 << 20);
	load();
	ck_assert_str_eq(settings.environment, "blue");
	ck_assert(!settings.watch && settings.proceed_over_silence && settings.refuse_unknown);
	ck_assert_uint_eq(settings.answer_timeout_ms, 1500);
	ck_assert_uint_eq(settings.history, 7);
	ck_assert_uint_eq(settings.limits.sessions, 100);
	ck_assert_uint_eq(settings.limits.sessions_per_uid, 10);
	ck_assert_uint_eq(settings.limits.bytes_per_uid, 5 << 20);
}
END_TEST

START_TEST(the_other_words_are_the_defaults)
{
	add_text("watch", "auto");
	add_text("no_answer", "abort");
	add_text("unknown_apps", "separate");
	load();
	ck_assert(settings.watch && !settings.proceed_over_silence && !settings.refuse_unknown);
}
END_TEST

START_TEST(blocks_are_found_by_name)
{
	const struct app_block *block;

	add_text("app.orders.unit", "orders.service");
	add_text("app.orders.user", "alice");
	add_text("app.orders.group", "staff");
	add_text("app.orders.environment", "blue");
	add_text("app.orders.config", "/etc/orders");
	add_text("app.billing.user", "bob");
	load();
	block = settings_block(&settings, "orders");
	ck_assert_ptr_nonnull(block);
	ck_assert_str_eq(block->unit, "orders.service");
	ck_assert_str_eq(block->user, "alice");
	ck_assert_str_eq(block->group, "staff");
	ck_assert_str_eq(block->environment, "blue");
	ck_assert_str_eq(block->directory, "/etc/orders");
	block = settings_block(&settings, "billing");
	ck_assert_ptr_nonnull(block);
	ck_assert_str_eq(block->user, "bob");
	ck_assert_str_eq(block->unit, "");
	ck_assert_ptr_null(block->directory);
	ck_assert_ptr_null(settings_block(&settings, "order"));
}
END_TEST

/* The schema names keys without a value, too. */
START_TEST(keys_without_a_value_change_nothing)
{
	static const struct prodd_buffer nothing;

	add("answer_timeout", &nothing);
	add("environment", &nothing);
	add("app.orders.config", &nothing);
	load();
	ck_assert_uint_eq(settings.answer_timeout_ms, 5000);
	ck_assert_ptr_null(settings_block(&settings, "orders"));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("settings");
	TCase *tc = tcase_create("settings");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_absent_file_is_the_defaults);
	tcase_add_test(tc, each_setting_has_its_place);
	tcase_add_test(tc, the_other_words_are_the_defaults);
	tcase_add_test(tc, blocks_are_found_by_name);
	tcase_add_test(tc, keys_without_a_value_change_nothing);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
