/* SPDX-License-Identifier: MIT */
/*
 * agent stream: what spice-server writes to an agent's port, cut into messages.
 *
 * Chunks (port, size) carry messages (protocol, type, opaque, size) that may span chunks; see
 * spice-protocol's vd_agent.h. Only the first AGENT_STREAM_BODY_MAX bytes of a body are kept: what
 * is longer (a client's clipboard) is none of our business. Nothing is allocated.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define AGENT_STREAM_BODY_MAX 16
#define AGENT_STREAM_HEADER_BYTES 20
#define AGENT_STREAM_CHUNK_BYTES 8

enum agent_stream_port {
	AGENT_STREAM_CLIENT, /* VDP_CLIENT_PORT */
	AGENT_STREAM_SERVER, /* VDP_SERVER_PORT */
	AGENT_STREAM_PORTS,
};

/* Zeroed: at the beginning. */
struct agent_stream {
	uint8_t chunk[AGENT_STREAM_CHUNK_BYTES];
	unsigned chunk_filled;
	uint32_t chunk_left;
	struct {
		uint8_t header[AGENT_STREAM_HEADER_BYTES];
		unsigned header_filled;
		uint8_t body[AGENT_STREAM_BODY_MAX];
		uint32_t body_filled, body_left;
	} ports[AGENT_STREAM_PORTS];
};

/* size_bytes: of the body as sent; min(size_bytes, AGENT_STREAM_BODY_MAX) bytes are at `body`. */
typedef void (*agent_stream_message)(void *user, enum agent_stream_port port, uint32_t type,
	const uint8_t *body, uint32_t size_bytes);

void agent_stream_feed(struct agent_stream *stream, const uint8_t *bytes, size_t n_bytes,
	agent_stream_message message, void *user);
