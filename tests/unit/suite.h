/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test needs besides check: a main's body, and tests/dice.h. */
#ifndef PRODD_TESTS_SUITE_H
#define PRODD_TESTS_SUITE_H

#include <check.h>

#include "tests/dice.h"

/* Runs all tests of `s`, frees it, and returns the exit status. */
static inline int suite_run(Suite *s)
{
	SRunner *runner = srunner_create(s);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

#endif
