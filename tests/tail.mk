# SPDX-License-Identifier: Apache-2.0
# What operators do with records: levels at run time, looking back, following.

if DAEMON
if HAVE_CHECK
tail_unit_tests = \
	tests/unit/levels \
	tests/unit/tail
check_PROGRAMS += $(tail_unit_tests)
TESTS += $(tail_unit_tests)

tail_unit_libs = libprodd-tail.la $(MSGPACK_LIBS) $(CHECK_LIBS)

tests_unit_levels_SOURCES = tests/unit/levels.c $(rig) $(suite)
tests_unit_levels_CFLAGS = $(core_unit_cflags)
tests_unit_levels_LDADD = $(tail_unit_libs)
tests_unit_tail_SOURCES = tests/unit/tail.c $(rig) $(suite)
tests_unit_tail_CFLAGS = $(core_unit_cflags)
tests_unit_tail_LDADD = $(tail_unit_libs)
endif

tail_tests = tests/integration/records_are_looked_for_and_followed.py
dist_check_SCRIPTS += $(tail_tests)
TESTS += $(tail_tests)
endif
