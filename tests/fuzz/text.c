/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics whose texts and values are arbitrary bytes, as text in both formats and in slices of arbitrary size: every line
 * is a comment or a sample of the family that stands above it, with a value that reads back, and OpenMetrics ends with its end.
 */
#include <math.h>

#include "daemon/metric/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_source.h"

enum { families_max = 8, buckets_max = 6 };

struct input {
	const uint8_t *at;
	size_t left;
};

static unsigned take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static struct prodd_slice take_text(struct input *in)
{
	struct prodd_slice s = { (const char *)in->at, take(in) % 16 };

	s.at = (const char *)in->at;
	if (s.size > in->left)
		s.size = in->left;
	in->at += s.size;
	in->left -= s.size;
	return s;
}

static uint64_t take_bits(struct input *in)
{
	uint64_t bits = 0;

	for (int i = 0; i < 8; i++)
		bits = bits << 8 | take(in);
	return bits;
}

static double take_real(struct input *in)
{
	uint64_t bits = take_bits(in);
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* ---- what the registry would have checked: names and labels */

static const char *const names[families_max] = { "a_total", "b_seconds", "c", "d_bytes_total", "e_total", "f", "g_ratio", "h" };

struct made {
	struct fake_family families[families_max];
	struct metric_sample samples[families_max];
	uint64_t buckets[families_max][buckets_max];
	double bounds[families_max][buckets_max];
};

static void make_family(struct made *m, unsigned i, struct input *in)
{
	struct metric_sample *s = &m->samples[i];

	m->families[i] = (struct fake_family){
		.family = { .name = prodd_slice(names[i]), .help = take_text(in),
			    .unit = prodd_slice(take(in) & 1 ? "seconds" : ""), .type = METRIC_COUNTER + take(in) % 3 },
		.samples = s, .count = take(in) & 1,
	};
	*s = (struct metric_sample){ .labels = prodd_slice(take(in) & 1 ? "app=\"x\"" : ""), .count = take_bits(in),
				     .value = take_real(in), .real = take(in) & 1, .buckets = m->buckets[i],
				     .bounds = m->bounds[i], .bound_count = take(in) % buckets_max,
				     .created_ns = take_bits(in) };
	for (unsigned k = 0; k < s->bound_count; k++)
		m->bounds[i][k] = take_real(in);
	for (unsigned k = 0; k <= s->bound_count; k++)
		m->buckets[i][k] = take_bits(in);
}

/* ---- what comes out */

static void check_sample(struct prodd_slice line, struct prodd_slice family)
{
	const char *value = memrchr(line.at, ' ', line.size);
	char text[64], *end;

	FUZZ_DEMAND(line.size > family.size && memcmp(line.at, family.at, family.size) == 0);
	FUZZ_DEMAND(value && value > line.at);
	snprintf(text, sizeof text, "%.*s", (int)(line.at + line.size - value - 1), value + 1);
	strtod(text, &end);
	FUZZ_DEMAND(end > text && *end == '\0');
}

static void check_text(struct prodd_slice text, enum text_format format)
{
	struct prodd_slice family = { "", 0 };
	bool ended = false;

	while (text.size > 0) {
		const char *end = memchr(text.at, '\n', text.size);
		struct prodd_slice line = { text.at, end ? (size_t)(end - text.at) : 0 };

		FUZZ_DEMAND(end && line.size > 0 && !ended);
		if (line.size > 7 && memcmp(line.at, "# TYPE ", 7) == 0) {
			family = (struct prodd_slice){ line.at + 7, line.size - 7 };
			family.size = (size_t)((const char *)memchr(family.at, ' ', family.size) - family.at);
		} else if (prodd_slice_is(line, "# EOF")) {
			ended = true;
		} else if (line.at[0] != '#') {
			check_sample(line, family);
		}
		text.at = end + 1;
		text.size -= line.size + 1;
	}
	FUZZ_DEMAND(ended == (format == TEXT_OPENMETRICS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned lines = 1 + take(&in) % 20, count = 1 + take(&in) % families_max;
	struct fake_source source;
	static struct made made;

	for (unsigned i = 0; i < count; i++)
		make_family(&made, i, &in);
	fake_source_init(&source, made.families, count);
	for (int format = TEXT_PROMETHEUS; format <= TEXT_OPENMETRICS; format++) {
		prodd_auto_buffer text = { .limit = 1u << 20 };
		struct text_writer writer;
		struct prodd_error e;

		FUZZ_DEMAND(text_begin(&writer, &source.source, prodd_slice(""), format, &e) == 0);
		while (text_step(&writer, &text, lines))
			;
		text_end(&writer);
		FUZZ_DEMAND(text.failed == 0);
		check_text(prodd_buffer_slice(&text), format);
	}
	return 0;
}
