/* SPDX-License-Identifier: Apache-2.0 */
/* What the scan refuses, with the words and the line; what it takes, libconfig takes too. */
#include "daemon/parse/scan.h"

#include "daemon/parse/settings.h"
#include "tests/unit/trees.h"

/* The problems of a file, then its settings as "key=value@line ". */
static const char *scanned(struct prodd_slice content)
{
	struct place place = { .file = { "f", 1 } };
	problems_auto problems = { 0 };
	prodd_auto_buffer text = { 0 };
	struct settings settings;
	struct scan scan;
	const char *wrong;
	char value[200];

	ck_assert_int_eq(scan_run(content, &place, &problems, &scan), 0);
	ck_assert_int_eq(settings_read(&scan, &place, &problems, &settings), 0);
	ck_assert(problems_count(&problems) == 0 || scan.incomplete);
	wrong = problems_text(&problems);
	prodd_buffer_append(&text, wrong, strlen(wrong));
	for (size_t i = 0; i < settings.count; i++) {
		const struct setting *s = &settings.rows[i];

		value_text(s->value, prodd_slice("string"), value, sizeof value);
		trees_print(&text, "%.*s=%s@%u ", PRODD_SLICE(s->key), value, s->line);
	}
	settings_clear(&settings);
	scan_clear(&scan);
	return trees_keep(&text);
}

struct row {
	const char *content, *result;
};

