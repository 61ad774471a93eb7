/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of prodd-conf.h, walked for three readers. */
#include "daemon/parse/prodd_conf.h"

#include "daemon/parse/prodd-conf.h"
#include "daemon/tree/names.h"
#include "proto/codec.h"
#include "proto/cursor.h"

enum { line_max = 76, words_max = 8 };

static const struct row {
	const char *key, *type, *def, *min, *max, *words, *pattern, *help;
} rows[] = {
#define X(key, type, def, min, max, words, pattern, help) { key, type, def, min, max, words, pattern, help },
	PRODD_CONF_SETTINGS(X)
#undef X
};

enum { row_count = sizeof rows / sizeof *rows };

/* ---- the schema */

static struct prodd_slice to_value(const struct row *row, const char *text, struct prodd_buffer *store)
{
	struct prodd_slice none = { NULL, 0 };
	char why[VALUE_WHY_MAX];

	if (*text)
		value_from_text(value_type_of(prodd_slice(row->type)), none, prodd_slice(text),
				VALUE_FROM_TYPED, store, why);
	return prodd_buffer_slice(store);
}

static struct prodd_list to_words(const char *words, struct prodd_buffer *store)
{
	uint32_t count = 0;

	while (*words) {
		size_t size = strcspn(words, " ");

		prodd_pack_str(store, (struct prodd_slice){ words, size });
		count++;
		words += size + (words[size] == ' ');
	}
	return prodd_list(store, count);
}

static int add_row(struct schema *schema, const struct row *row, struct prodd_error *e)
{
	prodd_auto_buffer def = { 0 };
	prodd_auto_buffer min = { 0 };
	prodd_auto_buffer max = { 0 };
	prodd_auto_buffer words = { 0 };
	struct wire_schema_key declared = {
		.key = prodd_slice(row->key),
		.type = prodd_slice(row->type),
		.def = to_value(row, row->def, &def),
		.min = to_value(row, row->min, &min),
		.max = to_value(row, row->max, &max),
		.one_of = to_words(row->words, &words),
		.pattern = prodd_slice(row->pattern),
		.help = prodd_slice(row->help),
		.origin = prodd_slice("prodd"),
	};

	return schema_add_pattern(schema, &declared, e);
}

