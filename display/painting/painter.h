/* SPDX-License-Identifier: MIT */
/*
 * painter: brings spice-server's surface of one head up to the guest's newest frame, a bitmap at a
 * time, when spice-server asks.
 *
 * It takes the newest frame from the head with all damage that has gathered and asks two questions:
 * what of it has changed since it was last sent (comparer.h), and how is that sent (send_plan.h).
 * If a newer frame comes before all was sent, what is left becomes damage of the newer one. If
 * nothing has changed no bitmap is made. Frames that nobody looks at are compared with nothing,
 * and nothing is kept of them.
 *
 * Threads: spice-server's worker thread of this head. The main loop makes it before that thread
 * starts and destroys it after it ended.
 */
#pragma once

#include "display/heads/damage.h"
#include "display/heads/head.h"
#include "display/painting/bitmap.h"
#include "display/painting/send_plan.h"

struct comparer;

struct painter {
	struct head *head;
	unsigned mode; /* the head's, of which `store` has the size */
	struct bitmap_store store;
	struct comparer *comparer; /* NULL: nobody looks, or no frame has come since */
	struct send_plan plan;
	/* This is the frame of the plan, while a step is left or video may end in it; else NULL. */
	struct bitmap_source *current;
	struct damage damage; /* of `current`, while it is looked at */
};

struct painter *painter_create(struct head *head);
/* Must be called after every bitmap was released. */
void painter_destroy(struct painter *painter);

/* Hands out the next bitmap. Answers STARVED only once between two releases. */
enum bitmap_result painter_take(struct painter *painter, int64_t now_us,
	const struct send_limits *limits, struct bitmap *bitmap);

/*
 * While this is true the owner asks again every PAINTER_TICK_MS milliseconds, even if no frame
 * comes: a video area may end.
 */
#define PAINTER_TICK_MS 25
bool painter_wants_ticks(const struct painter *painter);

/* Releases a bitmap. Returns true when something waits for that. */
bool painter_release(struct painter *painter, struct bitmap *bitmap);
