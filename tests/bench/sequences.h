/* SPDX-License-Identifier: MIT */
/*
 * sequences: makes what a guest draws, frame by frame, by a program: the same pixels on every
 * machine, in no file. Each sequence stands for one way that a desktop changes.
 */
#pragma once

#include <stdint.h>

#include "protocol/frame_link.h"

/* One frame of a sequence has at most this many rectangles of damage. */
#define SEQUENCE_RECTS_MAX 4

/* Holds the guest's screen while a sequence is played. */
struct scene {
	uint32_t width, height;
	uint32_t *pixels;   /* what is shown now: row by row without gaps, XRGB8888 */
	uint32_t *backdrop; /* what lies under the window that moves */
	uint32_t column;    /* of the next letter that is typed */
};

struct sequence {
	const char *name;
	unsigned n_frames; /* 60 a second */
	void (*begin)(struct scene *scene);
	/*
	 * Draws frame `i` and writes its damage. Returns the number of rectangles; 0 means that
	 * there is no frame.
	 */
	unsigned (*draw)(struct scene *scene, unsigned i, struct rect *damage);
};

#define SEQUENCES 3
/*
 * In these somebody types into a terminal that scrolls, a window is moved about, and a film plays
 * in a window.
 */
extern const struct sequence SEQUENCE[SEQUENCES];

/* Makes a screen, of which both sides must be at least 800 pixels. */
void scene_init(struct scene *scene, uint32_t width, uint32_t height);
void scene_finish(struct scene *scene);
