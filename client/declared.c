/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts become values by the key's type, here, so that an error names the key
 * while its author looks on, and not in some daemon's log.
 */
#include "client/declared.h"

#include <stdlib.h>

#include "client/value.h"
#include "proto/codec.h"
#include "proto/limits.h"
#include "proto/units.h"

void prodd_declared_clear(struct prodd_declared *d)
{
	prodd_buffer_clear(&d->bytes);
	free(d->parts);
	*d = (struct prodd_declared){ 0 };
}

struct prodd_list prodd_declared_list(const struct prodd_declared *d, size_t i)
{
	const struct prodd_declared_part *part = &d->parts[i];

	return (struct prodd_list){ d->bytes.at + part->offset, part->size, part->keys };
}

/* ---- one key */

/* What a schema_key borrows while it is encoded. */
struct scratch {
	struct prodd_buffer def, min, max, one_of;
	uint32_t nodes;
};

static void scratch_clear(struct scratch *s)
{
	prodd_buffer_clear(&s->def);
	prodd_buffer_clear(&s->min);
	prodd_buffer_clear(&s->max);
	prodd_buffer_clear(&s->one_of);
}

/* Packs `text` as a value of `type`. False: it is none. */
static bool pack_text(struct prodd_buffer *b, enum prodd_type type, const char *text)
{
	int64_t integer;
	double real;

	switch (type) {
	case PRODD_TYPE_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return false;
		prodd_pack_bool(b, text[0] == 't');
		return true;
	case PRODD_TYPE_FLOAT:
		if (!prodd_text_float(text, &real))
			return false;
		prodd_pack_float(b, real);
		return true;
	case PRODD_TYPE_INT:
		if (!prodd_text_int(text, &integer))
			return false;
		break;
	case PRODD_TYPE_DURATION:
		if (!prodd_parse_duration(prodd_slice(text), &integer))
			return false;
		break;
	case PRODD_TYPE_SIZE:
		if (!prodd_parse_size(prodd_slice(text), &integer))
			return false;
		break;
	default:
		prodd_pack_str(b, prodd_slice(text));
		return prodd_is_text(prodd_slice(text));
	}
	prodd_pack_int(b, integer);
	return true;
}

static int usage(const struct prodd_schema_key *key, const char *what, const char *text,
		 struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_USAGE, "schema in code: %s: %s: \"%.100s\"", key->key, what, text);
}

static bool is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size <= PRODD_KEY_MAX && prodd_is_text(prodd_slice(name)) && name[0] != '.' &&
	       name[size - 1] != '.' && !strstr(name, "..");
}

static int pack_limits(struct scratch *s, const struct prodd_schema_key *key, enum prodd_type type,
		       struct prodd_error *e)
{
	bool ordered = type == PRODD_TYPE_INT || type == PRODD_TYPE_FLOAT || type == PRODD_TYPE_DURATION ||
		       type == PRODD_TYPE_SIZE;

	if (key->min && (!ordered || !pack_text(&s->min, type, key->min)))
		return usage(key, "min does not fit the type", key->min, e);
	if (key->max && (!ordered || !pack_text(&s->max, type, key->max)))
		return usage(key, "max does not fit the type", key->max, e);
	return 0;
}

static int pack_texts(struct prodd_buffer *b, const struct prodd_schema_key *key, const char *const *texts,
		      uint32_t *ret_count, struct prodd_error *e)
{
	for (; *texts; texts++, ++*ret_count) {
		if (!prodd_is_text(prodd_slice(*texts)))
			return usage(key, "not UTF-8", *texts, e);
		prodd_pack_str(b, prodd_slice(*texts));
	}
	return 0;
}

static int pack_default(struct scratch *s, const struct prodd_schema_key *key, enum prodd_type type,
			struct prodd_error *e)
{
	uint32_t count = 0;

	if (key->def && (type == PRODD_TYPE_LIST || !pack_text(&s->def, type, key->def)))
		return usage(key, "the default does not fit the type", key->def, e);
	if (!key->def_list)
		return 0;
	if (type != PRODD_TYPE_LIST)
		return usage(key, "a list is the default of a", key->type, e);
	while (key->def_list[count])
		count++;
	prodd_pack_array(&s->def, count);
	s->nodes += count;
	count = 0;
	return pack_texts(&s->def, key, key->def_list, &count, e);
}

/* The longest key there can be has 13 fields. */
enum { nodes_of_key = 1 + 2 * 13 };

static int encode_key(struct prodd_buffer *b, struct scratch *s, const struct prodd_schema_key *key,
		      struct prodd_error *e)
{
	struct wire_schema_key wire = { .required = key->required, .restart = key->restart,
					.min_length = key->min_length, .max_length = key->max_length };
	enum prodd_type type;
	uint32_t texts = 0;
	int r;

