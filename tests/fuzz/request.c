/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP request of arbitrary bytes: the same answer for the same beginning, however much of it has come, and
 * nothing borrowed from outside of it.
 */
#include "daemon/metric/request.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_mutations = 2000;

static void check(struct prodd_slice bytes, int r, const struct request *request)
{
	if (r <= 0) {
		FUZZ_DEMAND(r == 0 || r == -400 || r == -413 || r == -431 || r == -505);
		FUZZ_DEMAND(r != 0 || bytes.size < REQUEST_HEAD_MAX);
		return;
	}
	FUZZ_DEMAND((size_t)r <= bytes.size && bytes.at[r - 1] == '\n');
	FUZZ_DEMAND(request->path.size > 0);
	for (size_t i = 0; i < request->path.size; i++)
		FUZZ_DEMAND(request->path.at[i] != '\n' && request->path.at[i] != ' ' && request->path.at[i] != '?');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prodd_slice bytes = { (const char *)data, size > REQUEST_HEAD_MAX ? REQUEST_HEAD_MAX : size };
	struct request request, again;
	int r = request_parse(bytes, &request), shorter;

	check(bytes, r, &request);
	if (r <= 0)
		return 0;
	shorter = request_parse((struct prodd_slice){ bytes.at, (size_t)r }, &again);
	FUZZ_DEMAND(shorter == r && again.method == request.method && again.keep_alive == request.keep_alive);
	FUZZ_DEMAND(again.openmetrics == request.openmetrics && again.gzip == request.gzip);
	FUZZ_DEMAND(request_parse((struct prodd_slice){ bytes.at, (size_t)r - 1 }, &again) <= 0);
	return 0;
}
