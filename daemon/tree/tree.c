/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted arrays: finding is a binary search, comparing a walk along two of them. */
#include "daemon/tree/tree.h"

#include <stdlib.h>

#include "daemon/tree/value.h"
#include "proto/codec.h"

enum { text_max = 1024 };	/* the wire's limit of a change's texts */

static int check_entry(const struct tree *tree, uint32_t i, struct prodd_error *e)
{
	const struct wire_tree_entry *entry = &tree->entries[i];

	if (i > 0 && prodd_slice_compare(tree->entries[i - 1].key, entry->key) >= 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "%.*s: settings are not sorted by key",
				       PRODD_SLICE(entry->key));
	if (entry->value.size && value_literal_type(entry->value) == VALUE_NONE)
		return prodd_error_set(e, PRODD_E_CORRUPT, "%.*s: the value is damaged",
				       PRODD_SLICE(entry->key));
	return 0;
}

int tree_open(struct prodd_list entries, struct tree **ret, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(entries);
	struct tree *tree;
	int r = 0;

	/* An entry takes more than one byte: the count cannot make this large. */
	if (entries.count > entries.size)
		return prodd_error_set(e, PRODD_E_CORRUPT, "more settings than bytes");
	tree = calloc(1, sizeof *tree + entries.count * sizeof(*tree->entries));
	if (!tree)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the settings");
	while (tree->count < entries.count && r == 0) {
		r = prodd_next(&it, &wire_record_tree_entry, &tree->entries[tree->count], e);
		if (r > 0)
			r = check_entry(tree, tree->count++, e);
		else if (r == 0)
			r = prodd_error_set(e, PRODD_E_CORRUPT, "fewer settings than announced");
	}
	if (r < 0) {
		tree_free(tree);
		return r;
	}
	*ret = tree;
	return 0;
}

struct tree *tree_free(struct tree *tree)
{
	free(tree);
	return NULL;
}

uint32_t tree_lower_bound(const struct tree *tree, struct prodd_slice key)
{
	uint32_t low = 0, high = tree ? tree->count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (prodd_slice_compare(tree->entries[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct wire_tree_entry *tree_find(const struct tree *tree, struct prodd_slice key)
{
	uint32_t i = tree_lower_bound(tree, key);

	return tree && i < tree->count && prodd_slice_equal(tree->entries[i].key, key) ? &tree->entries[i]
										       : NULL;
}

int tree_snapshot(const struct tree *tree, struct prodd_buffer *b, uint32_t *count)
{
	for (uint32_t i = 0; tree && i < tree->count; i++) {
		const struct wire_tree_entry *from = &tree->entries[i];
		struct wire_config_entry entry = {
			.key = from->key, .type = from->type, .value = from->value, .restart = from->restart,
		};

		prodd_encode_element(b, count, &wire_record_config_entry, &entry);
	}
	return b->failed;
}

uint32_t tree_count_set(const struct tree *tree)
{
	uint32_t set = 0;

	for (uint32_t i = 0; tree && i < tree->count; i++)
		set += tree->entries[i].value.size > 0;
	return set;
}

/* ---- difference */

struct tree_diff tree_diff(const struct tree *old, const struct tree *now)
{
	return (struct tree_diff){ .old = old, .now = now };
}

static struct prodd_slice value_of(const struct wire_tree_entry *entry)
{
	return entry ? entry->value : (struct prodd_slice){ NULL, 0 };
}

static bool differs(const struct wire_tree_entry *old, const struct wire_tree_entry *now)
{
	if (value_of(old).size == 0 && value_of(now).size == 0)
		return false;
	if (!prodd_slice_equal(value_of(old), value_of(now)))
		return true;
	return !prodd_slice_equal(old->type, now->type);	/* both are there: they have equal values */
}

static const struct wire_tree_entry *entry_at(const struct tree *tree, uint32_t index)
{
	return tree && index < tree->count ? &tree->entries[index] : NULL;
}

/* The next key of either side, in order. */
static bool step(struct tree_diff *d, struct tree_change *ret)
{
	const struct wire_tree_entry *old = entry_at(d->old, d->old_index);
	const struct wire_tree_entry *now = entry_at(d->now, d->now_index);
	int order;

	if (!old && !now)
		return false;
	order = !old ? 1 : !now ? -1 : prodd_slice_compare(old->key, now->key);
	ret->old = order <= 0 ? old : NULL;
	ret->now = order >= 0 ? now : NULL;
	d->old_index += order <= 0;
	d->now_index += order >= 0;
	return true;
}

bool tree_diff_next(struct tree_diff *d, struct tree_change *ret)
{
	while (step(d, ret))
		if (differs(ret->old, ret->now))
			return true;
	return false;
}

uint32_t tree_diff_count(const struct tree *old, const struct tree *now)
{
	struct tree_diff d = tree_diff(old, now);
	struct tree_change change;
	uint32_t count = 0;

	while (tree_diff_next(&d, &change))
		count++;
	return count;
}

static void put_origin(const struct wire_tree_entry *entry, struct wire_change *row)
{
	struct prodd_iter it = prodd_iter(entry->candidates);
	struct wire_candidate winner;

	if (prodd_next(&it, &wire_record_candidate, &winner, NULL) <= 0)
		return;
	row->file = prodd_slice_is(winner.layer, "override") ? winner.layer : winner.file;
	row->line = winner.line;
}

static struct prodd_slice text_of(const struct wire_tree_entry *entry, char text[text_max])
{
	return (struct prodd_slice){ text, value_text(entry->value, entry->type, text, text_max) };
}

int tree_change_encode(const struct tree_change *change, struct prodd_buffer *b, uint32_t *count)
{
	const struct wire_tree_entry *any = change->now ? change->now : change->old;
	struct wire_change row = { .key = any->key, .restart = any->restart };
	char old[text_max], now[text_max];

	row.added = value_of(change->old).size == 0;
	row.removed = value_of(change->now).size == 0;
	if (!row.added)
		row.old = text_of(change->old, old);
	if (!row.removed) {
		row.now = text_of(change->now, now);
		put_origin(change->now, &row);
	}
	return prodd_encode_element(b, count, &wire_record_change, &row);
}
