/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most text needs nothing, so the way is: copy eight bytes at once as long as
 * all are plain, then look at the one that is not.
 */
#include "proto/shm/quote.h"

#include "proto/cursor.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The high bit of each byte that is not plain ASCII: below 0x20, above 0x7e, a quote or a backslash. Bytes
 * behind the first one may be marked wrongly by a borrow; only the first counts. (Alan Mycroft's test for a
 * zero byte.) */
static uint64_t not_plain(uint64_t eight)
{
	uint64_t quote = eight ^ EACH('"'), backslash = eight ^ EACH('\\'), del = eight ^ EACH(0x7f);

	return ((eight - EACH(0x20)) | (quote - EACH(1)) | (backslash - EACH(1)) | (del - EACH(1)) | eight) &
	       EACH(0x80);
}

/* How many bytes from the front are plain; eight: all. */
static unsigned plain_of(uint64_t eight)
{
	uint64_t marks = not_plain(eight);

	if (!marks)
		return 8;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (unsigned)__builtin_ctzll(marks) / 8;
#else
	return 0;	/* a borrow comes from the other side there: byte by byte */
#endif
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static char *put_escape(char *to, uint32_t character)
{
	static const char hex[] = "0123456789abcdef";

	*to++ = '\\';
	*to++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*to++ = hex[character >> shift & 15];
	return to;
}

static char *put_ascii(char *to, unsigned char byte)
{
	switch (byte) {
	case '"':
	case '\\':
		*to++ = '\\';
		*to++ = (char)byte;
		return to;
	case '\n':
		memcpy(to, "\\n", 2);
		return to + 2;
	case '\r':
		memcpy(to, "\\r", 2);
		return to + 2;
	case '\t':
		memcpy(to, "\\t", 2);
		return to + 2;
	default:
		return put_escape(to, byte);
	}
}

/* C1 controls (U+0080 to U+009F), LINE SEPARATOR and PARAGRAPH SEPARATOR; 0: none of them. `at` is a whole
 * character. */
static uint32_t hidden_control(const unsigned char *at)
{
	if (at[0] == 0xc2 && at[1] < 0xa0)
		return at[1];
	if (at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9))
		return 0x2000u + (at[2] & 0x3fu);
	return 0;
}

/* Writes the character that is not plain ASCII; *text is advanced over it. */
static char *put_character(char *to, struct prodd_slice *text)
{
	const unsigned char *at = (const unsigned char *)text->at;
	unsigned length = prodd_text_character(*text);
	uint32_t control;

	if (at[0] < 0x80) {
		to = put_ascii(to, at[0]);
		length = 1;
	} else if (length == 0) {
		memcpy(to, "\xef\xbf\xbd", 3);
		to += 3;
		length = 1;
	} else if ((control = hidden_control(at)) != 0) {
		to = put_escape(to, control);
	} else {
		memcpy(to, at, length);
		to += length;
	}
	text->at += length;
	text->size -= length;
	return to;
}

/* The last of a text, fewer than eight bytes, of which `before` plain ones stand in front: read once more
 * together with some of these, or as two halves that overlap. Moves both places when all is plain; else
 * nothing happens. */
static void put_rest(char **to, const char **at, const char *end, size_t before)
{
	size_t rest = (size_t)(end - *at);
	uint64_t eight;
	uint32_t half, other;

	if (before + rest >= 8) {
		memcpy(&eight, end - 8, 8);
		if (not_plain(eight))
			return;
		memcpy(*to + rest - 8, &eight, 8);
	} else if (rest >= 4) {
		memcpy(&half, *at, 4);
		memcpy(&other, end - 4, 4);
		if (not_plain((uint64_t)half << 32 | other))
			return;
		memcpy(*to, &half, 4);
		memcpy(*to + rest - 4, &other, 4);
	} else {
		return;
	}
	*to += rest;
	*at = end;
}

/* Copies what is plain at the front. */
static char *put_plain(char *to, struct prodd_slice *text)
{
	const char *at = text->at, *end = text->at + text->size;
	unsigned plain = 8;

	while (plain == 8 && end - at >= 8) {
		uint64_t eight;

		memcpy(&eight, at, 8);
		plain = plain_of(eight);
		memcpy(to, &eight, 8);		/* what is too much is written over */
		to += plain;
		at += plain;
	}
	if (plain == 8 && at < end)
		put_rest(&to, &at, end, (size_t)(at - text->at));
	while (at < end && is_plain((unsigned char)*at))
		*to++ = *at++;
	text->size = (size_t)(end - at);
	text->at = at;
	return to;
}

char *quote_json(char *to, struct prodd_slice text)
{
	while (text.size > 0) {
		to = put_plain(to, &text);
		if (text.size > 0)
			to = put_character(to, &text);
	}
	return to;
}

bool quote_is_bare(struct prodd_slice text)
{
	if (text.size == 0)
		return false;
	while (text.size > 0) {
		unsigned char first = (unsigned char)*text.at;
		unsigned length = first < 0x80 ? 1 : prodd_text_character(text);

		if (length == 1 && (!is_plain(first) || first == ' ' || first == '='))
			return false;
		if (length == 0 || (length > 1 && hidden_control((const unsigned char *)text.at)))
			return false;
		text.at += length;
		text.size -= length;
	}
	return true;
}

char *quote_key(char *to, struct prodd_slice text)
{
	char *start = to;

	while (text.size > 0) {
		unsigned length = prodd_text_character(text);
		struct prodd_slice one = { text.at, length ? length : 1 };

		if (quote_is_bare(one)) {
			memcpy(to, one.at, one.size);
			to += one.size;
		} else {
			*to++ = '_';
		}
		text.at += one.size;
		text.size -= one.size;
	}
	if (to == start)
		*to++ = '_';
	return to;
}
