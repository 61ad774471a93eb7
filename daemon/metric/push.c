/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.push: for programs without a segment.  What is wrong with a family or
 * a value is told in the answer, and changes nothing of the others.
 */
#include <math.h>
#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/metric/metric.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "proto/codec.h"

#define PROBLEMS_MAX 64u

/* Taken in, but not on record: the answer would be a promise that the end of prodd could break. */
struct waiting_push {
	struct call *call;		/* owned */
	struct wire_metric_pushed result;
	struct prodd_buffer problems;	/* owned: of result */
	STAILQ_ENTRY(waiting_push) link;
};

struct push {
	struct registry *registry;
	struct session *session;
	struct prodd_buffer problems;
	uint32_t problem_count;
	uint64_t taken, overflow;
	bool waits;			/* something is not on record yet */
};

static void problem(struct push *p, const struct family *family, const struct prodd_error *e)
{
	counters.metric_pushes_refused++;
	if (p->problem_count < PROBLEMS_MAX)
		prodd_encode_element(&p->problems, &p->problem_count, &wire_record_problem,
				     &(struct wire_problem){
					     .key = family ? family->is.name : (struct prodd_slice){ 0 },
					     .text = prodd_slice(e->text),
				     });
}

/* ---- values: checked whole before anything is counted */

static int check_observations(struct prodd_slice value, struct prodd_error *e)
{
	struct prodd_cursor cursor = prodd_cursor(value);
	uint32_t count;
	double one;

	if (!prodd_cursor_array(&cursor, &count))
		return prodd_error_set(e, PRODD_E_USAGE, "value: expected an array of observations");
	while (count-- > 0)
		if (!prodd_cursor_float(&cursor, &one) || !isfinite(one))
			return prodd_error_set(e, PRODD_E_USAGE, "value: expected finite numbers");
	return 0;
}

static int check_counts(const struct family *family, const struct wire_push_series *from,
			struct prodd_error *e)
{
	struct prodd_cursor cursor = prodd_cursor(from->counts), sum = prodd_cursor(from->sum);
	uint32_t count;
	uint64_t more;
	double one;

	if (family->is.type != SEGMENT_HISTOGRAM || from->value.size > 0)
		return prodd_error_set(e, PRODD_E_USAGE, "counts: only for a histogram, instead of value");
	if (!prodd_cursor_array(&cursor, &count) || count != family->is.bucket_count + 1)
		return prodd_error_set(e, PRODD_E_USAGE, "counts: expected an array of %u",
				       family->is.bucket_count + 1);
	while (count-- > 0)
		if (!prodd_cursor_uint(&cursor, &more) || more > (uint64_t)INT64_MAX)
			return prodd_error_set(e, PRODD_E_USAGE, "counts: expected whole numbers from 0");
	return from->sum.size == 0 || prodd_cursor_float(&sum, &one)
		       ? 0
		       : prodd_error_set(e, PRODD_E_USAGE, "sum: expected a number");
}

static int check_value(const struct family *family, const struct wire_push_series *from,
		       struct prodd_error *e)
{
	struct prodd_slice value = from->value;
	struct prodd_cursor cursor = prodd_cursor(value);
	uint64_t count;
	double number;

	if (from->counts.size > 0)
		return check_counts(family, from, e);
	if (value.size == 0)
		return 0;	/* declared, nothing new */
	if (family->is.type == SEGMENT_HISTOGRAM)
		return check_observations(value, e);
	if (family->is.type == SEGMENT_COUNTER)
		return prodd_cursor_uint(&cursor, &count) && count <= (uint64_t)INT64_MAX
			       ? 0
			       : prodd_error_set(e, PRODD_E_USAGE,
						 "value: expected a whole number from 0 to add");
	return prodd_cursor_float(&cursor, &number) && !isnan(number)
		       ? 0
		       : prodd_error_set(e, PRODD_E_USAGE, "value: expected a number");
}

static void take_counts(struct push *p, struct binding *binding, const struct wire_push_series *from)
{
	struct prodd_cursor cursor = prodd_cursor(from->counts), sum = prodd_cursor(from->sum);
	uint32_t count = 0;
	uint64_t more;
	double all;

	prodd_cursor_array(&cursor, &count);
	for (unsigned i = 0; i < count && prodd_cursor_uint(&cursor, &more); i++)
		binding_count(binding, i, more, &p->registry->ledger);
	if (prodd_cursor_float(&sum, &all))
		binding_sum(binding, all, &p->registry->ledger);
}

static void take_value(struct push *p, struct binding *binding, const struct wire_push_series *from)
{
	const struct family *family = binding->series->family;
	struct prodd_slice value = from->value;
	struct prodd_cursor cursor = prodd_cursor(value);
	uint64_t count = 0;
	uint32_t observations = 0;
	double number = 0;

	if (from->counts.size > 0)
		take_counts(p, binding, from);
	if (value.size == 0)
		return;
	if (family->is.type == SEGMENT_COUNTER) {
		prodd_cursor_uint(&cursor, &count);
		binding_count(binding, 0, count, &p->registry->ledger);
	} else if (family->is.type == SEGMENT_GAUGE) {
		prodd_cursor_float(&cursor, &number);
		binding->last[0] = series_bits(number);
		binding->last[1] = clock_monotonic_us() * 1000;
	} else if (prodd_cursor_array(&cursor, &observations)) {
		while (observations-- > 0 && prodd_cursor_float(&cursor, &number))
			binding_observe(binding, number, &p->registry->ledger);
	}
}

