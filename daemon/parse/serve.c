/* SPDX-License-Identifier: Apache-2.0 */
/* The parent is trusted; what it hands over is not, and goes through the same pre-check as any frame. */
#include "daemon/parse/serve.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/parse/parse.h"
#include "proto/frame.h"
#include "proto/limits.h"

enum { chunk = 65536 };

/* The frame is borrowed from `deframer`. */
static int receive(int fd, struct prodd_deframer *deframer, struct prodd_slice *ret, struct prodd_error *e)
{
	char bytes[chunk];

	for (;;) {
		struct prodd_slice input;
		ssize_t n = read(fd, bytes, sizeof bytes);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return prodd_error_set(e, PRODD_E_IO, "read the call: %s", strerror(errno));
		if (n == 0)
			return prodd_error_set(e, PRODD_E_CLOSED, "the call ended before it was whole");
		input = (struct prodd_slice){ bytes, (size_t)n };
		r = prodd_deframe(deframer, &input, ret, e);
		if (r != 0)
			return r;
	}
}

static int send_all(int fd, const struct prodd_buffer *b, struct prodd_error *e)
{
	for (size_t sent = 0; sent < b->size;) {
		ssize_t n = send(fd, b->at + sent, b->size - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return prodd_error_set(e, PRODD_E_IO, "send the answer: %s", strerror(errno));
		sent += (size_t)n;
	}
	return 0;
}

static int answer(const struct prodd_message *m, struct prodd_buffer *out)
{
	struct parse_result result = { 0 };
	struct wire_parse request;
	struct prodd_error e;
	int r;

	r = prodd_message_decode(m, &wire_record_parse, &request, &e);
	if (r == 0)
		r = parse_run(&request, NULL, &result, &e);
	if (r < 0)
		return prodd_frame_error(out, m->id, &e);
	r = prodd_frame_answer(out, m->id, &wire_record_parsed, &result.parsed);
	parse_result_clear(&result);
	return r;
}

int serve_one(int fd, struct prodd_error *e)
{
	struct prodd_deframer deframer = { .limit = PRODD_REPLY_MAX };
	prodd_auto_buffer out = { .limit = PRODD_REPLY_MAX + PRODD_FRAME_HEADER };
	struct prodd_message m;
	struct prodd_slice frame;
	int r;

	r = receive(fd, &deframer, &frame, e);
	if (r > 0)
		r = prodd_message_open(frame, &prodd_check_reply, &m, e);
	if (r == 0 && (m.type != PRODD_CALL || m.method != WIRE_M_parse))
		r = prodd_error_set(e, PRODD_E_UNSUPPORTED, "expected the call parse");
	if (r == 0) {
		r = answer(&m, &out);
		if (r < 0)
			prodd_error_set(e, -r, "the answer");
	}
	prodd_deframer_clear(&deframer);
	return r < 0 ? r : send_all(fd, &out, e);
}
