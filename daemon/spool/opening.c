/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a spool is when its writer comes: segments listed, the last intact one
 * scanned.  Its records tell the next number and, with the table in its head,
 * what each ring has delivered.  Whatever is in doubt makes the numbers jump
 * and the next record begin a segment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "daemon/spool/apps.h"
#include "daemon/spool/cursor.h"
#include "daemon/spool/scan.h"
#include "daemon/spool/writer_parts.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

struct opening {
	struct spool_writer *w;
	int last;		/* the last intact segment; -1: none */
	bool same_boot;		/* as made that one */
	bool damaged_end;	/* damage where the last records are */
	bool newer;		/* a newer version has written behind it */
	bool durable;		/* it was synced now */
	uint64_t end;		/* where its records end */
};

/* ---- the boot */

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without /proc each opening counts as a new boot, which costs numbers but never a record. */
static void read_boot(uint8_t boot[16])
{
	prodd_auto_buffer b = { 0 };
	unsigned digits = 0;
	struct prodd_error e;

	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &b, &e) == 0)
		for (size_t i = 0; i < b.size && digits < 32; i++)
			if (digit_of(b.at[i]) >= 0) {
				boot[digits / 2] = (uint8_t)(boot[digits / 2] << 4 | digit_of(b.at[i]));
				digits++;
			}
	if (digits < 32 && getrandom(boot, 16, 0) < 0)
		memset(boot, 0, 16);
}

/* ---- the segments */

static int open_scan(struct spool_writer *w, unsigned i, struct spool_scan *scan, struct prodd_error *e)
{
	int r = spool_scan_open(scan, w->directory, w->segments.at[i].name, e);

	return r < 0 ? prodd_error_prefix(e, "spool of %s", w->app) : 0;
}

/* Walks over all records: waters and the next number. */
static int walk(struct opening *o, struct spool_scan *scan, struct prodd_error *e)
{
	struct spool_writer *w = o->w;
	struct spool_record record;
	uint64_t damaged;
	int r;

	for (;;) {
		do
			r = spool_scan_next(scan, &record, &damaged, e);
		while (r == -PRODD_E_IO);	/* the third time it is damage */
		if (r < 0)
			return r;
		w->counts.quarantined += damaged;
		o->damaged_end = r == SPOOL_DAMAGE;
		if (r != SPOOL_RECORD)
			break;
		if (record.number >= w->follows)
			w->follows = record.number + 1;
		if (!waters_prepare(&w->waters, record.origin))
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", w->app);
	}
	waters_commit(&w->waters);
	o->end = scan->at;
	return 0;
}

static int load_table(struct spool_writer *w, struct spool_scan *scan, struct prodd_error *e)
{
	struct spool_water *rows;
	unsigned count;
	int r;

	do
		r = spool_scan_table(scan, &rows, &count, e);
	while (r == -PRODD_E_IO);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < count && r == 0; i++)
		if (!waters_raise(&w->waters, &rows[i]))
			r = prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", w->app);
	free(rows);
	return r;
}

/* Segment i: its table, or when that is damaged what its predecessors tell; then its records. */
static int take_segment(struct opening *o, int i, struct prodd_error *e)
{
	struct spool_writer *w = o->w;
	struct spool_scan scan = { .fd = -1 };
	int before = i - 1;
	int r = open_scan(w, (unsigned)i, &scan, e);

	if (r < 0)
		return r;
	r = load_table(w, &scan, e);
	if (r == -PRODD_E_CORRUPT) {
		while (before >= 0 && w->segments.at[before].state != SPOOL_GOOD)
			before--;
		r = before >= 0 ? take_segment(o, before, e) : 0;
	}
	if (r == 0)
		r = walk(o, &scan, e);
	if (r == 0 && i == o->last && w->total->policy != SPOOL_NEVER) {
		o->durable = fdatasync(scan.fd) == 0 && fsync(w->directory) == 0;
		w->counts.failed_syncs += !o->durable;
	}
	spool_scan_clear(&scan);
	return r;
}

static int survey(struct opening *o, struct prodd_error *e)
{
	struct spool_writer *w = o->w;
	int r = spool_segments_read(&w->segments, w->directory, e);

	if (r < 0)
		return prodd_error_prefix(e, "spool of %s", w->app);
	for (unsigned i = 0; i < w->segments.count; i++) {
		struct spool_segment *segment = &w->segments.at[i];

		w->total->bytes += segment->size;
		w->id = segment->head.id > w->id ? segment->head.id : w->id;
		if (segment->state == SPOOL_GOOD) {
			o->last = (int)i;
			o->newer = false;
		} else if (segment->state == SPOOL_NEWER) {
			o->newer = true;
		} else {
			w->counts.quarantined += segment->size;
		}
	}
	return 0;
}

