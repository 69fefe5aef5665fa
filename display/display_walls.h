/* SPDX-License-Identifier: MIT */
/*
 * display_walls is what vitrine-display may still do: the sockets that it was handed, installed
 * files to be read, the GPUs as long as an encoder may want one. No other programs, and it makes
 * and connects no socket. The tables stand in the source, with reasons.
 *
 * The walls come in three steps. display_walls_begin(): while there is one thread, what holds for
 * threads. display_walls_finish(): before READY, so before anything of guest or client comes, all
 * others. display_walls_narrow(): when it is known which encoders serve, what only their search
 * needed goes.
 *
 * Threads: main loop.
 */
#pragma once

#include "common/confine/confine.h"

struct display_walls {
	enum confine_mode mode;
	const char *render_node; /* the one GPU that it may open; NULL: none */
	struct confine_state state;
	struct confine_state inner; /* of the process that makes the inner connections */
};

/*
 * Confines the process that makes the inner connections, in it: it may connect to one port of its
 * own network. `user` is the struct display_walls, of which it reads the mode. `state` is zeros.
 * Returns false, which is logged.
 */
bool display_walls_confine_inner(void *user, uint16_t port, struct confine_state *state);

/* The first two return false, which is logged, when the process must not go on. */
bool display_walls_begin(struct display_walls *walls);
bool display_walls_finish(struct display_walls *walls);
/* `hardware`: an encoder on a GPU serves. */
void display_walls_narrow(const struct display_walls *walls, bool hardware);
