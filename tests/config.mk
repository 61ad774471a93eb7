# SPDX-License-Identifier: Apache-2.0
# Unit tests of daemon/config/.

if DAEMON
if HAVE_CHECK
config_unit_tests = \
	tests/unit/claim \
	tests/unit/expiry \
	tests/unit/settings \
	tests/unit/store \
	tests/unit/survey
check_PROGRAMS += $(config_unit_tests)
TESTS += $(config_unit_tests)

tests_unit_claim_SOURCES = tests/unit/claim.c $(suite)
tests_unit_claim_CFLAGS = $(core_unit_cflags)
tests_unit_claim_LDADD = libprodd-config.la $(MSGPACK_LIBS) $(CHECK_LIBS)
tests_unit_expiry_SOURCES = tests/unit/expiry.c $(suite)
tests_unit_expiry_CFLAGS = $(core_unit_cflags)
tests_unit_expiry_LDADD = libprodd-config.la $(MSGPACK_LIBS) $(CHECK_LIBS)
tests_unit_settings_SOURCES = tests/unit/settings.c $(suite)
tests_unit_settings_CFLAGS = $(core_unit_cflags)
tests_unit_settings_LDADD = libprodd-config.la $(MSGPACK_LIBS) $(CHECK_LIBS)
tests_unit_store_SOURCES = tests/unit/store.c tests/unit/remove.h $(suite)
tests_unit_store_CFLAGS = $(core_unit_cflags)
tests_unit_store_LDADD = libprodd-config.la $(MSGPACK_LIBS) $(CHECK_LIBS)
tests_unit_survey_SOURCES = tests/unit/survey.c tests/unit/remove.h $(suite)
tests_unit_survey_CFLAGS = $(core_unit_cflags)
tests_unit_survey_LDADD = libprodd-config.la $(MSGPACK_LIBS) $(CHECK_LIBS)
endif
endif
