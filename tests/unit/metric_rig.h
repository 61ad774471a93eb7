/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subsystem of metrics without sockets: processes are segments in this
 * one's memory, and the disk thread's jobs run when a test says so.
 */
#ifndef TESTS_UNIT_METRIC_RIG_H
#define TESTS_UNIT_METRIC_RIG_H

#include "daemon/metric/metric.h"
#include "tests/unit/suite.h"

#define RIG_SHARDS 4u
#define RIG_CELLS 4096u

/* A process that counts. */
struct process {
	void *memory;			/* owned */
	struct segment writer;
	struct attachment *attachment;	/* borrowed; NULL: not attached */
	char instance[32];
	uint8_t uuid[16];
};

struct rig {
	char state[64];
	struct places places;
	struct loop loop;
	struct events *events;
	struct mappings mappings;
	struct metric *metric;
	unsigned series_max;
};

extern struct rig rig;

void rig_set_up(void);		/* fixtures of check */
void rig_tear_down(void);

void rig_start(void);		/* prodd begins, with what is in rig.state */
void rig_stop(void);		/* it ends in order */
void rig_crash(void);		/* its memory is gone, without a last reading */
void rig_disk(void);		/* all jobs run, and what they lead to */
bool rig_turn(void);		/* a turn of the loop, if a ledger is being filled */
bool rig_disk_step(void);	/* one half of one job: run() or done(). False: there is none */

struct registry *rig_registry(const char *app);

void process_start(struct process *p, const char *instance);
void process_attach(struct process *p, const char *app);	/* anew, or as one that the ledger knows */
void process_end(struct process *p);		/* killed: what it counted stays until it is read */
void process_free(struct process *p);

/* Declares and adds. `labels` as "a b": names; `values` as many texts. */
int64_t process_family(struct process *p, struct segment_family is);
_Atomic uint64_t *process_series(struct process *p, int64_t number, const struct segment_family *is,
				 const char *const *values);
_Atomic uint64_t *process_counter(struct process *p, const char *name);
_Atomic uint64_t *process_gauge(struct process *p, const char *name, enum segment_mode mode);
void process_set(_Atomic uint64_t *cell, double value, uint64_t at_ns);

/* The cell of a shard. */
_Atomic uint64_t *process_shard(const struct process *p, _Atomic uint64_t *cell, unsigned shard);

/* What is told. Labels without the app's; NULL: none. */
bool rig_sample(const char *app, const char *name, const char *labels, struct metric_sample *ret);
uint64_t rig_count(const char *app, const char *name, const char *labels);	/* fails when there is none */
double rig_value(const char *app, const char *name, const char *labels);

#define FAMILY(type_, name_, ...) \
	((struct segment_family){ \
		.type = type_, .name = { name_, sizeof name_ - 1 }, .help = { "Help.", 5 }, __VA_ARGS__ })

#endif
