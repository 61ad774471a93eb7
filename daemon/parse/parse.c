/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file is scanned and read on its own; what is wrong with one does not
 * keep the others from being checked.  Only when nothing is wrong at all are
 * there entries.
 */
#include "daemon/parse/parse.h"

#include <stdlib.h>

#include "daemon/parse/prodd_conf.h"
#include "daemon/parse/schema_file.h"
#include "daemon/parse/settings.h"
#include "daemon/tree/tree.h"
#include "proto/check.h"
#include "proto/codec.h"
#include "proto/limits.h"

struct file {
	struct wire_source_file row;
	struct place place;
	struct scan scan;
	struct settings settings;
};

struct parse {
	const struct wire_parse *request;
	struct problems *problems;
	struct file *files;		/* owned */
	struct merge_layer *layers;	/* owned */
	uint32_t count, layer_count;
	struct schema *schema;		/* owned; NULL: none */
	bool schema_file;
};

/* ---- reading */

static bool is_daemon(const struct parse *p)
{
	return prodd_slice_is(p->request->app, PARSE_DAEMON);
}

static int need_schema(struct parse *p)
{
	return p->schema ? 0 : schema_new(&p->schema);
}

static int read_schema(struct parse *p, struct file *file)
{
	int r = need_schema(p);

	p->schema_file = true;
	return r < 0 ? r
		     : schema_file_read(&file->scan, &file->place, file->row.name, p->schema, p->problems);
}

static int read_layer(struct parse *p, struct file *file)
{
	struct merge_layer *layer = &p->layers[p->layer_count++];
	int r;

	r = settings_read(&file->scan, &file->place, p->problems, &file->settings);
	*layer = (struct merge_layer){
		.name = file->row.name, .path = file->row.path, .order = file->place.order,
		.settings = file->settings.rows, .count = file->settings.count,
	};
	if (r == 0 && is_daemon(p))
		prodd_conf_check(layer, p->problems);
	return r;
}

static int read_file(struct parse *p, struct file *file)
{
	int r;

	file->place = (struct place){ .order = p->count, .file = file->row.path };
	p->count++;
	r = scan_run(file->row.content, &file->place, p->problems, &file->scan);
	if (r < 0)
		return r;
	return prodd_slice_is(file->row.layer, "schema") ? read_schema(p, file) : read_layer(p, file);
}

static int read_files(struct parse *p, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(p->request->files);
	uint32_t most = p->request->files.count;
	int r;

	p->files = calloc((size_t)most + 1, sizeof *p->files);
	p->layers = calloc((size_t)most + 1, sizeof *p->layers);
	if (!p->files || !p->layers)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the files");
	while (p->count < most &&
	       (r = prodd_next(&it, &wire_record_source_file, &p->files[p->count].row, e)) != 0) {
		if (r < 0)
			return r;
		r = read_file(p, &p->files[p->count]);
		if (r < 0)
			return prodd_error_set(e, -r, "the files");
	}
	return 0;
}

/* Declarations from code hold besides those of the file; one that cannot is a problem of its own. */
static int add_declared(struct parse *p, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(p->request->declared);
	struct wire_schema_key declared;
	int r;

	if (p->request->declared.count == 0)
		return 0;
	r = need_schema(p);
	if (r < 0)
		return prodd_error_set(e, -r, "the schema");
	if (!p->schema_file)
		schema_set_strict(p->schema, false);
	while ((r = prodd_next(&it, &wire_record_schema_key, &declared, e)) > 0) {
		r = schema_add(p->schema, &declared, e);
		if (r == -PRODD_E_NO_MEMORY)
			return r;
		if (r < 0)
			problems_add(p->problems, NULL, (struct prodd_slice){ NULL, 0 }, "%s", e->text);
	}
	return r;
}

static int use_built_in(struct parse *p, struct prodd_error *e)
{
	int r = need_schema(p);

	return r < 0 ? prodd_error_set(e, -r, "the schema") : prodd_conf_schema(p->schema, e);
}

/* ---- the result */

static bool is_incomplete(const struct parse *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->files[i].scan.incomplete)
			return true;
	return false;
}

