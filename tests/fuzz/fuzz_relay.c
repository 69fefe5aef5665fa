/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a client says and what comes of it, as the relay reads both: the log-in
 * (spice_login.h), messages (spice_talk.h) with the handlers that edit them, WebSocket requests and
 * frames (websocket.h). A talk is a link message and a list of pieces, each with a byte for whose
 * it is and a byte for its size.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "display/relay/limits.h"
#include "display/relay/pipe.h"
#include "display/relay/session.h"
#include "display/relay/spice_login.h"
#include "display/relay/spice_talk.h"
#include "display/relay/spice_watches.h"
#include "display/relay/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

struct input {
	const uint8_t *data;
	size_t size_bytes, start;
};

static void on_tell(void *user)
{
}

static const struct session_ops session_ops = { .tell = on_tell };

/* ---- WebSocket ---- */

static ssize_t read_input(void *user, uint8_t *bytes, size_t size_bytes)
{
	struct input *input = user;
	size_t n = MIN(size_bytes, input->size_bytes - input->start);
	if (n == 0)
		return -EAGAIN;
	memcpy(bytes, input->data + input->start, n);
	input->start += n;
	return (ssize_t)n;
}

/* Takes a little at a time, and sometimes nothing. */
static ssize_t write_nowhere(void *user, const uint8_t *bytes, size_t size_bytes)
{
	const struct input *input = user;
	return input->start % 3 == 0 ? -EAGAIN : (ssize_t)MIN(size_bytes, 1 + input->start % 7);
}

static const struct websocket_ops websocket_ops = { .read = read_input, .write = write_nowhere };

static void fuzz_websocket(const uint8_t *data, size_t size_bytes)
{
	struct websocket_answer answer;
	struct input input = { data, size_bytes, 0 };
	uint8_t bytes[512];
	ssize_t n;
	for (unsigned open = 0; open < 2; open++) {
		size_t seen_bytes = 0;
		if (websocket_answer(data, size_bytes, open, &seen_bytes, &answer) !=
			WEBSOCKET_MORE)
			g_assert(strlen(answer.text) > 0 && answer.request_bytes <= size_bytes);
	}
	struct websocket *websocket = websocket_create(&websocket_ops, &input);
	while ((n = websocket_read(websocket, bytes, sizeof(bytes))) > 0) {
		g_assert((size_t)n <= sizeof(bytes));
		websocket_write(websocket, bytes, (size_t)n);
	}
	websocket_destroy(websocket);
}

/* ---- SPICE ---- */

/* All that is read before the first message is read from the same bytes. */
static void fuzz_login(const uint8_t *data, size_t size_bytes, const struct spice_link *link)
{
	uint8_t bytes[SPICE_LINK_BYTES_MAX + 4];
	struct spice_link again;
	struct spice_login_answer answer;
	const uint8_t *encrypted = NULL;
	size_t made = spice_login_make_link(data, link, bytes);
	if (made <= SPICE_LINK_BYTES_MAX) {
		g_assert(spice_link_parse(bytes, made, &again) == SPICE_LINK_KNOWN);
		g_assert(again.fault == SPICE_LINK_SOUND && again.n_words == link->n_words &&
			 again.gl_scanout == link->gl_scanout && again.session == link->session);
	}
	data += link->size_bytes;
	size_bytes -= link->size_bytes;
	ssize_t n = spice_login_read_ticket(link, data, size_bytes, &encrypted);
	g_assert(n <= (ssize_t)size_bytes && (n <= 0 || encrypted));
	n = spice_login_read_answer(data, size_bytes, &answer);
	g_assert(n <= (ssize_t)size_bytes &&
		 spice_login_answer_bytes(data, size_bytes) <= SPICE_LOGIN_ANSWER_BYTES_MAX);
}

static bool put(struct spice_talk *talk, enum spice_talk_side side, struct pipe *pipe,
	const uint8_t *data, size_t size_bytes)
{
	uint8_t *room;
	g_assert(pipe_make_room(pipe, &room) > size_bytes);
	memcpy(room, data, size_bytes);
	pipe_fill(pipe, size_bytes);
	ssize_t n = spice_talk_read(talk, side, pipe->bytes + pipe->ready, pipe->end - pipe->ready);
	if (n < 0)
		return false;
	pipe->ready += (size_t)n;
	pipe_drain(pipe, pipe->ready - pipe->start);
	g_assert(pipe_filled_bytes(pipe) < SPICE_TALK_HELD_MAX);
	return true;
}

/* Inserts a message of the relay's own, where the talk is between two messages. */
static void insert(
	struct spice_talk *talk, struct pipe *pipes, enum spice_talk_side side, bool small)
{
	uint8_t message[32];
	if (!spice_talk_is_between(talk, side))
		return;
	g_assert(side == SPICE_TALK_SERVER || !talk->link.display ||
		 talk->opening == SPICE_TALK_OPEN);
	size_t made = side == SPICE_TALK_SERVER ?
			      spice_watches_make_time(talk, 1, message, sizeof(message)) :
			      spice_watches_make_compression(talk, small, message, sizeof(message));
	pipe_insert(&pipes[side], message, made);
	pipe_drain(&pipes[side], made);
}

/* Returns the size of the piece whose two bytes of head are at `at`. */
static size_t piece_bytes(const uint8_t *data, size_t size_bytes, size_t at)
{
	return MIN((size_t)data[at + 1] + 1, size_bytes - at - 2);
}

static void fuzz_talk(const uint8_t *data, size_t size_bytes)
{
	struct spice_talk talk;
	struct spice_link link;
	struct spice_watched watched = { 0 };
	struct pipe pipes[SPICE_TALK_SIDES];
	if (spice_link_parse(data, size_bytes, &link) != SPICE_LINK_KNOWN)
		return;
	fuzz_login(data, size_bytes, &link);
	struct sessions *sessions = sessions_create(true);
	watched.session = session_create(sessions, 0, true, &session_ops, NULL);
	spice_talk_init(&talk, spice_watches, spice_watches_length, &watched);
	spice_talk_begin(&talk, &link, link.mini_header);
	for (unsigned i = 0; i < SPICE_TALK_SIDES; i++)
		pipe_init(&pipes[i], PIPE_BYTES);
	for (size_t at = link.size_bytes; at + 2 <= size_bytes;) {
		enum spice_talk_side side = data[at] & 1;
		size_t n = piece_bytes(data, size_bytes, at);
		/* The relay reads nothing of a client that has to wait for the server. */
		if (side == SPICE_TALK_CLIENT && spice_talk_is_paused(&talk))
			n = 0;
		if (!put(&talk, side, &pipes[side], data + at + 2, n))
			break;
		insert(&talk, pipes, side, data[at + 1] & 1);
		at += 2 + piece_bytes(data, size_bytes, at);
	}
	session_end(watched.session);
	spice_watched_finish(&watched);
	for (unsigned i = 0; i < SPICE_TALK_SIDES; i++)
		pipe_finish(&pipes[i]);
	sessions_destroy(sessions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	if (size_bytes == 0)
		return 0;
	if (data[0] & 1)
		fuzz_websocket(data + 1, size_bytes - 1);
	else
		fuzz_talk(data + 1, size_bytes - 1);
	return 0;
}
