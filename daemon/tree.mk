# SPDX-License-Identifier: Apache-2.0
# daemon/tree/: rules, merge and overlay. Pure: no I/O, no threads, nothing global.

noinst_LTLIBRARIES += libtree.la
libtree_la_LIBADD = libproto.la
libtree_la_SOURCES = \
	daemon/tree/entry.c daemon/tree/entry.h \
	daemon/tree/merge.c daemon/tree/merge.h \
	daemon/tree/names.c daemon/tree/names.h \
	daemon/tree/overlay.c daemon/tree/overlay.h \
	daemon/tree/overrides.c daemon/tree/overrides.h \
	daemon/tree/pattern.c daemon/tree/pattern.h \
	daemon/tree/problems.c daemon/tree/problems.h \
	daemon/tree/rule.c daemon/tree/rule.h \
	daemon/tree/rule_check.c \
	daemon/tree/rule_merge.c \
	daemon/tree/schema.c daemon/tree/schema.h \
	daemon/tree/suggest.c daemon/tree/suggest.h \
	daemon/tree/tree.c daemon/tree/tree.h \
	daemon/tree/value.c daemon/tree/value.h \
	daemon/tree/value_from_text.c
