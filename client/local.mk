# SPDX-License-Identifier: Apache-2.0
# client/: the library. proto/ and libc only.

proddinclude_HEADERS += \
	client/include/prodd/client.h \
	client/include/prodd/config.h \
	client/include/prodd/handle.h \
	client/include/prodd/log.h \
	client/include/prodd/metric.h

pkgconfig_DATA += client/prodd-client.pc

CLIENT_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/client/include

# All of it; unit tests link this, since the library itself shows only what is in its map.
noinst_LTLIBRARIES += libclient.la
libclient_la_SOURCES = \
	client/adoption.c client/adoption.h \
	client/arena.c client/arena.h \
	client/cache.c client/cache.h \
	client/changes.c client/changes.h \
	client/checksum.h \
	client/clock.h \
	client/conversation.c client/conversation.h \
	client/current.c client/current.h \
	client/declared.c client/declared.h \
	client/dispatch.c \
	client/encode.c client/encode.h \
	client/engine.c client/engine.h \
	client/getters.c \
	client/handle.c client/handle.h \
	client/keys.c \
	client/level.c client/level.h \
	client/link.c client/link.h \
	client/log.c client/log.h \
	client/log_close.c \
	client/log_push.c client/log_push.h \
	client/log_sync.c client/log_sync.h \
	client/log_turns.c \
	client/mark.c client/mark.h \
	client/messages.c client/messages.h \
	client/metric.c client/metric.h \
	client/metric_batch.c client/metric_batch.h \
	client/metric_counter.c \
	client/metric_declare.c client/metric_declare.h \
	client/metric_family.c client/metric_family.h \
	client/metric_gauge.c \
	client/metric_histogram.c \
	client/metric_push.c client/metric_push.h \
	client/metric_segment.c client/metric_segment.h \
	client/metric_series.c client/metric_series.h \
	client/metric_share.c client/metric_share.h \
	client/metric_value.h \
	client/names.c client/names.h \
	client/poller.c client/poller.h \
	client/print.c client/print.h \
	client/reading.c client/reading.h \
	client/region.c client/region.h \
	client/rest.c client/rest.h \
	client/rest_file.h \
	client/rest_save.c \
	client/ring_out.c client/ring_out.h \
	client/secret_names.c client/secret_names.h \
	client/settings.c client/settings.h \
	client/snapshot.c client/snapshot.h \
	client/status.c client/status.h \
	client/surroundings.c client/surroundings.h \
	client/value.c client/value.h
libclient_la_CPPFLAGS = $(CLIENT_CPPFLAGS)
libclient_la_LIBADD = libproto.la

lib_LTLIBRARIES += libprodd-client.la
libprodd_client_la_SOURCES =
libprodd_client_la_LIBADD = libclient.la
libprodd_client_la_LDFLAGS = $(AM_LDFLAGS) -pthread -version-info 0:0:0 \
	-Wl,--version-script=$(top_srcdir)/client/libprodd-client.map
libprodd_client_la_DEPENDENCIES = libclient.la client/libprodd-client.map
EXTRA_DIST += client/libprodd-client.map
