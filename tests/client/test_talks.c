/* SPDX-License-Identifier: MIT */
/*
 * talks: clients say what SPICE has words for, as chance has it: on channels in any phase, whole,
 * split, too long, too short, with values that are sound, small, large or neither, and they leave
 * at any time. Behind the relay is spice-server itself. Display lives, and serves the next client.
 *
 * With --seconds=N it goes on for so long. Each session is made from the seed that is printed first
 * and its number: --seed=SEED --first=N begins with that one.
 */
#include "tests/client/fixture.h"
#include "tests/client/link_by_hand.h"
#include "tests/client/stranger.h"

#include <signal.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <spice/vd_agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHORT_S 5
#define ACTIONS_MAX 40
#define SLOTS 8
#define BODY_MAX 6000
/* Whoever has to wait for display for longer gives up, as people do. */
#define PATIENCE_US 300000
#define SERVED_EVERY 100
#define SERVED_MS 10000
#define WIDTH 320
#define HEIGHT 240

static unsigned seconds = SHORT_S;
static guint32 seed;
static guint64 first;

/* A message of SPICE's, and how long its body is at least. */
static const struct word {
	uint8_t channel; /* 0: every channel */
	uint16_t type, bytes;
	bool rare; /* whoever says it is cut off */
} words[] = {
	{ 0, SPICE_MSGC_ACK_SYNC, 4 },
	{ 0, SPICE_MSGC_ACK, 0 },
	{ 0, SPICE_MSGC_PONG, 12 },
	{ 0, SPICE_MSGC_MIGRATE_FLUSH_MARK, 0, true },
	{ 0, SPICE_MSGC_MIGRATE_DATA, 200, true },
	{ 0, SPICE_MSGC_DISCONNECTING, 12 },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_CLIENT_INFO, 4, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_CONNECTED, 0, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_CONNECT_ERROR, 0, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_ATTACH_CHANNELS, 0 },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, 2 },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_START, 4 },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_DATA, 24 },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_AGENT_TOKEN, 4 },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_END, 0, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS, 4, true },
	{ SPICE_CHANNEL_MAIN, SPICE_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS, 0, true },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_INIT, 14 },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_STREAM_REPORT, 32 },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, 1 },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, 0 },
	{ SPICE_CHANNEL_DISPLAY, SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE, 2 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_DOWN, 4 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_UP, 4 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_MODIFIERS, 2 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_KEY_SCANCODE, 2 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_MOTION, 10 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_POSITION, 11 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_PRESS, 3 },
	{ SPICE_CHANNEL_INPUTS, SPICE_MSGC_INPUTS_MOUSE_RELEASE, 3 },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_DATA, 4 },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_MODE, 6 },
	{ SPICE_CHANNEL_RECORD, SPICE_MSGC_RECORD_START_MARK, 4 },
};

struct slot {
	int fd; /* -1: none */
	uint8_t channel;
};

struct talk {
	GRand *random;
	uint32_t session;
	struct slot slots[SLOTS]; /* the first is the main channel's */
};

static struct fixture shared;
static guint64 n_talks, n_opened, n_said;

/* Returns a number below n. */
static unsigned pick(struct talk *talk, unsigned n)
{
	return n > 1 ? g_rand_int(talk->random) % n : 0;
}

/* ---- channels ---- */

static bool say(int fd, const void *bytes, size_t size_bytes)
{
	return size_bytes == 0 || stranger_say(fd, bytes, size_bytes);
}

static bool log_in(int fd, uint8_t channel, uint32_t session, enum stranger_step step)
{
	uint8_t link[LINK_BY_HAND_BYTES], reply[1024], ticket[LINK_BY_HAND_TICKET_BYTES];
	SpiceLinkHeader header;
	uint32_t result;
	link_by_hand_message(link, channel, session);
	if (step < STRANGER_LINK || !say(fd, link, sizeof(link)))
		return false;
	if (step < STRANGER_REPLY || !stranger_hear(fd, &header, sizeof(header)) ||
		header.size > sizeof(reply) || header.size < sizeof(SpiceLinkReply) ||
		!stranger_hear(fd, reply, header.size))
		return false;
	if (((const SpiceLinkReply *)reply)->error != SPICE_LINK_ERR_OK)
		return false;
	link_by_hand_ticket(ticket, reply + offsetof(SpiceLinkReply, pub_key), "");
	if (step < STRANGER_TICKET || !say(fd, ticket, sizeof(ticket)))
		return false;
	return step >= STRANGER_RESULT && stranger_hear(fd, &result, sizeof(result)) &&
	       result == SPICE_LINK_ERR_OK;
}

