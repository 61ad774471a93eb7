# SPDX-License-Identifier: Apache-2.0
# daemon/core/: loop, disk thread, sockets, sessions, helpers. Knows the wire, not what its methods mean.

noinst_LTLIBRARIES += libprodd-core.la
libprodd_core_la_SOURCES = \
	daemon/core/account.c daemon/core/account.h \
	daemon/core/call.c \
	daemon/core/child.c daemon/core/child.h \
	daemon/core/counters.c daemon/core/counters.h \
	daemon/core/descriptor.c \
	daemon/core/disk.c daemon/core/disk.h \
	daemon/core/events.c daemon/core/events.h \
	daemon/core/hello.c \
	daemon/core/helper.c daemon/core/helper.h \
	daemon/core/identity.c daemon/core/identity.h \
	daemon/core/loop.c daemon/core/loop.h \
	daemon/core/mapping.c daemon/core/mapping.h \
	daemon/core/outcall.c \
	daemon/core/output.c daemon/core/output.h \
	daemon/core/places.c daemon/core/places.h \
	daemon/core/problems.c daemon/core/problems.h \
	daemon/core/rollout.c daemon/core/rollout.h \
	daemon/core/server.c daemon/core/server.h \
	daemon/core/session.c daemon/core/session.h daemon/core/session_parts.h \
	daemon/core/session_in.c daemon/core/session_out.c \
	daemon/core/shared.c daemon/core/shared.h \
	daemon/core/socket.c daemon/core/socket.h \
	daemon/core/status_part.h \
	daemon/core/turns.c daemon/core/turns.h \
	daemon/core/user.c daemon/core/user.h \
	daemon/core/worker.c daemon/core/worker.h
libprodd_core_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_core_la_LIBADD = libprodd-util.la $(LIBEVENT_LIBS) -lpthread
