/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 1952 by zlib. The note is the header's comment. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "daemon/ship/compressor.h"

enum { piece = 65536, gzip_bits = 15 + 16, level = 6, memory = 8 };

struct work {
	z_stream stream;
	gz_header header;
	unsigned char in[piece];
	unsigned char out[piece];
};

static int write_out(struct work *work, int to, int flush, struct prodd_error *e)
{
	do {
		int r;

		work->stream.next_out = work->out;
		work->stream.avail_out = piece;
		if (deflate(&work->stream, flush) == Z_STREAM_ERROR)
			return prodd_error_set(e, PRODD_E_FAILED, "deflate");
		r = compressor_write(to, work->out, piece - work->stream.avail_out, e);
		if (r < 0)
			return r;
	} while (work->stream.avail_out == 0);
	return 0;
}

static int deflate_all(struct work *work, int from, int to, const atomic_bool *ending, struct prodd_error *e)
{
	for (;;) {
		ssize_t n = read(from, work->in, piece);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return prodd_error_set(e, PRODD_E_IO, "read: %s", strerror(errno));
		if (atomic_load(ending))
			return prodd_error_set(e, PRODD_E_CLOSED, "given up: the sink ends");
		work->stream.next_in = work->in;
		work->stream.avail_in = (unsigned)n;
		r = write_out(work, to, n > 0 ? Z_NO_FLUSH : Z_FINISH, e);
		if (r < 0 || n == 0)
			return r;
	}
}

static int gzip_compress(int from, int to, const char *note, const atomic_bool *ending, struct prodd_error *e)
{
	struct work *work = calloc(1, sizeof *work);
	int r;

	if (!work || deflateInit2(&work->stream, level, Z_DEFLATED, gzip_bits, memory,
				  Z_DEFAULT_STRATEGY) != Z_OK) {
		free(work);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "gzip");
	}
	work->header.os = 255;		/* unknown */
	work->header.comment = (Bytef *)(uintptr_t)note;	/* only read */
	deflateSetHeader(&work->stream, &work->header);
	r = deflate_all(work, from, to, ending, e);
	deflateEnd(&work->stream);
	free(work);
	return r;
}

static bool gzip_note(int fd, char ret[COMPRESSOR_NOTE_MAX])
{
	unsigned char in[512], out[64];
	ssize_t size = pread(fd, in, sizeof in, 0);
	gz_header header = { .comment = (Bytef *)ret, .comm_max = COMPRESSOR_NOTE_MAX - 1 };
	z_stream stream = { .next_in = in, .avail_in = size > 0 ? (unsigned)size : 0,
			    .next_out = out, .avail_out = sizeof out };

	memset(ret, 0, COMPRESSOR_NOTE_MAX);
	if (size <= 0 || inflateInit2(&stream, gzip_bits) != Z_OK)
		return false;
	inflateGetHeader(&stream, &header);
	inflate(&stream, Z_BLOCK);
	inflateEnd(&stream);
	return header.done == 1 && header.comment && ret[0];
}

const struct compressor compressor_gzip = {
	.name = "gzip",
	.suffix = ".gz",
	.compress = gzip_compress,
	.note = gzip_note,
};
