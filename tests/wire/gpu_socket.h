/* SPDX-License-Identifier: MIT */
/*
 * gpu_socket: QEMU's end of the socket that VHOST_USER_GPU_SET_SOCKET hands to a backend.
 *
 * A thread answers what QEMU would answer and keeps what it would show: one surface for each
 * scanout, written by UPDATE, and the cursor. The stock backend writes whole frames here; ours
 * tells only the size of the desktop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define GPU_SOCKET_SCANOUTS 16

struct gpu_socket_scanout {
	uint32_t width, height;
	uint32_t *pixels; /* width * height, X8R8G8B8 */
	uint64_t updates;
};

/* Is called in the thread for each UPDATE, after its pixels are in place. */
typedef void (*gpu_socket_update_fn)(
	void *user, unsigned scanout, const struct gpu_socket_scanout *surface);

struct gpu_socket {
	int peer_fd; /* the backend's end, until it has been sent */
	int fd;
	int wake_fd;
	GThread *thread;
	GMutex lock; /* everything below */
	GCond changed;
	struct gpu_socket_scanout scanouts[GPU_SOCKET_SCANOUTS];
	uint64_t messages;
	uint64_t bad_messages; /* that QEMU would not have understood */
	uint64_t bytes;
	int32_t cursor_x, cursor_y;
	bool closed; /* by the backend */
	gpu_socket_update_fn on_update;
	void *user;
};

struct gpu_socket *gpu_socket_create(gpu_socket_update_fn on_update, void *user);
/* Closes both ends and waits for the thread. */
void gpu_socket_destroy(struct gpu_socket *gpu);
/* Closes our copy of the backend's end; call it after that end has been sent. */
void gpu_socket_close_peer(struct gpu_socket *gpu);
/* Waits until the scanout has seen at least this many updates. */
bool gpu_socket_wait_updates(
	struct gpu_socket *gpu, unsigned scanout, uint64_t updates, int timeout_ms);
/* Waits until the backend has told a size for the scanout. */
bool gpu_socket_wait_size(
	struct gpu_socket *gpu, unsigned scanout, uint32_t width, uint32_t height, int timeout_ms);
