/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that one app's lines are appended to.  It belongs to one process
 * at a time (flock), and notices when somebody else took it away.
 */
#ifndef PRODD_SHIP_LOG_FILE_H
#define PRODD_SHIP_LOG_FILE_H

#include <limits.h>
#include <sys/types.h>

#include "daemon/ship/tail.h"

#define LOG_FILE_MODE 0640

struct log_file {
	char name[NAME_MAX + 1];	/* "orders.jsonl" */
	int fd;				/* owned; -1: not open */
	bool named;			/* its name in the directory is synced */
	dev_t device;
	ino_t inode;
	uint64_t size;			/* bytes */
	uint64_t durable;		/* bytes that are synced */
	uint64_t flushed;		/* bytes that the kernel was asked to begin writing */
	uint64_t born_s;		/* when it was made, since 1970 (UTC) */
};

/* -PRODD_E_TOO_LARGE: the app's name leaves no room for those of rotated files. */
int log_file_init(struct log_file *file, const char *app, enum line_format format, struct prodd_error *e);
void log_file_close(struct log_file *file);

/*
 * Nothing when it is open and still the one of that name. Else it is opened:
 *   make      to be written: made when it is not there; -PRODD_E_CLOSED when it is not as it was left
 *   not make  whatever is there, to be repaired or rotated; -PRODD_E_NOT_FOUND
 * -PRODD_E_BUSY: another process writes it. -PRODD_E_IO.
 */
int log_file_open(struct log_file *file, int directory, bool make, struct prodd_error *e);

/* Appends; after an error what came in of it is cut off, if possible. -PRODD_E_IO. */
int log_file_append(struct log_file *file, struct prodd_slice lines, struct prodd_error *e);

/* Makes it durable, with its name. After an error it is cut to what was durable before and closed: what could
 * not be synced must be written again, since the kernel may take it for clean. */
int log_file_sync(struct log_file *file, int directory, struct prodd_error *e);

/* Cuts what is torn at its end; what is left is synced. `ret` as tail_read(). */
int log_file_repair(struct log_file *file, int directory, const struct tail_wish *wish, struct tail *ret,
		    struct prodd_error *e);

/* Syncs and renames it; it is closed then. */
int log_file_rotate(struct log_file *file, int directory, struct prodd_error *e);

#endif
