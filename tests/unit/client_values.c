/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots and what the getters make of their values. */
#include <locale.h>

#include "tests/unit/client_served.h"
#include "tests/unit/client_suite.h"

static struct prodd_names keys;
static struct prodd_messages *messages;
static char last_message[512];
static unsigned message_count;

static void note_message(int priority, const char *text, void *arg)
{
	ck_assert_int_eq(priority, LOG_ERR);
	ck_assert_ptr_eq(arg, &message_count);
	snprintf(last_message, sizeof last_message, "%s", text);
	message_count++;
}

static void setup(void)
{
	messages = prodd_messages_new("orders");
	prodd_messages_redirect(messages, note_message, &message_count);
	message_count = 0;
}

static void teardown(void)
{
	prodd_messages_unref(messages);
	prodd_names_clear(&keys);
}

static void add_list(struct served *s, const char *key)
{
	prodd_auto_buffer b = { 0 };

	prodd_pack_array(&b, 5);
	prodd_pack_str(&b, prodd_slice("plain"));
	prodd_pack_str(&b, prodd_slice("with space"));
	prodd_pack_int(&b, 7);
	prodd_pack_bool(&b, true);
	prodd_pack_float(&b, 0.5);
	served_value(s, key, "list", prodd_buffer_slice(&b), false);
}

/* One of everything, with a schema and without one. */
static struct prodd_config *everything(void)
{
	struct served s = { 0 };
	struct prodd_config *c;

	served_bool(&s, "a.bool", true);
	served_int(&s, "a.duration", "duration", 1500000000, false);
	served_string(&s, "a.enum", "enum", "warn");
	served_float(&s, "a.float", 0.1);
	served_int(&s, "a.int", "int", -42, false);
	add_list(&s, "a.list");
	served_int(&s, "a.size", "size", 64 << 20, false);
	served_string(&s, "a.string", "string", "text with space");
	served_unset(&s, "a.unset", "int");
	served_string(&s, "l.bytes", "string", "64MiB");
	served_string(&s, "l.float", "string", "-1.5e3");
	served_float(&s, "l.half", 2.5);
	served_string(&s, "l.number", "string", "42");
	served_string(&s, "l.time", "string", "1m30s");
	served_string(&s, "l.true", "string", "true");
	served_float(&s, "l.whole", 3.0);
	served_int(&s, "l.zero", "int", 0, false);
	c = served_config(&s, NULL, 3, NULL, &keys, messages);
	served_clear(&s);
	return c;
}

START_TEST(getters_give_each_type)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert_int_eq(prodd_config_int(c, "a.int"), -42);
	ck_assert(prodd_config_bool(c, "a.bool"));
	ck_assert(prodd_config_float(c, "a.float") == 0.1);
	ck_assert_int_eq(prodd_config_duration_ns(c, "a.duration"), 1500000000);
	ck_assert_int_eq(prodd_config_size(c, "a.size"), 64 << 20);
	ck_assert_str_eq(prodd_config_string(c, "a.string"), "text with space");
	ck_assert_str_eq(prodd_config_string(c, "a.enum"), "warn");
	ck_assert_str_eq(prodd_config_type(c, "a.duration"), "duration");
	ck_assert_str_eq(prodd_config_type(c, "a.enum"), "enum");
	ck_assert_uint_eq(prodd_config_generation(c), 3);
	ck_assert_str_eq(prodd_config_hash(c), "h3");
	ck_assert_str_eq(prodd_config_environment(c), "production");
	ck_assert_uint_eq(message_count, 0);
}
END_TEST

START_TEST(getters_convert_literals)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert_int_eq(prodd_config_int(c, "l.number"), 42);
	ck_assert_int_eq(prodd_config_int(c, "l.whole"), 3);
	ck_assert(prodd_config_bool(c, "l.true"));
	ck_assert(prodd_config_float(c, "l.float") == -1500.0);
	ck_assert(prodd_config_float(c, "a.int") == -42.0);
	ck_assert_int_eq(prodd_config_duration_ns(c, "l.time"), INT64_C(90000000000));
	ck_assert_int_eq(prodd_config_duration_ns(c, "l.zero"), 0);
	ck_assert_int_eq(prodd_config_size(c, "l.bytes"), 64 << 20);
	ck_assert_int_eq(prodd_config_size(c, "l.zero"), 0);
	ck_assert_uint_eq(message_count, 0);
}
END_TEST

