/* SPDX-License-Identifier: MIT */
/* agent_filter: plays a client and a guest's agent, honest and lying ones, under each policy. */
#include "display/spice/agent_filter.h"

#include <spice/vd_agent.h>
#include <string.h>

#include "protocol/worker_options.h"

#define ALL_KINDS UINT32_MAX
#define SELECTION(n) (n), 0, 0, 0
#define LE32(n) (n) & 0xff, (n) >> 8 & 0xff, (n) >> 16 & 0xff, (n) >> 24 & 0xff

static const struct agent_policy everything = { true, true, 1000, ALL_KINDS, true };

struct room {
	struct agent_filter *filter;
	unsigned n_announced;
	VDAgentMouseState pointer;
	unsigned n_pointers;
};

/* ---- the filter's owner ---- */

static void on_pointer(void *user, const uint8_t *body)
{
	struct room *room = user;
	memcpy(&room->pointer, body, sizeof(room->pointer));
	room->n_pointers++;
}

static void on_announced(void *user)
{
	((struct room *)user)->n_announced++;
}

static const struct agent_filter_ops ops = { on_pointer, on_announced };

/* ---- making messages ---- */

static void put32(GByteArray *bytes, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(bytes, (const guint8 *)&value, sizeof(value));
}

static GByteArray *make_message(uint32_t type, const void *body, uint32_t n_bytes)
{
	GByteArray *bytes = g_byte_array_new();
	put32(bytes, VD_AGENT_PROTOCOL);
	put32(bytes, type);
	put32(bytes, 0);
	put32(bytes, 0);
	put32(bytes, n_bytes);
	if (n_bytes > 0)
		g_byte_array_append(bytes, body, n_bytes);
	return bytes;
}

/* Says these bytes in chunks of at most chunk_bytes, fed a few bytes at a time. */
static bool say_bytes(struct room *room, enum agent_side from, uint32_t port, const uint8_t *bytes,
	size_t n_bytes, size_t chunk_bytes)
{
	g_autoptr(GByteArray) stream = g_byte_array_new();
	for (size_t at = 0; at < n_bytes; at += chunk_bytes) {
		uint32_t n = (uint32_t)MIN(chunk_bytes, n_bytes - at);
		put32(stream, port);
		put32(stream, n);
		g_byte_array_append(stream, bytes + at, n);
	}
	for (guint at = 0; at < stream->len; at += 7) {
		guint n = MIN(7, stream->len - at);
		g_autofree uint8_t *copy = g_memdup2(stream->data + at, n);
		if (!agent_filter_feed(room->filter, from, copy, n))
			return false;
	}
	return true;
}

static void say_on(struct room *room, enum agent_side from, uint32_t port, uint32_t type,
	const void *body, uint32_t n_bytes)
{
	g_autoptr(GByteArray) message = make_message(type, body, n_bytes);
	g_assert_true(say_bytes(room, from, port, message->data, message->len, 33));
}

static void say(
	struct room *room, enum agent_side from, uint32_t type, const void *body, uint32_t n_bytes)
{
	say_on(room, from, VDP_CLIENT_PORT, type, body, n_bytes);
}

#define SAY(room, from, type, ...)                                                                 \
	do {                                                                                       \
		const uint8_t said[] = { __VA_ARGS__ };                                            \
		say(room, from, type, said, sizeof(said));                                         \
	} while (0)

/* ---- what comes out ---- */

static uint32_t get32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/*
 * Joins what is for a side, as spice-server and agents do, and takes it: "type:body in hex", with
 * "!" before it on the server's port and "..." behind what is not whole.
 */
