/* SPDX-License-Identifier: MIT */
/*
 * gpu_socket is QEMU's side channel for a GPU backend (docs/interop/vhost-user-gpu.rst). We use it
 * for one thing: to tell QEMU how large its console is, because QEMU bounds the pointer to that.
 * Pictures never go here.
 *
 * QEMU opens a new one at every start of the device. Its reader blocks on half a message, so both
 * messages are sent in one piece or not at all. Everything happens on the main thread.
 */
#pragma once

#include <stdint.h>

struct gpu_socket {
	int fd; /* -1: none */
	unsigned source;
	uint32_t width, height; /* of the desktop; 0: not known yet */
};

void gpu_socket_init(struct gpu_socket *socket);
void gpu_socket_finish(struct gpu_socket *socket);

/* Takes fd, and closes the one before. */
void gpu_socket_replace(struct gpu_socket *socket, int fd);

/*
 * Tells QEMU twice the desktop's size: it truncates when it maps the pointer to its console, and so
 * every pixel of the desktop can be reached. Where twice is more than GPU_SOCKET_SIDE_MAX, the size
 * itself is told.
 */
void gpu_socket_set_desktop(struct gpu_socket *socket, uint32_t width, uint32_t height);
