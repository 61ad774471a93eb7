/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays every recorded conversation of every released version: each frame
 * must arrive whole, be what its line says, decode as its record, and be
 * encoded to the same bytes again.
 *
 * A file is one connection.  A line "> call 1 hello" or "< answer 1" says what
 * the hex text below it is: ">" was sent to prodd, "<" by it; then the type,
 * the id (not of notes), and the method or "error CODE".
 */
#include <glob.h>

#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "tests/hex.h"
#include "tests/unit/suite.h"

enum { calls_max = 64, record_size_max = 1024 };

struct call {
	char direction;
	uint64_t id;
	enum wire_method method;
};

struct conversation {
	const char *path;
	int line;
	char direction;			/* of the frame at hand */
	char said[128];			/* its line */
	struct prodd_buffer bytes;
	struct call calls[calls_max];
	int call_count;
	int frames;
};

static const struct wire_record *result_of(const struct conversation *c, uint64_t id)
{
	for (int i = c->call_count; i-- > 0;)
		if (c->calls[i].direction != c->direction && c->calls[i].id == id)
			return wire_methods[c->calls[i].method].result;	/* NULL: of a method unknown here */
	ck_abort_msg("%s:%d: no call has this id", c->path, c->line);
}

static void check_sender(const struct conversation *c, const struct prodd_message *m)
{
	enum wire_sender sender = wire_methods[m->method].sender;

	if (sender != WIRE_ANY && (sender == WIRE_DAEMON) != (c->direction == '<'))
		ck_abort_msg("%s:%d: not its sender's method", c->path, c->line);
}

static void describe(const struct prodd_message *m, char *ret, size_t size)
{
	if (m->type == PRODD_NOTE)
		snprintf(ret, size, "note %.*s", PRODD_SLICE(m->name));
	else if (m->type == PRODD_CALL)
		snprintf(ret, size, "call %" PRIu64 " %.*s", m->id, PRODD_SLICE(m->name));
	else if (m->error.code)
		snprintf(ret, size, "answer %" PRIu64 " error %s", m->id, prodd_error_word(m->error.code));
	else
		snprintf(ret, size, "answer %" PRIu64, m->id);
}

static void encode_again(const struct conversation *c, const struct prodd_message *m,
			 const struct wire_record *type, const void *record)
{
	prodd_auto_buffer b = { 0 };

	if (m->type == PRODD_CALL)
		prodd_frame_call(&b, m->id, m->method, record);
	else if (m->type == PRODD_NOTE)
		prodd_frame_note(&b, m->method, record);
	else if (m->error.code)
		prodd_frame_error(&b, m->id, &m->error);
	else
		prodd_frame_answer(&b, m->id, type, record);
	if (b.failed || b.size != c->bytes.size || memcmp(b.at, c->bytes.at, b.size) != 0)
		ck_abort_msg("%s:%d: encoded to other bytes", c->path, c->line);
}

/* Decodes all lists below a record, down to the leaves. */
static void decode_lists(const struct conversation *c, const struct wire_record *type, const void *record)
{
	_Alignas(16) char element[record_size_max];
	struct prodd_error e;

	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		struct prodd_iter it;
		int r = 0;

		if (field->kind != WIRE_LIST)
			continue;
		ck_assert_uint_le(field->record->size, sizeof element);
		it = prodd_iter(
			*(const struct prodd_list *)(const void *)((const char *)record + field->offset));
		while ((r = prodd_next(&it, field->record, element, &e)) > 0)
			decode_lists(c, field->record, element);
		if (r < 0)
			ck_abort_msg("%s:%d: %s", c->path, c->line, e.text);
	}
}

static void replay_message(struct conversation *c, struct prodd_slice frame)
{
	_Alignas(16) char record[record_size_max];
	const struct wire_record *type = NULL;
	struct prodd_message m;
	struct prodd_error e;
	char is[128];

	if (prodd_message_open(frame, c->direction == '>' ? &prodd_check_received : &prodd_check_reply, &m,
			       &e) < 0)
		ck_abort_msg("%s:%d: %s", c->path, c->line, e.text);
	describe(&m, is, sizeof is);
	if (strcmp(is, c->said) != 0)
		ck_abort_msg("%s:%d: it is \"%s\"", c->path, c->line, is);
	if (m.type == PRODD_ANSWER) {
		type = result_of(c, m.id);
	} else if (m.method != WIRE_NO_METHOD) {
		check_sender(c, &m);
		type = wire_methods[m.method].params;
	}
	if (m.type == PRODD_CALL) {
		ck_assert_int_lt(c->call_count, calls_max);
		c->calls[c->call_count++] = (struct call){ c->direction, m.id, m.method };
	}
	if (m.type != PRODD_ANSWER && m.method == WIRE_NO_METHOD)
		return;
	memset(record, 0, sizeof record);
	if (!m.error.code) {
		if (!type)
			ck_abort_msg("%s:%d: a result of a method that is not known any more", c->path, c->line);
		ck_assert_uint_le(type->size, sizeof record);
		if (prodd_message_decode(&m, type, record, &e) < 0)
			ck_abort_msg("%s:%d: %s", c->path, c->line, e.text);
		decode_lists(c, type, record);
	}
	encode_again(c, &m, type, record);
}

static void replay_frame(struct conversation *c)
{
	struct prodd_deframer d = { .limit = c->direction == '>' ? PRODD_FRAME_MAX : PRODD_REPLY_MAX };
	struct prodd_slice input = prodd_buffer_slice(&c->bytes), frame;
	struct prodd_error e = { 0 };

	if (c->bytes.size == 0)
		return;
	if (prodd_deframe(&d, &input, &frame, &e) != 1 || input.size > 0)
		ck_abort_msg("%s:%d: not one whole frame: %s", c->path, c->line, e.text);
	replay_message(c, frame);
	c->frames++;
	prodd_buffer_reset(&c->bytes);
}

static void replay_line(struct conversation *c, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if ((line[0] != '>' && line[0] != '<') || line[1] != ' ') {
		if (hex_append(&c->bytes, line) > 0)
			ck_abort_msg("%s:%d: not hex text", c->path, c->line);
		return;
	}
	replay_frame(c);
	c->direction = line[0];
	snprintf(c->said, sizeof c->said, "%.120s", line + 2);
}

static int replay_file(const char *path)
{
	struct conversation c = { .path = path };
	FILE *file = fopen(path, "r");
	char line[4096];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file)) {
		c.line++;
		replay_line(&c, line);
	}
	replay_frame(&c);
	fclose(file);
	prodd_buffer_clear(&c.bytes);
	return c.frames;
}

START_TEST(every_recorded_conversation_is_still_understood)
{
	const char *srcdir = getenv("srcdir");
	char pattern[4096];
	int frames = 0;
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/tests/abi/conversations/*/*.hex", srcdir ? srcdir : ".");
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		frames += replay_file(found.gl_pathv[i]);
	globfree(&found);
	ck_assert_int_ge(frames, 60);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conversations");
	TCase *tc = tcase_create("conversations");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_recorded_conversation_is_still_understood);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
