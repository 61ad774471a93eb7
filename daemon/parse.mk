# SPDX-License-Identifier: Apache-2.0
# daemon/parse/: prodd-parse. The only place that knows libconfig.

noinst_LTLIBRARIES += libparse.la
libparse_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBCONFIG_CFLAGS)
libparse_la_LIBADD = liblayers.la libtree.la libproto.la $(LIBCONFIG_LIBS)
libparse_la_SOURCES = \
	daemon/parse/command.c daemon/parse/command.h \
	daemon/parse/confine.c daemon/parse/confine.h \
	daemon/parse/doubles.c daemon/parse/doubles.h \
	daemon/parse/json.c daemon/parse/json.h \
	daemon/parse/parse.c daemon/parse/parse.h \
	daemon/parse/prodd-conf.h \
	daemon/parse/prodd_conf.c daemon/parse/prodd_conf.h \
	daemon/parse/scan.c daemon/parse/scan.h \
	daemon/parse/schema_file.c daemon/parse/schema_file.h \
	daemon/parse/serve.c daemon/parse/serve.h \
	daemon/parse/settings.c daemon/parse/settings.h \
	daemon/parse/token.c daemon/parse/token.h \
	daemon/parse/values.c daemon/parse/values.h

proddlibexec_PROGRAMS += prodd-parse
prodd_parse_SOURCES = daemon/parse/main.c
prodd_parse_LDADD = libparse.la libprodd-util.la $(MSGPACK_LIBS)
