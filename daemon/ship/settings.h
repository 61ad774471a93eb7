/* SPDX-License-Identifier: Apache-2.0 */
/* What ship.start says about a sink, checked and copied. */
#ifndef PRODD_SHIP_SETTINGS_H
#define PRODD_SHIP_SETTINGS_H

#include "proto/codec.h"
#include "proto/shm/line.h"

struct compressor;

struct settings {
	struct prodd_buffer call;		/* owned: the texts of `wire` point into it */
	struct wire_ship_start wire;
	char *directory;			/* owned; "" when there is none */
	enum line_format format;
	enum record_level level;		/* lowest that is shipped */
	const struct compressor *compressor;	/* of rotated files; NULL: none */
};

/* Takes the params of a ship.start. -PRODD_E_INVALID names the setting: an unknown word, or something that
 * this build has not. */
int settings_take(struct settings *ret, struct prodd_slice params, struct prodd_error *e);
void settings_clear(struct settings *settings);

/* Whether the sink gets the records of that app. */
bool settings_want(const struct settings *settings, struct prodd_slice app);

#endif