/* Takes a slot, of which another one may have to go. */
static struct slot *open_channel(
	struct talk *talk, struct slot *slot, uint8_t channel, enum stranger_step step)
{
	const struct timeval patience = { .tv_usec = PATIENCE_US };
	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = fake_desktop_connect_socket(shared.desktop);
	slot->channel = channel;
	setsockopt(slot->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(slot->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	n_opened +=
		log_in(slot->fd, channel, channel == SPICE_CHANNEL_MAIN ? 0 : talk->session, step);
	return slot;
}

static void open_other(struct talk *talk, unsigned at, uint8_t channel, enum stranger_step step)
{
	static const uint8_t init[14];
	struct slot *slot = open_channel(talk, &talk->slots[at], channel, step);
	if (channel == SPICE_CHANNEL_DISPLAY && pick(talk, 8) > 0)
		stranger_say_message(slot->fd, SPICE_MSGC_DISPLAY_INIT, init, sizeof(init));
}

/* Mostly as a client does that means it. */
static void begin(struct talk *talk)
{
	static const uint8_t others[] = { SPICE_CHANNEL_DISPLAY, SPICE_CHANNEL_INPUTS,
		SPICE_CHANNEL_CURSOR, SPICE_CHANNEL_PLAYBACK, SPICE_CHANNEL_RECORD };
	uint8_t body[32];
	uint16_t type = 0;
	for (unsigned i = 0; i < SLOTS; i++)
		talk->slots[i].fd = -1;
	struct slot *main =
		open_channel(talk, &talk->slots[0], SPICE_CHANNEL_MAIN, STRANGER_RESULT);
	while (stranger_hear_message(main->fd, &type, body, sizeof(body)) &&
		type != SPICE_MSG_MAIN_INIT)
		;
	if (type == SPICE_MSG_MAIN_INIT)
		memcpy(&talk->session, body, sizeof(talk->session));
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
		if (pick(talk, 3) > 0)
			open_other(talk, 1 + i, others[i], STRANGER_RESULT);
	}
}

static void leave(struct talk *talk, struct slot *slot)
{
	const struct linger none = { .l_onoff = 1 };
	if (slot->fd < 0)
		return;
	if (pick(talk, 2))
		setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(slot->fd);
	slot->fd = -1;
}

/* Returns one that is open, or the main channel's, which may not be. */
static struct slot *any(struct talk *talk)
{
	unsigned at = pick(talk, SLOTS);
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &talk->slots[(at + i) % SLOTS];
		if (slot->fd >= 0)
			return slot;
	}
	return &talk->slots[0];
}

/* ---- messages ---- */

static const struct word *choose_word(struct talk *talk, uint8_t channel)
{
	for (;;) {
		const struct word *word = &words[pick(talk, G_N_ELEMENTS(words))];
		bool fits = word->channel == channel || word->channel == 0 || pick(talk, 64) == 0;
		if (fits && (!word->rare || pick(talk, 16) == 0))
			return word;
	}
}

static size_t choose_size(struct talk *talk, size_t least_bytes)
{
	switch (pick(talk, 16)) {
	case 0:
		return least_bytes > 0 ? least_bytes - 1 : 0;
	case 1:
		return least_bytes + 1;
	case 2:
		return pick(talk, 300);
	case 3:
		return pick(talk, BODY_MAX);
	case 4:
		return least_bytes + pick(talk, 40);
	default:
		return least_bytes;
	}
}

static void fill(struct talk *talk, uint8_t *body, size_t size_bytes)
{
	unsigned how = pick(talk, 4);
	memset(body, how == 1 ? 0xff : 0, size_bytes);
	for (size_t i = 0; how >= 2 && i < size_bytes; i++)
		body[i] = how == 2 ? (uint8_t)pick(talk, 256) :
				     (uint8_t)(i % 4 == 0 ? pick(talk, 4) : 0);
}

/* Mostly a sound beginning of a message to the agent. */
static void fill_agent(struct talk *talk, uint8_t *body, size_t size_bytes)
{
	VDAgentMessage message = {
		.protocol = VD_AGENT_PROTOCOL,
		.type = pick(talk, 18),
		.size = (uint32_t)(size_bytes - MIN(size_bytes, sizeof(message))) +
			(pick(talk, 4) == 0 ? pick(talk, 100) : 0),
	};
	if (pick(talk, 8) > 0)
		memcpy(body, &message, MIN(size_bytes, sizeof(message)));
}

static void say_message(struct talk *talk, struct slot *slot)
{
	uint8_t bytes[sizeof(SpiceMiniDataHeader) + BODY_MAX + 512];
	uint8_t *body = bytes + sizeof(SpiceMiniDataHeader);
	const struct word *word = choose_word(talk, slot->channel);
	size_t body_bytes = choose_size(talk, word->bytes);
	SpiceMiniDataHeader header = { word->type, (uint32_t)body_bytes };
	if (pick(talk, 64) == 0)
		header.type = (uint16_t)pick(talk, 65536);
	if (pick(talk, 64) == 0)
		header.size = g_rand_int(talk->random);
	memcpy(bytes, &header, sizeof(header));
	fill(talk, body, body_bytes);
	if (word->channel == SPICE_CHANNEL_MAIN && word->type == SPICE_MSGC_MAIN_AGENT_DATA)
		fill_agent(talk, body, body_bytes);
	size_t all_bytes = sizeof(header) + body_bytes;
	size_t part_bytes = pick(talk, 8) == 0 ? pick(talk, (unsigned)all_bytes) : all_bytes;
	n_said++;
	if (!say(slot->fd, bytes, part_bytes))
		return;
	if (part_bytes < all_bytes && pick(talk, 4) > 0) {
		g_usleep(pick(talk, 500));
		say(slot->fd, bytes + part_bytes, all_bytes - part_bytes);
	}
}

