/* SPDX-License-Identifier: MIT */
/*
 * spice_manners: checks what a client may say, by the table of what it may not: each of these ends
 * spice-server, or would make it keep what is not bounded.
 */
#include "display/relay/spice_manners.h"

#include <errno.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <spice/vd_agent.h>
#include <string.h>

#include "display/relay/limits.h"

static int judge(struct spice_manners *manners, uint8_t channel, uint16_t type, const void *body,
	uint32_t body_bytes)
{
	/* It is as long as it says, so that a sanitizer sees a read behind it. */
	g_autofree uint8_t *copy = g_malloc(MAX(body_bytes, 1));
	if (body_bytes > 0)
		memcpy(copy, body, body_bytes);
	return spice_manners_judge(manners, channel, type, copy, body_bytes, body_bytes);
}

/* What stock clients say. */
static void test_plain(void)
{
	static const uint8_t body[SPICE_MANNERS_BYTES_MAX];
	static const struct {
		uint8_t channel;
		uint16_t type;
		uint32_t body_bytes;
	} plain[] = {
		{ SPICE_CHANNEL_CURSOR, SPICE_MSGC_ACK_SYNC, 4 },
		{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_ACK, 0 },
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_PONG, 12 },
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_ATTACH_CHANNELS, 0 },
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, 2 },
		{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_DOWN, 4 },
		{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_SCANCODE, 0 },
		{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_POSITION, 11 },
		{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_INIT, 14 },
		{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_STREAM_REPORT, 32 },
		{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, 0 },
		{ SPICE_CHANNEL_PLAYBACK, SPICE_MSGC_DISCONNECTING, 12 },
		{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_MODE, 6 },
		{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_DATA, 4 },
		{ SPICE_CHANNEL_USBREDIR, SPICE_MSGC_SPICEVMC_DATA, 1 },
		{ SPICE_CHANNEL_WEBDAV, SPICE_MSGC_SPICEVMC_DATA, 1 },
		{ SPICE_CHANNEL_PORT, SPICE_MSGC_SPICEVMC_DATA, 1 },
		{ SPICE_CHANNEL_PORT, SPICE_MSGC_PORT_EVENT, 1 },
	};
	struct spice_manners manners = { 0 };
	for (unsigned i = 0; i < G_N_ELEMENTS(plain); i++) {
		g_assert_cmpint(
			judge(&manners, plain[i].channel, plain[i].type, body, plain[i].body_bytes),
			==, 1);
		if (plain[i].body_bytes > 0)
			g_assert_cmpint(judge(&manners, plain[i].channel, plain[i].type, body,
						plain[i].body_bytes - 1),
				==, -EPROTO);
	}
}

/* Messages of migration, those of other channels, and those that are too long. */
static void test_refused(void)
{
	static const uint8_t body[SPICE_MANNERS_BYTES_MAX + 1];
	static const struct {
		uint8_t channel;
		uint16_t type;
		uint32_t body_bytes;
	} refused[] = {
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MIGRATE_FLUSH_MARK, 0 },
		{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_MIGRATE_FLUSH_MARK, 0 },
		{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_MIGRATE_DATA, 100 },
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_END, 0 },
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_CONNECTED, 0 },
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS, 4 },
		{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS, 0 },
		{ SPICE_CHANNEL_CURSOR, SPICE_MSGC_DISPLAY_STREAM_REPORT, 32 },
		{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_DOWN, SPICE_MANNERS_BYTES_MAX + 1 },
		{ SPICE_CHANNEL_USBREDIR, SPICE_MSGC_SPICEVMC_COMPRESSED_DATA, 100 },
		{ SPICE_CHANNEL_PORT, SPICE_MSGC_SPICEVMC_COMPRESSED_DATA, 100 },
		{ SPICE_CHANNEL_PORT, SPICE_MSGC_PORT_EVENT, 2 },
		{ SPICE_CHANNEL_USBREDIR, SPICE_MSGC_PORT_EVENT, 1 },
		{ SPICE_CHANNEL_INPUTS, 0, 0 },
		{ SPICE_CHANNEL_INPUTS, UINT16_MAX, 0 },
	};
	struct spice_manners manners = { 0 };
	for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++)
		g_assert_cmpint(judge(&manners, refused[i].channel, refused[i].type, body,
					refused[i].body_bytes),
			==, -EPROTO);
}

static void test_init(void)
{
	struct {
		uint8_t pixmap_id;
		int64_t pixmap_size;
		uint8_t glz_id;
		uint32_t glz_size;
	} __attribute__((packed)) init = { .glz_size = 1u << 25 };
	struct spice_manners manners = { 0 };
	const uint8_t display = SPICE_CHANNEL_DISPLAY;
	const uint16_t type = SPICE_MSGC_DISPLAY_INIT;
	g_assert_cmpint(
		spice_manners_judge(&manners, display, type, (uint8_t *)&init, 14, 13), ==, 0);
	g_assert_cmpint(judge(&manners, display, type, &init, sizeof(init)), ==, 1);
	g_assert_cmpint(judge(&manners, display, type, &init, sizeof(init)), ==, -EPROTO);
	manners = (struct spice_manners){ 0 };
	init.glz_size++;
	g_assert_cmpint(judge(&manners, display, type, &init, sizeof(init)), ==, -EPROTO);
	manners = (struct spice_manners){ 0 };
	init.glz_size = 0;
	init.pixmap_size = -1;
	g_assert_cmpint(judge(&manners, display, type, &init, sizeof(init)), ==, -EPROTO);
}

