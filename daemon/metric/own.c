/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk gathers all figures when it begins: a few for each app and sink.
 * Then it goes over the rows in the order of their names, and for each over
 * the figures of that row.
 */
#include "daemon/metric/own.h"

#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/metric/process.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/version.h"
#include "proto/buffer.h"

#define TOTAL "_total"
#define CREATED "_created"

#define SLICE(text) { text, sizeof(text) - 1 }

const struct own_row own_rows[] = {
#define X(id, type_, name_, unit_, labels_, help_) \
	[OWN_##id] = { { .name = SLICE(name_), .unit = SLICE(unit_), .help = SLICE(help_), .type = METRIC_##type_ }, labels_ },
	OWN_METRICS(X)
#undef X
#define X(name_, help_) \
	{ { .name = SLICE("prodd_" #name_ "_total"), .unit = SLICE(""), .help = SLICE(help_), .type = METRIC_COUNTER }, "" },
	COUNTERS(X)
#undef X
};

enum { row_count = sizeof own_rows / sizeof *own_rows };
const unsigned own_row_count = row_count;

static const uint64_t *const counted[] = {	/* of the rows from OWN_COUNT on */
#define X(name, help) &counters.name,
	COUNTERS(X)
#undef X
};

/* ---- names */

/* A counter's name without "_total", as OpenMetrics has it. */
static struct prodd_slice base_of(const struct metric_family *family)
{
	struct prodd_slice base = family->name;

	if (family->type == METRIC_COUNTER && base.size > sizeof TOTAL - 1)
		base.size -= sizeof TOTAL - 1;
	return base;
}

static bool is_created_of(struct prodd_slice name, struct prodd_slice base)
{
	return name.size == base.size + sizeof CREATED - 1 && memcmp(name.at, base.at, base.size) == 0 &&
	       memcmp(name.at + base.size, CREATED, sizeof CREATED - 1) == 0;
}

bool own_clashes(const struct metric_family *family)
{
	for (unsigned i = 0; i < row_count; i++) {
		const struct metric_family *own = &own_rows[i].family;

		if (prodd_slice_equal(own->name, family->name))
			return own->type != family->type;
		if (prodd_slice_equal(base_of(own), base_of(family)) || is_created_of(family->name, base_of(own)))
			return true;
	}
	return false;
}

/* ---- a sheet */

struct figure {
	size_t labels_at;	/* in the sheet's text */
	size_t labels_size;
	uint64_t count;
	double value;
	unsigned next;		/* of the same row; NO_FIGURE: none */
};

#define NO_FIGURE UINT32_MAX

struct own_sheet {
	struct prodd_buffer figures;	/* of struct figure */
	struct prodd_buffer text;	/* their labels */
	unsigned first[row_count];
	unsigned last[row_count];
};

static struct figure *figure_at(const struct own_sheet *sheet, unsigned index)
{
	return (struct figure *)(void *)sheet->figures.at + index;
}

static void add_escaped(struct prodd_buffer *to, struct prodd_slice value)
{
	for (size_t i = 0; i < value.size; i++) {
		char c = value.at[i];

		if (c == '\n')
			prodd_buffer_append(to, "\\n", 2);
		else if (c == '\\' || c == '"')
			prodd_buffer_append(to, (char[]){ '\\', c }, 2);
		else
			prodd_buffer_append(to, &c, 1);
	}
}

/* app="orders",reason="rate" */
static void add_labels(struct prodd_buffer *to, const char *names, const struct own_labels *labels)
{
	for (unsigned i = 0; *names; i++) {
		size_t size = strcspn(names, " ");

		if (i > 0)
			prodd_buffer_append(to, ",", 1);
		prodd_buffer_append(to, names, size);
		prodd_buffer_append(to, "=\"", 2);
		add_escaped(to, labels->value[i]);
		prodd_buffer_append(to, "\"", 1);
		names += size + (names[size] == ' ');
	}
}

static void add(struct own_sheet *sheet, unsigned row, const struct own_labels *labels, uint64_t count, double value)
{
	struct figure figure = { .labels_at = sheet->text.size, .count = count, .value = value, .next = NO_FIGURE };
	unsigned index = (unsigned)(sheet->figures.size / sizeof figure);

	add_labels(&sheet->text, own_rows[row].labels, labels);
	figure.labels_size = sheet->text.size - figure.labels_at;
	if (prodd_buffer_append(&sheet->figures, &figure, sizeof figure) < 0)
		return;
	if (sheet->first[row] == NO_FIGURE)
		sheet->first[row] = index;
	else
		figure_at(sheet, sheet->last[row])->next = index;
	sheet->last[row] = index;
}

void own_count(struct own_sheet *sheet, enum own_id id, struct own_labels labels, uint64_t value)
{
	add(sheet, id, &labels, value, (double)value);
}

void own_value(struct own_sheet *sheet, enum own_id id, struct own_labels labels, double value)
{
	add(sheet, id, &labels, 0, value);
}

/* ---- what is known here */

static void gather_process(struct own_sheet *sheet, const struct own *own)
{
	const struct own_labels none = { 0 };
	struct process_figures p;

	process_read(&p);
	own_value(sheet, OWN_PROCESS_CPU, none, p.cpu_s);
	own_value(sheet, OWN_PROCESS_RSS, none, p.resident_bytes);
	own_value(sheet, OWN_PROCESS_VIRTUAL, none, p.virtual_bytes);
	own_value(sheet, OWN_PROCESS_FDS, none, p.open_fds);
	own_value(sheet, OWN_PROCESS_MAX_FDS, none, p.max_fds);
	own_value(sheet, OWN_PROCESS_START, none, (double)(own->start_ns / 1000000) / 1000);
}

static void gather(struct own_sheet *sheet, const struct own *own)
{
	const struct own_labels none = { 0 };

	own_value(sheet, OWN_BUILD, (struct own_labels){ { prodd_slice(version_text) } }, 1);
	own_value(sheet, OWN_LOOP_TURNS, none, (double)own->loop->turns_us / 1e6);
	own_value(sheet, OWN_LOOP_LONGEST, none, (double)own->loop->longest_turn_us / 1e6);
	gather_process(sheet, own);
	for (unsigned i = 0; i < sizeof counted / sizeof *counted; i++)
		add(sheet, OWN_COUNT + i, &none, *counted[i], (double)*counted[i]);
	for (struct own_figures *f = own->figures; f; f = f->next)
		f->gather(f, sheet);
}

/* ---- the walk */

struct own_walk {
	struct metric_walk walk;
	struct own_sheet sheet;
	unsigned row;			/* its place in the order of names, of the next family */
	unsigned figure;		/* the next one of the family */
};

/* Indices of own_rows, by name; made at the first walk. */
static unsigned order[row_count];

static int compare(const void *a, const void *b)
{
	return prodd_slice_compare(own_rows[*(const unsigned *)a].family.name, own_rows[*(const unsigned *)b].family.name);
}

static void make_order(void)
{
	if (order[0] != order[1])
		return;
	for (unsigned i = 0; i < row_count; i++)
		order[i] = i;
	qsort(order, row_count, sizeof *order, compare);
}

static void end(struct metric_walk *base)
{
	struct own_walk *walk = container_of(base, struct own_walk, walk);

	prodd_buffer_clear(&walk->sheet.figures);
	prodd_buffer_clear(&walk->sheet.text);
	free(walk);
}

static struct metric_walk *begin(struct metric_source *source, struct prodd_slice app)
{
	struct own_walk *walk = calloc(1, sizeof *walk);

	(void)app;
	if (!walk)
		return NULL;
	make_order();
	walk->walk.source = source;
	for (unsigned i = 0; i < row_count; i++)
		walk->sheet.first[i] = NO_FIGURE;
	gather(&walk->sheet, container_of(source, struct own, source));
	if (walk->sheet.figures.failed || walk->sheet.text.failed) {
		end(&walk->walk);
		return NULL;
	}
	return &walk->walk;
}

static bool family(struct metric_walk *base, struct metric_family *ret)
{
	struct own_walk *walk = container_of(base, struct own_walk, walk);

	if (walk->row == row_count)
		return false;
	*ret = own_rows[order[walk->row]].family;
	walk->figure = walk->sheet.first[order[walk->row]];
	walk->row++;
	return true;
}

/* The only histogram; its buckets are the loop's. */
static void add_buckets(const struct own *own, struct metric_sample *ret)
{
	ret->buckets = own->loop->turns;
	ret->bounds = loop_bounds;
	ret->bound_count = LOOP_BOUNDS;
	for (unsigned i = 0; i <= LOOP_BOUNDS; i++)
		ret->count += own->loop->turns[i];
}

static bool sample(struct metric_walk *base, struct metric_sample *ret)
{
	const struct own *own = container_of(base->source, struct own, source);
	struct own_walk *walk = container_of(base, struct own_walk, walk);
	unsigned row = order[walk->row - 1];
	const struct figure *figure;

	if (walk->figure == NO_FIGURE)
		return false;
	figure = figure_at(&walk->sheet, walk->figure);
	walk->figure = figure->next;
	*ret = (struct metric_sample){
		.labels = { walk->sheet.text.at + figure->labels_at, figure->labels_size },
		.count = figure->count,
		.value = figure->value,
		.real = row == OWN_PROCESS_CPU,
		.created_ns = own_rows[row].family.type == METRIC_GAUGE ? 0 : own->start_ns,
	};
	if (row == OWN_LOOP_TURNS)
		add_buckets(own, ret);
	return true;
}

/* prodd's own counters begin anew with it, and say so. */
static void sync_walk(struct metric_walk *base)
{
	(void)base;
}

static const struct metric_source_ops ops = {
	.begin = begin, .family = family, .sample = sample, .sync = sync_walk, .end = end,
};

void own_init(struct own *ret, const struct loop *loop)
{
	*ret = (struct own){ .source = { &ops }, .loop = loop, .start_ns = process_start_ns() };
}

void own_add(struct own *own, struct own_figures *figures)
{
	figures->next = own->figures;
	own->figures = figures;
}
