# SPDX-License-Identifier: Apache-2.0
# The rules of CONTRIBUTING.md that a machine can check, and what the documents promise.

if DAEMON
house_tests = \
	tests/house/configure_names_what_is_missing \
	tests/house/every_problem_has_its_heading \
	tests/house/layers_include_only_what_they_may \
	tests/house/programs_say_what_they_are \
	tests/integration/documents_are_true.py \
	tests/integration/quickstart_comes_out.py
dist_check_SCRIPTS += $(house_tests)
TESTS += $(house_tests)
endif
