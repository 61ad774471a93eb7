/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of one configuration, found and read: schema.conf, default.conf,
 * ENVIRONMENT.conf and conf.d/ of an app's directory, or prodd.conf and its
 * conf.d.  Everything here blocks on files: disk thread or helper only.
 *
 * Symbolic links are followed.  Only regular files are opened; a FIFO, socket
 * or device is a problem and is never waited for.
 */
#ifndef PRODD_LAYERS_LAYERS_H
#define PRODD_LAYERS_LAYERS_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "proto/buffer.h"
#include <prodd/error.h>

#define LAYERS_FILE_MAX (1024u * 1024)	/* bytes of one file: what prodd-parse takes */
#define LAYERS_TOTAL_MAX (1024u * 1024)	/* bytes of all files of a configuration */
#define LAYERS_FILES_MAX 256u		/* files of a configuration */
#define LAYERS_HASH_SIZE 33		/* 32 hex digits and the final NUL */

/* Where to look. Texts are borrowed for the call. */
struct layers_where {
	const char *directory;		/* an app's; NULL: the daemon's own files, which the next two name */
	const char *environment;	/* with `directory` */
	const char *conf;		/* prodd.conf */
	const char *conf_d;		/* its conf.d; NULL: none */
};

struct layers_file {
	char *name;			/* owned: relative to the directory, "conf.d/10-local.conf" */
	char *path;			/* owned: as an operator would open it */
	char *real; /* owned: all links followed; two apps' layers with one real path are shared */
	const char *layer;		/* static: "schema", "default", "environment" or "local" */
	struct prodd_buffer content;
	char hash[LAYERS_HASH_SIZE];	/* of the content */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
	bool torn;			/* it changed while it was read, or is open for writing */
};

/* A file that cannot be a layer. */
struct layers_problem {
	char *path;			/* owned */
	char *text;			/* owned */
};

enum layers_state {
	LAYERS_FOUND,			/* at least one file, or a problem with one */
	LAYERS_NO_DIRECTORY,
	LAYERS_NO_FILES,
};

struct layers {
	enum layers_state state;
	struct layers_file *files;	/* owned; lowest first, the schema before all */
	size_t count;
	struct layers_problem *problems;	/* owned; the configuration is invalid when there are any */
	size_t problem_count;
	char hash[LAYERS_HASH_SIZE];	/* over names, layers, contents and problems: the source set */
};

/*
 * Reads all once. Returns 0, also with problems; -PRODD_E_NO_MEMORY; -PRODD_E_IO when the directory
 * cannot be listed.
 */
int layers_read(const struct layers_where *where, struct layers *ret, struct prodd_error *e);

/*
 * Reads all twice. -PRODD_E_BUSY, naming the file, when the two differ in (dev, ino, size, mtime,
 * ctime) or content, or a file is open for writing: somebody writes; try again later.
 */
int layers_read_stable(const struct layers_where *where, struct layers *ret, struct prodd_error *e);

/*
 * A hash over the listing and each file's identity, size and times; no content is read. Equal:
 * nothing has changed.
 */
int layers_stat(const struct layers_where *where, char ret[LAYERS_HASH_SIZE], struct prodd_error *e);

/* Frees all that is inside. Cleared and half-built objects too. */
void layers_clear(struct layers *layers);

/* Appends the files as elements of a LIST(source_file). Returns 0 or b->failed. */
int layers_encode(const struct layers *layers, struct prodd_buffer *b, uint32_t *count);

#define layers_auto __attribute__((cleanup(layers_clear))) struct layers

#endif
