/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files, relative to a directory descriptor.  All block: disk thread or
 * start-up only.  Nothing follows a symlink in its last component.
 */
#ifndef PRODD_UTIL_FILE_H
#define PRODD_UTIL_FILE_H

#include <sys/types.h>

#include "proto/buffer.h"
#include <prodd/error.h>

#define auto_fd __attribute__((cleanup(file_close))) int

void file_close(int *fd);	/* cleanup: closes *fd when >= 0 */

/* Creates `path` and its parents below `dirfd` with `mode`, and opens it O_PATH-free for *at calls.
 * Returns a descriptor, or -PRODD_E_IO. */
int file_make_directory(int dirfd, const char *path, mode_t mode, struct prodd_error *e);

/* Reads a regular file of at most `max` bytes. -PRODD_E_NOT_FOUND, -PRODD_E_TOO_LARGE, -PRODD_E_IO. */
int file_read(int dirfd, const char *name, size_t max, struct prodd_buffer *ret, struct prodd_error *e);

/* Writes `name` whole and durably, or leaves the old one: temporary file, fsync, rename, fsync of the directory. */
int file_replace(int dirfd, const char *name, struct prodd_slice content, mode_t mode, struct prodd_error *e);

/* The two halves, for when the rename is a decision of its own. */
int file_write_synced(int dirfd, const char *name, struct prodd_slice content, mode_t mode, struct prodd_error *e);
int file_rename_synced(int dirfd, const char *from, const char *to, struct prodd_error *e);

#endif
