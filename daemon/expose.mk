# SPDX-License-Identifier: Apache-2.0
# daemon/metric/, the way out: metrics as text, over HTTP, and prodd's own.

noinst_LTLIBRARIES += libprodd-expose.la
libprodd_expose_la_SOURCES = \
	daemon/metric/number.c daemon/metric/number.h \
	daemon/metric/sample.h \
	daemon/metric/text.c daemon/metric/text.h
libprodd_expose_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_expose_la_LIBADD = libprodd-core.la
