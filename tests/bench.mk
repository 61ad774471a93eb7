# SPDX-License-Identifier: Apache-2.0
# make bench: figures beside bare operations, as a table, and as JSON in bench.json.

EXTRA_PROGRAMS += tests/bench/bench
tests_bench_bench_SOURCES = \
	tests/bench/bare.c tests/bench/bare.h \
	tests/bench/bench.c tests/bench/bench.h \
	tests/bench/flow.c \
	tests/bench/log.c \
	tests/bench/memory.c \
	tests/bench/peer.c tests/bench/peer.h \
	tests/bench/count.c \
	tests/bench/process.c \
	tests/bench/read.c \
	tests/bench/reload.c \
	tests/bench/requests.c \
	tests/bench/rollout.c \
	tests/bench/scrape.c \
	tests/unit/fake_source.c tests/unit/fake_source.h
tests_bench_bench_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -I$(top_srcdir)/client/include
tests_bench_bench_LDADD = libprodd-expose.la libprodd-client.la libproto.la -lm -lpthread
CLEANFILES += bench.json

bench: tests/bench/bench$(EXEEXT) prodd$(EXEEXT) prodd-parse$(EXEEXT) prodd-ship$(EXEEXT)
	PRODD_BIN=./prodd PRODD_LIBEXEC=. tests/bench/bench$(EXEEXT) bench.json $(GROUPS)
