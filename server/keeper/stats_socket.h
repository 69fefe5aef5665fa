/* SPDX-License-Identifier: MIT */
/*
 * stats_socket is the keeper's side of protocol/stats.h: the memory into which both workers write
 * their figures, and the socket on which readers get it.
 *
 * A reader costs one message and reads the memory itself; the keeper never looks into it.
 * Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/stats.h"

struct stats_socket {
	int render_fd, display_fd;
	int render_read_fd, display_read_fd; /* the same memory, opened for reading */
	int listener;                        /* -1: none */
	unsigned source;
	char *path; /* of the socket; NULL: none made */
	/* This fills in who runs; header and version are set already. */
	void (*fill)(void *user, struct stats_answer *answer);
	void *user;
};

/*
 * Makes the memory. Finish the board in every case. One that was never initialized must be
 * STATS_SOCKET_NONE, since zero is a descriptor.
 */
bool stats_socket_init(struct stats_socket *board, GError **error);
#define STATS_SOCKET_NONE                                                                          \
	((struct stats_socket){ .render_fd = -1,                                                   \
		.display_fd = -1,                                                                  \
		.render_read_fd = -1,                                                              \
		.display_read_fd = -1,                                                             \
		.listener = -1 })
/*
 * Makes the socket, which only this user may connect to, and answers whoever does. It is called
 * once.
 */
bool stats_socket_listen(struct stats_socket *board, const char *path,
	void (*fill)(void *user, struct stats_answer *answer), void *user, GError **error);
void stats_socket_finish(struct stats_socket *board);
