/* SPDX-License-Identifier: MIT */
/* Makes whole conversations for fuzz_relay. */
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "tests/fuzz/seeds.h"

#define CAPS (1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1u << SPICE_COMMON_CAP_AUTH_SPICE)

/* Appends pieces as fuzz_relay.c reads them: whose, how much, what. */
static void say(GByteArray *bytes, uint8_t side, const void *data, size_t size_bytes)
{
	const uint8_t *rest = data;
	while (size_bytes > 0) {
		size_t n = MIN(size_bytes, 256);
		uint8_t head[] = { side, (uint8_t)(n - 1) };
		g_byte_array_append(bytes, head, sizeof(head));
		g_byte_array_append(bytes, rest, (guint)n);
		rest += n;
		size_bytes -= n;
	}
}

static void say_message(
	GByteArray *bytes, uint8_t side, bool mini, uint16_t type, uint32_t body_bytes)
{
	static const uint8_t body[256];
	SpiceMiniDataHeader short_header = { type, body_bytes };
	SpiceDataHeader long_header = { .type = type, .size = body_bytes };
	if (mini)
		say(bytes, side, &short_header, sizeof(short_header));
	else
		say(bytes, side, &long_header, sizeof(long_header));
	say(bytes, side, body, body_bytes);
}

static void make_talk(const char *directory, uint8_t channel, bool mini, const char *name)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	uint8_t talk = 0;
	uint32_t caps = CAPS | (mini ? 1u << SPICE_COMMON_CAP_MINI_HEADER : 0);
	struct {
		SpiceLinkHeader header;
		SpiceLinkMess mess;
		uint32_t caps;
	} __attribute__((packed)) link = {
		{ SPICE_MAGIC, 2, 2, sizeof(SpiceLinkMess) + 4 },
		{ 0, channel, 0, 1, 0, sizeof(SpiceLinkMess) },
		caps,
	};
	g_byte_array_append(bytes, &talk, 1);
	g_byte_array_append(bytes, (const uint8_t *)&link, sizeof(link));
	say_message(bytes, 0, mini, SPICE_MSGC_DISPLAY_INIT, 14);
	say_message(bytes, 1, mini, SPICE_MSG_MAIN_INIT, 32);
	say_message(bytes, 1, mini, SPICE_MSG_MAIN_MULTI_MEDIA_TIME, 4);
	say_message(bytes, 1, mini, SPICE_MSG_DISPLAY_STREAM_CREATE, 60);
	say_message(bytes, 0, mini, SPICE_MSGC_DISPLAY_STREAM_REPORT, 32);
	say_message(bytes, 0, mini, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, 1);
	say_message(bytes, 1, mini, SPICE_MSG_PLAYBACK_LATENCY, 4);
	seeds_save(directory, name, bytes);
}

static void make_websocket(const char *directory)
{
	static const char request[] =
		"\1GET / HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Protocol: binary\r\n\r\n";
	static const char frames[] =
		"\1\x82\x83kkkkabc\x89\x82kkkkpi\x82\xfe\0\4kkkklong\x88\x80kkkk";
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_byte_array_append(bytes, (const guint8 *)request, sizeof(request) - 1);
	seeds_save(directory, "request", bytes);
	g_byte_array_set_size(bytes, 0);
	g_byte_array_append(bytes, (const guint8 *)frames, sizeof(frames) - 1);
	seeds_save(directory, "frames", bytes);
}

void seeds_relay(const char *directory)
{
	make_talk(directory, SPICE_CHANNEL_MAIN, true, "main");
	make_talk(directory, SPICE_CHANNEL_MAIN, false, "main-long");
	make_talk(directory, SPICE_CHANNEL_DISPLAY, true, "display");
	make_talk(directory, SPICE_CHANNEL_PLAYBACK, true, "playback");
	make_websocket(directory);
}
