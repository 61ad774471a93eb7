# SPDX-License-Identifier: Apache-2.0
# Unit tests of proto/.

if HAVE_CHECK
proto_unit_tests = \
	tests/unit/buffer \
	tests/unit/codec \
	tests/unit/codec_texts \
	tests/unit/cursor \
	tests/unit/envelope \
	tests/unit/error \
	tests/unit/frame \
	tests/unit/precheck \
	tests/unit/units
check_PROGRAMS += $(proto_unit_tests)
TESTS += $(proto_unit_tests)

proto_unit_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
proto_unit_libs = libproto.la $(MSGPACK_LIBS) $(CHECK_LIBS)
records = tests/unit/records.c tests/unit/records.h

tests_unit_buffer_SOURCES = tests/unit/buffer.c tests/unit/suite.h
tests_unit_buffer_CFLAGS = $(proto_unit_cflags)
tests_unit_buffer_LDADD = $(proto_unit_libs)
tests_unit_codec_SOURCES = tests/unit/codec.c $(records) tests/unit/suite.h
tests_unit_codec_CFLAGS = $(proto_unit_cflags)
tests_unit_codec_LDADD = $(proto_unit_libs)
tests_unit_codec_texts_SOURCES = tests/unit/codec_texts.c tests/unit/suite.h
tests_unit_codec_texts_CFLAGS = $(proto_unit_cflags)
tests_unit_codec_texts_LDADD = $(proto_unit_libs)
tests_unit_cursor_SOURCES = tests/unit/cursor.c tests/unit/suite.h
tests_unit_cursor_CFLAGS = $(proto_unit_cflags)
tests_unit_cursor_LDADD = $(proto_unit_libs)
tests_unit_envelope_SOURCES = tests/unit/envelope.c tests/unit/suite.h
tests_unit_envelope_CFLAGS = $(proto_unit_cflags)
tests_unit_envelope_LDADD = $(proto_unit_libs)
tests_unit_error_SOURCES = tests/unit/error.c tests/unit/suite.h
tests_unit_error_CFLAGS = $(proto_unit_cflags)
tests_unit_error_LDADD = $(proto_unit_libs)
tests_unit_frame_SOURCES = tests/unit/frame.c $(records) tests/unit/suite.h
tests_unit_frame_CFLAGS = $(proto_unit_cflags)
tests_unit_frame_LDADD = $(proto_unit_libs)
tests_unit_precheck_SOURCES = tests/unit/precheck.c tests/unit/suite.h
tests_unit_precheck_CFLAGS = $(proto_unit_cflags)
tests_unit_precheck_LDADD = $(proto_unit_libs)
tests_unit_units_SOURCES = tests/unit/units.c tests/unit/suite.h
tests_unit_units_CFLAGS = $(proto_unit_cflags)
tests_unit_units_LDADD = $(proto_unit_libs)
endif
