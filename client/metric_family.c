/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations are rare: one lock, and the list is searched.  What is to be
 * said about one is said after the lock is given back.
 */
#define _GNU_SOURCE
#include "client/metric_family.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/cursor.h"

/* ---- units */

struct prodd_unit {
	struct prodd_unit *next;
	size_t name_size;
	char *unit;			/* in `texts`, behind the name */
	char texts[];			/* both end with NUL */
};

enum { units_max = 2000 };

static const struct prodd_unit *find_unit(const struct prodd_unit *units, struct prodd_slice name)
{
	for (; units; units = units->next)
		if (units->name_size == name.size && memcmp(units->texts, name.at, name.size) == 0)
			return units;
	return NULL;
}

static unsigned count_units(const struct prodd_unit *units)
{
	unsigned count = 0;

	for (; units; units = units->next)
		count++;
	return count;
}

static struct prodd_unit *unit_new(const char *name, const char *unit)
{
	size_t name_size = strlen(name), unit_size = strlen(unit);
	struct prodd_unit *new = malloc(sizeof *new + name_size + unit_size + 2);

	if (!new)
		return NULL;
	new->name_size = name_size;
	new->unit = new->texts + name_size + 1;
	memcpy(new->texts, name, name_size + 1);
	memcpy(new->unit, unit, unit_size + 1);
	return new;
}

static struct prodd_family *find(const struct prodd_metrics *m, struct prodd_slice name)
{
	for (struct prodd_metric_entry *entry = m->first; entry; entry = entry->next)
		if (entry->is_family && prodd_slice_equal(((struct prodd_family *)entry)->is.name, name))
			return (struct prodd_family *)entry;
	return NULL;
}

/* The unit that the name has already, as declared or as noted; NULL: none. */
static const char *unit_of(const struct prodd_metrics *m, const char *name, bool *ret_declared)
{
	const struct prodd_unit *noted = find_unit(m->units, prodd_slice(name));

	*ret_declared = find(m, prodd_slice(name));
	return noted ? noted->unit : NULL;
}

static int note_unit(struct prodd_metrics *m, const char *name, const char *unit)
{
	bool declared;
	const char *before = unit_of(m, name, &declared);
	struct prodd_unit *new;

	if (before || declared)
		return before && strcmp(before, unit) == 0 ? 0 : -PRODD_E_USAGE;
	if (count_units(m->units) >= units_max)
		return -PRODD_E_USAGE;
	new = unit_new(name, unit);
	if (!new)
		return -PRODD_E_NO_MEMORY;
	new->next = m->units;
	m->units = new;
	return 0;
}

int prodd_units_add(struct prodd_metrics *m, const char *name, const char *unit)
{
	int r;

	if (strlen(name) > SEGMENT_NAME_MAX || strlen(unit) > SEGMENT_UNIT_MAX)
		return -PRODD_E_USAGE;
	if (prodd_metrics_open(m, NULL) < 0)
		return -PRODD_E_NO_MEMORY;
	pthread_mutex_lock(&m->lock);
	r = note_unit(m, name, unit);
	pthread_mutex_unlock(&m->lock);
	return r;
}

void prodd_units_clear(struct prodd_unit **units)
{
	while (*units) {
		struct prodd_unit *next = (*units)->next;

		free(*units);
		*units = next;
	}
}

/* ---- making one */

static struct prodd_slice keep(char **to, struct prodd_slice text)
{
	char *at = *to;

	if (text.size > 0)
		memcpy(at, text.at, text.size);
	*to += text.size;
	return (struct prodd_slice){ at, text.size };
}

static struct prodd_family *family_new(struct prodd_metrics *m, const struct segment_family *is)
{
	size_t size = is->name.size + is->unit.size + is->help.size;
	struct prodd_family *family;
	char *to;

	for (unsigned i = 0; i < is->label_count; i++)
		size += is->labels[i].size;
	family = calloc(1, sizeof *family + size);
	if (!family)
		return NULL;
	family->entry.is_family = true;
	family->metrics = m;
	family->is = *is;
	to = (char *)(family + 1);
	family->is.name = keep(&to, is->name);
	family->is.unit = keep(&to, is->unit);
	family->is.help = keep(&to, is->help);
	for (unsigned i = 0; i < is->label_count; i++)
		family->is.labels[i] = keep(&to, is->labels[i]);
	return family;
}

/* ---- what is said about those that cannot be */

static const char *const types[] = { "", "counter", "gauge", "histogram" };

