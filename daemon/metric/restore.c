/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry from its ledger, at start: families and series with what was
 * folded, segments whose processes may come back, and the value read last of
 * each.  A record that refers to what is not there is damage.
 */
#define HASH_NONFATAL_OOM 1	/* one that could not be added has no table */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/metric/metric.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"
#include "proto/check.h"
#include "proto/codec.h"

/* What has a number in the book. */
struct numbered {
	uint32_t id;
	enum book_kind kind;
	void *what; /* family, series or attachment; NULL: a family that gave way, or one of its series */
	UT_hash_handle hh;
};

/* A family as it is in the book: nobody used it any more when another of its name was declared. */
struct declared {
	struct segment_family is;	/* borrows from the book */
	bool gave_way;
};

struct restoring {
	struct registry *registry;
	struct numbered *all;		/* owned */
	struct declared *declared;	/* owned array: the families in their order in the book */
	unsigned count;
	unsigned next;			/* the one that is restored next */
};

static int number(struct restoring *r, const struct book_entry *entry, void *what, struct prodd_error *e)
{
	struct numbered *n;

	HASH_FIND(hh, r->all, &entry->record.id, sizeof entry->record.id, n);
	if (n || entry->record.id == 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "number %u twice", entry->record.id);
	n = calloc(1, sizeof *n);
	if (!n)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a ledger's numbers");
	n->id = entry->record.id;
	n->kind = (enum book_kind)entry->record.kind;
	n->what = what;
	HASH_ADD(hh, r->all, id, sizeof n->id, n);
	if (!n->hh.tbl) {
		free(n);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a ledger's numbers");
	}
	if (n->id > r->registry->last_id)
		r->registry->last_id = n->id;
	return 0;
}

static struct numbered *find(struct restoring *r, uint32_t id, enum book_kind kind)
{
	struct numbered *n;

	HASH_FIND(hh, r->all, &id, sizeof id, n);
	return n && n->kind == kind ? n : NULL;
}

static void forget_numbers(struct restoring *r)
{
	struct numbered *n, *next;

	HASH_ITER(hh, r->all, n, next) {
		HASH_DEL(r->all, n);
		free(n);
	}
}

static int damaged(struct prodd_error *e, const char *what)
{
	return prodd_error_set(e, PRODD_E_CORRUPT, "%s", what);
}

/* ---- each kind of record */

static int decode(struct prodd_slice body, const struct wire_record *type, void *ret, struct prodd_error *e)
{
	struct prodd_cursor cursor = prodd_cursor(body);

	if (prodd_check(body, &prodd_check_reply, e) < 0 || prodd_decode(&cursor, type, ret, e) < 0)
		return damaged(e, "a record that cannot be decoded");
	return 0;
}

/* ---- families, looked through first */

static int declare(struct restoring *r, const struct book_entry *entry, struct prodd_error *e)
{
	struct declared *all = realloc(r->declared, (r->count + 1) * sizeof *all);
	struct wire_push_family record;
	struct declared *new;

	if (!all)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a ledger's families");
	r->declared = all;
	new = &all[r->count];
	*new = (struct declared){ .gave_way = false };
	if (decode(entry->body, &wire_record_push_family, &record, e) < 0 ||
	    family_decode(&record, &new->is, e) < 0 || segment_check_family(&new->is, e) < 0)
		return damaged(e, "a family that may not be");
	for (unsigned i = 0; i < r->count; i++)
		if (prodd_slice_equal(all[i].is.name, new->is.name) || segment_clash(&all[i].is, &new->is))
			all[i].gave_way = true;
	r->count++;
	return 0;
}

static int declare_all(struct restoring *r, const struct book *book, struct prodd_error *e)
{
	struct book_entry entry;
	uint64_t at = BOOK_HEAD;
	int got;

	while ((got = book_next(book, &at, &entry, e)) > 0)
		if (entry.record.kind == BOOK_FAMILY && declare(r, &entry, e) < 0)
			return -e->code;
	return got;
}

/* ---- each kind of record */

static int restore_family(struct restoring *r, const struct book_entry *entry, struct prodd_error *e)
{
	const struct declared *declared = &r->declared[r->next++];
	struct family *family = NULL;

	if (!declared->gave_way) {
		if (registry_declare(r->registry, &declared->is, "of before", &family, e) < 0)
			return -e->code;
		family->id = entry->record.id;
		family->slot.at[0] = entry->cells_at;
	}
	return number(r, entry, family, e);
}