static char *hear(struct room *room, enum agent_side side)
{
	GByteArray *ports[VDP_END_PORT] = { NULL, g_byte_array_new(), g_byte_array_new() };
	GString *text = g_string_new(NULL);
	size_t n_bytes;
	const uint8_t *bytes = agent_filter_peek(room->filter, side, &n_bytes);
	for (size_t at = 0; at < n_bytes;) {
		uint32_t port = get32(bytes + at), n = get32(bytes + at + 4);
		g_assert_cmpuint(port, <, VDP_END_PORT);
		g_assert_cmpuint(n, <=, VD_AGENT_MAX_DATA_SIZE);
		/* spice-server and agents take a header that is cut for a lie. */
		g_assert_true(ports[port]->len > 0 || n >= sizeof(VDAgentMessage));
		g_byte_array_append(ports[port], bytes + at + 8, n);
		at += 8 + n;
		const VDAgentMessage *header = (const void *)ports[port]->data;
		size_t whole = sizeof(*header) + get32(ports[port]->data + 16);
		g_assert_cmpuint(ports[port]->len, <=, whole);
		if (ports[port]->len < whole && at < n_bytes)
			continue;
		g_string_append_printf(text, "%s%u:", port == VDP_SERVER_PORT ? "!" : "",
			get32(ports[port]->data + 4));
		for (guint i = sizeof(*header); i < MIN(ports[port]->len, 60); i++)
			g_string_append_printf(text, "%02x", ports[port]->data[i]);
		g_string_append(text, ports[port]->len < whole ? "...;" : ";");
		g_byte_array_set_size(ports[port], 0);
	}
	agent_filter_take(room->filter, side, n_bytes);
	g_byte_array_unref(ports[VDP_CLIENT_PORT]);
	g_byte_array_unref(ports[VDP_SERVER_PORT]);
	return g_string_free(text, FALSE);
}

static void expect(struct room *room, enum agent_side side, const char *wanted)
{
	g_autofree char *heard = hear(room, side);
	g_assert_cmpstr(heard, ==, wanted);
}

/* ---- the room ---- */

static void open_quiet(struct room *room, const struct agent_policy *policy)
{
	*room = (struct room){ .filter = agent_filter_create(policy, &ops, room) };
}

/* Client and agent have told each other what they can do, selections among it. */
static void open_room(struct room *room, const struct agent_policy *policy)
{
	open_quiet(room, policy);
	agent_filter_set_guest(room->filter, true);
	SAY(room, AGENT_CLIENT, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(1), LE32(0xffffffffu));
	SAY(room, AGENT_GUEST, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(0), LE32(0xffffffffu));
	g_free(hear(room, AGENT_GUEST));
	g_free(hear(room, AGENT_CLIENT));
}

static void close_room(struct room *room)
{
	agent_filter_destroy(room->filter);
}

/* ---- without an agent in the guest ---- */

static void test_own(void)
{
	struct room room;
	const VDAgentMouseState state = { .x = 3, .y = 4, .buttons = 2, .display_id = 1 };
	open_quiet(&room, &everything);
	SAY(&room, AGENT_CLIENT, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(1), LE32(0xffffffffu));
	/* It takes pointers, sizes with places, and no files. */
	expect(&room, AGENT_CLIENT, "6:0000000083300000;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(0), LE32(1));
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(1));
	SAY(&room, AGENT_CLIENT, VD_AGENT_FILE_XFER_START, LE32(1), 'x');
	say_on(&room, AGENT_CLIENT, VDP_SERVER_PORT, VD_AGENT_MOUSE_STATE, &state, sizeof(state));
	g_assert_cmpuint(room.n_pointers, ==, 1);
	g_assert_cmpuint(room.pointer.display_id, ==, 1);
	/* Clients may not say that they are spice-server. */
	say(&room, AGENT_CLIENT, VD_AGENT_MOUSE_STATE, &state, sizeof(state));
	g_assert_cmpuint(room.n_pointers, ==, 1);
	expect(&room, AGENT_CLIENT, "");
	expect(&room, AGENT_GUEST, "");
	close_room(&room);
}