/* "orders+0x11d9", as addr2line(1) takes it. */
static void describe_place(const void *place, char text[64])
{
	Dl_info info;
	const char *slash;

	if (!dladdr(place, &info) || !info.dli_fname) {
		snprintf(text, 64, "%p", place);
		return;
	}
	slash = strrchr(info.dli_fname, '/');
	snprintf(text, 64, "%.40s+0x%lx", slash ? slash + 1 : info.dli_fname,
		 (unsigned long)((const char *)place - (const char *)info.dli_fbase));
}

/* "a gauge with labels method, code ("Orders served."), declared at orders+0x11d9" */
static void describe(const struct segment_family *is, const void *place, struct prodd_error *ret)
{
	char labels[160] = "", where[64];
	size_t size = 0;

	for (unsigned i = 0; i < is->label_count && size < sizeof labels; i++)
		size += (size_t)snprintf(labels + size, sizeof labels - size, "%s%.*s",
					 i == 0 ? " with labels " : ", ", PRODD_SLICE(is->labels[i]));
	describe_place(place, where);
	prodd_error_set(ret, PRODD_E_USAGE, "a %s%s (\"%.*s\"), declared at %s", types[is->type], labels,
			PRODD_SLICE(prodd_text_cut(is->help, 60)), where);
}

static void say_conflict(struct prodd_metrics *m, const struct segment_family *is, const void *place,
			 const struct prodd_family *other)
{
	bool same_name = prodd_slice_equal(is->name, other->is.name);
	struct prodd_error one, two;

	describe(is, place, &one);
	describe(&other->is, other->place, &two);
	prodd_messages_say_once(m->messages, LOG_ERR,
				"metric %.*s counts into nothing: it is %.150s; %s%.*s%s %.150s",
				PRODD_SLICE(is->name), one.text, same_name ? "" : "\"",
				PRODD_SLICE(same_name ? prodd_slice("before, it was") : other->is.name),
				same_name ? "" : "\", whose samples have the same names, is", two.text);
}

/* ---- declaring */

static const struct prodd_family *find_clash(const struct prodd_metrics *m, const struct segment_family *is)
{
	for (const struct prodd_metric_entry *entry = m->first; entry; entry = entry->next)
		if (entry->is_family && segment_clash(&((const struct prodd_family *)entry)->is, is))
			return (const struct prodd_family *)entry;
	return NULL;
}

static struct prodd_family *add(struct prodd_metrics *m, const struct segment_family *is, const void *place,
				struct prodd_error *e)
{
	struct prodd_family *family = family_new(m, is);
	int64_t number;

	if (!family) {
		prodd_error_set(e, PRODD_E_NO_MEMORY, "metric %.*s", PRODD_SLICE(is->name));
		return NULL;
	}
	number = segment_add_family(&m->segment.segment, &family->is);
	if (number < 0) {
		free(family);
		prodd_metric_segment_count(&m->segment.segment.head->refused);
		prodd_error_set(e, PRODD_E_OVER_LIMIT, "metric %.*s counts into nothing: there are too many",
				PRODD_SLICE(is->name));
		return NULL;
	}
	family->number = (uint32_t)number;
	family->place = place;
	prodd_metrics_append(m, &family->entry);
	return family;
}

/* Under the lock. NULL: *e says why; or *ret_other, what it is in conflict with. */
static struct prodd_family *declare(struct prodd_metrics *m, struct segment_family *is, const void *place,
				    const struct prodd_family **ret_other, struct prodd_error *e)
{
	struct prodd_family *family = find(m, is->name);
	const struct prodd_unit *unit = find_unit(m->units, is->name);

	if (unit)
		is->unit = prodd_slice(unit->unit);
	if (family && segment_same(&family->is, is))
		return family;
	if (!family && segment_check_family(is, e) < 0)
		return NULL;
	*ret_other = family ? family : find_clash(m, is);
	return *ret_other ? NULL : add(m, is, place, e);
}

struct prodd_family *prodd_family_declare(struct prodd_metrics *m, struct segment_family *is,
					  const void *place)
{
	const struct prodd_family *other = NULL;
	struct prodd_error e = { 0 };
	struct prodd_family *family = NULL;

	if (prodd_metrics_open(m, &e) == 0) {
		pthread_mutex_lock(&m->lock);
		family = declare(m, is, place, &other, &e);
		pthread_mutex_unlock(&m->lock);
	}
	if (family)
		return family;
	if (other)
		say_conflict(m, is, place, other);
	else if (e.code == PRODD_E_USAGE)
		prodd_messages_say_once(m->messages, LOG_ERR, "a metric counts into nothing: %s", e.text);
	else
		prodd_messages_say_once(m->messages, LOG_ERR, "%s", e.text);
	return e.code == PRODD_E_NO_MEMORY ? NULL : &m->dead[is->type].family;
}
