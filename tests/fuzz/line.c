/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record and its line.  The input is a record (record.h); the same bytes,
 * cut in pieces, also fill one that is well formed, so that every input gets
 * as far as the text.
 */
#include "proto/shm/line.h"
#include "proto/shm/quote.h"
#include "tests/fuzz/fuzz.h"

enum { output_max = 16 << 20 };

static void is_one_clean_line(struct prodd_slice line)
{
	FUZZ_DEMAND(prodd_is_text(line));
	FUZZ_DEMAND(line.size > 0 && line.at[line.size - 1] == '\n');
	for (size_t i = 0; i + 1 < line.size; i++)
		FUZZ_DEMAND((unsigned char)line.at[i] >= 0x20 && line.at[i] != 0x7f);
}

static void write_line(struct prodd_slice bytes, const struct origin *origin)
{
	struct record record;
	const char *why = NULL;

	if (!record_open(bytes, &record, &why)) {
		FUZZ_DEMAND(why);
		return;
	}
	for (enum line_format format = LINE_JSON; format <= LINE_LOGFMT; format++) {
		prodd_auto_buffer b = { .limit = output_max };
		struct line line = { origin->instance, record.time_ns, origin, &record };
		struct prodd_slice written;
		uint64_t number = 0;

		FUZZ_DEMAND(line_write(&b, format, &line) == 0);
		written = prodd_buffer_slice(&b);
		is_one_clean_line(written);
		FUZZ_DEMAND(line_number(written, format, &number, NULL) && number == record.time_ns);
	}
}

/* The next piece, at most `max` bytes; its first byte says how long. */
static struct prodd_slice piece(struct prodd_slice *rest, size_t max)
{
	size_t size = rest->size ? (unsigned char)*rest->at % (max + 1) : 0;
	struct prodd_slice ret;

	if (rest->size) {
		rest->at++;
		rest->size--;
	}
	ret = (struct prodd_slice){ rest->at, size < rest->size ? size : rest->size };
	rest->at += ret.size;
	rest->size -= ret.size;
	return ret;
}

static void pack_value(struct prodd_buffer *b, struct prodd_slice bytes)
{
	uint64_t bits = 0;
	double number;

	memcpy(&bits, bytes.at, bytes.size < sizeof bits ? bytes.size : sizeof bits);
	memcpy(&number, &bits, sizeof number);
	switch (bytes.size % 5) {
	case 0:
		prodd_pack_float(b, number);
		break;
	case 1:
		prodd_pack_int(b, (int64_t)bits);
		break;
	case 2:
		prodd_pack_bin(b, bytes);
		break;
	default:
		prodd_pack_str(b, bytes);
	}
}

static void in_a_good_record(struct prodd_slice rest, const struct origin *origin)
{
	prodd_auto_buffer b = { 0 };

	prodd_pack_array(&b, 8 + 2 * 5);
	prodd_pack_uint(&b, rest.size);
	prodd_pack_uint(&b, rest.size % 5);
	for (int i = 0; i < 4; i++)
		prodd_pack_str(&b, piece(&rest, 40));
	prodd_pack_nil(&b);
	prodd_pack_nil(&b);
	for (int i = 0; i < 5; i++) {
		prodd_pack_str(&b, piece(&rest, 20));
		pack_value(&b, piece(&rest, 60));
	}
	write_line(prodd_buffer_slice(&b), origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prodd_slice all = { (const char *)data, size };
	struct prodd_cursor c = prodd_cursor(all);
	struct origin origin = { .instance = { all.at, size < 64 ? size : 64 }, .pid = size };
	struct origin taken;
	uint64_t number;

	FUZZ_DEMAND(!origin_take(&c, &taken) || c.at <= c.end);
	write_line(all, &origin);
	if (size > 0)
		in_a_good_record(all, &origin);
	line_number(all, LINE_JSON, &number, NULL);
	line_number(all, LINE_LOGFMT, &number, NULL);
	return 0;
}
