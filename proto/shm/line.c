/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for the longest that a line may become is made at the start, so that
 * nothing is checked on the way; then everything is written in one go, and
 * what was not used is given back.
 */
#include "proto/shm/line.h"

#include "proto/head.h"
#include "proto/shm/digits.h"
#include "proto/shm/quote.h"

enum {
	members_max = 768,	/* bytes of prodd's own members, without the texts in them */
	field_max = 64,		/* bytes of a field, without its texts: "fields.64.", marks, a number */
};

struct writer {
	char *at;
	enum line_format format;
	struct prodd_slice keys[RECORD_FIELDS_MAX];	/* of fields, as written */
	unsigned key_count;
};

/* ---- pieces */

static inline void put(struct writer *w, const char *text, size_t size)
{
	memcpy(w->at, text, size);
	w->at += size;
}

#define PUT(w, literal) put(w, literal, sizeof(literal) - 1)

/* What stands before the value of prodd's member: `,"NAME":` or ` NAME=`. */
#define PUT_NAME(w, name) ((w)->format == LINE_JSON ? PUT(w, ",\"" name "\":") : PUT(w, " " name "="))

static void put_quoted(struct writer *w, struct prodd_slice text)
{
	*w->at++ = '"';
	w->at = quote_json(w->at, text);
	*w->at++ = '"';
}

static void put_text(struct writer *w, struct prodd_slice text)
{
	if (w->format == LINE_LOGFMT && quote_is_bare(text))
		put(w, text.at, text.size);
	else
		put_quoted(w, text);
}

/* Text that needs no quoting but a pair of quotes in JSON. */
static void put_word(struct writer *w, const char *text, size_t size)
{
	if (w->format == LINE_JSON)
		*w->at++ = '"';
	put(w, text, size);
	if (w->format == LINE_JSON)
		*w->at++ = '"';
}

static void put_hex(struct writer *w, struct prodd_slice bytes)
{
	char text[32];

	put_word(w, text, (size_t)(digits_hex(text, bytes) - text));
}

/* ---- fields */

#define NAME_IS(literal) \
	(key.size == sizeof(literal) - 1 && memcmp(key.at, literal, sizeof(literal) - 1) == 0)

static bool is_reserved(struct prodd_slice key)
{
	switch (key.size) {
	case 3:
		return NAME_IS("app") || NAME_IS("seq") || NAME_IS("msg") || NAME_IS("pid") || NAME_IS("src");
	case 4:
		return NAME_IS("time");
	case 5:
		return NAME_IS("level");
	case 6:
		return NAME_IS("target") || NAME_IS("thread");
	case 7:
		return NAME_IS("span_id") || NAME_IS("crashed") || NAME_IS("fields.");
	case 8:
		if (NAME_IS("instance") || NAME_IS("trace_id"))
			return true;
		break;
	default:
		break;
	}
	return key.size > 7 && memcmp(key.at, "fields.", 7) == 0;
}

static char *write_key(const struct writer *w, char *to, struct prodd_slice key)
{
	return w->format == LINE_JSON ? quote_json(to, key) : quote_key(to, key);
}

static bool is_there(const struct writer *w, struct prodd_slice written)
{
	for (unsigned i = 0; i < w->key_count; i++)
		if (prodd_slice_equal(w->keys[i], written))
			return true;
	return false;
}

/* What counts is the name as written: names that differ in damaged bytes only are one name there. */
static void put_key(struct writer *w, struct prodd_slice key, unsigned position)
{
	char *start, *end;
	struct prodd_slice written;

	if (w->format == LINE_JSON)
		PUT(w, ",\"");
	else
		*w->at++ = ' ';
	start = w->at;
	end = write_key(w, start, key);
	written = (struct prodd_slice){ start, (size_t)(end - start) };
	if (is_reserved(written)) {
		memcpy(start, "fields.", 7);
		end = write_key(w, start + 7, key);
		written.size = (size_t)(end - start);
	}
	if (is_there(w, written)) {
		memcpy(start, "fields.", 7);
		end = digits_uint(start + 7, position);
		*end++ = '.';
		end = write_key(w, end, key);
		written.size = (size_t)(end - start);
	}
	w->keys[w->key_count++] = written;
	w->at = end;
	if (w->format == LINE_JSON)
		PUT(w, "\":");
	else
		*w->at++ = '=';
}

