/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without a handle every public call does nothing: prodd can be switched off
 * by not making one.  tests/house/library_shows_what_its_headers_say looks
 * that each name of the library is in this file.
 */
#include <prodd/client.h>

#include <string.h>

#include "tests/unit/client_suite.h"

static struct prodd_error e;

static void setup(void)
{
	memset(&e, 0, sizeof e);
}

START_TEST(a_null_handle_does_nothing)
{
	static const struct prodd_schema_key keys[] = { { .key = "a", .type = "int" } };
	char name[8] = "x";

	ck_assert_int_eq(prodd_set_socket(NULL, "/x"), 0);
	ck_assert_int_eq(prodd_set_instance(NULL, "x"), 0);
	ck_assert_int_eq(prodd_set_environment(NULL, "x"), 0);
	ck_assert_int_eq(prodd_set_variables(NULL, true), 0);
	ck_assert_int_eq(prodd_set_cache(NULL, "/x"), 0);
	ck_assert_int_eq(prodd_set_reconnect(NULL, 1), 0);
	ck_assert_int_eq(prodd_set_own_loop(NULL), 0);
	ck_assert_int_eq(prodd_set_log(NULL, NULL, NULL), 0);
	ck_assert_int_eq(prodd_set_log_ring(NULL, 65536), 0);
	ck_assert_int_eq(prodd_set_log_blocking(NULL, 10), 0);
	ck_assert_int_eq(prodd_set_level(NULL, "db", PRODD_DEBUG), 0);
	ck_assert_int_eq(prodd_log(NULL, PRODD_ERROR, NULL, "x", NULL, 0), 0);
	ck_assert_int_eq(prodd_error(NULL, "x", prodd_int("a", 1)), 0);
	ck_assert_int_eq(prodd_log_sync(NULL, 10, &e), 0);
	ck_assert_int_eq(prodd_on_validate(NULL, NULL, NULL), 0);
	ck_assert_int_eq(prodd_on_change(NULL, NULL, NULL), 0);
	ck_assert_int_eq(prodd_declare(NULL, keys, 1, &e), 0);
	ck_assert_int_eq(prodd_declare_keys(NULL, keys, 1, sizeof *keys, &e), 0);
	ck_assert_int_eq(prodd_start(NULL, &e), 0);
	ck_assert_int_eq(prodd_wait_config(NULL, 5000, &e), 0);
	ck_assert_int_eq(prodd_fd(NULL), -1);
	ck_assert_int_eq(prodd_dispatch(NULL, &e), 0);
	ck_assert_int_eq(prodd_state(NULL, &e), PRODD_STATE_OFF);
	ck_assert(!prodd_is_connected(NULL));
	ck_assert_uint_eq(prodd_instance_name(NULL, name, sizeof name), 0);
	ck_assert_str_eq(name, "");
	ck_assert_uint_eq(prodd_instance_name(NULL, NULL, 0), 0);
	ck_assert_ptr_null(prodd_config(NULL));
	ck_assert_ptr_null(prodd_key(NULL, "a").name);
	ck_assert_int_eq(prodd_close(NULL), 0);
	prodd_free(NULL);
	ck_assert_int_eq(e.code, 0);
}
END_TEST

START_TEST(metrics_of_no_handle_count_nothing)
{
	static const char *const labels[] = { "method" };

	ck_assert_ptr_null(prodd_counter(NULL, "a_total", "A."));
	ck_assert_ptr_null(prodd_counter_family(NULL, "a_total", "A.", labels, 1));
	ck_assert_ptr_null(prodd_counter_of(NULL, labels, 1));
	ck_assert_ptr_null(prodd_counter_with(NULL, "GET"));
	ck_assert_ptr_null(prodd_gauge(NULL, "a", "A.", PRODD_GAUGE_LAST));
	ck_assert_ptr_null(prodd_gauge_family(NULL, "a", "A.", PRODD_GAUGE_MAX, labels, 1));
	ck_assert_ptr_null(prodd_gauge_of(NULL, labels, 1));
	ck_assert_ptr_null(prodd_histogram(NULL, "a", "A.", NULL, 0));
	ck_assert_ptr_null(prodd_histogram_family(NULL, "a", "A.", NULL, 0, labels, 1));
	ck_assert_ptr_null(prodd_histogram_of(NULL, labels, 1));
	ck_assert_int_eq(prodd_metric_unit(NULL, "a_bytes", "bytes"), 0);
	prodd_inc(NULL);
	prodd_add(NULL, 5);
	prodd_gauge_set(NULL, 1);
	prodd_gauge_add(NULL, 1);
	prodd_observe(NULL, 1);
	for (int i = 0; i < 130; i++) {
		unsigned shard = prodd_shard_choose();

		ck_assert_uint_ge(shard, 1);
		ck_assert_uint_le(shard, 64);
	}
}
END_TEST