static void test_codecs(void)
{
	const uint16_t type = SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE;
	struct spice_manners manners = { 0 };
	g_assert_cmpint(judge(&manners, SPICE_CHANNEL_DISPLAY, type, "\2\1\3", 3), ==, 1);
	g_assert_cmpint(judge(&manners, SPICE_CHANNEL_DISPLAY, type, "\0\1", 2), ==, -EPROTO);
	g_assert_cmpint(judge(&manners, SPICE_CHANNEL_DISPLAY, type, "\2\1", 2), ==, -EPROTO);
}

/* spice-server keeps something of each, whatever it says. */
static void test_modes(void)
{
	const uint8_t channel = SPICE_CHANNEL_RECORD, type = SPICE_MSGC_RECORD_MODE;
	static const uint8_t opus[] = { 0, 0, 0, 0, SPICE_AUDIO_DATA_MODE_OPUS, 0, 0 };
	struct spice_manners manners = { 0 };
	g_assert_cmpint(judge(&manners, channel, type, opus, 5), ==, -EPROTO);
	g_assert_cmpint(judge(&manners, channel, type, opus, 7), ==, -EPROTO);
	for (unsigned i = 0; i < SPICE_MANNERS_MODES_MAX; i++)
		g_assert_cmpint(judge(&manners, channel, type, opus, 6), ==, 1);
	g_assert_cmpint(judge(&manners, channel, type, opus, 6), ==, -EPROTO);
}

/* ---- the agent ---- */

static int tell_agent(
	struct spice_manners *manners, uint32_t type, uint32_t size_bytes, const GByteArray *data)
{
	const VDAgentMessage message = {
		.protocol = VD_AGENT_PROTOCOL, .type = type, .size = size_bytes
	};
	g_autoptr(GByteArray) body = g_byte_array_new();
	g_byte_array_append(body, (const uint8_t *)&message, sizeof(message));
	g_byte_array_append(body, data->data, data->len);
	return judge(
		manners, SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_DATA, body->data, body->len);
}

static void test_agent(void)
{
	struct spice_manners manners = { 0 };
	uint8_t rest[SPICE_MANNERS_AGENT_MAX + 1] = { 0 };
	g_autoptr(GByteArray) data = g_byte_array_new();
	const uint8_t main = SPICE_CHANNEL_MAIN;
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_TOKEN, rest, 4), ==, -EPROTO);
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_START, rest, 4), ==, 1);
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_TOKEN, rest, 4), ==, 1);
	/* A message in parts, none of which is empty, or beyond its end. */
	g_byte_array_append(data, rest, 100);
	g_assert_cmpint(tell_agent(&manners, VD_AGENT_CLIPBOARD, 300, data), ==, 1);
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_DATA, rest, 0), ==, -EPROTO);
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_DATA, rest, 201), ==, -EPROTO);
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_DATA, rest, 199), ==, 1);
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_DATA, rest, 1), ==, 1);
	g_assert_cmpint(tell_agent(&manners, VD_AGENT_CLIPBOARD, 100, data), ==, 1);
	/* Less than a header, more than there is, and more than spice-server takes. */
	g_assert_cmpint(judge(&manners, main, SPICE_MSGC_MAIN_AGENT_DATA, rest, 19), ==, -EPROTO);
	g_assert_cmpint(tell_agent(&manners, VD_AGENT_CLIPBOARD, 99, data), ==, -EPROTO);
	g_assert_cmpint(
		judge(&manners, main, SPICE_MSGC_MAIN_AGENT_DATA, rest, sizeof(rest)), ==, -EPROTO);
}

static int wish(struct spice_manners *manners, unsigned n_monitors, unsigned n_there,
	uint32_t flags, uint32_t more_bytes)
{
	const VDAgentMonitorsConfig config = { .num_of_monitors = n_monitors, .flags = flags };
	const VDAgentMonConfig monitor = { 600, 800, 32, 0, 0 };
	g_autoptr(GByteArray) data = g_byte_array_new();
	g_byte_array_append(data, (const uint8_t *)&config, sizeof(config));
	for (unsigned i = 0; i < n_there; i++)
		g_byte_array_append(data, (const uint8_t *)&monitor, sizeof(monitor));
	return tell_agent(manners, VD_AGENT_MONITORS_CONFIG, data->len + more_bytes, data);
}

/* spice-server reads this one itself, so it comes whole and in one part. */
static void test_monitors(void)
{
	struct spice_manners manners = { 0 };
	g_autoptr(GByteArray) none = g_byte_array_new();
	g_assert_cmpint(wish(&manners, 2, 2, 0, 0), ==, 1);
	g_assert_cmpint(wish(&manners, 0, 0, 0, 0), ==, 1);
	g_assert_cmpint(wish(&manners, 3, 2, 0, 0), ==, -EPROTO);
	g_assert_cmpint(wish(&manners, UINT32_MAX, 2, 0, 0), ==, -EPROTO);
	g_assert_cmpint(
		wish(&manners, 2, 2, VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE, 0), ==, -EPROTO);
	g_assert_cmpint(wish(&manners, 2, 2, 0, 20), ==, -EPROTO);
	manners = (struct spice_manners){ 0 };
	g_assert_cmpint(tell_agent(&manners, VD_AGENT_MONITORS_CONFIG, 0, none), ==, -EPROTO);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spice-manners/plain", test_plain);
	g_test_add_func("/spice-manners/refused", test_refused);
	g_test_add_func("/spice-manners/init", test_init);
	g_test_add_func("/spice-manners/codecs", test_codecs);
	g_test_add_func("/spice-manners/modes", test_modes);
	g_test_add_func("/spice-manners/agent", test_agent);
	g_test_add_func("/spice-manners/monitors", test_monitors);
	return g_test_run();
}
