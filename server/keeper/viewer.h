/* SPDX-License-Identifier: MIT */
/*
 * viewer: keeps a vitrine-display process in step: ticket, certificate, listening sockets, the way
 * to QEMU's D-Bus display.
 *
 * The listening sockets stay open here, so a client that arrives while the process is replaced
 * waits in the queue instead of being refused.
 */
#pragma once

#include "server/keeper/worker.h"

#define VIEWER_LISTENERS_MAX 4

struct viewer_events {
	void *user;
	/* READY: it needs a frame link and a D-Bus connection. */
	void (*ready)(void *user);
	void (*failed)(void *user);
	/* The desktop's size in pixels. */
	void (*pointer_area)(void *user, uint32_t width, uint32_t height);
};

struct viewer_listener {
	int fd;
	enum keeper_listener_kind kind;
};

struct viewer {
	struct worker worker;
	struct viewer_events events;
	const char *ticket; /* NULL: none */
	int certificate[2]; /* files: certificate and key; -1: none */
	struct viewer_listener listeners[VIEWER_LISTENERS_MAX];
	unsigned n_listeners;
};

/* Takes argv; `ticket` stays the caller's and must stay. */
void viewer_init(
	struct viewer *viewer, char **argv, const char *ticket, const struct viewer_events *events);
/* Takes both descriptors: of PEM files, which display reads. Before viewer_start(). */
void viewer_set_certificate(struct viewer *viewer, int certificate_fd, int key_fd);
/* Takes fd. Before viewer_start(). */
void viewer_add_listener(struct viewer *viewer, enum keeper_listener_kind kind, int fd);
bool viewer_start(struct viewer *viewer, GError **error);
void viewer_finish(struct viewer *viewer);

/* `end` stays the caller's in both. */
bool viewer_send_frame_link(struct viewer *viewer, int end);
bool viewer_send_dbus(struct viewer *viewer, int end);
