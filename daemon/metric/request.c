/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line after another; whatever the grammar does not know is refused rather
 * than guessed, so that no two readers can take the same bytes for different
 * requests.  Lines may end in a bare line feed.
 */
#include "daemon/metric/request.h"

#include <strings.h>

/* ---- slices */

static bool same(struct prodd_slice s, const char *word)
{
	return s.size == strlen(word) && strncasecmp(s.at, word, s.size) == 0;
}

static struct prodd_slice trimmed(struct prodd_slice s)
{
	while (s.size > 0 && (*s.at == ' ' || *s.at == '\t')) {
		s.at++;
		s.size--;
	}
	while (s.size > 0 && (s.at[s.size - 1] == ' ' || s.at[s.size - 1] == '\t'))
		s.size--;
	return s;
}

/* Cuts *rest at the first `mark`; what was before it, trimmed. False: *rest is used up. */
static bool next_part(struct prodd_slice *rest, char mark, struct prodd_slice *ret)
{
	const char *end;

	if (!rest->at)
		return false;
	end = rest->size > 0 ? memchr(rest->at, mark, rest->size) : NULL;
	if (!end) {
		*ret = trimmed(*rest);
		*rest = (struct prodd_slice){ NULL, 0 };
		return true;
	}
	*ret = trimmed((struct prodd_slice){ rest->at, (size_t)(end - rest->at) });
	rest->size -= (size_t)(end - rest->at) + 1;
	rest->at = end + 1;
	return true;
}

/* "0", "1", "0.75" in thousandths; what is no weight counts as 0. */
static unsigned weight_of(struct prodd_slice s)
{
	unsigned weight, unit = 100;

	if (s.size == 0 || s.size > 5 || (s.at[0] != '0' && s.at[0] != '1') || (s.size > 1 && s.at[1] != '.'))
		return 0;
	weight = s.at[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < s.size; i++, unit /= 10) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return 0;
		weight += unit * (unsigned)(s.at[i] - '0');
	}
	return weight > 1000 ? 0 : weight;
}

/* ---- what the sender likes */

struct wishes {
	unsigned openmetrics;	/* weights, in thousandths */
	unsigned plain;
	unsigned gzip;
	unsigned gzip_any;	/* of "*" */
	bool gzip_named;
};

/* One of Accept: "text/plain;version=0.0.4;q=0.5" */
static void add_type(struct wishes *wishes, struct prodd_slice item)
{
	struct prodd_slice type, parameter;
	unsigned weight = 1000;
	bool known_version = true;

	if (!next_part(&item, ';', &type))
		return;
	while (next_part(&item, ';', &parameter)) {
		struct prodd_slice name;

		if (!next_part(&parameter, '=', &name) || !parameter.at)
			continue;
		if (same(name, "q"))
			weight = weight_of(trimmed(parameter));
		else if (same(name, "version"))
			known_version = same(trimmed(parameter), "1.0.0") || same(trimmed(parameter), "\"1.0.0\"");
	}
	if (same(type, "application/openmetrics-text")) {
		if (known_version && weight > wishes->openmetrics)
			wishes->openmetrics = weight;
	} else if (same(type, "text/plain") && weight > wishes->plain) {
		wishes->plain = weight;
	}
}

/* One of Accept-Encoding: "gzip;q=0.5" */
static void add_coding(struct wishes *wishes, struct prodd_slice item)
{
	struct prodd_slice coding, parameter, name;
	unsigned weight = 1000;

	if (!next_part(&item, ';', &coding))
		return;
	while (next_part(&item, ';', &parameter))
		if (next_part(&parameter, '=', &name) && same(name, "q") && parameter.at)
			weight = weight_of(trimmed(parameter));
	if (same(coding, "gzip") || same(coding, "x-gzip")) {
		wishes->gzip_named = true;
		if (weight > wishes->gzip)
			wishes->gzip = weight;
	} else if (same(coding, "*")) {
		wishes->gzip_any = weight;
	}
}

static void add_all(struct wishes *wishes, struct prodd_slice list,
		    void (*add)(struct wishes *wishes, struct prodd_slice item))
{
	struct prodd_slice item;

	while (next_part(&list, ',', &item))
		add(wishes, item);
}

/* ---- lines */

/* RFC 9110: the characters of a token */
static bool is_token(struct prodd_slice s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.size; i++) {
		char c = s.at[i];

		if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr(others, c))))
			return false;
	}
	return s.size > 0;
}

/* Text of a header: no control characters but the tab. */
static bool is_text(struct prodd_slice s)
{
	for (size_t i = 0; i < s.size; i++)
		if (((unsigned char)s.at[i] < 32 && s.at[i] != '\t') || s.at[i] == 127)
			return false;
	return true;
}

/* "http://host:port/path" -> "/path" */
static struct prodd_slice without_host(struct prodd_slice target)
{
	static const char scheme[] = "http://";
	size_t size = sizeof scheme - 1;
	const char *slash;

	if (target.size < size || strncasecmp(target.at, scheme, size) != 0)
		return target;
	slash = memchr(target.at + size, '/', target.size - size);
	if (!slash)
		return prodd_slice("/");
	return (struct prodd_slice){ slash, target.size - (size_t)(slash - target.at) };
}

