/* SPDX-License-Identifier: Apache-2.0 */
/* The list, and what this build was made without. */
#include "daemon/ship/compressor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static const struct compressor *const compressors[] = {
	&compressor_gzip,
#ifdef HAVE_ZSTD
	&compressor_zstd,
#endif
};

enum { compressor_count = sizeof compressors / sizeof *compressors };

int compressor_find(struct prodd_slice name, const struct compressor **ret, struct prodd_error *e)
{
	*ret = NULL;
	if (name.size == 0 || prodd_slice_is(name, "none"))
		return 0;
	for (int i = 0; i < compressor_count; i++)
		if (prodd_slice_is(name, compressors[i]->name))
			*ret = compressors[i];
	if (*ret)
		return 0;
	if (prodd_slice_is(name, "zstd"))
		return prodd_error_set(e, PRODD_E_INVALID,
				       "compress \"zstd\" needs libzstd; this prodd was built without it");
	return prodd_error_set(e, PRODD_E_INVALID, "unknown compress \"%.*s\"", PRODD_SLICE(name));
}

const struct compressor *compressor_of_file(struct prodd_slice name)
{
	for (int i = 0; i < compressor_count; i++) {
		size_t size = strlen(compressors[i]->suffix);

		if (name.size > size && memcmp(name.at + name.size - size, compressors[i]->suffix, size) == 0)
			return compressors[i];
	}
	return NULL;
}

int compressor_write(int fd, const void *bytes, size_t size, struct prodd_error *e)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno != EINTR)
			return prodd_error_set(e, PRODD_E_IO, "write: %s", strerror(errno));
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}
