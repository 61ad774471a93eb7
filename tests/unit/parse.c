/* SPDX-License-Identifier: Apache-2.0 */
/* Files to a checked tree: the manual's screens, mistakes of a schema, the daemon's own file. */
#include "daemon/parse/prodd_conf.h"
#include "tests/unit/parsing.h"

static const char schema_conf[] =
	"# /etc/orders/schema.conf: what may stand in the other files.\n"
	"strict = true;                           # unknown keys are errors (default)\n"
	"keys =\n"
	"(\n"
	"  { key = \"server.port\";  type = \"int\";  default = 8080;  min = 1;  max = 65535;\n"
	"    reload = \"restart\";  help = \"TCP port to listen on.\"; },\n"
	"  { key = \"database.host\";  type = \"string\";  required = true;  min_length = 1;\n"
	"    help = \"Host name of the order database.\"; },\n"
	"  { key = \"database.max_connections\";  type = \"int\";  default = 10;  min = 1;  max = 500; },\n"
	"  { key = \"upstream.timeout\";  type = \"duration\";  default = \"2s\";  max = \"30s\"; },\n"
	"  { key = \"log.level\";  type = \"string\";  default = \"info\";\n"
	"    one_of = [ \"debug\", \"info\", \"warn\", \"error\" ]; }\n"
	");\n";

static const char default_conf[] =
	"# /etc/orders/default.conf\n"
	"server:   { port = 8080; };\n"
	"database: { host = \"db.internal\"; max_connections = 20; };\n"
	"upstream: { timeout = \"2s\"; };\n";

START_TEST(files_of_the_manual_become_a_tree)
{
	const struct file files[] = {
		{ "schema.conf", "schema", schema_conf },
		{ "default.conf", "default", default_conf },
		{ "production.conf", "environment",
		  "# only what differs\ndatabase: { max_connections = 100; };\n" },
	};
	struct parsed p = RUN("orders", files);

	ck_assert_str_eq(p.problems, "");
	ck_assert_str_eq(p.entries,
		"database.host (string) = db.internal | file default.conf:3 db.internal\n"
		"database.max_connections (int) = 100 | file production.conf:2 100 | file default.conf:3 20"
		" | default schema.conf:9 10\n"
		"log.level (string) = info | default schema.conf:11 info\n"
		"server.port (int) = 8080 restart | file default.conf:2 8080 | default schema.conf:5 8080\n"
		"upstream.timeout (duration) = 2s | file default.conf:4 2s | default schema.conf:10 2s\n");
	ck_assert(p.result.parsed.schema && p.result.parsed.strict);
	ck_assert_uint_eq(p.result.parsed.keys.count, 5);
	parse_result_clear(&p.result);
}
END_TEST

START_TEST(invalid_screen_of_the_manual)
{
	const struct file files[] = {
		{ "schema.conf", "schema", schema_conf },
		{ "default.conf", "default",
		  "# 1\n\ndatabase: { host = \"db.internal\"; };\nupstream: { timout = \"2s\"; };\n" },
		{ "production.conf", "environment", "\ndatabase: { max_connections = 700; };\n" },
		{ "conf.d/10-local.conf", "local", "\n\n\n\n\n\n\n\nserver: { port = 80 80; };\n" },
	};
	struct parsed p = RUN("orders", files);

	ck_assert_str_eq(
		p.problems,
		"/etc/orders/default.conf:4: upstream.timout: unknown key; did you mean "
		"\"upstream.timeout\"?\n"
		"/etc/orders/production.conf:2: database.max_connections: 700 is not in 1..500\n"
		"/etc/orders/conf.d/10-local.conf:9: syntax error, expected \";\" after the value\n");
	ck_assert_uint_eq(p.result.parsed.entries.count, 0);
	parse_result_clear(&p.result);
}
END_TEST

START_TEST(key_of_type_secret_is_refused_by_name)
{
	const struct file files[] = {
		{ "schema.conf", "schema",
		  "keys = ( { key = \"database.password\";\n type = \"secret\"; } );" },
	};
	struct parsed p = RUN("orders", files);

	ck_assert_str_eq(
		p.problems,
		"/etc/orders/schema.conf:2: database.password: type \"secret\" is not supported yet\n");
	parse_result_clear(&p.result);
}
END_TEST

