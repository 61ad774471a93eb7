# SPDX-License-Identifier: Apache-2.0
# Unit tests of proto/, and the wire as recorded.

if HAVE_CHECK
proto_unit_tests = \
	tests/unit/buffer \
	tests/unit/codec \
	tests/unit/codec_texts \
	tests/unit/conversations \
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
suite = tests/unit/suite.h tests/dice.h
records = tests/unit/records.c tests/unit/records.h

tests_unit_buffer_SOURCES = tests/unit/buffer.c $(suite)
tests_unit_buffer_CFLAGS = $(proto_unit_cflags)
tests_unit_buffer_LDADD = $(proto_unit_libs)
tests_unit_codec_SOURCES = tests/unit/codec.c $(records) $(suite)
tests_unit_codec_CFLAGS = $(proto_unit_cflags)
tests_unit_codec_LDADD = $(proto_unit_libs)
tests_unit_codec_texts_SOURCES = tests/unit/codec_texts.c $(suite)
tests_unit_codec_texts_CFLAGS = $(proto_unit_cflags)
tests_unit_codec_texts_LDADD = $(proto_unit_libs)
tests_unit_conversations_SOURCES = tests/unit/conversations.c tests/hex.c tests/hex.h $(suite)
tests_unit_conversations_CFLAGS = $(proto_unit_cflags)
tests_unit_conversations_LDADD = $(proto_unit_libs)
tests_unit_cursor_SOURCES = tests/unit/cursor.c $(suite)
tests_unit_cursor_CFLAGS = $(proto_unit_cflags)
tests_unit_cursor_LDADD = $(proto_unit_libs)
tests_unit_envelope_SOURCES = tests/unit/envelope.c $(suite)
tests_unit_envelope_CFLAGS = $(proto_unit_cflags)
tests_unit_envelope_LDADD = $(proto_unit_libs)
tests_unit_error_SOURCES = tests/unit/error.c $(suite)
tests_unit_error_CFLAGS = $(proto_unit_cflags)
tests_unit_error_LDADD = $(proto_unit_libs)
tests_unit_frame_SOURCES = tests/unit/frame.c $(records) $(suite)
tests_unit_frame_CFLAGS = $(proto_unit_cflags)
tests_unit_frame_LDADD = $(proto_unit_libs)
tests_unit_precheck_SOURCES = tests/unit/precheck.c $(suite)
tests_unit_precheck_CFLAGS = $(proto_unit_cflags)
tests_unit_precheck_LDADD = $(proto_unit_libs)
tests_unit_units_SOURCES = tests/unit/units.c $(suite)
tests_unit_units_CFLAGS = $(proto_unit_cflags)
tests_unit_units_LDADD = $(proto_unit_libs)
endif

check_PROGRAMS += tests/abi/print
tests_abi_print_SOURCES = tests/abi/print.c
tests_abi_print_LDADD = libproto.la $(MSGPACK_LIBS)
dist_check_SCRIPTS += tests/abi/wire_is_as_recorded
TESTS += tests/abi/wire_is_as_recorded
EXTRA_DIST += tests/abi/wire.golden tests/abi/conversations

# After a change of proto/schema.h, proto/limits.h or the list of errors.
update-golden: tests/abi/print
	$(AM_V_GEN)tests/abi/print > $(srcdir)/tests/abi/wire.golden
.PHONY: update-golden

# For tools/check-foreign, which runs just these under an emulator.
print-unit-tests:
	@for t in $(TESTS); do case $$t in tests/unit/*) echo $$t ;; esac; done
.PHONY: print-unit-tests
