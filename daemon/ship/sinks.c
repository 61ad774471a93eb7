/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sinks. */
#include "daemon/ship/sink.h"

static const struct sink_ops *const sinks[] = {
	&sink_file,
	&sink_stdout,
};

enum { sink_count = sizeof sinks / sizeof *sinks };

bool sink_is_whole(const struct sink_ops *ops, const char **ret_missing)
{
#define MUST_HAVE(member) \
	if (!ops->member) { \
		*ret_missing = #member; \
		return false; \
	}
	MUST_HAVE(type)
	MUST_HAVE(open)
	MUST_HAVE(close)
	MUST_HAVE(begin)
	MUST_HAVE(end)
	MUST_HAVE(resume)
	MUST_HAVE(write)
	MUST_HAVE(sync)
#undef MUST_HAVE
	return true;
}

int sink_find(struct prodd_slice type, const struct sink_ops **ret, struct prodd_error *e)
{
	const char *missing;

	for (int i = 0; i < sink_count; i++) {
		if (!sink_is_whole(sinks[i], &missing))
			return prodd_error_set(e, PRODD_E_INVALID, "sink type %s has no %s()",
					       sinks[i]->type ? sinks[i]->type : "without a name", missing);
		if (prodd_slice_is(type, sinks[i]->type)) {
			*ret = sinks[i];
			return 0;
		}
	}
	return prodd_error_set(e, PRODD_E_INVALID, "unknown type \"%.*s\"", PRODD_SLICE(type));
}
