# SPDX-License-Identifier: Apache-2.0
# The way of a log record: settings, rings, spools, sinks.

if DAEMON
if HAVE_CHECK
log_unit_tests = \
	tests/unit/batch \
	tests/unit/log_settings \
	tests/unit/share
check_PROGRAMS += $(log_unit_tests)
TESTS += $(log_unit_tests)

tests_unit_batch_SOURCES = tests/unit/batch.c $(suite)
tests_unit_batch_CFLAGS = $(core_unit_cflags)
tests_unit_batch_LDADD = libprodd-log.la $(MSGPACK_LIBS) $(CHECK_LIBS)
tests_unit_share_SOURCES = tests/unit/share.c $(suite)
tests_unit_share_CFLAGS = $(core_unit_cflags)
tests_unit_share_LDADD = libprodd-log.la $(MSGPACK_LIBS) $(CHECK_LIBS)
tests_unit_log_settings_SOURCES = tests/unit/log_settings.c $(suite)
tests_unit_log_settings_CFLAGS = $(core_unit_cflags)
tests_unit_log_settings_LDADD = libprodd-log.la $(MSGPACK_LIBS) $(CHECK_LIBS)
endif

log_tests = \
	tests/integration/floods_leave_room_for_others.py \
	tests/integration/last_words_are_kept.py \
	tests/integration/records_go_from_rings_to_files.py \
	tests/integration/sinks_hold_nobody_back.py \
	tests/integration/strange_rings_hurt_nobody_else.py
dist_check_SCRIPTS += $(log_tests)
TESTS += $(log_tests)
EXTRA_DIST += tests/integration/rings.py

log_fault_tests = tests/fault/kill_prodd_under_records.py
dist_check_SCRIPTS += $(log_fault_tests)
TESTS += $(log_fault_tests)
endif
