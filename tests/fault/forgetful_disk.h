/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What forgetful.h says about power cuts, without FUSE: files and directories
 * in memory, operations on them, the cut.
 */
#ifndef PRODD_TESTS_FORGETFUL_DISK_H
#define PRODD_TESTS_FORGETFUL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { disk_name_size = 64, disk_entries_max = 256 };

struct image {
	unsigned char *bytes;
	size_t size;
};

struct entry {
	char name[disk_name_size];
	struct node *node;
};

struct listing {
	struct entry entries[disk_entries_max];
	unsigned count;
};

struct node {
	struct node *next;
	bool directory;
	bool reached;			/* while unreachable ones are collected */
	struct image now, disk;		/* of a file */
	struct listing *names, *disk_names;
};

enum kind { WRITE, RESIZE, SET, REMOVE, RENAME };

struct operation {
	struct operation *next;
	enum kind kind;
	struct node *node;		/* the file, or the directory */
	size_t offset;			/* RESIZE: the new size */
	size_t size;
	unsigned char *bytes;
	struct node *target;		/* SET, RENAME: what the name stands for */
	char name[disk_name_size], from[disk_name_size];
};

struct disk {
	struct node *root;
	bool dead;			/* the power is gone */
	bool deaf, faithful;		/* see forgetful.h */
	uint64_t until_cut;		/* operations; 0: not armed */
};

extern struct disk disk;

void disk_make(void);			/* an empty one */
struct node *node_new(bool directory);
struct entry *listing_find(struct listing *listing, const char *name);

/* Before each change and sync. False: the power is gone; `last` (may be NULL), the operation of the cut
 * itself, may be among what is kept. */
bool disk_powered(struct operation *last);

void disk_perform(struct operation given);	/* its bytes are copied */
void disk_synced(struct node *node);
void disk_arm(uint64_t operations, uint64_t seed);
void disk_power_on(void);

#endif
