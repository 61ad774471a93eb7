/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last good configuration in a file of its own, for starts without a
 * daemon.  Holds what was served, never what an older value keeps until a restart.
 *
 * File: 8 bytes magic, 4 version, 4 size of the content, 8 checksum of the content, 8 fingerprint of
 * the process's surroundings (all big-endian), then the content: a record `apply` (proto/schema.h).
 */
#ifndef PRODD_CLIENT_CACHE_H
#define PRODD_CLIENT_CACHE_H

#include <prodd/error.h>

#include "proto/buffer.h"
#include "proto/wire.h"

/* A snapshot of 1 MiB and an overlay. */
#define PRODD_CACHE_CONTENT_MAX (4u * 1024 * 1024)

struct prodd_cache {
	const char *directory;		/* borrowed; NULL: none */
	const char *app;		/* borrowed */
	const char *instance;		/* borrowed; the name that was set, or NULL */
	uint64_t fingerprint;
};

/*
 * Reads the file into `content`, from which *ret borrows.  Returns 0; -PRODD_E_NOT_FOUND when there is none;
 * -PRODD_E_CORRUPT, -PRODD_E_NOT_PERMITTED, -PRODD_E_IO or -PRODD_E_NO_MEMORY when there is one that
 * cannot be used: damaged, of a newer format, made for other variables, or not this user's own.
 */
int prodd_cache_load(const struct prodd_cache *cache, struct prodd_buffer *content, struct wire_apply *ret,
		     struct prodd_error *e);

/* Writes into `file` what the file shall hold; nothing without a directory. Returns 0 or file->failed. */
int prodd_cache_encode(const struct prodd_cache *cache, const struct wire_apply *apply,
		       struct prodd_buffer *file);

/* Replaces the file, by rename, with what prodd_cache_encode() made. Returns 0, -PRODD_E_IO or
 * -PRODD_E_NO_MEMORY. */
int prodd_cache_write(const struct prodd_cache *cache, struct prodd_slice file, struct prodd_error *e);

#endif
