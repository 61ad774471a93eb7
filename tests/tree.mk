# SPDX-License-Identifier: Apache-2.0
# Tests of daemon/tree/, daemon/layers/ and daemon/parse/.

if DAEMON
if HAVE_CHECK
tree_unit_tests = \
	tests/unit/layers \
	tests/unit/merge \
	tests/unit/names \
	tests/unit/overlay \
	tests/unit/parse \
	tests/unit/parse_limits \
	tests/unit/parse_memory \
	tests/unit/scan \
	tests/unit/schema \
	tests/unit/tree \
	tests/unit/value
check_PROGRAMS += $(tree_unit_tests)
TESTS += $(tree_unit_tests)

tree_unit_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
tree_unit_libs = libtree.la libproto.la $(MSGPACK_LIBS) $(CHECK_LIBS)
parsing_headers = tests/unit/literals.h tests/unit/trees.h tests/unit/parsing.h tests/unit/suite.h
parse_unit_libs = libparse.la $(tree_unit_libs)

tests_unit_layers_SOURCES = tests/unit/layers.c tests/unit/suite.h
tests_unit_layers_CFLAGS = $(tree_unit_cflags)
tests_unit_layers_LDADD = liblayers.la $(tree_unit_libs)
tests_unit_merge_SOURCES = tests/unit/merge.c tests/unit/literals.h tests/unit/trees.h tests/unit/suite.h
tests_unit_merge_CFLAGS = $(tree_unit_cflags)
tests_unit_merge_LDADD = $(tree_unit_libs)
tests_unit_names_SOURCES = tests/unit/names.c tests/unit/suite.h
tests_unit_names_CFLAGS = $(tree_unit_cflags)
tests_unit_names_LDADD = $(tree_unit_libs)
tests_unit_overlay_SOURCES = tests/unit/overlay.c tests/unit/literals.h tests/unit/trees.h tests/unit/suite.h
tests_unit_overlay_CFLAGS = $(tree_unit_cflags)
tests_unit_overlay_LDADD = $(tree_unit_libs)
tests_unit_parse_SOURCES = tests/unit/parse.c $(parsing_headers)
tests_unit_parse_CFLAGS = $(tree_unit_cflags)
tests_unit_parse_LDADD = $(parse_unit_libs)
tests_unit_parse_limits_SOURCES = tests/unit/parse_limits.c $(parsing_headers)
tests_unit_parse_limits_CFLAGS = $(tree_unit_cflags)
tests_unit_parse_limits_LDADD = $(parse_unit_libs)
tests_unit_parse_memory_SOURCES = tests/unit/parse_memory.c $(parsing_headers)
tests_unit_parse_memory_CFLAGS = $(tree_unit_cflags)
tests_unit_parse_memory_LDADD = $(parse_unit_libs)
tests_unit_scan_SOURCES = tests/unit/scan.c tests/unit/literals.h tests/unit/trees.h tests/unit/suite.h
tests_unit_scan_CFLAGS = $(tree_unit_cflags)
tests_unit_scan_LDADD = $(parse_unit_libs)
tests_unit_schema_SOURCES = tests/unit/schema.c tests/unit/literals.h tests/unit/suite.h
tests_unit_schema_CFLAGS = $(tree_unit_cflags)
tests_unit_schema_LDADD = $(tree_unit_libs)
tests_unit_tree_SOURCES = tests/unit/tree.c tests/unit/literals.h tests/unit/trees.h tests/unit/suite.h
tests_unit_tree_CFLAGS = $(tree_unit_cflags)
tests_unit_tree_LDADD = $(tree_unit_libs)
tests_unit_value_SOURCES = tests/unit/value.c tests/unit/literals.h tests/unit/suite.h
tests_unit_value_CFLAGS = $(tree_unit_cflags)
tests_unit_value_LDADD = $(tree_unit_libs)
endif

tree_integration_tests = \
	tests/integration/config_check_without_daemon.py \
	tests/integration/parse_helper_answers_one_call.py
dist_check_SCRIPTS += $(tree_integration_tests)
TESTS += $(tree_integration_tests)
endif
