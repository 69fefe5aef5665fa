/* SPDX-License-Identifier: MIT */
#include "display/spice/agent_stream.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/*
 * Fields of VDIChunkHeader and VDAgentMessage (vd_agent.h) have these offsets: the structs are
 * packed and little-endian.
 */
#define CHUNK_PORT 0
#define CHUNK_SIZE 4
#define MESSAGE_TYPE 4
#define MESSAGE_SIZE 16
#define PORT_CLIENT 1u

static uint32_t read32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* Copies until `to` has `wanted` bytes. Returns how many of n_bytes were used. */
static size_t fill(
	uint8_t *to, unsigned *filled, unsigned wanted, const uint8_t *bytes, size_t n_bytes)
{
	size_t n = MIN(n_bytes, wanted - *filled);
	memcpy(to + *filled, bytes, n);
	*filled += (unsigned)n;
	return n;
}

static size_t feed_body(struct agent_stream *stream, enum agent_stream_port number,
	const uint8_t *bytes, size_t n_bytes)
{
	typeof(stream->ports[0]) *port = &stream->ports[number];
	size_t n = MIN(n_bytes, port->body_left);
	if (port->body_filled < AGENT_STREAM_BODY_MAX) {
		size_t kept = MIN(n, AGENT_STREAM_BODY_MAX - port->body_filled);
		memcpy(port->body + port->body_filled, bytes, kept);
		port->body_filled += (uint32_t)kept;
	}
	port->body_left -= (uint32_t)n;
	return n;
}

static size_t feed_port(struct agent_stream *stream, enum agent_stream_port number,
	const uint8_t *bytes, size_t n_bytes, agent_stream_message message, void *user)
{
	typeof(stream->ports[0]) *port = &stream->ports[number];
	size_t used = 0;
	if (port->header_filled < AGENT_STREAM_HEADER_BYTES) {
		used = fill(port->header, &port->header_filled, AGENT_STREAM_HEADER_BYTES, bytes,
			n_bytes);
		if (port->header_filled < AGENT_STREAM_HEADER_BYTES)
			return used;
		port->body_left = read32(port->header + MESSAGE_SIZE);
		port->body_filled = 0;
	}
	used += feed_body(stream, number, bytes + used, n_bytes - used);
	if (port->body_left == 0) {
		port->header_filled = 0;
		message(user, number, read32(port->header + MESSAGE_TYPE), port->body,
			read32(port->header + MESSAGE_SIZE));
	}
	return used;
}

void agent_stream_feed(struct agent_stream *stream, const uint8_t *bytes, size_t n_bytes,
	agent_stream_message message, void *user)
{
	while (n_bytes > 0) {
		size_t used;
		if (stream->chunk_left == 0) {
			used = fill(stream->chunk, &stream->chunk_filled, AGENT_STREAM_CHUNK_BYTES,
				bytes, n_bytes);
			if (stream->chunk_filled == AGENT_STREAM_CHUNK_BYTES) {
				stream->chunk_filled = 0;
				stream->chunk_left = read32(stream->chunk + CHUNK_SIZE);
			}
		} else {
			bool client = read32(stream->chunk + CHUNK_PORT) == PORT_CLIENT;
			used = feed_port(stream, client ? AGENT_STREAM_CLIENT : AGENT_STREAM_SERVER,
				bytes, MIN(n_bytes, stream->chunk_left), message, user);
			stream->chunk_left -= (uint32_t)used;
		}
		bytes += used;
		n_bytes -= used;
	}
}
