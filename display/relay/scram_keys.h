/* SPDX-License-Identifier: MIT */
/*
 * scram keys: computes what a server must keep of a secret to check a client's proof (RFC 5802, 3),
 * in the form in which Cyrus' library takes it. It would compute the same itself, in ten times as
 * long: 4 to 10 ms, which is more than the relay's thread may be away.
 *
 * Threads: any, after scram_keys_init().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What RFC 7677 asks for at least; clients take no less. It takes us a millisecond, and them 5. */
#define SCRAM_KEYS_ROUNDS 4096

enum scram_keys_hash {
	SCRAM_KEYS_SHA1,
	SCRAM_KEYS_SHA256,
};

/* Returns the mechanism's name. */
const char *scram_keys_mechanism(enum scram_keys_hash hash);

/* Chooses salts. Returns false when the kernel gives no randomness. */
bool scram_keys_init(void);

#define SCRAM_KEYS_TEXT_MAX 256

/*
 * Writes them. The salt of a name stays the same as long as this process lives, whether there is
 * such a user or not. Without a secret (NULL) they are those of one that nobody knows, and take as
 * long. Returns false when libcrypto cannot compute them. The caller wipes the text.
 */
bool scram_keys_make(enum scram_keys_hash hash, const char *name, const char *secret,
	char text[SCRAM_KEYS_TEXT_MAX]);
