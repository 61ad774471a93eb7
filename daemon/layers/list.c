/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.d counts in byte order, as `LC_ALL=C ls` shows it.  Hidden files, names
 * that do not end in ".conf" and what editors leave behind are not layers.
 */
#include "config.h"	/* _GNU_SOURCE */

#include "daemon/layers/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/file.h"
#include "proto/cursor.h"

int layers_add_problem(struct layers *layers, const char *path, const char *format, ...)
{
	struct layers_problem *grown = realloc(layers->problems, (layers->problem_count + 1) * sizeof *grown);
	struct layers_problem *p;
	va_list args;

	if (!grown)
		return -PRODD_E_NO_MEMORY;
	layers->problems = grown;
	p = &grown[layers->problem_count];
	p->path = strdup(path);
	va_start(args, format);
	if (vasprintf(&p->text, format, args) < 0)
		p->text = NULL;
	va_end(args);
	layers->problem_count++;	/* also half-built: layers_clear() takes it */
	return p->path && p->text ? 0 : -PRODD_E_NO_MEMORY;
}

/* Takes `path`, which may be NULL after a failed allocation. */
static int add_file(struct layers *layers, const char *layer, const char *name, char *path)
{
	struct layers_file *grown = realloc(layers->files, (layers->count + 1) * sizeof *grown);
	struct layers_file *f;

	if (!grown) {
		free(path);
		return -PRODD_E_NO_MEMORY;
	}
	layers->files = grown;
	f = &grown[layers->count++];
	*f = (struct layers_file){ .layer = layer, .path = path, .name = strdup(name) };
	return f->path && f->name ? 0 : -PRODD_E_NO_MEMORY;
}

static char *join(const char *directory, const char *name)
{
	size_t length = strlen(directory);
	char *path;

	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (asprintf(&path, "%.*s%s%s", (int)length, directory, directory[length - 1] == '/' ? "" : "/",
		     name) < 0)
		return NULL;
	return path;
}

/* A file that need not be there. Takes `path`. */
static int add_if_there(struct layers *layers, const char *layer, const char *name, char *path)
{
	struct stat st;
	int r;

	if (!path)
		return -PRODD_E_NO_MEMORY;
	if (stat(path, &st) == 0)
		return add_file(layers, layer, name, path);
	r = 0;
	if (errno != ENOENT && errno != ENOTDIR)
		r = layers_add_problem(layers, path, "cannot be read: %s", strerror(errno));
	else if (lstat(path, &st) == 0)
		r = layers_add_problem(layers, path, "is a symbolic link that leads nowhere");
	free(path);
	return r;
}

/* ---- conf.d */

static bool is_layer_name(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".conf") == 0 && name[0] != '.' && name[0] != '#' &&
	       name[0] != '~';
}

static int filter(const struct dirent *entry)
{
	return is_layer_name(entry->d_name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_one(struct layers *layers, const char *directory, const char *name)
{
	char shown[NAME_MAX + 16];
	char *path = join(directory, name);
	int r;

	if (!path)
		return -PRODD_E_NO_MEMORY;
	if (!prodd_is_text(prodd_slice(name))) {
		r = layers_add_problem(layers, directory, "holds a file whose name is not valid UTF-8");
		free(path);
		return r;
	}
	snprintf(shown, sizeof shown, "conf.d/%s", name);
	return add_if_there(layers, "local", shown, path);
}

static int add_directory(struct layers *layers, const char *directory)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, filter, by_bytes);
	int r = 0;

	if (count < 0)
		return errno == ENOENT ? 0 :
		       errno == ENOMEM ? -PRODD_E_NO_MEMORY :
		       layers_add_problem(layers, directory, "cannot be listed: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		if (r == 0 && layers->count < LAYERS_FILES_MAX)
			r = add_one(layers, directory, entries[i]->d_name);
		else if (r == 0 && i + 1 == count)
			r = layers_add_problem(layers, directory, "holds too many files: at most %u are read",
					       LAYERS_FILES_MAX);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* ---- both kinds of places */

static int list_app(const struct layers_where *where, struct layers *layers)
{
	char environment[NAME_MAX];
	char *conf_d;
	int r;

	snprintf(environment, sizeof environment, "%s.conf", where->environment);
	r = add_if_there(layers, "schema", "schema.conf", join(where->directory, "schema.conf"));
	if (r == 0)
		r = add_if_there(layers, "default", "default.conf", join(where->directory, "default.conf"));
	if (r == 0)
		r = add_if_there(layers, "environment", environment, join(where->directory, environment));
	if (r < 0)
		return r;
	conf_d = join(where->directory, "conf.d");
	if (!conf_d)
		return -PRODD_E_NO_MEMORY;
	r = add_directory(layers, conf_d);
	free(conf_d);
	return r;
}

static int list_daemon(const struct layers_where *where, struct layers *layers)
{
	const char *slash = strrchr(where->conf, '/');
	int r;

	r = add_if_there(layers, "default", slash ? slash + 1 : where->conf, strdup(where->conf));
	if (r == 0 && where->conf_d)
		r = add_directory(layers, where->conf_d);
	return r;
}

static int find_directory(const char *directory, struct layers *layers, struct prodd_error *e)
{
	auto_fd fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	if (errno != ENOENT)
		return prodd_error_set(e, PRODD_E_IO, "%s: %s", directory, strerror(errno));
	layers->state = LAYERS_NO_DIRECTORY;
	return 1;
}

int layers_list(const struct layers_where *where, struct layers *ret, struct prodd_error *e)
{
	int r;

	if (where->directory) {
		if (strchr(where->environment, '/') || strlen(where->environment) > 64)
			return prodd_error_set(e, PRODD_E_USAGE, "\"%s\" cannot name an environment",
					       where->environment);
		r = find_directory(where->directory, ret, e);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = where->directory ? list_app(where, ret) : list_daemon(where, ret);
	if (r < 0)
		return prodd_error_set(e, -r, "listing %s",
				       where->directory ? where->directory : where->conf);
	ret->state = ret->count + ret->problem_count > 0 ? LAYERS_FOUND : LAYERS_NO_FILES;
	return 0;
}
