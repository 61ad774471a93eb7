/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one key may hold.  A rule owns a copy of everything; it is immutable
 * once it is in a schema.
 */
#ifndef PRODD_TREE_RULE_H
#define PRODD_TREE_RULE_H

#include "daemon/tree/value.h"
#include "proto/wire.h"
#include <prodd/error.h>

struct pattern;

struct rule {
	enum value_type type;
	struct wire_schema_key row;	/* borrows from `bytes`; def, min and max are canonical */
	struct prodd_buffer bytes;	/* owned: `row`, encoded */
	struct pattern *patterns;	/* owned: all must match; more than one after a merge */
};

/* One mistake in a declaration. */
struct rule_mistake {
	const char *attribute;		/* static: "key", "type", "default", "min" ... */
	char text[VALUE_WHY_MAX];
};

#define RULE_MISTAKES_MAX 12

struct rule_mistakes {
	unsigned count;
	struct rule_mistake at[RULE_MISTAKES_MAX];
};

/*
 * Makes a rule of a declaration, whose default, min and max may be literals or canonical.
 * `patterns` allows "*" as a part of the key. Returns 0; -PRODD_E_INVALID with every mistake;
 * -PRODD_E_NO_MEMORY.
 */
int rule_new(struct rule **ret, const struct wire_schema_key *declared, bool patterns,
	     struct rule_mistakes *mistakes);

/*
 * Makes the rule that holds what both demand: the narrower range, all patterns, the words in both
 * lists; required and restart when one says so; default, help and origin of the first that has one.
 * Returns 0; -PRODD_E_INVALID, naming both origins, when they have different types or leave nothing
 * allowed, or the default breaks the other's rule; -PRODD_E_NO_MEMORY.
 */
int rule_merge(struct rule **ret, const struct rule *first, const struct rule *second, struct prodd_error *e);

struct rule *rule_free(struct rule *rule);	/* NULL is allowed; returns NULL */

/*
 * A literal as a file holds it: appends its canonical value to `ret` and returns 0; -PRODD_E_INVALID
 * with the reason in `why`, and nothing appended; -PRODD_E_NO_MEMORY.
 */
int rule_check(const struct rule *rule, struct prodd_slice literal, struct prodd_buffer *ret,
	       char why[VALUE_WHY_MAX]);

/* The limits alone, for a value that has the form of the rule's type. As rule_check(). */
int rule_check_canonical(const struct rule *rule, struct prodd_slice value, char why[VALUE_WHY_MAX]);

/*
 * As rule_check(), for the text of a variable or of `config set`. `like` is the value that the key has
 * now, or empty: a list of strings stays one (value_from_text()).
 */
int rule_parse_text(const struct rule *rule, struct prodd_slice like, struct prodd_slice text,
		    enum value_text_from from, struct prodd_buffer *ret, char why[VALUE_WHY_MAX]);

/* Appends the rule as elements of a LIST(schema_key): one, and one more for each pattern beyond the first. */
int rule_encode(const struct rule *rule, struct prodd_buffer *b, uint32_t *count);

#endif
