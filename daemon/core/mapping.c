/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer's descriptor may be of anything, and asking a foreign filesystem may
 * block for ever.  F_GET_SEALS asks none, and fails for all but memfds and
 * their like: it comes first.
 */
#define _GNU_SOURCE
#define HASH_NONFATAL_OOM 1	/* one that could not be added has no table */
#include "daemon/core/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "daemon/util/file.h"

enum {
	kept_free = 64,		/* descriptors for files, helpers, the loop */
	share = 4,		/* one descriptor in so many, for each has an eventfd too and sessions need half */
};

#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define SEALS_REFUSED (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

struct mapping_owner {
	uid_t uid;
	uint64_t bytes;
	unsigned count;
	UT_hash_handle hh;
};

struct mapping_key {
	dev_t device;
	ino_t inode;
};

_Static_assert(sizeof(struct mapping_key) == sizeof(dev_t) + sizeof(ino_t), "hashed without padding");

/* ---- what it is */

static int refuse(struct prodd_error *e, const char *why)
{
	return prodd_error_set(e, PRODD_E_USAGE, "shared memory: %s", why);
}

static int check_seals(int fd, struct prodd_error *e)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return refuse(e, "the descriptor is not of a memfd");
	if ((seals & SEALS_NEEDED) != SEALS_NEEDED)
		return refuse(e, "not sealed against shrinking, growing and further seals");
	return seals & SEALS_REFUSED ? refuse(e, "sealed against writing") : 0;
}

static int check_kind(int fd, struct stat *ret, struct prodd_error *e)
{
	struct statfs fs;

	if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR)
		return refuse(e, "not open for reading and writing");
	if (fstatfs(fd, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return refuse(e, "not in ordinary pages of tmpfs");
	return fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode) ? refuse(e, "not a regular file") : 0;
}

static int check_size(const struct stat *is, uint64_t min, uint64_t max, struct prodd_error *e)
{
	uint64_t size = is->st_size < 0 ? 0 : (uint64_t)is->st_size;

	if (size >= min && size <= max && size > 0 && size % (uint64_t)sysconf(_SC_PAGESIZE) == 0)
		return 0;
	return prodd_error_set(e, PRODD_E_USAGE, "shared memory: a size of %" PRIu64 " bytes; allowed are whole pages from %"
			       PRIu64 " to %" PRIu64, size, min, max);
}

static struct mapping *find(const struct mappings *mappings, const struct mapping_key *key)
{
	struct mapping *found;

	HASH_FIND(hh, mappings->by_inode, key, sizeof *key, found);
	return found;
}

struct mapping *mapping_find(struct mappings *mappings, int fd)
{
	struct stat is;

	if (fcntl(fd, F_GET_SEALS) < 0 || fstat(fd, &is) < 0)
		return NULL;
	return find(mappings, &(struct mapping_key){ is.st_dev, is.st_ino });
}

/* ---- what a uid has */

static struct mapping_owner *owner_of(struct mappings *mappings, uid_t uid)
{
	struct mapping_owner *owner;

	HASH_FIND(hh, mappings->by_uid, &uid, sizeof uid, owner);
	return owner;
}

static struct mapping_owner *find_or_make_owner(struct mappings *mappings, uid_t uid)
{
	struct mapping_owner *owner = owner_of(mappings, uid);

	if (owner)
		return owner;
	owner = calloc(1, sizeof *owner);
	if (!owner)
		return NULL;
	owner->uid = uid;
	HASH_ADD(hh, mappings->by_uid, uid, sizeof owner->uid, owner);
	if (owner->hh.tbl)
		return owner;
	free(owner);
	return NULL;
}

static void forget_unused(struct mappings *mappings, struct mapping_owner *owner)
{
	if (owner->count > 0)
		return;
	HASH_DEL(mappings->by_uid, owner);
	free(owner);
}

