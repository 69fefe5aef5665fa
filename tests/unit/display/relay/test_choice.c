/* SPDX-License-Identifier: MIT */
/*
 * choice: checks when the relay asks spice-server for another compression because the line is slow:
 * between two messages, when the channel is open, and not when the client has chosen. The relay is
 * a real one; client and server are played, and the test says what the line carries (linked with
 * --wrap=line_get).
 */
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/relay/compression.h"
#include "tests/unit/display/relay/relay_rig.h"
#include "tests/unit/display/relay/spice_words.h"

#define LONG_US (10 * G_USEC_PER_SEC)
/* The relay looks at the line again within this time. */
#define LOOKS_US 700000
#define TICK_US 2000
#define SLOW_BPS 1000000
#define QUICK_BPS COMPRESSION_QUICK_BPS
#define WORD_BYTES (sizeof(SpiceMiniDataHeader) + 1)

struct rig {
	struct relay_rig relay;
	int client, server; /* their sockets */
	bool mini;          /* headers are short */
	GByteArray *said;
};

static void say(struct rig *rig, int fd)
{
	g_assert_cmpint(
		send(fd, rig->said->data, rig->said->len, MSG_NOSIGNAL), ==, rig->said->len);
	g_byte_array_set_size(rig->said, 0);
}

static void put_plain(struct rig *rig, uint16_t type, uint32_t body_bytes)
{
	static const uint8_t body[256];
	put_message(rig->said, rig->mini, type, body, body_bytes);
}

/*
 * Has the server say something all the time. Returns what it has heard, when that is least_bytes or
 * the time is over. The caller frees it.
 */
