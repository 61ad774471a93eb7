# SPDX-License-Identifier: Apache-2.0
# Tests. Each is a program or script that `make check` runs through tests/run-test (time limit, directory of its own,
# nothing left behind): exit 0 passed, 77 skipped. They are named in the fragments below.

LOG_COMPILER = $(PYTHON3) $(top_srcdir)/tests/run-test
dist_check_SCRIPTS += tests/run-test

# These judge times, so nothing runs beside them in a plain build.
alone_tests = $(hostile_tests) tests/integration/floods_leave_room_for_others.py tests/integration/scrapes_hold_the_loop_for_moments.py tests/unit/client_harmless

# Sanitizers end a program at the first finding; an exit status of their own tells it from a test that fails.
AM_TESTS_ENVIRONMENT = \
	builddir='$(abs_builddir)'; export builddir; \
	PRODD_SANITIZER='$(SANITIZER)'; export PRODD_SANITIZER; \
	PRODD_QUICK='$(PRODD_QUICK)'; export PRODD_QUICK; \
	case $$PRODD_SANITIZER in no) PRODD_PLAIN=1 ;; *) PRODD_PLAIN=0 ;; esac; export PRODD_PLAIN; \
	PRODD_ALONE='$(alone_tests)'; export PRODD_ALONE; \
	PRODD_BIN='$(abs_builddir)/prodd'; export PRODD_BIN; \
	PRODD_LIBEXEC='$(abs_builddir)'; export PRODD_LIBEXEC; \
	PRODCTL='$(abs_builddir)/prodctl'; export PRODCTL; \
	LOGGER_BIN='$(abs_builddir)/tests/programs/logger'; export LOGGER_BIN; \
	HELLO_BIN='$(abs_builddir)/examples/hello/hello'; \
	if test -x '$(abs_builddir)/examples/hello/.libs/hello'; then \
		HELLO_BIN='$(abs_builddir)/examples/hello/.libs/hello'; \
		LD_LIBRARY_PATH="$(abs_builddir)/.libs$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH}"; \
		export LD_LIBRARY_PATH; \
	fi; export HELLO_BIN; \
	ASAN_OPTIONS='detect_leaks=1:halt_on_error=1:detect_stack_use_after_return=1:exitcode=98'; \
	LSAN_OPTIONS='exitcode=98'; \
	UBSAN_OPTIONS='halt_on_error=1:print_stacktrace=1'; \
	TSAN_OPTIONS='halt_on_error=1:second_deadlock_stack=1:exitcode=98'; \
	export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS;

include tests/bench.mk
include tests/client.mk
include tests/config.mk
include tests/core.mk
include tests/expose.mk
include tests/fuzz.mk
include tests/house.mk
include tests/liblog.mk
include tests/metric.mk
include tests/log.mk
include tests/prodctl.mk
include tests/ring.mk
include tests/spool.mk
include tests/tail.mk
include tests/transaction.mk
include tests/proto.mk
include tests/metric_library.mk
include tests/ship.mk
include tests/tree.mk
include tests/watch.mk

# For tools/test.
print-tests:
	@for t in $(TESTS); do echo $$t; done

# For tools/test --threads: the tests of what has threads. client_fork and client_log_fork have them too, but fork and close
# descriptors under the library's hands, which ThreadSanitizer takes for races of the library.
print-threaded-tests:
	@for t in $(TESTS); do \
		case $$t in \
		tests/unit/client_fork | tests/unit/client_log_fork) ;; \
		tests/unit/client_* | tests/unit/disk | tests/unit/tail | tests/integration/ship_rotates* | *thread*) echo $$t ;; \
		esac; \
	done

# The unit tests once more, under valgrind.
check-valgrind: all
	$(AM_V_at)unit=`for t in $(TESTS); do case $$t in tests/unit/*) echo $$t ;; esac; done`; \
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="`echo $$unit`" LOG_COMPILER='$(LOG_COMPILER) --valgrind'

.PHONY: bench check-fault print-tests print-threaded-tests check-valgrind

CLEANFILES += tests/.door tests/.room
