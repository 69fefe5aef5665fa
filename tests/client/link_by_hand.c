/* SPDX-License-Identifier: MIT */
#include "tests/client/link_by_hand.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

void link_by_hand_message(uint8_t bytes[LINK_BY_HAND_BYTES], uint8_t channel, uint32_t session)
{
	const struct {
		SpiceLinkHeader header;
		SpiceLinkMess mess;
		uint32_t common, own;
	} __attribute__((packed)) link = {
		{ SPICE_MAGIC, SPICE_VERSION_MAJOR, SPICE_VERSION_MINOR,
			sizeof(SpiceLinkMess) + 8 },
		{ session, channel, 0, 1, 1, sizeof(SpiceLinkMess) },
		1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1u << SPICE_COMMON_CAP_AUTH_SPICE |
			1u << SPICE_COMMON_CAP_MINI_HEADER,
		channel == SPICE_CHANNEL_DISPLAY ? 1u << SPICE_DISPLAY_CAP_STREAM_REPORT |
							   1u << SPICE_DISPLAY_CAP_MULTI_CODEC |
							   1u << SPICE_DISPLAY_CAP_CODEC_MJPEG :
						   0,
	};
	G_STATIC_ASSERT(sizeof(link) == LINK_BY_HAND_BYTES);
	memcpy(bytes, &link, sizeof(link));
}

void link_by_hand_ticket(
	uint8_t bytes[LINK_BY_HAND_TICKET_BYTES], const uint8_t *public_key, const char *password)
{
	const uint32_t mechanism = SPICE_COMMON_CAP_AUTH_SPICE;
	size_t size_bytes = LINK_BY_HAND_TICKET_BYTES - sizeof(mechanism);
	EVP_PKEY *key = d2i_PUBKEY(NULL, &public_key, SPICE_TICKET_PUBKEY_BYTES);
	g_assert_nonnull(key);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	memcpy(bytes, &mechanism, sizeof(mechanism));
	g_assert_cmpint(EVP_PKEY_encrypt_init(context), ==, 1);
	g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), ==, 1);
	g_assert_cmpint(EVP_PKEY_encrypt(context, bytes + sizeof(mechanism), &size_bytes,
				(const uint8_t *)password, strlen(password) + 1),
		==, 1);
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(key);
}
