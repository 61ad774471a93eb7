/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file and directory exists twice: as its users see it, and as it is on the
 * disk. Between the two lie the operations that no sync has brought over, in
 * their order; a cut applies some of them and throws away the rest.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include "tests/fault/forgetful.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/dice.h"

enum { name_size = 64, entries_max = 256, sector = 512 };

struct image {
	unsigned char *bytes;
	size_t size;
};

struct entry {
	char name[name_size];
	struct node *node;
};

struct listing {
	struct entry entries[entries_max];
	unsigned count;
};

struct node {
	struct node *next;
	bool directory;
	bool reached;			/* while unreachable ones are collected */
	struct image now, disk;		/* of a file */
	struct listing *names, *disk_names;
};

enum kind { WRITE, RESIZE, SET, REMOVE, RENAME };

struct operation {
	struct operation *next;
	enum kind kind;
	struct node *node;		/* the file, or the directory */
	size_t offset;			/* RESIZE: the new size */
	size_t size;
	unsigned char *bytes;
	struct node *target;		/* SET, RENAME: what the name stands for */
	char name[name_size], from[name_size];
};

static struct node *nodes, *root;
static struct operation *operations, **operations_end = &operations;
static struct dice dice;
static bool dead, deaf, faithful;
static uint64_t until_cut;		/* 0: not armed */

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct node *node_new(bool directory)
{
	struct node *node = must(calloc(1, sizeof *node));

	node->directory = directory;
	if (directory) {
		node->names = must(calloc(1, sizeof *node->names));
		node->disk_names = must(calloc(1, sizeof *node->disk_names));
	}
	node->next = nodes;
	return nodes = node;
}

/* ---- changes of one of the two */

static void image_resize(struct image *image, size_t size)
{
	image->bytes = must(realloc(image->bytes, size + 1));
	if (size > image->size)
		memset(image->bytes + image->size, 0, size - image->size);
	image->size = size;
}

static void image_write(struct image *image, const unsigned char *bytes, size_t size, size_t offset)
{
	if (offset + size > image->size)
		image_resize(image, offset + size);
	memcpy(image->bytes + offset, bytes, size);
}

static struct entry *listing_find(struct listing *listing, const char *name)
{
	for (unsigned i = 0; i < listing->count; i++)
		if (strcmp(listing->entries[i].name, name) == 0)
			return &listing->entries[i];
	return NULL;
}

static void listing_set(struct listing *listing, const char *name, struct node *node)
{
	struct entry *entry = listing_find(listing, name);

	if (!entry) {
		if (listing->count == entries_max)
			abort();
		entry = &listing->entries[listing->count++];
		snprintf(entry->name, sizeof entry->name, "%s", name);
	}
	entry->node = node;
}

static void listing_remove(struct listing *listing, const char *name)
{
	struct entry *entry = listing_find(listing, name);

	if (entry)
		*entry = listing->entries[--listing->count];
}

static void apply(const struct operation *o, struct image *image, struct listing *names)
{
	switch (o->kind) {
	case WRITE:
		image_write(image, o->bytes, o->size, o->offset);
		break;
	case RESIZE:
		image_resize(image, o->offset);
		break;
	case SET:
		listing_set(names, o->name, o->target);
		break;
	case REMOVE:
		listing_remove(names, o->name);
		break;
	case RENAME:
		listing_remove(names, o->from);
		listing_set(names, o->name, o->target);
		break;
	}
}

/* ---- operations that wait for a sync */

static void operation_free(struct operation *o)
{
	free(o->bytes);
	free(o);
}

static void perform(struct operation given)
{
	struct operation *o = must(malloc(sizeof *o));

	*o = given;
	o->next = NULL;
	if (given.bytes) {
		o->bytes = must(malloc(given.size));
		memcpy(o->bytes, given.bytes, given.size);
	}
	apply(o, &o->node->now, o->node->names);
	*operations_end = o;
	operations_end = &o->next;
}

static void synced(struct node *node)
{
	struct operation **at = &operations;

	while (*at) {
		struct operation *o = *at;

		if (o->node != node) {
			at = &o->next;
			continue;
		}
		apply(o, &node->disk, node->disk_names);
		*at = o->next;
		operation_free(o);
	}
	operations_end = at;
}

/* ---- the cut */

/* Some sectors of a write, of one of them a part. */
static void tear(const struct operation *o)
{
	size_t end = o->offset + o->size;

	for (size_t at = o->offset; at < end;) {
		size_t next = (at / sector + 1) * sector < end ? (at / sector + 1) * sector : end;
		size_t size = dice_below(&dice, 8) ? next - at : dice_below(&dice, (uint32_t)(next - at));

		if (dice_below(&dice, 2))
			image_write(&o->node->disk, o->bytes + (at - o->offset), size, at);
		at = next;
	}
}

static void cut(void)
{
	static const unsigned chances[] = { 0, 1, 5, 9, 10 };	/* of ten: that an operation is lost */
	unsigned chance = faithful ? 0 : chances[dice_below(&dice, 5)];
	struct operation *o = operations, *next;

	for (; o; o = next) {
		next = o->next;
		if (dice_below(&dice, 10) >= chance)
			apply(o, &o->node->disk, o->node->disk_names);
		else if (o->kind == WRITE && dice_below(&dice, 2))
			tear(o);
		operation_free(o);
	}
	operations = NULL;
	operations_end = &operations;
	dead = true;
}

