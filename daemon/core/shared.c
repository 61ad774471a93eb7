/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/shared.h"

#include <stdlib.h>
#include <string.h>

struct shared *shared_new(struct prodd_list list)
{
	struct shared *shared = malloc(sizeof *shared + list.size);

	if (!shared)
		return NULL;
	shared->references = 1;
	shared->count = list.count;
	shared->size = list.size;
	if (list.size > 0)
		memcpy(shared->bytes, list.at, list.size);
	return shared;
}

struct shared *shared_ref(struct shared *shared)
{
	shared->references++;
	return shared;
}

struct shared *shared_unref(struct shared *shared)
{
	if (shared && --shared->references == 0)
		free(shared);
	return NULL;
}
