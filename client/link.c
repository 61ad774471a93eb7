/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect(2) on a Unix stream socket succeeds or fails at once; a full queue
 * of the listener is EAGAIN.  Sending never raises SIGPIPE.
 */
#define _GNU_SOURCE
#include "client/link.h"

#include <errno.h>
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

int prodd_link_receive(struct prodd_link *link, struct prodd_link_reader *reader, struct prodd_error *e)
{
	char chunk[16384];
	size_t taken = 0;

	while (taken < PRODD_LINK_TURN_BYTES) {
		ssize_t size = recv(link->fd, chunk, sizeof chunk, MSG_DONTWAIT);
		int r;

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

int prodd_link_flush(struct prodd_link *link, struct prodd_error *e)
{
	while (link->out.size > 0) {
		ssize_t size = send(link->fd, link->out.at, link->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return 0;
		if (size < 0)
			return prodd_error_set(e, PRODD_E_CLOSED, "connection to the daemon: %s",
					       strerror(errno));
		prodd_buffer_consume(&link->out, (size_t)size);
	}
	return 0;
}

void prodd_link_abandon(struct prodd_link *link)
{
	if (is_ours(link))
		close(link->fd);
	link->fd = -1;
}

void prodd_link_drop(struct prodd_link *link)
{
	prodd_link_abandon(link);
	prodd_deframer_clear(&link->in);
	prodd_buffer_clear(&link->out);
	prodd_link_init(link);
}