static void say_noise(struct talk *talk, struct slot *slot)
{
	uint8_t bytes[256];
	size_t size_bytes = pick(talk, sizeof(bytes));
	fill(talk, bytes, size_bytes);
	say(slot->fd, bytes, size_bytes);
}

static void hear_what_is_there(struct slot *slot)
{
	uint8_t bytes[65536];
	while (recv(slot->fd, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes))
		;
}

static void draw(struct talk *talk)
{
	const struct rect rect = { pick(talk, WIDTH / 2), pick(talk, HEIGHT / 2),
		1 + pick(talk, WIDTH / 2), 1 + pick(talk, HEIGHT / 2) };
	canvas_noise(fixture_canvas(&shared), rect, (uint32_t)n_talks);
	fake_render_flush(shared.render, 0, &rect, 1);
}

static void act(struct talk *talk)
{
	static const uint8_t channels[] = { SPICE_CHANNEL_MAIN, SPICE_CHANNEL_DISPLAY,
		SPICE_CHANNEL_DISPLAY, SPICE_CHANNEL_INPUTS, SPICE_CHANNEL_CURSOR,
		SPICE_CHANNEL_PLAYBACK, SPICE_CHANNEL_RECORD, SPICE_CHANNEL_USBREDIR };
	unsigned what = pick(talk, 32);
	if (what < 3) {
		uint8_t channel = channels[pick(talk, G_N_ELEMENTS(channels))];
		/* A second main channel ends the first one's session. */
		unsigned at = channel == SPICE_CHANNEL_MAIN ? 0 : 1 + pick(talk, SLOTS - 1);
		enum stranger_step step = pick(talk, 4) > 0 ?
						  STRANGER_RESULT :
						  (enum stranger_step)pick(talk, STRANGER_RESULT);
		open_other(talk, at, channel, step);
	} else if (what < 25) {
		say_message(talk, any(talk));
	} else if (what < 26 && pick(talk, 4) == 0) {
		say_noise(talk, any(talk));
	} else if (what < 27) {
		leave(talk, any(talk));
	} else if (what < 29) {
		draw(talk);
	} else if (what < 30) {
		g_usleep(pick(talk, 2000));
	} else {
		hear_what_is_there(any(talk));
	}
}

static void talk_once(guint64 number)
{
	const guint32 seeds[] = { seed, (guint32)number, (guint32)(number >> 32) };
	struct talk talk = { .random = g_rand_new_with_seed_array(seeds, G_N_ELEMENTS(seeds)) };
	begin(&talk);
	unsigned n = 1 + pick(&talk, ACTIONS_MAX);
	for (unsigned i = 0; i < n; i++)
		act(&talk);
	for (unsigned i = 0, at = pick(&talk, SLOTS); i < SLOTS; i++)
		leave(&talk, &talk.slots[(at + i) % SLOTS]);
	g_rand_free(talk.random);
}

/* ---- the test ---- */

static void expect_served(void)
{
	struct stranger next;
	gint64 begun_us = g_get_monotonic_time();
	stranger_connect(&next, shared.desktop);
	g_assert_cmpint((g_get_monotonic_time() - begun_us) / 1000, <, SERVED_MS);
	stranger_close(&next);
}

/* A session before it may have done it. */
static void say_where(int signal)
{
	printf("# it was at --first=%" G_GUINT64_FORMAT "\n", first + n_talks);
	fake_desktop_print_log(shared.desktop);
	fflush(stdout);
}

static void test_talks(void)
{
	gint64 until_us = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	unsigned long kib = 0;
	seed = (guint32)g_test_rand_int();
	fixture_start(&shared, WIDTH, HEIGHT, NULL);
	signal(SIGABRT, say_where);
	for (; g_get_monotonic_time() < until_us; n_talks++) {
		talk_once(first + n_talks);
		g_assert_true(fake_desktop_is_alive(shared.desktop));
		if (n_talks % SERVED_EVERY == 0)
			expect_served();
		if (n_talks == SERVED_EVERY)
			kib = fake_desktop_resident_kib(shared.desktop);
	}
	printf("# %" G_GUINT64_FORMAT " sessions, %" G_GUINT64_FORMAT
	       " channels let in, %" G_GUINT64_FORMAT " messages said; KiB %lu, then %lu\n",
		n_talks, n_opened, n_said, kib, fake_desktop_resident_kib(shared.desktop));
	g_assert_cmpuint(n_opened, >, 0);
	g_assert_cmpuint(n_said, >, 0);
	expect_served();
	fixture_stop(&shared);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--seconds="))
			seconds = (unsigned)atoi(argv[i] + strlen("--seconds="));
		if (g_str_has_prefix(argv[i], "--first="))
			first = g_ascii_strtoull(argv[i] + strlen("--first="), NULL, 10);
	}
	g_test_add_func("/talks/by-chance", test_talks);
	return g_test_run();
}
