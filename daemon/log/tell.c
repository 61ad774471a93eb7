/* SPDX-License-Identifier: Apache-2.0 */
/* prodd's own records in an app's stream: what was dropped, and why. They are written where the gap is. */
#include <unistd.h>

#include "daemon/log/stream.h"
#include "daemon/util/clock.h"

#define TELL_MS 1000		/* between two records of one reason */
#define NS_PER_MS UINT64_C(1000000)

/* "records dropped", with reason and count. */
static bool tell(struct stream *stream, const char *reason, uint64_t count)
{
	prodd_auto_buffer record = { .limit = 0 };
	struct origin origin = { .instance = prodd_slice("prodd"), .pid = (uint64_t)getpid(), .uid = geteuid() };

	prodd_pack_array(&record, 8 + 2 * 2);
	prodd_pack_uint(&record, clock_wall_ms() * NS_PER_MS);
	prodd_pack_uint(&record, RECORD_WARN);
	prodd_pack_str(&record, prodd_slice("prodd"));
	prodd_pack_str(&record, prodd_slice("records dropped"));
	for (int i = 0; i < 4; i++)
		prodd_pack_nil(&record);
	prodd_pack_str(&record, prodd_slice("reason"));
	prodd_pack_str(&record, prodd_slice(reason));
	prodd_pack_str(&record, prodd_slice("count"));
	prodd_pack_uint(&record, count);
	return !record.failed && batch_add(&stream->flying, &origin, prodd_buffer_slice(&record));
}

bool stream_tell(struct stream *stream, uint64_t now_ms)
{
	for (int i = 0; i < LOG_DROP_COUNT; i++) {
		uint64_t count = stream->drops.count[i] - stream->drops.told[i];

		stream->telling[i] = 0;
		if (count == 0 || (stream->told_ms[i] != 0 && now_ms - stream->told_ms[i] < TELL_MS))
			continue;
		stream->told_ms[i] = now_ms;
		if (tell(stream, log_drop_word((enum log_drop)i), count))
			stream->telling[i] = count;
	}
	return stream->flying.count > 0;
}

void stream_told(struct stream *stream, bool in_spool)
{
	for (int i = 0; i < LOG_DROP_COUNT; i++)
		stream->drops.told[i] += in_spool ? stream->telling[i] : 0;
}
