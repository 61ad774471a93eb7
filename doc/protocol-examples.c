/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages that prodd-protocol(7) shows: built by the code that also the
 * daemon and the library use, written as text and as the bytes of the frame.
 */
#include "doc/protocol-page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/head.h"

enum { line_max = 72 };

#define TEXT(literal) { literal, sizeof literal - 1 }
#define EPOCH TEXT("6f1c2a9e0b5d4c37")
#define ELEMENTS(type, buffer, ...) \
	do { \
		static const struct wire_##type elements[] = { __VA_ARGS__ }; \
		for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) \
			prodd_encode_element(buffer, &count, &wire_record_##type, &elements[i]); \
	} while (0)

/* ---- writing */

static void print_value(FILE *out, struct prodd_cursor *c);

static void print_members(FILE *out, struct prodd_cursor *c, uint32_t count, bool map)
{
	fputc(map ? '{' : '[', out);
	for (uint32_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		print_value(out, c);
		if (map) {
			fputs(": ", out);
			print_value(out, c);
		}
	}
	fputc(map ? '}' : ']', out);
}

/* One value as people write it. */
static void print_value(FILE *out, struct prodd_cursor *c)
{
	struct prodd_slice text;
	uint32_t count;
	int64_t number;
	bool flag;

	if (prodd_cursor_map(c, &count))
		print_members(out, c, count, true);
	else if (prodd_cursor_array(c, &count))
		print_members(out, c, count, false);
	else if (prodd_cursor_str(c, &text))
		fprintf(out, "\"%.*s\"", PRODD_SLICE(text));
	else if (prodd_cursor_int(c, &number))
		fprintf(out, "%" PRId64, number);
	else if (prodd_cursor_bool(c, &flag))
		fputs(flag ? "true" : "false", out);
	else
		fputs(prodd_cursor_nil(c) ? "nil" : "?", out);
}

/* One word of the dump, on a new line when it does not fit. */
static void put_word(unsigned *column, const char *word, unsigned length)
{
	if (*column > 0 && *column + 1 + length > line_max) {
		putchar('\n');
		*column = 0;
	}
	*column += (unsigned)printf("%s%.*s", *column ? " " : "", (int)length, word);
}

/* A text in lines, broken at spaces outside quotes. */
static void put_lines(const char *text)
{
	unsigned column = 0;
	bool quoted = false;
	size_t start = 0;

	for (size_t i = 0;; i++) {
		quoted ^= text[i] == '"';
		if (text[i] && (text[i] != ' ' || quoted))
			continue;
		put_word(&column, text + start, (unsigned)(i - start));
		start = i + 1;
		if (!text[i])
			break;
	}
	puts("\n");
}

static void put_value(struct prodd_slice bytes)
{
	struct prodd_cursor c = prodd_cursor(bytes);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(1);
	print_value(out, &c);
	if (fclose(out) != 0)
		exit(1);
	put_lines(text);
	free(text);
}

static void put_bytes(unsigned *column, const unsigned char *at, size_t size)
{
	char word[4];

	for (size_t i = 0; i < size; i++) {
		snprintf(word, sizeof word, "%02x", at[i]);
		put_word(column, word, 2);
	}
}

/* The bytes of a frame in hex, texts in quotes. */
static void put_frame(struct prodd_slice frame)
{
	const unsigned char *at = (const unsigned char *)frame.at;
	const unsigned char *end = at + frame.size;
	unsigned column = 0;

	put_bytes(&column, at, 4);
	at += 4;
	while (at < end) {
		struct prodd_head h;
		size_t payload;
		char word[300];

		prodd_head(at, (size_t)(end - at), &h);
		payload = prodd_head_payload(&h);
		put_bytes(&column, at, h.size);
		if (payload > 0) {
			int length = snprintf(word, sizeof word, "\"%.*s\"", (int)payload,
					      (const char *)at + h.size);

			put_word(&column, word, (unsigned)length);
		}
		at += h.size + payload;
	}
	putchar('\n');
}

static void put_example(const struct prodd_buffer *b)
{
	if (b->failed) {
		fprintf(stderr, "protocol-page: an example cannot be encoded\n");
		exit(1);
	}
	puts("```");
	put_value((struct prodd_slice){ b->at + 4, b->size - 4 });
	put_frame(prodd_buffer_slice(b));
	puts("```");
}

/* ---- the messages */

static void example_hello(struct prodd_buffer *b)
{
	prodd_auto_buffer list = { 0 };
	uint32_t count = 0;
	struct wire_hello hello = {
		.protocol = 1, .client = TEXT("orders.py 1.0"), .app = TEXT("orders"),
		.environment = TEXT("production"),
	};

	ELEMENTS(variable, &list, { .name = TEXT("APP_UPSTREAM_TIMEOUT"), .value = TEXT("3s") });
	hello.variables = prodd_list(&list, count);
	prodd_frame_call(b, 1, WIRE_M_hello, &hello);
}

static void example_welcome(struct prodd_buffer *b)
{
	static const struct wire_welcome welcome = {
		.protocol = 1, .daemon = TEXT("0.1.0"), .pid = 712, .epoch = EPOCH, .app = TEXT("orders"),
		.instance = TEXT("4711"), .environment = TEXT("production"), .served = true,
	};

	prodd_frame_answer(b, 1, &wire_record_welcome, &welcome);
}

