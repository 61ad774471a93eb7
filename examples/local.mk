# SPDX-License-Identifier: Apache-2.0
# Programs that show the library. Built here as they would be elsewhere: with the public headers alone.

noinst_PROGRAMS += examples/hello/hello
examples_hello_hello_SOURCES = examples/hello/hello.c
examples_hello_hello_CPPFLAGS = -I$(top_srcdir)/client/include -I$(top_srcdir)/proto/include \
	-DBUILD='"commit $(PRODD_GIT_HASH), built $(PRODD_BUILD_DATE)\nfeatures $(PRODD_FEATURES)\n"'
examples_hello_hello_LDADD = libprodd-client.la

EXTRA_DIST += examples/hello/schema.conf examples/hello/default.conf examples/hello/production.conf
