# SPDX-License-Identifier: Apache-2.0
# prodd(8), and prodd.conf(5) with the table of settings that prodd-parse has. The made pages are in the dist tarball.

EXTRA_DIST += doc/man/prodd.8.scd doc/man/prodd.conf.5.scd.in

if HAVE_SCDOC
dist_man_MANS += doc/man/prodd.8 doc/man/prodd.conf.5
endif
MAINTAINERCLEANFILES += doc/man/prodd.8 doc/man/prodd.conf.5

doc/man/prodd.8: doc/man/prodd.8.scd
	$(AM_V_GEN)$(MKDIR_P) doc/man && $(SCDOC) < $(srcdir)/doc/man/prodd.8.scd > $@.tmp && mv -f $@.tmp $@

# In order only behind the program that knows the settings: a tarball has the page, and it is not made again there.
doc/man/prodd.conf.5: doc/man/prodd.conf.5.scd.in daemon/parse/prodd-conf.h | prodd-parse$(EXEEXT)
	$(AM_V_at)$(MKDIR_P) doc/man
	$(AM_V_GEN)./prodd-parse --print-settings-scd > $@.settings && \
		$(SED) -e '/^@SETTINGS@$$/r '$@.settings -e '/^@SETTINGS@$$/d' \
			$(srcdir)/doc/man/prodd.conf.5.scd.in > $@.scd && \
		$(SCDOC) < $@.scd > $@.tmp && rm -f $@.settings $@.scd && mv -f $@.tmp $@
