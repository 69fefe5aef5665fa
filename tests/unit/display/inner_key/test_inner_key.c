/* SPDX-License-Identifier: MIT */
/* inner key: checks whom libcrypto's function answers with the key, and who gets one of their own.
 */
#include "display/inner_key/inner_key.h"

#include <dlfcn.h>
#include <glib.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdbool.h>

static bool is_given(EVP_PKEY *key)
{
	unsigned before = inner_key_given();
	EVP_PKEY *given = EVP_RSA_gen(1024);
	g_assert_nonnull(given);
	g_assert_cmpuint(inner_key_given(), ==, before + 1);
	bool same = EVP_PKEY_eq(key, given) == 1;
	EVP_PKEY_free(given);
	return same;
}

/* What a library finds is what spice-server finds. */
static void test_exported(void)
{
	EVP_PKEY *(*found)(OSSL_LIB_CTX *, const char *, const char *, ...);
	*(void **)&found = dlsym(RTLD_DEFAULT, "EVP_PKEY_Q_keygen");
	g_assert_true(found == EVP_PKEY_Q_keygen);
}

static void test_loop(void)
{
	inner_key_begin();
	EVP_PKEY *first = EVP_RSA_gen(1024);
	g_assert_nonnull(first);
	g_assert_cmpint(EVP_PKEY_get_bits(first), ==, 1024);
	g_assert_cmpuint(inner_key_given(), ==, 1);
	g_assert_true(is_given(first));
	inner_key_end();
	/* Who has it keeps it. */
	g_assert_cmpint(EVP_PKEY_get_bits(first), ==, 1024);
	EVP_PKEY_free(first);
}

static gpointer ask(gpointer user)
{
	return EVP_RSA_gen(1024);
}

/* The keys of clients' passwords are made on such a thread. */
static void test_thread(void)
{
	inner_key_begin();
	EVP_PKEY *other = g_thread_join(g_thread_new("other", ask, NULL));
	g_assert_nonnull(other);
	g_assert_cmpint(EVP_PKEY_get_bits(other), ==, 1024);
	g_assert_cmpuint(inner_key_given(), ==, 0);
	g_assert_false(is_given(other));
	inner_key_end();
	EVP_PKEY_free(other);
}

static void assert_own(EVP_PKEY *key, const char *type, int bits)
{
	g_assert_nonnull(key);
	g_assert_true(EVP_PKEY_is_a(key, type));
	g_assert_cmpint(EVP_PKEY_get_bits(key), ==, bits);
	g_assert_cmpuint(inner_key_given(), ==, 0);
	EVP_PKEY_free(key);
}

static void test_others(void)
{
	inner_key_begin();
	assert_own(EVP_RSA_gen(2048), "RSA", 2048);
	assert_own(EVP_EC_gen("P-256"), "EC", 256);
	assert_own(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "X25519", 253);
	assert_own(EVP_PKEY_Q_keygen(NULL, "provider=default", "RSA", (size_t)1024), "RSA", 1024);
	inner_key_end();
}

/* Before it has begun, and after its end. */
static void test_none(void)
{
	assert_own(EVP_RSA_gen(1024), "RSA", 1024);
	inner_key_begin();
	inner_key_end();
	assert_own(EVP_RSA_gen(1024), "RSA", 1024);
}

static void test_check(void)
{
	inner_key_begin();
	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "*RSA key for each channel*");
	inner_key_check();
	g_test_assert_expected_messages();
	inner_key_check(); /* says it once */
	inner_key_end();

	inner_key_begin();
	EVP_PKEY_free(EVP_RSA_gen(1024));
	inner_key_check();
	inner_key_end();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/inner-key/exported", test_exported);
	g_test_add_func("/inner-key/loop", test_loop);
	g_test_add_func("/inner-key/thread", test_thread);
	g_test_add_func("/inner-key/others", test_others);
	g_test_add_func("/inner-key/none", test_none);
	g_test_add_func("/inner-key/check", test_check);
	return g_test_run();
}
