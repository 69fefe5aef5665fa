/* SPDX-License-Identifier: MIT */
/*
 * requests: what the keeper does for each vhost-user request. Every answer comes from cached state.
 * Owns the conversation with QEMU and the memory table that is held back; the device, the renderer
 * and the side channel are lent by the keeper. Main thread.
 */
#pragma once

#include <sys/types.h>

#include "server/keeper/gpu_socket.h"
#include "server/keeper/renderer.h"
#include "server/keeper/vhost_user.h"

struct requests_events {
	void *user;
	/* The conversation is over: QEMU hung up, or was refused, which is logged. */
	void (*closed)(void *user, bool refused);
};

struct requests {
	struct vhost_user vhost_user;
	struct device *device;
	struct renderer *renderer;
	struct gpu_socket *gpu_socket;
	struct requests_events events;
	/* Runs while the renderer has an older memory table than the device; 0: it does not. */
	unsigned memory_timer;
};

/* What is lent must live until requests_finish(). There is no conversation yet. */
void requests_init(struct requests *requests, struct device *device, struct renderer *renderer,
	struct gpu_socket *gpu_socket, const struct requests_events *events);
/* Takes `fd`, QEMU's end of a connected unix stream socket, and serves it. At most once. */
void requests_serve(struct requests *requests, int fd);
void requests_finish(struct requests *requests);

/* The process at the other end of the socket; 0: there is none, or it cannot be known. */
pid_t requests_peer_pid(const struct requests *requests);
