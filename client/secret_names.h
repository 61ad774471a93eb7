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
	/* key, token, cookie; password, passwd, pwd, jwt; authorization. */
	const uint32_t rare = prodd_letter('k') | prodd_letter('w') | prodd_letter('z');
	/* pass, passphrase, passcode; pin; secret, credential; bearer: each has more letters than these. */
	const uint32_t pass = prodd_letter('p') | prodd_letter('a') | prodd_letter('s');
	const uint32_t pin = prodd_letter('p') | prodd_letter('i') | prodd_letter('n');
	const uint32_t secret = prodd_letter('c') | prodd_letter('r') | prodd_letter('e') | prodd_letter('t');
	const uint32_t bearer = prodd_letter('b') | prodd_letter('e') | prodd_letter('a') | prodd_letter('r');

	return letters & rare || (letters & pass) == pass || (letters & pin) == pin ||
	       (letters & secret) == secret || (letters & bearer) == bearer;
}

/* The whole answer. */
bool prodd_is_secret_name(const char *name, size_t size);

#endif
