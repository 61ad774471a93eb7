/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file and directory exists twice: as its users see it, and as it is on the
 * disk. Between the two lie the operations that no sync has brought over, in
 * their order; a cut applies some of them and throws away the rest.
 */
#include "tests/fault/forgetful_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dice.h"

enum { sector = 512 };

struct disk disk;

static struct node *nodes;
static struct operation *operations, **operations_end = &operations;
static struct dice dice;

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct node *node_new(bool directory)
{
	struct node *node = must(calloc(1, sizeof *node));

	node->directory = directory;
	if (directory) {
		node->names = must(calloc(1, sizeof *node->names));
		node->disk_names = must(calloc(1, sizeof *node->disk_names));
	}
	node->next = nodes;
	return nodes = node;
}

/* ---- changes of one of the two */

static void image_resize(struct image *image, size_t size)
{
	image->bytes = must(realloc(image->bytes, size + 1));
	if (size > image->size)
		memset(image->bytes + image->size, 0, size - image->size);
	image->size = size;
}

static void image_write(struct image *image, const unsigned char *bytes, size_t size, size_t offset)
{
	if (offset + size > image->size)
		image_resize(image, offset + size);
	memcpy(image->bytes + offset, bytes, size);
}

struct entry *listing_find(struct listing *listing, const char *name)
{
	for (unsigned i = 0; i < listing->count; i++)
		if (strcmp(listing->entries[i].name, name) == 0)
			return &listing->entries[i];
	return NULL;
}

static void listing_set(struct listing *listing, const char *name, struct node *node)
{
	struct entry *entry = listing_find(listing, name);

	if (!entry) {
		if (listing->count == disk_entries_max)
			abort();
		entry = &listing->entries[listing->count++];
		snprintf(entry->name, sizeof entry->name, "%s", name);
	}
	entry->node = node;
}

static void listing_remove(struct listing *listing, const char *name)
{
	struct entry *entry = listing_find(listing, name);

	if (entry)
		*entry = listing->entries[--listing->count];
}

static void apply(const struct operation *o, struct image *image, struct listing *names)
{
	switch (o->kind) {
	case WRITE:
		image_write(image, o->bytes, o->size, o->offset);
		break;
	case RESIZE:
		image_resize(image, o->offset);
		break;
	case SET:
		listing_set(names, o->name, o->target);
		break;
	case REMOVE:
		listing_remove(names, o->name);
		break;
	case RENAME:
		listing_remove(names, o->from);
		listing_set(names, o->name, o->target);
		break;
	}
}

/* ---- operations that wait for a sync */

static void operation_free(struct operation *o)
{
	free(o->bytes);
	free(o);
}

void disk_perform(struct operation given)
{
	struct operation *o = must(malloc(sizeof *o));

	*o = given;
	o->next = NULL;
	if (given.bytes) {
		o->bytes = must(malloc(given.size));
		memcpy(o->bytes, given.bytes, given.size);
	}
	apply(o, &o->node->now, o->node->names);
	*operations_end = o;
	operations_end = &o->next;
}

void disk_synced(struct node *node)
{
	struct operation **at = &operations;

	while (*at) {
		struct operation *o = *at;

		if (o->node != node) {
			at = &o->next;
			continue;
		}
		apply(o, &node->disk, node->disk_names);
		*at = o->next;
		operation_free(o);
	}
	operations_end = at;
}

/* ---- the cut */

/* Some sectors of a write, of one of them a part. */
static void tear(const struct operation *o)
{
	size_t end = o->offset + o->size;

	for (size_t at = o->offset; at < end;) {
		size_t next = (at / sector + 1) * sector < end ? (at / sector + 1) * sector : end;
		size_t size = dice_below(&dice, 8) ? next - at : dice_below(&dice, (uint32_t)(next - at));

		if (dice_below(&dice, 2))
			image_write(&o->node->disk, o->bytes + (at - o->offset), size, at);
		at = next;
	}
}

static void cut(void)
{
	static const unsigned chances[] = { 0, 1, 5, 9, 10 };	/* of ten: that an operation is lost */
	unsigned chance = disk.faithful ? 0 : chances[dice_below(&dice, 5)];
	struct operation *o = operations, *next;

	for (; o; o = next) {
		next = o->next;
		if (dice_below(&dice, 10) >= chance)
			apply(o, &o->node->disk, o->node->disk_names);
		else if (o->kind == WRITE && dice_below(&dice, 2))
			tear(o);
		operation_free(o);
	}
	operations = NULL;
	operations_end = &operations;
	disk.dead = true;
}

static void reach(struct node *node)
{
	if (node->reached)
		return;
	node->reached = true;
	if (node->directory)
		for (unsigned i = 0; i < node->names->count; i++)
			reach(node->names->entries[i].node);
}

static void forget_unreached(void)
{
	struct node **at = &nodes;

	reach(disk.root);
	while (*at) {
		struct node *node = *at;

		if (node->reached) {
			node->reached = false;
			at = &node->next;
			continue;
		}
		*at = node->next;
		free(node->now.bytes);
		free(node->disk.bytes);
		free(node->names);
		free(node->disk_names);
		free(node);
	}
}

void disk_power_on(void)
{
	for (struct node *node = nodes; node; node = node->next) {
		if (node->directory) {
			*node->names = *node->disk_names;
			continue;
		}
		image_resize(&node->now, node->disk.size);
		if (node->disk.size > 0)
			memcpy(node->now.bytes, node->disk.bytes, node->disk.size);
	}
	forget_unreached();
	disk.dead = false;
	disk.until_cut = 0;
}

bool disk_powered(struct operation *last)
{
	if (disk.dead)
		return false;
	if (disk.until_cut == 0 || --disk.until_cut > 0)
		return true;
	if (last)
		disk_perform(*last);
	cut();
	return false;
}

void disk_arm(uint64_t count, uint64_t seed)
{
	disk.until_cut = count;
	dice.state = seed;
}

void disk_make(void)
{
	nodes = NULL;
	disk = (struct disk){ .root = node_new(true) };
}
