/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_talk.h"

#include <errno.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

G_STATIC_ASSERT(SPICE_TALK_HEADER_MAX == sizeof(SpiceDataHeader));
G_STATIC_ASSERT(SPICE_TALK_HELD_MAX >= SPICE_TALK_HEADER_MAX + SPICE_TALK_SHOWN_MAX);

enum step {
	LINK,      /* the client's first message, the server's answer */
	MECHANISM, /* client: how it logs in */
	TICKET,    /* client */
	RESULT,    /* server: whether the ticket was good */
	MESSAGES,
	PASS, /* all that still comes */
};

void spice_talk_init(struct spice_talk *talk, const struct spice_talk_watch *watches,
		unsigned n_watches, void *user)
{
	*talk = (struct spice_talk){ .watches = watches, .n_watches = n_watches, .user = user };
}

/*
 * Steps: what one item is made of. Each returns how many bytes it took, 0 when it wants more, and may
 * leave bytes to skip.
 */
typedef ssize_t (*step_func)(struct spice_talk *talk, struct spice_talk_direction *direction,
		uint8_t *bytes, size_t size_bytes);

static ssize_t read_client_link(struct spice_talk *talk, struct spice_talk_direction *direction,
		uint8_t *bytes, size_t size_bytes)
{
	switch (spice_link_parse(bytes, size_bytes, &talk->link)) {
	case SPICE_LINK_MORE:
		return 0;
	case SPICE_LINK_OTHER:
		return -EPROTO;
	case SPICE_LINK_KNOWN:
		break;
	}
	talk->linked = true;
	direction->step = talk->link.auth_selection ? MECHANISM : TICKET;
	return (ssize_t)talk->link.size_bytes;
}

static ssize_t read_mechanism(struct spice_talk *talk, struct spice_talk_direction *direction,
		uint8_t *bytes, size_t size_bytes)
{
	SpiceLinkAuthMechanism mechanism;
	if (size_bytes < sizeof(mechanism))
		return 0;
	memcpy(&mechanism, bytes, sizeof(mechanism));
	if (mechanism.auth_mechanism != SPICE_COMMON_CAP_AUTH_SPICE)
		return -EPROTO;
	direction->step = TICKET;
	return sizeof(mechanism);
}

/* It is encrypted with a key of the answer: nobody can have it before. */
static ssize_t read_ticket(struct spice_talk *talk, struct spice_talk_direction *direction,
		uint8_t *bytes, size_t size_bytes)
{
	if (!talk->replied)
		return -EPROTO;
	direction->step = MESSAGES;
	direction->skip_bytes = sizeof(SpiceLinkEncryptedTicket);
	return 0;
}

static bool offers_mini_header(const uint8_t *message, size_t size_bytes, const SpiceLinkReply *reply)
{
	uint32_t word;
	if (reply->num_common_caps == 0 || size_bytes < sizeof(word) ||
			reply->caps_offset > size_bytes - sizeof(word))
		return false;
	memcpy(&word, message + reply->caps_offset, sizeof(word));
	return word & 1u << SPICE_COMMON_CAP_MINI_HEADER;
}

static ssize_t read_server_link(struct spice_talk *talk, struct spice_talk_direction *direction,
		uint8_t *bytes, size_t size_bytes)
{
	SpiceLinkHeader header;
	SpiceLinkReply reply;
	if (size_bytes < sizeof(header))
		return 0;
	memcpy(&header, bytes, sizeof(header));
	if (!talk->linked || header.magic != SPICE_MAGIC || header.size < sizeof(reply) ||
			header.size > SPICE_LINK_BYTES_MAX - sizeof(header))
		return -EPROTO;
	if (size_bytes - sizeof(header) < header.size)
		return 0;
	memcpy(&reply, bytes + sizeof(header), sizeof(reply));
	talk->replied = true;
	talk->mini_header = talk->link.mini_header &&
			offers_mini_header(bytes + sizeof(header), header.size, &reply);
	direction->step = reply.error == SPICE_LINK_ERR_OK ? RESULT : PASS;
	return (ssize_t)(sizeof(header) + header.size);
}

