/* SPDX-License-Identifier: Apache-2.0 */
/* Records come nearly in order, so the place of one is looked for from the end. */
#include "daemon/log/latest.h"

#include <stdlib.h>
#include <string.h>

void latest_init(struct latest *latest, unsigned most, bool by_time)
{
	*latest = (struct latest){ .most = most, .by_time = by_time };
	TAILQ_INIT(&latest->rows);
}

static size_t size_of(const struct latest_row *row)
{
	return sizeof *row + row->origin.size + row->record.size;
}

static void drop(struct latest *latest, struct latest_row *row)
{
	TAILQ_REMOVE(&latest->rows, row, link);
	latest->count--;
	latest->bytes -= size_of(row);
	free(row);
}

void latest_clear(struct latest *latest)
{
	while (!TAILQ_EMPTY(&latest->rows))
		drop(latest, TAILQ_FIRST(&latest->rows));
}

static uint64_t key_of(const struct latest *latest, const struct spool_record *record)
{
	struct record open;

	if (!latest->by_time)
		return record->number;
	return record_open(record->record, &open, NULL) ? open.time_ns : 0;
}

/* Below 0, 0, above: 0 is the same record. */
static int order(uint64_t key, const char *app, uint64_t number, const struct latest_row *row)
{
	int by_app;

	if (key != row->key)
		return key < row->key ? -1 : 1;
	by_app = strcmp(app, row->app);
	if (by_app)
		return by_app;
	return (number > row->number) - (number < row->number);
}

static struct latest_row *row_new(const char *app, uint64_t key, const struct spool_record *record)
{
	size_t name = strlen(app) + 1;
	struct latest_row *row = malloc(sizeof *row + name + record->origin.size + record->record.size);
	char *at;

	if (!row)
		return NULL;
	at = memcpy(row->memory, app, name);
	row->app = at;
	at += name;
	row->key = key;
	row->number = record->number;
	row->origin = (struct prodd_slice){ at, record->origin.size };
	memcpy(at, record->origin.at, record->origin.size);
	at += record->origin.size;
	row->record = (struct prodd_slice){ at, record->record.size };
	memcpy(at, record->record.at, record->record.size);
	return row;
}

static void insert(struct latest *latest, struct latest_row *row)
{
	struct latest_row *before;
	int place = 1;

	TAILQ_FOREACH_REVERSE(before, &latest->rows, latest_rows, link) {
		place = order(row->key, row->app, row->number, before);
		if (place >= 0)
			break;
	}
	if (before && place == 0) {
		free(row);
		return;
	}
	if (before)
		TAILQ_INSERT_AFTER(&latest->rows, before, row, link);
	else
		TAILQ_INSERT_HEAD(&latest->rows, row, link);
	latest->count++;
	latest->bytes += size_of(row);
	while (latest->count > latest->most || (latest->bytes > LATEST_BYTES_MAX && latest->count > 1))
		drop(latest, TAILQ_FIRST(&latest->rows));
}

void latest_add(struct latest *latest, const char *app, const struct spool_record *record)
{
	const struct latest_row *oldest = TAILQ_FIRST(&latest->rows);
	uint64_t key = key_of(latest, record);
	struct latest_row *row;

	if (latest->most == 0 || (latest->count == latest->most && order(key, app, record->number, oldest) <= 0))
		return;
	row = row_new(app, key, record);
	if (row)
		insert(latest, row);
	else
		latest->failed = true;
}

void latest_merge(struct latest *latest, struct latest *from)
{
	struct latest_row *row;

	latest->failed = latest->failed || from->failed;
	TAILQ_FOREACH(row, &from->rows, link) {
		struct spool_record record = { .number = row->number, .origin = row->origin, .record = row->record };

		latest_add(latest, row->app, &record);
	}
	latest_clear(from);
}