/* A guest's agent says what it can do before clients have it, and more than it should. */
static void test_asked(void)
{
	struct room room;
	open_quiet(&room, &everything);
	agent_filter_ask(room.filter);
	expect(&room, AGENT_GUEST, "!6:0100000000000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(0), LE32(0x60));
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(1));
	g_assert_cmpuint(room.n_announced, ==, 1);
	expect(&room, AGENT_CLIENT, "");
	agent_filter_set_guest(room.filter, true);
	SAY(&room, AGENT_CLIENT, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(1), LE32(0x60));
	expect(&room, AGENT_GUEST, "6:0100000060000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(0), LE32(0x60));
	expect(&room, AGENT_CLIENT, "6:00000000e3100000;");
	close_room(&room);
}

/* ---- the policy ---- */

/*
 * Windows has no selections, and its agent says so; a client that has them goes by that. Neither
 * may a guest have a field judged that its client does not read.
 */
static void test_no_selections(void)
{
	struct agent_policy policy = everything;
	struct room room;
	policy.clipboard_kinds = WORKER_CLIPBOARD_TEXT;
	open_quiet(&room, &policy);
	agent_filter_set_guest(room.filter, true);
	SAY(&room, AGENT_CLIENT, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(1), LE32(0xffffffffu));
	SAY(&room, AGENT_GUEST, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(0), LE32(0x20));
	g_free(hear(&room, AGENT_GUEST));
	g_free(hear(&room, AGENT_CLIENT));
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, LE32(1));
	expect(&room, AGENT_CLIENT, "7:01000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_REQUEST, LE32(1));
	expect(&room, AGENT_CLIENT, "8:01000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, LE32(2), LE32(1));
	expect(&room, AGENT_CLIENT, "7:01000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD, LE32(2), LE32(1), 'x');
	expect(&room, AGENT_CLIENT, "4:00000000;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD, LE32(1), 'h', 'e', 'y');
	expect(&room, AGENT_GUEST, "4:01000000686579;");
	close_room(&room);
}

static void test_clipboard(void)
{
	struct room room;
	open_room(&room, &everything);
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_GRAB, SELECTION(1), LE32(7), LE32(1), LE32(2));
	expect(&room, AGENT_GUEST, "7:01000000070000000100000002000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(1), LE32(1));
	expect(&room, AGENT_CLIENT, "8:0100000001000000;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD, SELECTION(1), LE32(1), 'h', 'e', 'y');
	expect(&room, AGENT_GUEST, "4:0100000001000000686579;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_RELEASE, SELECTION(1));
	expect(&room, AGENT_GUEST, "9:01000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_RELEASE, 0);
	expect(&room, AGENT_CLIENT, "9:00;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_MAX_CLIPBOARD, LE32(0xffffffffu));
	expect(&room, AGENT_GUEST, "14:e8030000;");
	close_room(&room);
}

/* Only what the guest copies may be pasted. */
static void test_out(void)
{
	struct agent_policy policy = { false, true, 1000, ALL_KINDS, true };
	struct room room;
	open_room(&room, &policy);
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(1));
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_RELEASE, SELECTION(0));
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD, SELECTION(0), LE32(1), 'x');
	expect(&room, AGENT_GUEST, "");
	/* Without being offered anything: it hears that there is nothing. */
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(1), LE32(1));
	expect(&room, AGENT_CLIENT, "");
	expect(&room, AGENT_GUEST, "!4:0100000000000000;");
	/* Serials of grabs are not spoken of, or the two would count differently. */
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(1));
	expect(&room, AGENT_CLIENT, "7:0000000001000000;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(0), LE32(1));
	expect(&room, AGENT_GUEST, "8:0000000001000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD, SELECTION(0), LE32(1), 'y');
	expect(&room, AGENT_CLIENT, "4:000000000100000079;");
	close_room(&room);
}

static void test_in(void)
{
	struct agent_policy policy = { true, false, 1000, ALL_KINDS, true };
	struct room room;
	open_room(&room, &policy);
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(1));
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD, SELECTION(0), LE32(1), 'x');
	expect(&room, AGENT_CLIENT, "");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(0), LE32(1));
	expect(&room, AGENT_GUEST, "");
	expect(&room, AGENT_CLIENT, "4:0000000000000000;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(1));
	expect(&room, AGENT_GUEST, "7:0000000001000000;");
	close_room(&room);
}

static void test_types(void)
{
	struct agent_policy policy = { true, true, 1000, WORKER_CLIPBOARD_TEXT, true };
	struct room room;
	open_room(&room, &policy);
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(2), LE32(1), LE32(6));
	expect(&room, AGENT_CLIENT, "7:0000000001000000;");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, SELECTION(0), LE32(2));
	expect(&room, AGENT_CLIENT, "");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(0), LE32(2));
	expect(&room, AGENT_CLIENT, "4:0000000000000000;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD, SELECTION(0), LE32(2), 'x');
	expect(&room, AGENT_GUEST, "!4:0000000000000000;");
	close_room(&room);
}

static void test_off(void)
{
	struct agent_policy policy = { false, false, 1000, ALL_KINDS, false };
	struct room room;
	open_quiet(&room, &policy);
	agent_filter_set_guest(room.filter, true);
	SAY(&room, AGENT_CLIENT, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(1), LE32(0xffffffffu));
	expect(&room, AGENT_GUEST, "6:0100000097fffdff;");
	SAY(&room, AGENT_GUEST, VD_AGENT_ANNOUNCE_CAPABILITIES, LE32(0), LE32(0xffffffffu));
	expect(&room, AGENT_CLIENT, "6:00000000937f0100;");
	/* A client that drops a file all the same is told why it does not arrive. */
	g_free(hear(&room, AGENT_GUEST));
	SAY(&room, AGENT_CLIENT, VD_AGENT_FILE_XFER_START, LE32(9), 'x');
	SAY(&room, AGENT_CLIENT, VD_AGENT_FILE_XFER_DATA, LE32(9), LE32(1), LE32(0), 'x');
	expect(&room, AGENT_GUEST, "");
	expect(&room, AGENT_CLIENT, "11:0900000007000000;");
	close_room(&room);
}

static void test_files(void)
{
	static const char start[] = "\1\0\0\0[vdagent-file-xfer]\nname=a\nsize=3\n";
	struct room room;
	open_room(&room, &everything);
	say(&room, AGENT_CLIENT, VD_AGENT_FILE_XFER_START, start, sizeof(start));
	g_autofree char *begun = hear(&room, AGENT_GUEST);
	g_assert_true(g_str_has_prefix(begun, "10:010000005b766461"));
	SAY(&room, AGENT_GUEST, VD_AGENT_FILE_XFER_STATUS, LE32(1), LE32(0));
	expect(&room, AGENT_CLIENT, "11:0100000000000000;");
	SAY(&room, AGENT_CLIENT, VD_AGENT_FILE_XFER_DATA, LE32(1), LE32(3), LE32(0), 'a', 'b', 'c');
	expect(&room, AGENT_GUEST, "12:010000000300000000000000616263;");
	close_room(&room);
}

/* ---- bombs, lies and cuts ---- */

/* What is too long is left out to its end, and who waits for it hears of it. */
static void test_too_long(void)
{
	struct room room;
	g_autofree uint8_t *body = g_malloc0(5000);
	body[4] = VD_AGENT_CLIPBOARD_UTF8_TEXT;
	open_room(&room, &everything);
	say(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD, body, 1008);
	g_autofree char *fits = hear(&room, AGENT_CLIENT);
	g_assert_true(g_str_has_prefix(fits, "4:00000000010000000000"));
	say(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD, body, 1009);
	expect(&room, AGENT_CLIENT, "4:0000000000000000;");
	say(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD, body, 5000);
	expect(&room, AGENT_GUEST, "!4:0000000000000000;");
	/* Nobody needs a grab of 1000 kinds. */
	say(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, body, AGENT_FILTER_BODY_MAX + 1);
	expect(&room, AGENT_CLIENT, "");
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_RELEASE, SELECTION(0));
	expect(&room, AGENT_CLIENT, "9:00000000;");
	close_room(&room);
}

