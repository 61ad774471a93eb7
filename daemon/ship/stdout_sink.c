/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines to prodd's standard output, for a container.  At least once: what was
 * written to a pipe may be lost with its reader, and after a crash lines come
 * again.  But a line that was begun is always ended before anything else.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ship/sink.h"
#include "daemon/util/container.h"

enum {
	patience_ms = 1000,	/* that a reader has to make room */
	piece = 4096,		/* PIPE_BUF: a pipe that is writable takes so much without blocking */
};

struct stdout_stream;

struct stdout_sink {
	struct sink sink;
	const struct settings *settings;	/* borrowed */
	struct prodd_buffer owed;		/* owned: the rest of a line that was begun */
	struct stdout_stream *debtor;		/* borrowed: whose it is */
	uint64_t owed_number;			/* its number */
};

struct stdout_stream {
	struct stream stream;
	uint64_t number;			/* of the last line that was written whole */
};

static struct stdout_sink *sink_of(const struct stdout_stream *stream)
{
	return container_of(stream->stream.sink, struct stdout_sink, sink);
}

static struct sink *stdout_close(struct sink *sink)
{
	struct stdout_sink *s = sink ? container_of(sink, struct stdout_sink, sink) : NULL;

	if (!s)
		return NULL;
	prodd_buffer_clear(&s->owed);
	free(s);
	return NULL;
}

static int stdout_open(struct sink **ret, const struct settings *settings, struct prodd_error *e)
{
	struct stdout_sink *s = calloc(1, sizeof *s);

	if (!s)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the sink");
	s->sink.ops = &sink_stdout;
	s->settings = settings;
	*ret = &s->sink;
	return 0;
}

static int stdout_begin(struct sink *sink, const char *app, struct stream **ret, struct prodd_error *e)
{
	struct stdout_stream *stream = calloc(1, sizeof *stream);

	if (!stream)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", app);
	stream->stream.sink = sink;
	*ret = &stream->stream;
	return 0;
}

static struct stream *stdout_end(struct stream *stream)
{
	struct stdout_stream *f = stream ? container_of(stream, struct stdout_stream, stream) : NULL;

	if (f && sink_of(f)->debtor == f)
		sink_of(f)->debtor = NULL;
	free(f);
	return NULL;
}

/* Advances *bytes over what was written, also when it fails. */
static int write_some(struct prodd_slice *bytes, struct prodd_error *e)
{
	while (bytes->size > 0) {
		struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
		ssize_t n;

		if (poll(&out, 1, patience_ms) == 0)
			return prodd_error_set(e, PRODD_E_IO, "standard output: nobody reads it");
		n = write(STDOUT_FILENO, bytes->at, bytes->size < piece ? bytes->size : piece);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return prodd_error_set(e, PRODD_E_IO, "standard output: %s", strerror(errno));
		if (n > 0) {
			bytes->at += n;
			bytes->size -= (size_t)n;
		}
	}
	return 0;
}

static int pay(struct stdout_sink *s, struct prodd_error *e)
{
	struct prodd_slice owed = prodd_buffer_slice(&s->owed);
	int r = write_some(&owed, e);

	prodd_buffer_consume(&s->owed, s->owed.size - owed.size);
	if (r == 0 && s->debtor) {
		s->debtor->number = s->owed_number;
		s->debtor = NULL;
	}
	return r;
}

static int stdout_resume(struct stream *stream, const struct sink_wish *wanted, struct sink_place *ret,
			 struct prodd_error *e)
{
	struct stdout_stream *f = container_of(stream, struct stdout_stream, stream);
	int r = pay(sink_of(f), e);

	(void)wanted;
	*ret = (struct sink_place){ .number = f->number, .sure = true };
	return r;
}

/* `lines` were written up to `at`: which was the last whole one, and what is owed of the next. Without memory
 * for that the line stays torn; its record comes again. */
static void keep_account(struct stdout_stream *f, struct prodd_slice lines, size_t at)
{
	struct stdout_sink *s = sink_of(f);
	const char *newline = at > 0 ? memrchr(lines.at, '\n', at) : NULL;
	size_t whole = newline ? (size_t)(newline + 1 - lines.at) : 0;
	const char *before = whole > 1 ? memrchr(lines.at, '\n', whole - 1) : NULL;
	const char *last = before ? before + 1 : lines.at;
	const char *end = memchr(lines.at + at, '\n', lines.size - at);
	struct prodd_slice torn = { lines.at + whole,
				   (size_t)((end ? end + 1 : lines.at + lines.size) - lines.at) - whole };

	line_number((struct prodd_slice){ last, (size_t)(lines.at + whole - last) }, s->settings->format,
		    &f->number, NULL);
	if (at == whole || !line_number(torn, s->settings->format, &s->owed_number, NULL))
		return;
	if (prodd_buffer_append(&s->owed, lines.at + at, torn.size - (at - whole)) == 0)
		s->debtor = f;
	else
		prodd_buffer_reset(&s->owed);
}

static int stdout_write(struct stream *stream, struct prodd_slice lines, uint64_t last, struct prodd_error *e)
{
	struct stdout_stream *f = container_of(stream, struct stdout_stream, stream);
	struct prodd_slice left = lines;
	int r = pay(sink_of(f), e);

	if (r < 0)
		return r;
	r = write_some(&left, e);
	if (r < 0)
		keep_account(f, lines, lines.size - left.size);
	else
		f->number = last;
	return r;
}

/* Written is all that can be had. */
static int stdout_sync(struct stream *stream, struct prodd_error *e)
{
	(void)stream;
	(void)e;
	return 0;
}

const struct sink_ops sink_stdout = {
	.type = "stdout",
	.open = stdout_open,
	.close = stdout_close,
	.begin = stdout_begin,
	.end = stdout_end,
	.resume = stdout_resume,
	.write = stdout_write,
	.sync = stdout_sync,
};
