# SPDX-License-Identifier: Apache-2.0
# daemon/log/, what operators do with records: levels at run time, looking back, following.

noinst_LTLIBRARIES += libprodd-tail.la
libprodd_tail_la_SOURCES = \
	daemon/log/filter.c daemon/log/filter.h \
	daemon/log/latest.c daemon/log/latest.h \
	daemon/log/levels.c daemon/log/levels.h \
	daemon/log/recent.c daemon/log/recent.h \
	daemon/log/tail.c daemon/log/tail.h
libprodd_tail_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_tail_la_LIBADD = libprodd-core.la libprodd-spool.la
