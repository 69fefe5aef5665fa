/* SPDX-License-Identifier: MIT */
#include "display/spice/agent_filter.h"

#include <string.h>

#include "common/peer_log.h"
#include "display/spice/agent_rules.h"

/* These are sizeof(VDIChunkHeader) and sizeof(VDAgentMessage), which are packed. */
#define CHUNK_HEADER_BYTES 8
#define MESSAGE_HEADER_BYTES 20
/* spice-server ends agent and clients whose chunks are longer. */
#define CHUNK_MAX_BYTES VD_AGENT_MAX_DATA_SIZE

G_STATIC_ASSERT(MESSAGE_HEADER_BYTES + AGENT_FILTER_BODY_MAX <= CHUNK_MAX_BYTES);

enum place { AT_HEADER, AT_HEAD, AT_PASS, AT_SKIP };

/* What one side says on one port. */
struct port {
	enum place at;
	uint8_t header[MESSAGE_HEADER_BYTES];
	unsigned header_filled;
	const struct agent_rule *rule;
	uint8_t head[AGENT_FILTER_BODY_MAX];
	uint32_t head_filled, head_wanted;
	uint32_t body_left; /* that has not come yet */
};

struct side {
	uint8_t chunk[CHUNK_HEADER_BYTES];
	unsigned chunk_filled;
	uint32_t chunk_left;
	struct port ports[VDP_END_PORT]; /* the first is nobody's */
	uint64_t said;                   /* bytes on the client's port */
	GByteArray *out;                 /* chunks that are for this side, from `taken` on */
	guint taken;
	GByteArray *waiting; /* those of ours, while the other side is inside a message */
};

struct agent_filter {
	struct agent_talk talk;
	struct side sides[AGENT_SIDES];
};

static uint32_t read32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* ---- what goes out ---- */

static void add_chunk(GByteArray *out, uint32_t port, const void *first, size_t n_first,
	const void *second, size_t n_second)
{
	const uint32_t header[2] = { GUINT32_TO_LE(port),
		GUINT32_TO_LE((uint32_t)(n_first + n_second)) };
	G_STATIC_ASSERT(sizeof(header) == CHUNK_HEADER_BYTES);
	g_assert(n_first + n_second <= CHUNK_MAX_BYTES);
	g_byte_array_append(out, (const guint8 *)header, sizeof(header));
	g_byte_array_append(out, first, (guint)n_first);
	if (n_second > 0)
		g_byte_array_append(out, second, (guint)n_second);
}

static void add_message(
	GByteArray *out, uint32_t port, uint32_t type, const void *body, size_t size_bytes)
{
	const VDAgentMessage header = { .protocol = GUINT32_TO_LE(VD_AGENT_PROTOCOL),
		.type = GUINT32_TO_LE(type),
		.size = GUINT32_TO_LE((uint32_t)size_bytes) };
	G_STATIC_ASSERT(sizeof(header) == MESSAGE_HEADER_BYTES);
	add_chunk(out, port, &header, sizeof(header), body, size_bytes);
}

/* What we say ourselves is little, or dropped. */
void agent_filter_tell(struct agent_filter *filter, enum agent_side side, uint32_t type,
	const void *body, size_t size_bytes)
{
	struct side *to = &filter->sides[side];
	bool inside = filter->sides[AGENT_GUEST].ports[VDP_CLIENT_PORT].at == AT_PASS;
	GByteArray *out = side == AGENT_CLIENT && inside ? to->waiting : to->out;
	if (to->out->len - to->taken + to->waiting->len > AGENT_FILTER_OUT_MAX_BYTES)
		peer_warning(side == AGENT_GUEST ? PEER_GUEST : PEER_VIEWER,
			"agent: %s does not read its answers; one is dropped",
			side == AGENT_GUEST ? "the guest" : "a client");
	else
		add_message(out, side == AGENT_GUEST ? VDP_SERVER_PORT : VDP_CLIENT_PORT, type,
			body, size_bytes);
}

