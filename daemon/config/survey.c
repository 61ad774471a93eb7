/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths are resolved here component by component, as the kernel does
 * (path_resolution(7)), because what matters is each directory in which a name
 * is looked up: `..data -> ..2026_01/` is swapped there, and a late directory
 * appears there.
 */
#define _GNU_SOURCE
#include "daemon/config/survey.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40	/* as the kernel's */
#define EVENTS                                                                                                      \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ONLYDIR)

static bool ends_in_conf(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static void add_point(struct survey *survey, int fd, const char *directory, const char *name)
{
	struct survey_point *points;
	int wd;

	if (survey->count >= SURVEY_MAX) {
		survey->complete = false;
		return;
	}
	wd = inotify_add_watch(fd, *directory ? directory : "/", EVENTS);
	if (wd < 0) {
		survey->complete = survey->complete && errno == ENOENT;
		return;
	}
	if (survey_has(survey, wd, name) && *name)
		return;
	points = reallocarray(survey->points, survey->count + 1, sizeof *points);
	if (!points) {
		survey->complete = false;
		return;
	}
	survey->points = points;
	points[survey->count].wd = wd;
	points[survey->count].name = strdup(name);
	if (points[survey->count].name)
		survey->count++;
	else
		survey->complete = false;
}

/* A path that is being resolved: what is done, and what is left. */
struct walk {
	char done[PATH_MAX];	/* real directory so far, without a final slash; "" is the root */
	char left[PATH_MAX];
	unsigned links;
};

static bool next_component(struct walk *walk, char component[NAME_MAX + 1])
{
	char *at = walk->left + strspn(walk->left, "/");
	size_t length = strcspn(at, "/");

	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(component, at, length);
	component[length] = '\0';
	memmove(walk->left, at + length, strlen(at + length) + 1);
	return true;
}

static void step_up(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (slash)
		*slash = '\0';
}

/* Puts the link's target before what is left. False when that is too long, or there are too many links. */
static bool follow(struct walk *walk, const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof target - 1);
	size_t left = strlen(walk->left);

	if (length <= 0 || ++walk->links > LINKS_MAX || (size_t)length + 1 + left >= sizeof walk->left)
		return false;
	memmove(walk->left + length + 1, walk->left, left + 1);
	memcpy(walk->left, target, (size_t)length);
	walk->left[length] = '/';
	if (target[0] == '/')
		walk->done[0] = '\0';
	return true;
}

/* Names directly below the root matter only as links or when they are missing: nobody renames /etc. */
static bool matters(const struct walk *walk, bool plain_directory)
{
	return *walk->done || !plain_directory;
}

/* Resolves walk->left from walk->done on, adding a point for each name looked up. True with the real path in done. */
static bool resolve(struct survey *survey, int fd, struct walk *walk)
{
	char component[NAME_MAX + 1], path[2 * PATH_MAX];
	struct stat st;

	while (next_component(walk, component)) {
		bool missing;

		if (strcmp(component, ".") == 0)
			continue;
		if (strcmp(component, "..") == 0) {
			step_up(walk);
			continue;
		}
		snprintf(path, sizeof path, "%s/%s", walk->done, component);
		missing = lstat(path, &st) < 0;
		if (matters(walk, !missing && S_ISDIR(st.st_mode)))
			add_point(survey, fd, walk->done, component);
		if (missing || strlen(path) >= sizeof walk->done)
			return false;
		if (S_ISLNK(st.st_mode)) {
			if (!follow(walk, path))
				return false;
			continue;
		}
		strcpy(walk->done, path);
	}
	return true;
}

/* All files of a directory that may be layers matter; those that are links are followed. */
static void survey_directory(struct survey *survey, int fd, const char *real)
{
	DIR *directory = opendir(real);
	struct dirent *entry;
	struct walk walk;

	add_point(survey, fd, real, "");
	while (directory && (entry = readdir(directory))) {
		if (!ends_in_conf(entry->d_name) || (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN))
			continue;
		walk.links = 0;
		snprintf(walk.done, sizeof walk.done, "%s", real);
		snprintf(walk.left, sizeof walk.left, "%s", entry->d_name);
		resolve(survey, fd, &walk);
	}
	if (directory)
		closedir(directory);
}

static bool survey_path(struct survey *survey, int fd, const char *from, const char *path, char real[PATH_MAX])
{
	struct walk walk = { .links = 0 };

	snprintf(walk.done, sizeof walk.done, "%s", from);
	snprintf(walk.left, sizeof walk.left, "%s", path);
	if (!resolve(survey, fd, &walk))
		return false;
	memcpy(real, walk.done, PATH_MAX);
	survey_directory(survey, fd, real);
	return true;
}

void survey_run(struct survey *survey, int fd, const char *directory)
{
	char from[PATH_MAX] = "", real[PATH_MAX], below[PATH_MAX];

	*survey = (struct survey){ .complete = true };
	if (directory[0] != '/' && !getcwd(from, sizeof from))
		survey->complete = false;
	if (survey_path(survey, fd, from, directory, real))
		survey_path(survey, fd, real, "conf.d", below);
}

void survey_clear(struct survey *survey)
{
	for (unsigned i = 0; i < survey->count; i++)
		free(survey->points[i].name);
	free(survey->points);
	*survey = (struct survey){ .complete = true };
}

static bool point_covers(const struct survey_point *point, const char *name)
{
	if (!*name)
		return true;
	return *point->name ? strcmp(point->name, name) == 0 : *name != '.' && ends_in_conf(name);
}

bool survey_has(const struct survey *survey, int wd, const char *name)
{
	for (unsigned i = 0; i < survey->count; i++)
		if (survey->points[i].wd == wd && point_covers(&survey->points[i], name))
			return true;
	return false;
}
