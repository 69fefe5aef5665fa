/* SPDX-License-Identifier: MIT */
#include "display/relay/scram_keys.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

#define HASH_BYTES_MAX SHA256_DIGEST_LENGTH

/* Both are ours alone: salts are told to clients, unknown secrets to nobody. */
static uint8_t salt_key[32], secret_key[32];

static const struct {
	const char *mechanism;
	const EVP_MD *(*digest)(void);
	size_t bytes;
} hashes[] = {
	[SCRAM_KEYS_SHA1] = { "SCRAM-SHA-1", EVP_sha1, SHA_DIGEST_LENGTH },
	[SCRAM_KEYS_SHA256] = { "SCRAM-SHA-256", EVP_sha256, SHA256_DIGEST_LENGTH },
};

const char *scram_keys_mechanism(enum scram_keys_hash hash)
{
	return hashes[hash].mechanism;
}

bool scram_keys_init(void)
{
	return getrandom(salt_key, sizeof(salt_key), 0) == (ssize_t)sizeof(salt_key) &&
	       getrandom(secret_key, sizeof(secret_key), 0) == (ssize_t)sizeof(secret_key);
}

static bool sign(const EVP_MD *digest, const uint8_t *key, size_t key_bytes, const char *text,
	uint8_t signature[HASH_BYTES_MAX])
{
	return HMAC(digest, key, (int)key_bytes, (const uint8_t *)text, strlen(text), signature,
		       NULL) != NULL;
}

struct keys {
	uint8_t salt[HASH_BYTES_MAX], salted[HASH_BYTES_MAX], client[HASH_BYTES_MAX],
		stored[HASH_BYTES_MAX], server[HASH_BYTES_MAX];
};

static bool compute(
	enum scram_keys_hash hash, const void *secret, size_t secret_bytes, struct keys *keys)
{
	size_t n = hashes[hash].bytes;
	const EVP_MD *digest = hashes[hash].digest();
	return PKCS5_PBKDF2_HMAC(secret, (int)secret_bytes, keys->salt, (int)n, SCRAM_KEYS_ROUNDS,
		       digest, (int)n, keys->salted) == 1 &&
	       sign(digest, keys->salted, n, "Client Key", keys->client) &&
	       sign(digest, keys->salted, n, "Server Key", keys->server) &&
	       EVP_Digest(keys->client, n, keys->stored, NULL, digest, NULL) == 1;
}

static void print(enum scram_keys_hash hash, const struct keys *keys, char *text)
{
	size_t n = hashes[hash].bytes;
	g_autofree char *salt = g_base64_encode(keys->salt, n);
	char *stored = g_base64_encode(keys->stored, n);
	char *server = g_base64_encode(keys->server, n);
	g_snprintf(text, SCRAM_KEYS_TEXT_MAX, "%s$%d:%s$%s:%s", hashes[hash].mechanism,
		SCRAM_KEYS_ROUNDS, salt, stored, server);
	explicit_bzero(stored, strlen(stored));
	explicit_bzero(server, strlen(server));
	g_free(stored);
	g_free(server);
}

bool scram_keys_make(enum scram_keys_hash hash, const char *name, const char *secret,
	char text[SCRAM_KEYS_TEXT_MAX])
{
	struct keys keys;
	uint8_t unknown[HASH_BYTES_MAX];
	size_t n = hashes[hash].bytes;
	const EVP_MD *digest = hashes[hash].digest();
	bool made = sign(digest, salt_key, sizeof(salt_key), name, keys.salt) &&
		    sign(digest, secret_key, sizeof(secret_key), name, unknown) &&
		    compute(hash, secret ? (const void *)secret : unknown,
			    secret ? strlen(secret) : n, &keys);
	if (made)
		print(hash, &keys, text);
	explicit_bzero(&keys, sizeof(keys));
	explicit_bzero(unknown, sizeof(unknown));
	return made;
}
