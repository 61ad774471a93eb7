# SPDX-License-Identifier: Apache-2.0
# Metrics: what may be declared, what is read, how it is laid out; and how programs count.

if HAVE_CHECK
segment_unit_tests = \
	tests/unit/family \
	tests/unit/segment
metric_unit_tests = \
	tests/unit/client_metrics \
	tests/unit/client_metrics_shared \
	tests/unit/client_metrics_threads \
	tests/unit/metrics_fork
check_PROGRAMS += $(segment_unit_tests) $(metric_unit_tests)
TESTS += $(segment_unit_tests) $(metric_unit_tests)

tests_unit_family_SOURCES = tests/unit/family.c tests/unit/families.h $(suite)
tests_unit_family_CFLAGS = $(proto_unit_cflags)
tests_unit_family_LDADD = $(proto_unit_libs)
tests_unit_segment_SOURCES = tests/unit/segment.c tests/unit/families.h $(suite)
tests_unit_segment_CFLAGS = $(proto_unit_cflags)
tests_unit_segment_LDADD = $(proto_unit_libs)

client_counts = tests/unit/client_counts.c tests/unit/client_counts.h $(client_suite)
tests_unit_client_metrics_SOURCES = tests/unit/client_metrics.c $(client_counts)
tests_unit_client_metrics_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_metrics_CFLAGS = $(client_unit_cflags)
tests_unit_client_metrics_LDADD = $(client_unit_libs)
tests_unit_client_metrics_threads_SOURCES = tests/unit/client_metrics_threads.c $(client_counts)
tests_unit_client_metrics_threads_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_metrics_threads_CFLAGS = $(client_unit_cflags)
tests_unit_client_metrics_threads_LDADD = $(client_unit_libs)
tests_unit_metrics_fork_SOURCES = tests/unit/metrics_fork.c tests/unit/client_counts.c tests/unit/client_counts.h \
	$(client_play)
tests_unit_metrics_fork_CPPFLAGS = $(client_unit_cppflags)
tests_unit_metrics_fork_CFLAGS = $(client_unit_cflags)
tests_unit_metrics_fork_LDADD = $(client_unit_libs)
tests_unit_client_metrics_shared_SOURCES = tests/unit/client_metrics_shared.c tests/unit/client_counts.c \
	tests/unit/client_counts.h $(client_play)
tests_unit_client_metrics_shared_CPPFLAGS = $(client_unit_cppflags)
tests_unit_client_metrics_shared_CFLAGS = $(client_unit_cflags)
tests_unit_client_metrics_shared_LDADD = $(client_unit_libs)
endif

check_PROGRAMS += tests/programs/counting
tests_programs_counting_SOURCES = tests/programs/counting.c
tests_programs_counting_CPPFLAGS = $(CLIENT_CPPFLAGS)
tests_programs_counting_LDADD = libclient.la $(MSGPACK_LIBS)
tests_programs_counting_LDFLAGS = $(AM_LDFLAGS) -pthread

if DAEMON
metric_library_tests = tests/integration/forked_workers_count_truly.py
dist_check_SCRIPTS += $(metric_library_tests)
TESTS += $(metric_library_tests)
EXTRA_DIST += tests/integration/truth.py
endif

check_PROGRAMS += tests/abi/segment
tests_abi_segment_SOURCES = tests/abi/segment.c tests/unit/families.h
tests_abi_segment_LDADD = libproto.la $(MSGPACK_LIBS)
dist_check_SCRIPTS += tests/abi/segment_is_as_recorded
TESTS += tests/abi/segment_is_as_recorded
EXTRA_DIST += tests/abi/segment.golden

tests_fuzz_segment_SOURCES = tests/fuzz/segment.c $(fuzz_main)
tests_fuzz_segment_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_segment_LDADD = libproto.la $(MSGPACK_LIBS)
