/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shards are for threads that count at the same time: twice as many as there
 * are processors, since threads get theirs by turns and not by processor.
 */
#define _GNU_SOURCE
#include "client/metric_segment.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { shards_least = 2, shards_most = 16 };	/* each that is used costs a page for 512 cells */

static uint32_t choose_shards(void)
{
	long wanted = 2 * sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t shards = shards_least;

	while (shards < shards_most && shards < wanted)
		shards *= 2;
	return shards;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Early in the boot there may be no random bytes; process and time tell segments of one host apart too. */
static void choose_uuid(uint8_t uuid[16], uint64_t pid, uint64_t made_ns)
{
	if (getrandom(uuid, 16, GRND_NONBLOCK) == 16)
		return;
	memcpy(uuid, &pid, 8);
	memcpy(uuid + 8, &made_ns, 8);
}

static void make(struct prodd_metric_segment *s, uint32_t shards)
{
	uint64_t made_ns = now_ns(), pid = (uint64_t)getpid();
	uint8_t uuid[16];

	choose_uuid(uuid, pid, made_ns);
	segment_make(&s->segment, s->region.at, SEGMENT_DIRECTORY_USUAL, SEGMENT_CELLS_USUAL, shards, uuid,
		     pid, made_ns);
}

int prodd_metric_segment_make(struct prodd_metric_segment *s, struct prodd_error *e)
{
	uint32_t shards = choose_shards();
	uint64_t size = segment_size(SEGMENT_DIRECTORY_USUAL, SEGMENT_CELLS_USUAL, shards);
	int r;

	s->region.name = "prodd-metrics";
	s->segment.shards = shards;
	r = prodd_region_make(&s->region, size, true, e);
	if (r == 0)
		make(s, shards);
	return r;
}

void prodd_metric_segment_renew(struct prodd_metric_segment *s)
{
	make(s, s->segment.shards);
}

void prodd_metric_segment_free(struct prodd_metric_segment *s)
{
	prodd_region_free(&s->region);
}
