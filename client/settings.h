/* SPDX-License-Identifier: Apache-2.0 */
/* What the program set before prodd_start(); constant from then on. */
#ifndef PRODD_CLIENT_SETTINGS_H
#define PRODD_CLIENT_SETTINGS_H

#include <prodd/config.h>
#include <prodd/handle.h>

#include "client/declared.h"

#define PRODD_SOCKET_PATH_MAX 107	/* sun_path with its final NUL: 108 (unix(7)) */
#define PRODD_NAME_MAX 64 /* bytes of an instance's or environment's name: hello in the wire's schema */
#define PRODD_RECONNECT_MS 5000
#define PRODD_RECONNECT_MS_MAX 3600000
#define PRODD_LOG_BLOCKING_MS_MAX 3600000

struct prodd_settings {
	char *app;			/* texts are owned; NULL: not set */
	char *socket;
	char *instance;
	char *environment;
	char *cache;
	bool cache_set;			/* with cache NULL: no cache */
	bool variables;
	bool own_loop;
	int reconnect_ms;
	size_t log_ring;		/* bytes; 0: none */
	int log_blocking_ms;		/* 0: a full ring drops */
	prodd_validate_callback *validate;
	void *validate_arg;
	prodd_change_callback *change;
	void *change_arg;
	struct prodd_declared declared;
};

/* 0 or -PRODD_E_NO_MEMORY. `app` is not checked. */
int prodd_settings_init(struct prodd_settings *s, const char *app);
void prodd_settings_clear(struct prodd_settings *s);

/* 0, or -PRODD_E_USAGE: [a-z][a-z0-9_-]{0,62}, not "prodd". */
int prodd_settings_check_app(const struct prodd_settings *s, struct prodd_error *e);

#endif
