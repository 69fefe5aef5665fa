/* SPDX-License-Identifier: MIT */
/*
 * scenes are small pictures whose every pixel is known.
 *
 * A scene draws into the bound framebuffer, which is SCENE_SIZE squared. `expect` gives the pixel
 * that must be at (x, y), as 0xAABBGGRR; row 0 is at the bottom, as glReadPixels has it. It returns
 * false where the rules of rasterising leave the answer open, because an edge passes too near the
 * pixel's centre.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-tools/common/gl.h"

#define SCENE_SIZE 64

struct scene {
	const char *name;
	int tolerance; /* Each channel may differ by this amount, of 255. */
	bool needs_es3;
	bool (*draw)(struct gl *gl);
	bool (*expect)(int x, int y, uint32_t *pixel);
};

/* scene_compare fills this in. Place and colours are those of the first wrong pixel. */
struct scene_result {
	unsigned n_judged, n_wrong;
	int x, y;
	uint32_t got, expected; /* Both read 0xAABBGGRR. */
};

/* Gives NULL when there is no scene of this name. */
const struct scene *scene_find(const char *name);
/* Judges the SCENE_SIZE squared pixels that were read back after the scene was drawn. */
struct scene_result scene_compare(const struct scene *scene, const uint32_t *pixels);
/*
 * Makes a program that covers the framebuffer with one triangle in one colour, without any vertex
 * buffer.
 */
GLuint scene_plain_program(struct gl *gl);

bool scene_compute(struct gl *gl, uint32_t *words, uint32_t n_words);
uint32_t scene_compute_expected(uint32_t index);
