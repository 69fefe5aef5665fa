/* SPDX-License-Identifier: MIT */
/*
 * scene: the pictures of the desktop benchmark, frame by frame. The guest program bench-scene draws
 * them with OpenGL ES; host programs compute the same pixels here, so that what a client shows can
 * be compared with what the guest drew. All of it is integer arithmetic of (scene, frame, keys):
 * every pixel is the same on both sides.
 *
 *   gl      the whole screen: discs that bounce before one colour, as kmscube's cube does
 *   world   the whole screen: every pixel moves
 *   window  the same in a window beside a page of text
 *   video   a window that pans over a natural picture, with cuts, beside a page of text
 *   scroll  a terminal that scrolls by one line a frame
 *   typing  a terminal that shows one more character for each key pressed; keys, not frames, count
 *   still   a page of text; nothing moves
 *
 * Pixels are 0x00RRGGBB in host byte order, row 0 on top.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCENE_TEXTURE_PX 1024 /* textures are square and repeat */
#define SCENE_TILE_PX 256     /* a disc's square in the disc texture */
#define SCENE_DISC_PX 192     /* diameter */
#define SCENE_DISCS_MAX 8
#define SCENE_CELL_WIDTH_PX 8
#define SCENE_CELL_HEIGHT_PX 16
#define SCENE_COLUMNS (SCENE_TEXTURE_PX / SCENE_CELL_WIDTH_PX)
#define SCENE_TEXT_LINES                                                                           \
	(SCENE_TEXTURE_PX / SCENE_CELL_HEIGHT_PX) /* lines the text texture holds */
#define SCENE_STRIPS_MAX 3
#define SCENE_DESKTOP_COLOR 0x30506eu

enum scene_kind {
	SCENE_GL,
	SCENE_WORLD,
	SCENE_WINDOW,
	SCENE_VIDEO,
	SCENE_SCROLL,
	SCENE_TYPING,
	SCENE_STILL
};

struct scene_rect {
	int x, y, width, height;
};

/* Says where a strip of counter_layout.h stands (its first cell), and what it counts. */
struct scene_strip {
	int x, y;
	bool keys;
};

struct scene {
	enum scene_kind kind;
	const char *name;
	int width, height;
	struct scene_rect window; /* the moving part */
	struct scene_rect damage; /* what changes from frame to frame: the window and its strips */
	int rate;                 /* frames a second that the guest draws; 0: as fast as it can */
	int n_discs;
	bool has_ground; /* a texture under the discs, not one colour */
	bool has_text;
	int n_strips;
	struct scene_strip strips[SCENE_STRIPS_MAX];
};

/* Holds a disc's upper left corner on the screen and its tile in the disc texture. */
struct scene_disc {
	int x, y, tile;
};

/* Returns false when there is no scene of that name. */
bool scene_init(struct scene *scene, const char *name, int width, int height);

/* Fill SCENE_TEXTURE_PX squared pixels. Discs carry alpha: 0xff inside, 0 outside. */
void scene_fill_ground(const struct scene *scene, uint32_t *pixels);
void scene_fill_discs(uint32_t *pixels);
/* Fills in what never moves, width * height pixels. */
void scene_fill_desktop(const struct scene *scene, uint32_t *pixels);
/* Fills in one cell of a terminal's text; `stride` is in pixels. */
void scene_fill_cell(const struct scene *scene, uint32_t line, int column, uint32_t keys,
	uint32_t *pixels, size_t stride);

/*
 * Gives how far the ground texture is moved at a frame, as the texel of the window's upper left
 * corner.
 */
void scene_ground_offset(const struct scene *scene, uint32_t frame, int *x, int *y);
struct scene_disc scene_disc_at(const struct scene *scene, uint32_t frame, int disc);
/* Returns where a typed character stands: the cell of key number `key`, counted from 1. */
struct scene_rect scene_key_cell(const struct scene *scene, uint32_t key);
/* Returns the first line of text that a scrolling terminal shows at a frame. */
uint32_t scene_first_line(const struct scene *scene, uint32_t frame);

/* Makes whole pictures at a frame after a number of keys, from textures made once. */
struct scene_painter;
struct scene_painter *scene_painter_create(const struct scene *scene);
void scene_painter_destroy(struct scene_painter *painter);
void scene_paint(struct scene_painter *painter, uint32_t frame, uint32_t keys, uint32_t *pixels);
