/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/relay/spice_words.h"

#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "display/relay/link_key.h"

void put(GByteArray *bytes, const void *data, size_t size_bytes)
{
	g_byte_array_append(bytes, data, (guint)size_bytes);
}

void put_client_link(GByteArray *bytes, uint8_t channel, uint32_t caps)
{
	SpiceLinkMess mess = { .connection_id =
				       channel == SPICE_CHANNEL_MAIN ? 0 : SPICE_WORDS_SESSION,
		.channel_type = channel,
		.channel_id = SPICE_WORDS_CHANNEL_ID,
		.num_common_caps = 1,
		.caps_offset = sizeof(mess) };
	SpiceLinkHeader header = { SPICE_MAGIC, SPICE_VERSION_MAJOR, SPICE_VERSION_MINOR,
		sizeof(mess) + sizeof(caps) };
	put(bytes, &header, sizeof(header));
	put(bytes, &mess, sizeof(mess));
	put(bytes, &caps, sizeof(caps));
}

/* It is made once, since that takes long. */
static const uint8_t *public_key(void)
{
	static uint8_t bytes[LINK_KEY_PUBLIC_BYTES];
	static gsize made;
	if (g_once_init_enter(&made)) {
		struct link_key *key = link_key_create();
		memcpy(bytes, link_key_public(key), sizeof(bytes));
		link_key_unref(key);
		g_once_init_leave(&made, 1);
	}
	return bytes;
}

void put_server_link(GByteArray *bytes, uint32_t error, uint32_t caps)
{
	SpiceLinkReply reply = {
		.error = error, .num_common_caps = 1, .caps_offset = sizeof(reply)
	};
	SpiceLinkHeader header = { SPICE_MAGIC, SPICE_VERSION_MAJOR, SPICE_VERSION_MINOR,
		sizeof(reply) + sizeof(caps) };
	memcpy(reply.pub_key, public_key(), sizeof(reply.pub_key));
	put(bytes, &header, sizeof(header));
	put(bytes, &reply, sizeof(reply));
	put(bytes, &caps, sizeof(caps));
}

void put_ticket(GByteArray *bytes, bool mechanism)
{
	static const uint8_t ticket[sizeof(SpiceLinkEncryptedTicket)] = { 1, 2, 3 };
	uint32_t spice = SPICE_COMMON_CAP_AUTH_SPICE;
	if (mechanism)
		put(bytes, &spice, sizeof(spice));
	put(bytes, ticket, sizeof(ticket));
}

void put_sasl_text(GByteArray *bytes, const void *text, size_t size_bytes)
{
	uint32_t length = (uint32_t)size_bytes;
	put(bytes, &length, sizeof(length));
	put(bytes, text, size_bytes);
}

void put_sasl_datum(GByteArray *bytes, const void *datum, size_t size_bytes)
{
	uint32_t length = (uint32_t)size_bytes + 1;
	put(bytes, &length, sizeof(length));
	put(bytes, datum, size_bytes);
	put(bytes, "", 1);
}

void put_sasl_scram(GByteArray *bytes)
{
	static const char name[] = "SCRAM-SHA-256", first[] = "n,,n=alice,r=abcdefghijklmnop";
	put_sasl_text(bytes, name, strlen(name));
	put_sasl_datum(bytes, first, strlen(first));
}

void put_message(GByteArray *bytes, bool mini, uint16_t type, const void *body, uint32_t body_bytes)
{
	SpiceMiniDataHeader short_header = { type, body_bytes };
	SpiceDataHeader long_header = { .serial = 9, .type = type, .size = body_bytes };
	if (mini)
		put(bytes, &short_header, sizeof(short_header));
	else
		put(bytes, &long_header, sizeof(long_header));
	put(bytes, body, body_bytes);
}

uint32_t caps_of(bool mini)
{
	return 1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1u << SPICE_COMMON_CAP_AUTH_SPICE |
	       (mini ? 1u << SPICE_COMMON_CAP_MINI_HEADER : 0);
}
