/* SPDX-License-Identifier: MIT */
/*
 * spice_link: checks what the first message of a connection says, byte by byte, and what is no such
 * message.
 */
#include "display/door/spice_link.h"

#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "display/door/limits.h"

#define COMMON_CAPS                                                                                \
	(1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1u << SPICE_COMMON_CAP_MINI_HEADER)
#define DISPLAY_CAPS (1u << SPICE_DISPLAY_CAP_GL_SCANOUT)

struct message {
	SpiceLinkHeader header;
	SpiceLinkMess mess;
	uint32_t caps[2];
} __attribute__((packed));

static struct message make_message(uint8_t channel, uint32_t common, uint32_t own)
{
	return (struct message){ .header = { SPICE_MAGIC, SPICE_VERSION_MAJOR, SPICE_VERSION_MINOR,
					 sizeof(struct message) - sizeof(SpiceLinkHeader) },
		.mess = { .connection_id = 4711,
			.channel_type = channel,
			.channel_id = 5,
			.num_common_caps = 1,
			.num_channel_caps = 1,
			.caps_offset = sizeof(SpiceLinkMess) },
		.caps = { common, own } };
}

static enum spice_link_state parse(const struct message *message, struct spice_link *link)
{
	return spice_link_parse((const uint8_t *)message, sizeof(*message), link);
}

static void test_known(void)
{
	struct message message = make_message(SPICE_CHANNEL_DISPLAY, COMMON_CAPS, DISPLAY_CAPS);
	struct spice_link link;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_KNOWN);
	g_assert_cmpuint(link.size_bytes, ==, sizeof(message));
	g_assert_cmpuint(link.session, ==, 4711);
	g_assert_cmpuint(link.id, ==, 5);
	g_assert_cmpuint(link.type, ==, SPICE_CHANNEL_DISPLAY);
	g_assert_cmpint(link.fault, ==, SPICE_LINK_SOUND);
	g_assert_cmpuint(link.n_words, ==, 1);
	g_assert_cmpuint(link.words_at, ==, sizeof(message) - sizeof(message.caps[1]));
	g_assert_cmpint(link.channel, ==, SPICE_LINK_CHANNEL_DISPLAY);
	g_assert_true(link.display && link.gl_scanout && link.auth_selection && link.mini_header);
	message = make_message(SPICE_CHANNEL_DISPLAY, 0, ~DISPLAY_CAPS);
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_KNOWN);
	g_assert_true(link.display);
	g_assert_false(link.gl_scanout || link.auth_selection || link.mini_header);
}

/* Only a display channel's capabilities are read as a display's. */
static void test_channels(void)
{
	static const struct {
		uint8_t type;
		enum spice_link_channel channel;
	} cases[] = {
		{ SPICE_CHANNEL_MAIN, SPICE_LINK_CHANNEL_MAIN },
		{ SPICE_CHANNEL_PLAYBACK, SPICE_LINK_CHANNEL_PLAYBACK },
		{ SPICE_CHANNEL_INPUTS, SPICE_LINK_CHANNEL_INPUTS },
		{ 0, SPICE_LINK_CHANNEL_OTHER },
		{ 255, SPICE_LINK_CHANNEL_OTHER },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct message message = make_message(cases[i].type, COMMON_CAPS, UINT32_MAX);
		struct spice_link link;
		g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_KNOWN);
		g_assert_cmpint(link.channel, ==, cases[i].channel);
		g_assert_false(link.display || link.gl_scanout);
		g_assert_true(link.auth_selection);
	}
}

/* The message is known with its last byte; what follows is not its own. */
static void test_pieces(void)
{
	struct message messages[2];
	struct spice_link link;
	messages[0] = make_message(SPICE_CHANNEL_DISPLAY, COMMON_CAPS, DISPLAY_CAPS);
	memset(&messages[1], 0xff, sizeof(messages[1]));
	for (size_t n = 0; n < sizeof(messages[0]); n++) {
		g_autofree uint8_t *piece = g_memdup2(messages, MAX(n, 1));
		g_assert_cmpint(spice_link_parse(piece, n, &link), ==, SPICE_LINK_MORE);
		g_assert_false(link.display);
	}
	g_assert_cmpint(spice_link_parse((const uint8_t *)messages, sizeof(messages), &link), ==,
		SPICE_LINK_KNOWN);
	g_assert_cmpuint(link.size_bytes, ==, sizeof(messages[0]));
}

