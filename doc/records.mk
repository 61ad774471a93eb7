# SPDX-License-Identifier: Apache-2.0
# prodd-records(7).

EXTRA_DIST += doc/man/prodd-records.7.scd
if HAVE_SCDOC
dist_man_MANS += doc/man/prodd-records.7
endif
MAINTAINERCLEANFILES += doc/man/prodd-records.7

doc/man/prodd-records.7: doc/man/prodd-records.7.scd
	$(AM_V_GEN)$(MKDIR_P) doc/man && $(SCDOC) < $(srcdir)/doc/man/prodd-records.7.scd > $@.tmp && mv -f $@.tmp $@
