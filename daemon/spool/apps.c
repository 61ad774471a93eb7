/* SPDX-License-Identifier: Apache-2.0 */
/* A name is checked before anything is done with it; a symlink is no directory. */
#include "daemon/spool/apps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

enum { app_max = 63, user_max = 63 };

bool spool_is_app(const char *name)
{
	size_t app = strspn(name, LOWER DIGITS "_-"), user;

	if (app == 0 || app > app_max || !strchr(LOWER, name[0]))
		return false;
	if (name[app] == '\0')
		return true;
	if (name[app] != '~')
		return false;
	name += app + 1;
	user = strspn(name, LOWER DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-");
	return user > 0 && user <= user_max && name[user] == '\0' && name[0] != '.' && name[0] != '-';
}

static bool is_directory(int directory, const char *name)
{
	struct stat st;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int add(struct spool_apps *apps, const char *name, struct prodd_error *e)
{
	void *names;

	if (apps->count == SPOOL_APPS_MAX) {
		apps->refused++;
		return 0;
	}
	if ((apps->count & (apps->count - 1)) == 0) {	/* full at each power of two */
		names = realloc(apps->names, (apps->count ? apps->count * 2 : 1) * sizeof *apps->names);
		if (!names)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "list of spools");
		apps->names = names;
	}
	memcpy(apps->names[apps->count++], name, strlen(name) + 1);	/* spool_is_app() has measured it */
	return 0;
}

static int order(const void *a, const void *b)
{
	return strcmp(a, b);
}

int spool_apps_read(struct spool_apps *ret, int directory, struct prodd_error *e)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct spool_apps apps = { 0 };
	struct dirent *entry;
	int r = 0;

	if (!stream) {
		r = prodd_error_set(e, PRODD_E_IO, "read the spool's directory: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (spool_is_app(entry->d_name) && is_directory(directory, entry->d_name))
			r = add(&apps, entry->d_name, e);
		else
			apps.refused++;
	}
	closedir(stream);
	if (r < 0) {
		spool_apps_clear(&apps);
		return r;
	}
	if (apps.count > 1)
		qsort(apps.names, apps.count, sizeof *apps.names, order);
	*ret = apps;
	return 0;
}

void spool_apps_clear(struct spool_apps *apps)
{
	free(apps->names);
	*apps = (struct spool_apps){ 0 };
}