static const struct row rows[] = {
	/* taken */
	{ "", "" },
	{ "\n\t\f\r# c\n// c\n/* c\n */", "" },
	{ "a = 1;\nb : \"x\"\nc = true,\n", "a=1@1 b=x@2 c=true@3 " },
	{ "a\n=\n1\n;", "a=1@1 " },
	{ "a: { b: { c = 1; }; d = 2; };\ne = 3; # end without newline", "a.b.c=1@1 a.d=2@1 e=3@2 " },
	{ "a = \"x\" \"y\"\n \"z\";", "a=xyz@1 " },
	{ "a = \"x\ny\"; b = 2;", "a=\"x\\ny\"@1 b=2@2 " },
	{ "a = [1,\n 2];\nb = (1, \"x\", 2.5);\nc = [];", "a=[1, 2]@1 b=[1, x, 2.5]@3 c=[]@4 " },
	{ "a = 2147483647; b = -2147483648; c = 3000000000L; d = 0x7fffffff; e = 0xFFFFFFFFL;",
	  "a=2147483647@1 b=-2147483648@1 c=3000000000@1 d=2147483647@1 e=4294967295@1 " },
	{ "a = 9223372036854775807L; b = -9223372036854775808LL;",
	  "a=9223372036854775807@1 b=-9223372036854775808@1 " },
	{ "a = .5; b = 5.; c = 1e3; d = -1.5e-3; e = +7;", "a=0.5@1 b=5@1 c=1e+03@1 d=-0.0015@1 e=7@1 " },
	{ "a = TRUE; b = False;", "a=true@1 b=false@1 " },
	{ "a = \"@include \\\"x\\\"\";", "a=\"@include \\\"x\\\"\"@1 " },
	{ "a = [ # one\n 1, /* two */ 2 // three\n];", "a=[1, 2]@1 " },
	{ "a = \"\\x41\\\\x00\";", "a=A\\x00@1 " },

	/* refused with the rest intact */
	{ "a = 3000000000;\nb = 1;",
	  "f:1: 3000000000 does not fit in 32 bits: write 3000000000L, or a size or duration "
	  "as a string\nb=1@2 " },
	{ "a = -2147483649;",
	  "f:1: -2147483649 does not fit in 32 bits: write -2147483649L, or a size or duration as a "
	  "string\n" },
	{ "a = 0xFFFFFFFF;",
	  "f:1: 0xFFFFFFFF does not fit in 32 bits: write 0xFFFFFFFFL, or a size or duration as a "
	  "string\n" },
	{ "a = [1,\n9223372036854775808L];", "f:2: 9223372036854775808L does not fit in 64 bits\n" },
	{ "a = 1e999;", "f:1: 1e999 is too large for a float\n" },
	{ "@include \"/etc/passwd\"\na = 1;",
	  "f:1: @include is not supported; the files in conf.d are read by "
	  "themselves\na=1@2 " },
	{ "a = [1,\n@include \"/etc/passwd\"\n2];\nb = 2;",
	  "f:2: @include is not supported; the files in conf.d are read "
	  "by themselves\nb=2@4 " },
	{ "\xef\xbb\xbf"
	  "a = 1;",
	  "f:1: begins with a byte order mark; save it as UTF-8 without one\na=1@1 " },
	{ "a = 1;\nb = 2;\na = 3;", "f:3: a: is already set in line 1\na=1@1 b=2@2 " },
	{ "a: { b = 1; };\na: { c = 2; };",
	  "f:2: a: the group is already opened in line 1; a file opens a group once\n"
	  "a.b=1@1 a.c=2@2 " },
	{ "a = 1;\na: { c = 2; };", "f:2: a: is already set in line 1\na=1@1 a.c=2@2 " },
	{ "a = [1, 2L];", "f:1: the values in [ ] are of different types; write ( ) for such a list\n" },
	{ "a = [1,\n\"x\"];", "f:2: the values in [ ] are of different types; write ( ) for such a list\n" },
	{ "a = \"\\x00\"; b = 1;", "f:1: a string cannot hold \\x00\nb=1@1 " },
	{ "a = \"\xff\"; b = 1;", "f:1: a: the string is not valid UTF-8\nb=1@1 " },
	{ "a = \"\\xff\";", "f:1: a: the string is not valid UTF-8\n" },
	{ "a = ( { b = 1; } );", "f:1: a: a list holds only bools, numbers and strings, not groups\n" },
	{ "a = ( ( 1 ) );", "f:1: a: a list holds only bools, numbers and strings, not lists\n" },

	/* syntax errors: what stands before is there */
	{ "a = 1;\nb = 80 80;\nc = 3;", "f:2: syntax error, expected \";\" after the value\na=1@1 b=80@2 " },
	{ "a = 1\nb 2;", "f:1: syntax error, expected \";\" after the value\na=1@1 " },
	{ "timeout = 30 s;", "f:1: syntax error, expected \";\" after the value\ntimeout=30@1 " },
	{ "a 1;", "f:1: syntax error, expected \"=\" or \":\" after the name\n" },
	{ "a = info;", "f:1: syntax error, \"info\" is no value; a string stands in quotes\n" },
	{ "a = 12abc;", "f:1: syntax error, \"12abc\" is no value; a string stands in quotes\n" },
	{ "a = 1..2;", "f:1: syntax error, \"1..2\" is no value; a string stands in quotes\n" },
	{ "a = .;", "f:1: syntax error, \".\" is no value; a string stands in quotes\n" },
	{ "a = ;", "f:1: syntax error, expected a value, got \";\"\n" },
	{ "a =", "f:1: syntax error, the file ends where a value is expected\n" },
	{ "a = 1;;", "f:1: syntax error, expected the name of a setting, got \";\"\na=1@1 " },
	{ "}", "f:1: syntax error, expected the name of a setting, got \"}\"\n" },
	{ "a: {\n b = 1;\n", "f:1: syntax error, the \"{\" here is never closed\na.b=1@2 " },
	{ "a = [ 1, 2", "f:1: syntax error, the \"[\" here is never closed\n" },
	{ "a = [ 1 2 ];", "f:1: syntax error, expected \",\" or \"]\" after the value\n" },
	{ "a = ( 1 2 );", "f:1: syntax error, expected \",\" or \")\" after the value\n" },
	{ "a = [ 1, ];", "f:1: syntax error, expected a value after the comma\n" },
	{ "a = [ [ 1 ] ];", "f:1: syntax error, expected a value, got \"[\"\n" },
	{ "a = 1;\nb = \"x;\nc = 2;",
	  "f:2: syntax error, the string that begins here has no closing quote\na=1@1 " },
	{ "a = 1;\n/* b", "f:2: syntax error, the comment that begins here is never closed\na=1@1 " },
	{ "true = 1;", "f:1: syntax error, \"true\" cannot be a name\n" },
	{ "database.host = 1;", "f:1: syntax error, a name has no dots: write database: { host = ...; };\n" },
	{ "a*b = 1;",
	  "f:1: syntax error, \"a*b\" cannot be a name: a letter, then letters, digits, _ and -\n" },
	{ "a = 1; \x01", "f:1: syntax error, expected the name of a setting, got the byte 0x01\na=1@1 " },
	{ "a = \xe2\x80\x9cx\xe2\x80\x9d;", "f:1: syntax error, expected a value, got \"\xe2\x80\x9c\"\n" },
	{ "a = \xff;", "f:1: syntax error, expected a value, got the byte 0xff\n" },
};

START_TEST(file_gives_settings_or_problems)
{
	ck_assert_str_eq(scanned(prodd_slice(rows[_i].content)), rows[_i].result);
}
END_TEST

START_TEST(nul_byte_names_its_line)
{
	ck_assert_str_eq(scanned((struct prodd_slice){ "a = 1;\nb = \0 2;", 15 }),
			 "f:2: holds a NUL byte: not a text file\n");
}
END_TEST

static struct prodd_slice repeated(const char *text, int times, const char *middle, const char *end)
{
	prodd_auto_buffer b = { 0 };

	for (int i = 0; i < times; i++)
		trees_print(&b, "%s", text);
	trees_print(&b, "%s", middle);
	for (int i = 0; i < times; i++)
		trees_print(&b, "%s", end);
	return literals_keep(b.at, b.size);
}