static struct prodd_slice without_query(struct prodd_slice target)
{
	const char *mark = target.size > 0 ? memchr(target.at, '?', target.size) : NULL;

	return mark ? (struct prodd_slice){ target.at, (size_t)(mark - target.at) } : target;
}

/* Returns 0 or a status as request_parse. *ret_minor: of HTTP/1.x. */
static int read_request_line(struct prodd_slice line, struct request *ret, unsigned *ret_minor)
{
	const char *first = line.size > 0 ? memchr(line.at, ' ', line.size) : NULL;
	struct prodd_slice method, target, version;
	const char *second;

	if (!first)
		return -400;
	method = (struct prodd_slice){ line.at, (size_t)(first - line.at) };
	line = (struct prodd_slice){ first + 1, line.size - method.size - 1 };
	second = line.size > 0 ? memchr(line.at, ' ', line.size) : NULL;
	if (!second)
		return -400;
	target = (struct prodd_slice){ line.at, (size_t)(second - line.at) };
	version = (struct prodd_slice){ second + 1, line.size - target.size - 1 };
	if (!is_token(method) || target.size == 0 || !is_text(target))
		return -400;
	if (version.size != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[6] != '.')
		return -400;
	if (version.at[5] != '1' || version.at[7] < '0' || version.at[7] > '9')
		return -505;
	ret->path = without_query(without_host(target));
	if (ret->path.size == 0 || (ret->path.at[0] != '/' && !prodd_slice_is(ret->path, "*")))
		return -400;
	*ret_minor = (unsigned)(version.at[7] - '0');
	ret->method = prodd_slice_is(method, "GET") ? REQUEST_GET :
		      prodd_slice_is(method, "HEAD") ? REQUEST_HEAD : REQUEST_OTHER;
	return 0;
}

struct head {
	struct request *request;
	struct wishes wishes;
	bool has_host;
	bool has_body;
};

static void read_connection(struct head *head, struct prodd_slice list)
{
	struct prodd_slice word;

	while (next_part(&list, ',', &word))
		if (same(word, "close"))
			head->request->keep_alive = false;
		else if (same(word, "keep-alive"))
			head->request->keep_alive = true;
}

/* Returns 0 or a status. */
static int read_header(struct head *head, struct prodd_slice line)
{
	const char *colon = memchr(line.at, ':', line.size);
	struct prodd_slice name, value;

	if (!colon)
		return -400;
	name = (struct prodd_slice){ line.at, (size_t)(colon - line.at) };
	value = trimmed((struct prodd_slice){ colon + 1, line.size - name.size - 1 });
	if (!is_token(name) || !is_text(value))
		return -400;
	if (same(name, "host"))
		head->has_host = true;
	else if (same(name, "connection"))
		read_connection(head, value);
	else if (same(name, "accept"))
		add_all(&head->wishes, value, add_type);
	else if (same(name, "accept-encoding"))
		add_all(&head->wishes, value, add_coding);
	else if (same(name, "content-length"))
		head->has_body |= !same(value, "0");
	else if (same(name, "transfer-encoding"))
		head->has_body = true;
	return 0;
}

/* The next line of *rest, without its end. False: no end of line has come. */
static bool next_line(struct prodd_slice *rest, struct prodd_slice *ret)
{
	const char *end = rest->size > 0 ? memchr(rest->at, '\n', rest->size) : NULL;

	if (!end)
		return false;
	*ret = (struct prodd_slice){ rest->at, (size_t)(end - rest->at) };
	rest->size -= ret->size + 1;
	rest->at = end + 1;
	if (ret->size > 0 && ret->at[ret->size - 1] == '\r')
		ret->size--;
	return true;
}

static int finish(struct head *head, unsigned minor)
{
	struct request *r = head->request;
	const struct wishes *w = &head->wishes;

	if (minor > 0 && !head->has_host)
		return -400;
	if (head->has_body && r->method != REQUEST_OTHER)
		return -413;
	r->keep_alive &= !head->has_body;
	r->openmetrics = w->openmetrics > 0 && w->openmetrics >= w->plain;
	r->gzip = w->gzip_named ? w->gzip > 0 : w->gzip_any > 0;
	return 0;
}

static int too_long_or_more(struct prodd_slice bytes)
{
	return bytes.size >= REQUEST_HEAD_MAX ? -431 : 0;
}

int request_parse(struct prodd_slice bytes, struct request *ret)
{
	struct head head = { .request = ret };
	struct prodd_slice rest = bytes, line;
	unsigned minor = 0, count = 0;
	int r;

	*ret = (struct request){ 0 };
	if (!next_line(&rest, &line))
		return too_long_or_more(bytes);
	r = read_request_line(line, ret, &minor);
	ret->keep_alive = minor > 0;
	while (r == 0) {
		if (!next_line(&rest, &line))
			return too_long_or_more(bytes);
		if (line.size == 0)
			break;
		r = ++count > REQUEST_HEADERS_MAX ? -431 : read_header(&head, line);
	}
	if (r == 0)
		r = finish(&head, minor);
	return r < 0 ? r : (int)(bytes.size - rest.size);
}
