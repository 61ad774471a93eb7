/* SPDX-License-Identifier: Apache-2.0 */
/* Which names are allowed: of keys, apps, instances and environments. */
#ifndef PRODD_TREE_NAMES_H
#define PRODD_TREE_NAMES_H

#include "proto/slice.h"

/* Parts of a dotted key; as deep as a file's groups may be nested. */
#define NAMES_KEY_PARTS_MAX 16u

/*
 * "database.max_connections": parts of [A-Za-z][A-Za-z0-9_-]*, joined by dots, at most
 * PRODD_KEY_MAX bytes.
 */
bool names_key(struct prodd_slice name);

/* As names_key(), but a part may also be "*": keys of rules that are built into the program. */
bool names_key_pattern(struct prodd_slice name);

/* [a-z][a-z0-9_-]{0,62}, not "prodd". Never "NAME~USER", which only prodd makes. */
bool names_app(struct prodd_slice name);

/*
 * 1 to 128 of [A-Za-z0-9_.:@+-] or '\', the first of [A-Za-z0-9_]. No '/': "orders/8080" is an app
 * and its instance.
 */
bool names_instance(struct prodd_slice name);

/*
 * [A-Za-z0-9][A-Za-z0-9_.-]{0,62}; not "default" or "schema", whose files are layers of every
 * environment, and not "declared", which is a file beside the environments' directories in the
 * state directory.
 */
bool names_environment(struct prodd_slice name);

#endif
