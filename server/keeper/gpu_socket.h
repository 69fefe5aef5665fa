/* SPDX-License-Identifier: MIT */
/*
 * gpu_socket: QEMU's side channel for a GPU backend (docs/interop/vhost-user-gpu.rst), used for one
 * thing: to tell QEMU how large its console is, because it bounds the pointer to that.
 *
 * QEMU opens a new one at every start of the device. Pictures never go here. QEMU's reader blocks
 * on half a message, so both messages are sent in one piece or not at all. Main thread.
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

/* Takes fd; the one before is closed. */
void gpu_socket_replace(struct gpu_socket *socket, int fd);

/*
 * QEMU maps the pointer to its console with truncation; a console of twice the desktop's size makes
 * every desktop pixel reachable. Where that is too large, the size itself is told.
 */
void gpu_socket_set_desktop(struct gpu_socket *socket, uint32_t width, uint32_t height);