static void send_waiting(struct side *to)
{
	g_byte_array_append(to->out, to->waiting->data, to->waiting->len);
	g_byte_array_set_size(to->waiting, 0);
}

const uint8_t *agent_filter_peek(
	const struct agent_filter *filter, enum agent_side side, size_t *n_bytes)
{
	const struct side *to = &filter->sides[side];
	*n_bytes = to->out->len - to->taken;
	return *n_bytes ? to->out->data + to->taken : NULL;
}

void agent_filter_take(struct agent_filter *filter, enum agent_side side, size_t n_bytes)
{
	struct side *to = &filter->sides[side];
	g_assert(n_bytes <= to->out->len - to->taken);
	to->taken += (guint)n_bytes;
	if (to->taken < to->out->len / 2)
		return;
	g_byte_array_remove_range(to->out, 0, to->taken);
	to->taken = 0;
}

/* ---- what comes in ---- */

static enum agent_side other_side(enum agent_side side)
{
	return side == AGENT_CLIENT ? AGENT_GUEST : AGENT_CLIENT;
}

static void end_message(struct agent_filter *filter, enum agent_side from, struct port *port)
{
	port->at = AT_HEADER;
	port->header_filled = 0;
	if (from == AGENT_GUEST)
		send_waiting(&filter->sides[AGENT_CLIENT]);
}

static bool may_go_on(const struct agent_filter *filter, const struct agent_message *message)
{
	return filter->talk.has_guest && message->size_bytes >= message->n_bytes;
}

static void judge(
	struct agent_filter *filter, enum agent_side from, uint32_t number, struct port *port)
{
	struct agent_message message = { .type = port->rule->type,
		.size_bytes = port->head_filled + port->body_left,
		.body = port->head,
		.n_bytes = port->head_filled };
	bool passes = port->rule->judge(filter, &filter->talk, from, &message);
	if (passes && may_go_on(filter, &message)) {
		const uint32_t size = GUINT32_TO_LE(message.size_bytes);
		memcpy(port->header + G_STRUCT_OFFSET(VDAgentMessage, size), &size, sizeof(size));
		add_chunk(filter->sides[other_side(from)].out, number, port->header,
			MESSAGE_HEADER_BYTES, port->head, message.n_bytes);
		port->at = AT_PASS;
	} else {
		port->at = AT_SKIP;
	}
	if (port->body_left == 0)
		end_message(filter, from, port);
}

static void complain(enum agent_side from, const char *what, uint32_t type, uint32_t size_bytes)
{
	peer_warning(from == AGENT_GUEST ? PEER_GUEST : PEER_VIEWER,
		"agent: %s a message of type %u and %u bytes, which is left out", what, type,
		size_bytes);
}

/* Says whether the message is worth being gathered. */
static bool begin_message(
	struct agent_filter *filter, enum agent_side from, uint32_t number, struct port *port)
{
	uint32_t type = read32(port->header + G_STRUCT_OFFSET(VDAgentMessage, type));
	uint32_t size_bytes = read32(port->header + G_STRUCT_OFFSET(VDAgentMessage, size));
	unsigned by = from == AGENT_GUEST       ? AGENT_BY_GUEST :
		      number == VDP_SERVER_PORT ? AGENT_BY_SERVER :
						  AGENT_BY_CLIENT;
	port->body_left = size_bytes;
	port->head_filled = 0;
	port->rule =
		from == AGENT_GUEST && number == VDP_SERVER_PORT ? NULL : agent_rule_find(type, by);
	if (!port->rule)
		return false;
	if (size_bytes < port->rule->min_bytes) {
		complain(from, from == AGENT_GUEST ? "the guest cut short" : "a client cut short",
			type, size_bytes);
		return false;
	}
	port->head_wanted =
		port->rule->head_bytes ? MIN(port->rule->head_bytes, size_bytes) : size_bytes;
	if (port->head_wanted <= AGENT_FILTER_BODY_MAX)
		return true;
	complain(from, from == AGENT_GUEST ? "the guest sent" : "a client sent", type, size_bytes);
	return false;
}

