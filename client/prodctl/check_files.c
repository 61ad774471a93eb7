/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "client/prodctl/check_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int check_files(const char *directory, const char *environment, bool json, struct prodd_error *e)
{
	const char *libexec = secure_getenv("PRODD_LIBEXEC");
	const char *words[8];
	char *path = NULL;
	size_t n = 0;
	int error;

	if (asprintf(&path, "%s/prodd-parse", libexec && *libexec ? libexec : PRODD_LIBEXECDIR) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the path of prodd-parse");
	words[n++] = path;
	words[n++] = "--check";
	words[n++] = directory;
	if (environment) {
		words[n++] = "--env";
		words[n++] = environment;
	}
	if (json)
		words[n++] = "--json";
	words[n] = NULL;
	execv(path, (char *const *)words);
	error = errno;
	prodd_error_set(e, PRODD_E_IO, "%s: %s", path, strerror(error));
	free(path);
	return -PRODD_E_IO;
}
