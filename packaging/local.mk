# SPDX-License-Identifier: Apache-2.0
include packaging/completion.mk

# Every setting as a comment, for who wants a file to begin with. A tarball has it, and it is not made again there.
if DAEMON
dist_doc_DATA += packaging/prodd.conf
endif
MAINTAINERCLEANFILES += packaging/prodd.conf

packaging/prodd.conf: daemon/parse/prodd-conf.h | prodd-parse$(EXEEXT)
	$(AM_V_at)$(MKDIR_P) packaging
	$(AM_V_GEN)./prodd-parse --print-prodd-conf > $@.tmp && mv -f $@.tmp $@
