# SPDX-License-Identifier: Apache-2.0
# Lines of text, and prodd-ship.

check_PROGRAMS += tests/abi/lines
tests_abi_lines_SOURCES = tests/abi/lines.c
tests_abi_lines_LDADD = libproto.la $(MSGPACK_LIBS)
EXTRA_DIST += tests/abi/line.golden
line_tests = tests/abi/lines_are_as_recorded tests/integration/lines_say_what_was_put_in.py
dist_check_SCRIPTS += $(line_tests)
TESTS += $(line_tests)

if HAVE_CHECK
check_PROGRAMS += tests/unit/line
TESTS += tests/unit/line
tests_unit_line_SOURCES = tests/unit/line.c $(suite)
tests_unit_line_CFLAGS = $(proto_unit_cflags)
tests_unit_line_LDADD = $(proto_unit_libs)
endif

if DAEMON
check_PROGRAMS += tests/ship/producer
tests_ship_producer_SOURCES = tests/ship/producer.c
tests_ship_producer_LDADD = libprodd-spool.la $(MSGPACK_LIBS)
EXTRA_DIST += tests/integration/shipping.py
ship_tests = \
	tests/integration/ship_is_started_told_and_ended.py \
	tests/integration/ship_lets_no_app_wait.py \
	tests/integration/ship_rotates_and_compresses.py \
	tests/integration/ship_writes_each_record_once.py
ship_fault_tests = \
	tests/fault/ship_calls_fail.py \
	tests/fault/ship_killed_anywhere.py
dist_check_SCRIPTS += $(ship_tests) $(ship_fault_tests)
TESTS += $(ship_tests) $(ship_fault_tests)

if HAVE_CHECK
ship_unit_tests = tests/unit/sinks tests/unit/file_tail
check_PROGRAMS += $(ship_unit_tests)
TESTS += $(ship_unit_tests)
tests_unit_sinks_SOURCES = tests/unit/sinks.c $(suite)
tests_unit_sinks_CFLAGS = $(AM_CFLAGS) -D_GNU_SOURCE $(CHECK_CFLAGS)
tests_unit_sinks_LDADD = libship.la $(MSGPACK_LIBS) $(CHECK_LIBS)
tests_unit_file_tail_SOURCES = tests/unit/file_tail.c $(suite)
tests_unit_file_tail_CFLAGS = $(AM_CFLAGS) -D_GNU_SOURCE $(CHECK_CFLAGS)
tests_unit_file_tail_LDADD = libship.la $(MSGPACK_LIBS) $(CHECK_LIBS)
endif
endif