START_TEST(any_value_is_a_text)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert_str_eq(prodd_config_string(c, "a.int"), "-42");
	ck_assert_str_eq(prodd_config_string(c, "a.bool"), "true");
	ck_assert_str_eq(prodd_config_string(c, "a.float"), "0.1");
	ck_assert_str_eq(prodd_config_string(c, "a.duration"), "1.5s");
	ck_assert_str_eq(prodd_config_string(c, "a.size"), "64MiB");
	ck_assert_str_eq(prodd_config_string(c, "a.list"), "[plain, \"with space\", 7, true, 0.5]");
	ck_assert_uint_eq(message_count, 0);
}
END_TEST

START_TEST(a_list_is_read_by_element)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert_uint_eq(prodd_config_list_count(c, "a.list"), 5);
	ck_assert_str_eq(prodd_config_list_string(c, "a.list", 1), "with space");
	ck_assert_int_eq(prodd_config_list_int(c, "a.list", 2), 7);
	ck_assert(prodd_config_list_bool(c, "a.list", 3));
	ck_assert(prodd_config_list_float(c, "a.list", 4) == 0.5);
	ck_assert_str_eq(prodd_config_list_string(c, "a.list", 5), "");
	ck_assert_uint_eq(prodd_config_list_count(c, "a.string"), 1);
	ck_assert_str_eq(prodd_config_list_string(c, "a.string", 0), "text with space");
	ck_assert_str_eq(prodd_config_list_string(c, "a.string", 1), "");
	ck_assert_uint_eq(message_count, 0);
}
END_TEST

START_TEST(an_unknown_key_is_told_once)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert_int_eq(prodd_config_int(c, "a.nit"), 0);
	ck_assert_uint_eq(message_count, 1);
	ck_assert_ptr_nonnull(strstr(last_message, "a.nit"));
	ck_assert_str_eq(prodd_config_string(c, "a.nit"), "");
	ck_assert(!prodd_config_bool(c, "a.nit"));
	ck_assert_uint_eq(message_count, 1);
	ck_assert_int_eq(prodd_config_int_or(c, "b.nit", 5), 5);
	ck_assert_str_eq(prodd_config_string_or(c, "b.nit", "x"), "x");
	ck_assert_str_eq(prodd_config_type(c, "b.nit"), "");
	ck_assert(!prodd_config_has(c, "b.nit"));
	ck_assert_uint_eq(message_count, 1);
}
END_TEST

START_TEST(an_unset_key_gives_the_fallback_silently)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert(!prodd_config_has(c, "a.unset"));
	ck_assert(prodd_config_has(c, "a.int"));
	ck_assert_int_eq(prodd_config_int(c, "a.unset"), 0);
	ck_assert_int_eq(prodd_config_int_or(c, "a.unset", 9), 9);
	ck_assert_str_eq(prodd_config_string(c, "a.unset"), "");
	ck_assert_str_eq(prodd_config_type(c, "a.unset"), "int");
	ck_assert_uint_eq(message_count, 0);
}
END_TEST

START_TEST(what_does_not_convert_is_told_once)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert_int_eq(prodd_config_int(c, "a.string"), 0);
	ck_assert_uint_eq(message_count, 1);
	ck_assert_ptr_nonnull(strstr(last_message, "a.string as an int"));
	ck_assert_int_eq(prodd_config_int_or(c, "a.string", 4), 4);
	ck_assert_uint_eq(message_count, 1);
	ck_assert_int_eq(prodd_config_int_or(c, "l.half", 4), 4);
	ck_assert(prodd_config_bool_or(c, "a.int", true));
	ck_assert(prodd_config_float_or(c, "a.bool", 1.5) == 1.5);
	ck_assert_int_eq(prodd_config_duration_ns_or(c, "a.int", 3), 3);
	ck_assert_int_eq(prodd_config_size_or(c, "a.duration", 3), 3);
	ck_assert_uint_eq(message_count, 6);
}
END_TEST

START_TEST(messages_about_keys_are_bounded)
{
	prodd_auto_config const struct prodd_config *c = everything();
	char name[32];

	for (int i = 0; i < 3 * PRODD_MESSAGES_ONCE_MAX; i++) {
		snprintf(name, sizeof name, "made.up.%d", i);
		prodd_config_int(c, name);
	}
	ck_assert_uint_eq(message_count, PRODD_MESSAGES_ONCE_MAX + 1);
	ck_assert_ptr_nonnull(strstr(last_message, "too many"));
}
END_TEST

