/* SPDX-License-Identifier: MIT */
/*
 * Makes what clients say first, and in frames, for fuzz_link, fuzz_websocket, fuzz_agent and
 * fuzz_usb: as spice-gtk 0.42, chromium 156 with spice-html5 0.3.0 and python3-websockets 10.4 were
 * seen to say it.
 */
#include <spice/enums.h>
#include <spice/protocol.h>
#include <spice/vd_agent.h>
#include <string.h>

#include "tests/fuzz/seeds.h"

#define BYTES(text) text, sizeof(text) - 1

static void put(GByteArray *bytes, const void *data, size_t size_bytes)
{
	g_byte_array_append(bytes, data, (guint)size_bytes);
}

static void save(const char *directory, const char *name, const void *data, size_t size_bytes)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put(bytes, data, size_bytes);
	seeds_save(directory, name, bytes);
}

/* ---- links ---- */

static void put_link(
	GByteArray *bytes, uint8_t channel, uint32_t common, uint32_t n_own, uint32_t own)
{
	SpiceLinkHeader header = { SPICE_MAGIC, 2, 2,
		(uint32_t)sizeof(SpiceLinkMess) + 4 + 4 * n_own };
	SpiceLinkMess mess = { 7, channel, 0, 1, n_own, sizeof(SpiceLinkMess) };
	put(bytes, &header, sizeof(header));
	put(bytes, &mess, sizeof(mess));
	put(bytes, &common, sizeof(common));
	for (uint32_t i = 0; i < n_own; i++)
		put(bytes, &own, sizeof(own));
}

/* A ticket that nobody can decrypt stands behind. */
static void make_link(const char *directory, const char *name, uint8_t channel, uint32_t common,
	uint32_t n_own, uint32_t own)
{
	static const uint8_t ticket[sizeof(SpiceLinkAuthMechanism) + 128] = { 1 };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_link(bytes, channel, common, n_own, own);
	put(bytes, ticket, sizeof(ticket));
	seeds_save(directory, name, bytes);
}

/* spice-gtk's choice of SASL, a mechanism, and what it says by that. */
static void make_sasl(const char *directory, const char *name, const void *said, size_t size_bytes)
{
	static const uint32_t chosen = SPICE_COMMON_CAP_AUTH_SASL;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_link(bytes, SPICE_CHANNEL_MAIN, 0xf, 1, 0xf);
	put(bytes, &chosen, sizeof(chosen));
	put(bytes, said, size_bytes);
	seeds_save(directory, name, bytes);
}

void seeds_link(const char *directory)
{
	/* spice-gtk offers SASL, too; spice-html5 only what it needs. */
	make_link(directory, "gtk-main", SPICE_CHANNEL_MAIN, 0xf, 1, 0xf);
	make_link(directory, "gtk-display", SPICE_CHANNEL_DISPLAY, 0xf, 1, 0x1ff7);
	make_link(directory, "gtk-inputs", SPICE_CHANNEL_INPUTS, 0xf, 1, 1);
	make_link(directory, "html5-main", SPICE_CHANNEL_MAIN, 0x9, 1, 2);
	make_link(directory, "html5-cursor", SPICE_CHANNEL_CURSOR, 0x9, 0, 0);
	make_link(directory, "two-words", SPICE_CHANNEL_PLAYBACK, 0xf, 2, 6);
	make_sasl(directory, "sasl-scram",
		BYTES("\15\0\0\0SCRAM-SHA-256\43\0\0\0n,,n=alice,r=abcdefghijklmnopqrstuv\0"
		      "\20\0\0\0c=biws,r=a,p=ab\0"));
	make_sasl(directory, "sasl-plain", BYTES("\5\0\0\0PLAIN\22\0\0\0\0alice\0wonderland\0"));
	make_sasl(directory, "sasl-late", BYTES("\5\0\0\0PLAIN\0\0\0\0\2\0\0\0x\0"));
}

/* ---- WebSocket ---- */

/* What comes before: which half of the target, and how it is cut. */
#define REQUEST "\0\7"
#define REQUEST_OPEN "\2\50"
#define FRAMES "\1\7"
#define MASK "kkkk"

void seeds_websocket(const char *directory)
{
	static const char chromium[] = REQUEST_OPEN
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:5900\r\nConnection: Upgrade\r\n"
		"Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; "
		"Linux x86_64)\r\nUpgrade: websocket\r\nOrigin: http://127.0.0.1:8000\r\n"
		"Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
		"Accept-Language: en-US,en;q=0.9\r\nCookie: a=b; c=d\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
		"Sec-WebSocket-Protocol: binary\r\n\r\n";
	static const char python[] = REQUEST
		"GET /spice HTTP/1.1\r\nHost: 127.0.0.1:5900\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
		"Sec-WebSocket-Protocol: base64, binary\r\nUser-Agent: Python/3.11 "
		"websockets/10.4\r\n\r\nrest";
	static const char proxied[] = REQUEST
		"GET / HTTP/1.1\r\nHost: [::1]\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"
		"Upgrade: h2c\r\nUpgrade: websocket\r\nX-Forwarded-For: 192.0.2.1\r\nX-Long: a\r\n"
		" b\r\nSec-WebSocket-Version: 13 \r\nSec-WebSocket-Key:\tdGhlIHNhbXBsZSBub25jZQ==\t"
		"\r\nSec-WebSocket-Protocol: base64\r\nSec-WebSocket-Protocol: binary\r\n\r\n";
	static const char old[] =
		REQUEST "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Version: 8\r\n\r\n";
	static const char frames[] = FRAMES "\x82\x83" MASK "abc\x89\x82" MASK "hi\2\x81" MASK
					    "a\0\x80" MASK "\x80\x81" MASK "b\x82\xfe\0\4" MASK
					    "long\x82\x80" MASK "\x88\x82" MASK "\x68\x83";
	static const char text[] = FRAMES "\x82\x81" MASK "a\x81\x82" MASK "hi";
	static const char reason[] = FRAMES "\x88\x87" MASK "\x68\x82"
					    "gone!";
	save(directory, "chromium", BYTES(chromium));
	save(directory, "python", BYTES(python));
	save(directory, "proxied", BYTES(proxied));
	save(directory, "old", BYTES(old));
	save(directory, "frames", BYTES(frames));
	save(directory, "text", BYTES(text));
	save(directory, "reason", BYTES(reason));
}

