/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the wire's schema (schema.h) that is about metrics. */
#ifndef PRODD_PROTO_SCHEMA_METRIC_H
#define PRODD_PROTO_SCHEMA_METRIC_H

#define WIRE_FIELDS_segment_attach(F, T) \
	F(T, BIN,  segment, none, MUST, 16, "0.1.0", "Its uuid, as in its head.") \
	F(T, UINT, size,    none, MUST, 0,  "0.1.0", "Bytes of the memfd.")

#define WIRE_FIELDS_push_series(F, T) \
	F(T, STRS,  labels, none, MAY, 16,    "0.1.0", "Values of the family's labels, in their order. None, where the family has some: its overflow series.") \
	F(T, VALUE, value,  none, MAY, 65536, "0.1.0", "Counter: how much to add. Gauge: the value. Histogram: an array of observations.") \
	F(T, VALUE, counts, none, MAY, 1024,  "0.1.0", "Histogram, instead of `value`: array of how many more in each bucket (not cumulated), the last above all bounds.") \
	F(T, VALUE, sum,    none, MAY, 16,    "0.1.0", "Histogram, with `counts`: how much more in all.")

#define WIRE_FIELDS_push_family(F, T) \
	F(T, STR,   name,    none,        MUST, 128,  "0.1.0", "Name; a counter's ends with \"_total\".") \
	F(T, STR,   type,    none,        MUST, 16,   "0.1.0", "counter, gauge or histogram.") \
	F(T, STR,   mode,    none,        MAY,  16,   "0.1.0", "Gauge: how instances become one: last (default), sum, min, max or each.") \
	F(T, STR,   unit,    none,        MAY,  32,   "0.1.0", "Unit: the suffix of the name, before \"_total\".") \
	F(T, STR,   help,    none,        MAY,  512,  "0.1.0", "One sentence.") \
	F(T, STRS,  labels,  none,        MAY,  16,   "0.1.0", "Names of its labels.") \
	F(T, VALUE, buckets, none,        MAY,  1024, "0.1.0", "Histogram: array of the buckets' upper bounds, ascending.") \
	F(T, LIST,  series,  push_series, MAY,  2000, "0.1.0", "What is new.")

#define WIRE_FIELDS_metric_push(F, T) \
	F(T, LIST, families, push_family, MUST, 256, "0.1.0", "Families with what is new in them.")

#define WIRE_FIELDS_metric_pushed(F, T) \
	F(T, UINT, taken,    none,    MAY, 0,   "0.1.0", "Series taken in.") \
	F(T, UINT, overflow, none,    MAY, 0,   "0.1.0", "Series over the app's limit: they count in the overflow series.") \
	F(T, LIST, problems, problem, MAY, 256, "0.1.0", "Families and values that were refused, and why.")

#define WIRE_FIELDS_metrics_request(F, T) \
	F(T, STR, app,     none, MAY, 128,  "0.1.0", "Only this app; absent: all, and prodd's own. Operators only.") \
	F(T, STR, pattern, none, MAY, 256,  "0.1.0", "Only metrics whose name matches: * and ? as in file names; without any, whose name contains it.") \
	F(T, STR, after,   none, MAY, 1024, "0.1.0", "`next` of the page before; absent: from the beginning.")

#define WIRE_FIELDS_metric_row(F, T) \
	F(T, STR,   app,        none, MAY,  128,  "0.1.0", "Name of the app; absent: prodd's own.") \
	F(T, STR,   name,       none, MUST, 128,  "0.1.0", "Name of the metric.") \
	F(T, STR,   type,       none, MUST, 16,   "0.1.0", "counter, gauge or histogram.") \
	F(T, STR,   help,       none, MAY,  512,  "0.1.0", "One sentence.") \
	F(T, STR,   labels,     none, MAY,  8192, "0.1.0", "Labels as in the Prometheus text: a=\"1\",b=\"2\".") \
	F(T, VALUE, value,      none, MAY,  64,   "0.1.0", "Its value; of a histogram the sum of what was observed.") \
	F(T, VALUE, bounds,     none, MAY,  1024, "0.1.0", "Histogram: array of upper bounds, without +Inf.") \
	F(T, VALUE, counts,     none, MAY,  1024, "0.1.0", "Histogram: observations in each bucket (not cumulated), the last above all bounds.") \
	F(T, UINT,  created_ms, none, MAY,  0,    "0.1.0", "Since when it counts, milliseconds since 1970 (UTC).")

#define WIRE_FIELDS_metrics_page(F, T) \
	F(T, LIST, rows, metric_row, MAY, 4096, "0.1.0", "Metrics, sorted by app, name and labels.") \
	F(T, STR,  next, none,       MAY, 1024, "0.1.0", "There is more: ask with this as `after`.")

#define WIRE_RECORDS_METRIC(R) \
	R(segment_attach,  "A segment of metrics.") \
	R(push_series,     "News of a series.") \
	R(push_family,     "News of a family.") \
	R(metric_push,     "News.") \
	R(metric_pushed,   "What became of it.") \
	R(metrics_request, "Which metrics.") \
	R(metric_row,      "A metric.") \
	R(metrics_page,    "Metrics.")

#define WIRE_METHODS_METRIC(M) \
	M(segment_attach, "segment.attach", CALL, APP, segment_attach,  empty,         "0.1.0", "Shares the segment whose memfd comes with this frame.") \
	M(metric_push,    "metric.push",    CALL, APP, metric_push,     metric_pushed, "0.1.0", "Adds to counters, sets gauges, observes: for apps without a segment.") \
	M(metrics,        "metrics",        CALL, OWN, metrics_request, metrics_page,  "0.1.0", "Metrics with their values. Without `app`: operators only.")

#endif
