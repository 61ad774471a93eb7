/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the heads, with a stack of how many values each open container
 * still wants.  A container is refused when it wants more values than bytes
 * are left, since a value has at least one byte: no count is ever believed.
 */
#include "proto/check.h"

#include "proto/head.h"
#include "proto/limits.h"

enum { deepest = 32 };

const struct prodd_check_limits prodd_check_received = { PRODD_DEPTH_MAX, PRODD_NODES_MAX };
const struct prodd_check_limits prodd_check_reply = { PRODD_DEPTH_MAX, PRODD_REPLY_NODES_MAX };

struct walk {
	const unsigned char *start;
	const unsigned char *at;
	const unsigned char *end;
	uint32_t depth_max;
	uint32_t nodes_left;
	uint32_t depth;			/* containers open */
	uint64_t wanted[deepest];	/* values that each of them still wants */
	struct prodd_error *e;
};

static size_t position(const struct walk *w)
{
	return (size_t)(w->at - w->start);
}

static int bad_head(const struct walk *w)
{
	if (w->at == w->end)
		return prodd_error_set(w->e, PRODD_E_PROTOCOL, "byte %zu: the value is cut short",
				       position(w));
	if (!prodd_head_allowed(*w->at))
		return prodd_error_set(w->e, PRODD_E_PROTOCOL, "byte %zu: %s (%02x) is not allowed",
				       position(w), *w->at == 0xc1 ? "the unused code" : "an extension type",
				       *w->at);
	return prodd_error_set(w->e, PRODD_E_PROTOCOL, "byte %zu: the head of a value is cut short",
			       position(w));
}

static int enter(struct walk *w, uint64_t children)
{
	size_t left = (size_t)(w->end - w->at);

	if (children > left)
		return prodd_error_set(w->e, PRODD_E_PROTOCOL,
				       "byte %zu: a container announces %llu values, but %zu bytes are left",
				       position(w), (unsigned long long)children, left);
	if (w->depth == w->depth_max)
		return prodd_error_set(w->e, PRODD_E_TOO_LARGE,
				       "byte %zu: containers are nested deeper than %u", position(w),
				       w->depth_max);
	w->wanted[w->depth++] = children;
	return 0;
}

static int take_value(struct walk *w)
{
	struct prodd_head h;
	size_t payload;

	prodd_head(w->at, (size_t)(w->end - w->at), &h);
	payload = prodd_head_payload(&h);
	if (h.kind == PRODD_KIND_END)
		return bad_head(w);
	if (w->nodes_left == 0)
		return prodd_error_set(w->e, PRODD_E_TOO_LARGE, "byte %zu: more values than allowed",
				       position(w));
	w->nodes_left--;
	w->at += h.size;
	if (payload > (size_t)(w->end - w->at))
		return prodd_error_set(w->e, PRODD_E_PROTOCOL,
				       "byte %zu: %zu bytes announced, but %zu are left", position(w),
				       payload, (size_t)(w->end - w->at));
	w->at += payload;
	if (h.kind == PRODD_KIND_ARRAY || h.kind == PRODD_KIND_MAP)
		return enter(w, prodd_head_children(&h));
	return 0;
}

int prodd_check(struct prodd_slice bytes, const struct prodd_check_limits *limits, struct prodd_error *e)
{
	struct prodd_cursor c = prodd_cursor(bytes);
	struct walk w = {
		.start = c.at, .at = c.at, .end = c.end, .e = e,
		.depth_max = limits->depth < deepest ? limits->depth : deepest, .nodes_left = limits->nodes,
	};
	int r = take_value(&w);

	while (r == 0 && w.depth > 0) {
		if (w.wanted[w.depth - 1] == 0) {
			w.depth--;
		} else {
			w.wanted[w.depth - 1]--;
			r = take_value(&w);
		}
	}
	if (r < 0)
		return r;
	if (w.at != w.end)
		return prodd_error_set(e, PRODD_E_PROTOCOL, "byte %zu: %zu bytes follow the value",
				       position(&w), (size_t)(w.end - w.at));
	return 0;
}
