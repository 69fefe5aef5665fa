/* SPDX-License-Identifier: MIT */
/*
 * starter_walls take from the starter what neither it nor its workers ever need. Workers inherit
 * them, and drivers do anything while they start: of files they may what both workers together may
 * (starter_paths.h), of system calls there is a list of what is refused and not of what is allowed.
 * Each worker puts up its own walls later, inside these.
 */
#pragma once

#include "server/starter/isolation.h"

/* Returns false, with a line in the log, when a wall that the kernel has could not be put up. */
bool starter_walls_put_up(const struct isolation *isolation, struct confine_state *state);