START_TEST(required_key_is_missed_only_when_all_was_read)
{
	const struct file whole[] = { { "schema.conf", "schema", schema_conf } };
	const struct file broken[] = { { "schema.conf", "schema", schema_conf },
				       { "x.conf", "local", "a = ;" } };
	struct parsed p = RUN("orders", whole);

	ck_assert_str_eq(p.problems,
			 "database.host: is required, but no file sets it (declared in schema.conf:7)\n");
	parse_result_clear(&p.result);
	p = RUN("orders", broken);
	ck_assert_str_eq(p.problems, "/etc/orders/x.conf:1: syntax error, expected a value, got \";\"\n");
	parse_result_clear(&p.result);
}
END_TEST

START_TEST(every_mistake_of_a_schema_has_its_line)
{
	const struct file files[] = {
		{ "schema.conf", "schema",
		  "strict = 1;\n"
		  "key = 5;\n"
		  "group: { a = 1; };\n"
		  "keys = (\n"
		  " { key = \"a\"; type = \"int\"; mim = 1;\n"
		  "   default = \"x\"; },\n"
		  " { key = \"b\"; type = \"string\";\n"
		  "   pattern = \"(\"; },\n"
		  " { key = \"c\"; type = \"enum\"; },\n"
		  " { key = \"d\"; type = \"duration\";\n"
		  "   default = 5;\n"
		  "   max = \"30\"; },\n"
		  " { type = \"int\"; },\n"
		  " { key = \"e\"; },\n"
		  " { key = \"f\"; type = \"int\"; required = \"yes\";\n"
		  "   min_length = -1; one_of = 5; reload = \"cold\"; help = 1; },\n"
		  " { key = \"ok\"; type = \"int\"; },\n"
		  " { key = \"ok\"; type = \"int\"; },\n"
		  " { key = \"ok.below\"; type = \"int\"; },\n"
		  " { key = \"g\"; type = \"int\"; min = 5;\n"
		  "   max = 1; },\n"
		  " { key = \"h\"; type = \"int\"; max = 1;\n"
		  "   default = 2; },\n"
		  " { key = 1; type = \"int\"; },\n"
		  " { key = \"\"; type = \"int\"; },\n"
		  " 5,\n"
		  " { key = \"i\"; type = \"enum\"; one_of = 5; },\n"
		  " { key = \"no key\"; type = \"int\"; }\n"
		  ");\n" },
	};
	struct parsed p = RUN("orders", files);

	ck_assert_str_eq(
		p.problems,
		"/etc/orders/schema.conf:1: strict: expected true or false\n"
		"/etc/orders/schema.conf:2: key: unknown in a schema; did you mean \"keys\"?\n"
		"/etc/orders/schema.conf:3: group: unknown in a schema, which has \"strict\" and \"keys\"\n"
		"/etc/orders/schema.conf:5: a: unknown attribute \"mim\"; did you mean \"min\"?\n"
		"/etc/orders/schema.conf:6: a: default: expected an int, got the string \"x\"\n"
		"/etc/orders/schema.conf:8: b: pattern: Unmatched ( or \\(\n"
		"/etc/orders/schema.conf:9: c: one_of: an enum needs the list of its words\n"
		"/etc/orders/schema.conf:11: d: default: expected a duration such as \"30s\", got the int 5 "
		"without a unit\n"
		"/etc/orders/schema.conf:12: d: max: expected a duration such as \"30s\", got the string "
		"\"30\"\n"
		"/etc/orders/schema.conf:13: a declaration without \"key\"\n"
		"/etc/orders/schema.conf:14: e: \"type\" is missing\n"
		"/etc/orders/schema.conf:15: f: required: expected true or false\n"
		"/etc/orders/schema.conf:16: f: min_length: expected a number from 0\n"
		"/etc/orders/schema.conf:16: f: one_of: expected a list of strings: [ \"a\", \"b\" ]\n"
		"/etc/orders/schema.conf:16: f: reload: expected \"hot\" or \"restart\"\n"
		"/etc/orders/schema.conf:16: f: help: expected a string\n"
		"/etc/orders/schema.conf:18: ok: is already declared in schema.conf:17\n"
		"/etc/orders/schema.conf:19: ok.below: \"ok\" is a key of schema.conf:17 and cannot be a "
		"group too\n"
		"/etc/orders/schema.conf:20: g: min: 5 is greater than max 1\n"
		"/etc/orders/schema.conf:23: h: default: 2 is above the maximum 1\n"
		"/etc/orders/schema.conf:24: key: expected a string\n"
		"/etc/orders/schema.conf:25: \"key\" or \"type\" is empty\n"
		"/etc/orders/schema.conf:26: keys: expected a group: { key = ...; type = ...; }\n"
		"/etc/orders/schema.conf:27: i: one_of: expected a list of strings: [ \"a\", \"b\" ]\n"
		"/etc/orders/schema.conf:28: no key: \"no key\" cannot be a key: letters, digits, _ and -, "
		"parts joined by dots, "
		"at most 255 bytes and 16 parts\n");
	parse_result_clear(&p.result);
}
END_TEST