static GByteArray *hear(struct rig *rig, size_t least_bytes, gint64 time_us)
{
	GByteArray *heard = g_byte_array_new();
	gint64 end_us = g_get_monotonic_time() + time_us;
	uint8_t bytes[4096];
	ssize_t n;
	while (heard->len < least_bytes && g_get_monotonic_time() < end_us) {
		put_plain(rig, SPICE_MSG_DISPLAY_MARK, 0);
		say(rig, rig->server);
		while ((n = recv(rig->server, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
			put(heard, bytes, (size_t)n);
		while (recv(rig->client, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
		g_usleep(TICK_US);
	}
	return heard;
}

static void hear_word(struct rig *rig, uint8_t compression)
{
	g_autoptr(GByteArray) wanted = g_byte_array_new();
	g_autoptr(GByteArray) heard = hear(rig, WORD_BYTES, LONG_US);
	put_message(wanted, true, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, &compression, 1);
	g_assert_cmpmem(heard->data, heard->len, wanted->data, wanted->len);
}

static void hear_nothing(struct rig *rig)
{
	g_autoptr(GByteArray) heard = hear(rig, 1, LOOKS_US);
	g_assert_cmpuint(heard->len, ==, 0);
}

static void hear_bytes(struct rig *rig, size_t size_bytes)
{
	g_autoptr(GByteArray) heard = hear(rig, size_bytes, LONG_US);
	g_assert_cmpuint(heard->len, ==, size_bytes);
}

static gint carried_mbit; /* atomic; 0: as the line itself says */

bool __real_line_get(struct line *line, unsigned head, struct line_figures *figures);
bool __wrap_line_get(struct line *line, unsigned head, struct line_figures *figures);

/* Stands in for line_get(). The relay's thread calls it. */
bool __wrap_line_get(struct line *line, unsigned head, struct line_figures *figures)
{
	bool known = __real_line_get(line, head, figures);
	gint mbit = g_atomic_int_get(&carried_mbit);
	if (mbit > 0) {
		figures->rate_bps = (uint64_t)mbit * 1000000;
		figures->rate_is_floor = false;
	}
	return known;
}

static void carry(uint64_t bps)
{
	g_atomic_int_set(&carried_mbit, (gint)(bps / 1000000));
}

/* Goes as far as INIT; the server has said nothing but that the relay may come in. */
static void rig_start(struct rig *rig, bool mini)
{
	uint8_t init[32];
	*rig = (struct rig){ .mini = mini, .said = g_byte_array_new() };
	relay_rig_start(&rig->relay);
	rig->client = relay_rig_connect(&rig->relay, KEEPER_LISTENER_TCP);
	relay_rig_log_in(&rig->relay, rig->client, SPICE_CHANNEL_DISPLAY, mini);
	put_plain(rig, SPICE_MSGC_DISPLAY_INIT, 14);
	ssize_t init_bytes = rig->said->len;
	say(rig, rig->client);
	rig->server = relay_rig_await_guest(&rig->relay);
	relay_rig_let_in(rig->server, mini);
	g_assert_cmpint(recv(rig->server, init, (size_t)init_bytes, MSG_WAITALL), ==, init_bytes);
	g_assert_cmpuint(init[mini ? 0 : 8], ==, SPICE_MSGC_DISPLAY_INIT);
}

static void rig_stop(struct rig *rig)
{
	relay_rig_stop(&rig->relay);
	carry(0);
	close(rig->client);
	close(rig->server);
	g_byte_array_unref(rig->said);
}

static void test_follows_the_line(void)
{
	struct rig rig;
	rig_start(&rig, true);
	hear_nothing(&rig);
	carry(SLOW_BPS);
	hear_word(&rig, SPICE_IMAGE_COMPRESSION_AUTO_LZ);
	hear_nothing(&rig);
	carry(QUICK_BPS);
	hear_word(&rig, SPICE_IMAGE_COMPRESSION_LZ4);
	rig_stop(&rig);
}

static void test_waits_for_the_opening(void)
{
	struct rig rig;
	uint8_t byte;
	rig_start(&rig, true);
	carry(SLOW_BPS);
	g_usleep(LOOKS_US);
	g_assert_cmpint(recv(rig.server, &byte, 1, MSG_DONTWAIT), ==, -1);
	hear_word(&rig, SPICE_IMAGE_COMPRESSION_AUTO_LZ);
	rig_stop(&rig);
}

/* Says the rest of a message of which the client has said only a part. */
static void say_rest(struct rig *rig, unsigned size_bytes)
{
	static const uint8_t rest[256];
	put(rig->said, rest, size_bytes);
	say(rig, rig->client);
}

/* A message that is watched is held until it is whole, so another may go first. */
static void test_before_a_held_message(void)
{
	const unsigned whole_bytes = sizeof(SpiceMiniDataHeader) + 32, left_bytes = 10;
	struct rig rig;
	rig_start(&rig, true);
	put_plain(&rig, SPICE_MSGC_DISPLAY_STREAM_REPORT, 32);
	g_byte_array_set_size(rig.said, whole_bytes - left_bytes);
	say(&rig, rig.client);
	hear_nothing(&rig);
	carry(SLOW_BPS);
	hear_word(&rig, SPICE_IMAGE_COMPRESSION_AUTO_LZ);
	say_rest(&rig, left_bytes);
	g_autoptr(GByteArray) heard = hear(&rig, whole_bytes, LONG_US);
	g_assert_cmpuint(heard->len, ==, whole_bytes);
	g_assert_cmpuint(heard->data[0], ==, SPICE_MSGC_DISPLAY_STREAM_REPORT);
	rig_stop(&rig);
}

/* A part of any other message goes on as it comes, so nothing is put behind that. */
static void test_not_into_a_message(void)
{
	const unsigned part_bytes = 50, left_bytes = 56;
	struct rig rig;
	rig_start(&rig, true);
	put_plain(&rig, SPICE_MSGC_DISPLAY_GL_DRAW_DONE,
		part_bytes + left_bytes - sizeof(SpiceMiniDataHeader));
	g_byte_array_set_size(rig.said, part_bytes);
	say(&rig, rig.client);
	hear_bytes(&rig, part_bytes);
	carry(SLOW_BPS);
	hear_nothing(&rig);
	say_rest(&rig, left_bytes);
	g_autoptr(GByteArray) heard = hear(&rig, left_bytes + WORD_BYTES, LONG_US);
	g_assert_cmpuint(heard->len, ==, left_bytes + WORD_BYTES);
	g_assert_cmpuint(heard->data[left_bytes], ==, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION);
	rig_stop(&rig);
}

/*
 * What the client asked for stays, except that a compression that pins pictures is replaced by one
 * that does not.
 */
static void test_client_chooses(void)
{
	static const uint8_t choices[][2] = {
		{ SPICE_IMAGE_COMPRESSION_LZ4, SPICE_IMAGE_COMPRESSION_LZ4 },
		{ SPICE_IMAGE_COMPRESSION_OFF, SPICE_IMAGE_COMPRESSION_OFF },
		{ SPICE_IMAGE_COMPRESSION_GLZ, SPICE_IMAGE_COMPRESSION_LZ },
		{ SPICE_IMAGE_COMPRESSION_AUTO_GLZ, SPICE_IMAGE_COMPRESSION_AUTO_LZ },
	};
	struct rig rig;
	rig_start(&rig, true);
	for (unsigned i = 0; i < G_N_ELEMENTS(choices); i++) {
		put_message(rig.said, true, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION,
			&choices[i][0], 1);
		say(&rig, rig.client);
		hear_word(&rig, choices[i][1]);
	}
	carry(SLOW_BPS);
	hear_nothing(&rig);
	rig_stop(&rig);
}

/* Messages with long headers are numbered, so none may be put between them. */
static void test_long_headers(void)
{
	struct rig rig;
	rig_start(&rig, false);
	carry(SLOW_BPS);
	hear_nothing(&rig);
	rig_stop(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-choice/follows-the-line", test_follows_the_line);
	g_test_add_func("/relay-choice/waits-for-the-opening", test_waits_for_the_opening);
	g_test_add_func("/relay-choice/before-a-held-message", test_before_a_held_message);
	g_test_add_func("/relay-choice/not-into-a-message", test_not_into_a_message);
	g_test_add_func("/relay-choice/client-chooses", test_client_chooses);
	g_test_add_func("/relay-choice/long-headers", test_long_headers);
	return g_test_run();
}
