# SPDX-License-Identifier: Apache-2.0
# daemon/log/: rings to spools, spools to sinks.

noinst_LTLIBRARIES += libprodd-log.la
libprodd_log_la_SOURCES = \
	daemon/log/allowance.c \
	daemon/log/attach.c daemon/log/attach.h \
	daemon/log/batch.c daemon/log/batch.h \
	daemon/log/death.c daemon/log/death.h \
	daemon/log/drops.c daemon/log/drops.h \
	daemon/log/feed.c daemon/log/feed.h daemon/log/feed_life.c \
	daemon/log/figures.c daemon/log/figures.h \
	daemon/log/logs.c daemon/log/logs.h \
	daemon/log/problems.c daemon/log/problems.h \
	daemon/log/push.c daemon/log/push.h \
	daemon/log/settings.c daemon/log/settings.h \
	daemon/log/share.c daemon/log/share.h \
	daemon/log/show.c daemon/log/show.h \
	daemon/log/sink.c daemon/log/sinks.c daemon/log/sinks.h \
	daemon/log/stream.c daemon/log/stream.h \
	daemon/log/tell.c \
	daemon/log/water.c
libprodd_log_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_log_la_LIBADD = libprodd-tail.la libprodd-spool.la libprodd-core.la
