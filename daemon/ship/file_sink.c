/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file for each app, each record in it exactly once: the last line says how
 * far it is.  Nothing is said to be shipped before it is synced; after a crash
 * or an error the file itself is asked, and a torn end is cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/ship/last.h"
#include "daemon/ship/log_file.h"
#include "daemon/ship/sink.h"
#include "daemon/ship/tidy.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"

enum { directory_mode = 0750 };

struct file_sink {
	struct sink sink;
	const struct settings *settings;	/* borrowed */
	int directory;				/* owned; -1: to be opened */
	struct tidy *tidy;			/* owned */
};

struct file_stream {
	struct stream stream;
	struct log_file file;
};

static struct file_sink *sink_of(const struct file_stream *stream)
{
	return container_of(stream->stream.sink, struct file_sink, sink);
}

/* ---- the sink */

static struct sink *file_close_sink(struct sink *sink)
{
	struct file_sink *s = sink ? container_of(sink, struct file_sink, sink) : NULL;

	if (!s)
		return NULL;
	tidy_free(s->tidy);
	file_close(&s->directory);
	free(s);
	return NULL;
}

static int file_open_sink(struct sink **ret, const struct settings *settings, struct prodd_error *e)
{
	struct file_sink *s;
	int r;

	if (settings->directory[0] != '/')
		return prodd_error_set(e, PRODD_E_INVALID, "directory \"%s\" is not an absolute path",
				       settings->directory);
	s = calloc(1, sizeof *s);
	if (!s)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the sink");
	s->sink.ops = &sink_file;
	s->settings = settings;
	s->directory = -1;
	r = tidy_new(&s->tidy, settings, e);
	if (r < 0)
		file_close_sink(&s->sink);
	else
		*ret = &s->sink;
	return r;
}

/* It may have been away, with its disk, and another one may be there now. */
static int open_directory(struct file_sink *s, struct prodd_error *e)
{
	if (s->directory >= 0)
		return 0;
	s->directory = file_make_directory(AT_FDCWD, s->settings->directory, directory_mode, e);
	return s->directory < 0 ? -e->code : 0;
}

/* ---- a stream */

static int file_begin(struct sink *sink, const char *app, struct stream **ret, struct prodd_error *e)
{
	struct file_sink *s = container_of(sink, struct file_sink, sink);
	struct file_stream *stream = calloc(1, sizeof *stream);
	int r;

	if (!stream)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", app);
	stream->stream.sink = sink;
	r = log_file_init(&stream->file, app, s->settings->format, e);
	if (r < 0)
		free(stream);
	else
		*ret = &stream->stream;
	return r;
}

static struct stream *file_end(struct stream *stream)
{
	struct file_stream *f = stream ? container_of(stream, struct file_stream, stream) : NULL;

	if (!f)
		return NULL;
	log_file_close(&f->file);
	free(f);
	return NULL;
}

static void file_rest(struct stream *stream)
{
	log_file_close(&container_of(stream, struct file_stream, stream)->file);
}

/* After a failure the directory is opened anew too. */
static int give_up(struct file_stream *f, int r)
{
	log_file_close(&f->file);
	file_close(&sink_of(f)->directory);
	return r;
}

static int resume(struct file_stream *f, const struct tail_wish *wish, struct tail *ret,
		  struct prodd_error *e)
{
	struct file_sink *s = sink_of(f);
	int r = open_directory(s, e);

	*ret = (struct tail){ 0 };
	log_file_close(&f->file);
	if (r == 0)
		r = log_file_open(&f->file, s->directory, false, e);
	if (r == 0)
		r = log_file_repair(&f->file, s->directory, wish, ret, e);
	if (r == 0 && ret->number > 0)
		return 0;
	if (r == 0 || r == -PRODD_E_NOT_FOUND)
		r = last_rotated(s->directory, f->file.name, wish->format, wish->last, ret, e);
	return r;
}

