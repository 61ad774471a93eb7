# SPDX-License-Identifier: Apache-2.0
# daemon/log/: rings to spools, spools to sinks.

noinst_LTLIBRARIES += libprodd-log.la
libprodd_log_la_SOURCES = \
	daemon/log/settings.c daemon/log/settings.h
libprodd_log_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_log_la_LIBADD = libprodd-core.la
