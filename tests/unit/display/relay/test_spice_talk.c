/* SPDX-License-Identifier: MIT */
/*
 * spice_talk: checks both directions of a connection in pieces of any size and both forms of
 * headers. Watched messages come whole, all bytes are passed on, and nonsense is refused.
 */
#include "display/relay/spice_talk.h"

#include <errno.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "tests/unit/display/relay/spice_words.h"

#define WATCHED_TYPE 103
#define WATCHED_BYTES 8

struct seen {
	unsigned n_server, n_client;
};

static void on_server(void *user, uint8_t *body, size_t size_bytes)
{
	struct seen *seen = user;
	g_assert_cmpuint(size_bytes, ==, WATCHED_BYTES);
	g_assert_cmpmem(body, 4, "same", 4);
	memcpy(body + 4, "edit", 4);
	seen->n_server++;
}

static void on_client(void *user, uint8_t *body, size_t size_bytes)
{
	struct seen *seen = user;
	seen->n_client++;
}

static const struct spice_talk_watch watches[] = {
	{ SPICE_LINK_CHANNEL_DISPLAY, SPICE_TALK_CLIENT, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, 0,
		on_client },
	{ SPICE_LINK_CHANNEL_MAIN, SPICE_TALK_SERVER, WATCHED_TYPE, WATCHED_BYTES, on_server },
	{ SPICE_LINK_CHANNEL_DISPLAY, SPICE_TALK_SERVER, WATCHED_TYPE, WATCHED_BYTES, on_server },
};

/* ---- passing it through ---- */

/*
 * Passes the bytes in pieces of at most piece_bytes. All that is passed on must be all that came.
 * The caller frees the result.
 */
static GByteArray *pass(struct spice_talk *talk, enum spice_talk_side side, const GByteArray *bytes,
	size_t piece_bytes)
{
	GByteArray *passed = g_byte_array_new();
	uint8_t held[SPICE_TALK_HELD_MAX + 4096];
	size_t n_held = 0;
	for (size_t at = 0; at < bytes->len;) {
		size_t n = MIN(piece_bytes, bytes->len - at);
		memcpy(held + n_held, bytes->data + at, n);
		at += n;
		n_held += n;
		ssize_t done = spice_talk_read(talk, side, held, n_held);
		g_assert_cmpint(done, >=, 0);
		put(passed, held, (size_t)done);
		memmove(held, held + done, n_held - (size_t)done);
		n_held -= (size_t)done;
		g_assert_cmpuint(n_held, <, SPICE_TALK_HELD_MAX);
	}
	g_assert_cmpuint(n_held, ==, 0);
	return passed;
}

static void pass_all(struct spice_talk *talk, enum spice_talk_side side, GByteArray *bytes,
	size_t piece_bytes, const char *edited)
{
	g_autoptr(GByteArray) passed = pass(talk, side, bytes, piece_bytes);
	g_autofree uint8_t *wanted = g_memdup2(bytes->data, bytes->len);
	uint8_t *place = edited ? memmem(wanted, bytes->len, edited, 8) : NULL;
	if (place)
		memcpy(place + 4, "edit", 4);
	g_assert_cmpmem(passed->data, passed->len, wanted, bytes->len);
	g_byte_array_set_size(bytes, 0);
}

static void begin(struct spice_talk *talk, uint8_t channel, bool mini)
{
	struct spice_link link;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_client_link(bytes, channel, caps_of(mini));
	g_assert_cmpint(spice_link_parse(bytes->data, bytes->len, &link), ==, SPICE_LINK_KNOWN);
	spice_talk_begin(talk, &link, mini);
}

static void talk_whole(bool mini, size_t piece_bytes)
{
	static const uint8_t large[5000];
	struct seen seen = { 0 };
	struct spice_talk talk;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	spice_talk_init(&talk, watches, G_N_ELEMENTS(watches), &seen);
	begin(&talk, SPICE_CHANNEL_DISPLAY, mini);
	put_message(bytes, mini, SPICE_MSGC_DISPLAY_INIT, large, 14);
	pass_all(&talk, SPICE_TALK_CLIENT, bytes, piece_bytes, NULL);
	put_message(bytes, mini, SPICE_MSG_SET_ACK, large, 8);
	pass_all(&talk, SPICE_TALK_SERVER, bytes, piece_bytes, NULL);
	g_assert_cmpint(talk.opening, ==, SPICE_TALK_HAD_INIT);
	put_message(bytes, mini, SPICE_MSGC_ACK, "", 0);
	put_message(bytes, mini, SPICE_MSGC_PONG, large, 12);
	put_message(bytes, mini, SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE, "\1\2", 2);
	pass_all(&talk, SPICE_TALK_CLIENT, bytes, piece_bytes, NULL);
	g_assert_false(spice_talk_is_paused(&talk));
	put_message(bytes, mini, 4711, large, 8);
	pass_all(&talk, SPICE_TALK_SERVER, bytes, piece_bytes, NULL);
	g_assert_cmpint(talk.opening, ==, SPICE_TALK_OPEN);
	put_message(bytes, mini, SPICE_MSGC_ACK_SYNC, "abcde", 5);
	put_message(bytes, mini, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, "", 0);
	pass_all(&talk, SPICE_TALK_CLIENT, bytes, piece_bytes, NULL);
	g_assert_cmpuint(seen.n_client, ==, 1);
	put_message(bytes, mini, 5, large, sizeof(large));
	put_message(bytes, mini, WATCHED_TYPE, "same", 4); /* too short to be shown */
	put_message(bytes, mini, WATCHED_TYPE, "sametime and more", 17);
	put_message(bytes, mini, 6, large, 1);
	pass_all(&talk, SPICE_TALK_SERVER, bytes, piece_bytes, "sametime");
	g_assert_cmpuint(seen.n_server, ==, 1);
	g_assert_true(spice_talk_is_between(&talk, SPICE_TALK_SERVER));
	g_assert_true(talk.mini_header == mini);
}

