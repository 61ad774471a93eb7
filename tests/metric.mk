# SPDX-License-Identifier: Apache-2.0
# What apps count: registry, ledger, segments, pushes.

if DAEMON
if HAVE_CHECK
registry_unit_tests = \
	tests/unit/ledger_steps \
	tests/unit/metric_ledger \
	tests/unit/metric_registry
check_PROGRAMS += $(registry_unit_tests)
TESTS += $(registry_unit_tests)

registry_unit_libs = libprodd-metric.la $(MSGPACK_LIBS) $(CHECK_LIBS) -lm
metric_rig = tests/unit/metric_rig.c tests/unit/metric_rig.h
tests_unit_ledger_steps_SOURCES = tests/unit/ledger_steps.c $(metric_rig) $(suite)
tests_unit_ledger_steps_CFLAGS = $(core_unit_cflags)
tests_unit_ledger_steps_LDADD = $(registry_unit_libs)
tests_unit_metric_ledger_SOURCES = tests/unit/metric_ledger.c $(metric_rig) $(suite)
tests_unit_metric_ledger_CFLAGS = $(core_unit_cflags)
tests_unit_metric_ledger_LDADD = $(registry_unit_libs)
tests_unit_metric_registry_SOURCES = tests/unit/metric_registry.c $(metric_rig) $(suite)
tests_unit_metric_registry_CFLAGS = $(core_unit_cflags)
tests_unit_metric_registry_LDADD = $(registry_unit_libs)
endif

registry_tests = \
	tests/integration/counters_outlive_who_counts.py \
	tests/integration/hostile_segments_hurt_nobody_else.py \
	tests/integration/pushed_metrics_count.py
dist_check_SCRIPTS += $(registry_tests)
TESTS += $(registry_tests)
EXTRA_DIST += tests/integration/segments.py

registry_fault_tests = tests/fault/counters_add_up.py
dist_check_SCRIPTS += $(registry_fault_tests)
TESTS += $(registry_fault_tests)
endif
