/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end of a socket, by the kernel's word at connect:
 * SO_PEERCRED, and a pidfd by SO_PEERPIDFD (Linux 6.5), else pidfd_open()
 * re-checked against the process's start time, else none.
 *
 * The overflow id 65534 is nobody: it matches no policy.  A peer of a foreign
 * pid namespace has pid 0: it is served by its uid, without a unit.
 */
#ifndef PRODD_CORE_IDENTITY_H
#define PRODD_CORE_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include <prodd/error.h>

#define IDENTITY_UNIT_MAX 256

struct identity {
	uid_t uid;
	gid_t gid;
	pid_t pid;			/* 0: foreign pid namespace */
	int pidfd;			/* owned; -1: none */
	char unit[IDENTITY_UNIT_MAX];	/* "orders@8080.service" in a system, non-delegated slice; else "" */
	char user[64];			/* name of uid; its number when it has none */
};

/* Where identity comes from; the real one asks the kernel and systemd's cgroups, tests force fallbacks. */
struct identity_source {
	int (*peercred)(int fd, struct identity *ret);		/* 0 or -errno */
	int (*peerpidfd)(int fd);				/* descriptor, or -errno (ENOPROTOOPT, ENODATA ...) */
	int (*open_pidfd)(pid_t pid);				/* descriptor, or -errno */
	int (*start_time)(pid_t pid, unsigned long long *ret);	/* field 22 of /proc/PID/stat */
	int (*unit)(pid_t pid, char *ret, size_t size);		/* 0 with the unit, or -errno: none counts */
};

extern const struct identity_source identity_kernel;

/* The unit of a cgroup path ("/system.slice/orders.service") when it is a service directly in a system slice,
 * and the process stands in the unit's own cgroup, not in a delegated one below. Pure. */
int identity_unit_of_cgroup(const char *path, char *ret, size_t size);

int identity_read(int fd, const struct identity_source *source, struct identity *ret, struct prodd_error *e);
void identity_clear(struct identity *identity);

bool identity_is_nobody(const struct identity *identity);

/* Is `identity` a member of the group, primary or by the group database? Blocking look-ups are cached by the caller. */
bool identity_in_group(const struct identity *identity, const char *group);

#endif