static void test_other(void)
{
	struct spice_link link;
	struct message message = make_message(SPICE_CHANNEL_DISPLAY, COMMON_CAPS, DISPLAY_CAPS);
	message.header.size = sizeof(SpiceLinkMess) - 1;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_OTHER);
	message.header.size = UINT32_MAX;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_OTHER);
	message.header.size = SPICE_LINK_BYTES_MAX - sizeof(message.header) + 1;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_OTHER);
	message.header.size--;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_MORE);
	message.header.magic++;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_OTHER);
	g_assert_cmpint(
		spice_link_parse((const uint8_t *)"GET / HTTP", 10, &link), ==, SPICE_LINK_OTHER);
}

/*
 * Offsets and counts are the client's. What lies outside is a fault, and counts as no capability.
 * Each message is as long as its allocation, so that a sanitizer sees a read behind it.
 */
static void test_caps_outside(void)
{
	static const struct {
		uint32_t common, own, offset;
	} cases[] = {
		{ 1, 2, sizeof(SpiceLinkMess) },
		{ 3, 0, sizeof(SpiceLinkMess) },
		{ 1, 1, sizeof(SpiceLinkMess) + 1 },
		{ 1, 1, UINT32_MAX },
		{ 1, 1, 0 },
		{ UINT32_MAX, UINT32_MAX, UINT32_MAX },
		{ 0x40000000, 0, sizeof(SpiceLinkMess) },
		{ 0, 0x40000000, sizeof(SpiceLinkMess) },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct message message =
			make_message(SPICE_CHANNEL_DISPLAY, UINT32_MAX, UINT32_MAX);
		struct spice_link link;
		message.mess.num_common_caps = cases[i].common;
		message.mess.num_channel_caps = cases[i].own;
		message.mess.caps_offset = cases[i].offset;
		g_autofree struct message *copy = g_memdup2(&message, sizeof(message));
		g_assert_cmpint(parse(copy, &link), ==, SPICE_LINK_KNOWN);
		g_assert_cmpint(link.fault, ==, SPICE_LINK_BAD_CAPABILITIES);
		g_assert_true(link.display);
		g_assert_false(link.gl_scanout || link.auth_selection || link.mini_header);
	}
}

/* A word of capabilities that is not there counts as zero. */
static void test_no_caps(void)
{
	struct message message = make_message(SPICE_CHANNEL_DISPLAY, UINT32_MAX, UINT32_MAX);
	struct spice_link link;
	message.mess.num_common_caps = message.mess.num_channel_caps = 0;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_KNOWN);
	g_assert_false(link.gl_scanout || link.auth_selection || link.mini_header);
}

static void test_version(void)
{
	struct message message = make_message(SPICE_CHANNEL_DISPLAY, COMMON_CAPS, 0);
	struct spice_link link;
	message.header.minor_version++;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_KNOWN);
	g_assert_cmpint(link.fault, ==, SPICE_LINK_SOUND);
	message.header.major_version++;
	g_assert_cmpint(parse(&message, &link), ==, SPICE_LINK_KNOWN);
	g_assert_cmpint(link.fault, ==, SPICE_LINK_BAD_VERSION);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spice-link/known", test_known);
	g_test_add_func("/spice-link/channels", test_channels);
	g_test_add_func("/spice-link/pieces", test_pieces);
	g_test_add_func("/spice-link/other", test_other);
	g_test_add_func("/spice-link/caps-outside", test_caps_outside);
	g_test_add_func("/spice-link/no-caps", test_no_caps);
	g_test_add_func("/spice-link/version", test_version);
	return g_test_run();
}
