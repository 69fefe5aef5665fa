/* SPDX-License-Identifier: MIT */
#include "display/door/spice_link.h"

#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "display/door/limits.h"

static bool has_capability(const uint8_t *words, uint32_t n_words, unsigned capability)
{
	uint32_t word;
	if (capability / 32 >= n_words)
		return false;
	memcpy(&word, words + capability / 32 * sizeof(word), sizeof(word));
	return word & 1u << capability % 32;
}

/* The offsets come from the client: each is checked against what was received. */
static bool read_capabilities(const uint8_t *message, size_t size_bytes, const SpiceLinkMess *mess,
	struct spice_link *link)
{
	bool any = mess->num_common_caps > 0 || mess->num_channel_caps > 0;
	uint64_t channel_caps = (uint64_t)mess->caps_offset + (uint64_t)mess->num_common_caps * 4;
	uint64_t end = channel_caps + (uint64_t)mess->num_channel_caps * 4;
	if (!any)
		return true;
	if (end > size_bytes || mess->caps_offset < sizeof(*mess))
		return false;
	link->words_at = (unsigned)channel_caps + sizeof(SpiceLinkHeader);
	link->n_words = mess->num_channel_caps;
	const uint8_t *common = message + mess->caps_offset;
	link->auth_selection = has_capability(
		common, mess->num_common_caps, SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION);
	link->mini_header =
		has_capability(common, mess->num_common_caps, SPICE_COMMON_CAP_MINI_HEADER);
	link->gl_scanout =
		link->display && has_capability(message + channel_caps, mess->num_channel_caps,
					 SPICE_DISPLAY_CAP_GL_SCANOUT);
	return true;
}

static enum spice_link_channel channel_kind(uint8_t type)
{
	switch (type) {
	case SPICE_CHANNEL_MAIN:
		return SPICE_LINK_CHANNEL_MAIN;
	case SPICE_CHANNEL_DISPLAY:
		return SPICE_LINK_CHANNEL_DISPLAY;
	case SPICE_CHANNEL_PLAYBACK:
		return SPICE_LINK_CHANNEL_PLAYBACK;
	case SPICE_CHANNEL_INPUTS:
		return SPICE_LINK_CHANNEL_INPUTS;
	default:
		return SPICE_LINK_CHANNEL_OTHER;
	}
}

static void read_message(const uint8_t *message, size_t size_bytes, struct spice_link *link)
{
	SpiceLinkMess mess;
	memcpy(&mess, message, sizeof(mess));
	link->session = mess.connection_id;
	link->type = mess.channel_type;
	link->channel = channel_kind(mess.channel_type);
	link->id = mess.channel_id;
	link->display = link->channel == SPICE_LINK_CHANNEL_DISPLAY;
	if (!read_capabilities(message, size_bytes, &mess, link))
		link->fault = SPICE_LINK_BAD_CAPABILITIES;
}

enum spice_link_state spice_link_parse(
	const uint8_t *bytes, size_t size_bytes, struct spice_link *link)
{
	SpiceLinkHeader header;
	*link = (struct spice_link){ 0 };
	if (size_bytes < sizeof(header.magic))
		return SPICE_LINK_MORE;
	memcpy(&header.magic, bytes, sizeof(header.magic));
	if (header.magic != SPICE_MAGIC)
		return SPICE_LINK_OTHER;
	if (size_bytes < sizeof(header))
		return SPICE_LINK_MORE;
	memcpy(&header, bytes, sizeof(header));
	if (header.size < sizeof(SpiceLinkMess) ||
		header.size > SPICE_LINK_BYTES_MAX - sizeof(header))
		return SPICE_LINK_OTHER;
	if (size_bytes - sizeof(header) < header.size)
		return SPICE_LINK_MORE;
	link->size_bytes = sizeof(header) + header.size;
	read_message(bytes + sizeof(header), header.size, link);
	if (header.major_version != SPICE_VERSION_MAJOR)
		link->fault = SPICE_LINK_BAD_VERSION;
	return SPICE_LINK_KNOWN;
}