START_TEST(depth_is_limited)
{
	const char *text = scanned(repeated("a:{", 15, "b=1;", "};"));

	ck_assert_str_eq(text, "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.b=1@1 ");
	ck_assert_str_eq(scanned(repeated("a:{", 17, "b=1;", "};")),
			 "f:1: groups and lists are nested more than 16 deep\n");
	ck_assert_str_eq(scanned(repeated("a:{", 100000, "", "")),
			 "f:1: groups and lists are nested more than 16 deep\n");
	ck_assert_str_eq(scanned(repeated("", 0, "a = ", "")),
			 "f:1: syntax error, the file ends where a value is expected\n");
	ck_assert_ptr_nonnull(strstr(scanned(repeated("(", 20, "", "")), "syntax error"));
}
END_TEST

START_TEST(names_are_limited)
{
	prodd_auto_buffer b = { 0 };

	for (int i = 0; i < 256; i++)
		trees_print(&b, "n");
	trees_print(&b, " = 1;");
	ck_assert_str_eq(scanned(prodd_buffer_slice(&b)),
			 "f:1: the name of the setting is too long: at most 255 bytes with its groups\n");
	prodd_buffer_consume(&b, 1);
	ck_assert_ptr_nonnull(strstr(scanned(prodd_buffer_slice(&b)), "n=1@1 "));
}
END_TEST

START_TEST(settings_are_limited)
{
	prodd_auto_buffer b = { 0 };
	const char *text;

	for (int i = 0; i < 5001; i++)
		trees_print(&b, "s%d = 1;\n", i);
	text = scanned(prodd_buffer_slice(&b));
	ck_assert_ptr_nonnull(strstr(text, "f:5001: more than 5000 settings in one file\n"));
	ck_assert_ptr_nonnull(strstr(text, "s4999=1@5000 "));
	prodd_buffer_reset(&b);
	for (int i = 0; i < 5000; i++)
		trees_print(&b, "g%d: { s = 1; };\n", i);
	ck_assert_ptr_null(strstr(scanned(prodd_buffer_slice(&b)), "more than"));
}
END_TEST

START_TEST(groups_in_lists_are_limited)
{
	prodd_auto_buffer b = { 0 };

	trees_print(&b, "a = ( {");
	for (int i = 0; i < 65; i++)
		trees_print(&b, "s%d = 1;\n", i);
	trees_print(&b, "} );");
	ck_assert_str_eq(scanned(prodd_buffer_slice(&b)),
			 "f:65: more than 64 settings in a group inside a list\n");
	ck_assert_str_eq(scanned(prodd_slice("a = ( { b = 1;\n b = 2; } );")),
			 "f:2: \"b\" is already set in line 1\n");
}
END_TEST

/* Every prefix and every byte changed: no crash, and nothing that libconfig refuses. */
START_TEST(damaged_files_end_in_words)
{
	static const char whole[] = "# c\na: { b = [ 1, 2 ]; c = \"x\\\"\\x41\"; /* d */ };\ne = ( true, "
				    "\"y\", 1.5e3 ); f = 0x10L;\n";
	struct dice d = dice_start("scan");
	const char *text;

	for (size_t size = 0; size < sizeof whole; size++) {
		literals_reset();
		text = scanned((struct prodd_slice){ whole, size });
		ck_assert_msg(!strstr(text, "\nsyntax error") && !strstr(text, ": syntax error\n"), "%s",
			      text);
	}
	for (int round = 0; round < 20000; round++) {
		char copy[sizeof whole];

		literals_reset();
		memcpy(copy, whole, sizeof whole);
		for (uint32_t n = 1 + dice_below(&d, 3); n > 0; n--)
			copy[dice_below(&d, sizeof copy - 1)] =
				"{}[]()=:;,\"\\#/*@ \n1aL.-e\x80\xff"[dice_below(&d, 26)];
		text = scanned((struct prodd_slice){ copy, sizeof copy - 1 });
		/* These are libconfig's own words: they must never be needed. */
		ck_assert_msg(!strstr(text, ": syntax error\n") && !strstr(text, "duplicate setting") &&
			      !strstr(text, "mismatched"), "%s\n%s", copy, text);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scan");
	TCase *t = tcase_create("scan");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, file_gives_settings_or_problems, 0, sizeof rows / sizeof *rows);
	tcase_add_test(t, nul_byte_names_its_line);
	tcase_add_test(t, depth_is_limited);
	tcase_add_test(t, names_are_limited);
	tcase_add_test(t, settings_are_limited);
	tcase_add_test(t, groups_in_lists_are_limited);
	tcase_add_test(t, damaged_files_end_in_words);
	suite_add_tcase(s, t);
	return suite_run(s);
}
