/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether it comes from disk or is new, a generation is opened by the same
 * code from the same bytes: what is served is what is stored.
 */
#include "daemon/config/generation.h"

#include <stdlib.h>

#include "daemon/tree/overrides.h"
#include "daemon/util/hash.h"
#include "daemon/util/stamp.h"
#include "proto/limits.h"

struct generation *generation_ref(struct generation *generation)
{
	if (generation)
		generation->references++;
	return generation;
}

struct generation *generation_unref(struct generation *generation)
{
	if (!generation || --generation->references > 0)
		return NULL;
	shared_unref(generation->snapshot);
	overlay_index_free(generation->index);
	if (generation->tree != generation->base)
		tree_free(generation->tree);
	tree_free(generation->base);
	schema_free(generation->schema);
	prodd_buffer_clear(&generation->laid);
	prodd_buffer_clear(&generation->bytes);
	free(generation);
	return NULL;
}

/* Lays the overrides over the settings of the files. */
static int lay_overrides(struct generation *g, struct problems *problems, struct prodd_error *e)
{
	uint32_t count = 0;
	int r;

	g->tree = g->base;
	if (g->record.overrides.count == 0)
		return 0;
	r = overrides_apply(g->base, g->schema, g->record.overrides, problems, &g->laid, &count, e);
	if (r < 0)
		return r;
	return tree_open(prodd_list(&g->laid, count), &g->tree, e);
}

static int make_snapshot(struct generation *g, struct prodd_error *e)
{
	prodd_auto_buffer snapshot = { .limit = PRODD_SNAPSHOT_MAX };
	uint32_t count = 0;

	if (tree_snapshot(g->tree, &snapshot, &count) < 0)
		return prodd_error_set(e, -snapshot.failed, "the settings take more than %u bytes", PRODD_SNAPSHOT_MAX);
	g->snapshot = shared_new(prodd_list(&snapshot, count));
	return g->snapshot ? 0 : prodd_error_set(e, PRODD_E_NO_MEMORY, "a snapshot");
}

/* Everything that is derived from g->record. */
static int derive(struct generation *g, struct problems *problems, struct prodd_error *e)
{
	int r;

	if (schema_new(&g->schema) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a schema");
	schema_set_strict(g->schema, g->record.strict);
	r = schema_add_list(g->schema, g->record.keys, e);
	if (r >= 0)
		r = tree_open(g->record.entries, &g->base, e);
	if (r >= 0)
		r = lay_overrides(g, problems, e);
	if (r >= 0)
		r = make_snapshot(g, e);
	if (r >= 0 && overlay_index_new(&g->index, g->schema, g->tree) < 0)
		r = prodd_error_set(e, PRODD_E_NO_MEMORY, "an index of variables");
	return r;
}

static struct generation *new_empty(void)
{
	struct generation *g = calloc(1, sizeof *g);

	if (g)
		g->references = 1;
	return g;
}

int generation_open(struct prodd_buffer *bytes, struct generation **ret, struct prodd_error *e)
{
	struct generation *g = new_empty();
	problems_auto problems = { 0 };
	int r;

	if (!g) {
		prodd_buffer_clear(bytes);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a generation");
	}
	g->bytes = *bytes;
	*bytes = (struct prodd_buffer){ .limit = bytes->limit };
	r = stamp_open(prodd_buffer_slice(&g->bytes), GENERATION_KIND, &wire_record_generation, &g->record, e);
	if (r >= 0)
		r = derive(g, &problems, e);
	if (r < 0) {
		generation_unref(g);
		return r;
	}
	*ret = g;
	return 0;
}

static void hash_of(const struct generation *g, char hash[HASH_TEXT_SIZE])
{
	hash_text((struct prodd_slice){ g->snapshot->bytes, g->snapshot->size }, hash);
}

int generation_make(struct wire_generation draft, struct generation **ret, struct problems *problems,
		    struct prodd_error *e)
{
	struct generation *g = new_empty();
	struct prodd_buffer bytes = { .limit = PRODD_REPLY_MAX };
	char hash[HASH_TEXT_SIZE];
	int r;

	if (!g)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a generation");
	g->record = draft;
	r = derive(g, problems, e);
	if (r >= 0 && problems_count(problems) > 0)
		r = prodd_error_set(e, PRODD_E_INVALID, "an override breaks the schema");
	if (r >= 0) {
		hash_of(g, hash);
		draft.hash = prodd_slice(hash);
		r = stamp_seal(&bytes, GENERATION_KIND, &wire_record_generation, &draft);
		if (r < 0)
			prodd_error_set(e, -r, "a generation of %zu bytes", bytes.size);
	}
	generation_unref(g);
	return r < 0 ? (prodd_buffer_clear(&bytes), r) : generation_open(&bytes, ret, e);
}

bool generation_overrides(const struct generation *g, struct prodd_slice key)
{
	struct prodd_iter it = prodd_iter(g->record.overrides);
	struct wire_override override;

	while (prodd_next(&it, &wire_record_override, &override, NULL) > 0)
		if (prodd_slice_equal(override.key, key))
			return true;
	return false;
}

int generation_diff(const struct generation *old, const struct generation *now, struct prodd_buffer *changes,
		    uint32_t *count)
{
	struct tree_diff diff = tree_diff(old ? old->tree : NULL, now->tree);
	struct tree_change change;

	while (tree_diff_next(&diff, &change))
		tree_change_encode(&change, changes, count);
	return changes->failed;
}