/* A program may have chosen a locale with another decimal point; libraries must not care. */
START_TEST(numbers_do_not_depend_on_the_locale)
{
	prodd_auto_config const struct prodd_config *c = NULL;

	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
		return;	/* neither is installed here */
	c = everything();
	ck_assert_str_eq(prodd_config_string(c, "a.float"), "0.1");
	ck_assert(prodd_config_float(c, "l.float") == -1500.0);
}
END_TEST

START_TEST(names_come_in_order)
{
	prodd_auto_config const struct prodd_config *c = everything();

	ck_assert_uint_eq(prodd_config_count(c), 17);
	for (size_t i = 1; i < prodd_config_count(c); i++)
		ck_assert_str_lt(prodd_config_name(c, i - 1), prodd_config_name(c, i));
	ck_assert_ptr_null(prodd_config_name(c, 17));
}
END_TEST

static struct prodd_key key_of(const char *name)
{
	const struct prodd_name *added = prodd_names_add(&keys, name, NULL);

	return (struct prodd_key){ added->text, added->number };
}

START_TEST(a_key_handle_reads_as_its_name)
{
	struct prodd_key number = key_of("a.int"), truth = key_of("a.bool"), unknown = key_of("no.such");
	prodd_auto_config const struct prodd_config *c = everything();
	struct prodd_key late = key_of("a.string"), unset = key_of("a.unset");

	ck_assert_uint_eq(c->slot_count, 3);
	ck_assert_int_eq(prodd_key_int(c, number), -42);
	ck_assert(prodd_key_float(c, number) == -42.0);
	ck_assert(prodd_key_bool(c, truth));
	ck_assert(prodd_key_has(c, truth) && !prodd_key_has(c, unknown) && !prodd_key_has(c, unset));
	ck_assert_str_eq(prodd_key_string(c, late), "text with space");
	ck_assert_int_eq(prodd_key_duration_ns(c, key_of("a.duration")), 1500000000);
	ck_assert_int_eq(prodd_key_size(c, key_of("l.bytes")), 64 << 20);
	ck_assert_uint_eq(message_count, 0);
	ck_assert_int_eq(prodd_key_int(c, unknown), 0);
	ck_assert_uint_eq(message_count, 1);
}
END_TEST

/* The number of a slot means nothing in a snapshot of another handle. */
START_TEST(a_key_of_another_handle_is_looked_up)
{
	struct prodd_names others = { 0 };
	const struct prodd_name *mine, *other;
	prodd_auto_config const struct prodd_config *c = NULL;

	mine = prodd_names_add(&keys, "a.string", NULL);
	c = everything();
	other = prodd_names_add(&others, "a.int", NULL);
	ck_assert_uint_eq(mine->number, other->number);
	ck_assert_int_eq(prodd_key_int(c, (struct prodd_key){ other->text, other->number }), -42);
	prodd_names_clear(&others);
}
END_TEST

START_TEST(the_overlay_replaces_what_the_files_say)
{
	struct served s = { 0 }, overlay = { 0 };
	prodd_auto_config const struct prodd_config *c = NULL;

	served_int(&s, "a", "int", 1, false);
	served_int(&s, "b", "int", 2, false);
	served_unset(&s, "c", "string");
	served_int(&overlay, "b", "int", 20, false);
	served_string(&overlay, "c", "string", "set");
	c = served_config(&s, &overlay, 1, NULL, &keys, messages);
	ck_assert_int_eq(prodd_config_int(c, "a"), 1);
	ck_assert_int_eq(prodd_config_int(c, "b"), 20);
	ck_assert_str_eq(prodd_config_string(c, "c"), "set");
	served_clear(&s);
	served_clear(&overlay);
}
END_TEST

