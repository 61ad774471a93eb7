/* SPDX-License-Identifier: Apache-2.0 */
/* One process, one epoll, no parsing: a message is whatever one read returns. */
#include "tests/bench/bare.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { clients_max = 2048 };

struct bare {
	int listener;
	int epoll;
	int clients[clients_max];
	unsigned count;
	int asker;		/* who asked for the fan-out; -1: nobody */
	unsigned phase;
	unsigned replies;
	unsigned fan;
	char bytes[65536];
};

static void add(struct bare *b, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* A client that has gone is noticed when it is read from. */
static void say(int fd, const char *bytes, size_t size)
{
	if (send(fd, bytes, size, MSG_NOSIGNAL) < 0)
		return;
}

static void fan_out(struct bare *b, size_t size)
{
	b->replies = 0;
	for (unsigned i = 0; i < b->count; i++)
		if (b->clients[i] != b->asker)
			say(b->clients[i], b->bytes, size);
}

static void handle(struct bare *b, int fd)
{
	ssize_t n = read(fd, b->bytes, sizeof b->bytes);

	if (n <= 0) {
		close(fd);
		for (unsigned i = 0; i < b->count; i++)
			if (b->clients[i] == fd)
				b->clients[i] = b->clients[--b->count];
	} else if (b->asker < 0 && n == 1 && b->bytes[0] == 'F') {
		b->asker = fd;
		b->phase = 0;
		fan_out(b, b->fan);
	} else if (b->asker >= 0) {
		if (++b->replies < b->count - 1)
			return;
		if (b->phase++ == 0) {
			fan_out(b, 64);
		} else {
			say(b->asker, "F", 1);
			b->asker = -1;
		}
	} else {
		say(fd, b->bytes, (size_t)n);
	}
}

static void serve(struct bare *b)
{
	struct epoll_event events[64];

	for (;;) {
		int n = epoll_wait(b->epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd != b->listener) {
				handle(b, events[i].data.fd);
				continue;
			}
			b->clients[b->count] = accept(b->listener, NULL, NULL);
			add(b, b->clients[b->count++]);
		}
	}
}

pid_t bare_begin(const char *path, unsigned fan)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct bare *b = calloc(1, sizeof *b);
	pid_t pid;

	if (!b)
		die("calloc");
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	unlink(path);
	b->fan = fan;
	b->asker = -1;
	b->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	b->epoll = epoll_create1(0);
	if (bind(b->listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(b->listener, 4096) < 0)
		die(path);
	add(b, b->listener);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(b);
	}
	close(b->listener);
	close(b->epoll);
	free(b);
	return pid;
}

void bare_finish(pid_t pid, const char *path)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
}
