/* SPDX-License-Identifier: Apache-2.0 */
/* Names are ASCII, checked byte by byte without the locale. */
#include "daemon/tree/names.h"

#include "proto/limits.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* One part of a key: the names that libconfig allows, without its '*'. */
static bool is_part(struct prodd_slice part)
{
	if (part.size == 0 || !is_letter(part.at[0]))
		return false;
	for (size_t i = 1; i < part.size; i++)
		if (!is_letter(part.at[i]) && !is_digit(part.at[i]) && !is_one_of(part.at[i], "_-"))
			return false;
	return true;
}

static bool is_key(struct prodd_slice name, bool star)
{
	size_t begin = 0;
	unsigned parts = 0;

	if (name.size == 0 || name.size > PRODD_KEY_MAX)
		return false;
	for (size_t i = 0; i <= name.size; i++) {
		struct prodd_slice part = { name.at + begin, i - begin };

		if (i < name.size && name.at[i] != '.')
			continue;
		if (!is_part(part) && !(star && prodd_slice_is(part, "*")))
			return false;
		parts++;
		begin = i + 1;
	}
	return parts <= NAMES_KEY_PARTS_MAX;
}

bool names_key(struct prodd_slice name)
{
	return is_key(name, false);
}

bool names_key_pattern(struct prodd_slice name)
{
	return is_key(name, true);
}

bool names_app(struct prodd_slice name)
{
	if (name.size == 0 || name.size > PRODD_APP_MAX || !is_lower(name.at[0]) ||
	    prodd_slice_is(name, "prodd"))
		return false;
	for (size_t i = 1; i < name.size; i++)
		if (!is_lower(name.at[i]) && !is_digit(name.at[i]) && !is_one_of(name.at[i], "_-"))
			return false;
	return true;
}

bool names_instance(struct prodd_slice name)
{
	if (name.size == 0 || name.size > 128)
		return false;
	for (size_t i = 0; i < name.size; i++)
		if (!is_letter(name.at[i]) && !is_digit(name.at[i]) &&
		    !is_one_of(name.at[i], i ? "_.:@+-\\" : "_"))
			return false;
	return true;
}

bool names_environment(struct prodd_slice name)
{
	if (name.size == 0 || name.size > 63 || prodd_slice_is(name, "default") ||
	    prodd_slice_is(name, "schema") || prodd_slice_is(name, "declared"))
		return false;
	for (size_t i = 0; i < name.size; i++)
		if (!is_letter(name.at[i]) && !is_digit(name.at[i]) &&
		    (i == 0 || !is_one_of(name.at[i], "_.-")))
			return false;
	return true;
}
