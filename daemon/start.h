/* SPDX-License-Identifier: Apache-2.0 */
/* Reading prodd.conf by prodd-parse, before there is anything to serve. */
#ifndef PRODD_START_H
#define PRODD_START_H

#include "daemon/config/settings.h"
#include "daemon/core/helper.h"
#include "daemon/core/places.h"
#include "daemon/log/settings.h"
#include "daemon/metric/settings.h"

/* prodd.conf, as each subsystem uses it. */
struct start_settings {
	struct settings config;
	struct log_settings log;
	struct metric_settings metrics;
};

void start_settings_clear(struct start_settings *settings);

/* Directory of the helper programs: $PRODD_LIBEXEC (for trees that are not installed), else the configured one. */
const char *start_libexec(void);

/*
 * Fills `settings` from prodd.conf and conf.d; both may be absent.  Runs the
 * loop until prodd-parse has answered.  -PRODD_E_INVALID: every error is on
 * stderr.
 */
int start_read_settings(struct loop *loop, const struct helper_program *parser, const struct places *places,
			struct start_settings *settings, struct prodd_error *e);

#endif
