/* SPDX-License-Identifier: MIT */
/*
 * spice core: runs a spice-server on GLib's main loop, with its watches,
 * timers, settings and clients.
 *
 * Bitmaps are compressed without loss. spice-server begins with LZ4 (LZ for a client that lacks
 * it); for a client behind a slow line the relay asks for auto_lz, which is QUIC or LZ by content
 * (relay/compression.h). GLZ is never used: it keeps the bitmaps it has encoded. Areas that keep
 * moving become video, and lossless again when they are still (painting/video_areas.h).
 *
 * Threads: main loop. spice-server runs one worker thread more for each head (spice_head.h).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define SPICE_CORES_MAX 8

struct RedsState; /* spice-server's SpiceServer */
struct spice_core;

enum spice_core_channel {
	SPICE_CORE_MAIN,
	SPICE_CORE_DISPLAY,
	SPICE_CORE_INPUTS,
	SPICE_CORE_CURSOR,
};

struct spice_core_ops {
	/*
	 * Says that a client's channel is ready, or has gone. `id` is the head's number for DISPLAY
	 * and CURSOR; a client makes it up, so it may be any.
	 */
	void (*channel)(void *user, enum spice_core_channel channel, unsigned id, bool connected);
	/*
	 * Says that spice-server has taken the socket `fd` that spice_core_add_client() gave it,
	 * and `key` names that connection until it has gone (fd is -1 then).
	 */
	void (*connection)(void *user, int fd, const void *key, bool connected);
};

/*
 * Returns NULL when spice-server cannot start (logged). Clients see `name` as the desktop's; NULL:
 * it has none. There are SPICE_CORES_MAX at a time: a spice-server shows one client, since with
 * several of them the slowest one's queue stops its worker for all (red-worker.cpp, MAX_PIPE_SIZE).
 */
struct spice_core *spice_core_create(
	const char *name, const struct spice_core_ops *ops, void *user);
void spice_core_destroy(struct spice_core *core);

struct RedsState *spice_core_server(struct spice_core *core);

/*
 * Says which encoders there are for video, best first, as spice_server_set_video_codecs() takes
 * them. Until this is called there is spice:mjpeg alone.
 */
void spice_core_set_codecs(struct spice_core *core, const char *codecs);

/*
 * Takes over a connected stream socket, at whose other end is somebody who was let in: spice-server
 * asks for no password. Returns false when spice-server refused it; it is closed then.
 */
bool spice_core_add_client(struct spice_core *core, int fd);
