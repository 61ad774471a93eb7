# SPDX-License-Identifier: Apache-2.0
# prodd-protocol(7): prose from doc/man/prodd-protocol.7.scd.in, the rest from the tables of proto/.

noinst_PROGRAMS += doc/protocol-page
doc_protocol_page_SOURCES = doc/protocol-page.c doc/protocol-page.h doc/protocol-examples.c
doc_protocol_page_LDADD = libproto.la $(MSGPACK_LIBS)

EXTRA_DIST += doc/man/prodd-protocol.7.scd.in
if HAVE_SCDOC
dist_man_MANS += doc/man/prodd-protocol.7
endif
MAINTAINERCLEANFILES += doc/man/prodd-protocol.7

# It depends on what the page is made of; on the program that makes it only in order. A tarball has the page, and
# it is not made again there.
doc/man/prodd-protocol.7: \
		doc/man/prodd-protocol.7.scd.in \
		doc/protocol-page.c \
		doc/protocol-examples.c \
		proto/include/prodd/error.h \
		proto/limits.h \
		proto/schema.h | doc/protocol-page$(EXEEXT)
	$(AM_V_at)$(MKDIR_P) doc/man
	$(AM_V_GEN)doc/protocol-page < $(srcdir)/doc/man/prodd-protocol.7.scd.in > $@.scd && \
		$(SCDOC) < $@.scd > $@.tmp && rm -f $@.scd && mv -f $@.tmp $@

dist_check_SCRIPTS += tests/abi/protocol_page_shows_real_frames
TESTS += tests/abi/protocol_page_shows_real_frames
