/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes WebSocket as the relay speaks it (websocket.h). The answer to a request must not depend on
 * how it is cut; what comes out of frames, and how that ends, must be what RFC 6455 alone makes of
 * the same bytes (frames.h); and what goes out meanwhile must be frames in order, with all that was
 * written in them.
 */
#include <errno.h>
#include <string.h>

#include "display/relay/limits.h"
#include "display/relay/websocket.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* ---- the request ---- */

static enum websocket_state answer_whole(
	const struct feed *feed, bool open, struct websocket_answer *answer)
{
	size_t seen_bytes = 0;
	return websocket_answer(feed->data, feed->left_bytes, open, &seen_bytes, answer);
}

static void check_answer(
	enum websocket_state state, const struct websocket_answer *answer, size_t size_bytes)
{
	size_t length = strlen(answer->text);
	if (state == WEBSOCKET_MORE)
		return;
	g_assert(g_str_has_prefix(answer->text, "HTTP/1.1 "));
	g_assert(length < sizeof(answer->text) - 1);
	g_assert(strstr(answer->text, "\r\n\r\n") == answer->text + length - 4);
	g_assert((state == WEBSOCKET_GOOD) == g_str_has_prefix(answer->text, "HTTP/1.1 101 "));
	g_assert(state == WEBSOCKET_GOOD ? answer->request_bytes <= size_bytes : answer->why[0]);
}

/* A request that comes in pieces may be refused before all of it is there, but not for less. */
static void fuzz_request(const struct feed *feed, bool open, uint32_t random)
{
	struct websocket_answer whole, answer;
	enum websocket_state wanted = answer_whole(feed, open, &whole), state = WEBSOCKET_MORE;
	size_t seen_bytes = 0, n = 0;
	uint32_t most = 1 + feed_random(&random) % 64;
	check_answer(wanted, &whole, feed->left_bytes);
	while (state == WEBSOCKET_MORE && n < feed->left_bytes) {
		size_t more = 1 + feed_random(&random) % most;
		n += MIN(more, feed->left_bytes - n);
		/* A copy of its own size has a fence behind it. */
		g_autofree uint8_t *copy = g_memdup2(feed->data, n);
		state = websocket_answer(copy, n, open, &seen_bytes, &answer);
		check_answer(state, &answer, n);
	}
	if (feed->left_bytes == 0)
		return;
	g_assert((state == WEBSOCKET_GOOD) == (wanted == WEBSOCKET_GOOD));
	g_assert((state == WEBSOCKET_MORE) == (wanted == WEBSOCKET_MORE));
	if (state == WEBSOCKET_GOOD) {
		g_assert(strcmp(answer.text, whole.text) == 0);
		g_assert(answer.request_bytes == whole.request_bytes);
	}
}

/* ---- frames ---- */

struct transport {
	const uint8_t *data;
	size_t size_bytes, start;
	uint32_t random, most; /* as large as a piece may be */
	GByteArray *out;
};

static ssize_t read_piece(void *user, uint8_t *bytes, size_t size_bytes)
{
	struct transport *transport = user;
	size_t most = 1 + feed_random(&transport->random) % transport->most;
	size_t n = MIN(MIN(size_bytes, most), transport->size_bytes - transport->start);
	if (n == 0 || feed_random(&transport->random) % 4 == 0)
		return -EAGAIN;
	memcpy(bytes, transport->data + transport->start, n);
	transport->start += n;
	return (ssize_t)n;
}

static ssize_t write_piece(void *user, const uint8_t *bytes, size_t size_bytes)
{
	struct transport *transport = user;
	size_t most = 1 + feed_random(&transport->random) % transport->most;
	size_t n = MIN(size_bytes, most);
	if (feed_random(&transport->random) % 4 == 0)
		return -EAGAIN;
	g_byte_array_append(transport->out, bytes, (guint)n);
	return (ssize_t)n;
}

static const struct websocket_ops ops = { .read = read_piece, .write = write_piece };

/* What we write is this, over and over. */
static const uint8_t said[FRAME_BYTES_MAX + 100] = { "what spice-server says" };

struct talk {
	struct websocket *websocket;
	struct transport transport;
	GByteArray *heard;
	size_t written_bytes, offered_bytes; /* the latter as they must be offered again */
	ssize_t end;                         /* of reading; -EAGAIN: none */
};

