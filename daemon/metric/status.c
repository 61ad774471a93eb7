/* SPDX-License-Identifier: Apache-2.0 */
/* What needs a person, of metrics, and how many series an app has. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/metric/metric.h"
#include "daemon/util/container.h"

#define LINE_MAX_BYTES 720

static void conflict(const struct registry *registry, const char *subject, struct problems_found *found)
{
	const struct attachment *a;
	unsigned refused = 0;
	char command[BOOK_APP + 32];

	LIST_FOREACH(a, &registry->attachments, link)
		refused += a->refused_families > 0 && a->state == ATTACHMENT_LIVES;
	if (refused == 0)
		return;
	snprintf(command, sizeof command, "prodctl events --app %.120s", registry->name);
	problems_found_add(found, PROBLEM_METRIC_CONFLICT, subject, registry->refused_ms,
			   (const char *[PROBLEM_LINES_MAX]){
				   registry->refusal,
				   "what that instance counts under the name is not shown" },
			   command);
}

static const struct family *overflowing(const struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++) {
		const struct series *overflow = registry->families[i]->overflow;

		if (overflow && !LIST_EMPTY(&overflow->bindings))
			return registry->families[i];
	}
	return NULL;
}

static void overflow(const struct registry *registry, const char *subject, struct problems_found *found)
{
	const struct family *family = overflowing(registry);
	char line[LINE_MAX_BYTES], command[BOOK_APP + 32];

	if (!family)
		return;
	snprintf(line, sizeof line, "%u of %u series; %.*s has more, which count into overflow=\"true\"",
		 registry->series, registry->metric->series_max, PRODD_SLICE(family->is.name));
	snprintf(command, sizeof command, "prodctl metrics %.120s", registry->name);
	problems_found_add(found, PROBLEM_METRIC_OVERFLOW, subject, registry->overflow_ms,
			   (const char *[PROBLEM_LINES_MAX]){
				   line, "sums stay right; what is behind a label cannot be told" },
			   command);
}

static void ledger(const struct registry *registry, const char *subject, struct problems_found *found)
{
	char line[LINE_MAX_BYTES];

	if (!registry->ledger.failing)
		return;
	snprintf(line, sizeof line, "%s cannot be written: %s", registry->ledger.name, registry->ledger.why);
	problems_found_add(
		found, PROBLEM_METRIC_LEDGER, subject, registry->ledger.failed_ms,
		(const char *[PROBLEM_LINES_MAX]){
			line, "the app's counters are right, and would begin lower after a crash of prodd",
			registry->ledger.foreign ? NULL : "it is tried again every 30 s" },
		"");
}

void metric_status_problems(struct status_part *part, struct prodd_slice app, struct problems_found *found)
{
	const struct metric *metric = container_of(part, struct metric, status);
	struct registry *registry, *next;

	HASH_ITER(hh, metric->registries, registry, next) {
		char subject[BOOK_APP];

		if (app.size && !prodd_slice_is(app, registry->name))
			continue;
		snprintf(subject, sizeof subject, "metrics %.140s", registry->name);
		conflict(registry, subject, found);
		overflow(registry, subject, found);
		ledger(registry, subject, found);
	}
}

void metric_status_app(struct status_part *part, const char *app, struct wire_app_status *row)
{
	const struct metric *metric = container_of(part, struct metric, status);
	const struct registry *registry;

	HASH_FIND_STR(metric->registries, app, registry);
	row->series = registry ? registry->series : 0;
}
