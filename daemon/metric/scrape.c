/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metric/scrape.h"

enum {
	slice_lines = 400,	/* of text: some 30 us */
	slice_lines_gzip = 200,	/* compressing 16 KiB takes some 300 us */
	room = 16 * 1024,	/* for compressed bytes, at a time */
	level = 1,		/* metrics are so repetitive that more effort gains little */
	window_gzip = 15 + 16,	/* zlib.h: the largest window, with a gzip header */
	memory_level = 8,
};

int scrape_begin(struct scrape *ret, struct metric_source *source, enum text_format format, bool gzip,
		 struct prodd_error *e)
{
	int r;

	*ret = (struct scrape){ .gzip = gzip, .body.limit = SCRAPE_BYTES_MAX };
	r = text_begin(&ret->writer, source, (struct prodd_slice){ "", 0 }, format, e);
	if (r < 0)
		return r;
	if (gzip && deflateInit2(&ret->stream, level, Z_DEFLATED, window_gzip, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
		text_end(&ret->writer);
		ret->gzip = false;
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "compression of a scrape");
	}
	return 0;
}

/* Compresses what is in the slice, all of the stream's rest with Z_FINISH. */
static void compress_slice(struct scrape *s, int flush)
{
	z_stream *z = &s->stream;

	z->next_in = (unsigned char *)s->slice.at;
	z->avail_in = (unsigned)s->slice.size;
	do {
		unsigned char *to = (unsigned char *)prodd_buffer_extend(&s->body, room);

		if (!to)
			return;
		z->next_out = to;
		z->avail_out = room;
		deflate(z, flush);
		s->body.size -= z->avail_out;
	} while (z->avail_out == 0);
	prodd_buffer_reset(&s->slice);
}

int scrape_step(struct scrape *s)
{
	struct prodd_buffer *to = s->gzip ? &s->slice : &s->body;
	bool more = text_step(&s->writer, to, s->gzip ? slice_lines_gzip : slice_lines);

	if (to->failed)
		return to->failed;
	if (s->gzip)
		compress_slice(s, more ? Z_NO_FLUSH : Z_FINISH);
	if (s->body.failed)
		return s->body.failed;
	if (more)
		return 1;
	text_sync(&s->writer);
	text_end(&s->writer);
	return 0;
}

void scrape_clear(struct scrape *s)
{
	text_end(&s->writer);
	prodd_buffer_clear(&s->body);
	prodd_buffer_clear(&s->slice);
	if (s->gzip)
		deflateEnd(&s->stream);
	s->gzip = false;
}