int prodd_conf_schema(struct schema *schema, struct prodd_error *e)
{
	for (int i = 0; i < row_count; i++) {
		int r = add_row(schema, &rows[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- names */

/* The name in the place of "*", for a key that begins with `group`. */
static bool name_in(struct prodd_slice key, const char *group, struct prodd_slice *ret)
{
	size_t size = strlen(group);
	const char *dot;

	if (key.size <= size || memcmp(key.at, group, size) != 0)
		return false;
	dot = memchr(key.at + size, '.', key.size - size);
	*ret = (struct prodd_slice){ key.at + size, dot ? (size_t)(dot - key.at) - size : 0 };
	return dot != NULL;
}

/* Sinks are named as apps are: the names are those of files. */
static void check_name(const struct setting *setting, const struct place *place, struct problems *problems)
{
	struct prodd_slice name;

	if (name_in(setting->key, "app.", &name) && !names_app(name))
		problems_add(problems, place, setting->key,
			     "\"%.*s\" cannot be the name of an app: a small letter, "
			     "then small letters, digits, _ and -, at most 63 in all, and not prodd",
			     PRODD_SLICE(name));
	if (name_in(setting->key, "sink.", &name) && !names_app(name))
		problems_add(problems, place, setting->key,
			     "\"%.*s\" cannot be the name of a sink: a small letter, "
			     "then small letters, digits, _ and -, at most 63 in all, and not prodd",
			     PRODD_SLICE(name));
}

static bool ends_in_environment(struct prodd_slice key)
{
	static const char word[] = "environment";

	return key.size >= sizeof word - 1 &&
	       memcmp(key.at + key.size - sizeof word + 1, word, sizeof word - 1) == 0;
}

static void check_environment(const struct setting *setting, const struct place *place,
			      struct problems *problems)
{
	struct prodd_cursor c = prodd_cursor(setting->value);
	struct prodd_slice name;

	if (prodd_cursor_str(&c, &name) && name.size > 0 && !names_environment(name))
		problems_add(problems, place, setting->key, "\"%.*s\" cannot be the name of an environment",
			     PRODD_SLICE(prodd_text_cut(name, 64)));
}

void prodd_conf_check(const struct merge_layer *layer, struct problems *problems)
{
	struct place place = { .order = layer->order, .file = layer->path };

	for (size_t i = 0; i < layer->count; i++) {
		const struct setting *setting = &layer->settings[i];

		place.line = setting->line;
		check_name(setting, &place, problems);
		if (ends_in_environment(setting->key))
			check_environment(setting, &place, problems);
	}
}

/* ---- printing */

/* Words of `text` in lines that begin with `margin`. */
static void print_folded(FILE *out, const char *margin, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t size = strcspn(text, " ");

		if (column > 0 && column + 1 + size > line_max) {
			fputc('\n', out);
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%.*s", column ? " " : margin, (int)size, text);
		text += size + (text[size] == ' ');
	}
	fputc('\n', out);
}

static bool is_word(const struct row *row)
{
	return strcmp(row->type, "int") != 0 && strcmp(row->type, "bool") != 0 && !strchr("\"[", row->def[0]);
}

static void print_words(FILE *out, const char *words, const char *quote)
{
	for (const char *at = words; *at;) {
		size_t size = strcspn(at, " ");

		fprintf(out, "%s%s%.*s%s", at == words ? "" : ", ", quote, (int)size, at, quote);
		at += size + (at[size] == ' ');
	}
}

/* A row without a default must be filled in by whoever wants it. */
static void print_setting(FILE *out, const struct row *row, const char *name, const char *margin)
{
	const char *quote = is_word(row) && *row->def ? "\"" : "";
	char comment[32];

	snprintf(comment, sizeof comment, *margin ? "#%s# " : "# ", margin);
	print_folded(out, comment, row->help);
	fprintf(out, "#%s%s = %s%s%s;", margin, name, quote, *row->def ? row->def : "\"...\"", quote);
	if (*row->words) {
		fputs("    # ", out);
		print_words(out, row->words, "");
	} else if (*row->min) {
		fprintf(out, "    # %s..%s", row->min, row->max);
	}
	fputs("\n\n", out);
}

/* Blocks with names. */
static const struct block {
	const char *group, *example, *help;
} blocks[] = {
	{ "sink", "local", "One block for each sink; without any there is one like this, named local." },
	{ "app", "orders", "One block for each app that needs one, here or in conf.d/*.conf." },
};

static const struct block *block_of(const char *group, size_t size)
{
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		if (strlen(blocks[i].group) == size && memcmp(blocks[i].group, group, size) == 0)
			return &blocks[i];
	return NULL;
}

static size_t group_size(const struct row *row)
{
	const char *dot = strchr(row->key, '.');

	return dot ? (size_t)(dot - row->key) : 0;
}

/* Rows of one group, from `row`; returns how many. */
static int print_group(FILE *out, const struct row *row, int most)
{
	size_t size = group_size(row);
	const struct block *block = block_of(row->key, size);
	int n = 0;

	if (block)
		fprintf(out, "# %s\n#%s:\n#{\n#    %s:\n#    {\n", block->help, block->group, block->example);
	else if (size > 0)
		fprintf(out, "#%.*s:\n#{\n", (int)size, row->key);
	for (; n < most && group_size(row + n) == size && memcmp(row[n].key, row->key, size) == 0; n++)
		print_setting(out, row + n, size ? strrchr(row[n].key, '.') + 1 : row[n].key,
			      block ? "        " : size > 0 ? "    " : "");
	fputs(block ? "#    };\n#};\n\n" : size > 0 ? "#};\n\n" : "", out);
	return n;
}

void prodd_conf_print(FILE *out)
{
	fputs("# /etc/prodd/prodd.conf: see prodd.conf(5)\n"
	      "# check: prodd --check     changes need a restart of prodd\n"
	      "# What stands here as a comment is the default.\n\n", out);
	for (int i = 0; i < row_count;)
		i += print_group(out, &rows[i], row_count - i);
}

/* scdoc takes '*' and '_' for emphasis. */
static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\#`[]<>~", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

void prodd_conf_print_scd(FILE *out)
{
	for (int i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];

		fputc('*', out);
		print_escaped(out, row->key);
		fprintf(out, "* (%s", row->type);
		if (*row->words) {
			fputs(": ", out);
			print_words(out, row->words, "");
		} else if (*row->min) {
			fprintf(out, ", %s..%s", row->min, row->max);
		}
		if (*row->def)
			fprintf(out, ", default %s", row->def);
		fputs(")\n\t", out);
		print_escaped(out, row->help);
		fputs("\n\n", out);
	}
}
