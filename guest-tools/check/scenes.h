/* SPDX-License-Identifier: MIT */
/*
 * scenes: small pictures whose every pixel is known.
 *
 * A scene draws into the bound framebuffer of SCENE_SIZE squared; `expect` gives the pixel that
 * must be at (x, y), row 0 at the bottom as glReadPixels has it, as 0xAABBGGRR. It returns false
 * where the rules of rasterising leave the answer open (an edge passes too near the pixel's
 * centre).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-tools/common/gl.h"

#define SCENE_SIZE 64

struct scene {
	const char *name;
	int tolerance; /* per channel, of 255 */
	bool needs_es3;
	bool (*draw)(struct gl *gl);
	bool (*expect)(int x, int y, uint32_t *pixel);
};

/* How many pixels were judged and how many are wrong; of the first wrong one, place and colours. */
struct scene_result {
	unsigned n_judged, n_wrong;
	int x, y;
	uint32_t got, expected; /* 0xAABBGGRR */
};

/* NULL: no such scene. */
const struct scene *scene_find(const char *name);
/* Judges SCENE_SIZE squared pixels that were read back after drawing the scene. */
struct scene_result scene_compare(const struct scene *scene, const uint32_t *pixels);
/* A program that covers the framebuffer with one triangle in one colour, without any vertex buffer.
 */
GLuint scene_plain_program(struct gl *gl);

bool scene_compute(struct gl *gl, uint32_t *words, uint32_t n_words);
uint32_t scene_compute_expected(uint32_t index);
