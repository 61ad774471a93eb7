/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The size is set before the file is shared, then sealed with the seal itself:
 * no SIGBUS on either side.  ftruncate(2) beyond RLIMIT_FSIZE would
 * raise SIGXFSZ and end the program, so the limit is read before.
 */
#define _GNU_SOURCE
#include "client/region.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U		/* Linux 6.3 */
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct prodd_region *regions;

/* ---- a memfd */

static bool is_allowed(size_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	       size <= limit.rlim_cur;
}

/* A kernel that wants memfds not executable refuses others; an older one does not know the flag. */
static int memfd_new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

static int sized_and_sealed(int fd, size_t size)
{
	if (ftruncate(fd, (off_t)size) < 0)
		return -1;
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

/* -1: not; errno says why. */
static int file_new(const struct prodd_region *region)
{
	int fd, error;

	if (!is_allowed(region->size)) {
		errno = EFBIG;
		return -1;
	}
	fd = memfd_new(region->name);
	if (fd < 0 || sized_and_sealed(fd, region->size) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void note_identity(struct prodd_region *region, int fd)
{
	struct stat st = { 0 };

	fstat(fd, &st);
	region->fd = fd;
	region->inode = st.st_ino;
	region->device = st.st_dev;
}

/* ---- mapping */

/* Fresh memory at `at`, over what is there; NULL: anywhere. */
static bool map_shared(struct prodd_region *region, void *at)
{
	int fd = file_new(region), error;
	void *mapped = MAP_FAILED;

	if (fd >= 0)
		mapped = mmap(at, region->size, PROT_READ | PROT_WRITE, MAP_SHARED | (at ? MAP_FIXED : 0),
			      fd, 0);
	error = errno;
	if (mapped == MAP_FAILED) {
		if (fd >= 0)
			close(fd);
		prodd_error_set(&region->why, PRODD_E_IO, "no memory to share: %s",
				error == EFBIG ? "it is over RLIMIT_FSIZE" : strerror(error));
		return false;
	}
	region->at = mapped;
	note_identity(region, fd);
	return true;
}

static bool map_private(struct prodd_region *region, void *at)
{
	void *mapped = mmap(at, region->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);

	region->fd = -1;
	if (mapped == MAP_FAILED)
		return false;
	region->at = mapped;
	return true;
}

/* ---- in a forked child */

/* Without any memory to be had the child keeps what it inherited: of private memory a copy, else the parent's. */
static void renew(struct prodd_region *region)
{
	int inherited = prodd_region_fd(region);
	bool shared = region->fd >= 0;

	region->pid = getpid();
	if ((!shared || !map_shared(region, region->at)) && !map_private(region, region->at))
		return;
	if (inherited >= 0)
		close(inherited);
	if (region->renewed)
		region->renewed(region);
}

void prodd_region_own(struct prodd_region *region)
{
	if (region->at && region->pid != getpid())
		renew(region);
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
	for (struct prodd_region *region = regions; region; region = region->next)
		if (region->hold)
			region->hold(region);
}

static void after_fork_in_parent(void)
{
	for (struct prodd_region *region = regions; region; region = region->next)
		if (region->release)
			region->release(region);
	pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
	for (struct prodd_region *region = regions; region; region = region->next)
		renew(region);
	after_fork_in_parent();
}

static void register_handlers(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* ---- life */

int prodd_region_make(struct prodd_region *region, size_t size, bool shared, struct prodd_error *e)
{
	pthread_once(&once, register_handlers);
	region->size = size;
	region->fd = -1;
	region->pid = getpid();
	region->why = (struct prodd_error){ 0 };
	if ((!shared || !map_shared(region, NULL)) && !map_private(region, NULL))
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%zu bytes for %s", size, region->name);
	pthread_mutex_lock(&lock);
	region->next = regions;
	regions = region;
	pthread_mutex_unlock(&lock);
	return 0;
}

int prodd_region_fd(const struct prodd_region *region)
{
	struct stat st;

	if (region->fd < 0 || fstat(region->fd, &st) < 0 || st.st_ino != region->inode ||
	    st.st_dev != region->device)
		return -1;
	return region->fd;
}

static void forget(struct prodd_region *region)
{
	struct prodd_region **at = &regions;

	pthread_mutex_lock(&lock);
	while (*at && *at != region)
		at = &(*at)->next;
	if (*at)
		*at = region->next;
	pthread_mutex_unlock(&lock);
}

void prodd_region_free(struct prodd_region *region)
{
	int fd;

	if (!region || !region->at)
		return;
	forget(region);
	fd = prodd_region_fd(region);
	if (fd >= 0)
		close(fd);
	munmap(region->at, region->size);
	region->at = NULL;
	region->fd = -1;
}
