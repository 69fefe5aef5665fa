/* SPDX-License-Identifier: MIT */
/*
 * comparer: answers the first question of painting, what has changed and how does it move. It looks
 * at a frame's pixels where the guest says that something changed, compares them with what was
 * sent, and says in a struct changes what is new, what has scrolled and which parts move as films
 * do.
 *
 * It remembers what was sent by hashes of strips (strips.h), finds in them what has scrolled
 * (scroll.h) and leaves the areas that are sent as video to video_areas.h. It takes for granted
 * that all it names will be sent; whoever did not send something says so by comparer_forget. It
 * knows neither drawables nor lines.
 *
 * Threads: none of its own; the worker thread of the head. Time is the caller's, in microseconds.
 */
#pragma once

#include "display/heads/damage.h"
#include "display/heads/frame.h"
#include "display/painting/changes.h"

struct comparer;

/* The new comparer takes it that nothing was sent yet. */
struct comparer *comparer_create(uint32_t width, uint32_t height);
void comparer_destroy(struct comparer *comparer);

/*
 * Compares the frame inside `damage` with what was sent. Areas that end are added to the damage,
 * and more than the head's area of it becomes all of the head. With an empty damage only areas may
 * end. `frame` has the comparer's size and must last as long as `changes` is used.
 */
void comparer_look(struct comparer *comparer, const struct frame *frame, struct damage *damage,
	int64_t now_us, const struct video_wish *wish, struct changes *changes);

/* Says that the rectangle was not sent: what a client sees there is not known. */
void comparer_forget(struct comparer *comparer, const struct rect *rect);
