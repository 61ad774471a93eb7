# SPDX-License-Identifier: Apache-2.0
# prodd-client(3): prose, and the reference from the comments of the public headers. The made page is in the dist
# tarball.

EXTRA_DIST += doc/calls.awk doc/man/prodd-client.3.scd.in
if HAVE_SCDOC
dist_man_MANS += doc/man/prodd-client.3
endif
MAINTAINERCLEANFILES += doc/man/prodd-client.3

client_page_headers = client/include/prodd/handle.h client/include/prodd/config.h client/include/prodd/log.h \
	client/include/prodd/metric.h

doc/man/prodd-client.3: doc/man/prodd-client.3.scd.in doc/calls.awk $(client_page_headers) proto/include/prodd/error.h
	$(AM_V_at)$(MKDIR_P) doc/man
	$(AM_V_at){ echo '# CALLS' && echo && for h in $(client_page_headers); do \
		$(AWK) -f $(srcdir)/doc/calls.awk $(srcdir)/$$h || exit 1; done; } > $@.calls
	$(AM_V_at)$(AWK) -f $(srcdir)/doc/calls.awk $(srcdir)/proto/include/prodd/error.h > $@.errors
	$(AM_V_GEN)$(SED) -e '/^@CALLS@$$/r '$@.calls -e '/^@CALLS@$$/d' -e '/^@ERRORS@$$/r '$@.errors -e '/^@ERRORS@$$/d' \
		$(srcdir)/doc/man/prodd-client.3.scd.in > $@.scd && \
		$(SCDOC) < $@.scd > $@.tmp && rm -f $@.calls $@.errors $@.scd && mv -f $@.tmp $@