/* ---- the agent ---- */

/* A piece of one side, which has an odd length if it is the guest's. */
static void put_agent(
	GByteArray *bytes, bool guest, uint32_t port, uint32_t type, const void *body, uint32_t n)
{
	VDIChunkHeader chunk = { port, (uint32_t)sizeof(VDAgentMessage) + n };
	VDAgentMessage message = { .protocol = VD_AGENT_PROTOCOL, .type = type, .size = n };
	uint8_t length = (uint8_t)(sizeof(chunk) + sizeof(message) + n);
	if ((length & 1) != guest)
		chunk.size++, length++;
	put(bytes, &length, 1);
	put(bytes, &chunk, sizeof(chunk));
	put(bytes, &message, sizeof(message));
	put(bytes, body, n);
	if (chunk.size > sizeof(message) + n)
		put(bytes, "\1", 1);
}

void seeds_agent(const char *directory)
{
	static const uint8_t zeros[200];
	static const uint8_t text[] = { 0, 0, 0, 0, VD_AGENT_CLIPBOARD_UTF8_TEXT, 0, 0, 0, 'a' };
	static const uint8_t file[] = "\1\0\0\0[vdagent-file-xfer]\nname=a\nsize=3\n";
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	uint32_t caps[] = { 1, 0x3ffff };
	VDAgentMouseState mouse = { .x = 10, .y = 20, .buttons = VD_AGENT_LBUTTON_MASK };
	put(bytes, "\37", 1);
	put_agent(
		bytes, false, VDP_CLIENT_PORT, VD_AGENT_ANNOUNCE_CAPABILITIES, caps, sizeof(caps));
	put_agent(bytes, true, VDP_CLIENT_PORT, VD_AGENT_ANNOUNCE_CAPABILITIES, caps, sizeof(caps));
	put_agent(bytes, false, VDP_SERVER_PORT, VD_AGENT_MOUSE_STATE, &mouse, sizeof(mouse));
	put_agent(bytes, false, VDP_CLIENT_PORT, VD_AGENT_CLIPBOARD_GRAB, text, 8);
	put_agent(bytes, true, VDP_CLIENT_PORT, VD_AGENT_CLIPBOARD_REQUEST, text, 8);
	put_agent(bytes, false, VDP_CLIENT_PORT, VD_AGENT_CLIPBOARD, text, sizeof(text));
	put_agent(bytes, true, VDP_CLIENT_PORT, VD_AGENT_CLIPBOARD, zeros, sizeof(zeros));
	put_agent(bytes, false, VDP_CLIENT_PORT, VD_AGENT_FILE_XFER_START, file, sizeof(file));
	put_agent(bytes, true, VDP_CLIENT_PORT, VD_AGENT_FILE_XFER_STATUS, zeros, 8);
	put_agent(bytes, false, VDP_CLIENT_PORT, VD_AGENT_FILE_XFER_DATA, zeros, 40);
	put_agent(bytes, false, VDP_CLIENT_PORT, VD_AGENT_CLIPBOARD_RELEASE, NULL, 0);
	seeds_save(directory, "session", bytes);
}

/* ---- a USB device ---- */

static void put_usb(GByteArray *bytes, uint32_t type, uint32_t body_bytes, size_t id_bytes)
{
	static const uint8_t zeros[512];
	const uint32_t words[] = { type, body_bytes };
	put(bytes, words, sizeof(words));
	put(bytes, zeros, id_bytes);
	put(bytes, zeros, body_bytes);
}

void seeds_usb(const char *directory)
{
	static const struct {
		uint32_t type, body_bytes;
	} said[] = { { 5, 288 }, { 4, 132 }, { 1, 10 }, { 8, 2 }, { 100, 28 }, { 101, 40 },
		{ 103, 12 }, { 22, 0 }, { 2, 0 } };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put(bytes, "\1\377", 2);
	put_usb(bytes, 0, 68, 4);
	memset(bytes->data + bytes->len - 4, 0xff, 4);
	for (unsigned i = 0; i < G_N_ELEMENTS(said); i++)
		put_usb(bytes, said[i].type, said[i].body_bytes, 8);
	seeds_save(directory, "device", bytes);
}
