/* SPDX-License-Identifier: Apache-2.0 */
/* Pure policy over what the kernel said; nothing here asks anybody anything, but for group membership. */
#include "daemon/config/claim.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* "N.service" or "N@anything.service" */
static bool unit_is_named(const char *unit, const char *app)
{
	size_t length = strlen(app);

	if (strncmp(unit, app, length) != 0)
		return false;
	return strcmp(unit + length, ".service") == 0 ||
	       (unit[length] == '@' && fnmatch("@*.service", unit + length, 0) == 0);
}

/* A rule of an app: block names a unit exactly, or all of a template: "orders@.service" or
 * "orders@*.service". */
static bool unit_matches(const char *unit, const char *rule)
{
	const char *at = strchr(rule, '@');

	if (!*unit)
		return false;
	if (strcmp(unit, rule) == 0)
		return true;
	return at && (strcmp(at, "@.service") == 0 || strcmp(at, "@*.service") == 0) &&
	       strncmp(unit, rule, (size_t)(at - rule) + 1) == 0;
}

/* By name, or by number. */
static bool user_matches(const struct identity *who, const char *rule)
{
	char number[16];

	snprintf(number, sizeof number, "%u", (unsigned)who->uid);
	return *rule && (strcmp(who->user, rule) == 0 || strcmp(number, rule) == 0);
}

static bool block_allows(const struct app_block *block, const struct identity *who)
{
	return (*block->unit && unit_matches(who->unit, block->unit)) ||
	       user_matches(who, block->user) ||
	       (*block->group && identity_in_group(who, block->group));
}

bool claim_allows(const struct settings *settings, const struct identity *who, uid_t own, const char *app)
{
	const struct app_block *block = settings_block(settings, app);

	if (identity_is_nobody(who))
		return false;
	if (block && (*block->unit || *block->user || *block->group))
		return block_allows(block, who);
	return who->uid == 0 || who->uid == own || strcmp(who->user, app) == 0 ||
	       unit_is_named(who->unit, app);
}

void claim_unit_instance(const char *unit, char *ret, size_t size)
{
	const char *at = strchr(unit, '@');
	const char *end = at ? strrchr(at, '.') : NULL;

	snprintf(ret, size, "%.*s", end ? (int)(end - at - 1) : 0, at ? at + 1 : "");
}

void claim_advice(const struct identity *who, const char *app, char *ret, size_t size)
{
	snprintf(ret, size, "app: { %s: { user = \"%s\"; }; };", app, who->user);
}
