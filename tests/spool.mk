# SPDX-License-Identifier: Apache-2.0
# The spool: what is in it, what becomes of it when files, disks and hosts fail.

if DAEMON
if HAVE_CHECK
spool_unit_tests = \
	tests/unit/crc32c \
	tests/unit/spool \
	tests/unit/spool_damage \
	tests/unit/spool_faults \
	tests/unit/spool_format \
	tests/unit/spool_limits \
	tests/unit/spool_rings
check_PROGRAMS += $(spool_unit_tests)
TESTS += $(spool_unit_tests)

spool_unit_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
spool_unit_libs = libprodd-spool.la $(MSGPACK_LIBS) $(CHECK_LIBS)
spool_parts = tests/unit/spooling.c tests/unit/spooling.h $(suite)

tests_unit_crc32c_SOURCES = tests/unit/crc32c.c $(suite)
tests_unit_crc32c_CFLAGS = $(spool_unit_cflags)
tests_unit_crc32c_LDADD = $(spool_unit_libs)
tests_unit_spool_SOURCES = tests/unit/spool.c $(spool_parts)
tests_unit_spool_CFLAGS = $(spool_unit_cflags)
tests_unit_spool_LDADD = $(spool_unit_libs)
tests_unit_spool_damage_SOURCES = tests/unit/spool_damage.c $(spool_parts)
tests_unit_spool_damage_CFLAGS = $(spool_unit_cflags)
tests_unit_spool_damage_LDADD = $(spool_unit_libs)
tests_unit_spool_faults_SOURCES = tests/unit/spool_faults.c tests/unit/failing.c tests/unit/failing.h $(spool_parts)
tests_unit_spool_faults_CFLAGS = $(spool_unit_cflags)
tests_unit_spool_faults_LDADD = $(spool_unit_libs)
tests_unit_spool_format_SOURCES = tests/unit/spool_format.c tests/hex.c tests/hex.h $(spool_parts)
tests_unit_spool_format_CFLAGS = $(spool_unit_cflags)
tests_unit_spool_format_LDADD = $(spool_unit_libs)
tests_unit_spool_limits_SOURCES = tests/unit/spool_limits.c $(spool_parts)
tests_unit_spool_limits_CFLAGS = $(spool_unit_cflags)
tests_unit_spool_limits_LDADD = $(spool_unit_libs)
tests_unit_spool_rings_SOURCES = tests/unit/spool_rings.c $(spool_parts)
tests_unit_spool_rings_CFLAGS = $(spool_unit_cflags)
tests_unit_spool_rings_LDADD = $(spool_unit_libs)
EXTRA_DIST += tests/abi/cursor.hex tests/abi/segment.hex
endif

spool_fault_tests = tests/fault/kill_the_writer
tests_fault_kill_the_writer_SOURCES = tests/fault/kill_the_writer.c tests/dice.h
tests_fault_kill_the_writer_LDADD = libprodd-spool.la $(MSGPACK_LIBS)

# Power cuts, on a file system that has them.
if HAVE_FUSE3
spool_fault_tests += tests/fault/power_cut
tests_fault_power_cut_SOURCES = tests/fault/power_cut.c \
	tests/fault/forgetful.c tests/fault/forgetful.h \
	tests/fault/forgetful_disk.c tests/fault/forgetful_disk.h tests/dice.h
tests_fault_power_cut_CFLAGS = $(AM_CFLAGS) $(FUSE3_CFLAGS)
tests_fault_power_cut_LDADD = libprodd-spool.la $(MSGPACK_LIBS) $(FUSE3_LIBS)
endif
check_PROGRAMS += $(spool_fault_tests)
TESTS += $(spool_fault_tests)
endif
