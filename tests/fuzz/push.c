/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.push with arbitrary params, twice, through a session into a registry
 * with its ledger.  Whatever comes: answers are whole messages, what is told afterwards is
 * metrics that a scrape may show, and nothing is left.
 *
 * The first byte says where the second push begins.
 */
#define _GNU_SOURCE
#include <ftw.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/session.h"
#include "daemon/metric/metric.h"
#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

enum { series_max = 20 };

unsigned fuzz_mutations = 60;	/* each makes a ledger */

struct driver {
	struct service service;
	struct loop loop;
	struct disk *disk;
	struct events *events;
	struct mappings mappings;
	struct places places;
	struct accounts accounts;
	struct session_host host;
	struct metric *metric;
	char state[64];
	int fd;				/* the peer's end */
};

static int hello(struct service *service, struct session *session, const struct wire_hello *hello,
		 struct wire_welcome *ret, struct prodd_error *e)
{
	(void)service;
	(void)session;
	(void)e;
	ret->app = hello->app;
	ret->instance = prodd_slice("1");
	ret->epoch = prodd_slice("e");
	return 0;
}

static const struct service_ops ops = { .hello = hello };

/* ---- prodd */

static void set_up(struct driver *d)
{
	struct identity who = { .uid = 7, .gid = 7, .pid = 0, .pidfd = -1 };
	struct prodd_error e;
	int ends[2];

	*d = (struct driver){ .service.ops = &ops };
	strcpy(d->state, "/tmp/prodd-fuzz-XXXXXX");
	FUZZ_DEMAND(mkdtemp(d->state));
	d->places.state = d->state;
	FUZZ_DEMAND(loop_init(&d->loop, &e) == 0);
	FUZZ_DEMAND(disk_new(&d->disk, &d->loop, &e) == 0);
	FUZZ_DEMAND(events_new(&d->events, &d->loop, &e) == 0);
	FUZZ_DEMAND(metric_new(&d->metric, &d->loop, d->disk, d->events, &d->mappings, &d->places, series_max,
			       &e) == 0);
	d->host = (struct session_host){ .loop = &d->loop, .accounts = &d->accounts, .service = &d->service };
	metric_serve(d->metric, &d->host);
	FUZZ_DEMAND(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	FUZZ_DEMAND(session_new(&d->host, ends[0], &who, false, &e) == 0);
	d->fd = ends[1];
}

static void turn(struct driver *d)
{
	for (int i = 0; i < 6; i++)
		FUZZ_DEMAND(event_base_loop(d->loop.base, EVLOOP_NONBLOCK) >= 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void tear_down(struct driver *d)
{
	close(d->fd);
	turn(d);
	session_host_clear(&d->host);
	disk_finish(d->disk);
	d->disk = disk_free(d->disk);
	metric_free(d->metric);
	events_free(d->events);
	FUZZ_DEMAND(d->accounts.bytes == 0 && d->accounts.sessions == 0);
	accounts_clear(&d->accounts);
	loop_clear(&d->loop);
	nftw(d->state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the peer */

static void send_all(struct driver *d, struct prodd_slice bytes)
{
	while (bytes.size > 0 && d->host.count > 0) {
		ssize_t n = send(d->fd, bytes.at, bytes.size, MSG_NOSIGNAL);

		turn(d);
		if (n > 0) {
			bytes.at += n;
			bytes.size -= (size_t)n;
		}
	}
}

static void say_hello(struct driver *d)
{
	prodd_auto_buffer b = { 0 };
	struct wire_hello say = { .protocol = 1, .client = prodd_slice("fuzz"), .app = prodd_slice("mine") };

	FUZZ_DEMAND(prodd_frame_call(&b, 1, WIRE_M_hello, &say) == 0);
	send_all(d, prodd_buffer_slice(&b));
}

static void push(struct driver *d, unsigned char id, const uint8_t *params, size_t size)
{
	static const char head[] = "\xabmetric.push";
	prodd_auto_buffer b = { 0 };
	size_t length = 3 + sizeof head - 1 + size;
	unsigned char first[] = { (unsigned char)(length >> 24), (unsigned char)(length >> 16),
				  (unsigned char)(length >> 8), (unsigned char)length, 0x94, 0, id };

	prodd_buffer_append(&b, first, sizeof first);
	prodd_buffer_append(&b, head, sizeof head - 1);
	prodd_buffer_append(&b, params, size);
	send_all(d, prodd_buffer_slice(&b));
}

static void check_answers(struct driver *d)
{
	struct prodd_deframer deframer = { .limit = PRODD_REPLY_MAX };
	static char bytes[1 << 20];
	ssize_t n = recv(d->fd, bytes, sizeof bytes, 0);
	struct prodd_slice said = { bytes, n > 0 ? (size_t)n : 0 };
	struct wire_metric_pushed pushed;
	struct prodd_message m;
	struct prodd_slice frame;
	struct prodd_error e;

	while (prodd_deframe(&deframer, &said, &frame, &e) > 0) {
		FUZZ_DEMAND(prodd_message_open(frame, &prodd_check_reply, &m, &e) == 0);
		FUZZ_DEMAND(m.type == PRODD_ANSWER);
		if (m.id > 1 && !m.error.code)
			FUZZ_DEMAND(prodd_message_decode(&m, &wire_record_metric_pushed, &pushed, &e) == 0);
	}
	FUZZ_DEMAND(prodd_deframer_held(&deframer) == 0);
	prodd_deframer_clear(&deframer);
}

/* ---- what is told */

static void check_name(struct prodd_slice name)
{
	FUZZ_DEMAND(name.size > 0 && name.size <= 128);
	for (size_t i = 0; i < name.size; i++)
		FUZZ_DEMAND(name.at[i] == '_' || name.at[i] == ':' || (name.at[i] >= 'a' && name.at[i] <= 'z') ||
			    (name.at[i] >= 'A' && name.at[i] <= 'Z') || (name.at[i] >= '0' && name.at[i] <= '9'));
}

static void check_sample(const struct metric_family *family, const struct metric_sample *sample)
{
	FUZZ_DEMAND(prodd_is_text(sample->labels));
	FUZZ_DEMAND(!memchr(sample->labels.at, '\n', sample->labels.size));
	FUZZ_DEMAND(!isnan(sample->value));
	if (family->type != METRIC_HISTOGRAM)
		return;
	FUZZ_DEMAND(sample->bound_count <= 64);
	for (unsigned i = 1; i < sample->bound_count; i++)
		FUZZ_DEMAND(sample->bounds[i - 1] < sample->bounds[i]);
}

static void check_told(struct driver *d)
{
	const struct metric_source_ops *source = d->metric->source.ops;
	struct prodd_slice all = { NULL, 0 };
	struct metric_walk *walk = source->begin(&d->metric->source, all);
	struct metric_family family;
	struct metric_sample sample;
	unsigned families = 0, samples = 0;

	FUZZ_DEMAND(walk);
	for (; source->family(walk, &family); families++) {
		check_name(family.name);
		FUZZ_DEMAND(prodd_is_text(family.help));
		for (; source->sample(walk, &sample); samples++)
			check_sample(&family, &sample);
	}
	source->sync(walk);
	source->end(walk);
	FUZZ_DEMAND(samples <= series_max + families);	/* and an overflow series of each */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct driver d;
	size_t first;

	if (size == 0 || size > PRODD_FRAME_MAX / 2)
		return 0;
	first = (size - 1) * data[0] / 255;
	set_up(&d);
	say_hello(&d);
	push(&d, 2, data + 1, first);
	push(&d, 3, data + 1 + first, size - 1 - first);
	disk_finish(d.disk);
	turn(&d);
	check_answers(&d);
	check_told(&d);
	tear_down(&d);
	return 0;
}
