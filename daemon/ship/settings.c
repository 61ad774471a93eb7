/* SPDX-License-Identifier: Apache-2.0 */
/* The call is copied and decoded from the copy, so that nothing else has to be. */
#include "daemon/ship/settings.h"

#include <stdlib.h>

#include "daemon/ship/compressor.h"
#include "proto/limits.h"

static int check_words(struct settings *settings, struct prodd_error *e)
{
	const struct wire_ship_start *wire = &settings->wire;
	int level = wire->level.size ? record_level_of(wire->level) : RECORD_TRACE;

	if (wire->format.size && !line_format_of(wire->format, &settings->format))
		return prodd_error_set(e, PRODD_E_INVALID, "unknown format \"%.*s\"",
				       PRODD_SLICE(wire->format));
	if (level < 0)
		return prodd_error_set(e, PRODD_E_INVALID, "unknown level \"%.*s\"",
				       PRODD_SLICE(wire->level));
	settings->level = (enum record_level)level;
	return compressor_find(wire->compress, &settings->compressor, e);
}

static int take(struct settings *settings, struct prodd_slice params, struct prodd_error *e)
{
	struct prodd_cursor c;
	int r;

	settings->call.limit = PRODD_REPLY_MAX;
	if (prodd_buffer_append(&settings->call, params.at, params.size) < 0)
		return prodd_error_set(e, -settings->call.failed, "the settings");
	c = prodd_cursor(prodd_buffer_slice(&settings->call));
	r = prodd_decode(&c, &wire_record_ship_start, &settings->wire, e);
	if (r < 0)
		return r;
	settings->directory = strndup(settings->wire.directory.at ? settings->wire.directory.at : "",
				      settings->wire.directory.size);
	if (!settings->directory)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the settings");
	r = check_words(settings, e);
	if (r < 0)
		prodd_error_prefix(e, "sink %.*s", PRODD_SLICE(settings->wire.sink));
	return r;
}

int settings_take(struct settings *ret, struct prodd_slice params, struct prodd_error *e)
{
	int r;

	*ret = (struct settings){ .format = LINE_JSON };
	r = take(ret, params, e);
	if (r < 0)
		settings_clear(ret);
	return r;
}

void settings_clear(struct settings *settings)
{
	prodd_buffer_clear(&settings->call);
	free(settings->directory);
	*settings = (struct settings){ 0 };
}

bool settings_want(const struct settings *settings, struct prodd_slice app)
{
	struct prodd_iter it = prodd_iter(settings->wire.apps);
	struct prodd_slice name;

	if (settings->wire.apps.count == 0)
		return true;
	while (prodd_next_text(&it, &name))
		if (prodd_slice_equal(name, app))
			return true;
	return false;
}
