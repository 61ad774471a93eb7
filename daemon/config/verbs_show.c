/* SPDX-License-Identifier: Apache-2.0 */
/* What is live, where it comes from, and by which rules. Nothing here reads a file. */
#include "daemon/config/verbs.h"

#include <stdio.h>

#include "daemon/config/inspect.h"
#include "daemon/tree/overlay.h"

/* ---- show */

static bool is_below(struct prodd_slice key, struct prodd_slice group)
{
	if (group.size == 0)
		return true;
	if (key.size < group.size || memcmp(key.at, group.at, group.size) != 0)
		return false;
	return key.size == group.size || key.at[group.size] == '.';
}

static struct instance *find_instance(struct scope *scope, struct prodd_slice name)
{
	struct instance *instance;

	TAILQ_FOREACH(instance, &scope->instances, in_scope)
		if (prodd_slice_is(name, instance->name))
			return instance;
	return NULL;
}

/* What the named instance's variables set; nothing when none is named. */
static int overlay_of(struct scope *scope, struct prodd_slice name, struct overlay *ret,
		      struct prodd_error *e)
{
	struct instance *instance = find_instance(scope, name);

	*ret = (struct overlay){ 0 };
	if (name.size == 0)
		return 0;
	if (!instance)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s/%.*s is not connected", scope->app->name,
				       PRODD_SLICE(name));
	return instance_overlay(instance, scope->live, ret, e);
}

/* The overlay's entry of a key, as a tree entry whose first candidate is the variable. */
static bool overlaid(const struct overlay *overlay, const struct wire_tree_entry *entry,
		     struct wire_tree_entry *ret, struct prodd_buffer *candidates)
{
	struct prodd_iter it = prodd_iter(prodd_list(&overlay->entries, overlay->count));
	char variable[OVERLAY_NAME_MAX], text[1024];
	struct wire_config_entry mine;
	struct wire_candidate first;
	uint32_t count = 0;

	while (prodd_next(&it, &wire_record_config_entry, &mine, NULL) > 0) {
		if (!prodd_slice_equal(mine.key, entry->key))
			continue;
		overlay_variable_name(mine.key, variable);
		value_text(mine.value, mine.type, text, sizeof text);
		first = (struct wire_candidate){ .layer = prodd_slice("variable"),
						 .file = prodd_slice(variable),
						 .text = prodd_slice(text) };
		prodd_buffer_reset(candidates);
		prodd_encode_element(candidates, &count, &wire_record_candidate, &first);
		prodd_buffer_append(candidates, entry->candidates.at, entry->candidates.size);
		*ret = *entry;
		ret->value = mine.value;
		ret->candidates = prodd_list(candidates, count + entry->candidates.count);
		return true;
	}
	return false;
}

static void show_tree(struct call *call, const struct scope *scope, const struct generation *generation,
		      const struct overlay *overlay, struct prodd_slice group)
{
	prodd_auto_buffer entries = { .limit = 0 };
	prodd_auto_buffer candidates = { .limit = 0 };
	struct wire_tree_entry mine;
	struct prodd_error e;
	uint32_t count = 0;
	struct wire_shown shown = {
		.app = prodd_slice(scope->app->name), .environment = prodd_slice(scope->row->environment),
		.epoch = generation->record.epoch, .generation = generation->record.number,
		.schema = generation->record.schema,
	};

	for (uint32_t i = 0; i < generation->tree->count; i++) {
		const struct wire_tree_entry *entry = &generation->tree->entries[i];

		if (!is_below(entry->key, group))
			continue;
		prodd_encode_element(&entries, &count, &wire_record_tree_entry,
				     overlaid(overlay, entry, &mine, &candidates) ? &mine : entry);
	}
	if (count == 0 && group.size) {
		prodd_error_set(&e, PRODD_E_NOT_FOUND, "%s: no setting %.*s", scope->app->name,
				PRODD_SLICE(group));
		call_fail(call, &e);
		return;
	}
	shown.entries = prodd_list(&entries, count);
	call_answer(call, &shown);
}

void verb_show_generation(struct call *call, const struct scope *scope, const struct generation *generation,
			  struct prodd_slice group)
{
	static const struct overlay none;

	show_tree(call, scope, generation, &none, group);
}