START_TEST(a_running_instance_keeps_what_needs_a_restart)
{
	struct served s = { 0 }, t = { 0 };
	prodd_auto_config const struct prodd_config *running = NULL, *c = NULL, *back = NULL;

	served_int(&s, "hot", "int", 1, false);
	served_int(&s, "port", "int", 8080, true);
	running = served_config(&s, NULL, 1, NULL, &keys, messages);
	served_int(&t, "hot", "int", 2, false);
	served_int(&t, "new", "int", 5, true);
	served_int(&t, "port", "int", 9090, true);
	c = served_config(&t, NULL, 2, running, &keys, messages);
	ck_assert_int_eq(prodd_config_int(c, "hot"), 2);
	ck_assert_int_eq(prodd_config_int(c, "port"), 8080);
	ck_assert_int_eq(prodd_config_int(c, "new"), 5);
	ck_assert_uint_eq(c->kept_count, 1);
	back = served_config(&s, NULL, 3, c, &keys, messages);
	ck_assert_uint_eq(back->kept_count, 0);
	served_clear(&s);
	served_clear(&t);
}
END_TEST

static int try_list(struct prodd_list snapshot, struct prodd_list overlay)
{
	struct prodd_served served = { .epoch = prodd_slice("e"), .hash = prodd_slice("h"), .generation = 1,
				       .snapshot = snapshot, .overlay = overlay };
	struct prodd_config *c;
	struct prodd_error e;
	int r = prodd_snapshot_new(&served, NULL, &keys, messages, &c, &e);

	if (r == 0)
		prodd_config_unref(c);
	return r;
}

START_TEST(what_is_no_snapshot_is_refused)
{
	struct served s = { 0 }, t = { 0 };

	served_int(&s, "b", "int", 1, false);
	ck_assert_int_eq(try_list(served_list(&s), (struct prodd_list){ 0 }), 0);
	served_int(&s, "a", "int", 1, false);
	ck_assert_int_eq(try_list(served_list(&s), (struct prodd_list){ 0 }), -PRODD_E_PROTOCOL);
	served_clear(&s);
	served_int(&s, "a", "int", 1, false);
	served_int(&s, "a", "int", 1, false);
	ck_assert_int_eq(try_list(served_list(&s), (struct prodd_list){ 0 }), -PRODD_E_PROTOCOL);
	served_clear(&s);
	served_int(&s, "a", "int", 1, false);
	served_int(&t, "b", "int", 1, false);
	ck_assert_int_eq(try_list(served_list(&s), served_list(&t)), -PRODD_E_PROTOCOL);
	served_clear(&t);
	served_value(&t, "a", "string", (struct prodd_slice){ "\xc4\x01x", 3 }, false);	/* bytes */
	ck_assert_int_eq(try_list(served_list(&t), (struct prodd_list){ 0 }), -PRODD_E_PROTOCOL);
	ck_assert_int_eq(try_list((struct prodd_list){ "\xc0", 1, 1 }, (struct prodd_list){ 0 }),
			 -PRODD_E_PROTOCOL);
	served_clear(&s);
	served_clear(&t);
}
END_TEST

START_TEST(five_thousand_keys_are_found)
{
	struct served s = { 0 };
	prodd_auto_config const struct prodd_config *c = NULL;
	char name[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "section%04d.key", i);
		served_int(&s, name, "int", i, false);
	}
	c = served_config(&s, NULL, 1, NULL, &keys, messages);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "section%04d.key", i);
		ck_assert_int_eq(prodd_config_int(c, name), i);
	}
	served_clear(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: values");
	TCase *tc = tcase_create("values");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, getters_give_each_type);
	tcase_add_test(tc, getters_convert_literals);
	tcase_add_test(tc, any_value_is_a_text);
	tcase_add_test(tc, a_list_is_read_by_element);
	tcase_add_test(tc, an_unknown_key_is_told_once);
	tcase_add_test(tc, an_unset_key_gives_the_fallback_silently);
	tcase_add_test(tc, what_does_not_convert_is_told_once);
	tcase_add_test(tc, messages_about_keys_are_bounded);
	tcase_add_test(tc, numbers_do_not_depend_on_the_locale);
	tcase_add_test(tc, names_come_in_order);
	tcase_add_test(tc, a_key_handle_reads_as_its_name);
	tcase_add_test(tc, a_key_of_another_handle_is_looked_up);
	tcase_add_test(tc, the_overlay_replaces_what_the_files_say);
	tcase_add_test(tc, a_running_instance_keeps_what_needs_a_restart);
	tcase_add_test(tc, what_is_no_snapshot_is_refused);
	tcase_add_test(tc, five_thousand_keys_are_found);
	return client_suite_run(s);
}
