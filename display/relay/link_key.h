/* SPDX-License-Identifier: MIT */
/*
 * link key: is an RSA key pair with which a client sends its password (SpiceLinkReply and
 * SpiceLinkEncryptedTicket in spice/protocol.h): RSA of 1024 bits, OAEP with SHA-1, as SPICE
 * prescribes. It keeps the password from those who only listen; TLS keeps it from the others, too.
 *
 * It is made by OpenSSL's libcrypto, which spice-server links, too: GnuTLS 3.7 and nettle 3.8 of
 * Debian 12 have no OAEP.
 *
 * Threads: any. A key does not change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_KEY_PUBLIC_BYTES 162    /* SPICE_TICKET_PUBKEY_BYTES */
#define LINK_KEY_ENCRYPTED_BYTES 128 /* sizeof(SpiceLinkEncryptedTicket) */
/* No password that is encrypted with such a key is longer: 42 bytes are OAEP's. */
#define LINK_KEY_PASSWORD_BYTES_MAX (LINK_KEY_ENCRYPTED_BYTES - 42)

struct link_key;

/* Takes about 10 ms of CPU time. Returns NULL when libcrypto makes none (logged). */
struct link_key *link_key_create(void);
struct link_key *link_key_ref(struct link_key *key);
void link_key_unref(struct link_key *key);

/* Returns LINK_KEY_PUBLIC_BYTES, which are the key's. */
const uint8_t *link_key_public(const struct link_key *key);

/*
 * Writes what was encrypted, and a NUL behind it. Returns false when the bytes were not encrypted
 * with this key. A zero byte that was left out at their beginning may be at their end. The caller
 * wipes the password.
 */
bool link_key_decrypt(const struct link_key *key, const uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES],
	char password[LINK_KEY_PASSWORD_BYTES_MAX + 1]);

/*
 * Encrypts a password, its NUL with it, by another's public key. Returns false when that is none,
 * or the password is too long.
 */
bool link_key_encrypt(const uint8_t public_key[LINK_KEY_PUBLIC_BYTES], const char *password,
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES]);
