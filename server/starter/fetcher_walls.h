/* SPDX-License-Identifier: MIT */
/* fetcher_walls locks the fetcher in: it opens few files, makes one kind of socket, and no process.
 */
#pragma once

#include "server/starter/fetcher.h"

/* Returns false, with a line in the log, when a wall that the kernel has could not be put up. */
bool fetcher_walls_put_up(const struct fetcher_plan *plan, struct confine_state *state);
