/* SPDX-License-Identifier: MIT */
/*
 * stats: the keeper's side of protocol/stats.h: the memory both workers write their figures into,
 * and the socket on which readers get it.
 *
 * A reader costs one message; it reads the memory itself. The keeper never looks into it. Main
 * thread.
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
	/* Fills in who runs; header and version are set already. */
	void (*fill)(void *user, struct stats_answer *answer);
	void *user;
};

/* Makes the memory. Finish in every case; a board of zeroes is not for finish: see
 * STATS_SOCKET_NONE. */
bool stats_socket_init(struct stats_socket *board, GError **error);
#define STATS_SOCKET_NONE                                                                          \
	((struct stats_socket){ .render_fd = -1,                                                   \
		.display_fd = -1,                                                                  \
		.render_read_fd = -1,                                                              \
		.display_read_fd = -1,                                                             \
		.listener = -1 })
/* Makes the socket, for this user alone, and answers who connects. */
bool stats_socket_listen(struct stats_socket *board, const char *path,
	void (*fill)(void *user, struct stats_answer *answer), void *user, GError **error);
void stats_socket_finish(struct stats_socket *board);
