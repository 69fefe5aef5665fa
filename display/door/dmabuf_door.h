/* SPDX-License-Identifier: MIT */
/*
 * local: whether pictures may be handed out as dma-bufs, and the door in front of spice-server that
 * makes it safe: a connection over TCP must never be there while a dma-buf is (see spice_gl.h).
 *
 * Dma-bufs are used while everyone is on a unix socket, somebody has a display open and every
 * display takes them. Who comes over TCP waits outside until the last dma-buf is gone and a picture
 * has taken its place. Who does not acknowledge pictures gets ordinary ones, and is cut off when
 * somebody waits: spice-server cannot let go of a dma-buf before it is acknowledged.
 *
 *   OFF ──(all here are local)──► ON ──(somebody else, or stalled)──► LEAVING ──(all gone)──► OFF
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

/* How long a waiting client is kept for the picture that takes a dma-buf's place. */
#define LOCAL_PICTURE_MS 300

struct local;

struct local_ops {
	/* `fd` is the callee's: it may go on to spice-server, or be closed with local_forget(). */
	void (*admit)(void *user, int fd);
	/* false: stop showing dma-bufs, and call local_left() when none is shown any more. */
	void (*use)(void *user, bool dmabufs);
};

struct local *local_create(const struct local_ops *ops, void *user);
void local_destroy(struct local *local);

/* Somebody connected. Takes the socket over until it is admitted. */
void local_arrive(struct local *local, int fd, bool is_unix);
/* An admitted socket was closed before spice-server took it. */
void local_forget(struct local *local, int fd);
/* spice-server has taken the admitted socket, and names it `key` from now on; or let go of it. */
void local_connected(struct local *local, int fd, const void *key);
void local_disconnected(struct local *local, const void *key);

bool local_uses_dmabufs(const struct local *local);
/* A client does not acknowledge. */
void local_stalled(struct local *local);
/* No dma-buf is shown any more. */
void local_left(struct local *local);
/* A picture that is no dma-buf was shown. */
void local_picture(struct local *local);
