/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that secrets go by ("password", "db_token", "apiKey").  What a field of
 * such a name holds never leaves the process.  A guess by words: a help against
 * slips, no promise about secrets of other names.
 */
#ifndef PRODD_CLIENT_SECRET_NAMES_H
#define PRODD_CLIENT_SECRET_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of the letters of a text, upper or lower case; other bytes may look like letters, never the reverse. */
static inline uint32_t prodd_letter(char c)
{
	return UINT32_C(1) << ((unsigned char)c & 31);
}

/* Whether a name of these letters can be one of a secret's: most others are told at once. */
static inline bool prodd_letters_may_be_secret(uint32_t letters)
{
	const uint32_t secret = prodd_letter('s') | prodd_letter('e') | prodd_letter('c') | prodd_letter('r') |
				prodd_letter('t');
	const uint32_t pass = prodd_letter('p') | prodd_letter('a') | prodd_letter('s');
	const uint32_t pin = prodd_letter('p') | prodd_letter('i') | prodd_letter('n');

	/* key, token, cookie; password, passwd, pwd, jwt; authorization; secret; pass, passphrase; pin; credentials
	 * (which has "cre", "d", "n", "t", "i", "a", "l", so is looked for by "d" and "l") */
	return letters & (prodd_letter('k') | prodd_letter('w') | prodd_letter('z')) ||
	       (letters & secret) == secret || (letters & pass) == pass || (letters & pin) == pin ||
	       (letters & (prodd_letter('c') | prodd_letter('d') | prodd_letter('l'))) ==
		       (prodd_letter('c') | prodd_letter('d') | prodd_letter('l'));
}

/* The whole answer. */
bool prodd_is_secret_name(const char *name, size_t size);

#endif