/* ---- series and families */

/* None in a family that has labels: its overflow series. */
static int read_values(const struct family *family, struct prodd_list list, struct prodd_slice *values,
		       struct prodd_error *e)
{
	struct prodd_iter texts = prodd_iter(list);
	unsigned count = 0;

	if (list.count == 0)
		return 0;
	if (list.count != family->is.label_count)
		return prodd_error_set(e, PRODD_E_USAGE, "labels: expected %u values, not %u",
				       family->is.label_count, list.count);
	while (count < family->is.label_count && prodd_next_text(&texts, &values[count]))
		count++;
	return segment_check_values(&family->is, values, e);
}

static struct binding *bind_to(struct push *p, struct series *series)
{
	struct attachment *owner = series->family->is.type == SEGMENT_GAUGE
					   ? attachment_of_session(p->registry, p->session)
					   : attachment_of_pushes(p->registry);
	struct binding *binding = owner ? registry_bound(series, owner) : NULL;

	if (binding || !owner)
		return binding;
	binding = registry_bind(p->registry, series, owner);
	if (binding)
		registry_record_binding(p->registry, binding);
	return binding;
}

static int take_series(struct push *p, struct family *family, const struct wire_push_series *from,
		       struct prodd_error *e)
{
	struct prodd_slice values[SEGMENT_LABELS_MAX];
	struct binding *binding = NULL;
	struct series *series;
	int r = read_values(family, from->labels, values, e);

	if (r == 0)
		r = check_value(family, from, e);
	if (r < 0)
		return r;
	series = registry_series(p->registry, family, values, from->labels.count, clock_wall_ms() * 1000000);
	if (series)
		binding = bind_to(p, series);
	if (!binding)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "the app has its most bytes");
	take_value(p, binding, from);
	p->waits = p->waits || !registry_tells_binding(p->registry, binding);
	p->taken++;
	if (series == family->overflow) {
		p->overflow++;
		registry_overflowed(p->registry, family);
	}
	return 0;
}

static void take_family(struct push *p, const struct wire_push_family *from)
{
	struct prodd_iter all = prodd_iter(from->series);
	struct wire_push_series series;
	struct segment_family is;
	struct prodd_error e;
	struct family *family;

	if (family_decode(from, &is, &e) < 0 || segment_check_family(&is, &e) < 0 ||
	    registry_declare(p->registry, &is, session_instance(p->session), &family, &e) < 0) {
		problem(p, NULL, &e);
		return;
	}
	family->users++;	/* for as long as this goes on */
	while (prodd_next(&all, &wire_record_push_series, &series, &e) > 0)
		if (take_series(p, family, &series, &e) < 0)
			problem(p, family, &e);
	family->users--;
	p->registry->dirty = true;
}

static void take_all(struct push *p, const struct wire_metric_push *request)
{
	struct prodd_iter all = prodd_iter(request->families);
	struct wire_push_family family;
	struct prodd_error e;

	while (prodd_next(&all, &wire_record_push_family, &family, &e) > 0)
		take_family(p, &family);
}

/* ---- the answer */

void registry_answer(struct registry *registry)
{
	struct waiting_push *waiting;

	while ((waiting = STAILQ_FIRST(&registry->waiting))) {
		STAILQ_REMOVE_HEAD(&registry->waiting, link);
		call_answer(waiting->call, &waiting->result);
		prodd_buffer_clear(&waiting->problems);
		free(waiting);
	}
}

/* Takes what is in `p`. */
static void finish(struct push *p, struct call *call)
{
	struct wire_metric_pushed result = {
		.taken = p->taken,
		.overflow = p->overflow,
		.problems = prodd_list(&p->problems, p->problem_count),
	};
	struct waiting_push *waiting = p->waits ? malloc(sizeof *waiting) : NULL;

	if (waiting) {
		*waiting = (struct waiting_push){ call, result, p->problems, { NULL } };
		STAILQ_INSERT_TAIL(&p->registry->waiting, waiting, link);
		return;
	}
	call_answer(call, &result);
	prodd_buffer_clear(&p->problems);
}

void metric_push_call(struct handler *handler, struct call *call, const void *params)
{
	struct metric *metric = container_of(handler, struct metric, push);
	struct session *session = call_session(call);
	struct push p = { .session = session };
	struct prodd_error e = { 0 };

	counters.metric_pushes++;
	if (session)
		p.registry =
			metric_registry(metric, session_app(session), session_identity(session)->uid, &e);
	if (!p.registry) {
		if (!e.code)
			prodd_error_set(&e, PRODD_E_CLOSED, "the session has ended");
		call_fail(call, &e);
		return;
	}
	take_all(&p, params);
	finish(&p, call);
}