static size_t take_header(struct port *port, const uint8_t *bytes, size_t n_bytes)
{
	size_t n = MIN(n_bytes, MESSAGE_HEADER_BYTES - port->header_filled);
	memcpy(port->header + port->header_filled, bytes, n);
	port->header_filled += (unsigned)n;
	return n;
}

static size_t take_head(struct port *port, const uint8_t *bytes, size_t n_bytes)
{
	size_t n = MIN(n_bytes, port->head_wanted - port->head_filled);
	memcpy(port->head + port->head_filled, bytes, n);
	port->head_filled += (uint32_t)n;
	port->body_left -= (uint32_t)n;
	return n;
}

/* Returns how many bytes were used, or -1 when this is no agent's message. */
static ssize_t feed_port(struct agent_filter *filter, enum agent_side from, uint32_t number,
	const uint8_t *bytes, size_t n_bytes)
{
	struct port *port = &filter->sides[from].ports[number];
	size_t used = 0;
	switch (port->at) {
	case AT_HEADER:
		used = take_header(port, bytes, n_bytes);
		if (port->header_filled < MESSAGE_HEADER_BYTES)
			break;
		if (read32(port->header) != VD_AGENT_PROTOCOL)
			return -1;
		port->at = begin_message(filter, from, number, port) ? AT_HEAD : AT_SKIP;
		if (port->at == AT_HEAD && port->head_wanted == 0)
			judge(filter, from, number, port);
		else if (port->body_left == 0)
			end_message(filter, from, port);
		break;
	case AT_HEAD:
		used = take_head(port, bytes, n_bytes);
		if (port->head_filled == port->head_wanted)
			judge(filter, from, number, port);
		break;
	case AT_PASS:
	case AT_SKIP:
		used = MIN(MIN(n_bytes, port->body_left), CHUNK_MAX_BYTES);
		if (port->at == AT_PASS)
			add_chunk(
				filter->sides[other_side(from)].out, number, bytes, used, NULL, 0);
		port->body_left -= (uint32_t)used;
		if (port->body_left == 0)
			end_message(filter, from, port);
		break;
	}
	return (ssize_t)used;
}

/* Returns how many bytes were used, or -1 when this is no agent's chunk. */
static ssize_t feed_chunk(
	struct agent_filter *filter, enum agent_side from, const uint8_t *bytes, size_t n_bytes)
{
	struct side *side = &filter->sides[from];
	if (side->chunk_left == 0) {
		size_t n = MIN(n_bytes, CHUNK_HEADER_BYTES - side->chunk_filled);
		memcpy(side->chunk + side->chunk_filled, bytes, n);
		side->chunk_filled += (unsigned)n;
		if (side->chunk_filled == CHUNK_HEADER_BYTES) {
			side->chunk_filled = 0;
			side->chunk_left = read32(side->chunk + sizeof(uint32_t));
		}
		return (ssize_t)n;
	}
	uint32_t number = read32(side->chunk);
	if (number != VDP_CLIENT_PORT && number != VDP_SERVER_PORT)
		return -1;
	ssize_t used = feed_port(filter, from, number, bytes, MIN(n_bytes, side->chunk_left));
	if (used > 0)
		side->chunk_left -= (uint32_t)used;
	if (used > 0 && number == VDP_CLIENT_PORT)
		side->said += (uint64_t)used;
	return used;
}

bool agent_filter_feed(
	struct agent_filter *filter, enum agent_side from, const uint8_t *bytes, size_t n_bytes)
{
	while (n_bytes > 0) {
		ssize_t used = feed_chunk(filter, from, bytes, n_bytes);
		if (used < 0)
			return false;
		bytes += used;
		n_bytes -= (size_t)used;
	}
	return true;
}

