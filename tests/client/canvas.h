/* SPDX-License-Identifier: MIT */
/*
 * canvas: the picture a test wants people to see. It is XRGB8888 in plain memory, drawn by the
 * test, copied into scanout buffers by fake_render and compared with what the client shows.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "protocol/frame_link.h"

struct canvas {
	uint32_t width, height;
	uint32_t *pixels; /* width * height */
};

/* Makes a black canvas. */
void canvas_init(struct canvas *canvas, uint32_t width, uint32_t height);
void canvas_finish(struct canvas *canvas);

/* Fills a rectangle, which must lie inside, with a colour 0xrrggbb. */
void canvas_fill(struct canvas *canvas, struct rect rect, uint32_t color);
/* Draws noise in which every pixel differs from its neighbours, and from another seed's. */
void canvas_noise(struct canvas *canvas, struct rect rect, uint32_t seed);
/*
 * Draws a smooth, coloured picture, different for each seed: like a film's, which video encoders
 * carry well.
 */
void canvas_film(struct canvas *canvas, struct rect rect, uint32_t seed);

/* Draws a smooth picture with a little grain, as a photograph has. */
void canvas_photo(struct canvas *canvas, struct rect rect, uint32_t seed);

/*
 * Returns the SHA-256 in hex of the region's R, G, B bytes, as spice-probe's `hash` command gives
 * it. Free it with g_free().
 */
char *canvas_hash(const struct canvas *canvas, struct rect rect);

static inline struct rect canvas_all(const struct canvas *canvas)
{
	return (struct rect){ 0, 0, canvas->width, canvas->height };
}
