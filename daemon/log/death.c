/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc(5): field 52 of /proc/PID/stat is the exit code in the form of waitpid(2), for those
 * who may look.  pidfd_open(2): PIDFD_GET_INFO with PIDFD_INFO_EXIT.
 */
#define _GNU_SOURCE
#include "daemon/log/death.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { field_state = 3, field_started = 22, field_exit_code = 52 };

/* linux/pidfd.h of Linux 6.15, which headers older than the kernel do not have. The size is part of the
 * request's number: 64 bytes, the first version. */
struct pidfd_info_64 {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};

_Static_assert(sizeof(struct pidfd_info_64) == 64, "PIDFD_GET_INFO takes 64 bytes");

#define PIDFD_INFO_OF_EXIT (UINT64_C(1) << 3)
#define PIDFD_GET_INFO_64 _IOWR(0xFF, 11, struct pidfd_info_64)

bool death_has_come(int pidfd)
{
	struct pollfd look = { .fd = pidfd, .events = POLLIN };

	return pidfd >= 0 && poll(&look, 1, 0) > 0 && look.revents != 0;
}

/* ---- /proc */

/* The text of a numbered field; NULL: none. `stat` is changed. */
static const char *field_of(char *stat, int number)
{
	char *at = strrchr(stat, ')'), *save = NULL, *word;

	if (!at)
		return NULL;
	word = strtok_r(at + 1, " \n", &save);
	for (int field = field_state; word && field < number; field++)
		word = strtok_r(NULL, " \n", &save);
	return word;
}

static bool read_stat(pid_t pid, char *ret, size_t size)
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, ret, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	return true;
}

unsigned long long death_started(pid_t pid)
{
	char stat[1024];
	const char *word;

	if (pid <= 0 || !read_stat(pid, stat, sizeof stat))
		return 0;
	word = field_of(stat, field_started);
	return word ? strtoull(word, NULL, 10) : 0;
}

/* A status of 0 may also mean that we may not know. */
static bool status_of_zombie(pid_t pid, unsigned long long started, int *ret)
{
	char stat[1024], copy[1024];
	const char *word;

	if (pid <= 0 || started == 0 || !read_stat(pid, stat, sizeof stat))
		return false;
	strcpy(copy, stat);
	word = field_of(copy, field_started);
	if (!word || strtoull(word, NULL, 10) != started)
		return false;
	word = field_of(stat, field_exit_code);
	*ret = word ? atoi(word) : 0;
	return *ret != 0;
}

/* ---- the kernel's word */

static bool status_of_pidfd(int pidfd, int *ret)
{
	struct pidfd_info_64 info = { .mask = PIDFD_INFO_OF_EXIT };

	if (pidfd < 0 || ioctl(pidfd, PIDFD_GET_INFO_64, &info) < 0 || !(info.mask & PIDFD_INFO_OF_EXIT))
		return false;
	*ret = info.exit_code;
	return true;
}

void death_word(int pidfd, pid_t pid, unsigned long long started, char ret[DEATH_WORD_MAX])
{
	const char *name;
	int status;

	if (!status_of_pidfd(pidfd, &status) && !status_of_zombie(pid, started, &status)) {
		snprintf(ret, DEATH_WORD_MAX, "unknown");
	} else if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		if (name)
			snprintf(ret, DEATH_WORD_MAX, "SIG%s", name);
		else
			snprintf(ret, DEATH_WORD_MAX, "signal %d", WTERMSIG(status));
	} else if (WEXITSTATUS(status) == 0) {
		ret[0] = '\0';
	} else {
		snprintf(ret, DEATH_WORD_MAX, "exit %d", WEXITSTATUS(status));
	}
}
