# SPDX-License-Identifier: Apache-2.0
# Metrics as text and over HTTP.

if DAEMON
if HAVE_CHECK
expose_unit_tests = \
	tests/unit/number \
	tests/unit/text
check_PROGRAMS += $(expose_unit_tests)
TESTS += $(expose_unit_tests)

expose_unit_libs = libprodd-expose.la $(MSGPACK_LIBS) $(CHECK_LIBS)
fake_source = tests/unit/fake_source.c tests/unit/fake_source.h
tests_unit_number_SOURCES = tests/unit/number.c $(suite)
tests_unit_number_CFLAGS = $(core_unit_cflags)
tests_unit_number_LDADD = $(expose_unit_libs) -lm
tests_unit_text_SOURCES = tests/unit/text.c $(fake_source) $(suite)
tests_unit_text_CFLAGS = $(core_unit_cflags)
tests_unit_text_LDADD = $(expose_unit_libs)
endif
EXTRA_DIST += tests/unit/exposition/openmetrics.txt tests/unit/exposition/prometheus.txt
endif
