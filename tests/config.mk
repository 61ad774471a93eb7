# SPDX-License-Identifier: Apache-2.0
# Unit tests of daemon/config/.

if DAEMON
if HAVE_CHECK
config_unit_tests = \
	tests/unit/claim
check_PROGRAMS += $(config_unit_tests)
TESTS += $(config_unit_tests)

tests_unit_claim_SOURCES = tests/unit/claim.c $(suite)
tests_unit_claim_CFLAGS = $(core_unit_cflags)
tests_unit_claim_LDADD = libprodd-config.la $(MSGPACK_LIBS) $(CHECK_LIBS)
endif
endif
