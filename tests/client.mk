# SPDX-License-Identifier: Apache-2.0
# Tests of the library: its parts by hand-fed values, and the whole against a daemon that the test plays.

client_tests = tests/house/library_shows_what_its_headers_say

if HAVE_CHECK
client_unit_tests = \
	tests/unit/client_calls \
	tests/unit/client_cache \
	tests/unit/client_current \
	tests/unit/client_declared \
	tests/unit/client_fork \
	tests/unit/client_harmless \
	tests/unit/client_memory \
	tests/unit/client_null \
	tests/unit/client_session \
	tests/unit/client_values
check_PROGRAMS += $(client_unit_tests)
TESTS += $(client_unit_tests)

client_unit_cppflags = $(CLIENT_CPPFLAGS)
client_unit_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
client_unit_libs = libclient.la $(CHECK_LIBS)
client_suite = tests/unit/client_suite.h $(suite)
client_served = tests/unit/client_served.c tests/unit/client_served.h $(client_suite)
client_play = tests/unit/client_app.c tests/unit/client_app.h tests/unit/client_peer.c tests/unit/client_peer.h tests/unit/remove.h \
	$(client_served)

tests_unit_client_cache_SOURCES = tests/unit/client_cache.c tests/unit/remove.h $(client_served)
tests_unit_client_cache_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_cache_CFLAGS = $(client_unit_cflags)
tests_unit_client_cache_LDADD = $(client_unit_libs)
tests_unit_client_calls_SOURCES = tests/unit/client_calls.c $(client_play)
tests_unit_client_calls_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_calls_CFLAGS = $(client_unit_cflags)
tests_unit_client_calls_LDADD = $(client_unit_libs)
tests_unit_client_current_SOURCES = tests/unit/client_current.c $(client_suite)
tests_unit_client_current_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_current_CFLAGS = $(client_unit_cflags)
tests_unit_client_current_LDADD = $(client_unit_libs)
tests_unit_client_declared_SOURCES = tests/unit/client_declared.c $(client_suite)
tests_unit_client_declared_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_declared_CFLAGS = $(client_unit_cflags)
tests_unit_client_declared_LDADD = $(client_unit_libs)
tests_unit_client_fork_SOURCES = tests/unit/client_fork.c $(client_play)
tests_unit_client_fork_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_fork_CFLAGS = $(client_unit_cflags)
tests_unit_client_fork_LDADD = $(client_unit_libs)
tests_unit_client_harmless_SOURCES = tests/unit/client_harmless.c $(client_play)
tests_unit_client_harmless_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_harmless_CFLAGS = $(client_unit_cflags)
tests_unit_client_harmless_LDADD = $(client_unit_libs)
tests_unit_client_memory_SOURCES = tests/unit/client_memory.c $(client_served)
tests_unit_client_memory_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_memory_CFLAGS = $(client_unit_cflags)
tests_unit_client_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
tests_unit_client_memory_LDADD = $(client_unit_libs)
tests_unit_client_null_SOURCES = tests/unit/client_null.c $(client_suite)
tests_unit_client_null_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_null_CFLAGS = $(client_unit_cflags)
tests_unit_client_null_LDADD = $(client_unit_libs)
tests_unit_client_session_SOURCES = tests/unit/client_session.c $(client_play)
tests_unit_client_session_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_session_CFLAGS = $(client_unit_cflags)
tests_unit_client_session_LDADD = $(client_unit_libs)
tests_unit_client_values_SOURCES = tests/unit/client_values.c $(client_served)
tests_unit_client_values_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_values_CFLAGS = $(client_unit_cflags)
tests_unit_client_values_LDADD = $(client_unit_libs)

client_tests += tests/integration/library_calls_do_not_block.py
endif

if DAEMON
client_tests += tests/integration/hello_runs_in_both_ways.py
endif

dist_check_SCRIPTS += $(client_tests)
TESTS += $(client_tests)
