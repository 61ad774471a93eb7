/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything goes by secure_getenv(3): a program that has more rights than its
 * caller takes neither socket, cache nor settings from the caller.
 */
#define _GNU_SOURCE
#include "client/surroundings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "client/checksum.h"
#include "proto/codec.h"

static const char system_socket[] = "/run/prodd/app.sock";
static const char prefix[] = "APP_";

/* All variables of one hello, which must fit a frame of 256 KiB and 4,096 nodes. */
enum {
	variables_max = 512,
	variables_bytes_max = 192 * 1024,
	variable_name_max = 256,
	variable_value_max = 65536
};

static int no_memory(struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_NO_MEMORY, "settings of the process");
}

static const char *variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

/* *ret = "A/B"; with a NULL `b` it is "A". False: no memory. */
static bool set_path(char **ret, const char *a, const char *b)
{
	if (asprintf(ret, "%s%s%s", a, b ? "/" : "", b ? b : "") >= 0)
		return true;
	*ret = NULL;
	return false;
}

static int check_socket(const char *path, struct prodd_error *e)
{
	if (strlen(path) <= PRODD_SOCKET_PATH_MAX)
		return 0;
	return prodd_error_set(e, PRODD_E_TOO_LARGE,
			       "%s: the path of a socket has %zu bytes, at most %d are possible", path,
			       strlen(path), PRODD_SOCKET_PATH_MAX);
}

static int read_sockets(struct prodd_surroundings *s, const struct prodd_settings *settings,
			struct prodd_error *e)
{
	const char *chosen = settings->socket ? settings->socket : variable("PRODD_SOCKET");
	const char *runtime = variable("XDG_RUNTIME_DIR");
	bool done;

	if (chosen)
		done = set_path(&s->sockets[0], chosen, NULL);
	else if (runtime && strlen(runtime) + sizeof "/prodd/app.sock" <= PRODD_SOCKET_PATH_MAX)
		done = set_path(&s->sockets[0], runtime, "prodd/app.sock") &&
		       set_path(&s->sockets[1], system_socket, NULL);
	else
		done = set_path(&s->sockets[0], system_socket, NULL);
	return done ? check_socket(s->sockets[0], e) : no_memory(e);
}

static int read_cache(struct prodd_surroundings *s, const struct prodd_settings *settings,
		      struct prodd_error *e)
{
	const char *unit = variable("CACHE_DIRECTORY"), *xdg = variable("XDG_CACHE_HOME"),
		   *home = variable("HOME");
	bool done = true;

	if (settings->cache_set)
		done = !settings->cache || set_path(&s->cache, settings->cache, NULL);
	else if (unit)
		done = set_path(&s->cache, unit, NULL);
	else if (xdg && *xdg == '/')
		done = set_path(&s->cache, xdg, "prodd");
	else if (home && *home == '/')
		done = set_path(&s->cache, home, ".cache/prodd");
	if (!done)
		return no_memory(e);
	if (s->cache && !settings->cache_set && unit)
		s->cache[strcspn(s->cache, ":")] = '\0';	/* the first of several (systemd.exec(5)) */
	return 0;
}

/* ---- variables */

static const char *unfit(const struct wire_variable *v)
{
	if (v->name.size > variable_name_max || v->value.size > variable_value_max)
		return "too long";
	return prodd_is_text(v->name) && prodd_is_text(v->value) ? NULL : "not UTF-8";
}

static int add_variable(struct prodd_surroundings *s, const char *text, struct prodd_messages *messages,
			struct prodd_error *e)
{
	const char *equals = strchr(text, '=');
	struct wire_variable v;
	const char *why;

	if (!equals || strncmp(text, prefix, sizeof prefix - 1) != 0)
		return 0;
	v = (struct wire_variable){ .name = { text, (size_t)(equals - text) },
				    .value = prodd_slice(equals + 1) };
	why = unfit(&v);
	if (!why && (s->variable_count == variables_max ||
		     s->variables.size + v.name.size + v.value.size > variables_bytes_max))
		why = "too many";
	if (why) {
		prodd_messages_say(messages, LOG_WARNING, "variable %.*s is ignored: %s", PRODD_SLICE(
				   prodd_text_cut(v.name, 64)), why);
		return 0;
	}
	if (prodd_encode_element(&s->variables, &s->variable_count, &wire_record_variable, &v) < 0)
		return no_memory(e);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that the same variables have the same fingerprint in every process. */
static int read_variables(struct prodd_surroundings *s, struct prodd_messages *messages,
			  struct prodd_error *e)
{
	size_t count = 0;
	char **sorted;
	int r = 0;

	while (environ && environ[count])
		count++;
	if (count == 0 || getauxval(AT_SECURE))
		return 0;
	sorted = malloc(count * sizeof *sorted);
	if (!sorted)
		return no_memory(e);
	memcpy(sorted, environ, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	for (size_t i = 0; i < count && r == 0; i++)
		r = add_variable(s, sorted[i], messages, e);
	free(sorted);
	return r;
}

static void take_fingerprint(struct prodd_surroundings *s, const char *app)
{
	struct prodd_slice environment = prodd_slice(s->environment);

	s->fingerprint = prodd_checksum(PRODD_CHECKSUM_START, prodd_slice(app));
	s->fingerprint = prodd_checksum(s->fingerprint, (struct prodd_slice){ "", 1 });
	s->fingerprint = prodd_checksum(s->fingerprint, environment);
	s->fingerprint = prodd_checksum(s->fingerprint, (struct prodd_slice){ "", 1 });
	s->fingerprint = prodd_checksum(s->fingerprint, prodd_buffer_slice(&s->variables));
}

static int read_environment(struct prodd_surroundings *s, const struct prodd_settings *settings,
			    struct prodd_messages *messages, struct prodd_error *e)
{
	const char *name = settings->environment ? settings->environment : variable("RUN_ENV");

	if (!name)
		return 0;
	if (strlen(name) > PRODD_NAME_MAX || !prodd_is_text(prodd_slice(name))) {
		prodd_messages_say(messages, LOG_WARNING,
				   "variable RUN_ENV is ignored: not a name of at most %d bytes",
				   PRODD_NAME_MAX);
		return 0;
	}
	return set_path(&s->environment, name, NULL) ? 0 : no_memory(e);
}

int prodd_surroundings_read(struct prodd_surroundings *s, const struct prodd_settings *settings,
			    struct prodd_messages *messages, struct prodd_error *e)
{
	int r = read_sockets(s, settings, e);

	if (r == 0)
		r = read_cache(s, settings, e);
	if (r == 0)
		r = read_environment(s, settings, messages, e);
	if (r == 0 && settings->variables)
		r = read_variables(s, messages, e);
	if (r == 0)
		take_fingerprint(s, settings->app);
	return r;
}

void prodd_surroundings_clear(struct prodd_surroundings *s)
{
	free(s->sockets[0]);
	free(s->sockets[1]);
	free(s->cache);
	free(s->environment);
	prodd_buffer_clear(&s->variables);
	*s = (struct prodd_surroundings){ 0 };
}
