# SPDX-License-Identifier: Apache-2.0
# daemon/layers/: finds and reads the files of a configuration; used by prodd and prodd-parse.

noinst_LTLIBRARIES += liblayers.la
liblayers_la_LIBADD = libprodd-util.la libproto.la
liblayers_la_SOURCES = \
	daemon/layers/layers.c daemon/layers/layers.h \
	daemon/layers/list.c daemon/layers/list.h
