/* SPDX-License-Identifier: Apache-2.0 */
/* Sending may block: prodd reads what its helpers say before anything else, and never waits for them. */
#include "daemon/ship/channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "proto/limits.h"

void channel_init(struct channel *channel, int fd)
{
	channel->fd = fd;
	channel->in = (struct prodd_deframer){ .limit = PRODD_REPLY_MAX };
	channel->input = (struct prodd_slice){ NULL, 0 };
	channel->ended = false;
	channel->out = (struct prodd_buffer){ .limit = PRODD_REPLY_MAX + PRODD_FRAME_HEADER };
}

void channel_clear(struct channel *channel)
{
	prodd_deframer_clear(&channel->in);
	prodd_buffer_clear(&channel->out);
}

void channel_wait(struct channel *channel, int timeout_ms)
{
	struct pollfd in = { .fd = channel->ended ? -1 : channel->fd, .events = POLLIN };

	if (channel->input.size == 0)
		/* interrupted: there is a look at everything, and then again */
		poll(&in, 1, timeout_ms);
}

/* 1; 0: nothing is there. */
static int receive(struct channel *channel, struct prodd_error *e)
{
	ssize_t n;

	do
		n = recv(channel->fd, channel->bytes, sizeof channel->bytes, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		channel->input = (struct prodd_slice){ channel->bytes, (size_t)n };
		return 1;
	}
	if (n < 0 && errno == EAGAIN)
		return 0;
	channel->ended = true;
	return prodd_error_set(e, PRODD_E_CLOSED, "prodd has gone");
}

int channel_next(struct channel *channel, struct prodd_message *ret, struct prodd_error *e)
{
	struct prodd_slice frame;
	int r;

	for (;;) {
		r = channel->input.size > 0 ? 1 : receive(channel, e);
		if (r <= 0)
			return r;
		r = prodd_deframe(&channel->in, &channel->input, &frame, e);
		if (r < 0)
			return r;
		if (r > 0)
			break;
	}
	r = prodd_message_open(frame, &prodd_check_reply, ret, e);
	return r < 0 ? r : 1;
}

static int send_out(struct channel *channel, struct prodd_error *e)
{
	size_t sent = 0;
	int r = channel->out.failed;

	if (r < 0)
		prodd_error_set(e, -r, "a frame for prodd");
	while (r == 0 && sent < channel->out.size) {
		ssize_t n = send(channel->fd, channel->out.at + sent, channel->out.size - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (errno != EINTR)
			r = prodd_error_set(e, PRODD_E_CLOSED, "prodd has gone");
	}
	prodd_buffer_reset(&channel->out);
	return r;
}

int channel_answer(struct channel *channel, uint64_t id, struct prodd_error *e)
{
	struct wire_empty nothing = { 0 };

	prodd_frame_answer(&channel->out, id, &wire_record_empty, &nothing);
	return send_out(channel, e);
}

int channel_refuse(struct channel *channel, uint64_t id, const struct prodd_error *why, struct prodd_error *e)
{
	prodd_frame_error(&channel->out, id, why);
	return send_out(channel, e);
}

int channel_note(struct channel *channel, enum wire_method method, const void *params, struct prodd_error *e)
{
	prodd_frame_note(&channel->out, method, params);
	return send_out(channel, e);
}
