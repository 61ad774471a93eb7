# SPDX-License-Identifier: Apache-2.0
# What apps count: registry, ledger, segments, pushes.

if DAEMON
metric_tests = \
	tests/integration/counters_outlive_who_counts.py
dist_check_SCRIPTS += $(metric_tests)
TESTS += $(metric_tests)
EXTRA_DIST += tests/integration/segments.py
endif
