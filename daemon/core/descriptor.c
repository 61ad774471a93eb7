/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that a session sends.  One is taken with a call that attaches
 * memory, and with nothing else: the kernel hands it over with bytes of its
 * frame, before or after which other frames may lie, so it waits until the
 * bytes of that receive are used up, or the frame that they begin is whole.
 * Whatever does not fit is closed, and ends the session; so is what is no memfd,
 * before anything waits for it: closing the last descriptor of a socket may
 * block for as long as its owner has set, when that is not taken back.
 */
#define _GNU_SOURCE
#include "daemon/core/session_parts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/counters.h"
#include "daemon/util/file.h"

#define SENT_MAX 4u		/* descriptors that a session may send in its whole life */

static void refuse(struct session *session, const char *why)
{
	struct prodd_error e;

	prodd_error_set(&e, PRODD_E_PROTOCOL, "file descriptors are taken only with a frame that attaches memory: %s", why);
	session_violation(session, 0, &e, &counters.sessions_ended_descriptors);
}

/* close(2) of the last descriptor waits for unsent data with SO_LINGER (socket(7)). Of what is no socket it fails. */
static void do_not_linger(int fd)
{
	static const struct linger off;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
}

/* Keeps the first, closes the rest. Returns how many there were. */
static size_t collect(struct msghdr *message, int *ret_first)
{
	size_t all = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			do_not_linger(fd);
			if (all++ == 0)
				*ret_first = fd;
			else
				file_close(&fd);
		}
	}
	return all;
}

void descriptor_receive(struct session *session, struct msghdr *message)
{
	auto_fd fd = -1;
	size_t count = collect(message, &fd);

	if (count == 0 && !(message->msg_flags & MSG_CTRUNC))
		return;
	if (count != 1 || (message->msg_flags & MSG_CTRUNC)) {
		refuse(session, "one with each");
	} else if (!session->has_app) {
		refuse(session, "of an app that has said hello");
	} else if (fcntl(fd, F_GET_SEALS) < 0) {
		refuse(session, "of a memfd");
	} else if (session->sent_fd >= 0) {
		refuse(session, "the one before it was not taken");
	} else if (session->sent_fds == SENT_MAX) {
		refuse(session, "at most four of a session");
	} else {
		session->sent_fds++;
		session->sent_fd = fd;
		session->sent_fd_due = false;
		fd = -1;	/* given to the session */
	}
}

int descriptor_take(struct session *session)
{
	int fd = session->sent_fd;

	session->sent_fd = -1;
	return fd;
}

void descriptor_frame_done(struct session *session)
{
	if (session->sent_fd >= 0 && session->sent_fd_due)
		refuse(session, "its frame is another");
}

void descriptor_input_done(struct session *session)
{
	if (session->sent_fd < 0 || session->ending)
		return;
	if (prodd_deframer_held(&session->in) == 0)
		refuse(session, "no such frame came with it");
	else
		session->sent_fd_due = true;
}
