/* SPDX-License-Identifier: MIT */
/*
 * spice core: the one spice-server of this process on GLib's main loop: its watches and timers, its
 * settings, its clients.
 *
 * Pictures are compressed without loss (LZ4, or LZ for a client that lacks it); a rectangle that
 * keeps moving becomes video and ends lossless again. glz is not used: it keeps what it has
 * encoded.
 *
 * Threads: main loop. spice-server runs one more thread for each head, see spice_head.h.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct RedsState; /* spice-server's SpiceServer */
struct spice_core;

enum spice_core_channel {
	SPICE_CORE_MAIN,
	SPICE_CORE_DISPLAY,
	SPICE_CORE_INPUTS,
	SPICE_CORE_CURSOR,
};

struct spice_core_ops {
	/* A client's channel is ready, or went away. `id` is the head for DISPLAY and CURSOR. */
	void (*channel)(void *user, enum spice_core_channel channel, unsigned id, bool connected);
	/*
	 * spice-server has taken a socket that spice_core_add_client() gave it, whatever its
	 * channel, and `key` names it from now on; or let go of it (fd -1).
	 */
	void (*connection)(void *user, int fd, const void *key, bool connected);
};

/* NULL when spice-server cannot start (it says why). `name` is what clients see, NULL for none. */
struct spice_core *spice_core_create(
	const char *name, const struct spice_core_ops *ops, void *user);
void spice_core_destroy(struct spice_core *core);

struct RedsState *spice_core_server(struct spice_core *core);

/* Encoders for video, best first, as spice_server_set_video_codecs() takes them. At first
 * spice:mjpeg. */
void spice_core_set_codecs(struct spice_core *core, const char *codecs);

/* The password clients must give from now on; empty: none. */
bool spice_core_set_ticket(struct spice_core *core, const char *ticket);

/*
 * Takes over a connected stream socket; false when spice-server refused it (it is closed then). Who
 * does not link a channel in time is cut off (lobby.h).
 */
bool spice_core_add_client(struct spice_core *core, int fd);
