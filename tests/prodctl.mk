# SPDX-License-Identifier: Apache-2.0
# The command, driven through a scripted daemon. Each test runs ./prodctl of the build directory, or $PRODCTL.

if DAEMON
prodctl_tests = \
	tests/integration/prodctl_checks_files_without_a_daemon.py \
	tests/integration/prodctl_chooses_its_socket.py \
	tests/integration/prodctl_completes_in_bash.py \
	tests/integration/prodctl_exit_status_is_that_of_the_worst_row.py \
	tests/integration/prodctl_follows_events.py \
	tests/integration/prodctl_json_is_whole.py \
	tests/integration/prodctl_names_the_wrong_word.py \
	tests/integration/prodctl_page_matches_its_table.py \
	tests/integration/prodctl_prints_the_screens_of_the_manual.py \
	tests/integration/prodctl_shows_log_records.py \
	tests/integration/prodctl_shows_metrics.py \
	tests/integration/prodctl_survives_a_hostile_daemon.py \
	tests/integration/prodctl_works_with_prodd.py
dist_check_SCRIPTS += $(prodctl_tests)
TESTS += $(prodctl_tests)
EXTRA_DIST += tests/integration/fake_prodd.py
endif
