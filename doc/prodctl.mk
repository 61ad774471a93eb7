# SPDX-License-Identifier: Apache-2.0
# prodctl(1). The made page is in the dist tarball.

EXTRA_DIST += doc/man/prodctl.1.scd

if HAVE_SCDOC
dist_man_MANS += doc/man/prodctl.1
endif

MAINTAINERCLEANFILES += doc/man/prodctl.1

doc/man/prodctl.1: doc/man/prodctl.1.scd
	$(AM_V_GEN)$(MKDIR_P) doc/man && $(SCDOC) < $(srcdir)/doc/man/prodctl.1.scd > $@.tmp && mv $@.tmp $@
