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

/*
 * What is watched of a directory: where a plain directory is on the way, only what happens to itself, for the
 * one above it may be as busy as /tmp; where a link is, or nothing yet, what becomes of the name; where files
 * are, their content too.
 */
#define EVENTS_OF_ITSELF (IN_DELETE_SELF | IN_MOVE_SELF)
#define EVENTS_OF_NAMES (EVENTS_OF_ITSELF | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define EVENTS_OF_FILES (EVENTS_OF_NAMES | IN_CLOSE_WRITE | IN_MODIFY)
#define NO_NAME "/"

static bool ends_in_conf(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static void is_incomplete(struct survey *survey, int error)
{
	if (survey->complete)
		survey->error = error;
	survey->complete = false;
}

static bool append_point(struct survey *survey, int wd, const char *directory, const char *name)
{
	struct survey_point *points = reallocarray(survey->points, survey->count + 1, sizeof *points);
	struct survey_point *point;

	if (!points)
		return false;
	survey->points = points;
	point = &points[survey->count];
	point->wd = wd;
	if (asprintf(&point->path, "%s/%s", directory, name) < 0)
		return false;
	point->name = point->path + strlen(directory) + 1;
	survey->count++;
	return true;
}

/* `events`: IN_MASK_ADD lets each app and point that shares the directory have its own. */
static void add_point(struct survey *survey, int fd, const char *directory, const char *name, uint32_t events)
{
	int wd;

	if (survey->count >= SURVEY_MAX) {
		is_incomplete(survey, EOVERFLOW);
		return;
	}
	wd = inotify_add_watch(fd, *directory ? directory : "/", events | IN_ONLYDIR | IN_MASK_ADD);
	if (wd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			is_incomplete(survey, errno);
		return;
	}
	if (*name && survey_has(survey, wd, name))
		return;
	if (!append_point(survey, wd, directory, name))
		is_incomplete(survey, ENOMEM);
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

static bool is_last(const struct walk *walk)
{
	return walk->left[strspn(walk->left, "/")] == '\0';
}

/* Watches for a name, then looks what it is. */
static int look_up(struct survey *survey, int fd, const struct walk *walk, const char *component,
		   const char *path, struct stat *st)
{
	int r = lstat(path, st);

	if (r < 0 || !S_ISDIR(st->st_mode)) {
		add_point(survey, fd, walk->done, component,
			  is_last(walk) && !(r == 0 && S_ISLNK(st->st_mode)) ? EVENTS_OF_FILES
									     : EVENTS_OF_NAMES);
		r = lstat(path, st);
	}
	if (r == 0 && S_ISDIR(st->st_mode))
		add_point(survey, fd, path, NO_NAME, EVENTS_OF_ITSELF);
	return r;
}

/* Resolves walk->left from walk->done on, adding a point for each name looked up. True with the real path in
 * done. */
static bool resolve(struct survey *survey, int fd, struct walk *walk)
{
	char component[NAME_MAX + 1], path[2 * PATH_MAX];
	struct stat st;

	while (next_component(walk, component)) {
		if (strcmp(component, ".") == 0)
			continue;
		if (strcmp(component, "..") == 0) {
			step_up(walk);
			continue;
		}
		snprintf(path, sizeof path, "%s/%s", walk->done, component);
		if (look_up(survey, fd, walk, component, path, &st) < 0 || strlen(path) >= sizeof walk->done)
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
	struct dirent *entry;
	DIR *directory;
	struct walk walk;

	add_point(survey, fd, real, "", EVENTS_OF_FILES);
	directory = opendir(real);
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

static bool survey_path(struct survey *survey, int fd, const char *from, const char *path,
			char real[PATH_MAX])
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
		is_incomplete(survey, errno);
	if (survey_path(survey, fd, from, directory, real))
		survey_path(survey, fd, real, "conf.d", below);
}

void survey_clear(struct survey *survey)
{
	for (unsigned i = 0; i < survey->count; i++)
		free(survey->points[i].path);
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

const char *survey_directory_of(const struct survey *survey, int wd, int *ret_length)
{
	for (unsigned i = 0; i < survey->count; i++)
		if (survey->points[i].wd == wd) {
			*ret_length = (int)(survey->points[i].name - survey->points[i].path);
			return survey->points[i].path;
		}
	return NULL;
}
