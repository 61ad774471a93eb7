/* SPDX-License-Identifier: Apache-2.0 */
/* Removes a test's directory with all that is in it; without a shell, which is slow under valgrind. */
#ifndef TESTS_UNIT_REMOVE_H
#define TESTS_UNIT_REMOVE_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void remove_tree(const char *path)
{
	char inner[512];
	struct dirent *entry;
	struct stat st;
	DIR *directory = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? opendir(path) : NULL;

	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner)
			remove_tree(inner);
	}
	if (directory)
		closedir(directory);
	remove(path);
}

#endif
