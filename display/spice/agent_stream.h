/* SPDX-License-Identifier: MIT */
/*
 * agent stream: cuts what spice-server writes to an agent's port into messages.
 *
 * Chunks (port, size) carry messages (protocol, type, opaque, size) that may span chunks; see
 * spice-protocol's vd_agent.h. A client makes up all of it. Only the first AGENT_STREAM_BODY_MAX
 * bytes of a body are kept, since nothing longer (a client's clipboard) is for us. Nothing is
 * allocated.
 *
 * It is a plain value. Threads: one at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "display/spice/limits.h"

/* These are sizeof(VDAgentMessage) and sizeof(VDIChunkHeader), which are packed. */
#define AGENT_STREAM_HEADER_BYTES 20
#define AGENT_STREAM_CHUNK_BYTES 8

enum agent_stream_port {
	AGENT_STREAM_CLIENT, /* VDP_CLIENT_PORT */
	AGENT_STREAM_SERVER, /* VDP_SERVER_PORT */
	AGENT_STREAM_PORTS,
};

/* A struct of zeros stands at the beginning of the stream. */
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

/* The body had size_bytes when it was sent; min(size_bytes, AGENT_STREAM_BODY_MAX) are at `body`.
 */
typedef void (*agent_stream_message)(void *user, enum agent_stream_port port, uint32_t type,
	const uint8_t *body, uint32_t size_bytes);

/* Takes the next bytes of the stream, and calls `message` for each message that they complete. */
void agent_stream_feed(struct agent_stream *stream, const uint8_t *bytes, size_t n_bytes,
	agent_stream_message message, void *user);
