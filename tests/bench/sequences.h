/* SPDX-License-Identifier: MIT */
/*
 * sequences: what a guest draws, frame by frame, made by a program: the same pixels on every
 * machine, in no file. Each sequence stands for one way that a desktop changes.
 */
#pragma once

#include <stdint.h>

#include "protocol/frame_link.h"

/* Rectangles of damage that one frame of a sequence has at most. */
#define SEQUENCE_RECTS_MAX 4

/* The guest's screen while a sequence is played. */
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
	/* Draws frame `i` and writes its damage. Returns the number of rectangles; 0: no frame. */
	unsigned (*draw)(struct scene *scene, unsigned i, struct rect *damage);
};

#define SEQUENCES 3
/* Somebody types into a terminal that scrolls, a window is moved about, a film plays in a window.
 */
extern const struct sequence SEQUENCE[SEQUENCES];

/* Both sides are at least 800 pixels. */
void scene_init(struct scene *scene, uint32_t width, uint32_t height);
void scene_finish(struct scene *scene);
