# SPDX-License-Identifier: Apache-2.0
# daemon/metric/: what apps count, and how it is told.

noinst_LTLIBRARIES += libprodd-metric.la
libprodd_metric_la_SOURCES = \
	daemon/metric/attachment_look.c \
	daemon/metric/attachment.c daemon/metric/attachment.h \
	daemon/metric/binding.c daemon/metric/binding.h \
	daemon/metric/book.c daemon/metric/book.h \
	daemon/metric/family.c daemon/metric/family.h \
	daemon/metric/labels.c daemon/metric/labels.h \
	daemon/metric/ledger.c daemon/metric/ledger.h \
	daemon/metric/metric.c daemon/metric/metric.h \
	daemon/metric/names.c daemon/metric/names.h \
	daemon/metric/push.c \
	daemon/metric/query.c \
	daemon/metric/records.c \
	daemon/metric/registry.c daemon/metric/registry.h \
	daemon/metric/restore.c \
	daemon/metric/sample.h \
	daemon/metric/series.c daemon/metric/series.h \
	daemon/metric/source.c \
	daemon/metric/status.c
libprodd_metric_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_metric_la_LIBADD = libprodd-core.la
