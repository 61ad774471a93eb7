/* SPDX-License-Identifier: Apache-2.0 */
/* Before a byte of a spool is read. */
#include "daemon/ship/confine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { no_others = 027 };	/* files 0640, directories 0750, whatever prodd was started with */

static void take_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);	/* with fewer it works too */
	}
}

int confine_ship(unsigned first, struct prodd_error *e)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ };
	struct rlimit no_core = { 0, 0 };
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return prodd_error_set(e, PRODD_E_FAILED, "die with the parent: %s", strerror(errno));
	if (getppid() != parent)
		return prodd_error_set(e, PRODD_E_CLOSED, "the parent has gone");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return prodd_error_set(e, PRODD_E_FAILED, "no_new_privs: %s", strerror(errno));
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return prodd_error_set(e, PRODD_E_FAILED, "limit core files: %s", strerror(errno));
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	umask(no_others);
	/* of kernels that have it: there are none to be closed but by mistake */
	close_range(first, ~0u, 0);
	take_descriptors();
	return 0;
}
