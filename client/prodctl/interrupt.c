/* SPDX-License-Identifier: Apache-2.0 */
/* The signals are blocked but inside ppoll: none is lost between a look and a wait. */
#include "config.h"

#include "client/prodctl/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "client/prodctl/moment.h"

static volatile sig_atomic_t caught;
static sigset_t outside;	/* the mask as the program got it */

static void note_signal(int number)
{
	caught = number;
}

void interrupt_begin(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction old;

		/* nohup and shells' background jobs ignore signals on purpose */
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(numbers[i], &action, NULL);
		sigaddset(&blocked, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, &outside);
}

int interrupt_poll(int fd, short events, int64_t deadline_ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	while (!caught) {
		int64_t left = deadline_ms - moment_monotonic_ms();
		struct timespec timeout;
		int r;

		if (left < 0)
			left = 0;
		timeout = (struct timespec){ .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
		r = ppoll(&p, 1, deadline_ms < 0 ? NULL : &timeout, &outside);
		if (r >= 0)
			return r > 0;
		if (errno != EINTR && errno != EAGAIN)
			return 1;	/* the read that follows names the error */
	}
	return -1;
}

int interrupt_signal(void)
{
	return caught;
}

void interrupt_end(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigaction(caught, &action, NULL);
	sigprocmask(SIG_SETMASK, &outside, NULL);
	raise(caught);
	exit(1);
}
