/* SPDX-License-Identifier: MIT */
/* spice viewing: says messages of all channels, in pieces of any size, and looks at what is left.
 */
#include "display/relay/spice_viewing.h"

#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

static void put(GByteArray *bytes, bool mini, uint16_t type, uint32_t body_bytes)
{
	const SpiceMiniDataHeader short_header = { type, body_bytes };
	const SpiceDataHeader long_header = { .serial = 7, .type = type, .size = body_bytes };
	if (mini)
		g_byte_array_append(bytes, (const uint8_t *)&short_header, sizeof(short_header));
	else
		g_byte_array_append(bytes, (const uint8_t *)&long_header, sizeof(long_header));
	for (uint32_t i = 0; i < body_bytes; i++)
		g_byte_array_append(bytes, (const uint8_t[]){ (uint8_t)(type + i) }, 1);
}

/* Reads as the relay does: what is held comes before what is new. */
static GByteArray *filter(struct spice_viewing *viewing, const GByteArray *said, size_t piece_bytes)
{
	GByteArray *left = g_byte_array_new();
	uint8_t room[4096];
	for (size_t done = 0; done < said->len;) {
		size_t held = viewing->held_bytes;
		size_t n = MIN(piece_bytes, said->len - done);
		memcpy(room, viewing->held, held);
		memcpy(room + held, said->data + done, n);
		size_t kept = spice_viewing_filter(viewing, room, held + n);
		g_byte_array_append(left, room, (guint)kept);
		done += n;
	}
	return left;
}

static const struct {
	uint8_t channel;
	uint16_t type;
	bool passes;
} messages[] = {
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_ACK, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_PONG, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_ATTACH_CHANNELS, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_CLIENT_INFO, false },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, false },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_START, false },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_DATA, false },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_TOKEN, false },
	{ SPICE_CHANNEL_MAIN, 999, false },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_INIT, true },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_STREAM_REPORT, true },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, true },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_ACK_SYNC, true },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_DOWN, false },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_UP, false },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_MODIFIERS, false },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_SCANCODE, false },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_MOTION, false },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_POSITION, false },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_PRESS, false },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_RELEASE, false },
	{ SPICE_CHANNEL_CURSOR, SPICE_MSGC_ACK, true },
	{ SPICE_CHANNEL_PLAYBACK, SPICE_MSGC_ACK, true },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_DATA, false },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_START_MARK, false },
	{ SPICE_CHANNEL_USBREDIR, SPICE_MSGC_SPICEVMC_DATA, false },
	{ SPICE_CHANNEL_PORT, SPICE_MSGC_PORT_EVENT, false },
	{ SPICE_CHANNEL_SMARTCARD, SPICE_MSGC_SMARTCARD_DATA, false },
};

/* All of one channel's messages in a row, cut into pieces of this size. */
static void check(uint8_t channel, bool mini, size_t piece_bytes)
{
	g_autoptr(GByteArray) said = g_byte_array_new(), expected = g_byte_array_new();
	struct spice_viewing viewing;
	for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++) {
		if (messages[i].channel != channel)
			continue;
		for (uint32_t body_bytes = 0; body_bytes < 50; body_bytes += 7) {
			put(said, mini, messages[i].type, body_bytes);
			if (messages[i].passes)
				put(expected, mini, messages[i].type, body_bytes);
		}
	}
	spice_viewing_begin(&viewing, channel, mini);
	g_autoptr(GByteArray) left = filter(&viewing, said, piece_bytes);
	g_assert_cmpmem(left->data, left->len, expected->data, expected->len);
	g_assert_cmpuint(viewing.held_bytes, ==, 0);
}

static void test_channels(void)
{
	for (uint8_t channel = SPICE_CHANNEL_MAIN; channel <= SPICE_CHANNEL_PORT; channel++)
		for (size_t piece_bytes = 1; piece_bytes < 100; piece_bytes++) {
			check(channel, true, piece_bytes);
			check(channel, false, piece_bytes);
		}
}

/* A message may claim any size; what comes of it is left out until the end. */
static void test_huge(void)
{
	const SpiceMiniDataHeader header = { SPICE_MSGC_INPUTS_KEY_DOWN, UINT32_MAX };
	struct spice_viewing viewing;
	uint8_t bytes[1000] = { 0 };
	memcpy(bytes, &header, sizeof(header));
	spice_viewing_begin(&viewing, SPICE_CHANNEL_INPUTS, true);
	g_assert_cmpuint(spice_viewing_filter(&viewing, bytes, sizeof(bytes)), ==, 0);
	uint64_t left = (uint64_t)UINT32_MAX + sizeof(header) - sizeof(bytes);
	g_assert_cmpuint(viewing.left_bytes, ==, left);
	g_assert_cmpuint(spice_viewing_filter(&viewing, bytes, sizeof(bytes)), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spice_viewing/channels", test_channels);
	g_test_add_func("/spice_viewing/huge", test_huge);
	return g_test_run();
}