size_t agent_filter_room(const struct agent_filter *filter, enum agent_side from)
{
	const struct side *to = &filter->sides[other_side(from)];
	size_t n = to->out->len - to->taken;
	return n < AGENT_FILTER_OUT_MAX_BYTES ? AGENT_FILTER_OUT_MAX_BYTES - n : 0;
}

bool agent_filter_is_inside(const struct agent_filter *filter, enum agent_side from)
{
	const struct side *side = &filter->sides[from];
	return side->chunk_filled > 0 || side->chunk_left > 0 ||
	       side->ports[VDP_CLIENT_PORT].at != AT_HEADER ||
	       side->ports[VDP_CLIENT_PORT].header_filled > 0;
}

uint64_t agent_filter_said(const struct agent_filter *filter, enum agent_side from)
{
	return filter->sides[from].said;
}

/* The rest of what this side is saying goes nowhere. */
static void skip_rest(struct side *side)
{
	for (unsigned i = 0; i < VDP_END_PORT; i++) {
		if (side->ports[i].at == AT_PASS)
			side->ports[i].at = AT_SKIP;
	}
}

void agent_filter_forget(struct agent_filter *filter, enum agent_side which)
{
	struct side *side = &filter->sides[which];
	struct side *other = &filter->sides[other_side(which)];
	/* Nor has what this one was saying an end. */
	if (which == AGENT_CLIENT && side->ports[VDP_CLIENT_PORT].at == AT_PASS)
		agent_filter_tell(filter, AGENT_GUEST, VD_AGENT_CLIENT_DISCONNECTED, NULL, 0);
	side->chunk_filled = 0;
	side->chunk_left = 0;
	memset(side->ports, 0, sizeof(side->ports));
	g_byte_array_set_size(side->out, 0);
	side->taken = 0;
	g_byte_array_set_size(side->waiting, 0);
	memset(filter->talk.told[which], 0, sizeof(filter->talk.told[which]));
	/* The rest of what the other one is saying has no beginning any more. */
	skip_rest(other);
}

void agent_filter_client_left(struct agent_filter *filter)
{
	struct port *port = &filter->sides[AGENT_CLIENT].ports[VDP_CLIENT_PORT];
	port->at = AT_HEADER;
	port->header_filled = 0;
}

/* ---- for the owner ---- */

void agent_filter_tell_guest(
	struct agent_filter *filter, uint32_t type, const void *body, size_t size_bytes)
{
	agent_filter_tell(filter, AGENT_GUEST, type, body, size_bytes);
}

void agent_filter_ask(struct agent_filter *filter)
{
	const uint32_t body[1 + VD_AGENT_CAPS_SIZE] = { GUINT32_TO_LE(1) };
	agent_filter_tell(filter, AGENT_GUEST, VD_AGENT_ANNOUNCE_CAPABILITIES, body, sizeof(body));
}

void agent_filter_set_guest(struct agent_filter *filter, bool has_agent)
{
	filter->talk.has_guest = has_agent;
	skip_rest(&filter->sides[AGENT_CLIENT]);
	skip_rest(&filter->sides[AGENT_GUEST]);
	if (!has_agent)
		agent_rules_cancel_files(filter, &filter->talk);
}

struct agent_filter *agent_filter_create(
	const struct agent_policy *policy, const struct agent_filter_ops *ops, void *user)
{
	struct agent_filter *filter = g_new0(struct agent_filter, 1);
	filter->talk.policy = *policy;
	filter->talk.ops = ops;
	filter->talk.user = user;
	for (unsigned i = 0; i < AGENT_SIDES; i++) {
		filter->sides[i].out = g_byte_array_new();
		filter->sides[i].waiting = g_byte_array_new();
	}
	return filter;
}

void agent_filter_destroy(struct agent_filter *filter)
{
	if (!filter)
		return;
	for (unsigned i = 0; i < AGENT_SIDES; i++) {
		g_byte_array_unref(filter->sides[i].out);
		g_byte_array_unref(filter->sides[i].waiting);
	}
	g_free(filter);
}
