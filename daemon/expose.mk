# SPDX-License-Identifier: Apache-2.0
# daemon/metric/, the way out: metrics as text, over HTTP, and prodd's own.

noinst_LTLIBRARIES += libprodd-expose.la
libprodd_expose_la_SOURCES = \
	daemon/metric/connection.c \
	daemon/metric/http.c daemon/metric/http.h daemon/metric/http_parts.h \
	daemon/metric/merge.c daemon/metric/merge.h \
	daemon/metric/number.c daemon/metric/number.h \
	daemon/metric/own.c daemon/metric/own.h \
	daemon/metric/process.c daemon/metric/process.h \
	daemon/metric/request.c daemon/metric/request.h \
	daemon/metric/sample.h \
	daemon/metric/scrape.c daemon/metric/scrape.h \
	daemon/metric/settings.c daemon/metric/settings.h \
	daemon/metric/text.c daemon/metric/text.h
libprodd_expose_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS) $(ZLIB_CFLAGS)
libprodd_expose_la_LIBADD = libprodd-core.la $(ZLIB_LIBS)