static void test_pieces(void)
{
	static const size_t pieces[] = { 1, 2, 3, 5, 17, 100, 1000, 4096 };
	for (unsigned i = 0; i < G_N_ELEMENTS(pieces) * 2; i++)
		talk_whole(i & 1, pieces[i / 2]);
}

/* Nothing is put into the middle of a message, nor where headers are numbered. */
static void test_make(void)
{
	struct spice_talk talk = { .mini_header = true };
	uint8_t bytes[32];
	g_assert_cmpuint(spice_talk_make(&talk, 106, "time", 4, bytes, sizeof(bytes)), ==, 10);
	g_assert_cmpmem(bytes, 10, "\x6a\0\4\0\0\0time", 10);
	g_assert_cmpuint(spice_talk_make(&talk, 106, "time", 4, bytes, 20), ==, 0);
	talk.mini_header = false;
	g_assert_cmpuint(spice_talk_make(&talk, 106, "time", 4, bytes, sizeof(bytes)), ==, 0);
}

static ssize_t read_all(struct spice_talk *talk, enum spice_talk_side side, GByteArray *bytes)
{
	ssize_t n = spice_talk_read(talk, side, bytes->data, bytes->len);
	g_byte_array_set_size(bytes, 0);
	return n;
}

static void test_between(void)
{
	struct seen seen = { 0 };
	struct spice_talk talk;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	spice_talk_init(&talk, watches, G_N_ELEMENTS(watches), &seen);
	begin(&talk, SPICE_CHANNEL_MAIN, true);
	g_assert_true(spice_talk_is_between(&talk, SPICE_TALK_SERVER));
	put_message(bytes, true, 1, "0123456789", 10);
	g_byte_array_set_size(bytes, bytes->len - 1);
	g_assert_cmpint(read_all(&talk, SPICE_TALK_SERVER, bytes), >, 0);
	g_assert_false(spice_talk_is_between(&talk, SPICE_TALK_SERVER));
	put(bytes, "9", 1);
	g_assert_cmpint(read_all(&talk, SPICE_TALK_SERVER, bytes), ==, 1);
	g_assert_true(spice_talk_is_between(&talk, SPICE_TALK_SERVER));
}

static void open_display(struct spice_talk *talk)
{
	spice_talk_init(talk, NULL, 0, NULL);
	begin(talk, SPICE_CHANNEL_DISPLAY, true);
	g_assert_cmpint(talk->opening, ==, SPICE_TALK_EXPECTS_INIT);
}

/*
 * Half an INIT does not pass. Nothing passes before a whole one, and nothing behind it that
 * spice-server might find fault with.
 */
static void test_opening(void)
{
	struct spice_talk talk;
	static const uint8_t report[32];
	static const uint8_t init[6 + 14] = { SPICE_MSGC_DISPLAY_INIT, 0, 14 };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	open_display(&talk);
	g_assert_false(spice_talk_is_between(&talk, SPICE_TALK_CLIENT));
	put(bytes, init, 19);
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, 0);
	put(bytes, init, 20);
	put_message(bytes, true, SPICE_MSGC_DISPLAY_STREAM_REPORT, report, sizeof(report));
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, 20);
	g_assert_true(spice_talk_is_paused(&talk));
	g_assert_false(spice_talk_is_between(&talk, SPICE_TALK_CLIENT));
	g_byte_array_set_size(bytes, 0);
	put_message(bytes, true, SPICE_MSG_DISPLAY_MARK, NULL, 0);
	read_all(&talk, SPICE_TALK_SERVER, bytes);
	g_assert_false(spice_talk_is_paused(&talk));
	g_assert_true(spice_talk_is_between(&talk, SPICE_TALK_CLIENT));
	g_assert_cmpint(talk.opening, ==, SPICE_TALK_OPEN);
	put_message(bytes, true, SPICE_MSGC_DISPLAY_STREAM_REPORT, report, sizeof(report));
	g_byte_array_set_size(bytes, 6);
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, 6);
	g_assert_false(spice_talk_is_between(&talk, SPICE_TALK_CLIENT));
	put(bytes, report, sizeof(report));
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, sizeof(report));
	g_assert_true(spice_talk_is_between(&talk, SPICE_TALK_CLIENT));

	open_display(&talk);
	put(bytes, init, 20);
	put_message(bytes, true, SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE, "\2\2", 2);
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, 20);
	g_assert_true(spice_talk_is_paused(&talk));
	g_byte_array_set_size(bytes, 0);

	open_display(&talk);
	put_message(bytes, true, SPICE_MSGC_DISPLAY_STREAM_REPORT, report, sizeof(report));
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, -EPROTO);
	open_display(&talk);
	put_message(bytes, true, SPICE_MSGC_DISPLAY_INIT, "short", 5);
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, -EPROTO);
	open_display(&talk);
	put_message(bytes, true, SPICE_MSGC_ACK_SYNC, "abcd", 4);
	g_assert_cmpint(read_all(&talk, SPICE_TALK_CLIENT, bytes), ==, -EPROTO);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-talk/pieces", test_pieces);
	g_test_add_func("/relay-talk/make", test_make);
	g_test_add_func("/relay-talk/between", test_between);
	g_test_add_func("/relay-talk/opening", test_opening);
	return g_test_run();
}
