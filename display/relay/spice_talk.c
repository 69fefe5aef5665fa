/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_talk.h"

#include <errno.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

G_STATIC_ASSERT(SPICE_TALK_HEADER_MAX == sizeof(SpiceDataHeader));
G_STATIC_ASSERT(SPICE_TALK_HELD_MAX >= SPICE_TALK_HEADER_MAX + SPICE_TALK_SHOWN_MAX);
G_STATIC_ASSERT(SPICE_TALK_HELD_MAX >= SPICE_LINK_BYTES_MAX);

void spice_talk_init(struct spice_talk *talk, const struct spice_talk_watch *watches,
	unsigned n_watches, void *user)
{
	*talk = (struct spice_talk){ .watches = watches, .n_watches = n_watches, .user = user };
}

void spice_talk_begin(struct spice_talk *talk, const struct spice_link *link, bool mini_header)
{
	talk->link = *link;
	talk->mini_header = mini_header;
	talk->opening = link->display ? SPICE_TALK_EXPECTS_INIT : SPICE_TALK_CLOSED;
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

/* spice-server finds no fault with these behind INIT, if they have so many bytes (spice.proto). */
static const struct {
	uint16_t type;
	uint32_t min_bytes;
} harmless[] = {
	{ SPICE_MSGC_ACK_SYNC, 4 },
	{ SPICE_MSGC_ACK, 0 },
	{ SPICE_MSGC_PONG, 12 },
	{ SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, 1 },
	{ SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE, 1 },
};

static bool is_harmless(const struct header *header)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(harmless); i++)
		if (header->type == harmless[i].type)
			return header->body_bytes >= harmless[i].min_bytes &&
			       header->body_bytes <= SPICE_TALK_SHOWN_MAX;
	return false;
}

/* Says that a list is shorter than it claims: the body begins with the number of what follows. */
static bool is_short_list(const struct header *header, const uint8_t *body)
{
	return header->type == SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE &&
	       body[0] >= header->body_bytes;
}

/* INIT comes first, since spice-server is told nothing before it, and says nothing. */
static bool is_init(const struct header *header)
{
	return header->type == SPICE_MSGC_DISPLAY_INIT && header->body_bytes == INIT_BYTES;
}

/* Returns 1 when the message may pass, 0 when it may not yet, else -EPROTO. */
static ssize_t check_opening(struct spice_talk *talk, const struct header *header,
	const uint8_t *body, size_t body_bytes)
{
	bool first = talk->opening == SPICE_TALK_EXPECTS_INIT;
	if (talk->opening == SPICE_TALK_OPEN)
		return 1;
	if (first && !is_init(header))
		return -EPROTO;
	talk->waits = !first && !is_harmless(header);
	if (talk->waits || body_bytes < header->body_bytes)
		return 0;
	talk->waits = is_short_list(header, body);
	if (talk->waits)
		return 0;
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

bool spice_talk_is_paused(const struct spice_talk *talk)
{
	return talk->opening == SPICE_TALK_HAD_INIT && talk->waits;
}

/* ---- messages ---- */

/* Returns how many bytes of a header may pass, 0 when more is wanted, or -EPROTO. */
static ssize_t read_message(
	struct spice_talk *talk, enum spice_talk_side side, uint8_t *bytes, size_t size_bytes)
{
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
	if (side == SPICE_TALK_CLIENT) {
		int result = spice_manners_judge(&talk->manners, talk->link.type, header.type,
			bytes + header.size_bytes, header.body_bytes,
			size_bytes - header.size_bytes);
		if (result <= 0)
			return result;
	}
	talk->skip_bytes[side] = header.body_bytes;
	if (watch)
		watch->shown(talk->user, bytes + header.size_bytes, watch->size_bytes);
	return (ssize_t)header.size_bytes;
}

ssize_t spice_talk_read(
	struct spice_talk *talk, enum spice_talk_side side, uint8_t *bytes, size_t size_bytes)
{
	size_t done = 0;
	while (done < size_bytes) {
		size_t skip = MIN(talk->skip_bytes[side], size_bytes - done);
		talk->skip_bytes[side] -= skip;
		done += skip;
		if (done == size_bytes || (side == SPICE_TALK_CLIENT && spice_talk_is_paused(talk)))
			break;
		if (side == SPICE_TALK_SERVER && talk->stops && done > 0)
			break;
		ssize_t n = read_message(talk, side, bytes + done, size_bytes - done);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

bool spice_talk_is_between(const struct spice_talk *talk, enum spice_talk_side side)
{
	if (side == SPICE_TALK_CLIENT && talk->link.display && talk->opening != SPICE_TALK_OPEN)
		return false;
	return talk->skip_bytes[side] == 0;
}

size_t spice_talk_make(const struct spice_talk *talk, uint16_t type, const void *body,
	size_t body_bytes, uint8_t *bytes, size_t size_bytes)
{
	if (!talk->mini_header || size_bytes < SPICE_TALK_HEADER_MAX + body_bytes)
		return 0;
	const SpiceMiniDataHeader header = { .type = type, .size = (uint32_t)body_bytes };
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), body, body_bytes);
	return sizeof(header) + body_bytes;
}