/* A uid never has more than are free, so that others find room. */
static bool has_room(const struct mappings *mappings, const struct mapping_owner *owner, uint64_t size)
{
	uint64_t most = mappings->uid_max ? mappings->uid_max : MAPPINGS_UID_MAX;
	unsigned count_max = mappings->count_max ? mappings->count_max : MAPPINGS_COUNT_MAX;
	unsigned count = HASH_COUNT(mappings->by_inode);

	if (size > most || owner->bytes > most - size || owner->count >= MAPPINGS_UID_COUNT_MAX)
		return false;
	return count < count_max && owner->count < count_max - count;
}

static int charge(struct mappings *mappings, uid_t uid, uint64_t size, struct prodd_error *e)
{
	struct mapping_owner *owner = find_or_make_owner(mappings, uid);

	if (!owner)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "shared memory");
	if (!has_room(mappings, owner, size)) {
		prodd_error_set(e, PRODD_E_OVER_LIMIT, "shared memory: uid %u has %u pieces of %" PRIu64
				" bytes together, and may not have %" PRIu64 " more", (unsigned)uid, owner->count,
				owner->bytes, size);
		forget_unused(mappings, owner);
		return -PRODD_E_OVER_LIMIT;
	}
	owner->bytes += size;
	owner->count++;
	return 0;
}

static void discharge(struct mappings *mappings, uid_t uid, uint64_t size)
{
	struct mapping_owner *owner = owner_of(mappings, uid);

	owner->bytes -= size;
	owner->count--;
	forget_unused(mappings, owner);
}

void mappings_fit(struct mappings *mappings)
{
	struct rlimit limit;
	rlim_t fitting;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	fitting = limit.rlim_cur > kept_free + share ? (limit.rlim_cur - kept_free) / share : 1;
	mappings->count_max = fitting < MAPPINGS_COUNT_MAX ? (unsigned)fitting : MAPPINGS_COUNT_MAX;
}

/* ---- lifecycle */

static int map(struct mapping *m, const struct stat *is, int *fd, struct prodd_error *e)
{
	void *at = mmap(NULL, (size_t)is->st_size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);

	if (at == MAP_FAILED)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "shared memory: %s", strerror(errno));
	m->key.device = is->st_dev;
	m->key.inode = is->st_ino;
	HASH_ADD(hh, m->mappings->by_inode, key, sizeof m->key, m);
	if (!m->hh.tbl) {
		munmap(at, (size_t)is->st_size);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "shared memory");
	}
	m->at = at;
	m->size = (uint64_t)is->st_size;
	m->fd = *fd;
	*fd = -1;	/* given to the mapping */
	return 0;
}

int mapping_take(struct mapping *ret, struct mappings *mappings, int fd, uid_t uid, uint64_t min, uint64_t max,
		 struct prodd_error *e)
{
	auto_fd owned = fd;
	struct stat is;
	int r;

	*ret = (struct mapping){ .fd = -1, .uid = uid, .mappings = mappings, .kind = ret->kind };
	r = check_seals(fd, e);
	if (r == 0)
		r = check_kind(fd, &is, e);
	if (r == 0)
		r = check_size(&is, min, max, e);
	if (r < 0)
		return r;
	if (find(mappings, &(struct mapping_key){ is.st_dev, is.st_ino }))
		return prodd_error_set(e, PRODD_E_BUSY, "shared memory: it is attached already");
	r = charge(mappings, uid, (uint64_t)is.st_size, e);
	if (r < 0)
		return r;
	r = map(ret, &is, &owned, e);
	if (r < 0)
		discharge(mappings, uid, (uint64_t)is.st_size);
	return r;
}

void mapping_clear(struct mapping *mapping)
{
	if (!mapping->at)
		return;
	HASH_DEL(mapping->mappings->by_inode, mapping);
	discharge(mapping->mappings, mapping->uid, mapping->size);
	munmap(mapping->at, mapping->size);
	file_close(&mapping->fd);
	mapping->at = NULL;
	mapping->size = 0;
}

int mapping_punch(struct mapping *mapping, uint64_t from, uint64_t to)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t first, end;

	if (from > to || to > mapping->size)
		return -PRODD_E_USAGE;
	first = (from + page - 1) / page * page;
	end = to / page * page;
	if (first >= end)
		return 0;
	if (fallocate(mapping->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)first, (off_t)(end - first)) == 0)
		return 0;
	return -PRODD_E_IO;
}
