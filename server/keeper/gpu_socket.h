/* SPDX-License-Identifier: MIT */
/*
 * gpu_socket is QEMU's side channel for a GPU backend (docs/interop/vhost-user-gpu.rst). We use it
 * for two things: to tell QEMU how large its console is, because QEMU bounds the pointer to that,
 * and to ask it once which size the device was given (xres and yres). Pictures never go here.
 *
 * QEMU opens a new one at every start of the device. Its reader blocks on half a message, so
 * messages are sent in one piece or not at all. Everything happens on the main thread.
 */
#pragma once

#include <linux/virtio_gpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Says the size in pixels that the device was given, as QEMU says it: any two numbers that are not
 * 0.
 */
typedef void (*gpu_socket_first_size)(void *user, uint32_t width, uint32_t height);

/* QEMU answers with this: the header's three words, then what a guest would be answered. */
struct gpu_socket_answer {
	uint32_t request, flags, size_bytes;
	struct virtio_gpu_resp_display_info info;
} __attribute__((packed));

struct gpu_socket {
	int fd; /* -1: none */
	unsigned source;
	uint32_t width, height; /* of the desktop; 0: not known yet */
	gpu_socket_first_size first_size;
	void *user;
	bool is_answered; /* then nothing that QEMU says is of interest any more */
	struct gpu_socket_answer answer;
	size_t answer_bytes; /* of it that have come on this descriptor */
};

/* `first_size` is called once; NULL: nobody wants to know. */
void gpu_socket_init(struct gpu_socket *socket, gpu_socket_first_size first_size, void *user);
void gpu_socket_finish(struct gpu_socket *socket);

/* Takes fd, and closes the one before. */
void gpu_socket_replace(struct gpu_socket *socket, int fd);

/*
 * Tells QEMU twice the desktop's size: it truncates when it maps the pointer to its console, and so
 * every pixel of the desktop can be reached. Where twice is more than GPU_SOCKET_SIDE_MAX, the size
 * itself is told.
 */
void gpu_socket_set_desktop(struct gpu_socket *socket, uint32_t width, uint32_t height);