static void put_double(struct writer *w, double value)
{
	if (__builtin_isnan(value))
		put_word(w, "NaN", 3);
	else if (__builtin_isinf(value))
		put_word(w, "-Infinity" + (value > 0), value > 0 ? 8 : 9);
	else
		w->at = digits_double(w->at, value);
}

static void put_base64(struct writer *w, struct prodd_slice bytes)
{
	/* its padding is "=" */
	bool quoted = w->format == LINE_JSON || bytes.size == 0 || bytes.size % 3 != 0;

	if (quoted)
		*w->at++ = '"';
	w->at = digits_base64(w->at, bytes);
	if (quoted)
		*w->at++ = '"';
}

static void put_value(struct writer *w, const struct prodd_head *head, struct prodd_slice bytes)
{
	double number;

	switch (head->kind) {
	case PRODD_KIND_STR:
		put_text(w, bytes);
		break;
	case PRODD_KIND_INT:
		w->at = head->negative ? digits_int(w->at, (int64_t)head->bits) :
					 digits_uint(w->at, head->bits);
		break;
	case PRODD_KIND_FLOAT:
		memcpy(&number, &head->bits, sizeof number);
		put_double(w, number);
		break;
	case PRODD_KIND_BOOL:
		put(w, head->bits ? "true" : "false", head->bits ? 4 : 5);
		break;
	case PRODD_KIND_BIN:
		put_base64(w, bytes);
		break;
	default:
		PUT(w, "null");
	}
}

/* Takes one value with the bytes of a text. False: none that a field may have. */
static bool take_value(struct prodd_cursor *c, struct prodd_head *ret, struct prodd_slice *ret_bytes)
{
	size_t left = (size_t)(c->end - c->at), payload;

	prodd_head(c->at, left, ret);
	payload = prodd_head_payload(ret);
	if (ret->kind == PRODD_KIND_END || ret->kind == PRODD_KIND_ARRAY || ret->kind == PRODD_KIND_MAP ||
	    payload > left - ret->size)
		return false;
	*ret_bytes = (struct prodd_slice){ (const char *)c->at + ret->size, payload };
	c->at += ret->size + payload;
	return true;
}

static void put_fields(struct writer *w, const struct record *record)
{
	struct prodd_cursor c = prodd_cursor(record->fields);
	struct prodd_slice key, bytes;
	struct prodd_head head;

	for (unsigned i = 1; i <= record->field_count && i <= RECORD_FIELDS_MAX; i++) {
		if (!(prodd_short_str(&c, &key) || prodd_cursor_str(&c, &key)) ||
		    !take_value(&c, &head, &bytes))
			return;		/* record_open() lets no such record through */
		put_key(w, key, i);
		put_value(w, &head, bytes);
	}
}

/* ---- the line */

static void put_first(struct writer *w, const struct line *line)
{
	const struct record *record = line->record;
	const char *level = record_level_word(record->level);
	char time[DIGITS_TIME];

	digits_time(time, record->time_ns);
	if (w->format == LINE_JSON)
		PUT(w, "{\"time\":");
	else
		PUT(w, "time=");
	put_word(w, time, sizeof time);
	PUT_NAME(w, "level");
	put_word(w, level ? level : "info", level ? strlen(level) : 4);
	PUT_NAME(w, "app");
	put_text(w, line->app);
	PUT_NAME(w, "instance");
	put_text(w, line->origin->instance);
	PUT_NAME(w, "seq");
	w->at = digits_uint(w->at, line->number);
	PUT_NAME(w, "target");
	put_text(w, record->target.size ? record->target : prodd_slice("main"));
	PUT_NAME(w, "msg");
	put_text(w, record->message);
}

static void put_last(struct writer *w, const struct line *line)
{
	const struct record *record = line->record;

	if (line->origin->pid) {
		PUT_NAME(w, "pid");
		w->at = digits_uint(w->at, line->origin->pid);
	}
	if (record->thread.size) {
		PUT_NAME(w, "thread");
		put_text(w, record->thread);
	}
	if (record->source.size) {
		PUT_NAME(w, "src");
		put_text(w, record->source);
	}
	if (record->trace.size == 16) {
		PUT_NAME(w, "trace_id");
		put_hex(w, record->trace);
	}
	if (record->span.size == 8) {
		PUT_NAME(w, "span_id");
		put_hex(w, record->span);
	}
	if (line->origin->crash.size) {
		PUT_NAME(w, "crashed");
		put_text(w, line->origin->crash);
	}
}