START_TEST(a_null_snapshot_reads_as_nothing)
{
	struct prodd_key key = prodd_key(NULL, "a");

	ck_assert_ptr_null(prodd_config_ref(NULL));
	ck_assert_ptr_null(prodd_config_unref(NULL));
	ck_assert_uint_eq(prodd_config_generation(NULL), 0);
	ck_assert_str_eq(prodd_config_hash(NULL), "");
	ck_assert_str_eq(prodd_config_environment(NULL), "");
	ck_assert_uint_eq(prodd_config_count(NULL), 0);
	ck_assert_ptr_null(prodd_config_name(NULL, 0));
	ck_assert(!prodd_config_has(NULL, "a"));
	ck_assert_str_eq(prodd_config_type(NULL, "a"), "");
	ck_assert_int_eq(prodd_config_int(NULL, "a"), 0);
	ck_assert_int_eq(prodd_config_int_or(NULL, "a", 3), 3);
	ck_assert(!prodd_config_bool(NULL, "a") && prodd_config_bool_or(NULL, "a", true));
	ck_assert(prodd_config_float(NULL, "a") == 0.0 && prodd_config_float_or(NULL, "a", 0.5) == 0.5);
	ck_assert_str_eq(prodd_config_string(NULL, "a"), "");
	ck_assert_str_eq(prodd_config_string_or(NULL, "a", "b"), "b");
	ck_assert_int_eq(prodd_config_duration_ns(NULL, "a"), 0);
	ck_assert_int_eq(prodd_config_duration_ns_or(NULL, "a", 3), 3);
	ck_assert_int_eq(prodd_config_size(NULL, "a"), 0);
	ck_assert_int_eq(prodd_config_size_or(NULL, "a", 3), 3);
	ck_assert_uint_eq(prodd_config_list_count(NULL, "a"), 0);
	ck_assert_int_eq(prodd_config_list_int(NULL, "a", 0), 0);
	ck_assert(!prodd_config_list_bool(NULL, "a", 0));
	ck_assert(prodd_config_list_float(NULL, "a", 0) == 0.0);
	ck_assert_str_eq(prodd_config_list_string(NULL, "a", 0), "");
	ck_assert(!prodd_key_has(NULL, key) && !prodd_key_bool(NULL, key));
	ck_assert_int_eq(prodd_key_int(NULL, key), 0);
	ck_assert(prodd_key_float(NULL, key) == 0.0);
	ck_assert_str_eq(prodd_key_string(NULL, key), "");
	ck_assert_int_eq(prodd_key_duration_ns(NULL, key), 0);
	ck_assert_int_eq(prodd_key_size(NULL, key), 0);
}
END_TEST

START_TEST(null_elsewhere_is_allowed_too)
{
	struct prodd *p = prodd_new("orders");

	ck_assert_uint_eq(prodd_changes_count(NULL), 0);
	ck_assert_ptr_null(prodd_changes_name(NULL, 0));
	ck_assert(!prodd_changes_has(NULL, "a"));
	ck_assert_ptr_null(prodd_changes_before(NULL));
	ck_assert_int_eq(prodd_reject(NULL, "x"), -PRODD_E_REJECTED);
	ck_assert_int_gt(prodd_restart_needed(NULL, "x"), 0);
	ck_assert_int_eq(prodd_set_socket(p, NULL), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_instance(p, NULL), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_declare(p, NULL, 1, NULL), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_wait_config(p, 0, NULL), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_dispatch(p, NULL), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_fd(p), -1);
	ck_assert_ptr_null(prodd_key(p, NULL).name);
	ck_assert_int_eq(prodd_config_int(NULL, NULL), 0);
	prodd_free(p);
	p = prodd_new(NULL);
	ck_assert_int_eq(prodd_start(p, NULL), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_close(p), 0);
	prodd_free(p);
}
END_TEST

START_TEST(wrong_settings_are_refused)
{
	static const char *const names[] = { "", "Orders", "0rders", "a b", "prodd", "a/b", "\xc3\xa4" };
	char longest[110];
	struct prodd *p;

	memset(longest, 'a', sizeof longest);
	longest[108] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		p = prodd_new(names[i]);
		ck_assert_int_eq(prodd_start(p, &e), -PRODD_E_USAGE);
		prodd_free(p);
	}
	p = prodd_new("orders");
	ck_assert_int_eq(prodd_set_socket(p, longest), -PRODD_E_TOO_LARGE);
	longest[107] = '\0';
	ck_assert_int_eq(prodd_set_socket(p, longest), 0);
	ck_assert_int_eq(prodd_set_instance(p, longest), -PRODD_E_TOO_LARGE);
	longest[64] = '\0';
	ck_assert_int_eq(prodd_set_instance(p, longest), 0);
	ck_assert_int_eq(prodd_set_instance(p, "\xff"), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_reconnect(p, -1), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_cache(p, ""), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_cache(p, NULL), 0);
	ck_assert_int_eq(prodd_start(p, &e), 0);
	ck_assert_int_eq(prodd_start(p, &e), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_socket(p, "/x"), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_own_loop(p), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_on_change(p, NULL, NULL), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_close(p), 0);
	ck_assert_int_eq(prodd_close(p), 0);
	ck_assert_int_eq(prodd_wait_config(p, 1000, &e), -PRODD_E_CLOSED);
	prodd_free(p);
	ck_assert_str_ne(prodd_client_version(), "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: without a handle");
	TCase *tc = tcase_create("null");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_null_handle_does_nothing);
	tcase_add_test(tc, metrics_of_no_handle_count_nothing);
	tcase_add_test(tc, a_null_snapshot_reads_as_nothing);
	tcase_add_test(tc, null_elsewhere_is_allowed_too);
	tcase_add_test(tc, wrong_settings_are_refused);
	return client_suite_run(s);
}
