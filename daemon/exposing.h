/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What prodd shows of itself and the apps to those who scrape: their metrics and its
 * own as one source, whether it can serve, and the sockets for that.
 */
#ifndef PRODD_EXPOSING_H
#define PRODD_EXPOSING_H

#include "daemon/config/config.h"
#include "daemon/metric/metric.h"
#include "daemon/log/logs.h"
#include "daemon/metric/settings.h"

struct exposing;

/* Who shows what; all borrowed. */
struct exposing_of {
	struct loop *loop;
	const struct places *places;
	const struct config *config;
	const struct session_host *host;
	const struct logs *logs;
	struct metric *metric;
};

/* Listens where `settings` says. Errors of http_new. */
int exposing_new(struct exposing **ret, const struct exposing_of *of, const struct metric_settings *settings,
		 struct prodd_error *e);

/* NULL is allowed; returns NULL. */
struct exposing *exposing_free(struct exposing *exposing);

#endif
