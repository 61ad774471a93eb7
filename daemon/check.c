/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd --check: prodd.conf, then every app, each by prodd-parse as an
 * operator could run it by hand.  Nothing is served, made or locked.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/daemon.h"
#include "daemon/start.h"
#include "daemon/tree/names.h"

extern char **environ;

/* Runs prodd-parse. Its exit status; -PRODD_E_IO when it cannot be run. */
static int run(char *const arguments[], struct prodd_error *e)
{
	char path[4096];
	int status, r;
	pid_t pid;

	snprintf(path, sizeof path, "%s/prodd-parse", start_libexec());
	r = posix_spawn(&pid, path, NULL, NULL, arguments, environ);
	if (r != 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: %s", path, strerror(r));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return prodd_error_set(e, PRODD_E_IO, "wait for prodd-parse: %s", strerror(errno));
	if (!WIFEXITED(status))
		return prodd_error_set(e, PRODD_E_IO, "prodd-parse ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

struct check {
	const struct places *places;
	struct start_settings settings;
	int worst;
};

static int check_app(struct check *check, const char *name, struct prodd_error *e)
{
	const struct app_block *block = settings_block(&check->settings.config, name);
	const char *environment = block && *block->environment ? block->environment : check->settings.config.environment;
	char directory[4096];
	int r;

	snprintf(directory, sizeof directory, "%s/%s", check->places->apps, name);
	r = run((char *[]){ "prodd-parse", "--check", block && block->directory ? block->directory : directory, "--app",
			    (char *)name, "--env", (char *)(*environment ? environment : "development"), NULL }, e);
	if (r > check->worst)
		check->worst = r;
	return r < 0 ? r : 0;
}

static int check_apps(struct check *check, struct prodd_error *e)
{
	DIR *directory = opendir(check->places->apps);
	const struct app_block *block;
	struct dirent *entry;
	int r = 0;

	while (directory && r >= 0 && (entry = readdir(directory)))
		if (names_app(prodd_slice(entry->d_name)) && !settings_block(&check->settings.config, entry->d_name))
			r = check_app(check, entry->d_name, e);
	if (directory)
		closedir(directory);
	for (block = check->settings.config.blocks; block && r >= 0; block = block->hh.next)
		r = check_app(check, block->name, e);
	return r;
}

static int check_all(struct check *check, struct loop *loop, struct helper_program *parser, struct prodd_error *e)
{
	int r = start_read_settings(loop, parser, check->places, &check->settings, e);

	return r < 0 ? r : check_apps(check, e);
}

int daemon_check(const char *directory, struct prodd_error *e)
{
	struct places places = { .lock = -1 };
	struct helper_program parser = { .fd = -1 };
	struct loop loop = { 0 };
	struct check check = { .places = &places };
	int r;

	STAILQ_INIT(&check.settings.log.sinks);
	r = places_init(&places, directory, e);

	if (r >= 0)
		r = loop_init(&loop, e);
	if (r >= 0)
		r = helper_program_open(&parser, start_libexec(), "prodd-parse", e);
	if (r >= 0)
		r = check_all(&check, &loop, &parser, e);
	if (r >= 0 && check.worst > 0)
		r = prodd_error_set(e, check.worst == PRODD_E_INVALID ? PRODD_E_INVALID : PRODD_E_FAILED,
				    "at least one app's configuration is invalid");
	helper_program_close(&parser);
	loop_clear(&loop);
	places_clear(&places);
	start_settings_clear(&check.settings);
	return r;
}