static ssize_t read_result(struct spice_talk *talk, struct spice_talk_direction *direction,
		uint8_t *bytes, size_t size_bytes)
{
	uint32_t result;
	if (size_bytes < sizeof(result))
		return 0;
	memcpy(&result, bytes, sizeof(result));
	direction->step = result == SPICE_LINK_ERR_OK ? MESSAGES : PASS;
	return sizeof(result);
}

struct header {
	size_t size_bytes;
	uint16_t type;
	uint32_t body_bytes;
};

static bool read_header(const struct spice_talk *talk, const uint8_t *bytes, size_t size_bytes,
		struct header *header)
{
	SpiceMiniDataHeader mini;
	SpiceDataHeader full;
	if (size_bytes < (talk->mini_header ? sizeof(mini) : sizeof(full)))
		return false;
	if (talk->mini_header) {
		memcpy(&mini, bytes, sizeof(mini));
		*header = (struct header){ sizeof(mini), mini.type, mini.size };
	} else {
		memcpy(&full, bytes, sizeof(full));
		*header = (struct header){ sizeof(full), full.type, full.size };
	}
	return true;
}

static const struct spice_talk_watch *find_watch(
		const struct spice_talk *talk, enum spice_talk_side side, const struct header *header)
{
	for (unsigned i = 0; i < talk->n_watches; i++) {
		const struct spice_talk_watch *watch = &talk->watches[i];
		if (watch->channel == talk->link.channel && watch->side == side &&
				watch->type == header->type &&
				header->body_bytes >= watch->size_bytes)
			return watch;
	}
	return NULL;
}

static ssize_t read_message(struct spice_talk *talk, struct spice_talk_direction *direction,
		uint8_t *bytes, size_t size_bytes)
{
	enum spice_talk_side side = (enum spice_talk_side)(direction - talk->directions);
	struct header header;
	if (!read_header(talk, bytes, size_bytes, &header))
		return 0;
	const struct spice_talk_watch *watch = find_watch(talk, side, &header);
	if (watch && size_bytes - header.size_bytes < watch->size_bytes)
		return 0;
	direction->skip_bytes = header.body_bytes;
	if (watch)
		watch->shown(talk->user, bytes + header.size_bytes, watch->size_bytes);
	return (ssize_t)header.size_bytes;
}

static ssize_t pass(struct spice_talk *talk, struct spice_talk_direction *direction, uint8_t *bytes,
		size_t size_bytes)
{
	return (ssize_t)size_bytes;
}

static const step_func steps[SPICE_TALK_SIDES][PASS + 1] = {
	[SPICE_TALK_CLIENT] = {
		[LINK] = read_client_link,
		[MECHANISM] = read_mechanism,
		[TICKET] = read_ticket,
		[MESSAGES] = read_message,
		[PASS] = pass,
	},
	[SPICE_TALK_SERVER] = {
		[LINK] = read_server_link,
		[RESULT] = read_result,
		[MESSAGES] = read_message,
		[PASS] = pass,
	},
};

ssize_t spice_talk_read(
		struct spice_talk *talk, enum spice_talk_side side, uint8_t *bytes, size_t size_bytes)
{
	struct spice_talk_direction *direction = &talk->directions[side];
	size_t done = 0;
	while (done < size_bytes) {
		size_t skip = MIN(direction->skip_bytes, size_bytes - done);
		direction->skip_bytes -= skip;
		done += skip;
		if (done == size_bytes)
			break;
		ssize_t n = steps[side][direction->step](
				talk, direction, bytes + done, size_bytes - done);
		if (n < 0)
			return n;
		if (n == 0 && direction->skip_bytes == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

bool spice_talk_is_between(const struct spice_talk *talk, enum spice_talk_side side)
{
	const struct spice_talk_direction *direction = &talk->directions[side];
	return direction->step == MESSAGES && direction->skip_bytes == 0;
}

size_t spice_talk_make(const struct spice_talk *talk, uint16_t type, const void *body, size_t body_bytes,
		uint8_t *bytes, size_t size_bytes)
{
	SpiceMiniDataHeader header = { .type = type, .size = (uint32_t)body_bytes };
	if (!talk->mini_header || size_bytes < sizeof(header) + body_bytes)
		return 0;
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), body, body_bytes);
	return sizeof(header) + body_bytes;
}
