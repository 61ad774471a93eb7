/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one app counts: families by name, who is attached, and the ledger
 * that keeps it.  A value is what was folded, and what each attachment said last.
 *
 * Loop thread.
 */
#ifndef PRODD_METRIC_REGISTRY_H
#define PRODD_METRIC_REGISTRY_H

#include <uthash.h>

#include "daemon/metric/attachment.h"
#include "daemon/metric/binding.h"

#define REGISTRY_FAMILIES_MAX 500u
#define REGISTRY_ATTACHMENTS_MAX 1024u
#define REGISTRY_BYTES_OF_SERIES 8192u	/* for each that is allowed: what texts and bindings may take */
#define TENANT_APPS_MAX 16u			/* separate names (NAME~USER) of a uid */
#define TENANT_BYTES_MAX (4u * 1024 * 1024)	/* of all its separate names */

struct metric;
struct waiting_push;

/* What a uid's separate names take together: anybody can make up names. */
struct tenant {
	uid_t uid;
	unsigned apps;
	size_t bytes;
	UT_hash_handle hh;
};

struct registry {
	struct metric *metric;		/* borrowed */
	char name[BOOK_APP];		/* as granted */
	uint64_t number;		/* registries are numbered as they come */
	struct tenant *tenant;		/* borrowed; NULL: the name is the app's by right */
	char *label;			/* owned: app="orders" */
	struct family **families;	/* owned, both; sorted by name */
	size_t count, room;
	LIST_HEAD(, attachment) attachments;	/* owned */
	unsigned attachment_count;
	struct attachment *pushed;	/* one of them; NULL: nothing was pushed */
	unsigned series;		/* overflow series not counted */
	size_t bytes;
	uint32_t last_id;
	struct ledger ledger;
	/* what went wrong, for status */
	uint64_t refused_ms;		/* a declaration, the last: wall clock */
	char refusal[PRODD_ERROR_TEXT_MAX];
	uint64_t overflow_ms;		/* the last event of a series over the limit: wall clock */
	STAILQ_HEAD(, waiting_push) waiting;	/* owned: pushes whose counts are not on record yet */
	bool dirty;			/* there may be families and series that nobody needs */
	UT_hash_handle hh;
};

/* NULL with *e: no memory, or the uid has its most separate names. */
struct registry *registry_new(struct metric *metric, const char *name, uid_t uid, struct prodd_error *e);
/* No session may be left. NULL is allowed; returns NULL. */
struct registry *registry_free(struct registry *registry);

/* Start-up, blocks: what the file `name` of this boot says. NULL: nothing; *e says why unless its
 * code is 0. */
struct registry *registry_load(struct metric *metric, const char *name, struct prodd_error *e);

/*
 * The family of that name, made when there is none. `by` names the instance that declares it.
 * -PRODD_E_USAGE: it conflicts with another's declaration (counted, and an event), or its name may not be;
 * -PRODD_E_OVER_LIMIT; -PRODD_E_NO_MEMORY.
 */
int registry_declare(struct registry *registry, const struct segment_family *is, const char *by,
		     struct family **ret, struct prodd_error *e);

/*
 * The series with those values (`count` of them, 0 for a family with labels: its overflow series), made when
 * there is none; over the limit the overflow series. `made_ns`: when it began to count. NULL: no memory.
 */
struct series *registry_series(struct registry *registry, struct family *family,
			       const struct prodd_slice *values, unsigned count, uint64_t made_ns);

/* The same, whatever the limit is now: it was there before. */
struct series *registry_restore_series(struct registry *registry, struct family *family,
				       const struct prodd_slice *values, unsigned count, uint64_t made_ns);

/* The binding of the two, made when there is none. NULL: no memory, or the app has its most bytes. */
struct binding *registry_bind(struct registry *registry, struct series *series, struct attachment *owner);
/* NULL: the two are not bound. */
struct binding *registry_bound(const struct series *series, const struct attachment *owner);
void registry_unbind(struct registry *registry, struct binding *binding);

/* A series went to the overflow series instead. */
void registry_overflowed(struct registry *registry, const struct family *family);

/* Numbers families, series and attachments. */
uint32_t registry_id(struct registry *registry);

/* Charges; false and nothing charged when it would be over a limit. */
bool registry_charge(struct registry *registry, size_t bytes);
void registry_discharge(struct registry *registry, size_t bytes);

/* Frees what nobody needs: families, series, the registry itself. Not while somebody walks. */
void registry_sweep(struct registry *registry);

/* ---- the registry and its ledger (records.c) */

extern const struct ledger_ops registry_ledger_ops;

/* An attachment, and what it has bound, are on record from here on; unless there is no room yet. */
void registry_record_attachment(struct registry *registry, struct attachment *attachment);
void registry_record_binding(struct registry *registry, struct binding *binding);

/* May a walk tell it? */
bool registry_tells(const struct registry *registry, const struct series *series);
bool registry_tells_binding(const struct registry *registry, const struct binding *binding);

/* Folds what is dead and on record. */
void registry_fold(struct registry *registry);

/* Answers the pushes that waited for the ledger (push.c). */
void registry_answer(struct registry *registry);

#endif