static void reach(struct node *node)
{
	if (node->reached)
		return;
	node->reached = true;
	if (node->directory)
		for (unsigned i = 0; i < node->names->count; i++)
			reach(node->names->entries[i].node);
}

static void forget_unreached(void)
{
	struct node **at = &nodes;

	reach(root);
	while (*at) {
		struct node *node = *at;

		if (node->reached) {
			node->reached = false;
			at = &node->next;
			continue;
		}
		*at = node->next;
		free(node->now.bytes);
		free(node->disk.bytes);
		free(node->names);
		free(node->disk_names);
		free(node);
	}
}

static void power_on(void)
{
	for (struct node *node = nodes; node; node = node->next) {
		if (node->directory) {
			*node->names = *node->disk_names;
			continue;
		}
		image_resize(&node->now, node->disk.size);
		if (node->disk.size > 0)
			memcpy(node->now.bytes, node->disk.bytes, node->disk.size);
	}
	forget_unreached();
	dead = false;
	until_cut = 0;
}

/* Before each change and sync. False: the power is gone; the operation of the cut itself may be among what is kept. */
static bool powered(struct operation *last)
{
	if (dead)
		return false;
	if (until_cut == 0 || --until_cut > 0)
		return true;
	if (last)
		perform(*last);
	cut();
	return false;
}

/* ---- what FUSE calls */

static struct node *parent_of(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char first[name_size];
	struct entry *entry;

	*ret_name = slash + 1;
	if (slash == path)
		return root;
	snprintf(first, sizeof first, "%.*s", (int)(slash - path - 1), path + 1);
	entry = listing_find(root->names, first);
	return entry && entry->node->directory ? entry->node : NULL;
}

static struct node *node_of(const char *path)
{
	const char *name;
	struct node *parent;
	struct entry *entry;

	if (strcmp(path, "/") == 0)
		return root;
	parent = parent_of(path, &name);
	entry = parent ? listing_find(parent->names, name) : NULL;
	return entry ? entry->node : NULL;
}

static struct node *handle(const struct fuse_file_info *info)
{
	return (struct node *)(uintptr_t)info->fh;
}

static bool is_control(const char *path)
{
	return path && strcmp(path, "/" FORGETFUL_CONTROL) == 0;
}

static int do_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	struct node *node = info && handle(info) ? handle(info) : path && !is_control(path) ? node_of(path) : NULL;

	memset(st, 0, sizeof *st);
	st->st_nlink = 1;
	st->st_mode = S_IFREG | 0600;
	if (is_control(path))
		return 0;
	if (dead)
		return -EIO;
	if (!node)
		return -ENOENT;
	if (node->directory)
		st->st_mode = S_IFDIR | 0700;
	else
		st->st_size = (off_t)node->now.size;
	return 0;
}

static int change_name(struct operation o)
{
	if (!powered(&o))
		return -EIO;
	perform(o);
	return 0;
}

static int make(const char *path, bool directory, struct node **ret)
{
	struct operation o = { .kind = SET };
	const char *name;

	if (dead)
		return -EIO;
	o.node = parent_of(path, &name);
	if (!o.node || strlen(name) >= name_size)
		return -ENOENT;
	if (listing_find(o.node->names, name))
		return -EEXIST;
	snprintf(o.name, sizeof o.name, "%s", name);
	*ret = o.target = node_new(directory);
	return change_name(o);
}

static int do_mkdir(const char *path, mode_t mode)
{
	struct node *node;

	(void)mode;
	return make(path, true, &node);
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	struct node *node = NULL;
	int r = make(path, false, &node);

	(void)mode;
	info->fh = (uintptr_t)node;
	info->direct_io = 1;
	return r;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
	struct node *node = is_control(path) ? NULL : node_of(path);

	info->direct_io = 1;
	info->fh = (uintptr_t)node;
	if (is_control(path))
		return 0;
	return dead ? -EIO : node ? 0 : -ENOENT;
}

static int do_read(const char *path, char *to, size_t size, off_t offset, struct fuse_file_info *info)
{
	const struct node *node = handle(info);

	(void)path;
	if (dead || !node)
		return -EIO;
	if ((size_t)offset >= node->now.size)
		return 0;
	if (size > node->now.size - (size_t)offset)
		size = node->now.size - (size_t)offset;
	memcpy(to, node->now.bytes + offset, size);
	return (int)size;
}

static int command(const char *bytes, size_t size)
{
	struct forgetful_order order;

	if (size != sizeof order)
		return -EINVAL;
	memcpy(&order, bytes, sizeof order);
	switch (order.command) {
	case FORGETFUL_ARM:
		until_cut = order.number;
		dice.state = order.seed;
		break;
	case FORGETFUL_POWER:
		power_on();
		break;
	case FORGETFUL_DEAF:
		deaf = order.number;
		break;
	case FORGETFUL_FAITHFUL:
		faithful = order.number;
		break;
	}
	return (int)size;
}

