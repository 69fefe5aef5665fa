/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a client and a guest's agent say to each other (agent_filter.h). What comes out for
 * each of them is read as a whole agent reads it: chunks are sound and messages whole, one side's
 * cut leaves the other's alone, nothing comes that the policy forbids, and what waits is bounded.
 *
 * Input: the policy, then pieces of either side: whose and how long, and the bytes.
 */
#include <spice/vd_agent.h>
#include <string.h>

#include "display/spice/agent_filter.h"
#include "protocol/worker_options.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

#define MAX_BYTES 4096 /* of one copy */

struct reader {
	GByteArray *bytes; /* that were taken and not read yet */
	struct {
		uint8_t header[sizeof(VDAgentMessage)];
		uint32_t body_left; /* 0: a header comes next */
	} ports[VDP_END_PORT];
};

struct talk {
	struct agent_filter *filter;
	struct agent_policy policy;
	struct reader readers[AGENT_SIDES];
};

static void on_pointer(void *user, const uint8_t *body)
{
	VDAgentMouseState state;
	memcpy(&state, body, sizeof(state));
}

static void on_announced(void *user)
{
}

static const struct agent_filter_ops ops = { on_pointer, on_announced };

static uint32_t read32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* Our own answers say that there is nothing, whatever the policy. */
static void check_message(
	const struct talk *talk, enum agent_side to, uint32_t type, uint32_t size_bytes)
{
	bool may = to == AGENT_GUEST ? talk->policy.clipboard_in : talk->policy.clipboard_out;
	bool may_ask = to == AGENT_GUEST ? talk->policy.clipboard_out : talk->policy.clipboard_in;
	switch (type) {
	case VD_AGENT_CLIPBOARD:
		g_assert(may || size_bytes <= 8);
		g_assert(size_bytes <= 8 + MAX_BYTES);
		break;
	case VD_AGENT_CLIPBOARD_GRAB:
	case VD_AGENT_CLIPBOARD_RELEASE:
		g_assert(may);
		break;
	case VD_AGENT_CLIPBOARD_REQUEST:
		g_assert(may_ask);
		break;
	case VD_AGENT_FILE_XFER_DATA:
	case VD_AGENT_FILE_XFER_START:
		g_assert(to == AGENT_GUEST && talk->policy.files);
		break;
	case VD_AGENT_FILE_XFER_STATUS:
		g_assert(talk->policy.files || (to == AGENT_CLIENT && size_bytes == 8));
		break;
	case VD_AGENT_ANNOUNCE_CAPABILITIES:
		break;
	default:
		g_assert(to == AGENT_GUEST);
		break;
	}
}

static void read_chunk(struct talk *talk, enum agent_side side, uint32_t number,
	const uint8_t *bytes, uint32_t n_bytes)
{
	typeof(talk->readers[0].ports[0]) *port = &talk->readers[side].ports[number];
	if (port->body_left == 0) {
		g_assert(n_bytes >= sizeof(port->header));
		memcpy(port->header, bytes, sizeof(port->header));
		g_assert(read32(port->header) == VD_AGENT_PROTOCOL);
		port->body_left = read32(port->header + 16);
		uint32_t type = read32(port->header + 4);
		check_message(talk, side, type, port->body_left);
		/* An agent forgets what a client that has left was saying. */
		if (number == VDP_SERVER_PORT && type == VD_AGENT_CLIENT_DISCONNECTED)
			talk->readers[side].ports[VDP_CLIENT_PORT].body_left = 0;
		n_bytes -= (uint32_t)sizeof(port->header);
	}
	g_assert(n_bytes <= port->body_left);
	port->body_left -= n_bytes;
}

static void take(struct talk *talk, enum agent_side side, size_t most)
{
	struct reader *reader = &talk->readers[side];
	size_t n_bytes;
	const uint8_t *bytes = agent_filter_peek(talk->filter, side, &n_bytes);
	g_assert(n_bytes <= 2 * AGENT_FILTER_OUT_MAX_BYTES);
	n_bytes = MIN(n_bytes, most);
	if (n_bytes > 0)
		g_byte_array_append(reader->bytes, bytes, (guint)n_bytes);
	agent_filter_take(talk->filter, side, n_bytes);
	while (reader->bytes->len >= 8) {
		uint32_t number = read32(reader->bytes->data);
		uint32_t n = read32(reader->bytes->data + 4);
		g_assert(number == VDP_CLIENT_PORT || number == VDP_SERVER_PORT);
		g_assert(n > 0 && n <= VD_AGENT_MAX_DATA_SIZE);
		if (reader->bytes->len < 8 + n)
			break;
		read_chunk(talk, side, number, reader->bytes->data + 8, n);
		g_byte_array_remove_range(reader->bytes, 0, 8 + n);
	}
}

/* A new connection: its reader begins anew, too. */
static void forget(struct talk *talk, enum agent_side side)
{
	struct reader *reader = &talk->readers[side];
	agent_filter_forget(talk->filter, side);
	g_byte_array_set_size(reader->bytes, 0);
	memset(reader->ports, 0, sizeof(reader->ports));
}

/* Another agent: the guest's connection is new, and then so is the client's. */
static void set_guest(struct talk *talk, bool has_agent)
{
	forget(talk, AGENT_GUEST);
	agent_filter_set_guest(talk->filter, has_agent);
	forget(talk, AGENT_CLIENT);
}

static void say(struct talk *talk, enum agent_side side, struct feed *feed, size_t most)
{
	size_t n;
	const uint8_t *bytes =
		feed_take(feed, MIN(most, agent_filter_room(talk->filter, side)), &n);
	g_autofree uint8_t *copy = g_memdup2(bytes, n);
	if (!agent_filter_feed(talk->filter, side, copy, n))
		forget(talk, side);
}

static void play(struct talk *talk, struct feed *feed)
{
	while (feed->left_bytes > 0) {
		uint8_t what = feed_u8(feed);
		enum agent_side side = what & 1 ? AGENT_GUEST : AGENT_CLIENT;
		if (what < 240)
			say(talk, side, feed, what);
		else if (what < 250)
			forget(talk, side);
		else
			set_guest(talk, side == AGENT_GUEST);
		if (what & 2)
			take(talk, AGENT_CLIENT, what & 4 ? SIZE_MAX : 9);
		if (what & 8)
			take(talk, AGENT_GUEST, what & 4 ? SIZE_MAX : 9);
	}
	take(talk, AGENT_CLIENT, SIZE_MAX);
	take(talk, AGENT_GUEST, SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	uint8_t bits = feed_u8(&feed);
	struct talk talk = {
		.policy = {
			.clipboard_in = bits & 1,
			.clipboard_out = bits & 2,
			.files = bits & 4,
			.clipboard_kinds = bits & 8 ? UINT32_MAX : WORKER_CLIPBOARD_TEXT,
			.clipboard_max_bytes = MAX_BYTES,
		},
	};
	feed_drop_log();
	talk.filter = agent_filter_create(&talk.policy, &ops, &talk);
	for (unsigned i = 0; i < AGENT_SIDES; i++)
		talk.readers[i].bytes = g_byte_array_new();
	if (bits & 16)
		set_guest(&talk, true);
	play(&talk, &feed);
	agent_filter_destroy(talk.filter);
	for (unsigned i = 0; i < AGENT_SIDES; i++)
		g_byte_array_unref(talk.readers[i].bytes);
	return 0;
}
