# SPDX-License-Identifier: Apache-2.0
# Completions, under the names by which the shells look for them.

EXTRA_DIST += packaging/completion/prodctl.bash packaging/completion/prodctl.zsh

if DAEMON
bashcompletion_DATA = packaging/completion/prodctl
zshcompletion_DATA = packaging/completion/_prodctl
CLEANFILES += $(bashcompletion_DATA) $(zshcompletion_DATA)
endif

packaging/completion/prodctl: packaging/completion/prodctl.bash
	$(AM_V_GEN)$(MKDIR_P) packaging/completion && cp $(srcdir)/packaging/completion/prodctl.bash $@

packaging/completion/_prodctl: packaging/completion/prodctl.zsh
	$(AM_V_GEN)$(MKDIR_P) packaging/completion && cp $(srcdir)/packaging/completion/prodctl.zsh $@