static size_t longest(const struct line *line)
{
	const struct record *record = line->record;
	size_t texts = line->app.size + line->origin->instance.size + line->origin->crash.size +
		       record->target.size + record->message.size + record->thread.size +
		       record->source.size + record->fields.size;

	return members_max + QUOTE_MAX * texts + field_max * (size_t)RECORD_FIELDS_MAX;
}

int line_write(struct prodd_buffer *b, enum line_format format, const struct line *line)
{
	size_t size = longest(line);
	struct writer w;

	w.format = format;
	w.key_count = 0;
	w.at = prodd_buffer_extend(b, size);
	if (!w.at)
		return b->failed;
	put_first(&w, line);
	put_fields(&w, line->record);
	put_last(&w, line);
	if (format == LINE_JSON)
		*w.at++ = '}';
	*w.at++ = '\n';
	b->size = (size_t)(w.at - b->at);
	return 0;
}

/* ---- reading back */

static bool take(struct prodd_slice *line, const char *text)
{
	size_t size = strlen(text);

	if (line->size < size || memcmp(line->at, text, size) != 0)
		return false;
	line->at += size;
	line->size -= size;
	return true;
}

static struct prodd_slice take_bytes(struct prodd_slice *line, size_t size)
{
	struct prodd_slice taken = { line->at, size };

	line->at += size;
	line->size -= size;
	return taken;
}

/* A quoted text, or in logfmt one without quotes; what it says does not matter. */
static bool pass_text(struct prodd_slice *line, enum line_format format)
{
	size_t i = 0;

	if (take(line, "\"")) {
		while (i < line->size && line->at[i] != '"')
			i += line->at[i] == '\\' ? 2 : 1;
		if (i >= line->size)
			return false;
		take_bytes(line, i + 1);
		return true;
	}
	while (i < line->size && line->at[i] != ' ')
		i++;
	take_bytes(line, i);
	return format == LINE_LOGFMT && i > 0;
}

static bool take_uint(struct prodd_slice *line, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	for (; i < line->size && line->at[i] >= '0' && line->at[i] <= '9'; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(line->at[i] - '0'), &value))
			return false;
	take_bytes(line, i);
	*ret = value;
	return i > 0;
}

static bool take_time(struct prodd_slice *line, enum line_format format, struct prodd_slice *ret)
{
	if (line->size < DIGITS_TIME)
		return false;
	*ret = take_bytes(line, DIGITS_TIME);
	return ret->at[10] == 'T' && ret->at[DIGITS_TIME - 1] == 'Z' &&
	       (format == LINE_LOGFMT || take(line, "\""));
}

bool line_number(struct prodd_slice line, enum line_format format, uint64_t *ret,
		 struct prodd_slice *ret_time)
{
	bool json = format == LINE_JSON;
	struct prodd_slice time;
	uint64_t number;

	if (line.size > 0 && line.at[line.size - 1] == '\n')
		line.size--;
	if (json && (line.size == 0 || line.at[line.size - 1] != '}'))
		return false;
	if (!take(&line, json ? "{\"time\":\"" : "time=") || !take_time(&line, format, &time) ||
	    !take(&line, json ? ",\"level\":" : " level=") || !pass_text(&line, format) ||
	    !take(&line, json ? ",\"app\":" : " app=") || !pass_text(&line, format) ||
	    !take(&line, json ? ",\"instance\":" : " instance=") || !pass_text(&line, format) ||
	    !take(&line, json ? ",\"seq\":" : " seq=") || !take_uint(&line, &number) ||
	    !take(&line, json ? ",\"target\":" : " target="))
		return false;
	*ret = number;
	if (ret_time)
		*ret_time = time;
	return true;
}

bool line_format_of(struct prodd_slice word, enum line_format *ret)
{
	if (!prodd_slice_is(word, "json") && !prodd_slice_is(word, "logfmt"))
		return false;
	*ret = prodd_slice_is(word, "json") ? LINE_JSON : LINE_LOGFMT;
	return true;
}
