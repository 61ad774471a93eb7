/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP requests: what is taken, what is refused, and what the sender likes. */
#include "daemon/metric/request.h"

#include <stdio.h>

#include "tests/unit/suite.h"

#define HOST "Host: x\r\n"

static struct request request;

static int parse(const char *text)
{
	return request_parse(prodd_slice(text), &request);
}

/* The answer to a GET with this header line. */
static void with(const char *header)
{
	char text[1024];

	snprintf(text, sizeof text, "GET /metrics HTTP/1.1\r\n" HOST "%s\r\n\r\n", header);
	ck_assert_msg(parse(text) == (int)strlen(text), "%s: %d", header, parse(text));
}

START_TEST(a_request_is_taken_whole)
{
	const char *text = "GET /metrics?x=1 HTTP/1.1\r\nHost: localhost:9099\r\nUser-Agent: Prometheus/2.42.0\r\n\r\nGET";

	ck_assert_int_eq(parse(text), (int)strlen(text) - 3);
	ck_assert_int_eq(request.method, REQUEST_GET);
	ck_assert(prodd_slice_is(request.path, "/metrics"));
	ck_assert(request.keep_alive && !request.openmetrics && !request.gzip);
}
END_TEST

START_TEST(each_beginning_of_a_request_waits_for_the_rest)
{
	static const char text[] = "HEAD http://x.y:1/healthz HTTP/1.0\nAccept: text/plain\nConnection: Keep-Alive\n\n";

	for (size_t i = 0; i < sizeof text - 1; i++)
		ck_assert_int_eq(request_parse((struct prodd_slice){ text, i }, &request), 0);
	ck_assert_int_eq(parse(text), (int)strlen(text));
	ck_assert_int_eq(request.method, REQUEST_HEAD);
	ck_assert(prodd_slice_is(request.path, "/healthz"));
	ck_assert(request.keep_alive);
}
END_TEST

START_TEST(what_breaks_the_grammar_is_refused)
{
	static const struct {
		const char *text;
		int status;
	} table[] = {
		{ "\r\n\r\n", -400 },
		{ "GET\r\n\r\n", -400 },
		{ "GET /\r\n\r\n", -400 },
		{ "GET  HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET / HTTP/1.1 \r\n" HOST "\r\n", -400 },
		{ "GET / x HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "G(T / HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET /\001 HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET ?x HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET metrics HTTP/1.1\r\n" HOST "\r\n", -400 },
		{ "GET / http/1.1\r\n" HOST "\r\n", -400 },
		{ "GET / HTTP/1.1\r\n\r\n", -400 },	/* no Host */
		{ "GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\n" HOST "Space : x\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\n" HOST " folded: x\r\n\r\n", -400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: \001\r\n\r\n", -400 },
		{ "GET / HTTP/2.0\r\n" HOST "\r\n", -505 },
		{ "GET / HTTP/0.9\r\n" HOST "\r\n", -505 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", -413 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 7\r\n\r\n", -413 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 00\r\n\r\n", -413 },
		{ "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", -413 },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_msg(parse(table[i].text) == table[i].status, "%s: %d", table[i].text, parse(table[i].text));
}
END_TEST

START_TEST(nothing_grows_without_end)
{
	static char text[REQUEST_HEAD_MAX];
	char many[4096] = "GET / HTTP/1.1\r\n" HOST;

	memset(text, 'a', sizeof text);
	ck_assert_int_eq(request_parse((struct prodd_slice){ text, sizeof text - 1 }, &request), 0);
	ck_assert_int_eq(request_parse((struct prodd_slice){ text, sizeof text }, &request), -431);
	for (int i = 0; i < REQUEST_HEADERS_MAX; i++)
		strcat(many, "a: b\r\n");
	ck_assert_int_eq(parse(many), -431);
}
END_TEST

START_TEST(other_methods_are_told_from_damage)
{
	ck_assert_int_gt(parse("POST /metrics HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"), 0);
	ck_assert_int_eq(request.method, REQUEST_OTHER);
	ck_assert(!request.keep_alive);		/* its body would be taken for a request */
	ck_assert_int_gt(parse("get / HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert_int_eq(request.method, REQUEST_OTHER);
	ck_assert(request.keep_alive);
}
END_TEST

START_TEST(openmetrics_is_given_to_who_asks_for_it)
{
	static const struct {
		const char *accept;
		bool openmetrics;
	} table[] = {
		{ "application/openmetrics-text", true },
		{ "Application/OpenMetrics-Text; version=1.0.0", true },
		{ "application/openmetrics-text;version=\"1.0.0\";charset=utf-8", true },
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true },
		{ "text/plain, application/openmetrics-text", true },
		{ "text/plain;q=0.5, application/openmetrics-text;q=0.4", false },
		{ "text/plain;q=0.5, application/openmetrics-text;q=0.501", true },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text;q=0.000", false },
		{ "application/openmetrics-text;q=2", false },
		{ "application/openmetrics-text;version=0.0.1", false },
		{ "application/openmetrics-text;version=2.0.0", false },
		{ "*/*", false },
		{ "text/html", false },
		{ "", false },
		{ ";;;,,,;q", false },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char header[256];

		snprintf(header, sizeof header, "Accept: %s", table[i].accept);
		with(header);
		ck_assert_msg(request.openmetrics == table[i].openmetrics, "%s", table[i].accept);
	}
	with("Accept: text/plain;q=0.1\r\nAccept: application/openmetrics-text;q=0.2");
	ck_assert(request.openmetrics);
}
END_TEST

START_TEST(gzip_is_given_to_who_takes_it)
{
	static const struct {
		const char *accept;
		bool gzip;
	} table[] = {
		{ "gzip", true },	    { "GZIP", true },		  { "deflate, gzip;q=0.5", true },
		{ "x-gzip", true },	    { "*", true },		  { "*;q=0", false },
		{ "gzip;q=0, *", false },   { "identity", false },	  { "", false },
		{ "gzip;q=0", false },	    { "gzip;q=0.001", true },	  { "br", false },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char header[256];

		snprintf(header, sizeof header, "Accept-Encoding: %s", table[i].accept);
		with(header);
		ck_assert_msg(request.gzip == table[i].gzip, "%s", table[i].accept);
	}
}
END_TEST

START_TEST(the_connection_is_kept_as_asked)
{
	with("Connection: close");
	ck_assert(!request.keep_alive);
	with("Connection: x, Close");
	ck_assert(!request.keep_alive);
	with("Connection: keep-alive");
	ck_assert(request.keep_alive);
	ck_assert_int_gt(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	ck_assert(!request.keep_alive);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("request");
	TCase *t = tcase_create("request");

	tcase_add_test(t, a_request_is_taken_whole);
	tcase_add_test(t, each_beginning_of_a_request_waits_for_the_rest);
	tcase_add_test(t, what_breaks_the_grammar_is_refused);
	tcase_add_test(t, nothing_grows_without_end);
	tcase_add_test(t, other_methods_are_told_from_damage);
	tcase_add_test(t, openmetrics_is_given_to_who_asks_for_it);
	tcase_add_test(t, gzip_is_given_to_who_takes_it);
	tcase_add_test(t, the_connection_is_kept_as_asked);
	suite_add_tcase(s, t);
	return suite_run(s);
}
