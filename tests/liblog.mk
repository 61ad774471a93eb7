# SPDX-License-Identifier: Apache-2.0
# Tests of the library's logging; the program that others let log is $LOGGER_BIN.

check_PROGRAMS += tests/programs/logger
tests_programs_logger_SOURCES = tests/programs/logger.c
tests_programs_logger_CPPFLAGS = $(CLIENT_CPPFLAGS)
tests_programs_logger_LDFLAGS = $(AM_LDFLAGS) -pthread
tests_programs_logger_LDADD = libclient.la
