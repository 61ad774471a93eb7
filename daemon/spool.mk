# SPDX-License-Identifier: Apache-2.0
# daemon/spool/: log records on disk, written by prodd, read by prodd-ship. Knows bytes and numbers, no socket.

noinst_LTLIBRARIES += libprodd-spool.la
libprodd_spool_la_SOURCES = \
	daemon/spool/apps.c daemon/spool/apps.h \
	daemon/spool/cursor.c daemon/spool/cursor.h \
	daemon/spool/format.c daemon/spool/format.h \
	daemon/spool/opening.c \
	daemon/spool/reader.c daemon/spool/reader.h \
	daemon/spool/room.c \
	daemon/spool/scan.c daemon/spool/scan.h \
	daemon/spool/segment.c \
	daemon/spool/segments.c daemon/spool/segments.h \
	daemon/spool/sync.c \
	daemon/spool/water.c daemon/spool/water.h \
	daemon/spool/writer.c daemon/spool/writer.h daemon/spool/writer_parts.h
libprodd_spool_la_LIBADD = libprodd-util.la
