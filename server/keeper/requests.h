/* SPDX-License-Identifier: MIT */
/*
 * requests does what each vhost-user request asks for, and answers from cached state. It owns the
 * conversation with QEMU and the timer of a memory table that is held back. The keeper lends it the
 * device, the renderer and the side channel. Everything happens on the main thread.
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
	/*
	 * A driver in the guest, of the firmware or of its system, has begun to use the GPU, or has
	 * stopped; so it is, too, when the machine is paused. The member is NULL where nobody wants
	 * to know.
	 */
	void (*driver)(void *user, bool is_up);
	/* A driver in the guest reads the device's configuration. The member may be NULL, too. */
	void (*asked)(void *user);
};

struct requests {
	struct vhost_user vhost_user;
	struct device *device;
	struct renderer *renderer;
	struct gpu_socket *gpu_socket;
	struct requests_events events;
	/*
	 * The timer runs while the renderer has an older memory table than the device; 0: it has
	 * the same.
	 */
	unsigned memory_timer;
};

/* What is lent must live until requests_finish(). There is no conversation yet. */
void requests_init(struct requests *requests, struct device *device, struct renderer *renderer,
	struct gpu_socket *gpu_socket, const struct requests_events *events);
/*
 * Takes `fd`, our end of a connected unix stream socket, and serves QEMU at the other. It is called
 * once at most.
 */
void requests_serve(struct requests *requests, int fd);
void requests_finish(struct requests *requests);

/*
 * Gives the process at the other end of the socket, or 0 when there is none or it cannot be known.
 */
pid_t requests_peer_pid(const struct requests *requests);
