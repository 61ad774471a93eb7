/* SPDX-License-Identifier: Apache-2.0 */
/* The bench: each figure beside a bare operation, measured in the same run. */
#ifndef PRODD_TESTS_BENCH_H
#define PRODD_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One line of the table. */
struct figure {
	const char *name;
	const char *bare;		/* what it is set against */
	const char *unit;
	double value;
	double bare_value;		/* 0: nothing to set it against */
	double goal;			/* ratio, or value when there is no bare one; 0: none */
};

void figure_add(struct figure figure);

uint64_t now_ns(void);
double median(double *values, size_t count);		/* sorts them */
double quantile(double *values, size_t count, double q);	/* sorts them */
void die(const char *what) __attribute__((noreturn));

/* ---- prodd, started in a private directory */
struct prodd_process {
	char directory[64];
	char app_socket[96];
	char ctl_socket[96];
	pid_t pid;
	double start_ms;		/* from fork to the first accepted connect */
};

void prodd_begin(struct prodd_process *process);
void prodd_finish(struct prodd_process *process);
double process_rss_mib(pid_t pid);
void write_file(const char *directory, const char *name, const char *content);
void remove_tree(const char *directory);

/* The groups of figures. */
void bench_read(void);
void bench_count(void);
void bench_log(void);
void bench_requests(void);
void bench_rollout(void);
void bench_start(void);
void bench_reload(void);
void bench_flow(void);
void bench_memory(void);
void bench_scrape(void);

#endif
