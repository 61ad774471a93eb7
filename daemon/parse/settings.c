/* SPDX-License-Identifier: Apache-2.0 */
/* Values are noted by offset while their buffer grows, and made slices at the end. */
#include "daemon/parse/settings.h"

#include <stdlib.h>

#include "daemon/parse/values.h"
#include <prodd/error.h>

static int add(struct settings *s, struct scan *scan, const struct leaf *leaf, const config_setting_t *value,
	       const struct place *file, struct problems *problems)
{
	struct place place = { .order = file->order, .file = file->file, .line = leaf->line };
	size_t before = s->values.size;
	char why[VALUE_WHY_MAX];
	int r;

	r = values_literal(value, &s->values, why);
	if (r == -PRODD_E_INVALID) {
		problems_add(problems, &place, scan_key(scan, leaf), "%s", why);
		scan->incomplete = true;
		return 0;
	}
	s->rows[s->count++] = (struct setting){
		.key = scan_key(scan, leaf), .value = { NULL, s->values.size - before }, .line = leaf->line,
	};
	return r;
}

int settings_read(struct scan *scan, const struct place *file, struct problems *problems,
		  struct settings *ret)
{
	struct values values = values_of(scan, file, problems);
	const struct leaf *leaf;
	config_setting_t *value;
	size_t offset = 0;
	int r;

	*ret = (struct settings){ 0 };
	ret->rows = calloc(scan->count + 1, sizeof *ret->rows);
	if (!ret->rows)
		return -PRODD_E_NO_MEMORY;
	while ((r = values_next(&values, &leaf, &value)) > 0) {
		r = add(ret, scan, leaf, value, file, problems);
		if (r < 0)
			break;
	}
	values_clear(&values);
	for (size_t i = 0; i < ret->count; i++) {
		ret->rows[i].value.at = ret->values.at + offset;
		offset += ret->rows[i].value.size;
	}
	return r;
}

void settings_clear(struct settings *settings)
{
	free(settings->rows);
	prodd_buffer_clear(&settings->values);
	*settings = (struct settings){ 0 };
}
