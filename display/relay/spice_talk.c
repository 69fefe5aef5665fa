/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_talk.h"

#include <errno.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

G_STATIC_ASSERT(SPICE_TALK_HEADER_MAX == sizeof(SpiceDataHeader));
G_STATIC_ASSERT(SPICE_TALK_HELD_MAX >= SPICE_TALK_HEADER_MAX + SPICE_TALK_SHOWN_MAX);

enum talk_step {
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
 * Each step reads one item. It returns how many bytes it took, 0 when it wants more, or -EPROTO,
 * and may leave bytes to skip.
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

/* The ticket is encrypted with a key of the answer: nobody can have it before. */
static ssize_t read_ticket(struct spice_talk *talk, struct spice_talk_direction *direction,
	uint8_t *bytes, size_t size_bytes)
{
	if (!talk->replied)
		return -EPROTO;
	direction->step = MESSAGES;
	direction->skip_bytes = sizeof(SpiceLinkEncryptedTicket);
	return 0;
}

static bool offers_mini_header(
	const uint8_t *message, size_t size_bytes, const SpiceLinkReply *reply)
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
	if (talk->link.display && direction->step == MESSAGES)
		talk->opening = SPICE_TALK_EXPECTS_INIT;
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
			watch->type == header->type && header->body_bytes >= watch->size_bytes)
			return watch;
	}
	return NULL;
}

/* ---- a display channel's beginning ---- */

/*
 * INIT has this many bytes (spice.proto): the pixmap cache's id and size, the glz dictionary's id
 * and size.
 */
#define INIT_BYTES 14

/* spice-server finds no fault with these, if they have so many bytes (spice.proto). */
static const struct {
	uint16_t type;
	uint32_t min_bytes;
	bool precedes_init;
} harmless[] = {
	{ SPICE_MSGC_ACK_SYNC, 4, true },
	{ SPICE_MSGC_ACK, 0, true },
	{ SPICE_MSGC_PONG, 12, true },
	{ SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, 1, false },
	{ SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE, 1, false },
};

static bool is_harmless(const struct spice_talk *talk, const struct header *header)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(harmless); i++)
		if (header->type == harmless[i].type)
			return header->body_bytes >= harmless[i].min_bytes &&
			       header->body_bytes <= SPICE_TALK_SHOWN_MAX &&
			       (harmless[i].precedes_init || talk->opening == SPICE_TALK_HAD_INIT);
	return false;
}

/* Says that a list is shorter than it claims: the body begins with the number of what follows. */
static bool is_short_list(const struct header *header, const uint8_t *body)
{
	return header->type == SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE &&
	       body[0] >= header->body_bytes;
}

/* Returns 1 when the message may pass, 0 when it may not yet, else -EPROTO. */
static ssize_t check_opening(struct spice_talk *talk, const struct header *header,
	const uint8_t *body, size_t body_bytes)
{
	bool expects = talk->opening == SPICE_TALK_EXPECTS_INIT;
	bool init = expects && header->type == SPICE_MSGC_DISPLAY_INIT &&
		    header->body_bytes == INIT_BYTES;
	if (talk->opening == SPICE_TALK_OPEN)
		return 1;
	talk->waits = talk->opening == SPICE_TALK_HAD_INIT && !is_harmless(talk, header);
	if (talk->waits)
		return 0;
	if (!init && !is_harmless(talk, header))
		return -EPROTO;
	if (body_bytes < header->body_bytes)
		return 0;
	talk->waits = is_short_list(header, body);
	if (talk->waits)
		return 0;
	if (init)
		talk->opening = SPICE_TALK_HAD_INIT;
	return 1;
}

/* Takes INIT for read at any message but those that may come before that. */
static void note_server(struct spice_talk *talk, const struct header *header)
{
	if (talk->opening == SPICE_TALK_HAD_INIT && header->type != SPICE_MSG_SET_ACK &&
		header->type != SPICE_MSG_PING)
		talk->opening = SPICE_TALK_OPEN;
}

bool spice_talk_has_ticket(const struct spice_talk *talk)
{
	const struct spice_talk_direction *client = &talk->directions[SPICE_TALK_CLIENT];
	return client->step == MESSAGES && client->skip_bytes == 0;
}

bool spice_talk_is_refused(const struct spice_talk *talk)
{
	return talk->directions[SPICE_TALK_SERVER].step == PASS;
}

bool spice_talk_is_logged_in(const struct spice_talk *talk)
{
	return talk->directions[SPICE_TALK_SERVER].step == MESSAGES;
}

bool spice_talk_is_paused(const struct spice_talk *talk)
{
	return talk->opening == SPICE_TALK_HAD_INIT && talk->waits;
}

static size_t put_header(
	const struct spice_talk *talk, uint16_t type, size_t body_bytes, uint8_t *bytes)
{
	SpiceMiniDataHeader mini = { .type = type, .size = (uint32_t)body_bytes };
	SpiceDataHeader full = { .serial = 1, .type = type, .size = (uint32_t)body_bytes };
	if (talk->mini_header)
		memcpy(bytes, &mini, sizeof(mini));
	else
		memcpy(bytes, &full, sizeof(full));
	return talk->mini_header ? sizeof(mini) : sizeof(full);
}

size_t spice_talk_make_init(const struct spice_talk *talk, uint8_t bytes[SPICE_TALK_INIT_BYTES_MAX])
{
	G_STATIC_ASSERT(SPICE_TALK_INIT_BYTES_MAX >= SPICE_TALK_HEADER_MAX + INIT_BYTES);
	if (talk->opening != SPICE_TALK_EXPECTS_INIT)
		return 0;
	size_t n = put_header(talk, SPICE_MSGC_DISPLAY_INIT, INIT_BYTES, bytes);
	memset(bytes + n, 0, INIT_BYTES);
	return n + INIT_BYTES;
}

void spice_talk_had_init(struct spice_talk *talk)
{
	g_assert(talk->opening != SPICE_TALK_CLOSED);
	if (talk->opening == SPICE_TALK_EXPECTS_INIT)
		talk->opening = SPICE_TALK_HAD_INIT;
}

/* ---- messages ---- */

static ssize_t read_message(struct spice_talk *talk, struct spice_talk_direction *direction,
	uint8_t *bytes, size_t size_bytes)
{
	enum spice_talk_side side = (enum spice_talk_side)(direction - talk->directions);
	struct header header;
	if (!read_header(talk, bytes, size_bytes, &header))
		return 0;
	if (talk->link.display && side == SPICE_TALK_CLIENT) {
		ssize_t result = check_opening(
			talk, &header, bytes + header.size_bytes, size_bytes - header.size_bytes);
		if (result <= 0)
			return result;
	} else if (talk->link.display) {
		note_server(talk, &header);
	}
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
		if (done == size_bytes || (side == SPICE_TALK_CLIENT && spice_talk_is_paused(talk)))
			break;
		if (side == SPICE_TALK_SERVER && talk->stops && done > 0)
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
	if (side == SPICE_TALK_CLIENT && talk->link.display && talk->opening != SPICE_TALK_OPEN)
		return false;
	return direction->step == MESSAGES && direction->skip_bytes == 0;
}

size_t spice_talk_make(const struct spice_talk *talk, uint16_t type, const void *body,
	size_t body_bytes, uint8_t *bytes, size_t size_bytes)
{
	if (!talk->mini_header || size_bytes < SPICE_TALK_HEADER_MAX + body_bytes)
		return 0;
	size_t n = put_header(talk, type, body_bytes, bytes);
	memcpy(bytes + n, body, body_bytes);
	return n + body_bytes;
}
