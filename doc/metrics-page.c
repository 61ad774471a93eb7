/* SPDX-License-Identifier: Apache-2.0 */
/* The list of prodd's own metrics for prodd-metrics(7), in the language of scdoc(5), from the table that they are made from. */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/metric/own.h"

static const struct own_row *sorted[512];

static int compare(const void *a, const void *b)
{
	return prodd_slice_compare((*(const struct own_row *const *)a)->family.name,
				   (*(const struct own_row *const *)b)->family.name);
}

static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '_' || *text == '*' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void print_labels(const char *names)
{
	size_t size;

	if (*names)
		printf("; labels");
	for (; *names; names += size + (names[size] == ' ')) {
		size = strcspn(names, " ");
		printf(" _%.*s_%s", (int)size, names, names[size] ? " and" : "");
	}
}

/* As "*name* (type; labels _app_ and _reason_)" and, under it, what it means. */
static void print_row(const struct own_row *row)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram",
	};

	printf("*%.*s* (%s", PRODD_SLICE(row->family.name), types[row->family.type]);
	print_labels(row->labels);
	printf(")\n\t");
	print_escaped(row->family.help.at);
	printf("\n\n");
}

int main(void)
{
	if (own_row_count > sizeof sorted / sizeof *sorted)
		return 1;
	for (unsigned i = 0; i < own_row_count; i++)
		sorted[i] = &own_rows[i];
	qsort(sorted, own_row_count, sizeof *sorted, compare);
	for (unsigned i = 0; i < own_row_count; i++)
		print_row(sorted[i]);
	return 0;
}