	if (!key->key || !is_name(key->key))
		return prodd_error_set(e, PRODD_E_USAGE, "schema in code: not a key: \"%.100s\"",
				       key->key ? key->key : "");
	type = key->type ? prodd_type_of(prodd_slice(key->type)) : PRODD_TYPE_OTHER;
	if (type == PRODD_TYPE_OTHER)
		return usage(key, "not a type", key->type ? key->type : "", e);
	r = pack_limits(s, key, type, e);
	if (r == 0)
		r = pack_default(s, key, type, e);
	if (r == 0 && key->one_of)
		r = pack_texts(&s->one_of, key, key->one_of, &texts, e);
	if (r < 0)
		return r;
	wire.key = prodd_slice(key->key);
	wire.type = prodd_slice(key->type);
	wire.def = prodd_buffer_slice(&s->def);
	wire.min = prodd_buffer_slice(&s->min);
	wire.max = prodd_buffer_slice(&s->max);
	wire.pattern = prodd_slice(key->pattern);
	wire.help = prodd_slice(key->help);
	wire.one_of = prodd_list(&s->one_of, texts);
	s->nodes += nodes_of_key + texts;
	if (!prodd_is_text(wire.pattern) || !prodd_is_text(wire.help))
		return usage(key, "not UTF-8", "pattern or help", e);
	if (s->def.failed || s->min.failed || s->max.failed || s->one_of.failed)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "schema in code: %s", key->key);
	r = prodd_encode(b, &wire_record_schema_key, &wire);
	return r < 0 ? prodd_error_set(e, -r, "schema in code: %s", key->key) : 0;
}

/* ---- parts */

static bool fits(const struct prodd_declared_part *part, size_t size, uint32_t nodes)
{
	return part->keys < PRODD_DECLARED_KEYS_MAX && part->size + size <= PRODD_DECLARED_BYTES_MAX &&
	       part->nodes + nodes <= PRODD_DECLARED_NODES_MAX;
}

static int count_in(struct prodd_declared *d, size_t start, uint32_t nodes, struct prodd_error *e)
{
	size_t size = d->bytes.size - start;
	struct prodd_declared_part *part = d->part_count ? &d->parts[d->part_count - 1] : NULL;

	if (size > PRODD_DECLARED_BYTES_MAX || nodes > PRODD_DECLARED_NODES_MAX)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "schema in code: a key of %zu bytes", size);
	if (!part || !fits(part, size, nodes)) {
		struct prodd_declared_part *parts = realloc(d->parts, (d->part_count + 1) * sizeof *parts);

		if (!parts)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "schema in code");
		d->parts = parts;
		part = &parts[d->part_count++];
		*part = (struct prodd_declared_part){ .offset = start };
	}
	part->size += size;
	part->keys++;
	part->nodes += nodes;
	d->key_count++;
	return 0;
}

static int add_key(struct prodd_declared *d, const struct prodd_schema_key *key, struct prodd_error *e)
{
	struct scratch s = { 0 };
	size_t start = d->bytes.size;
	int r = encode_key(&d->bytes, &s, key, e);

	if (r == 0)
		r = count_in(d, start, s.nodes, e);
	scratch_clear(&s);
	return r;
}

/* The program may have been compiled with an older, shorter struct: what it lacks is 0. */
static int add_all(struct prodd_declared *d, const void *keys, size_t count, size_t size,
		   struct prodd_error *e)
{
	for (size_t i = 0; i < count; i++) {
		struct prodd_schema_key key = { 0 };
		int r;

		memcpy(&key, (const char *)keys + i * size, size < sizeof key ? size : sizeof key);
		r = add_key(d, &key, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* After an error the last part may have grown, or been added: it is cut back. */
static void cut_back(struct prodd_declared *d, const struct prodd_declared *before,
		     const struct prodd_declared_part *last)
{
	d->bytes.size = before->bytes.size;
	d->bytes.failed = 0;
	d->part_count = before->part_count;
	d->key_count = before->key_count;
	if (d->part_count > 0)
		d->parts[d->part_count - 1] = *last;
}

int prodd_declared_add(struct prodd_declared *d, const struct prodd_schema_key *keys, size_t count,
		       size_t size, struct prodd_error *e)
{
	struct prodd_declared before = *d;
	struct prodd_declared_part last =
		d->part_count ? d->parts[d->part_count - 1] : (struct prodd_declared_part){ 0 };
	int r;

	if (count > PRODD_SETTINGS_MAX || d->key_count + count > PRODD_SETTINGS_MAX)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "schema in code: more than %u keys",
				       PRODD_SETTINGS_MAX);
	r = add_all(d, keys, count, size, e);
	if (r < 0)
		cut_back(d, &before, &last);
	return r;
}
