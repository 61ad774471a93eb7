/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name is cut into words at whatever is no letter, and before an upper case letter behind
 * a lower case one.  Some words mark a secret wherever they stand ("password_old");
 * others only as the last ("session_token", not "token_count"), and "key" only
 * behind a word that says what it opens ("api_key", not "sort_key").
 */
#include "client/secret_names.h"

#include <string.h>

struct word {
	const char *at;
	size_t size;
};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

static char lower(char c)
{
	return is_upper(c) ? (char)(c | 0x20) : c;
}

static bool is(struct word w, const char *text)
{
	for (size_t i = 0; i < w.size; i++)
		if (lower(w.at[i]) != text[i])
			return false;
	return text[w.size] == '\0';
}

static bool is_one_of(struct word w, const char *const *texts)
{
	while (*texts && !is(w, *texts))
		texts++;
	return *texts;
}

/* The next word from *at; size 0: none. */
static struct word next_word(const char **at, const char *end)
{
	const char *from = *at, *to;

	while (from < end && !is_letter(*from))
		from++;
	for (to = from; to < end && is_letter(*to); to++)
		if (to > from && is_upper(*to) && !is_upper(to[-1]))
			break;
	*at = to;
	return (struct word){ from, (size_t)(to - from) };
}

/* Each of the words has one of these: told before anything is cut. */
static bool has_a_mark(const char *name, size_t size)
{
	char before = 0;

	for (size_t i = 0; i < size; i++) {
		char c = lower(name[i]);

		if (c == 'k' || c == 'w' || c == 'z' || (before == 'c' && c == 'r') || (before == 'p' && (c == 'a' || c == 'i')) ||
		    (before == 'b' && c == 'e'))
			return true;
		before = c;
	}
	return false;
}

bool prodd_is_secret_name(const char *name, size_t size)
{
	static const char *const anywhere[] = { "password", "passwd",	   "passphrase",     "passcode",   "pwd",
						"secret",   "secrets",	   "credential",     "credentials", "apikey",
						"privatekey", "authorization", "authorisation", NULL };
	static const char *const last[] = { "pass", "token", "cookie", "jwt", "pin", "bearer", "accesskey", NULL };
	static const char *const opens[] = { "api",	"access",     "private",    "secret", "signing",
					     "master",	"encryption", "decryption", "auth",   "ssh",
					     "session", "shared",     "account",    "hmac",   NULL };
	const char *at = name, *end = name + size;
	struct word word, before = { name, 0 };

	if (!has_a_mark(name, size))
		return false;
	word = next_word(&at, end);
	while (word.size > 0) {
		struct word next = next_word(&at, end);

		if (is_one_of(word, anywhere) || (next.size == 0 && is_one_of(word, last)) ||
		    (next.size == 0 && is(word, "key") && before.size > 0 && is_one_of(before, opens)))
			return true;
		before = word;
		word = next;
	}
	return false;
}
