/* SPDX-License-Identifier: MIT */
/*
 * link_key: checks that a password comes back as it was encrypted, by us or as a client does it,
 * and that nothing else does; and that the key of the minute is one for all and stays good for
 * those who have it. Time is the test's (linked with --wrap=g_get_monotonic_time).
 */
#include "display/relay/link_key.h"

#include <glib.h>
#include <spice/protocol.h>
#include <string.h>

#include "display/relay/link_keys.h"

G_STATIC_ASSERT(LINK_KEY_PUBLIC_BYTES == SPICE_TICKET_PUBKEY_BYTES);
G_STATIC_ASSERT(LINK_KEY_ENCRYPTED_BYTES == sizeof(SpiceLinkEncryptedTicket));
G_STATIC_ASSERT(LINK_KEY_PASSWORD_BYTES_MAX >= SPICE_MAX_PASSWORD_LENGTH);

static gint64 later_us;

gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);

gint64 __wrap_g_get_monotonic_time(void)
{
	return __real_g_get_monotonic_time() + later_us;
}

/* ---- one key ---- */

static void test_round_trip(void)
{
	static const char *const passwords[] = { "", "x", "correct horse",
		"012345678901234567890123456789012345678901234567890123456789" };
	struct link_key *key = link_key_create();
	g_assert_nonnull(key);
	for (unsigned i = 0; i < G_N_ELEMENTS(passwords); i++) {
		uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES];
		char password[LINK_KEY_PASSWORD_BYTES_MAX + 1];
		g_assert_true(link_key_encrypt(link_key_public(key), passwords[i], encrypted));
		g_assert_true(link_key_decrypt(key, encrypted, password));
		g_assert_cmpstr(password, ==, passwords[i]);
	}
	link_key_unref(key);
}

static void test_refuses(void)
{
	struct link_key *key = link_key_create(), *other = link_key_create();
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES];
	char password[LINK_KEY_PASSWORD_BYTES_MAX + 1];
	static const uint8_t no_key[LINK_KEY_PUBLIC_BYTES];
	g_autofree char *too_long = g_strnfill(LINK_KEY_PASSWORD_BYTES_MAX, 'x');
	g_assert_true(link_key_encrypt(link_key_public(other), "secret", encrypted));
	g_assert_false(link_key_decrypt(key, encrypted, password));
	g_assert_cmpstr(password, ==, "");
	memset(encrypted, 0, sizeof(encrypted));
	g_assert_false(link_key_decrypt(key, encrypted, password));
	memset(encrypted, 0xff, sizeof(encrypted));
	g_assert_false(link_key_decrypt(key, encrypted, password));
	g_assert_false(link_key_encrypt(no_key, "secret", encrypted));
	g_assert_false(link_key_encrypt(link_key_public(key), too_long, encrypted));
	link_key_unref(key);
	link_key_unref(other);
}

/* One client leaves a zero out that the encrypted bytes begin with. */
static void test_zero_left_out(void)
{
	struct link_key *key = link_key_create();
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES];
	char password[LINK_KEY_PASSWORD_BYTES_MAX + 1];
	do
		g_assert_true(link_key_encrypt(link_key_public(key), "secret", encrypted));
	while (encrypted[0] != 0);
	memmove(encrypted, encrypted + 1, sizeof(encrypted) - 1);
	encrypted[sizeof(encrypted) - 1] = 0;
	g_assert_true(link_key_decrypt(key, encrypted, password));
	g_assert_cmpstr(password, ==, "secret");
	/* One more that is lost is a byte that was there. */
	memmove(encrypted, encrypted + 1, sizeof(encrypted) - 1);
	g_assert_false(link_key_decrypt(key, encrypted, password));
	g_assert_cmpstr(password, ==, "");
	link_key_unref(key);
}

/* ---- the key of the minute ---- */

static void on_ready(void *user)
{
	(*(unsigned *)user)++;
}

static struct link_key *await(struct link_keys *keys, const struct link_key *other_than)
{
	struct link_key *key;
	while ((key = link_keys_get(keys)) == NULL || key == other_than) {
		link_key_unref(key);
		g_main_context_iteration(NULL, TRUE);
	}
	return key;
}

static void test_minute(void)
{
	unsigned n_ready = 0;
	struct link_keys *keys = link_keys_create(on_ready, &n_ready);
	g_assert_null(link_keys_get(keys));
	struct link_key *first = await(keys, NULL);
	g_assert_cmpuint(n_ready, ==, 1);
	later_us = (LINK_KEYS_AGE_S - 5) * G_USEC_PER_SEC;
	struct link_key *again = link_keys_get(keys);
	g_assert_true(first == again);
	link_key_unref(again);
	/* While the next one is being made the old one is given out. */
	later_us = (LINK_KEYS_AGE_S + 1) * G_USEC_PER_SEC;
	again = link_keys_get(keys);
	g_assert_true(first == again);
	link_key_unref(again);
	struct link_key *second = await(keys, first);
	g_assert_cmpuint(n_ready, ==, 1);
	link_keys_destroy(keys);
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES];
	char password[LINK_KEY_PASSWORD_BYTES_MAX + 1];
	g_assert_true(link_key_encrypt(link_key_public(first), "late", encrypted));
	g_assert_true(link_key_decrypt(first, encrypted, password));
	g_assert_cmpstr(password, ==, "late");
	link_key_unref(first);
	link_key_unref(second);
	later_us = 0;
}

/* A key that is being made is waited for, and nobody is told of it. */
static void test_destroyed_early(void)
{
	unsigned n_ready = 0;
	link_keys_destroy(link_keys_create(on_ready, &n_ready));
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(n_ready, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/link-key/round-trip", test_round_trip);
	g_test_add_func("/link-key/refuses", test_refuses);
	g_test_add_func("/link-key/zero-left-out", test_zero_left_out);
	g_test_add_func("/link-key/minute", test_minute);
	g_test_add_func("/link-key/destroyed-early", test_destroyed_early);
	return g_test_run();
}
