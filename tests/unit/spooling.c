/* SPDX-License-Identifier: Apache-2.0 */
/* A text is its token, its size and bytes that a generator makes of the token. */
#define _GNU_SOURCE
#include "tests/unit/spooling.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/file.h"
#include "daemon/util/log.h"
#include "proto/buffer.h"
#include "tests/dice.h"

#define DEMAND(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* ---- the directory */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void remove_all(const char *top)
{
	DEMAND(nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

void spooling_begin(struct spooling *s)
{
	const char *tmp = getenv("TMPDIR");

	log_open("spool", LOG_LEVEL_ERROR);
	*s = (struct spooling){ .app = -1, .total.policy = SPOOL_INTERVAL, .ring = 1 };
	snprintf(s->top, sizeof s->top, "%s/spool-XXXXXX", tmp ? tmp : "/tmp");
	DEMAND(mkdtemp(s->top));
	s->directory = open(s->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DEMAND(s->directory >= 0);
}

void spooling_end(struct spooling *s)
{
	spooling_close(s);
	DEMAND(s->total.bytes == 0);
	file_close(&s->app);
	file_close(&s->directory);
	remove_all(s->top);
}

static void open_app(struct spooling *s)
{
	if (s->app < 0)
		s->app = openat(s->directory, "orders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DEMAND(s->app >= 0);
}

void spooling_open(struct spooling *s)
{
	struct prodd_error e;
	int r = spool_writer_open(&s->writer, s->directory, "orders", &s->total, &e);

	if (r < 0)
		fprintf(stderr, "%s\n", e.text);
	DEMAND(r == 0);
	open_app(s);
}

void spooling_close(struct spooling *s)
{
	s->writer = spool_writer_close(s->writer);
}

/* ---- records */

char *spooling_text(uint64_t token, size_t size, size_t *ret_size)
{
	struct dice d = { token ^ UINT64_C(0x5eed) };
	char head[48];
	int length = snprintf(head, sizeof head, "%020llu %010zu ", (unsigned long long)token, size);
	size_t whole = size > (size_t)length ? size : (size_t)length;
	char *text = malloc(whole);

	DEMAND(text);
	memcpy(text, head, (size_t)length);
	for (size_t i = (size_t)length; i < whole; i++)
		text[i] = (char)(i % 8 ? dice_next(&d) : 0);
	*ret_size = whole;
	return text;
}

static void pack_origin(struct prodd_buffer *b, const struct spooling *s, uint64_t end)
{
	char ring[16] = { (char)s->ring, (char)(s->ring >> 8) };

	origin_pack(b, &(struct origin){
			       prodd_slice("8080"), 4711, 1000, { ring, sizeof ring }, end, { NULL, 0 } });
}

static int append(struct spooling *s, uint64_t token, unsigned count, size_t size, uint64_t *ret_first,
		  unsigned *ret_taken, struct prodd_error *e)
{
	struct spool_record *records = calloc(count, sizeof *records);
	struct prodd_buffer *origins = calloc(count, sizeof *origins);
	int r;

	DEMAND(records && origins);
	for (unsigned i = 0; i < count; i++) {
		size_t whole;

		pack_origin(&origins[i], s, s->end + (i + 1) * 64);
		records[i].record.at = spooling_text(token + i, size, &whole);
		records[i].record.size = whole;
		records[i].origin = prodd_buffer_slice(&origins[i]);
	}
	r = spool_writer_append(s->writer, records, count, ret_first, ret_taken, e);
	s->end += *ret_taken * 64;
	for (unsigned i = 0; i < count; i++) {
		free((char *)records[i].record.at);
		prodd_buffer_clear(&origins[i]);
	}
	free(records);
	free(origins);
	return r;
}

int spooling_append(struct spooling *s, uint64_t token, size_t size, uint64_t *ret_number)
{
	struct prodd_error e;
	uint64_t first;
	unsigned taken;
	int r = append(s, token, 1, size, &first, &taken, &e);

	if (ret_number)
		*ret_number = first;
	DEMAND(r < 0 || taken == 1);
	return r;
}

void spooling_append_many(struct spooling *s, uint64_t token, unsigned count, size_t size)
{
	struct prodd_error e = { 0 };
	unsigned taken;
	uint64_t first;

	if (append(s, token, count, size, &first, &taken, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	DEMAND(taken == count);
}

uint64_t spooling_token(const struct spool_record *record)
{
	unsigned long long token;
	size_t size, whole;
	char *text, head[33] = { 0 };

	DEMAND(record->record.size >= 32);
	memcpy(head, record->record.at, 32);
	DEMAND(sscanf(head, "%20llu %10zu ", &token, &size) == 2);
	text = spooling_text(token, size, &whole);
	DEMAND(whole == record->record.size && memcmp(text, record->record.at, whole) == 0);
	free(text);
	return token;
}

unsigned spooling_read(struct spooling *s, uint64_t from, uint64_t *tokens, unsigned max,
		       struct spool_reading_counts *ret_counts)
{
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;
	uint64_t last = 0;
	unsigned count = 0;

	open_app(s);
	DEMAND(spool_reader_open(&reader, s->app, from, &e) == 0);
	while (spool_reader_next(reader, UINT64_MAX, &record, &e) == 1) {
		DEMAND(record.number > last && record.number >= from);
		last = record.number;
		DEMAND(count < max);
		tokens[count++] = spooling_token(&record);
	}
	if (ret_counts)
		*ret_counts = *spool_reader_counts(reader);
	spool_reader_close(reader);
	return count;
}

/* ---- files */

static int is_segment(const struct dirent *entry)
{
	return strlen(entry->d_name) == 20 && strcmp(entry->d_name + 16, ".seg") == 0;
}

static unsigned list(const struct spooling *s, int wanted, char path[256])
{
	struct dirent **names;
	char directory[160];
	int count;

	snprintf(directory, sizeof directory, "%s/orders", s->top);
	count = scandir(directory, &names, is_segment, alphasort);
	DEMAND(count >= 0 && wanted < count);
	for (int i = 0; i < count; i++) {
		if (i == wanted)
			snprintf(path, 256, "%s/%.20s", directory, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return (unsigned)count;
}

void spooling_segment(const struct spooling *s, unsigned i, char path[256])
{
	list(s, (int)i, path);
}

unsigned spooling_segments(const struct spooling *s)
{
	return list(s, -1, NULL);
}

unsigned char *spooling_load(const char *path, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char *bytes;
	struct stat st;

	DEMAND(fd >= 0 && fstat(fd, &st) == 0);
	bytes = malloc((size_t)st.st_size + 1);
	DEMAND(bytes && read(fd, bytes, (size_t)st.st_size) == st.st_size);
	close(fd);
	*ret_size = (size_t)st.st_size;
	return bytes;
}

void spooling_store(const char *path, const void *bytes, size_t size)
{
	int fd;

	unlink(path);	/* some file systems flush what is truncated */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	DEMAND(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}
