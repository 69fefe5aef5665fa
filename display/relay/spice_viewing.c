/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_viewing.h"

#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

/* Below this number are the messages that all channels have: answers of the protocol's own. */
#define FIRST_OF_CHANNEL 101

void spice_viewing_begin(struct spice_viewing *viewing, uint8_t channel, bool mini_header)
{
	*viewing = (struct spice_viewing){ .channel = channel, .mini_header = mini_header };
}

static bool may_say(uint8_t channel, uint16_t type)
{
	if (type < FIRST_OF_CHANNEL)
		return true;
	switch (channel) {
	case SPICE_CHANNEL_MAIN:
		return type == SPICE_MSGC_MAIN_ATTACH_CHANNELS;
	case SPICE_CHANNEL_DISPLAY:
		return true;
	default:
		return false;
	}
}

static size_t header_bytes(const struct spice_viewing *viewing)
{
	return viewing->mini_header ? sizeof(SpiceMiniDataHeader) : sizeof(SpiceDataHeader);
}

/* Reads a header, and what becomes of its message. The header itself counts to that. */
static void begin_message(struct spice_viewing *viewing, const uint8_t *bytes)
{
	SpiceMiniDataHeader mini;
	SpiceDataHeader full;
	uint16_t type;
	if (viewing->mini_header) {
		memcpy(&mini, bytes, sizeof(mini));
		type = mini.type;
		viewing->left_bytes = mini.size;
	} else {
		memcpy(&full, bytes, sizeof(full));
		type = full.type;
		viewing->left_bytes = full.size;
	}
	viewing->left_bytes += header_bytes(viewing);
	viewing->drops = !viewing->drives && !may_say(viewing->channel, type);
}

static void hold(struct spice_viewing *viewing, const uint8_t *bytes, size_t size_bytes)
{
	g_assert(size_bytes <= sizeof(viewing->held));
	memcpy(viewing->held, bytes, size_bytes);
	viewing->held_bytes = size_bytes;
}

size_t spice_viewing_filter(struct spice_viewing *viewing, uint8_t *bytes, size_t size_bytes)
{
	size_t kept = 0, done = 0;
	viewing->held_bytes = 0;
	while (done < size_bytes) {
		size_t left = size_bytes - done;
		if (viewing->left_bytes == 0 && left < header_bytes(viewing)) {
			hold(viewing, bytes + done, left);
			break;
		}
		if (viewing->left_bytes == 0)
			begin_message(viewing, bytes + done);
		size_t n = (size_t)MIN(viewing->left_bytes, left);
		if (!viewing->drops) {
			memmove(bytes + kept, bytes + done, n);
			kept += n;
		}
		viewing->left_bytes -= n;
		done += n;
	}
	return kept;
}
