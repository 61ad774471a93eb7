# SPDX-License-Identifier: Apache-2.0
# daemon/util/: clock, log, files, hashes. Uses proto/ and libc; shared by prodd and its helpers.

noinst_LTLIBRARIES += libprodd-util.la
libprodd_util_la_SOURCES = \
	daemon/util/clock.c daemon/util/clock.h \
	daemon/util/container.h \
	daemon/util/crc32c.c daemon/util/crc32c.h \
	daemon/util/file.c daemon/util/file.h \
	daemon/util/hash.c daemon/util/hash.h \
	daemon/util/log.c daemon/util/log.h \
	daemon/util/stamp.c daemon/util/stamp.h \
	daemon/util/version.c daemon/util/version.h
libprodd_util_la_CPPFLAGS = $(AM_CPPFLAGS) $(XXHASH_CFLAGS)
libprodd_util_la_LIBADD = libproto.la $(XXHASH_LIBS)
