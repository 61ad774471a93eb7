/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to lines, for tests in other languages.
 *
 *   lines             stdin: [format, app, number, origin, record] as MessagePack, one after another, origin
 *                     and record as bin. stdout: their lines; "!WHY" for what is no record.
 *   lines --time N    nanoseconds for a record with six fields, over N of them
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proto/shm/line.h"

enum { piece = 65536, input_max = 512 << 20 };

static int read_all(struct prodd_buffer *b)
{
	for (;;) {
		char *room = prodd_buffer_extend(b, piece);
		ssize_t n = room ? read(STDIN_FILENO, room, piece) : -1;

		if (n < 0)
			return -1;
		b->size -= piece - (size_t)n;
		if (n == 0)
			return 0;
	}
}

static const char *write_one(struct prodd_cursor *c, struct prodd_buffer *out)
{
	struct prodd_slice word, app, origin_bytes, record_bytes;
	const char *why = "origin";
	enum line_format format;
	struct prodd_cursor of_origin;
	struct origin origin;
	struct record record;
	uint64_t number;
	uint32_t count;

	if (!prodd_cursor_array(c, &count) || count != 5 || !prodd_cursor_str(c, &word) ||
	    !prodd_cursor_str(c, &app) || !prodd_cursor_uint(c, &number) ||
	    !prodd_cursor_bin(c, &origin_bytes) || !prodd_cursor_bin(c, &record_bytes) ||
	    !line_format_of(word, &format))
		exit(2);
	of_origin = prodd_cursor(origin_bytes);
	if (!origin_take(&of_origin, &origin) || !record_open(record_bytes, &record, &why))
		return why;
	if (line_write(out, format, &(struct line){ app, number, &origin, &record }) < 0)
		exit(3);
	return NULL;
}

static int convert(void)
{
	prodd_auto_buffer in = { .limit = input_max }, out = { .limit = input_max };
	struct prodd_cursor c;

	if (read_all(&in) < 0)
		return 1;
	for (c = prodd_cursor(prodd_buffer_slice(&in)); c.at < c.end;) {
		const char *why = write_one(&c, &out);

		if (why) {
			prodd_buffer_append(&out, "!", 1);
			prodd_buffer_append(&out, why, strlen(why));
			prodd_buffer_append(&out, "\n", 1);
		}
	}
	return fwrite(out.at, 1, out.size, stdout) == out.size && fflush(stdout) == 0 ? 0 : 1;
}

/* ---- time */

static void pack_sample(struct prodd_buffer *b)
{
	static const char *const keys[] = { "order_id", "customer", "amount", "currency", "ok", "took_us" };

	prodd_pack_array(b, 8 + 2 * 6);
	prodd_pack_uint(b, UINT64_C(1763780531123456789));
	prodd_pack_uint(b, RECORD_INFO);
	prodd_pack_str(b, prodd_slice("checkout"));
	prodd_pack_str(b, prodd_slice("order served"));
	prodd_pack_str(b, prodd_slice("worker-3"));
	prodd_pack_str(b, prodd_slice("orders.c:88"));
	prodd_pack_nil(b);
	prodd_pack_nil(b);
	for (int i = 0; i < 6; i++) {
		prodd_pack_str(b, prodd_slice(keys[i]));
		if (i == 1 || i == 3)
			prodd_pack_str(b, prodd_slice(i == 1 ? "Example Trading Ltd." : "EUR"));
		else if (i == 2)
			prodd_pack_float(b, 129.95);
		else if (i == 4)
			prodd_pack_bool(b, true);
		else
			prodd_pack_uint(b, 4711u + (unsigned)i);
	}
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int measure(unsigned long count)
{
	prodd_auto_buffer sample = { 0 }, out = { 0 };
	struct origin origin = { .instance = prodd_slice("8080"), .pid = 4711, .ring = { "", 0 } };
	struct record record;
	double start = seconds(), opened;

	pack_sample(&sample);
	for (unsigned long i = 0; i < count; i++)
		if (!record_open(prodd_buffer_slice(&sample), &record, NULL))
			return 2;
	opened = seconds();
	for (unsigned long i = 0; i < count; i++) {
		if (out.size > 65536)
			prodd_buffer_reset(&out);
		if (line_write(&out, LINE_JSON,
			       &(struct line){ prodd_slice("orders"), i, &origin, &record }) < 0)
			return 3;
	}
	printf("%.1f ns for opening, %.1f ns for writing\n", (opened - start) * 1e9 / (double)count,
	       (seconds() - opened) * 1e9 / (double)count);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--time") == 0)
		return measure(strtoul(argv[2], NULL, 10));
	return convert();
}
