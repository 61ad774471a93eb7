/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect(2) on a Unix stream socket succeeds or fails at once; a full queue
 * of the listener is EAGAIN.  Sending never raises SIGPIPE.
 *
 * The kernel hands a descriptor over with the bytes that it was sent with, and never joins those
 * with what comes behind: a frame that brings one is sent by calls of its own.
 */
#define _GNU_SOURCE
#include "client/link.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/limits.h"

void prodd_link_init(struct prodd_link *link)
{
	*link = (struct prodd_link){ .fd = -1, .in.limit = PRODD_REPLY_MAX };
}

static int say_why(const char *path, int error, struct prodd_error *e)
{
	if (error == ENOENT || error == ENOTDIR || error == ECONNREFUSED)
		return prodd_error_set(e, PRODD_E_UNREACHABLE, "no daemon at %s", path);
	if (error == EAGAIN)
		return prodd_error_set(e, PRODD_E_UNREACHABLE, "the daemon at %s accepts no connection",
				       path);
	return prodd_error_set(e, PRODD_E_IO, "the daemon's socket %s: %s", path, strerror(error));
}

static void note_identity(struct prodd_link *link)
{
	struct stat st = { 0 };

	fstat(link->fd, &st);
	link->device = st.st_dev;
	link->inode = st.st_ino;
}

static bool is_ours(const struct prodd_link *link)
{
	struct stat st;

	return link->fd >= 0 && fstat(link->fd, &st) == 0 && st.st_dev == link->device &&
	       st.st_ino == link->inode;
}

bool prodd_link_is_up(const struct prodd_link *link)
{
	struct pollfd socket = { .fd = link->fd };

	return is_ours(link) && poll(&socket, 1, 0) >= 0 && !(socket.revents & (POLLHUP | POLLERR));
}

int prodd_link_connect(struct prodd_link *link, const char *path, struct prodd_error *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return prodd_error_set(e, PRODD_E_IO, "socket: %s", strerror(errno));
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
		int error = errno;

		close(fd);
		return say_why(path, error, e);
	}
	link->fd = fd;
	note_identity(link);
	return 0;
}

static int take_frames(struct prodd_link *link, struct prodd_slice input, struct prodd_link_reader *reader,
		       struct prodd_error *e)
{
	struct prodd_slice frame;
	int r;

	while ((r = prodd_deframe(&link->in, &input, &frame, e)) > 0) {
		r = reader->frame(reader, frame, e);
		if (r < 0)
			return r;
	}
	return r;
}

/* ---- receiving */

static int keep_descriptor(struct prodd_link *link, int fd)
{
	if (link->received_count == PRODD_LINK_DESCRIPTORS) {
		close(fd);
		return -1;
	}
	link->received[link->received_count++] = fd;
	return 0;
}

/* -1: more than ever belong to what was asked for. */
static int keep_descriptors(struct prodd_link *link, struct msghdr *message)
{
	int r = message->msg_flags & MSG_CTRUNC ? -1 : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (keep_descriptor(link, fd) < 0)
				r = -1;
		}
	}
	return r;
}

int prodd_link_take(struct prodd_link *link)
{
	int fd;

	if (link->received_count == 0)
		return -1;
	fd = link->received[0];
	link->received_count--;
	memmove(link->received, link->received + 1, link->received_count * sizeof *link->received);
	return fd;
}

/* As recv(2); -2: descriptors came that nobody asked for. */
static ssize_t receive_piece(struct prodd_link *link, char *piece, size_t size)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(PRODD_LINK_DESCRIPTORS * sizeof(int))];
	struct iovec bytes = { piece, size };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof control };
	ssize_t got = recvmsg(link->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	return got >= 0 && keep_descriptors(link, &message) < 0 ? -2 : got;
}

int prodd_link_receive(struct prodd_link *link, struct prodd_link_reader *reader, struct prodd_error *e)
{
	char chunk[16384];
	size_t taken = 0;

	while (taken < PRODD_LINK_TURN_BYTES) {
		ssize_t size = receive_piece(link, chunk, sizeof chunk);
		int r;

		if (size == -2)
			return prodd_error_set(e, PRODD_E_PROTOCOL, "the daemon sends descriptors");
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return 0;
		if (size < 0)
			return prodd_error_set(e, PRODD_E_CLOSED, "connection to the daemon: %s",
					       strerror(errno));
		if (size == 0)
			return prodd_error_set(e, PRODD_E_CLOSED, "the daemon closed the connection");
		r = take_frames(link, (struct prodd_slice){ chunk, (size_t)size }, reader, e);
		if (r < 0)
			return r;
		taken += (size_t)size;
	}
	return 0;
}

/* ---- sending */

int prodd_link_bring(struct prodd_link *link, size_t start, const struct prodd_region *region)
{
	if (link->bringer_count == PRODD_LINK_DESCRIPTORS)
		return -PRODD_E_OVER_LIMIT;
	link->bringers[link->bringer_count++] =
		(struct prodd_link_bringer){ start, link->out.size - start, region };
	return 0;
}

static ssize_t send_with(struct prodd_link *link, size_t size, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec bytes = { link->out.at, size };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(link->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Up to the next frame that brings a descriptor, or that frame, as far as the socket takes it. */
static ssize_t send_piece(struct prodd_link *link)
{
	const struct prodd_link_bringer *first = link->bringer_count > 0 ? link->bringers : NULL;
	bool brings = first && first->ahead == 0;
	size_t size = !first ? link->out.size : brings ? first->size : first->ahead;
	int fd = brings ? prodd_region_fd(first->region) : -1;

	if (fd >= 0)
		return send_with(link, size, fd);
	return send(link->fd, link->out.at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void note_sent(struct prodd_link *link, size_t size)
{
	if (link->bringer_count > 0 && link->bringers[0].ahead == 0) {
		link->bringer_count--;
		memmove(link->bringers, link->bringers + 1, link->bringer_count * sizeof *link->bringers);
	}
	for (unsigned i = 0; i < link->bringer_count; i++)
		link->bringers[i].ahead -= size;
	prodd_buffer_consume(&link->out, size);
}

int prodd_link_flush(struct prodd_link *link, struct prodd_error *e)
{
	while (link->out.size > 0) {
		ssize_t size = send_piece(link);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return 0;
		if (size < 0)
			return prodd_error_set(e, PRODD_E_CLOSED, "connection to the daemon: %s",
					       strerror(errno));
		note_sent(link, (size_t)size);
	}
	return 0;
}

/* ---- the end */

void prodd_link_abandon(struct prodd_link *link)
{
	if (is_ours(link))
		close(link->fd);
	link->fd = -1;
}

void prodd_link_drop(struct prodd_link *link)
{
	int fd;

	while ((fd = prodd_link_take(link)) >= 0)
		close(fd);
	prodd_link_abandon(link);
	prodd_deframer_clear(&link->in);
	prodd_buffer_clear(&link->out);
	prodd_link_init(link);
}