/* Says that 4 GiB come, in one chunk, and sends some of them: nothing of it is kept. */
static void test_bomb(void)
{
	struct room room;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	open_room(&room, &everything);
	put32(bytes, VDP_CLIENT_PORT);
	put32(bytes, UINT32_MAX);
	put32(bytes, VD_AGENT_PROTOCOL);
	put32(bytes, VD_AGENT_CLIPBOARD);
	put32(bytes, 0);
	put32(bytes, 0);
	put32(bytes, UINT32_MAX - sizeof(VDAgentMessage));
	put32(bytes, 0);
	put32(bytes, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	g_assert_true(agent_filter_feed(room.filter, AGENT_GUEST, bytes->data, bytes->len));
	expect(&room, AGENT_CLIENT, "4:0000000000000000;");
	for (unsigned i = 0; i < 100; i++)
		g_assert_true(agent_filter_feed(room.filter, AGENT_GUEST, bytes->data, bytes->len));
	g_assert_true(agent_filter_is_inside(room.filter, AGENT_GUEST));
	expect(&room, AGENT_CLIENT, "");
	/* It does not keep the client from anything. */
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_RELEASE, SELECTION(0));
	expect(&room, AGENT_GUEST, "9:00000000;");
	close_room(&room);
}

static void test_lies(void)
{
	static const uint8_t port[] = { LE32(3), LE32(20) };
	static const uint8_t protocol[] = { LE32(1), LE32(20), LE32(2), LE32(6), LE32(0), LE32(0),
		LE32(0) };
	struct room room;
	open_room(&room, &everything);
	SAY(&room, AGENT_GUEST, VD_AGENT_MOUSE_STATE, LE32(1), LE32(1), LE32(1), 1);
	SAY(&room, AGENT_GUEST, VD_AGENT_FILE_XFER_START, LE32(1), 'x');
	SAY(&room, AGENT_GUEST, VD_AGENT_MONITORS_CONFIG, LE32(0), LE32(0));
	SAY(&room, AGENT_GUEST, VD_AGENT_REPLY, LE32(2), LE32(1));
	SAY(&room, AGENT_GUEST, 99, 1);
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD, 1);
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(0));
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(0), LE32(1), 0);
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_GRAB, 1);
	SAY(&room, AGENT_GUEST, VD_AGENT_CLIPBOARD_RELEASE, SELECTION(0), 0);
	say(&room, AGENT_GUEST, VD_AGENT_ANNOUNCE_CAPABILITIES, "", 0);
	say_on(&room, AGENT_GUEST, VDP_SERVER_PORT, VD_AGENT_CLIPBOARD, "12345678", 8);
	expect(&room, AGENT_CLIENT, "");
	expect(&room, AGENT_GUEST, "");
	g_assert_cmpuint(room.n_pointers, ==, 0);
	g_assert_true(agent_filter_feed(room.filter, AGENT_GUEST, port, sizeof(port)));
	g_assert_false(agent_filter_feed(room.filter, AGENT_GUEST, port, 1));
	agent_filter_forget(room.filter, AGENT_GUEST);
	g_assert_false(agent_filter_feed(room.filter, AGENT_GUEST, protocol, sizeof(protocol)));
	close_room(&room);
}

