/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk has room for more small frames than one; a shared body is a chunk
 * without room of its own.  A frame with a descriptor is a chunk of exactly its
 * size, and is sent by itself: the descriptor goes with its first byte.
 */
#include "daemon/core/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <prodd/error.h>

#include "daemon/util/file.h"

enum {
	chunk_room = 960,	/* with its head and malloc's about 1 KiB */
	writes_at_once = 16,
};

struct output_chunk {
	TAILQ_ENTRY(output_chunk) link;
	struct shared *shared;	/* NULL: the bytes are below */
	int fd;			/* owned: to be sent; -1: none */
	size_t sent;
	size_t size;		/* bytes in use */
	size_t room;		/* bytes allocated */
	char bytes[];
};

void output_init(struct output *output)
{
	*output = (struct output){ 0 };
	TAILQ_INIT(&output->chunks);
}

static void drop_first(struct output *output)
{
	struct output_chunk *chunk = TAILQ_FIRST(&output->chunks);

	TAILQ_REMOVE(&output->chunks, chunk, link);
	output->kept -= sizeof *chunk + chunk->room;
	if (chunk->shared) {
		output->shared--;
		shared_unref(chunk->shared);
	}
	file_close(&chunk->fd);
	free(chunk);
}

void output_clear(struct output *output)
{
	while (!TAILQ_EMPTY(&output->chunks))
		drop_first(output);
	output->pending = output->own = 0;
}

static struct output_chunk *new_chunk(struct output *output, size_t room)
{
	struct output_chunk *chunk = malloc(sizeof *chunk + room);

	if (!chunk)
		return NULL;
	*chunk = (struct output_chunk){ .room = room, .fd = -1 };
	TAILQ_INSERT_TAIL(&output->chunks, chunk, link);
	output->kept += sizeof *chunk + room;
	return chunk;
}

static void append(struct output *output, struct output_chunk *chunk, struct prodd_slice bytes)
{
	memcpy(chunk->bytes + chunk->size, bytes.at, bytes.size);
	chunk->size += bytes.size;
	output->pending += bytes.size;
	output->own += bytes.size;
}

int output_add(struct output *output, struct prodd_slice bytes)
{
	struct output_chunk *chunk = TAILQ_LAST(&output->chunks, chunk_list);

	if (!chunk || chunk->shared || chunk->room - chunk->size < bytes.size)
		chunk = new_chunk(output, bytes.size > chunk_room ? bytes.size : chunk_room);
	if (!chunk)
		return -PRODD_E_NO_MEMORY;
	append(output, chunk, bytes);
	return 0;
}

int output_add_fd(struct output *output, struct prodd_slice bytes, int fd)
{
	struct output_chunk *chunk = new_chunk(output, bytes.size);

	if (!chunk) {
		file_close(&fd);
		return -PRODD_E_NO_MEMORY;
	}
	chunk->fd = fd;
	append(output, chunk, bytes);
	return 0;
}

int output_add_shared(struct output *output, struct shared *shared)
{
	struct output_chunk *chunk;

	if (shared->size == 0)
		return 0;
	chunk = new_chunk(output, 0);
	if (!chunk)
		return -PRODD_E_NO_MEMORY;
	chunk->shared = shared_ref(shared);
	chunk->size = shared->size;
	output->pending += shared->size;
	output->shared++;
	return 0;
}

static int gather(const struct output *output, struct iovec *to)
{
	struct output_chunk *chunk;
	int count = 0;

	TAILQ_FOREACH(chunk, &output->chunks, link) {
		char *bytes = chunk->shared ? chunk->shared->bytes : chunk->bytes;

		if (chunk->fd >= 0 && count > 0)
			break;
		to[count++] = (struct iovec){ bytes + chunk->sent, chunk->size - chunk->sent };
		if (chunk->fd >= 0 || count == writes_at_once)
			break;
	}
	return count;
}

static void attach(struct msghdr *message, char *control, size_t size, int fd)
{
	struct cmsghdr *c;

	message->msg_control = control;
	message->msg_controllen = size;
	c = CMSG_FIRSTHDR(message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

static void forget(struct output *output, size_t sent)
{
	output->pending -= sent;
	while (sent > 0) {
		struct output_chunk *chunk = TAILQ_FIRST(&output->chunks);
		size_t left = chunk->size - chunk->sent;
		size_t part = sent < left ? sent : left;

		chunk->sent += part;
		sent -= part;
		if (!chunk->shared)
			output->own -= part;
		if (chunk->sent == chunk->size)
			drop_first(output);
	}
}

ssize_t output_write(struct output *output, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct output_chunk *first = TAILQ_FIRST(&output->chunks);
	struct iovec parts[writes_at_once];
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = (size_t)gather(output, parts) };
	ssize_t n;

	if (first->fd >= 0)
		attach(&message, control, sizeof control, first->fd);
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	file_close(&first->fd);
	forget(output, (size_t)n);
	return n;
}
