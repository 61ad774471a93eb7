# SPDX-License-Identifier: Apache-2.0
# Fuzz targets. To add one: a line in fuzz_targets, its variables below, files in tests/fuzz/corpus/TARGET/.
#
#   make check                              replays the corpora (any compiler)
#   configure CC=clang --enable-fuzzers     links libFuzzer instead:
#       tests/fuzz/hex2bin SRC/tests/fuzz/corpus/wire c && tests/fuzz/wire c -max_total_time=60
#       tests/fuzz/hex2bin --back c SRC/tests/fuzz/corpus/wire

fuzz_targets = \
	tests/fuzz/segment \
	tests/fuzz/line \
	tests/fuzz/record \
	tests/fuzz/ring \
	tests/fuzz/wire
if DAEMON
fuzz_targets += \
	tests/fuzz/config \
	tests/fuzz/push \
	tests/fuzz/request \
	tests/fuzz/text \
	tests/fuzz/schema \
	tests/fuzz/session \
	tests/fuzz/spool
endif

noinst_HEADERS += tests/fuzz/fuzz.h
dist_noinst_SCRIPTS += tests/fuzz/hex2bin
EXTRA_DIST += tests/fuzz/corpus
if FUZZERS
noinst_PROGRAMS += $(fuzz_targets)
fuzz_main =
else
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
fuzz_main = tests/fuzz/replay.c tests/hex.c tests/hex.h tests/dice.h
endif

tests_fuzz_line_SOURCES = tests/fuzz/line.c $(fuzz_main)
tests_fuzz_line_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_line_LDADD = libproto.la $(MSGPACK_LIBS)
tests_fuzz_record_SOURCES = tests/fuzz/record.c $(fuzz_main)
tests_fuzz_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_record_LDADD = libproto.la $(MSGPACK_LIBS)
tests_fuzz_ring_SOURCES = tests/fuzz/ring.c $(fuzz_main)
tests_fuzz_ring_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_ring_LDADD = libproto.la $(MSGPACK_LIBS)
tests_fuzz_wire_SOURCES = tests/fuzz/wire.c $(fuzz_main)
tests_fuzz_wire_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_wire_LDADD = libproto.la $(MSGPACK_LIBS)
tests_fuzz_config_SOURCES = tests/fuzz/config.c $(fuzz_main)
tests_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_config_LDADD = libparse.la libtree.la libproto.la $(MSGPACK_LIBS)
tests_fuzz_schema_SOURCES = tests/fuzz/schema.c $(fuzz_main)
tests_fuzz_schema_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_schema_LDADD = libparse.la libtree.la libproto.la $(MSGPACK_LIBS)
tests_fuzz_session_SOURCES = tests/fuzz/session.c $(fuzz_main)
tests_fuzz_session_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
tests_fuzz_session_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_session_LDADD = libprodd-core.la $(MSGPACK_LIBS)
tests_fuzz_push_SOURCES = tests/fuzz/push.c $(fuzz_main)
tests_fuzz_push_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
tests_fuzz_push_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_push_LDADD = libprodd-metric.la $(MSGPACK_LIBS) -lm
tests_fuzz_request_SOURCES = tests/fuzz/request.c $(fuzz_main)
tests_fuzz_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_request_LDADD = libprodd-expose.la $(MSGPACK_LIBS)
tests_fuzz_text_SOURCES = tests/fuzz/text.c tests/unit/fake_source.c tests/unit/fake_source.h $(fuzz_main)
tests_fuzz_text_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_fuzz_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_text_LDADD = libprodd-expose.la $(MSGPACK_LIBS)
tests_fuzz_spool_SOURCES = tests/fuzz/spool.c $(fuzz_main)
tests_fuzz_spool_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_spool_LDADD = libprodd-spool.la $(MSGPACK_LIBS)
