# SPDX-License-Identifier: Apache-2.0
# The transaction: what instances, commands and files do to it, driven by scripted peers.

if DAEMON
transaction_tests = \
	tests/integration/answers_are_counted_once.py \
	tests/integration/code_declares_a_schema.py \
	tests/integration/directives_need_no_vote.py \
	tests/integration/environments_and_variables_are_each_instances_own.py \
	tests/integration/instances_may_join_a_transaction.py \
	tests/integration/linked_apps_change_together.py \
	tests/integration/rejected_files_are_not_offered_again.py \
	tests/integration/reload_changes_all_instances_or_none.py \
	tests/integration/reloads_join_or_wait.py \
	tests/integration/silence_is_tried_again.py \
	tests/integration/start_serves_the_last_good_generation.py \
	tests/integration/unconfirmed_changes_roll_back.py
dist_check_SCRIPTS += $(transaction_tests)
TESTS += $(transaction_tests)
EXTRA_DIST += tests/integration/scripted.py

fault_tests = tests/fault/kill_at_every_step.py
dist_check_SCRIPTS += $(fault_tests)
TESTS += $(fault_tests)
EXTRA_DIST += tests/fault/history.py

# The transaction as a model, and the proof of it.
dist_check_SCRIPTS += tests/spin/run
TESTS += tests/spin/run
EXTRA_DIST += tests/spin/transaction.pml

# Long: every step with many seeds.
check-fault: all
	$(AM_V_at)PRODD_KILL_SEEDS=$${PRODD_KILL_SEEDS:-5000} PRODD_CUTS=$${PRODD_CUTS:-5000} \
	PRODD_SHIP_KILLS=$${PRODD_SHIP_KILLS:-2000} \
	PRODD_COUNT_SEEDS=$${PRODD_COUNT_SEEDS:-200} PRODD_RECORD_SEEDS=$${PRODD_RECORD_SEEDS:-200} \
	PRODD_TEST_TIMEOUT=$${PRODD_TEST_TIMEOUT:-3600} \
	$(MAKE) $(AM_MAKEFLAGS) check \
	TESTS='$(fault_tests) $(spool_fault_tests) $(ship_fault_tests) $(registry_fault_tests) $(log_fault_tests)'
endif