/* ---- schemas from code */

static struct prodd_list declared_of(struct prodd_buffer *b, const struct wire_schema_key *rows,
				     uint32_t size)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < size; i++)
		prodd_encode_element(b, &count, &wire_record_schema_key, &rows[i]);
	return prodd_list(b, count);
}

START_TEST(code_and_file_declare_together)
{
	const struct file files[] = {
		{ "schema.conf", "schema", "keys = ( { key = \"a\"; type = \"int\"; max = 10; } );" },
		{ "default.conf", "default", "a = 11; b = 1; c = 1;" },
	};
	const struct wire_schema_key rows[] = {
		{ .key = prodd_slice("a"),
		  .type = prodd_slice("int"),
		  .min = literal("1"),
		  .origin = prodd_slice("code of orders/1") },
		{ .key = prodd_slice("b"),
		  .type = prodd_slice("string"),
		  .origin = prodd_slice("code of orders/1") },
		{ .key = prodd_slice("a"),
		  .type = prodd_slice("bool"),
		  .origin = prodd_slice("code of orders/2") },
	};
	prodd_auto_buffer b = { 0 };
	struct parsed p;

	p = run("orders", files, 2, declared_of(&b, rows, 3));
	ck_assert_str_eq(p.problems,
		"/etc/orders/default.conf:1: a: 11 is not in 1..10\n"
		"/etc/orders/default.conf:1: b: expected a string, got the int 1\n"
		"/etc/orders/default.conf:1: c: unknown key\n"
		"a: int in schema.conf:1, but bool in code of orders/2\n");
	parse_result_clear(&p.result);
}
END_TEST

START_TEST(code_alone_is_not_strict)
{
	const struct file files[] = { { "default.conf", "default", "a = 1; stranger = 1;" } };
	const struct wire_schema_key rows[] = { { .key = prodd_slice("a"), .type = prodd_slice("float") } };
	prodd_auto_buffer b = { 0 };
	struct parsed p;

	p = run("orders", files, 1, declared_of(&b, rows, 1));
	ck_assert_str_eq(p.problems, "");
	ck_assert_str_eq(p.entries, "a (float) = 1 | file default.conf:1 1\n"
			 "stranger (int) = 1 | file default.conf:1 1\n");
	ck_assert(p.result.parsed.schema && !p.result.parsed.strict);
	parse_result_clear(&p.result);
}
END_TEST

START_TEST(without_schema_nothing_is_asked)
{
	const struct file files[] = { { "default.conf", "default", "a: { b = 1; };" } };
	struct parsed p = RUN("orders", files);

	ck_assert_str_eq(p.problems, "");
	ck_assert_str_eq(p.entries, "a.b (int) = 1 | file default.conf:1 1\n");
	ck_assert(!p.result.parsed.schema && !p.result.parsed.strict);
	parse_result_clear(&p.result);
}
END_TEST

/* ---- prodd.conf */

