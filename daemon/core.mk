# SPDX-License-Identifier: Apache-2.0
# daemon/core/: loop, disk thread, sockets, sessions, helpers. Knows the wire, not what its methods mean.

noinst_LTLIBRARIES += libprodd-core.la
libprodd_core_la_SOURCES = \
	daemon/core/counters.c daemon/core/counters.h \
	daemon/core/disk.c daemon/core/disk.h \
	daemon/core/loop.c daemon/core/loop.h \
	daemon/core/turns.c daemon/core/turns.h
libprodd_core_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_core_la_LIBADD = libprodd-util.la $(LIBEVENT_LIBS) -lpthread
