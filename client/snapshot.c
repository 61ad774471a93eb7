/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building goes in steps over one array of entries: the served snapshot, the
 * overlay, what is kept; then the table and the slots are made of the result.
 * All memory of a snapshot is its arena's, itself included in none of it.
 */
#include "client/snapshot.h"

#include <stdlib.h>

#include "proto/codec.h"

/* ---- look-up */

/* Multiplies eight bytes at a time: names are short, and this is most of a look-up's time. */
static uint32_t hash_name(const char *name, size_t size)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);	/* 2^64 divided by the golden ratio */
	uint64_t hash = size * factor, word;

	for (; size >= sizeof word; size -= sizeof word, name += sizeof word) {
		memcpy(&word, name, sizeof word);
		hash = (hash ^ word) * factor;
		hash ^= hash >> 29;
	}
	word = 0;
	memcpy(&word, name, size);
	hash = (hash ^ word) * factor;
	return (uint32_t)(hash >> 32);
}

const struct prodd_entry *prodd_snapshot_find(const struct prodd_config *c, const char *name)
{
	uint32_t hash = hash_name(name, strlen(name));

	for (uint32_t i = hash & c->mask; c->table[i]; i = (i + 1) & c->mask) {
		const struct prodd_entry *entry = &c->entries[c->table[i] - 1];

		if (entry->hash == hash && strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

/* ---- building */

struct build {
	struct prodd_config *c;
	struct prodd_entry *entries;
	uint32_t *table;
	struct prodd_error *e;
};

static int no_memory(struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_NO_MEMORY, "a snapshot of the configuration");
}

static int read_entry(struct build *b, struct prodd_entry *entry, const struct wire_config_entry *wire)
{
	entry->hash = hash_name(wire->key.at, wire->key.size);
	entry->restart |= wire->restart;
	return prodd_value_read(&entry->value, prodd_type_of(wire->type), wire->value, &b->c->arena, b->e);
}

static int read_snapshot(struct build *b, struct prodd_list list)
{
	struct prodd_iter it = prodd_iter(list);
	struct wire_config_entry wire;
	int r;

	b->entries = prodd_arena_take(&b->c->arena, (list.count + (size_t)1) * sizeof *b->entries);
	if (!b->entries)
		return no_memory(b->e);
	b->c->entries = b->entries;
	while ((r = prodd_next(&it, &wire_record_config_entry, &wire, b->e)) > 0) {
		struct prodd_entry *entry = &b->entries[b->c->count];

		entry->name = prodd_arena_text(&b->c->arena, wire.key);
		if (!entry->name)
			return no_memory(b->e);
		if (b->c->count > 0 && strcmp(entry[-1].name, entry->name) >= 0)
			return prodd_error_set(b->e, PRODD_E_PROTOCOL, "the snapshot is not sorted at %s",
					       entry->name);
		r = read_entry(b, entry, &wire);
		if (r < 0)
			return r;
		b->c->count++;
	}
	return r;
}

static int make_table(struct build *b)
{
	uint32_t size = 2;

	while (size < 2 * b->c->count)
		size *= 2;
	b->table = prodd_arena_take(&b->c->arena, size * sizeof *b->table);
	if (!b->table)
		return no_memory(b->e);
	b->c->table = b->table;
	b->c->mask = size - 1;
	for (size_t n = 0; n < b->c->count; n++) {
		uint32_t i = b->entries[n].hash & b->c->mask;

		while (b->table[i])
			i = (i + 1) & b->c->mask;
		b->table[i] = (uint32_t)n + 1;
	}
	return 0;
}

/* The daemon lays over only what the snapshot has. */
static int lay_over(struct build *b, struct prodd_list overlay)
{
	struct prodd_iter it = prodd_iter(overlay);
	struct wire_config_entry wire;
	int r;

	while ((r = prodd_next(&it, &wire_record_config_entry, &wire, b->e)) > 0) {
		char *name = prodd_arena_text(&b->c->arena, wire.key);
		const struct prodd_entry *entry = name ? prodd_snapshot_find(b->c, name) : NULL;

		if (!name)
			return no_memory(b->e);
		if (!entry)
			return prodd_error_set(b->e, PRODD_E_PROTOCOL,
					       "the overlay has %s, the snapshot has not", name);
		r = read_entry(b, &b->entries[entry - b->entries], &wire);
		if (r < 0)
			return r;
	}
	return r;
}

/* A key that the one in use does not have has no old value to keep. */
static int keep(struct build *b, const struct prodd_config *running)
{
	for (size_t n = 0; n < b->c->count; n++) {
		struct prodd_entry *entry = &b->entries[n];
		const struct prodd_entry *old =
			entry->restart ? prodd_snapshot_find(running, entry->name) : NULL;

		if (!old || prodd_value_equal(&old->value, &entry->value))
			continue;
		if (!prodd_value_copy(&entry->value, &old->value, &b->c->arena))
			return no_memory(b->e);
		entry->kept = true;
		b->c->kept_count++;
	}
	return 0;
}

static int make_slots(struct build *b, const struct prodd_names *keys)
{
	const struct prodd_name *name = prodd_names_newest(keys);
	struct prodd_slot *slots;

	if (!name)
		return 0;
	slots = prodd_arena_take(&b->c->arena, (name->number + (size_t)1) * sizeof *slots);
	if (!slots)
		return no_memory(b->e);
	b->c->slots = slots;
	b->c->slot_count = name->number + 1;
	for (; name; name = name->next) {
		const struct prodd_entry *entry = prodd_snapshot_find(b->c, name->text);

		slots[name->number].name = name->text;
		if (entry)
			slots[name->number].value = entry->value;
	}
	return 0;
}

static int fill(struct build *b, const struct prodd_served *served, const struct prodd_config *running,
		const struct prodd_names *keys)
{
	struct prodd_config *c = b->c;
	int r;

	c->generation = served->generation;
	c->epoch = prodd_arena_text(&c->arena, served->epoch);
	c->hash = prodd_arena_text(&c->arena, served->hash);
	c->environment = prodd_arena_text(&c->arena, served->environment);
	if (!c->epoch || !c->hash || !c->environment)
		return no_memory(b->e);
	r = read_snapshot(b, served->snapshot);
	if (r < 0)
		return r;
	r = make_table(b);
	if (r < 0)
		return r;
	r = lay_over(b, served->overlay);
	if (r < 0)
		return r;
	r = running ? keep(b, running) : 0;
	if (r < 0)
		return r;
	return make_slots(b, keys);
}

static void snapshot_free(struct prodd_config *c)
{
	prodd_names_clear(&c->texts);
	prodd_arena_clear(&c->arena);
	prodd_messages_unref(c->messages);
	free(c);
}

int prodd_snapshot_new(const struct prodd_served *served, const struct prodd_config *running,
		       const struct prodd_names *keys, struct prodd_messages *messages,
		       struct prodd_config **ret, struct prodd_error *e)
{
	struct build b = { .c = calloc(1, sizeof *b.c), .e = e };
	int r;

	if (!b.c)
		return no_memory(e);
	prodd_counted_init(&b.c->counted);
	b.c->messages = prodd_messages_ref(messages);
	r = prodd_current_can_hold(&b.c->counted) ? fill(&b, served, running, keys) : no_memory(e);
	if (r < 0) {
		snapshot_free(b.c);
		return r;
	}
	*ret = b.c;
	return 0;
}

/* ---- references */

static struct prodd_config *config_of(struct prodd_counted *counted)
{
	return (struct prodd_config *)((char *)counted - offsetof(struct prodd_config, counted));
}

void prodd_snapshot_use(struct prodd_current *current, struct prodd_config *next)
{
	struct prodd_counted *last = prodd_current_set(current, next ? &next->counted : NULL);

	if (last)
		snapshot_free(config_of(last));
}

const struct prodd_config *prodd_snapshot_in_use(struct prodd_current *current)
{
	struct prodd_counted *counted = prodd_current_get(current);

	return counted ? config_of(counted) : NULL;
}

/* References are counted in what is otherwise constant for all who hold one. */
const struct prodd_config *prodd_config_ref(const struct prodd_config *c)
{
	if (c)
		prodd_counted_ref(&((struct prodd_config *)c)->counted);
	return c;
}

const struct prodd_config *prodd_config_unref(const struct prodd_config *c)
{
	if (c && prodd_counted_unref(&((struct prodd_config *)c)->counted))
		snapshot_free((struct prodd_config *)c);
	return NULL;
}

bool prodd_snapshot_is(const struct prodd_config *c, const struct prodd_served *served)
{
	return c->generation == served->generation && prodd_slice_is(served->epoch, c->epoch) &&
	       prodd_slice_is(served->hash, c->hash);
}

/* ---- what it is */

uint64_t prodd_config_generation(const struct prodd_config *c)
{
	return c ? c->generation : 0;
}

const char *prodd_config_hash(const struct prodd_config *c)
{
	return c ? c->hash : "";
}

const char *prodd_config_environment(const struct prodd_config *c)
{
	return c ? c->environment : "";
}

size_t prodd_config_count(const struct prodd_config *c)
{
	return c ? c->count : 0;
}

const char *prodd_config_name(const struct prodd_config *c, size_t i)
{
	return c && i < c->count ? c->entries[i].name : NULL;
}