/* What an operator must hear of, since nothing stops for it. */
static void say_what_is_wrong(const struct spool_writer *w)
{
	for (unsigned i = 0; i < w->segments.count; i++)
		if (w->segments.at[i].state == SPOOL_NEWER)
			log_warn("spool of %s: %s is of a newer version, and left alone", w->app,
				 w->segments.at[i].name);
	if (w->counts.quarantined > 0)
		log_warn("spool of %s: %llu damaged bytes, passed over", w->app,
			 (unsigned long long)w->counts.quarantined);
}

/* ---- where to go on */

static int choose_next(struct opening *o, struct prodd_error *e)
{
	struct spool_writer *w = o->w;
	uint64_t shipped = spool_cursors_highest(w->directory);
	bool never = w->total->policy == SPOOL_NEVER || o->newer;
	bool in_doubt = o->newer || o->damaged_end || (w->segments.count > 0 && !o->same_boot) ||
			(unsigned)(o->last + 1) < w->segments.count;

	w->next = w->follows;
	if (shipped >= w->next)
		w->next = shipped + 1;
	if (in_doubt || w->next > w->follows)
		w->next += never ? SPOOL_JUMP_NEVER : SPOOL_JUMP;
	if (w->next > SPOOL_NUMBER_MAX - SPOOL_JUMP_NEVER || w->id > SPOOL_NUMBER_MAX - SPOOL_JUMP_NEVER)
		return prodd_error_set(e, PRODD_E_CORRUPT,
				       "spool of %s: its numbers are used up; move its segments away",
				       w->app);
	return 0;
}

/* Behind the last record, when nothing is in doubt. */
static int go_on(struct opening *o, struct prodd_error *e)
{
	struct spool_writer *w = o->w;
	struct spool_segment *segment = &w->segments.at[o->last];

	if (w->next != w->follows || !o->durable || segment->limit != UINT64_MAX)
		return 0;
	w->fd = openat(w->directory, segment->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (w->fd < 0)
		return prodd_error_set(e, PRODD_E_IO, "spool of %s: open %s: %s", w->app, segment->name,
				       strerror(errno));
	w->at = o->end;
	w->allocated = segment->size;
	w->salt = segment->head.salt;
	w->seed = spool_seed(w->salt);
	w->counts.synced = w->follows - 1;
	return 0;
}

static int resume(struct spool_writer *w, struct prodd_error *e)
{
	struct opening o = { .w = w, .last = -1, .durable = w->total->policy == SPOOL_NEVER };
	int r = survey(&o, e);

	if (r == 0 && o.last >= 0) {
		const struct spool_head *head = &w->segments.at[o.last].head;

		w->follows = head->first;
		o.same_boot = memcmp(head->boot, w->boot, sizeof w->boot) == 0;
		r = take_segment(&o, o.last, e);
		if (!o.same_boot)
			waters_clear(&w->waters); /* its rings went with the host */
	}
	if (r < 0)
		return r;
	say_what_is_wrong(w);
	r = choose_next(&o, e);
	if (r < 0)
		return r;
	return o.last >= 0 ? go_on(&o, e) : 0;
}

int spool_writer_open(struct spool_writer **ret, int directory, const char *app, struct spool_total *total,
		      struct prodd_error *e)
{
	struct spool_writer *w;
	int r;

	if (!spool_is_app(app))
		return prodd_error_set(e, PRODD_E_INVALID, "spool of %s: no name of an app", app);
	w = calloc(1, sizeof *w);
	if (!w)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", app);
	*w = (struct spool_writer){
		.total = total, .fd = -1, .directory = -1, .follows = 1, .kept.limit = 1u << 30
	};
	LIST_INSERT_HEAD(&total->writers, w, link);
	w->app = strdup(app);
	r = w->app ? w->directory = file_make_directory(directory, app, 0700, e)
		   : prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", app);
	if (r >= 0) {
		read_boot(w->boot);
		unlinkat(w->directory, SPOOL_NEW_NAME, 0);
		r = resume(w, e);
	}
	if (r < 0) {
		spool_writer_close(w);
		return r;
	}
	*ret = w;
	return 0;
}
