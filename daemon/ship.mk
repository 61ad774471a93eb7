# SPDX-License-Identifier: Apache-2.0
# daemon/ship/: prodd-ship. The only place that knows libzstd.

noinst_LTLIBRARIES += libship.la
libship_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE $(ZLIB_CFLAGS) $(ZSTD_CFLAGS)
libship_la_LIBADD = libprodd-spool.la $(ZLIB_LIBS) $(ZSTD_LIBS) -lpthread
libship_la_SOURCES = \
	daemon/ship/channel.c daemon/ship/channel.h \
	daemon/ship/compressor.c daemon/ship/compressor.h \
	daemon/ship/confine.c daemon/ship/confine.h \
	daemon/ship/feed.c daemon/ship/feed.h \
	daemon/ship/feeds.c daemon/ship/feeds.h \
	daemon/ship/file_sink.c \
	daemon/ship/gzip.c \
	daemon/ship/last.c daemon/ship/last.h \
	daemon/ship/log_file.c daemon/ship/log_file.h \
	daemon/ship/progress.c daemon/ship/progress.h \
	daemon/ship/rotated.c daemon/ship/rotated.h \
	daemon/ship/settings.c daemon/ship/settings.h \
	daemon/ship/shipper.c daemon/ship/shipper.h \
	daemon/ship/sink.h \
	daemon/ship/sinks.c \
	daemon/ship/stdout_sink.c \
	daemon/ship/tail.c daemon/ship/tail.h \
	daemon/ship/tidy.c daemon/ship/tidy.h
if HAVE_ZSTD
libship_la_SOURCES += daemon/ship/zstd.c
endif

proddlibexec_PROGRAMS += prodd-ship
prodd_ship_SOURCES = daemon/ship/main.c
prodd_ship_LDADD = libship.la $(MSGPACK_LIBS)
