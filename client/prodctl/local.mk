# SPDX-License-Identifier: Apache-2.0
# The command. Links proto/ and nothing else.

bin_PROGRAMS += prodctl
prodctl_SOURCES = \
	client/prodctl/amount.c client/prodctl/amount.h \
	client/prodctl/arguments.c client/prodctl/arguments.h \
	client/prodctl/check_files.c client/prodctl/check_files.h \
	client/prodctl/complete.c client/prodctl/complete.h \
	client/prodctl/config_change.c \
	client/prodctl/config_list.c \
	client/prodctl/config_show.c \
	client/prodctl/connection.c client/prodctl/connection.h \
	client/prodctl/events.c \
	client/prodctl/guess.c client/prodctl/guess.h \
	client/prodctl/help.c client/prodctl/help.h \
	client/prodctl/interrupt.c client/prodctl/interrupt.h \
	client/prodctl/json.c client/prodctl/json.h \
	client/prodctl/log_level.c \
	client/prodctl/log_tail.c \
	client/prodctl/main.c \
	client/prodctl/metric_reading.c client/prodctl/metric_reading.h \
	client/prodctl/metrics.c \
	client/prodctl/moment.c client/prodctl/moment.h \
	client/prodctl/place.c client/prodctl/place.h \
	client/prodctl/prodctl.c client/prodctl/prodctl.h \
	client/prodctl/record_line.c client/prodctl/record_line.h \
	client/prodctl/reload.c \
	client/prodctl/report.c client/prodctl/report.h \
	client/prodctl/report_instance.c client/prodctl/report_instance.h \
	client/prodctl/sink_table.c client/prodctl/sink_table.h \
	client/prodctl/spool.c \
	client/prodctl/status.c \
	client/prodctl/status_app.c client/prodctl/status_app.h \
	client/prodctl/table.c client/prodctl/table.h \
	client/prodctl/text.c client/prodctl/text.h \
	client/prodctl/value.c client/prodctl/value.h \
	client/prodctl/verbs.c client/prodctl/verbs.h
prodctl_CPPFLAGS = $(AM_CPPFLAGS) -DPRODD_LIBEXECDIR='"$(proddlibexecdir)"'
prodctl_LDADD = libproto.la $(MSGPACK_LIBS) -lm