static void example_declare(struct prodd_buffer *b)
{
	prodd_auto_buffer list = { 0 };
	uint32_t count = 0;
	struct wire_declare declare = { 0 };

	ELEMENTS(schema_key, &list,
		 { .key = TEXT("database.max_connections"), .type = TEXT("int"), .def = TEXT("\x0a"),
		  .min = TEXT("\x01") },
		 { .key = TEXT("server.port"), .type = TEXT("int"), .required = true, .restart = true });
	declare.keys = prodd_list(&list, count);
	prodd_frame_call(b, 2, WIRE_M_config_declare, &declare);
}

static void example_subscribe(struct prodd_buffer *b)
{
	static const struct wire_subscribe nothing;

	prodd_frame_call(b, 3, WIRE_M_config_subscribe, &nothing);
}

static void example_subscribed(struct prodd_buffer *b)
{
	static const struct wire_subscribed subscribed = { .state = TEXT("follows") };

	prodd_frame_answer(b, 3, &wire_record_subscribed, &subscribed);
}

static void example_apply(struct prodd_buffer *b)
{
	prodd_auto_buffer overlay = { 0 }, snapshot = { 0 };
	uint32_t count = 0;
	struct wire_apply apply = {
		.epoch = EPOCH, .generation = 17, .hash = TEXT("0cc175b9c0f1b6a8"),
		.environment = TEXT("production"),
	};

	ELEMENTS(config_entry, &overlay,
		 { .key = TEXT("upstream.timeout"), .type = TEXT("duration"),
		  .value = TEXT("\xce\xb2\xd0\x5e\x00") });
	apply.overlay = prodd_list(&overlay, count);
	count = 0;
	ELEMENTS(config_entry, &snapshot,
		 { .key = TEXT("database.max_connections"), .type = TEXT("int"), .value = TEXT("\x14") },
		 { .key = TEXT("server.port"), .type = TEXT("int"), .value = TEXT("\xcd\x1f\x90"),
		  .restart = true },
		 { .key = TEXT("upstream.timeout"), .type = TEXT("duration"),
		  .value = TEXT("\xce\x77\x35\x94\x00") });
	apply.snapshot = prodd_list(&snapshot, count);
	prodd_frame_call(b, 1, WIRE_M_config_apply, &apply);
}

static void example_applied(struct prodd_buffer *b)
{
	static const struct wire_applied applied = { .state = TEXT("applied") };

	prodd_frame_answer(b, 1, &wire_record_applied, &applied);
}

static void example_offer(struct prodd_buffer *b)
{
	prodd_auto_buffer snapshot = { 0 };
	uint32_t count = 0;
	struct wire_offer offer = {
		.txn = 41, .deadline_ms = 5000, .epoch = EPOCH, .generation = 18,
		.hash = TEXT("92eb5ffee6ae2fec"),
		.environment = TEXT("production"),
	};

	ELEMENTS(config_entry, &snapshot,
		 { .key = TEXT("database.max_connections"), .type = TEXT("int"),
		  .value = TEXT("\xcd\x01\x90") });
	offer.snapshot = prodd_list(&snapshot, count);
	prodd_frame_call(b, 2, WIRE_M_config_offer, &offer);
}

static void example_reject(struct prodd_buffer *b)
{
	static const struct wire_verdict verdict = {
		.verdict = TEXT("reject"),
		.reason = TEXT("database.max_connections: the database allows 100"),
	};

	prodd_frame_answer(b, 2, &wire_record_verdict, &verdict);
}

static void example_accept(struct prodd_buffer *b)
{
	static const struct wire_verdict verdict = { .verdict = TEXT("accept") };

	prodd_frame_answer(b, 2, &wire_record_verdict, &verdict);
}

static void example_commit(struct prodd_buffer *b)
{
	static const struct wire_commit commit = { .txn = 41, .generation = 18 };

	prodd_frame_call(b, 3, WIRE_M_config_commit, &commit);
}

static void example_kept(struct prodd_buffer *b)
{
	prodd_auto_buffer list = { 0 };
	uint32_t count = 0;
	struct wire_applied applied = { .state = TEXT("applied") };

	ELEMENTS(kept_key, &list, { .key = TEXT("server.port"), .value = TEXT("8080") });
	applied.kept = prodd_list(&list, count);
	prodd_frame_answer(b, 3, &wire_record_applied, &applied);
}

static void example_abort(struct prodd_buffer *b)
{
	static const struct wire_abort note = { .txn = 41, .reason = TEXT("rejected by orders/4711") };

	prodd_frame_note(b, WIRE_M_config_abort, &note);
}

static void example_error(struct prodd_buffer *b)
{
	static const struct prodd_error error = { PRODD_E_UNSUPPORTED, "config.shrink is not known here" };

	prodd_frame_error(b, 4, &error);
}

static const struct {
	const char *name;
	void (*make)(struct prodd_buffer *b);
} examples[] = {
	{ "hello", example_hello }, { "welcome", example_welcome }, { "declare", example_declare },
	{ "subscribe", example_subscribe }, { "subscribed", example_subscribed }, { "apply", example_apply },
	{ "applied", example_applied }, { "offer", example_offer }, { "reject", example_reject },
	{ "accept", example_accept }, { "commit", example_commit }, { "kept", example_kept },
	{ "abort", example_abort }, { "error", example_error },
};

void protocol_example(const char *name)
{
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		prodd_auto_buffer b = { 0 };

		if (strcmp(examples[i].name, name) != 0)
			continue;
		examples[i].make(&b);
		put_example(&b);
		return;
	}
	fprintf(stderr, "protocol-page: no example \"%s\"\n", name);
	exit(1);
}