/* After -EAGAIN the same bytes are passed, and perhaps more behind them. */
static void write_some(struct talk *talk)
{
	size_t at = talk->written_bytes % sizeof(said);
	size_t most = sizeof(said) - at;
	size_t n = 1 + feed_random(&talk->transport.random) % 100;
	if (feed_random(&talk->transport.random) % 64 == 0)
		n = most;
	talk->offered_bytes = MIN(MAX(talk->offered_bytes, n), most);
	ssize_t written = websocket_write(talk->websocket, said + at, talk->offered_bytes);
	g_assert(written != 0 && written <= (ssize_t)talk->offered_bytes);
	if (written < 0) {
		g_assert(written == -EAGAIN || written == -EPIPE);
		return;
	}
	talk->written_bytes += (size_t)written;
	talk->offered_bytes -= (size_t)written;
}

static bool read_some(struct talk *talk)
{
	uint8_t bytes[300];
	size_t room = 1 + feed_random(&talk->transport.random) % sizeof(bytes);
	ssize_t n = websocket_read(talk->websocket, bytes, room);
	g_assert(n != 0 && n <= (ssize_t)room);
	if (n > 0)
		g_byte_array_append(talk->heard, bytes, (guint)n);
	talk->end = MIN(n, 0);
	return n > 0 || (n == -EAGAIN && talk->transport.start < talk->transport.size_bytes);
}

/* Lets out what waits, a frame that was begun first. */
static void flush(struct talk *talk)
{
	for (unsigned i = 0; i < 100000; i++) {
		size_t at = talk->written_bytes % sizeof(said);
		ssize_t n = talk->offered_bytes == 0 ? websocket_send_waiting(talk->websocket) :
						       websocket_write(talk->websocket, said + at,
							       talk->offered_bytes);
		if (n > 0) {
			talk->written_bytes += (size_t)n;
			talk->offered_bytes -= (size_t)n;
		}
		if (n == -EPIPE)
			talk->offered_bytes = 0;
		if (talk->offered_bytes == 0 && !websocket_wants_out(talk->websocket))
			return;
	}
	g_assert_not_reached();
}

static bool is_same(const GByteArray *a, const GByteArray *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void compare_in(const struct talk *talk, const struct frames_read *wanted)
{
	ssize_t end = wanted->broken ? -EPROTO : wanted->ended ? -ESHUTDOWN : -EAGAIN;
	bool tired = talk->end == -EPROTO && wanted->tires;
	g_assert(tired || (talk->end == end && is_same(talk->heard, wanted->data)));
	g_assert((talk->end == -EPROTO) == (websocket_reason(talk->websocket)[0] != '\0'));
}

static void compare_out(const struct talk *talk, const struct frames_read *wanted)
{
	struct frames_sent sent;
	frames_check_server(&sent, talk->transport.out->data, talk->transport.out->len, true);
	g_assert(sent.data->len == talk->written_bytes);
	for (size_t i = 0; i < sent.data->len; i++)
		g_assert(sent.data->data[i] == said[i % sizeof(said)]);
	g_assert(sent.said_goodbye == (talk->end != -EAGAIN));
	if (sent.said_goodbye && !wanted->tires)
		g_assert(sent.status == wanted->status);
	g_byte_array_unref(sent.data);
}

static void fuzz_frames(const struct feed *feed, uint32_t random)
{
	struct talk talk = { .transport = { .data = feed->data,
				     .size_bytes = feed->left_bytes,
				     .random = random,
				     .most = 1 + random % 61,
				     .out = g_byte_array_new() },
		.heard = g_byte_array_new() };
	struct frames_read wanted;
	talk.websocket = websocket_create(&ops, &talk.transport);
	do {
		for (unsigned i = 0; i < random % 3; i++)
			write_some(&talk);
	} while (read_some(&talk));
	flush(&talk);
	frames_read_client(&wanted, feed->data, feed->left_bytes, EMPTY_FRAMES_MAX);
	compare_in(&talk, &wanted);
	compare_out(&talk, &wanted);
	websocket_destroy(talk.websocket);
	g_byte_array_unref(wanted.data);
	g_byte_array_unref(talk.heard);
	g_byte_array_unref(talk.transport.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	uint8_t mode = feed_u8(&feed);
	uint32_t random = 1 + feed_u8(&feed);
	feed_drop_log();
	if (mode & 1)
		fuzz_frames(&feed, random);
	else
		fuzz_request(&feed, mode & 2, random);
	return 0;
}
