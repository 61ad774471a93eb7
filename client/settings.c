/* SPDX-License-Identifier: Apache-2.0 */
/* The setters: each works until prodd_start(). */
#include "client/settings.h"

#include <stdlib.h>
#include <string.h>

#include "client/handle.h"
#include "proto/cursor.h"
#include "proto/limits.h"
#include "proto/shm/ring.h"

int prodd_settings_init(struct prodd_settings *s, const char *app)
{
	*s = (struct prodd_settings){ .variables = true, .reconnect_ms = PRODD_RECONNECT_MS,
				       .log_ring = RING_CAPACITY_USUAL };
	s->app = strdup(app);
	return s->app ? 0 : -PRODD_E_NO_MEMORY;
}

void prodd_settings_clear(struct prodd_settings *s)
{
	free(s->app);
	free(s->socket);
	free(s->instance);
	free(s->environment);
	free(s->cache);
	prodd_declared_clear(&s->declared);
}

int prodd_settings_check_app(const struct prodd_settings *s, struct prodd_error *e)
{
	size_t size = strlen(s->app);

	if (size == 0 || size > PRODD_APP_MAX || s->app[0] < 'a' || s->app[0] > 'z' ||
	    strspn(s->app, "abcdefghijklmnopqrstuvwxyz0123456789_-") != size || strcmp(s->app, "prodd") == 0)
		return prodd_error_set(e, PRODD_E_USAGE,
				       "not an app's name: \"%.100s\"; expected a lower case letter, "
				       "then letters, digits, _ and -, %u at most, and not \"prodd\"",
				       s->app, PRODD_APP_MAX);
	return 0;
}

/* 1: go on; else what the setter returns. */
static int may_set(struct prodd *p)
{
	if (!p)
		return 0;
	prodd_handle_look(p);
	return atomic_load(&p->started) ? -PRODD_E_USAGE : 1;
}

static int set_text(char **member, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -PRODD_E_NO_MEMORY;
	free(*member);
	*member = copy;
	return 0;
}

static int check_text(const char *text, size_t most)
{
	if (!text || !*text || !prodd_is_text(prodd_slice(text)))
		return -PRODD_E_USAGE;
	return strlen(text) > most ? -PRODD_E_TOO_LARGE : 0;
}

int prodd_set_socket(struct prodd *p, const char *path)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	if (!path || !*path)
		return -PRODD_E_USAGE;
	if (strlen(path) > PRODD_SOCKET_PATH_MAX)
		return -PRODD_E_TOO_LARGE;
	return set_text(&p->settings.socket, path);
}

int prodd_set_instance(struct prodd *p, const char *name)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	r = check_text(name, PRODD_NAME_MAX);
	return r < 0 ? r : set_text(&p->settings.instance, name);
}

int prodd_set_environment(struct prodd *p, const char *name)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	r = check_text(name, PRODD_NAME_MAX);
	return r < 0 ? r : set_text(&p->settings.environment, name);
}

int prodd_set_variables(struct prodd *p, bool use)
{
	int r = may_set(p);

	if (r > 0)
		p->settings.variables = use;
	return r < 0 ? r : 0;
}

int prodd_set_cache(struct prodd *p, const char *path)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	if (path && !*path)
		return -PRODD_E_USAGE;
	r = path ? set_text(&p->settings.cache, path) : 0;
	if (!path) {
		free(p->settings.cache);
		p->settings.cache = NULL;
	}
	p->settings.cache_set = r == 0;
	return r;
}

int prodd_set_reconnect(struct prodd *p, int longest_ms)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	if (longest_ms < 0 || longest_ms > PRODD_RECONNECT_MS_MAX)
		return -PRODD_E_USAGE;
	p->settings.reconnect_ms = longest_ms;
	return 0;
}

int prodd_set_own_loop(struct prodd *p)
{
	int r = may_set(p);

	if (r > 0)
		p->settings.own_loop = true;
	return r < 0 ? r : 0;
}

int prodd_set_log_ring(struct prodd *p, size_t bytes)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	if (bytes != 0 && (bytes < RING_CAPACITY_MIN || bytes > RING_CAPACITY_MAX || (bytes & (bytes - 1)) != 0))
		return -PRODD_E_USAGE;
	p->settings.log_ring = bytes;
	return 0;
}

int prodd_set_log_blocking(struct prodd *p, int timeout_ms)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	if (timeout_ms < 0 || timeout_ms > PRODD_LOG_BLOCKING_MS_MAX)
		return -PRODD_E_USAGE;
	p->settings.log_blocking_ms = timeout_ms;
	return 0;
}

int prodd_set_log(struct prodd *p, prodd_log_callback *callback, void *arg)
{
	int r = may_set(p);

	if (r > 0)
		prodd_messages_redirect(p->messages, callback, arg);
	return r < 0 ? r : 0;
}

int prodd_on_validate(struct prodd *p, prodd_validate_callback *callback, void *arg)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	p->settings.validate = callback;
	p->settings.validate_arg = arg;
	return 0;
}

int prodd_on_change(struct prodd *p, prodd_change_callback *callback, void *arg)
{
	int r = may_set(p);

	if (r <= 0)
		return r;
	p->settings.change = callback;
	p->settings.change_arg = arg;
	return 0;
}

int prodd_declare_keys(struct prodd *p, const struct prodd_schema_key *keys, size_t count, size_t size,
		       struct prodd_error *e)
{
	int r = may_set(p);

	if (r < 0)
		return prodd_error_set(e, PRODD_E_USAGE, "schema in code: after prodd_start()");
	if (r == 0)
		return 0;
	if (!keys && count > 0)
		return prodd_error_set(e, PRODD_E_USAGE, "schema in code: no keys");
	return prodd_declared_add(&p->settings.declared, keys, count, size, e);
}

/* ---- what the validator ends with */

int prodd_reject(struct prodd_error *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	prodd_error_vset(why, PRODD_E_REJECTED, format, args);
	va_end(args);
	return -PRODD_E_REJECTED;
}

int prodd_restart_needed(struct prodd_error *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	prodd_error_vset(why, PRODD_E_FAILED, format, args);
	va_end(args);
	return 1;
}