static int do_write(const char *path, const char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
	struct operation o = { .kind = WRITE, .node = handle(info), .offset = (size_t)offset, .size = size,
			       .bytes = (unsigned char *)bytes };

	(void)path;
	if (!o.node)
		return command(bytes, size);
	if (!powered(&o))
		return -EIO;
	perform(o);
	return (int)size;
}

static int resize(struct node *node, size_t size)
{
	struct operation o = { .kind = RESIZE, .node = node, .offset = size };

	if (!powered(&o))
		return -EIO;
	perform(o);
	return 0;
}

static int do_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	struct node *node = info && handle(info) ? handle(info) : path && !is_control(path) ? node_of(path) : NULL;

	return is_control(path) ? 0 : node ? resize(node, (size_t)size) : -ENOENT;
}

static int do_fallocate(const char *path, int mode, off_t offset, off_t size, struct fuse_file_info *info)
{
	struct node *node = handle(info);

	(void)path;
	if (mode != 0)
		return -EOPNOTSUPP;
	return (size_t)(offset + size) > node->now.size ? resize(node, (size_t)(offset + size)) : 0;
}

static int do_unlink(const char *path)
{
	struct operation o = { .kind = REMOVE };
	const char *name;

	if (dead)
		return -EIO;
	o.node = parent_of(path, &name);
	if (!o.node || !listing_find(o.node->names, name))
		return -ENOENT;
	snprintf(o.name, sizeof o.name, "%s", name);
	return change_name(o);
}

static int do_rename(const char *from, const char *to, unsigned flags)
{
	struct operation o = { .kind = RENAME };
	const char *name, *old;
	struct node *parent;

	if (dead || flags)
		return dead ? -EIO : -EINVAL;
	o.node = parent_of(to, &name);
	parent = parent_of(from, &old);
	if (!parent || parent != o.node || !listing_find(parent->names, old))
		return -ENOENT;
	o.target = listing_find(parent->names, old)->node;
	snprintf(o.name, sizeof o.name, "%s", name);
	snprintf(o.from, sizeof o.from, "%s", old);
	return change_name(o);
}

static int do_fsync(const char *path, int data_only, struct fuse_file_info *info)
{
	(void)path;
	(void)data_only;
	if (!powered(NULL))
		return -EIO;
	if (!deaf)
		synced(handle(info));
	return 0;
}

static int do_opendir(const char *path, struct fuse_file_info *info)
{
	struct node *node = dead ? NULL : node_of(path);

	info->fh = (uintptr_t)node;
	return dead ? -EIO : node && node->directory ? 0 : -ENOENT;
}

static int do_readdir(const char *path, void *to, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
		      enum fuse_readdir_flags flags)
{
	const struct listing *names = handle(info)->names;

	(void)path;
	(void)offset;
	(void)flags;
	if (dead)
		return -EIO;
	for (unsigned i = 0; i < names->count; i++)
		fill(to, names->entries[i].name, NULL, 0, 0);
	return 0;
}

static void *do_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	config->nullpath_ok = 1;
	config->hard_remove = 1;
	config->direct_io = 1;
	config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
	return NULL;
}

static const struct fuse_operations fuse_operations = {
	.init = do_init,
	.getattr = do_getattr,
	.mkdir = do_mkdir,
	.create = do_create,
	.open = do_open,
	.read = do_read,
	.write = do_write,
	.truncate = do_truncate,
	.fallocate = do_fallocate,
	.unlink = do_unlink,
	.rename = do_rename,
	.fsync = do_fsync,
	.fsyncdir = do_fsync,
	.opendir = do_opendir,
	.readdir = do_readdir,
};

/* ---- the process */

static void serve(const char *directory, int ready)
{
	char *words[] = { (char *)"forgetful", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);
	struct fuse *fuse;

	nodes = NULL;
	root = node_new(true);
	fuse = fuse_new(&args, &fuse_operations, sizeof fuse_operations, NULL);
	if (!fuse || fuse_mount(fuse, directory) < 0 || fuse_set_signal_handlers(fuse_get_session(fuse)) < 0)
		_exit(1);
	if (write(ready, "y", 1) != 1)
		_exit(1);
	fuse_loop(fuse);
	fuse_unmount(fuse);
	_exit(0);
}

pid_t forgetful_start(const char *directory)
{
	int ready[2];
	char answer;
	pid_t server;

	if (access("/dev/fuse", R_OK | W_OK) < 0) {
		printf("no power cuts: /dev/fuse: %s\n", strerror(errno));
		return -1;
	}
	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		close(ready[0]);
		serve(directory, ready[1]);
	}
	close(ready[1]);
	if (server > 0 && read(ready[0], &answer, 1) == 1) {
		close(ready[0]);
		return server;
	}
	close(ready[0]);
	printf("no power cuts: FUSE cannot mount here\n");
	if (server > 0)
		waitpid(server, NULL, 0);
	return -1;
}

void forgetful_stop(const char *directory, pid_t server)
{
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	umount2(directory, MNT_DETACH);		/* when it did not do so itself */
}
