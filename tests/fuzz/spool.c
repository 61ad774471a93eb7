/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment of arbitrary bytes through scan, reader and writer: numbers ascend,
 * reading ends, and what a writer appends behind it is read.
 *
 *   1 byte     1: checksums are made right; 2, 4: without the first, second head; 8: nothing preallocated
 *   96 bytes   head
 *   rest       records
 *
 * The bytes between the heads, all zeros, are not part of an input.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/spool/reader.h"
#include "daemon/spool/scan.h"
#include "daemon/spool/writer.h"
#include "daemon/util/crc32c.h"
#include "daemon/util/log.h"
#include "tests/fuzz/fuzz.h"

enum {
	repaired = 1,
	no_first = 2,
	no_second = 4,
	short_file = 8,
	records_at = SPOOL_PAGE + SPOOL_HEAD,
	records_max = 65536
};

unsigned fuzz_mutations = 60;	/* files are made */

static char top[128];
static unsigned char segment[records_at + records_max + 4096];

static void make_top(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[160];

	if (top[0])
		return;
	log_open("spool", LOG_LEVEL_ERROR);
	snprintf(top, sizeof top, "%s/fuzz-XXXXXX", tmp ? tmp : "/tmp");
	FUZZ_DEMAND(mkdtemp(top));
	snprintf(path, sizeof path, "%s/x", top);
	FUZZ_DEMAND(mkdir(path, 0700) == 0);
}

static void remove_segments(int app)
{
	DIR *stream = fdopendir(dup(app));
	struct dirent *entry;

	FUZZ_DEMAND(stream);
	rewinddir(stream);
	while ((entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			unlinkat(app, entry->d_name, 0);
	closedir(stream);
}

static void put_32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t get_32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* What a checksum would find is made right, so that the rest is looked at. */
static void repair(unsigned char *head, unsigned char *records, size_t size)
{
	uint32_t seed = crc32c(0, head + 80, 8);
	size_t at = 0;

	put_32(head + 12, 0);
	put_32(head + 88, 0);
	put_32(head + 92, crc32c(0, head, 92));
	while (at + SPOOL_RECORD_HEAD <= size) {
		uint32_t length = get_32(records + at) % 4096;

		put_32(records + at, length);
		if (at + SPOOL_RECORD_HEAD + length <= size)
			put_32(records + at + 16, crc32c(seed, records + at + SPOOL_RECORD_HEAD, length));
		put_32(records + at + 20, crc32c(seed, records + at, 20));
		at += (SPOOL_RECORD_HEAD + (size_t)length + 7) / 8 * 8;
	}
}

static void put_segment(int app, const uint8_t *data, size_t size)
{
	size_t records = size - 1 - SPOOL_HEAD, whole = records_at + records;
	int fd = openat(app, "0000000000000001.seg", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memset(segment, 0, sizeof segment);
	memcpy(segment, data + 1, SPOOL_HEAD);
	memcpy(segment + records_at, data + 1 + SPOOL_HEAD, records);
	if (data[0] & repaired)
		repair(segment, segment + records_at, records);
	memcpy(segment + SPOOL_PAGE, segment, SPOOL_HEAD);
	if (data[0] & no_first)
		memset(segment, 0, SPOOL_HEAD);
	if (data[0] & no_second)
		memset(segment + SPOOL_PAGE, 0, SPOOL_HEAD);
	if (!(data[0] & short_file))
		whole += 2048;
	FUZZ_DEMAND(fd >= 0 && write(fd, segment, whole) == (ssize_t)whole);
	close(fd);
}

/* Returns how many; *ret: the last one's bytes begin with this. */
static unsigned read_all(int app, uint64_t *ret_last, bool *ret_mine)
{
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;
	unsigned count = 0;

	*ret_last = 0;
	FUZZ_DEMAND(spool_reader_open(&reader, app, 0, &e) == 0);
	while (spool_reader_next(reader, UINT64_MAX, &record, &e) > 0) {
		FUZZ_DEMAND(count == 0 || record.number > *ret_last);
		FUZZ_DEMAND(record.origin.size + record.record.size <= SPOOL_BODY_MAX);
		*ret_last = record.number;
		*ret_mine = prodd_slice_is(record.record, "mine");
		count++;
	}
	FUZZ_DEMAND(spool_reader_counts(reader)->records == count);
	spool_reader_close(reader);
	return count;
}

/* False: the numbers are used up, which is forged. */
static bool append(int directory)
{
	struct spool_record record = { 0, prodd_slice("x"), prodd_slice("mine") };
	struct spool_total total = { .policy = SPOOL_NEVER };
	struct spool_writer *w;
	struct prodd_error e;
	uint64_t first;
	unsigned taken;

	int r = spool_writer_open(&w, directory, "x", &total, &e);

	FUZZ_DEMAND(r == 0 || (r == -PRODD_E_CORRUPT && total.bytes == 0));
	if (r < 0)
		return false;
	FUZZ_DEMAND(spool_writer_append(w, &record, 1, &first, &taken, &e) == 0 && taken == 1);
	FUZZ_DEMAND(spool_writer_next(w) == first + 1);
	spool_writer_close(w);
	FUZZ_DEMAND(total.bytes == 0);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned before, after;
	int directory, app;
	bool mine = false;
	uint64_t last;

	if (size < 1 + SPOOL_HEAD || size - 1 - SPOOL_HEAD > records_max)
		return 0;
	make_top();
	directory = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	app = openat(directory, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_DEMAND(app >= 0);
	put_segment(app, data, size);
	before = read_all(app, &last, &mine);
	if (append(directory)) {
		after = read_all(app, &last, &mine);
		FUZZ_DEMAND(after == before + 1 && mine);
	}
	remove_segments(app);
	close(app);
	close(directory);
	return 0;
}