void verb_show(struct config *config, struct call *call, const void *params)
{
	const struct wire_show *show = params;
	struct scope *scope = verb_scope(config, call, show->app, show->environment, true);
	struct overlay overlay;
	struct prodd_error e;

	if (!scope)
		return;
	if (show->generation && show->generation != scope->row->generation) {
		inspect_show(config, call, scope, show->generation, show->key);
		return;
	}
	if (overlay_of(scope, show->instance, &overlay, &e) < 0) {
		call_fail(call, &e);
		return;
	}
	show_tree(call, scope, scope->live, &overlay, show->key);
	overlay_clear(&overlay);
}

/* ---- explain */

/* Does the instance's environment have a variable for this key? What is wrong with it, if anything? */
static bool see_variable(const struct instance *instance, const struct generation *live,
			 struct prodd_slice key, struct prodd_buffer *b, uint32_t *count)
{
	struct prodd_iter it = prodd_iter(prodd_list(&instance->variables, instance->variable_count));
	struct wire_seen_variable seen = { .instance = prodd_slice(instance->name) };
	struct wire_variable variable;
	struct wire_problem problem;
	struct overlay overlay;
	struct prodd_slice match;
	bool found = false;

	while (!found && prodd_next(&it, &wire_record_variable, &variable, NULL) > 0)
		found = overlay_match(live->index, variable.name, &match) == 1 &&
			prodd_slice_equal(match, key);
	if (!found || instance_overlay(instance, live, &overlay, NULL) < 0)
		return found;
	seen.value = variable.value;
	it = prodd_iter(prodd_list(&overlay.problems, overlay.problem_count));
	while (prodd_next(&it, &wire_record_problem, &problem, NULL) > 0)
		if (prodd_slice_equal(problem.key, key))
			seen.problem = problem.text;
	prodd_encode_element(b, count, &wire_record_seen_variable, &seen);
	overlay_clear(&overlay);
	return found;
}

static void explain_key(struct call *call, struct scope *scope, const struct wire_tree_entry *entry)
{
	prodd_auto_buffer entries = { .limit = 0 }, rules = { .limit = 0 }, variables = { .limit = 0 };
	uint32_t entry_count = 0, rule_count = 0, variable_count = 0;
	const struct generation *live = scope->live;
	const struct rule *rule = schema_find(live->schema, entry->key);
	char variable[OVERLAY_NAME_MAX];
	struct instance *instance;

	overlay_variable_name(entry->key, variable);
	prodd_encode_element(&entries, &entry_count, &wire_record_tree_entry, entry);
	if (rule)
		prodd_encode_element(&rules, &rule_count, &wire_record_schema_key, &rule->row);
	TAILQ_FOREACH(instance, &scope->instances, in_scope)
		see_variable(instance, live, entry->key, &variables, &variable_count);
	call_answer(call, &(struct wire_explained){
		.app = prodd_slice(scope->app->name), .environment = prodd_slice(scope->row->environment),
		.generation = live->record.number, .entries = prodd_list(&entries, entry_count),
		.rules = prodd_list(&rules, rule_count), .variable = prodd_slice(variable),
		.variables = prodd_list(&variables, variable_count),
	});
}

void verb_explain(struct config *config, struct call *call, const void *params)
{
	const struct wire_show *show = params;
	struct scope *scope = verb_scope(config, call, show->app, show->environment, true);
	prodd_auto_buffer candidates = { .limit = 0 };
	const struct wire_tree_entry *entry;
	struct wire_tree_entry mine;
	struct overlay overlay;
	struct prodd_error e;

	if (!scope)
		return;
	entry = tree_find(scope->live->tree, show->key);
	if (!entry) {
		prodd_error_set(&e, PRODD_E_NOT_FOUND, "%s: no setting \"%.*s\"", scope->app->name,
				PRODD_SLICE(show->key));
		call_fail(call, &e);
		return;
	}
	if (overlay_of(scope, show->instance, &overlay, &e) < 0) {
		call_fail(call, &e);
		return;
	}
	explain_key(call, scope, overlaid(&overlay, entry, &mine, &candidates) ? &mine : entry);
	overlay_clear(&overlay);
}

/* ---- schema */

void verb_schema(struct config *config, struct call *call, const void *params)
{
	const struct wire_app_request *request = params;
	struct scope *scope = verb_scope(config, call, request->app, request->environment, true);
	prodd_auto_buffer keys = { .limit = 0 };
	uint32_t count = 0;

	if (!scope)
		return;
	schema_encode(scope->live->schema, &keys, &count);
	call_answer(call, &(struct wire_schema){
		.app = prodd_slice(scope->app->name), .environment = prodd_slice(scope->row->environment),
		.strict = scope->live->record.strict, .keys = prodd_list(&keys, count),
	});
}