static int merge(struct parse *p, struct parse_result *ret, struct prodd_error *e)
{
	struct merge_input in = {
		.schema = p->schema, .layers = p->layers, .layer_count = p->layer_count,
		.incomplete = is_incomplete(p),
	};
	uint32_t count = 0;
	int r;

	r = merge_run(&in, p->problems, &ret->entries, &count, e);
	ret->parsed.entries = prodd_list(&ret->entries, count);
	return r;
}

/* Apps get the settings as one snapshot, whose size is limited. */
static int check_snapshot(struct parse *p, const struct parse_result *result, struct prodd_error *e)
{
	prodd_auto_buffer snapshot = { 0 };
	struct tree *tree = NULL;
	uint32_t count = 0;
	int r;

	r = tree_open(result->parsed.entries, &tree, e);
	if (r < 0)
		return r;
	r = tree_snapshot(tree, &snapshot, &count);
	tree_free(tree);
	if (r < 0)
		return prodd_error_set(e, -r, "the snapshot");
	if (snapshot.size > PRODD_SNAPSHOT_MAX)
		problems_add(p->problems, NULL, (struct prodd_slice){ NULL, 0 },
			     "all settings together have %zu bytes as they are sent to an app, at most %u "
			     "are allowed",
			     snapshot.size, PRODD_SNAPSHOT_MAX);
	return 0;
}

/* The answer must fit in a frame, with every origin of every setting. */
static int check_answer(struct parse *p, const struct parse_result *result, struct prodd_error *e)
{
	prodd_auto_buffer answer = { 0 };
	struct prodd_error why;
	int r;

	r = prodd_encode(&answer, &wire_record_parsed, &result->parsed);
	if (r == -PRODD_E_NO_MEMORY)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the answer");
	if (r == 0)
		r = prodd_check(prodd_buffer_slice(&answer), &prodd_check_reply, &why);
	if (r < 0)
		problems_add(p->problems, NULL, (struct prodd_slice){ NULL, 0 },
			     "too many settings in too many files: their origins do not fit in one answer");
	return 0;
}

static int finish(struct parse *p, struct parse_result *ret, struct prodd_error *e)
{
	uint32_t count = 0;
	int r;

	ret->parsed.schema = p->schema != NULL;
	ret->parsed.strict = schema_strict(p->schema);
	r = schema_encode(p->schema, &ret->keys, &count);
	if (r < 0)
		return prodd_error_set(e, -r, "the schema");
	ret->parsed.keys = prodd_list(&ret->keys, count);
	r = merge(p, ret, e);
	if (r == 0 && problems_count(p->problems) == 0)
		r = check_snapshot(p, ret, e);
	if (r == 0 && problems_count(p->problems) == 0)
		r = check_answer(p, ret, e);
	if (r < 0 || problems_count(p->problems) == 0)
		return r;
	count = 0;
	r = problems_encode(p->problems, &ret->problems, &count);
	ret->parsed = (struct wire_parsed){ .problems = prodd_list(&ret->problems, count) };
	return r < 0 ? prodd_error_set(e, -r, "the problems") : 0;
}

static void parse_clear(struct parse *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		settings_clear(&p->files[i].settings);
		scan_clear(&p->files[i].scan);
	}
	free(p->files);
	free(p->layers);
	schema_free(p->schema);
}

int parse_run(const struct wire_parse *request, struct problems *found, struct parse_result *ret,
	      struct prodd_error *e)
{
	problems_auto own = { 0 };
	struct parse p = { .request = request, .problems = found ? found : &own };
	int r = 0;

	*ret = (struct parse_result){ 0 };
	if (is_daemon(&p))
		r = use_built_in(&p, e);
	if (r == 0)
		r = read_files(&p, e);
	if (r == 0)
		r = add_declared(&p, e);
	if (r == 0)
		r = finish(&p, ret, e);
	parse_clear(&p);
	if (r < 0)
		parse_result_clear(ret);
	return r;
}

void parse_result_clear(struct parse_result *result)
{
	prodd_buffer_clear(&result->problems);
	prodd_buffer_clear(&result->keys);
	prodd_buffer_clear(&result->entries);
	result->parsed = (struct wire_parsed){ 0 };
}
