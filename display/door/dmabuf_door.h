/* SPDX-License-Identifier: MIT */
/*
 * dmabuf door: decides whether pictures may be handed out as dma-bufs, and is the door in front of
 * spice-server that makes it safe. spice-server before 0.16 drops clients on TCP while a dma-buf is
 * shown, so they wait here until none is (see spice_gl.h).
 *
 * Dma-bufs are used while every client is on a unix socket, one of them has a display open, and
 * every display takes them. A client on TCP waits outside until the last dma-buf is gone and a
 * picture has taken its place. A client that does not acknowledge pictures gets ordinary ones. It
 * is cut off when another waits, since spice-server cannot let go of a dma-buf before it is
 * acknowledged.
 *
 *   OFF ──(all here are local)──► ON ──(somebody else, or stalled)──► LEAVING ──(all gone)──► OFF
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

/* A client waits at most this many milliseconds for the picture that takes a dma-buf's place. */
#define DMABUF_DOOR_FRAME_MS 300

struct dmabuf_door;

struct dmabuf_door_ops {
	/*
	 * Lets the client go on to spice-server. `fd` is the callee's; if it closes the socket
	 * instead, it must call dmabuf_door_forget().
	 */
	void (*admit)(void *user, int fd);
	/*
	 * Asks to show dma-bufs from now on, or to stop, and then to call dmabuf_door_left() when
	 * none is shown any more.
	 */
	void (*use)(void *user, bool dmabufs);
};

struct dmabuf_door *dmabuf_door_create(const struct dmabuf_door_ops *ops, void *user);
void dmabuf_door_destroy(struct dmabuf_door *door);

struct dmabuf_door_guest {
	int fd;        /* for spice-server; the door's until it is admitted */
	int own_fd;    /* another, by which it can be cut off, and the door's; -1: not local */
	bool is_local; /* on a unix socket */
	bool display;
	bool gl_scanout; /* takes dma-bufs */
};

/* Takes a channel of a client that has been let in. */
void dmabuf_door_arrive(struct dmabuf_door *door, const struct dmabuf_door_guest *guest);
/* Says that an admitted socket was closed before spice-server took it over. */
void dmabuf_door_forget(struct dmabuf_door *door, int fd);
/*
 * The first says that spice-server has taken an admitted socket over, and names it `key` from now
 * on; the second, that it has let go of the one that it names so.
 */
void dmabuf_door_connected(struct dmabuf_door *door, int fd, const void *key);
void dmabuf_door_disconnected(struct dmabuf_door *door, const void *key);

bool dmabuf_door_uses_dmabufs(const struct dmabuf_door *door);
/* Says that some client does not acknowledge the dma-buf that it was sent. */
void dmabuf_door_stalled(struct dmabuf_door *door);
/* Says that no dma-buf is shown any more. */
void dmabuf_door_left(struct dmabuf_door *door);
/* Says that a frame that is no dma-buf was shown. */
void dmabuf_door_frame_shown(struct dmabuf_door *door);
