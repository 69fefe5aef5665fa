/* SPDX-License-Identifier: MIT */
/*
 * websocket: reads frames of a client by the rules and against them (RFC 6455, 5 and 7), and checks
 * what data comes out, how reading ends, and which frames of ours answer. Each is read with every
 * size of piece.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "display/relay/limits.h"
#include "display/relay/websocket.h"

/* Clients' frames are masked; we mask by 0, so that what travels can be read here. */
#define MASK "\0\0\0\0"
#define BYTES(text) text, sizeof(text) - 1

static const struct conversation {
	const char *name;
	const char *frames;
	size_t frames_bytes;
	const char *data; /* what comes out */
	ssize_t end;      /* what reading returns then */
	const char *answer;
	size_t answer_bytes;
} conversations[] = {
	{ "binary", BYTES("\x82\x83" MASK "abc"), "abc", -EAGAIN, BYTES("") },
	{ "masked", BYTES("\x82\x83\1\2\3\4`ab"), "aca", -EAGAIN, BYTES("") },
	{ "length in two bytes",
		BYTES("\x82\xfe\0\x7e" MASK
		      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		-EAGAIN, BYTES("") },
	{ "empty", BYTES("\x82\x80" MASK "\x82\x81" MASK "a"), "a", -EAGAIN, BYTES("") },
	{ "fragments", BYTES("\2\x81" MASK "a\0\x81" MASK "b\x80\x81" MASK "c"), "abc", -EAGAIN,
		BYTES("") },
	{ "ping among fragments", BYTES("\2\x81" MASK "a\x89\x82" MASK "hi\x80\x81" MASK "c"), "ac",
		-EAGAIN, BYTES("\x8a\2hi") },
	{ "ping", BYTES("\x89\x82" MASK "hi"), "", -EAGAIN, BYTES("\x8a\2hi") },
	{ "empty ping", BYTES("\x89\x80" MASK), "", -EAGAIN, BYTES("\x8a\0") },
	{ "pong", BYTES("\x8a\x82" MASK "hi"), "", -EAGAIN, BYTES("") },
	/* These say goodbye. */
	{ "goodbye", BYTES("\x82\x81" MASK "a\x88\x82" MASK "\3\xe8"), "a", -ESHUTDOWN,
		BYTES("\x88\2\3\xe8") },
	{ "goodbye with a reason", BYTES("\x88\x86" MASK "\3\xe9gone"), "", -ESHUTDOWN,
		BYTES("\x88\2\3\xe9") },
	{ "goodbye without status", BYTES("\x88\x80" MASK), "", -ESHUTDOWN, BYTES("\x88\0") },
	{ "goodbye of an application", BYTES("\x88\x82" MASK "\x0f\xa0"), "", -ESHUTDOWN,
		BYTES("\x88\2\x0f\xa0") },
	{ "ping before a goodbye", BYTES("\x89\x82" MASK "hi\x88\x80" MASK), "", -ESHUTDOWN,
		BYTES("\x8a\2hi\x88\0") },
	{ "data behind a goodbye", BYTES("\x88\x80" MASK "\x82\x81" MASK "a"), "", -ESHUTDOWN,
		BYTES("\x88\0") },
	{ "half a status", BYTES("\x88\x81" MASK "\3"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "status 999", BYTES("\x88\x82" MASK "\3\xe7"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "status 1005", BYTES("\x88\x82" MASK "\3\xed"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "status 5000", BYTES("\x88\x82" MASK "\x13\x88"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "reason is not UTF-8", BYTES("\x88\x83" MASK "\3\xe8\xff"), "", -EPROTO,
		BYTES("\x88\2\3\xef") },
	/* These are against the rules. */
	{ "not masked", BYTES("\x82\3abc"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "ping not masked", BYTES("\x89\2hi"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "reserved bit 1", BYTES("\xc2\x81" MASK "a"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "reserved bit 2", BYTES("\xa2\x81" MASK "a"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "reserved bit 3", BYTES("\x92\x81" MASK "a"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "text", BYTES("\x81\x81" MASK "a"), "", -EPROTO, BYTES("\x88\2\3\xeb") },
	{ "reserved data frame", BYTES("\x83\x81" MASK "a"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "reserved control frame", BYTES("\x8b\x81" MASK "a"), "", -EPROTO,
		BYTES("\x88\2\3\xea") },
	{ "ping of 126 bytes", BYTES("\x89\xfe\0\x7e" MASK), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "ping in fragments", BYTES("\x09\x82" MASK "hi"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "goes on from nothing", BYTES("\x80\x81" MASK "a"), "", -EPROTO, BYTES("\x88\2\3\xea") },
	{ "begins within a message", BYTES("\2\x81" MASK "a\x82\x81" MASK "b"), "a", -EPROTO,
		BYTES("\x88\2\3\xea") },
	{ "length longer than needed", BYTES("\x82\xfe\0\1" MASK "a"), "", -EPROTO,
		BYTES("\x88\2\3\xea") },
	{ "length of 2^63", BYTES("\x82\xff\x80\0\0\0\0\0\0\0" MASK "a"), "", -EPROTO,
		BYTES("\x88\2\3\xea") },
};

struct transport {
	const char *bytes;
	size_t size_bytes, start, piece_bytes;
	bool ends, full;
	GByteArray *written;
};

static ssize_t read_piece(void *user, uint8_t *bytes, size_t size_bytes)
{
	struct transport *transport = user;
	size_t n = MIN(
		MIN(size_bytes, transport->piece_bytes), transport->size_bytes - transport->start);
	if (n == 0)
		return transport->ends ? 0 : -EAGAIN;
	memcpy(bytes, transport->bytes + transport->start, n);
	transport->start += n;
	return (ssize_t)n;
}

static ssize_t write_piece(void *user, const uint8_t *bytes, size_t size_bytes)
{
	struct transport *transport = user;
	size_t n = MIN(size_bytes, transport->piece_bytes);
	if (transport->full)
		return -EAGAIN;
	g_byte_array_append(transport->written, bytes, (guint)n);
	return (ssize_t)n;
}

static const struct websocket_ops ops = { .read = read_piece, .write = write_piece };

/* Reads until reading ends; -EAGAIN counts as the end when nothing is left. */
static ssize_t read_all(struct websocket *websocket, struct transport *transport, GString *data)
{
	uint8_t bytes[100];
	ssize_t n;
	do {
		n = websocket_read(websocket, bytes, sizeof(bytes));
		if (n > 0)
			g_string_append_len(data, (const char *)bytes, n);
	} while (n > 0 || (n == -EAGAIN && transport->start < transport->size_bytes));
	return n;
}

static void send_waiting(struct websocket *websocket)
{
	while (websocket_wants_out(websocket))
		g_assert_cmpint(websocket_send_waiting(websocket), <=, 0);
}

static void converse(const struct conversation *conversation, size_t piece_bytes)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	struct transport transport = { conversation->frames, conversation->frames_bytes, 0,
		piece_bytes, false, false, written };
	struct websocket *websocket = websocket_create(&ops, &transport);
	g_autoptr(GString) data = g_string_new("");
	g_test_message("%s, %zu bytes at once", conversation->name, piece_bytes);
	ssize_t end = read_all(websocket, &transport, data);
	g_assert_cmpint(end, ==, conversation->end);
	send_waiting(websocket);
	g_assert_cmpstr(data->str, ==, conversation->data);
	g_assert_cmpmem(
		written->data, written->len, conversation->answer, conversation->answer_bytes);
	g_assert_true((websocket_reason(websocket)[0] != '\0') == (end == -EPROTO));
	if (end != -EAGAIN)
		g_assert_cmpint(websocket_write(websocket, (const uint8_t *)"x", 1), ==, -EPIPE);
	websocket_destroy(websocket);
}

static void test_conversations(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(conversations); i++)
		for (size_t piece = 1; piece <= conversations[i].frames_bytes; piece++)
			converse(&conversations[i], piece);
}

/* In newer releases of GLib g_string_append_len is a macro, which BYTES gives too few arguments. */
static void append(GString *string, const char *bytes, size_t n)
{
	g_string_append_len(string, bytes, (gssize)n);
}

static void test_frames_without_data(void)
{
	for (unsigned over = 0; over < 2; over++) {
		g_autoptr(GByteArray) written = g_byte_array_new();
		g_autoptr(GString) frames = g_string_new("");
		g_autoptr(GString) data = g_string_new("");
		for (unsigned i = 0; i < EMPTY_FRAMES_MAX - 1 + over; i++)
			append(frames, BYTES("\x82\x80" MASK));
		append(frames, BYTES("\x82\x81" MASK "a"));
		struct transport transport = { frames->str, frames->len, 0, SIZE_MAX, false, false,
			written };
		struct websocket *websocket = websocket_create(&ops, &transport);
		g_assert_cmpint(
			read_all(websocket, &transport, data), ==, over ? -EPROTO : -EAGAIN);
		send_waiting(websocket);
		g_assert_cmpmem(written->data, written->len, "\x88\2\3\xf0", over ? 4 : 0);
		websocket_destroy(websocket);
	}
}

/* Our goodbye waits until the frame that was begun is finished. */
static void test_goodbye_behind_a_frame(void)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	struct transport transport = { BYTES("\x88\x80" MASK), 0, 2, true, false, written };
	struct websocket *websocket = websocket_create(&ops, &transport);
	g_autoptr(GString) data = g_string_new("");
	g_assert_cmpint(websocket_write(websocket, (const uint8_t *)"abc", 3), ==, 2);
	g_assert_cmpint(read_all(websocket, &transport, data), ==, -ESHUTDOWN);
	g_assert_cmpint(websocket_send_waiting(websocket), ==, 0);
	g_assert_true(websocket_wants_out(websocket));
	g_assert_cmpint(websocket_write(websocket, (const uint8_t *)"c", 1), ==, 1);
	g_assert_cmpint(websocket_write(websocket, (const uint8_t *)"d", 1), ==, -EPIPE);
	g_assert_cmpmem(written->data, written->len, "\x82\3abc\x88\0", 7);
	websocket_destroy(websocket);
}

/* We say goodbye once, also when the client answers it. */
static void test_our_goodbye(void)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	struct transport transport = { BYTES("\x88\x82" MASK "\3\xe9"), 0, SIZE_MAX, true, false,
		written };
	struct websocket *websocket = websocket_create(&ops, &transport);
	websocket_close(websocket, WEBSOCKET_GOING_AWAY);
	websocket_close(websocket, WEBSOCKET_NORMAL);
	send_waiting(websocket);
	websocket_close(websocket, WEBSOCKET_NORMAL);
	send_waiting(websocket);
	g_assert_cmpmem(written->data, written->len, "\x88\2\3\xe9", 4);
	websocket_destroy(websocket);
}

static void test_end(void)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	struct transport transport = { BYTES("\x82\x83" MASK "ab"), 0, SIZE_MAX, true, false,
		written };
	struct websocket *websocket = websocket_create(&ops, &transport);
	uint8_t bytes[10];
	g_assert_cmpint(websocket_read(websocket, bytes, sizeof(bytes)), ==, 2);
	g_assert_cmpint(websocket_read(websocket, bytes, sizeof(bytes)), ==, 0);
	g_assert_cmpuint(written->len, ==, 0);
	websocket_destroy(websocket);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/websocket/conversations", test_conversations);
	g_test_add_func("/websocket/frames-without-data", test_frames_without_data);
	g_test_add_func("/websocket/goodbye-behind-a-frame", test_goodbye_behind_a_frame);
	g_test_add_func("/websocket/our-goodbye", test_our_goodbye);
	g_test_add_func("/websocket/end", test_end);
	return g_test_run();
}
