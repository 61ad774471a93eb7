# SPDX-License-Identifier: Apache-2.0
# Metrics as text and over HTTP.

if DAEMON
if HAVE_CHECK
expose_unit_tests = \
	tests/unit/merge_sources \
	tests/unit/number \
	tests/unit/request \
	tests/unit/text
check_PROGRAMS += $(expose_unit_tests)
TESTS += $(expose_unit_tests)

expose_unit_libs = libprodd-expose.la $(MSGPACK_LIBS) $(CHECK_LIBS)
fake_source = tests/unit/fake_source.c tests/unit/fake_source.h
tests_unit_merge_sources_SOURCES = tests/unit/merge_sources.c $(fake_source) $(suite)
tests_unit_merge_sources_CFLAGS = $(core_unit_cflags)
tests_unit_merge_sources_LDADD = $(expose_unit_libs)
tests_unit_number_SOURCES = tests/unit/number.c $(suite)
tests_unit_number_CFLAGS = $(core_unit_cflags)
tests_unit_number_LDADD = $(expose_unit_libs) -lm
tests_unit_request_SOURCES = tests/unit/request.c $(suite)
tests_unit_request_CFLAGS = $(core_unit_cflags)
tests_unit_request_LDADD = $(expose_unit_libs)
tests_unit_text_SOURCES = tests/unit/text.c $(fake_source) $(suite)
tests_unit_text_CFLAGS = $(core_unit_cflags)
tests_unit_text_LDADD = $(expose_unit_libs)
endif

check_PROGRAMS += tests/unit/http_server
tests_unit_http_server_SOURCES = tests/unit/http_server.c tests/unit/fake_source.c tests/unit/fake_source.h
tests_unit_http_server_CFLAGS = $(AM_CFLAGS) $(LIBEVENT_CFLAGS)
tests_unit_http_server_LDADD = libprodd-expose.la $(MSGPACK_LIBS)

expose_tests = \
	tests/integration/prometheus_sees_the_truth_over_kills.py \
	tests/integration/scrapers_that_take_too_long_are_cut.py \
	tests/integration/scrapes_are_answered_as_asked.py \
	tests/integration/scrapes_are_read_by_others.py \
	tests/integration/scrapes_hold_the_loop_for_moments.py
dist_check_SCRIPTS += $(expose_tests)
TESTS += $(expose_tests)
EXTRA_DIST += tests/integration/scraping.py
EXTRA_DIST += tests/unit/exposition/openmetrics.txt tests/unit/exposition/prometheus.txt
endif
