# SPDX-License-Identifier: Apache-2.0
# prodd-metrics(7): prose from doc/man/prodd-metrics.7.scd.in, the list of metrics from their table.

noinst_PROGRAMS += doc/metrics-page
doc_metrics_page_SOURCES = doc/metrics-page.c
doc_metrics_page_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
doc_metrics_page_LDADD = libprodd-expose.la $(MSGPACK_LIBS)

EXTRA_DIST += doc/man/prodd-metrics.7.scd.in
if HAVE_SCDOC
dist_man_MANS += doc/man/prodd-metrics.7
endif
MAINTAINERCLEANFILES += doc/man/prodd-metrics.7

# In order only behind the program that knows the metrics: a tarball has the page, and it is not made again there.
doc/man/prodd-metrics.7: doc/man/prodd-metrics.7.scd.in doc/metrics-page.c daemon/metric/own.h daemon/core/counters.h | doc/metrics-page$(EXEEXT)
	$(AM_V_at)$(MKDIR_P) doc/man
	$(AM_V_GEN)doc/metrics-page > $@.rows && \
		$(SED) -e '/^@METRICS@$$/r '$@.rows -e '/^@METRICS@$$/d' \
			$(srcdir)/doc/man/prodd-metrics.7.scd.in > $@.scd && \
		$(SCDOC) < $@.scd > $@.tmp && rm -f $@.rows $@.scd && mv -f $@.tmp $@
