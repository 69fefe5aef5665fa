/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_login.h"

#include <errno.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#define LINK_BYTES_MAX (SPICE_LINK_BYTES_MAX + 4)

G_STATIC_ASSERT(LINK_KEY_PUBLIC_BYTES == SPICE_TICKET_PUBKEY_BYTES);
G_STATIC_ASSERT(LINK_KEY_ENCRYPTED_BYTES == sizeof(SpiceLinkEncryptedTicket));
G_STATIC_ASSERT(
	SPICE_LOGIN_ANSWER_BYTES_MAX == sizeof(SpiceLinkHeader) + sizeof(SpiceLinkReply) +
						2 * sizeof(uint32_t) * SPICE_LOGIN_WORDS_MAX);
G_STATIC_ASSERT(SPICE_LOGIN_TICKET_BYTES_MAX ==
		sizeof(SpiceLinkAuthMechanism) + sizeof(SpiceLinkEncryptedTicket));
G_STATIC_ASSERT((int)SPICE_LOGIN_PERMISSION_DENIED == (int)SPICE_LINK_ERR_PERMISSION_DENIED);
G_STATIC_ASSERT((int)SPICE_LOGIN_CHANNEL_NOT_AVAILABLE == (int)SPICE_LINK_ERR_ENUM_END - 1);

static size_t put(uint8_t *bytes, size_t at, const void *data, size_t size_bytes)
{
	memcpy(bytes + at, data, size_bytes);
	return at + size_bytes;
}

static size_t put_header(uint8_t *bytes, size_t body_bytes)
{
	const SpiceLinkHeader header = {
		.magic = SPICE_MAGIC,
		.major_version = SPICE_VERSION_MAJOR,
		.minor_version = SPICE_VERSION_MINOR,
		.size = (uint32_t)body_bytes,
	};
	return put(bytes, 0, &header, sizeof(header));
}

/* The others need devices that we give no guest. */
bool spice_login_knows(uint8_t type)
{
	G_STATIC_ASSERT(SPICE_LOGIN_TYPES == (int)SPICE_CHANNEL_WEBDAV + 1);
	return (type >= SPICE_CHANNEL_MAIN && type <= SPICE_CHANNEL_RECORD) ||
	       spice_login_is_device(type);
}

bool spice_login_is_device(uint8_t type)
{
	return type >= SPICE_CHANNEL_USBREDIR && type <= SPICE_CHANNEL_WEBDAV;
}

void spice_login_withhold(struct spice_login_capabilities *capabilities, uint8_t type)
{
	if (spice_login_is_device(type) && capabilities->n_channel > 0)
		capabilities->channel[0] &= ~(1u << SPICE_SPICEVMC_CAP_DATA_COMPRESS_LZ4);
}

/* ---- the answer ---- */

static const struct spice_login_capabilities none;

static size_t make_answer(SpiceLinkReply *reply,
	const struct spice_login_capabilities *capabilities,
	uint8_t bytes[SPICE_LOGIN_ANSWER_BYTES_MAX])
{
	size_t common_bytes = capabilities->n_common * sizeof(uint32_t);
	size_t channel_bytes = capabilities->n_channel * sizeof(uint32_t);
	reply->num_common_caps = capabilities->n_common;
	reply->num_channel_caps = capabilities->n_channel;
	reply->caps_offset = sizeof(*reply);
	size_t n = put_header(bytes, sizeof(*reply) + common_bytes + channel_bytes);
	n = put(bytes, n, reply, sizeof(*reply));
	n = put(bytes, n, capabilities->common, common_bytes);
	return put(bytes, n, capabilities->channel, channel_bytes);
}

size_t spice_login_make_answer(const uint8_t public_key[LINK_KEY_PUBLIC_BYTES],
	const struct spice_login_capabilities *capabilities,
	uint8_t bytes[SPICE_LOGIN_ANSWER_BYTES_MAX])
{
	SpiceLinkReply reply = { .error = SPICE_LINK_ERR_OK };
	memcpy(reply.pub_key, public_key, sizeof(reply.pub_key));
	return make_answer(&reply, capabilities, bytes);
}

size_t spice_login_make_error(
	enum spice_login_error error, uint8_t bytes[SPICE_LOGIN_ANSWER_BYTES_MAX])
{
	SpiceLinkReply reply = { .error = (uint32_t)error };
	return make_answer(&reply, &none, bytes);
}

/* `body` is the reply with all behind it; what it says of itself is checked against its size. */
static bool read_capabilities(const uint8_t *body, size_t size_bytes, const SpiceLinkReply *reply,
	struct spice_login_capabilities *capabilities)
{
	if (reply->num_common_caps > SPICE_LOGIN_WORDS_MAX ||
		reply->num_channel_caps > SPICE_LOGIN_WORDS_MAX || reply->caps_offset > size_bytes)
		return false;
	size_t common_bytes = reply->num_common_caps * sizeof(uint32_t);
	size_t channel_bytes = reply->num_channel_caps * sizeof(uint32_t);
	if (common_bytes + channel_bytes > size_bytes - reply->caps_offset)
		return false;
	capabilities->n_common = reply->num_common_caps;
	capabilities->n_channel = reply->num_channel_caps;
	memcpy(capabilities->common, body + reply->caps_offset, common_bytes);
	memcpy(capabilities->channel, body + reply->caps_offset + common_bytes, channel_bytes);
	return true;
}