/* What we say stands between two messages of the guest, and is little. */
static void test_between(void)
{
	struct agent_policy policy = { true, true, 1000, WORKER_CLIPBOARD_TEXT, true };
	struct room room;
	open_room(&room, &policy);
	g_autoptr(GByteArray) long_one =
		make_message(VD_AGENT_CLIPBOARD, "\0\0\0\0\1\0\0\0abcdef", 14);
	g_assert_true(say_bytes(
		&room, AGENT_GUEST, VDP_CLIENT_PORT, long_one->data, long_one->len - 3, 100));
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(0), LE32(2));
	g_assert_true(say_bytes(
		&room, AGENT_GUEST, VDP_CLIENT_PORT, long_one->data + long_one->len - 3, 3, 100));
	expect(&room, AGENT_CLIENT, "4:0000000001000000616263646566;4:0000000000000000;");
	for (unsigned i = 0; i < 10000; i++)
		SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_REQUEST, SELECTION(0), LE32(2));
	size_t n_bytes;
	agent_filter_peek(room.filter, AGENT_CLIENT, &n_bytes);
	g_assert_cmpuint(n_bytes, <=, AGENT_FILTER_OUT_MAX_BYTES + 100);
	g_assert_cmpuint(agent_filter_room(room.filter, AGENT_GUEST), ==, 0);
	g_assert_cmpuint(agent_filter_room(room.filter, AGENT_CLIENT), >, 0);
	close_room(&room);
}

