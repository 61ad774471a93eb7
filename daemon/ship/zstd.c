/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8878 by libzstd. The note is a skippable frame before the compressed one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "daemon/ship/compressor.h"

enum { piece = 65536, level = 3, skippable_head = 8 };

static const unsigned char skippable_magic[4] = { 0x50, 0x2a, 0x4d, 0x18 };

struct work {
	ZSTD_CCtx *context;
	unsigned char in[piece];
	unsigned char out[piece];
};

static int write_note(int to, const char *note, struct prodd_error *e)
{
	unsigned char frame[skippable_head + COMPRESSOR_NOTE_MAX] = { 0 };
	size_t size = strnlen(note, COMPRESSOR_NOTE_MAX - 1);

	memcpy(frame, skippable_magic, sizeof skippable_magic);
	frame[4] = (unsigned char)size;
	memcpy(frame + skippable_head, note, size);
	return compressor_write(to, frame, skippable_head + size, e);
}

static int write_out(struct work *work, int to, ZSTD_inBuffer *in, ZSTD_EndDirective mode,
		     struct prodd_error *e)
{
	size_t left;

	do {
		ZSTD_outBuffer out = { work->out, piece, 0 };
		int r;

		left = ZSTD_compressStream2(work->context, &out, in, mode);
		if (ZSTD_isError(left))
			return prodd_error_set(e, PRODD_E_FAILED, "zstd: %s", ZSTD_getErrorName(left));
		r = compressor_write(to, work->out, out.pos, e);
		if (r < 0)
			return r;
	} while (mode == ZSTD_e_end ? left > 0 : in->pos < in->size);
	return 0;
}

static int compress_all(struct work *work, int from, int to, const atomic_bool *ending, struct prodd_error *e)
{
	for (;;) {
		ssize_t n = read(from, work->in, piece);
		ZSTD_inBuffer in = { work->in, n > 0 ? (size_t)n : 0, 0 };
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return prodd_error_set(e, PRODD_E_IO, "read: %s", strerror(errno));
		if (atomic_load(ending))
			return prodd_error_set(e, PRODD_E_CLOSED, "given up: the sink ends");
		r = write_out(work, to, &in, n > 0 ? ZSTD_e_continue : ZSTD_e_end, e);
		if (r < 0 || n == 0)
			return r;
	}
}

static int zstd_compress(int from, int to, const char *note, const atomic_bool *ending, struct prodd_error *e)
{
	struct work *work = calloc(1, sizeof *work);
	int r;

	if (work)
		work->context = ZSTD_createCCtx();
	if (!work || !work->context || ZSTD_isError(ZSTD_CCtx_setParameter(work->context,
									   ZSTD_c_compressionLevel, level))) {
		r = prodd_error_set(e, PRODD_E_NO_MEMORY, "zstd");
	} else {
		ZSTD_CCtx_setParameter(work->context, ZSTD_c_checksumFlag, 1);
		r = write_note(to, note, e);
		if (r == 0)
			r = compress_all(work, from, to, ending, e);
	}
	if (work)
		ZSTD_freeCCtx(work->context);
	free(work);
	return r;
}

static bool zstd_note(int fd, char ret[COMPRESSOR_NOTE_MAX])
{
	unsigned char frame[skippable_head + COMPRESSOR_NOTE_MAX];
	ssize_t size = pread(fd, frame, sizeof frame, 0);

	memset(ret, 0, COMPRESSOR_NOTE_MAX);
	if (size < skippable_head || memcmp(frame, skippable_magic, sizeof skippable_magic) != 0 ||
	    frame[5] || frame[6] || frame[7] || frame[4] == 0 || frame[4] >= COMPRESSOR_NOTE_MAX ||
	    size < skippable_head + frame[4])
		return false;
	memcpy(ret, frame + skippable_head, frame[4]);
	return true;
}

const struct compressor compressor_zstd = {
	.name = "zstd",
	.suffix = ".zst",
	.compress = zstd_compress,
	.note = zstd_note,
};
