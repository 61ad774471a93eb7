/* SPDX-License-Identifier: Apache-2.0 */
/* Checking files by hand, without a daemon. */
#ifndef PRODD_PARSE_COMMAND_H
#define PRODD_PARSE_COMMAND_H

#include <stdbool.h>

struct command_check {
	const char *directory;		/* an app's; NULL: prodd.conf */
	const char *environment;
	const char *app;		/* NULL: the last part of `directory` */
	const char *conf, *conf_d;	/* without `directory` */
	bool json;
};

/* Prints what is wrong on stderr, or one line on stdout; as JSON on stdout. Returns the exit status: 0 valid,
 * 4 invalid, 1 could not be read, 2 usage. */
int command_check(const struct command_check *check);

#endif