static bool has_sound_header(const SpiceLinkHeader *header)
{
	return header->magic == SPICE_MAGIC && header->size >= sizeof(SpiceLinkReply) &&
	       header->size <= SPICE_LOGIN_ANSWER_BYTES_MAX - sizeof(*header);
}

size_t spice_login_answer_bytes(const uint8_t *bytes, size_t size_bytes)
{
	SpiceLinkHeader header;
	if (size_bytes < sizeof(header))
		return sizeof(header);
	memcpy(&header, bytes, sizeof(header));
	return has_sound_header(&header) ? sizeof(header) + header.size : sizeof(header);
}

ssize_t spice_login_read_answer(
	const uint8_t *bytes, size_t size_bytes, struct spice_login_answer *answer)
{
	SpiceLinkHeader header;
	SpiceLinkReply reply;
	*answer = (struct spice_login_answer){ 0 };
	if (size_bytes < sizeof(header))
		return 0;
	memcpy(&header, bytes, sizeof(header));
	if (!has_sound_header(&header))
		return -EPROTO;
	if (size_bytes - sizeof(header) < header.size)
		return 0;
	memcpy(&reply, bytes + sizeof(header), sizeof(reply));
	answer->error = reply.error;
	memcpy(answer->public_key, reply.pub_key, sizeof(reply.pub_key));
	if (!read_capabilities(bytes + sizeof(header), header.size, &reply, &answer->capabilities))
		return -EPROTO;
	return (ssize_t)(sizeof(header) + header.size);
}

/* ---- the ticket ---- */

bool spice_login_offer_sasl(struct spice_login_capabilities *capabilities)
{
	if (capabilities->n_common == 0 ||
		!(capabilities->common[0] & 1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION))
		return false;
	capabilities->common[0] |= 1u << SPICE_COMMON_CAP_AUTH_SASL;
	return true;
}

size_t spice_login_chooses_sasl(
	const struct spice_link *link, const uint8_t *bytes, size_t size_bytes)
{
	SpiceLinkAuthMechanism mechanism;
	if (!link->auth_selection || size_bytes < sizeof(mechanism))
		return 0;
	memcpy(&mechanism, bytes, sizeof(mechanism));
	return mechanism.auth_mechanism == SPICE_COMMON_CAP_AUTH_SASL ? sizeof(mechanism) : 0;
}

ssize_t spice_login_read_ticket(const struct spice_link *link, const uint8_t *bytes,
	size_t size_bytes, const uint8_t **encrypted)
{
	SpiceLinkAuthMechanism mechanism;
	size_t before_bytes = link->auth_selection ? sizeof(mechanism) : 0;
	if (size_bytes < before_bytes)
		return 0;
	memcpy(&mechanism, bytes, before_bytes);
	if (link->auth_selection && mechanism.auth_mechanism != SPICE_COMMON_CAP_AUTH_SPICE)
		return -EPROTO;
	if (size_bytes - before_bytes < LINK_KEY_ENCRYPTED_BYTES)
		return 0;
	*encrypted = bytes + before_bytes;
	return (ssize_t)(before_bytes + LINK_KEY_ENCRYPTED_BYTES);
}

void spice_login_make_ticket(const uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES],
	uint8_t bytes[SPICE_LOGIN_TICKET_BYTES_MAX])
{
	const SpiceLinkAuthMechanism mechanism = { SPICE_COMMON_CAP_AUTH_SPICE };
	size_t n = put(bytes, 0, &mechanism, sizeof(mechanism));
	put(bytes, n, encrypted, LINK_KEY_ENCRYPTED_BYTES);
}

/* ---- the link message ---- */

static uint32_t common_capabilities(bool mini_header)
{
	return 1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1u << SPICE_COMMON_CAP_AUTH_SPICE |
	       (mini_header ? 1u << SPICE_COMMON_CAP_MINI_HEADER : 0);
}

size_t spice_login_make_link(
	const uint8_t *message, const struct spice_link *link, uint8_t bytes[LINK_BYTES_MAX])
{
	const uint32_t common = common_capabilities(link->mini_header);
	size_t channel_bytes = link->n_words * sizeof(uint32_t);
	const SpiceLinkMess mess = {
		.connection_id = link->session,
		.channel_type = link->type,
		.channel_id = link->id,
		.num_common_caps = 1,
		.num_channel_caps = link->n_words,
		.caps_offset = sizeof(mess),
	};
	size_t n = put_header(bytes, sizeof(mess) + sizeof(common) + channel_bytes);
	n = put(bytes, n, &mess, sizeof(mess));
	n = put(bytes, n, &common, sizeof(common));
	return put(bytes, n, message + link->words_at, channel_bytes);
}

size_t spice_login_make_question(uint8_t type, uint8_t bytes[LINK_BYTES_MAX])
{
	const struct spice_link link = { .type = type, .mini_header = true };
	return spice_login_make_link(bytes, &link, bytes);
}

bool spice_login_has_mini_header(
	const struct spice_link *link, const struct spice_login_capabilities *capabilities)
{
	return link->mini_header && capabilities->n_common > 0 &&
	       (capabilities->common[0] & 1u << SPICE_COMMON_CAP_MINI_HEADER);
}
