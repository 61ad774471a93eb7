/* SPDX-License-Identifier: Apache-2.0 */
/* FUSE's calls become operations on the disk of forgetful_disk.h; one thread, so that each comes whole. */
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

#include "tests/fault/forgetful_disk.h"

/* ---- what FUSE calls */

static struct node *parent_of(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char first[disk_name_size];
	struct entry *entry;

	*ret_name = slash + 1;
	if (slash == path)
		return disk.root;
	snprintf(first, sizeof first, "%.*s", (int)(slash - path - 1), path + 1);
	entry = listing_find(disk.root->names, first);
	return entry && entry->node->directory ? entry->node : NULL;
}

static struct node *node_of(const char *path)
{
	const char *name;
	struct node *parent;
	struct entry *entry;

	if (strcmp(path, "/") == 0)
		return disk.root;
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
	struct node *node = info && handle(info)	? handle(info)
			    : path && !is_control(path) ? node_of(path)
							: NULL;

	memset(st, 0, sizeof *st);
	st->st_nlink = 1;
	st->st_mode = S_IFREG | 0600;
	if (is_control(path))
		return 0;
	if (disk.dead)
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
	if (!disk_powered(&o))
		return -EIO;
	disk_perform(o);
	return 0;
}

static int make(const char *path, bool directory, struct node **ret)
{
	struct operation o = { .kind = SET };
	const char *name;

	if (disk.dead)
		return -EIO;
	o.node = parent_of(path, &name);
	if (!o.node || strlen(name) >= disk_name_size)
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
	return disk.dead ? -EIO : node ? 0 : -ENOENT;
}

static int do_read(const char *path, char *to, size_t size, off_t offset, struct fuse_file_info *info)
{
	const struct node *node = handle(info);

	(void)path;
	if (disk.dead || !node)
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
		disk_arm(order.number, order.seed);
		break;
	case FORGETFUL_POWER:
		disk_power_on();
		break;
	case FORGETFUL_DEAF:
		disk.deaf = order.number;
		break;
	case FORGETFUL_FAITHFUL:
		disk.faithful = order.number;
		break;
	}
	return (int)size;
}

static int do_write(const char *path, const char *bytes, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	struct operation o = { .kind = WRITE, .node = handle(info), .offset = (size_t)offset, .size = size,
			       .bytes = (unsigned char *)bytes };

	(void)path;
	if (!o.node)
		return command(bytes, size);
	if (!disk_powered(&o))
		return -EIO;
	disk_perform(o);
	return (int)size;
}

static int resize(struct node *node, size_t size)
{
	struct operation o = { .kind = RESIZE, .node = node, .offset = size };

	if (!disk_powered(&o))
		return -EIO;
	disk_perform(o);
	return 0;
}

static int do_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	struct node *node = info && handle(info)	? handle(info)
			    : path && !is_control(path) ? node_of(path)
							: NULL;

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

	if (disk.dead)
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

	if (disk.dead || flags)
		return disk.dead ? -EIO : -EINVAL;
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
	if (!disk_powered(NULL))
		return -EIO;
	if (!disk.deaf)
		disk_synced(handle(info));
	return 0;
}

static int do_opendir(const char *path, struct fuse_file_info *info)
{
	struct node *node = disk.dead ? NULL : node_of(path);

	info->fh = (uintptr_t)node;
	return disk.dead ? -EIO : node && node->directory ? 0 : -ENOENT;
}

static int do_readdir(const char *path, void *to, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	const struct listing *names = handle(info)->names;

	(void)path;
	(void)offset;
	(void)flags;
	if (disk.dead)
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

	disk_make();
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
