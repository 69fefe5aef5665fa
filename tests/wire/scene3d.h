/* SPDX-License-Identifier: MIT */
/*
 * scene3d: a picture drawn by virgl commands whose every pixel is known beforehand.
 *
 * It has a clear; a flat triangle whose long edge passes between pixel centres; a rectangle with
 * colours interpolated so that each pixel centre falls on a whole number; a texture drawn at twice
 * its size with the nearest filter; a rectangle added to what lies under it; a blit. Nothing
 * depends on how a GL rounds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/wire/guest_gpu.h"
#include "tests/wire/virgl_encode.h"

#define SCENE3D_WIDTH 128
#define SCENE3D_HEIGHT 96

/*
 * A scene occupies these ids from `base` on: a context with the number base, and these resources.
 */
enum { SCENE3D_TARGET, SCENE3D_VERTICES, SCENE3D_TEXTURE, SCENE3D_IDS };

struct scene3d {
	struct guest *guest;
	uint32_t base;
	bool y_0_top;
	struct guest_backing *target_backing, *vertices_backing, *texture_backing;
};

/* Makes context, resources and backings. Aborts the test when a command fails. */
struct scene3d *scene3d_create(struct guest *guest, uint32_t base, bool y_0_top);
/* Writes the stream that draws the scene, without the upload, for a caller that sends it itself. */
void scene3d_write(struct scene3d *scene, uint32_t seed, struct virgl_stream *s);
/* Uploads the texture and draws; `seed` changes the colours. Returns the response of SUBMIT_3D. */
uint32_t scene3d_draw(struct scene3d *scene, uint32_t seed);
/* Reads the target back into guest memory and compares; returns false with a message on stderr. */
bool scene3d_check(struct scene3d *scene, uint32_t seed);
/*
 * Fills in what the scene looks like: B8G8R8A8, rows of SCENE3D_WIDTH. Into a Y_0_TOP resource
 * virglrenderer 0.10 draws upside down as the guest sees it, in our backend as in the
 * distribution's; what the guest uploads stays upright.
 */
void scene3d_expect(uint32_t seed, bool y_0_top, uint32_t *pixels);
/*
 * Frees the scene. If `gone`, the device has forgotten everything in a reset, and nothing is sent.
 */
void scene3d_destroy(struct scene3d *scene, bool gone);

/* Creates a scene, draws it, reads it back, checks and destroys it. */
bool scene3d_run(struct guest *guest, uint32_t base, uint32_t seed);
