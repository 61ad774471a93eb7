# SPDX-License-Identifier: Apache-2.0
# proto/: the wire, known to both sides. libc and msgpack-c only.

proddinclude_HEADERS += proto/include/prodd/error.h

noinst_LTLIBRARIES += libproto.la
libproto_la_SOURCES = \
	proto/buffer.c proto/buffer.h \
	proto/check.c proto/check.h \
	proto/codec.c proto/codec.h \
	proto/cursor.c proto/cursor.h \
	proto/error.c \
	proto/frame.c proto/frame.h \
	proto/head.c proto/head.h \
	proto/limits.h \
	proto/schema.h proto/schema_log.h proto/schema_metric.h \
	proto/shm/family.c proto/shm/family.h \
	proto/shm/digits.c proto/shm/digits.h \
	proto/shm/line.c proto/shm/line.h \
	proto/shm/quote.c proto/shm/quote.h \
	proto/shm/record.c proto/shm/record.h \
	proto/shm/ring.c proto/shm/ring.h \
	proto/shm/segment.c proto/shm/segment.h \
	proto/slice.h \
	proto/units.c proto/units.h \
	proto/wire.c proto/wire.h
