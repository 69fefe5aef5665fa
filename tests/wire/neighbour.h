/* SPDX-License-Identifier: MIT */
/*
 * neighbour: a desktop's own program beside another one of the same guest. It draws picture after
 * picture on head 0 and counts those that are complete.
 *
 * A picture is an upload, a SUBMIT_3D with a fence and a flush, put into the ring together, as
 * Linux does for a compositor's swap. The next one begins when all three are answered, so one
 * picture is under way at a time. The renderer holds the fence to the head's refresh rate, which is
 * the program's rate while it is alone.
 */
#pragma once

#include <stdbool.h>

#include "tests/wire/scene3d.h"

#define NEIGHBOUR_COMMANDS 3

struct flooder;

struct neighbour {
	struct guest *guest;
	struct scene3d *scene;
	struct guest_request *requests[NEIGHBOUR_COMMANDS]; /* of the picture under way */
	bool under_way;
	uint64_t n_begun, n_complete, n_failed;
};

/* Makes the neighbour's context and resources, which are numbered from `base` on. */
void neighbour_init(struct neighbour *neighbour, struct guest *guest, uint32_t base);
/* Draws for for_us microseconds, beside a flooder if there is one (else NULL). */
void neighbour_run(struct neighbour *neighbour, struct flooder *flooder, gint64 for_us);
/* Waits for the picture that is under way and frees what the neighbour holds. */
void neighbour_finish(struct neighbour *neighbour);
