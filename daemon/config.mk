# SPDX-License-Identifier: Apache-2.0
# daemon/config/: apps, generations, transactions, and the methods about them.

noinst_LTLIBRARIES += libprodd-config.la
libprodd_config_la_SOURCES = \
	daemon/config/app.c daemon/config/app.h \
	daemon/config/ballot.c daemon/config/ballot.h \
	daemon/config/candidate.c daemon/config/candidate.h \
	daemon/config/claim.c daemon/config/claim.h \
	daemon/config/config.c daemon/config/config.h \
	daemon/config/declared.c daemon/config/declared.h \
	daemon/config/directive.c daemon/config/directive.h \
	daemon/config/expiry.c daemon/config/expiry.h \
	daemon/config/generation.c daemon/config/generation.h \
	daemon/config/greeting.c daemon/config/greeting.h \
	daemon/config/inspect.c daemon/config/inspect.h \
	daemon/config/instance.c \
	daemon/config/linked.c daemon/config/linked.h \
	daemon/config/making.c daemon/config/making.h \
	daemon/config/outcome.c daemon/config/outcome.h \
	daemon/config/preparation.c daemon/config/preparation.h \
	daemon/config/report.c daemon/config/report.h \
	daemon/config/request.c daemon/config/request.h \
	daemon/config/returns.c daemon/config/returns.h \
	daemon/config/settings.c daemon/config/settings.h \
	daemon/config/status.c \
	daemon/config/store.c daemon/config/store.h \
	daemon/config/survey.c daemon/config/survey.h \
	daemon/config/transaction.c daemon/config/transaction.h \
	daemon/config/verbs.h daemon/config/verbs_app.c daemon/config/verbs_change.c daemon/config/verbs_show.c \
	daemon/config/watch.c daemon/config/watch.h \
	daemon/config/writers.c daemon/config/writers.h
libprodd_config_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
libprodd_config_la_LIBADD = libprodd-core.la libtree.la liblayers.la

sbin_PROGRAMS += prodd
prodd_SOURCES = \
	daemon/check.c \
	daemon/daemon.c daemon/daemon.h \
	daemon/exposing.c daemon/exposing.h \
	daemon/figures.c daemon/figures.h \
	daemon/main.c \
	daemon/start.c daemon/start.h
prodd_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS) -DPRODD_LIBEXECDIR='"$(proddlibexecdir)"'
prodd_LDADD = libprodd-config.la libprodd-log.la libprodd-expose.la libprodd-metric.la
