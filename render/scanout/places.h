/* SPDX-License-Identifier: MIT */
/*
 * places: says where on the desktop a guest's heads lie, as far as that can be known.
 *
 * Pointers need it: one tablet spans all heads. A guest that has one picture for all of them (a
 * head *spans*) shows by its scanouts where they are. One with a picture for each says nothing. It
 * was told where display would have them; but where it has given a head another size than was
 * wished, the others cannot lie where they were wished, and desktops move them along: what was to
 * the right of it stays so, and what was below it.
 *
 * It is a pure function. Threads: any.
 */
#pragma once

#include "common/rect.h"
#include "protocol/frame_link.h"

struct head_place {
	bool on, spans;
	struct rect rect;            /* of its resource: what the head shows */
	struct frame_head_mode mode; /* what was wished of it */
	uint32_t x, y;               /* the answer, for heads that are on */
};

void places_find(struct head_place places[FRAME_HEADS_MAX]);
