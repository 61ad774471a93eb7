# SPDX-License-Identifier: Apache-2.0
# Tests of the library's logging; the program that others let log is $LOGGER_BIN.

check_PROGRAMS += tests/programs/logger
tests_programs_logger_SOURCES = tests/programs/logger.c
tests_programs_logger_CPPFLAGS = $(CLIENT_CPPFLAGS)
tests_programs_logger_LDFLAGS = $(AM_LDFLAGS) -pthread
tests_programs_logger_LDADD = libclient.la

if HAVE_CHECK
liblog_unit_tests = \
	tests/unit/client_encode \
	tests/unit/client_levels \
	tests/unit/client_log \
	tests/unit/client_log_fork \
	tests/unit/client_push
check_PROGRAMS += $(liblog_unit_tests)
TESTS += $(liblog_unit_tests)

tests_unit_client_encode_SOURCES = tests/unit/client_encode.c $(client_suite)
tests_unit_client_encode_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_encode_CFLAGS = $(client_unit_cflags)
tests_unit_client_encode_LDADD = $(client_unit_libs) $(MSGPACK_LIBS)
client_ring = tests/unit/client_ring.c tests/unit/client_ring.h
tests_unit_client_log_SOURCES = tests/unit/client_log.c $(client_ring) $(client_play)
tests_unit_client_log_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_log_CFLAGS = $(client_unit_cflags)
tests_unit_client_log_LDADD = $(client_unit_libs)
tests_unit_client_push_SOURCES = tests/unit/client_push.c $(client_ring) $(client_play)
tests_unit_client_push_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_push_CFLAGS = $(client_unit_cflags)
tests_unit_client_push_LDADD = $(client_unit_libs)
tests_unit_client_log_fork_SOURCES = tests/unit/client_log_fork.c $(client_ring) $(client_play)
tests_unit_client_log_fork_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_log_fork_CFLAGS = $(client_unit_cflags)
tests_unit_client_log_fork_LDADD = $(client_unit_libs)
tests_unit_client_levels_SOURCES = tests/unit/client_levels.c $(client_suite)
tests_unit_client_levels_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_levels_CFLAGS = $(client_unit_cflags)
tests_unit_client_levels_LDADD = $(client_unit_libs)
endif

if DAEMON
liblog_tests = tests/integration/programs_log_through_prodd.py
dist_check_SCRIPTS += $(liblog_tests)
TESTS += $(liblog_tests)
endif
