/* SPDX-License-Identifier: Apache-2.0 */
/* Runs all groups, prints a table, and the same as JSON to the file that is named. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct figure figures[64];
static size_t figure_count;

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double quantile(double *values, size_t count, double q)
{
	qsort(values, count, sizeof *values, compare);
	return values[(size_t)(q * (double)(count - 1))];
}

double median(double *values, size_t count)
{
	return quantile(values, count, 0.5);
}

void figure_add(struct figure figure)
{
	if (figure_count < sizeof figures / sizeof *figures)
		figures[figure_count++] = figure;
}

static void print_table(void)
{
	printf("%-52s %12s %-6s %12s %8s %8s  %s\n", "FIGURE", "VALUE", "UNIT", "BARE", "RATIO", "GOAL", "BARE OPERATION");
	for (size_t i = 0; i < figure_count; i++) {
		const struct figure *f = &figures[i];
		char bare[32] = "-", ratio[32] = "-", goal[32] = "-";

		if (f->bare_value > 0) {
			snprintf(bare, sizeof bare, "%.3g", f->bare_value);
			snprintf(ratio, sizeof ratio, "%.2f", f->value / f->bare_value);
		}
		if (f->goal > 0)
			snprintf(goal, sizeof goal, "%.3g", f->goal);
		printf("%-52s %12.4g %-6s %12s %8s %8s  %s\n", f->name, f->value, f->unit, bare, ratio, goal,
		       f->bare ? f->bare : "");
	}
}

static void print_json(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		die(path);
	fputs("{\"schema\":1,\"figures\":[", file);
	for (size_t i = 0; i < figure_count; i++)
		fprintf(file, "%s\n{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"bare\":%.6g,\"goal\":%.6g}", i ? "," : "",
			figures[i].name, figures[i].value, figures[i].unit, figures[i].bare_value, figures[i].goal);
	fputs("\n]}\n", file);
	if (fclose(file) != 0)
		die(path);
}

static const struct group {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "start", bench_start },     { "read", bench_read },	  { "requests", bench_requests },
	{ "rollout", bench_rollout }, { "reload", bench_reload }, { "flow", bench_flow },
	{ "scrape", bench_scrape },   { "log", bench_log },	  { "count", bench_count },
	{ "memory", bench_memory },
};

static int is_wanted(const char *name, char **wanted)
{
	if (!*wanted)
		return 1;
	while (*wanted)
		if (strcmp(*wanted++, name) == 0)
			return 1;
	return 0;
}

/* bench [FILE [GROUP...]] */
int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (is_wanted(groups[i].name, argc > 2 ? argv + 2 : argv + argc))
			groups[i].run();
	print_table();
	if (argc > 1)
		print_json(argv[1]);
	return 0;
}
