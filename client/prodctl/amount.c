/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/amount.h"

#include <inttypes.h>
#include <stdio.h>

struct amount amount_bytes(uint64_t bytes)
{
	static const struct {
		unsigned shift;
		const char *name;
	} units[] = { { 40, "TiB" }, { 30, "GiB" }, { 20, "MiB" }, { 10, "KiB" } };
	struct amount a;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		uint64_t whole = bytes >> units[i].shift;
		uint64_t rest = bytes & ((UINT64_C(1) << units[i].shift) - 1);

		if (whole == 0)
			continue;
		if (whole < 10)
			snprintf(a.text, sizeof a.text, "%" PRIu64 ".%" PRIu64 " %s", whole, rest * 10 >> units[i].shift,
				 units[i].name);
		else
			snprintf(a.text, sizeof a.text, "%" PRIu64 " %s", whole, units[i].name);
		return a;
	}
	snprintf(a.text, sizeof a.text, "%" PRIu64, bytes);
	return a;
}

struct amount amount_rate(uint64_t thousandths)
{
	struct amount a;

	if (thousandths > 0 && thousandths < 10000)
		snprintf(a.text, sizeof a.text, "%" PRIu64 ".%" PRIu64, thousandths / 1000, thousandths % 1000 / 100);
	else
		snprintf(a.text, sizeof a.text, "%" PRIu64, thousandths / 1000);
	return a;
}