static int file_resume(struct stream *stream, const struct sink_wish *wanted, struct sink_place *ret,
		       struct prodd_error *e)
{
	struct file_stream *f = container_of(stream, struct file_stream, stream);
	struct tail_wish wish = { sink_of(f)->settings->format, wanted->cursor, wanted->last,
				 wanted->repair };
	struct tail tail;
	int r = resume(f, &wish, &tail, e);

	if (r < 0)
		return give_up(f, r);
	*ret = (struct sink_place){ .number = tail.number, .sure = wanted->cursor > 0, .check = tail.check,
				    .damaged = tail.damaged, .before = tail.before };
	memcpy(ret->check_time, tail.check_time, sizeof ret->check_time);
	tidy_look(sink_of(f)->tidy, f->file.name);
	return 0;
}

static int rotate(struct file_stream *f, struct prodd_error *e)
{
	struct file_sink *s = sink_of(f);
	int r = f->file.size > 0 ? log_file_rotate(&f->file, s->directory, e) : 0;

	if (r == 0)
		tidy_look(s->tidy, f->file.name);
	return r;
}

static bool is_old(const struct file_stream *f)
{
	uint64_t age_s = sink_of(f)->settings->wire.rotate_age_s;

	return age_s > 0 && f->file.size > 0 && clock_wall_ms() / 1000 >= f->file.born_s + age_s;
}

static int write_lines(struct file_stream *f, struct prodd_slice lines, struct prodd_error *e)
{
	struct file_sink *s = sink_of(f);
	uint64_t most = s->settings->wire.rotate_size;
	int r = open_directory(s, e);

	if (r == 0)
		r = log_file_open(&f->file, s->directory, true, e);
	if (r == 0 && f->file.size > 0 && ((most > 0 && f->file.size + lines.size > most) || is_old(f))) {
		r = rotate(f, e);
		if (r == 0)
			r = log_file_open(&f->file, s->directory, true, e);
	}
	return r < 0 ? r : log_file_append(&f->file, lines, e);
}

static int file_write(struct stream *stream, struct prodd_slice lines, uint64_t last, struct prodd_error *e)
{
	struct file_stream *f = container_of(stream, struct file_stream, stream);
	int r = write_lines(f, lines, e);

	(void)last;	/* it is in the last line */
	return r < 0 ? give_up(f, r) : 0;
}

/* Closed: it was rotated or moved away, and synced then. */
static int file_sync(struct stream *stream, struct prodd_error *e)
{
	struct file_stream *f = container_of(stream, struct file_stream, stream);
	struct file_sink *s = sink_of(f);
	int r;

	if (f->file.fd < 0)
		return 0;
	r = open_directory(s, e);
	if (r == 0)
		r = log_file_sync(&f->file, s->directory, e);
	return r < 0 ? give_up(f, r) : 0;
}

static int rotate_if(struct file_stream *f, bool old_only, struct prodd_error *e)
{
	struct file_sink *s = sink_of(f);
	int r = open_directory(s, e);

	if (r == 0)
		r = log_file_open(&f->file, s->directory, false, e);
	if (r == 0 && (!old_only || is_old(f)))
		r = rotate(f, e);
	if (r < 0 && r != -PRODD_E_NOT_FOUND)
		return give_up(f, r);
	return 0;
}

static int file_rotate(struct stream *stream, struct prodd_error *e)
{
	return rotate_if(container_of(stream, struct file_stream, stream), false, e);
}

static int file_tend(struct stream *stream, struct prodd_error *e)
{
	struct file_stream *f = container_of(stream, struct file_stream, stream);

	return is_old(f) ? rotate_if(f, true, e) : 0;
}

const struct sink_ops sink_file = {
	.type = "file",
	.open = file_open_sink,
	.close = file_close_sink,
	.begin = file_begin,
	.end = file_end,
	.resume = file_resume,
	.write = file_write,
	.sync = file_sync,
	.rotate = file_rotate,
	.tend = file_tend,
	.rest = file_rest,
};
