/* SPDX-License-Identifier: MIT */
/*
 * fetcher_walls locks the fetcher in: it opens few files, connects to QEMU's monitor and to nothing
 * else, and makes no process.
 */
#pragma once

#include "server/starter/fetcher.h"
#include "server/starter/pinned_address.h"

/* Returns false, with a line in the log, when a wall that the kernel has could not be put up. */
bool fetcher_walls_put_up(const struct fetcher_plan *plan, const struct pinned_address *monitor,
	struct confine_state *state);
