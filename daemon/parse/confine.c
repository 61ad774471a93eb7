/* SPDX-License-Identifier: Apache-2.0 */
/* A parser may be led astray; then it must hurt nobody and end soon. */
#include "daemon/parse/confine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int limit(int resource, const char *name, rlim_t most, struct prodd_error *e)
{
	struct rlimit now, wanted = { most, most };

	if (getrlimit(resource, &now) == 0 && now.rlim_max < most)
		wanted.rlim_cur = wanted.rlim_max = now.rlim_max;	/* somebody was stricter */
	if (setrlimit(resource, &wanted) < 0)
		return prodd_error_set(e, PRODD_E_FAILED, "limit %s: %s", name, strerror(errno));
	return 0;
}

static int confine(struct prodd_error *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return prodd_error_set(e, PRODD_E_FAILED, "no_new_privs: %s", strerror(errno));
	if (!SANITIZED && limit(RLIMIT_AS, "memory", CONFINE_MEMORY, e) < 0)
		return -PRODD_E_FAILED;
	if (limit(RLIMIT_CORE, "core files", 0, e) < 0 ||
	    limit(RLIMIT_CPU, "processor time", SANITIZED ? 10 * CONFINE_CPU : CONFINE_CPU, e) < 0)
		return -PRODD_E_FAILED;
	return 0;
}

int confine_helper(struct prodd_error *e)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return prodd_error_set(e, PRODD_E_FAILED, "die with the parent: %s", strerror(errno));
	if (getppid() != parent)
		return prodd_error_set(e, PRODD_E_CLOSED, "the parent has gone");
	signal(SIGXFSZ, SIG_IGN);	/* a message to a stderr that is a file fails, and no more */
	if (limit(RLIMIT_NOFILE, "open files", SANITIZED ? 64 : CONFINE_FILES, e) < 0 ||
	    limit(RLIMIT_FSIZE, "files", 0, e) < 0)
		return -PRODD_E_FAILED;
	return confine(e);
}

int confine_command(struct prodd_error *e)
{
	return confine(e);
}
