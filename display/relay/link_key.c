/* SPDX-License-Identifier: MIT */
#include "display/relay/link_key.h"

#include <glib.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define KEY_BITS (LINK_KEY_ENCRYPTED_BYTES * 8)

struct link_key {
	gatomicrefcount n_refs;
	EVP_PKEY *pair;
	uint8_t public_key[LINK_KEY_PUBLIC_BYTES];
};

/* Errors stay in a list of the thread's until somebody takes them. */
static void warn(const char *what)
{
	char text[256];
	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	g_warning("libcrypto: %s: %s", what, text);
	ERR_clear_error();
}

static bool write_public(struct link_key *key)
{
	uint8_t *bytes = NULL;
	int size_bytes = i2d_PUBKEY(key->pair, &bytes);
	if (size_bytes == LINK_KEY_PUBLIC_BYTES)
		memcpy(key->public_key, bytes, LINK_KEY_PUBLIC_BYTES);
	OPENSSL_free(bytes);
	return size_bytes == LINK_KEY_PUBLIC_BYTES;
}

struct link_key *link_key_create(void)
{
	struct link_key *key = g_new0(struct link_key, 1);
	g_atomic_ref_count_init(&key->n_refs);
	key->pair = EVP_RSA_gen(KEY_BITS);
	if (key->pair && write_public(key))
		return key;
	warn("no RSA key for clients' passwords");
	link_key_unref(key);
	return NULL;
}

struct link_key *link_key_ref(struct link_key *key)
{
	g_atomic_ref_count_inc(&key->n_refs);
	return key;
}

void link_key_unref(struct link_key *key)
{
	if (!key || !g_atomic_ref_count_dec(&key->n_refs))
		return;
	EVP_PKEY_free(key->pair);
	g_free(key);
}

const uint8_t *link_key_public(const struct link_key *key)
{
	return key->public_key;
}

/* libcrypto hashes with SHA-1 unless it is told otherwise, as SPICE wants it. */
static bool choose_padding(EVP_PKEY_CTX *context)
{
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0;
}

/* Returns how long the password is, or -1. */
static int decrypt(const struct link_key *key, const uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES],
	uint8_t plain[LINK_KEY_ENCRYPTED_BYTES])
{
	size_t size_bytes = LINK_KEY_ENCRYPTED_BYTES;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pair, NULL);
	bool ok = context && EVP_PKEY_decrypt_init(context) > 0 && choose_padding(context) &&
		  EVP_PKEY_decrypt(
			  context, plain, &size_bytes, encrypted, LINK_KEY_ENCRYPTED_BYTES) > 0 &&
		  size_bytes <= LINK_KEY_PASSWORD_BYTES_MAX;
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return ok ? (int)size_bytes : -1;
}

/*
 * What is encrypted begins with a zero byte once in 256 times. spice-html5 0.3.0 leaves that out
 * and sends one more at the end (rsa_encrypt in its ticket.js), which spice-server refuses.
 */
static int decrypt_shifted(const struct link_key *key,
	const uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES], uint8_t plain[LINK_KEY_ENCRYPTED_BYTES])
{
	uint8_t shifted[LINK_KEY_ENCRYPTED_BYTES] = { 0 };
	if (encrypted[LINK_KEY_ENCRYPTED_BYTES - 1] != 0)
		return -1;
	memcpy(shifted + 1, encrypted, LINK_KEY_ENCRYPTED_BYTES - 1);
	return decrypt(key, shifted, plain);
}

bool link_key_decrypt(const struct link_key *key, const uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES],
	char password[LINK_KEY_PASSWORD_BYTES_MAX + 1])
{
	uint8_t plain[LINK_KEY_ENCRYPTED_BYTES];
	int size_bytes = decrypt(key, encrypted, plain);
	if (size_bytes < 0)
		size_bytes = decrypt_shifted(key, encrypted, plain);
	memset(password, 0, LINK_KEY_PASSWORD_BYTES_MAX + 1);
	if (size_bytes >= 0)
		memcpy(password, plain, (size_t)size_bytes);
	explicit_bzero(plain, sizeof(plain));
	return size_bytes >= 0;
}

bool link_key_encrypt(const uint8_t public_key[LINK_KEY_PUBLIC_BYTES], const char *password,
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES])
{
	const uint8_t *bytes = public_key;
	size_t size_bytes = LINK_KEY_ENCRYPTED_BYTES;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &bytes, LINK_KEY_PUBLIC_BYTES);
	EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool ok = context && EVP_PKEY_get_size(key) == LINK_KEY_ENCRYPTED_BYTES &&
		  EVP_PKEY_encrypt_init(context) > 0 && choose_padding(context) &&
		  EVP_PKEY_encrypt(context, encrypted, &size_bytes, (const uint8_t *)password,
			  strlen(password) + 1) > 0;
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok && size_bytes == LINK_KEY_ENCRYPTED_BYTES;
}
