/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an app declared under a name: type, unit, mode, labels, buckets.  The
 * first declaration holds while an instance uses it.  A family owns its
 * series, sorted by their labels.
 */
#ifndef PRODD_METRIC_FAMILY_H
#define PRODD_METRIC_FAMILY_H

#include "daemon/metric/ledger.h"
#include "proto/buffer.h"
#include "proto/shm/segment.h"

#define FAMILY_BY_MAX 128	/* an instance's name */

struct registry;
struct series;

struct family {
	struct registry *registry;	/* borrowed */
	struct segment_family is;	/* its texts are in `texts` */
	char *texts;			/* owned */
	size_t bytes;			/* that it is charged with */
	char by[FAMILY_BY_MAX];		/* the instance that declared it first */
	unsigned users;			/* attachments that have declared it */
	struct series **series;		/* owned, both; sorted by labels */
	size_t count, room;
	struct series *overflow;	/* one of them; NULL: none */
	bool hidden;			/* another app's metric of that name has another type */
	uint32_t id;
	struct ledger_slot slot;
	struct family *next_buried;	/* out of its registry, but a walk may stand in it */
};

/* Copies what is declared, which was checked. NULL: no memory. */
struct family *family_new(struct registry *registry, const struct segment_family *is, const char *by);
/* Its series may have no bindings any more. NULL is allowed; returns NULL. */
struct family *family_free(struct family *family);

/* Words of one series: counter 1; gauge 2, its value and when it was set; histogram buckets + 2. */
unsigned family_words(const struct family *family);

/* Writes what differs, as "type counter, not gauge". */
bool family_differs(const struct segment_family *a, const struct segment_family *b, char *ret, size_t size);

/* NULL: none. */
struct series *family_find(const struct family *family, struct prodd_slice labels);
/* The first whose labels are greater than those of `last` (NULL: the first of all); NULL: none. *place is
 * where `last` stood, and becomes where the one that is returned stands: unless others came between, nothing
 * is searched. */
struct series *family_after(const struct family *family, const struct series *last, size_t *place);
/* False: no memory. */
bool family_add(struct family *family, struct series *series);
void family_remove(struct family *family, struct series *series);

/* Bytes as a record push_family of the wire: of the ledger. */
int family_encode(const struct segment_family *is, struct prodd_buffer *b);
/* From such a record; texts are borrowed from it. -PRODD_E_USAGE says what is wrong. */
struct wire_push_family;
int family_decode(const struct wire_push_family *from, struct segment_family *ret, struct prodd_error *e);

#endif