static int restore_series(struct restoring *r, const struct book_entry *entry, struct prodd_error *e)
{
	struct numbered *of = find(r, entry->record.of, BOOK_FAMILY);
	struct prodd_slice values[SEGMENT_LABELS_MAX];
	struct family *family = of ? of->what : NULL;
	struct wire_push_series record;
	struct series *series;
	struct prodd_iter texts;
	unsigned count = 0;

	if (!of || decode(entry->body, &wire_record_push_series, &record, e) < 0)
		return damaged(e, "a series of no family");
	if (!family)
		return number(r, entry, NULL, e);
	for (texts = prodd_iter(record.labels);
	     count < SEGMENT_LABELS_MAX && prodd_next_text(&texts, &values[count]);)
		count++;
	if ((count != family->is.label_count && !(entry->record.flags & BOOK_OVERFLOW)) ||
	    entry->record.cells != family_words(family) + 1 ||
	    (count && segment_check_values(&family->is, values, e) < 0))
		return damaged(e, "a series that does not suit its family");
	series = registry_restore_series(r->registry, family, values, count, entry->record.made_ns);
	if (!series)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a ledger's series");
	series->id = entry->record.id;
	series->slot.at[0] = entry->cells_at;
	memcpy(series->folded, entry->cells, family_words(family) * sizeof *series->folded);
	series->shown = series_double(entry->cells[family_words(family)]);
	return number(r, entry, series, e);
}

static int restore_segment(struct restoring *r, const struct book_entry *entry, struct prodd_error *e)
{
	bool pushed = entry->record.flags & BOOK_PUSHED;
	struct book_segment body;
	struct attachment *a;

	if (entry->body.size != sizeof body)
		return damaged(e, "a segment of another size");
	memcpy(&body, entry->body.at, sizeof body);
	body.instance[sizeof body.instance - 1] = '\0';
	if (body.pid > INT32_MAX || (pushed && r->registry->pushed))
		return damaged(e, "a segment of no process");
	a = attachment_new(r->registry, pushed ? ATTACHMENT_PUSHED : ATTACHMENT_ABSENT, body.instance);
	if (!a)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a ledger's segments");
	memcpy(a->uuid, body.uuid, sizeof a->uuid);
	a->pid = (pid_t)body.pid;
	a->start = body.start;
	a->id = entry->record.id;
	a->slot.at[0] = entry->cells_at;
	if (pushed)
		r->registry->pushed = a;
	return number(r, entry, a, e);
}

static int restore_reading(struct restoring *r, const struct book_entry *entry, struct prodd_error *e)
{
	struct numbered *of = find(r, entry->record.of, BOOK_SEGMENT),
			*with = find(r, entry->record.with, BOOK_SERIES);
	struct series *series = with ? with->what : NULL;
	struct binding *binding;

	if (!of || !with)
		return damaged(e, "a reading of nothing");
	if (!series)
		return 0;
	if (entry->record.cells != family_words(series->family) || registry_bound(series, of->what))
		return damaged(e, "a reading that does not suit its series");
	binding = registry_bind(r->registry, series, of->what);
	if (!binding)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a ledger's readings");
	binding->slot.at[0] = entry->cells_at;
	memcpy(binding->last, entry->cells, entry->record.cells * sizeof *binding->last);
	return 0;
}

static int restore_one(struct restoring *r, const struct book_entry *entry, struct prodd_error *e)
{
	switch (entry->record.kind) {
	case BOOK_FAMILY:
		return restore_family(r, entry, e);
	case BOOK_SERIES:
		return restore_series(r, entry, e);
	case BOOK_SEGMENT:
		return restore_segment(r, entry, e);
	case BOOK_READING:
		return restore_reading(r, entry, e);
	default:
		return damaged(e, "a record of no known kind");
	}
}

static int restore_all(struct registry *registry, const struct book *book, struct prodd_error *e)
{
	struct restoring r = { .registry = registry };
	struct book_entry entry;
	uint64_t at = BOOK_HEAD;
	int got = declare_all(&r, book, e);

	while (got >= 0 && (got = book_next(book, &at, &entry, e)) > 0)
		got = restore_one(&r, &entry, e);
	forget_numbers(&r);
	free(r.declared);
	return got;
}

/* ---- */

/* The ledger is opened before its app is known; the registry takes it over. */
static struct registry *registry_with(struct metric *metric, struct ledger *ledger, struct prodd_error *e)
{
	struct registry *registry = registry_new(metric, ledger->app, ledger->uid, e);

	if (!registry) {
		ledger_clear(ledger);
		return NULL;
	}
	ledger_clear(&registry->ledger);
	registry->ledger = *ledger;
	if (ledger_start(&registry->ledger, metric->loop, e) == 0)
		return registry;
	return registry_free(registry);
}

/* The app of a file that cannot be read, by the file's name. */
static void name_app(struct ledger *ledger, const char *name)
{
	snprintf(ledger->app, sizeof ledger->app, "%.*s", (int)(strlen(name) - strlen(".ledger")), name);
}

struct registry *registry_load(struct metric *metric, const char *name, struct prodd_error *e)
{
	struct registry *registry;
	struct ledger ledger;
	int r;

	ledger_init(&ledger, &registry_ledger_ops, metric->disk, metric->directory, metric->boot, "", 0);
	name_app(&ledger, name);
	r = ledger_load(&ledger, name, e);
	if (r == -PRODD_E_UNSUPPORTED)
		return registry_with(metric, &ledger, e);
	if (r <= 0)
		return NULL;
	registry = registry_with(metric, &ledger, e);
	if (!registry || restore_all(registry, &registry->ledger.books[0], e) >= 0)
		return registry;
	if (e->code == PRODD_E_CORRUPT)
		ledger_put_aside(&registry->ledger, e->text);
	return registry_free(registry);
}
