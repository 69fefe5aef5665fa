/* SPDX-License-Identifier: MIT */
/*
 * scene_painter: draws scene's whole pictures on the CPU, for host programs. It is no part of the
 * guest.
 */
#include <stdlib.h>
#include <string.h>

#include "counter_layout.h"
#include "scene.h"

#define TEXTURE_BYTES ((size_t)SCENE_TEXTURE_PX * SCENE_TEXTURE_PX * sizeof(uint32_t))

struct scene_painter {
	struct scene scene;
	uint32_t *desktop, *ground, *discs;
};

struct scene_painter *scene_painter_create(const struct scene *scene)
{
	struct scene_painter *painter = calloc(1, sizeof(*painter));

	if (!painter)
		return NULL;
	painter->scene = *scene;
	painter->desktop = malloc((size_t)scene->width * (size_t)scene->height * sizeof(uint32_t));
	painter->ground = malloc(TEXTURE_BYTES);
	painter->discs = malloc(TEXTURE_BYTES);
	if (!painter->desktop || !painter->ground || !painter->discs) {
		scene_painter_destroy(painter);
		return NULL;
	}
	scene_fill_desktop(scene, painter->desktop);
	scene_fill_ground(scene, painter->ground);
	scene_fill_discs(painter->discs);
	return painter;
}

void scene_painter_destroy(struct scene_painter *painter)
{
	free(painter->desktop);
	free(painter->ground);
	free(painter->discs);
	free(painter);
}

static void paint_ground(const struct scene_painter *painter, uint32_t frame, uint32_t *pixels)
{
	const struct scene_rect *window = &painter->scene.window;
	int left, top;

	scene_ground_offset(&painter->scene, frame, &left, &top);
	for (int y = 0; y < window->height; y++) {
		const uint32_t *from =
			painter->ground + (size_t)((top + y) % SCENE_TEXTURE_PX) * SCENE_TEXTURE_PX;
		uint32_t *to =
			pixels + (size_t)(window->y + y) * (size_t)painter->scene.width + window->x;

		for (int x = 0, run; x < window->width; x += run) {
			const int at = (left + x) % SCENE_TEXTURE_PX;

			run = SCENE_TEXTURE_PX - at < window->width - x ? SCENE_TEXTURE_PX - at :
									  window->width - x;
			memcpy(to + x, from + at, (size_t)run * sizeof(uint32_t));
		}
	}
}

static void paint_disc(
	const struct scene_painter *painter, struct scene_disc disc, uint32_t *pixels)
{
	for (int y = 0; y < SCENE_DISC_PX; y++) {
		const uint32_t *from =
			painter->discs + (size_t)y * SCENE_TEXTURE_PX + disc.tile * SCENE_TILE_PX;
		uint32_t *to =
			pixels + (size_t)(disc.y + y) * (size_t)painter->scene.width + disc.x;

		for (int x = 0; x < SCENE_DISC_PX; x++) {
			if (from[x] >> 31)
				to[x] = from[x];
		}
	}
}

static void paint_text(
	const struct scene_painter *painter, uint32_t frame, uint32_t keys, uint32_t *pixels)
{
	const struct scene *scene = &painter->scene;
	const size_t stride = (size_t)scene->width;
	const uint32_t first = scene_first_line(scene, frame);

	for (int row = 0; row < scene->window.height / SCENE_CELL_HEIGHT_PX; row++) {
		for (int column = 0; column < SCENE_COLUMNS; column++)
			scene_fill_cell(scene, first + (uint32_t)row, column, keys,
				pixels +
					stride * (size_t)(scene->window.y +
							  row * SCENE_CELL_HEIGHT_PX) +
					scene->window.x + column * SCENE_CELL_WIDTH_PX,
				stride);
	}
}

static void paint_rect(const struct scene *scene, int x, int y, int width, int height,
	uint32_t color, uint32_t *pixels)
{
	for (int row = y; row < y + height; row++) {
		for (int column = x; column < x + width; column++)
			pixels[(size_t)row * (size_t)scene->width + (size_t)column] = color;
	}
}

static void paint_strip(const struct scene *scene, int x, int y, uint32_t value, uint32_t *pixels)
{
	paint_rect(scene, x - COUNTER_BORDER_PX, y - COUNTER_BORDER_PX,
		COUNTER_WIDTH_PX + 2 * COUNTER_BORDER_PX, COUNTER_HEIGHT_PX + 2 * COUNTER_BORDER_PX,
		COUNTER_BLACK, pixels);
	for (int cell = 0; cell < COUNTER_CELLS; cell++)
		paint_rect(scene, x + cell * COUNTER_CELL_PX, y, COUNTER_CELL_PX, COUNTER_HEIGHT_PX,
			counter_cell_color(value, cell), pixels);
}

void scene_paint(struct scene_painter *painter, uint32_t frame, uint32_t keys, uint32_t *pixels)
{
	const struct scene *scene = &painter->scene;

	memcpy(pixels, painter->desktop,
		(size_t)scene->width * (size_t)scene->height * sizeof(uint32_t));
	if (scene->has_ground)
		paint_ground(painter, frame, pixels);
	for (int disc = 0; disc < scene->n_discs; disc++)
		paint_disc(painter, scene_disc_at(scene, frame, disc), pixels);
	if (scene->has_text)
		paint_text(painter, frame, keys, pixels);
	for (int i = 0; i < scene->n_strips; i++)
		paint_strip(scene, scene->strips[i].x, scene->strips[i].y,
			scene->strips[i].keys ? keys : frame, pixels);
}
