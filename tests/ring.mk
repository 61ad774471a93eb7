# SPDX-License-Identifier: Apache-2.0
# Tests of ring and record, as library and daemon share them (proto/shm).

if HAVE_CHECK
ring_unit_tests = \
	tests/unit/record \
	tests/unit/ring \
	tests/unit/ring_threads
check_PROGRAMS += $(ring_unit_tests)
TESTS += $(ring_unit_tests)

tests_unit_record_SOURCES = tests/unit/record.c $(suite)
tests_unit_record_CFLAGS = $(proto_unit_cflags)
tests_unit_record_LDADD = $(proto_unit_libs)
tests_unit_ring_SOURCES = tests/unit/ring.c $(suite)
tests_unit_ring_CFLAGS = $(proto_unit_cflags)
tests_unit_ring_LDADD = $(proto_unit_libs)
tests_unit_ring_threads_SOURCES = tests/unit/ring_threads.c $(suite)
tests_unit_ring_threads_CFLAGS = $(proto_unit_cflags)
tests_unit_ring_threads_LDFLAGS = $(AM_LDFLAGS) -pthread
tests_unit_ring_threads_LDADD = $(proto_unit_libs)
endif

check_PROGRAMS += tests/abi/print_ring
tests_abi_print_ring_SOURCES = tests/abi/print_ring.c
tests_abi_print_ring_LDADD = libproto.la $(MSGPACK_LIBS)
dist_check_SCRIPTS += tests/abi/ring_is_as_recorded
TESTS += tests/abi/ring_is_as_recorded
EXTRA_DIST += tests/abi/ring.golden

update-golden: update-ring-golden
update-ring-golden: tests/abi/print_ring
	$(AM_V_GEN)tests/abi/print_ring > $(srcdir)/tests/abi/ring.golden