START_TEST(daemons_own_file_is_checked_by_the_built_in_schema)
{
	const struct file good[] = {
		{ "prodd.conf", "default",
		  "environment = \"production\";\napp: { orders: { unit = \"orders.service\";\n"
		  "config = \"/etc/orders\"; }; };\n" },
		{ "conf.d/a.conf", "local",
		  "app: { billing: { user = \"bill\"; }; };\nanswer_timeout = \"1m\";" },
	};
	const struct file bad[] = {
		{ "prodd.conf", "default",
		  "enviroment = \"production\";\nwatch = \"always\";\nhistory = 1;\n"
		  "answer_timeout = 5;\nlog: { level = \"info\"; };\nenvironment = \"default\";\n" },
		{ "conf.d/a.conf", "local",
		  "app: { Orders: { unit = \"orders\";\n }; ok: { unti = \"x.service\";\n"
		  "config = \"etc\"; }; };\n" },
	};
	struct parsed p = RUN("prodd", good);

	ck_assert_str_eq(p.problems, "");
	ck_assert_ptr_nonnull(
		strstr(p.entries, "app.billing.user (string) = bill | file conf.d/a.conf:1 bill\n"));
	ck_assert_ptr_nonnull(strstr(p.entries, "answer_timeout (duration) = 1m | file conf.d/a.conf:2 1m"
					       " | default prodd:0 5s\n"));
	ck_assert_ptr_nonnull(
		strstr(p.entries, "limits.bytes_per_uid (size) = 16MiB | default prodd:0 16MiB\n"));
	ck_assert_ptr_null(strchr(p.entries, '*'));
	parse_result_clear(&p.result);
	p = RUN("prodd", bad);
	ck_assert_str_eq(
		p.problems,
		"/etc/orders/prodd.conf:1: enviroment: unknown key; did you mean \"environment\"?\n"
		"/etc/orders/prodd.conf:2: watch: \"always\" is not one of auto, manual\n"
		"/etc/orders/prodd.conf:3: history: 1 is not in 2..1000\n"
		"/etc/orders/prodd.conf:4: answer_timeout: expected a duration such as \"30s\", got the int "
		"5 without a unit\n"
		"/etc/orders/prodd.conf:5: log.level: unknown key\n"
		"/etc/orders/prodd.conf:6: environment: \"default\" cannot be the name of an environment\n"
		"/etc/orders/conf.d/a.conf:1: app.Orders.unit: \"Orders\" cannot be the name of an app: a "
		"small letter, "
		"then small letters, digits, _ and -, at most 63 in all, and not prodd\n"
		"/etc/orders/conf.d/a.conf:1: app.Orders.unit: \"orders\" does not match the pattern "
		"^[A-Za-z0-9:_.@*\\-]+\\.service$\n"
		"/etc/orders/conf.d/a.conf:2: app.ok.unti: unknown key; did you mean \"app.ok.unit\"?\n"
		"/etc/orders/conf.d/a.conf:3: app.ok.config: \"etc\" does not match the pattern ^/\n");
	parse_result_clear(&p.result);
}
END_TEST

/* The file that is shipped is valid, also with every setting uncommented. */
START_TEST(shipped_file_is_valid)
{
	char *text = NULL, *plain;
	size_t size = 0, length = 0;
	struct file file[] = { { "prodd.conf", "default", NULL } };
	FILE *out = open_memstream(&text, &size);
	struct parsed p;

	prodd_conf_print(out);
	fclose(out);
	file[0].content = text;
	p = RUN("prodd", file);
	ck_assert_str_eq(p.problems, "");
	parse_result_clear(&p.result);
	plain = calloc(1, size + 1);
	*strstr(text, "#app:") = '\0';		/* has no defaults */
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (line[0] == '#' && (line[1] != ' ' || line[2] == ' '))
			length += (size_t)sprintf(plain + length, "%s\n", line + 1);
	file[0].content = plain;
	p = RUN("prodd", file);
	ck_assert_str_eq(p.problems, "");
	ck_assert_ptr_nonnull(strstr(p.entries, "limits.sessions (int) = 4096 | file prodd.conf:"));
	ck_assert_ptr_nonnull(strstr(p.entries, "sink.local.keep (int) = 10 | file prodd.conf:"));
	parse_result_clear(&p.result);
	free(plain);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("parse");
	TCase *t = tcase_create("parse");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, files_of_the_manual_become_a_tree);
	tcase_add_test(t, invalid_screen_of_the_manual);
	tcase_add_test(t, key_of_type_secret_is_refused_by_name);
	tcase_add_test(t, required_key_is_missed_only_when_all_was_read);
	tcase_add_test(t, every_mistake_of_a_schema_has_its_line);
	tcase_add_test(t, code_and_file_declare_together);
	tcase_add_test(t, code_alone_is_not_strict);
	tcase_add_test(t, without_schema_nothing_is_asked);
	tcase_add_test(t, daemons_own_file_is_checked_by_the_built_in_schema);
	tcase_add_test(t, shipped_file_is_valid);
	suite_add_tcase(s, t);
	return suite_run(s);
}
