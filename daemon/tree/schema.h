/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of an app's keys, sorted by key: from schema.conf, from the code of
 * its instances, or both, in which case both hold.
 */
#ifndef PRODD_TREE_SCHEMA_H
#define PRODD_TREE_SCHEMA_H

#include "daemon/tree/rule.h"
#include "proto/limits.h"

/* Keys of a schema: as many as the wire's lists carry, with room for a second pattern here and there. */
#define SCHEMA_KEYS_MAX 8000u

struct schema;

int schema_new(struct schema **ret);			/* strict; 0 or -PRODD_E_NO_MEMORY */
struct schema *schema_free(struct schema *schema);	/* NULL is allowed; returns NULL */

/*
 * Adds a declaration; one of a key that is there is merged with it (rule_merge()). Returns 0;
 * -PRODD_E_INVALID with the key and what is wrong, also for a key that is a group of another's;
 * -PRODD_E_TOO_LARGE; -PRODD_E_NO_MEMORY. After an error the schema is as it was.
 */
int schema_add(struct schema *schema, const struct wire_schema_key *declared, struct prodd_error *e);

/* Adds each of a LIST(schema_key); stops at the first error. */
int schema_add_list(struct schema *schema, struct prodd_list keys, struct prodd_error *e);

/* Adds a rule made by rule_new(). Takes `rule`, also on failure. As schema_add(). */
int schema_add_rule(struct schema *schema, struct rule *rule, struct prodd_error *e);

/* For schemas that are built into the program: keys with "*" as a part, which stands for any one part. */
int schema_add_pattern(struct schema *schema, const struct wire_schema_key *declared, struct prodd_error *e);

/* The rule of a key, borrowed; NULL when there is none. NULL schema: none. */
const struct rule *schema_find(const struct schema *schema, struct prodd_slice key);

size_t schema_count(const struct schema *schema);		/* NULL: 0 */
const struct rule *schema_at(const struct schema *schema, size_t index);	/* in the order of keys */

/* A group of keys: some key of the schema begins with `name` and a dot. */
bool schema_is_group(const struct schema *schema, struct prodd_slice name);

/* The rule of a key that `key` would be below: of "a" for "a.b". Borrowed; NULL: none. */
const struct rule *schema_parent(const struct schema *schema, struct prodd_slice key);

/* "did you mean": false when no key of the schema is near. `budget` as in suggest.h. */
bool schema_nearest(const struct schema *schema, struct prodd_slice key, size_t *budget,
		    char nearest[PRODD_KEY_MAX + 1]);

/* Whether keys without a rule are errors. NULL: false. */
bool schema_strict(const struct schema *schema);
void schema_set_strict(struct schema *schema, bool strict);

/* Appends all rules, sorted by key, as elements of a LIST(schema_key). Returns 0 or b->failed. */
int schema_encode(const struct schema *schema, struct prodd_buffer *b, uint32_t *count);

#endif
