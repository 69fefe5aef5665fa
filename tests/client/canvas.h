/* SPDX-License-Identifier: MIT */
/*
 * canvas: the picture a test wants people to see: XRGB8888 in plain memory, drawn by the test,
 * copied into scanout buffers by fake_render and compared with what the client shows.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "protocol/frame_link.h"

struct canvas {
	uint32_t width, height;
	uint32_t *pixels; /* width * height */
};

/* Black. */
void canvas_init(struct canvas *canvas, uint32_t width, uint32_t height);
void canvas_finish(struct canvas *canvas);

/* Colours are 0xrrggbb. Rectangles must lie inside. */
void canvas_fill(struct canvas *canvas, struct rect rect, uint32_t color);
/* Every pixel differs from its neighbours, and from another seed's. */
void canvas_noise(struct canvas *canvas, struct rect rect, uint32_t seed);
/* Smooth, coloured, different for each seed: like a film, and kind to video encoders. */
void canvas_film(struct canvas *canvas, struct rect rect, uint32_t seed);

/* As a photograph: smooth, with a little grain. */
void canvas_photo(struct canvas *canvas, struct rect rect, uint32_t seed);

/* SHA-256 in hex of the region's R, G, B bytes, as spice-probe's `hash` command gives it. g_free
 * it. */
char *canvas_hash(const struct canvas *canvas, struct rect rect);

static inline struct rect canvas_all(const struct canvas *canvas)
{
	return (struct rect){ 0, 0, canvas->width, canvas->height };
}