/* A client that leaves in the middle takes its half message along. */
static void test_cut(void)
{
	struct room room;
	open_room(&room, &everything);
	g_autoptr(GByteArray) half = make_message(VD_AGENT_CLIPBOARD, "\0\0\0\0\1\0\0\0abcdef", 14);
	g_assert_true(
		say_bytes(&room, AGENT_CLIENT, VDP_CLIENT_PORT, half->data, half->len - 3, 100));
	say_on(&room, AGENT_CLIENT, VDP_SERVER_PORT, VD_AGENT_CLIENT_DISCONNECTED, NULL, 0);
	g_free(hear(&room, AGENT_GUEST));
	SAY(&room, AGENT_CLIENT, VD_AGENT_CLIPBOARD_RELEASE, SELECTION(0));
	expect(&room, AGENT_GUEST, "9:00000000;");
	/* So does one whose agent was taken away. */
	g_assert_true(
		say_bytes(&room, AGENT_CLIENT, VDP_CLIENT_PORT, half->data, half->len - 3, 100));
	g_free(hear(&room, AGENT_GUEST));
	agent_filter_forget(room.filter, AGENT_CLIENT);
	expect(&room, AGENT_GUEST, "!13:;");
	/* And what the guest was saying then goes nowhere. */
	g_assert_true(
		say_bytes(&room, AGENT_GUEST, VDP_CLIENT_PORT, half->data, half->len - 3, 100));
	agent_filter_forget(room.filter, AGENT_CLIENT);
	g_assert_true(
		say_bytes(&room, AGENT_GUEST, VDP_CLIENT_PORT, half->data + half->len - 3, 3, 100));
	expect(&room, AGENT_CLIENT, "");
	g_assert_false(agent_filter_is_inside(room.filter, AGENT_GUEST));
	close_room(&room);
}

/* An agent that goes leaves neither files nor halves of messages behind. */
static void test_gone(void)
{
	struct room room;
	open_room(&room, &everything);
	SAY(&room, AGENT_CLIENT, VD_AGENT_FILE_XFER_START, LE32(1), 'x');
	SAY(&room, AGENT_CLIENT, VD_AGENT_FILE_XFER_START, LE32(2), 'x');
	SAY(&room, AGENT_GUEST, VD_AGENT_FILE_XFER_STATUS, LE32(1), LE32(3));
	g_free(hear(&room, AGENT_CLIENT));
	g_autoptr(GByteArray) half = make_message(VD_AGENT_CLIPBOARD, "\0\0\0\0\1\0\0\0abcdef", 14);
	g_assert_true(
		say_bytes(&room, AGENT_CLIENT, VDP_CLIENT_PORT, half->data, half->len - 3, 100));
	agent_filter_forget(room.filter, AGENT_GUEST);
	agent_filter_set_guest(room.filter, false);
	expect(&room, AGENT_CLIENT, "11:0200000001000000;");
	g_assert_true(agent_filter_is_inside(room.filter, AGENT_CLIENT));
	uint64_t said = agent_filter_said(room.filter, AGENT_CLIENT);
	g_assert_true(say_bytes(
		&room, AGENT_CLIENT, VDP_CLIENT_PORT, half->data + half->len - 3, 3, 100));
	g_assert_cmpuint(agent_filter_said(room.filter, AGENT_CLIENT), ==, said + 3);
	g_assert_false(agent_filter_is_inside(room.filter, AGENT_CLIENT));
	expect(&room, AGENT_GUEST, "");
	close_room(&room);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* What strangers do wrong is said in the log. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/agent-filter/own", test_own);
	g_test_add_func("/agent-filter/asked", test_asked);
	g_test_add_func("/agent-filter/no-selections", test_no_selections);
	g_test_add_func("/agent-filter/clipboard", test_clipboard);
	g_test_add_func("/agent-filter/out", test_out);
	g_test_add_func("/agent-filter/in", test_in);
	g_test_add_func("/agent-filter/types", test_types);
	g_test_add_func("/agent-filter/off", test_off);
	g_test_add_func("/agent-filter/files", test_files);
	g_test_add_func("/agent-filter/too-long", test_too_long);
	g_test_add_func("/agent-filter/bomb", test_bomb);
	g_test_add_func("/agent-filter/lies", test_lies);
	g_test_add_func("/agent-filter/between", test_between);
	g_test_add_func("/agent-filter/cut", test_cut);
	g_test_add_func("/agent-filter/gone", test_gone);
	return g_test_run();
}
