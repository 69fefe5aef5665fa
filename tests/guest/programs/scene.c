/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "counter_layout.h"

#define WRAP (SCENE_TEXTURE_PX - 1)
#define STRIP_MARGIN COUNTER_BORDER_PX
#define STRIP_BOX_HEIGHT (COUNTER_HEIGHT_PX + 2 * COUNTER_BORDER_PX)
#define PAGE_MARGIN 24
#define PAGE_WIDTH 800
#define PAPER_COLOR 0xf4f2ec
#define INK_COLOR 0x202028
#define SCREEN_COLOR 0x101820
#define CUT_FRAMES 120
#define N_GLYPHS 96

static uint32_t mix(uint32_t value)
{
	value ^= value >> 16;
	value *= 0x7feb352d;
	value ^= value >> 15;
	value *= 0x846ca68b;
	return value ^ value >> 16;
}

/* Goes from 0 to span and back again. */
static int bounce(uint32_t step, int span)
{
	const int at = (int)(step % (2u * (unsigned)span));

	return at < span ? at : 2 * span - at;
}

static void add_strip(struct scene *scene, int x, int y, bool keys)
{
	scene->strips[scene->n_strips++] = (struct scene_strip){ x, y, keys };
}

/*
 * Places two strips, at a frame's upper and lower end, which differ while a picture is half there.
 */
static void strips_place(struct scene *scene)
{
	const struct scene_rect *window = &scene->window;
	const int left = window->x + STRIP_MARGIN, top = window->y + STRIP_MARGIN;

	if (scene->kind == SCENE_TYPING || scene->kind == SCENE_STILL)
		return;
	if (scene->kind == SCENE_SCROLL) {
		add_strip(scene, left, window->y - STRIP_BOX_HEIGHT + STRIP_MARGIN, false);
		add_strip(scene, left, window->y + window->height + STRIP_MARGIN, false);
		scene->damage.y -= STRIP_BOX_HEIGHT;
		scene->damage.height += 2 * STRIP_BOX_HEIGHT;
		return;
	}
	add_strip(scene, left, top, false);
	add_strip(
		scene, left, window->y + window->height - STRIP_MARGIN - COUNTER_HEIGHT_PX, false);
	if (scene->window.width == scene->width)
		add_strip(scene, window->x + window->width - STRIP_MARGIN - COUNTER_WIDTH_PX, top,
			true);
}

bool scene_init(struct scene *scene, const char *name, int width, int height)
{
	static const struct {
		const char *name;
		int width, height, rate, n_discs;
	} kinds[] = {
		[SCENE_GL] = { "gl", 0, 0, 0, SCENE_DISCS_MAX },
		[SCENE_WORLD] = { "world", 0, 0, 0, 6 },
		[SCENE_WINDOW] = { "window", 800, 600, 0, 3 },
		[SCENE_VIDEO] = { "video", 854, 480, 30, 2 },
		[SCENE_SCROLL] = { "scroll", SCENE_TEXTURE_PX, 608, 30, 0 },
		[SCENE_TYPING] = { "typing", SCENE_TEXTURE_PX, 608, 0, 0 },
		[SCENE_STILL] = { "still", 0, 0, 0, 0 },
	};

	*scene = (struct scene){ .width = width, .height = height };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		scene->kind = (enum scene_kind)i;
		scene->name = kinds[i].name;
		scene->rate = kinds[i].rate;
		scene->n_discs = kinds[i].n_discs;
		scene->has_ground = scene->kind == SCENE_WORLD || scene->kind == SCENE_WINDOW ||
				    scene->kind == SCENE_VIDEO;
		scene->has_text = scene->kind == SCENE_SCROLL || scene->kind == SCENE_TYPING;
		scene->window = (struct scene_rect){ 0, 0, width, height };
		if (kinds[i].width)
			scene->window = (struct scene_rect){ PAGE_WIDTH + 2 * PAGE_MARGIN, 240,
				kinds[i].width, kinds[i].height };
		scene->damage = scene->window;
		strips_place(scene);
		return scene->window.x + scene->window.width <= width &&
		       scene->damage.y + scene->damage.height <= height;
	}
	return false;
}

/* Returns smooth colours, as a game's or a program's shaded surfaces have. */
static uint32_t ground_smooth(int x, int y)
{
	const int red = bounce((unsigned)(2 * x + y), 512) / 3,
		  green = bounce((unsigned)(x + 2 * y), 512) / 4,
		  blue = bounce((unsigned)(3 * y + x), 512) / 3;
	/* Lines every 128 pixels give edges to look at. */
	const uint32_t line = (x & 127) < 2 || (y & 127) < 2 ? 0x303030 : 0;

	return ((uint32_t)(40 + red) << 16 | (uint32_t)(50 + green) << 8 | (uint32_t)(60 + blue)) +
	       line;
}

/* Returns value noise that repeats, 0 .. 255, in cells of 2^shift pixels. */
static int noise(int x, int y, int shift, uint32_t seed)
{
	const int size = 1 << shift, cells = SCENE_TEXTURE_PX >> shift, fx = x & (size - 1),
		  fy = y & (size - 1);
	const int left = x >> shift, top = y >> shift, right = (left + 1) % cells,
		  bottom = (top + 1) % cells;
	const int a = mix(seed + (uint32_t)(top * 1024 + left)) & 255,
		  b = mix(seed + (uint32_t)(top * 1024 + right)) & 255,
		  c = mix(seed + (uint32_t)(bottom * 1024 + left)) & 255,
		  d = mix(seed + (uint32_t)(bottom * 1024 + right)) & 255;

	return ((a * (size - fx) + b * fx) * (size - fy) + (c * (size - fx) + d * fx) * fy) >>
	       (2 * shift);
}

/* Returns detail at several sizes, as a camera sees it. */
static uint32_t ground_natural(int x, int y)
{
	const int coarse = noise(x, y, 7, 1), middle = noise(x, y, 5, 2), fine = noise(x, y, 3, 3),
		  grain = noise(x, y, 1, 4);
	const int light = (8 * coarse + 4 * middle + 3 * fine + grain) / 16;

	return (uint32_t)(30 + light * 3 / 4) << 16 | (uint32_t)(20 + (light + middle) / 3) << 8 |
	       (uint32_t)(40 + (2 * light + coarse) / 4);
}

void scene_fill_ground(const struct scene *scene, uint32_t *pixels)
{
	uint32_t (*const color)(int, int) =
		scene->kind == SCENE_VIDEO ? ground_natural : ground_smooth;

	for (int y = 0; y < SCENE_TEXTURE_PX; y++) {
		for (int x = 0; x < SCENE_TEXTURE_PX; x++)
			*pixels++ = color(x, y) | 0xff000000;
	}
}

/* Returns a pixel of a shaded disc; there are four hues and four patterns. */
static uint32_t disc_pixel(int tile, int x, int y)
{
	static const uint8_t hues[4][3] = { { 255, 120, 60 }, { 90, 220, 120 }, { 80, 140, 255 },
		{ 240, 220, 90 } };
	const int radius = SCENE_DISC_PX / 2, dx = x - radius, dy = y - radius,
		  square = dx * dx + dy * dy;
	const int light = 256 - 180 * square / (radius * radius) -
			  ((((x >> 4) + (y >> (4 + (tile & 1)))) & 1) ? 40 : 0);
	uint32_t color = 0;

	if (x >= SCENE_DISC_PX || y >= SCENE_DISC_PX || square >= radius * radius)
		return 0;
	for (int i = 0; i < 3; i++)
		color = color << 8 | (uint32_t)(hues[tile & 3][i] * (light < 20 ? 20 : light) >> 8);
	return color | 0xff000000;
}

void scene_fill_discs(uint32_t *pixels)
{
	for (int y = 0; y < SCENE_TEXTURE_PX; y++) {
		for (int x = 0; x < SCENE_TEXTURE_PX; x++)
			*pixels++ = y >= SCENE_TILE_PX ?
					    0 :
					    disc_pixel(x / SCENE_TILE_PX, x % SCENE_TILE_PX, y);
	}
}

/*
 * Returns the ink of a glyph's pixel, 0 .. 255. A glyph is three strokes with soft edges; glyph 0
 * is a space.
 */
static int glyph_ink(unsigned glyph, int x, int y)
{
	static const int bars[4] = { 1, 3, 5, 6 }, rows[4] = { 3, 6, 9, 12 };
	const uint32_t shape = mix(glyph * 77 + 5);
	int ink = 0;

	if (glyph == 0 || y < 3 || y > 13 || x > 6)
		return 0;
	const int dx = x - bars[shape & 3], dy = y - rows[shape >> 2 & 3],
		  slope = 2 * x - y + (int)(shape >> 4 & 7);
	if (dx == 0)
		ink = 255;
	else if (dx == 1 && !(shape & 0x80))
		ink = 110;
	if (dy == 0 && ink < 230)
		ink = 230;
	if ((shape & 0x100) && (slope == 0 || slope == 1) && ink < 180)
		ink = 180;
	if ((shape & 0x200) && y == rows[shape >> 10 & 3] && ink < 140)
		ink = 140;
	return ink;
}

static void fill_glyph(
	unsigned glyph, uint32_t ink_color, uint32_t paper, uint32_t *pixels, size_t stride)
{
	for (int y = 0; y < SCENE_CELL_HEIGHT_PX; y++, pixels += stride) {
		for (int x = 0; x < SCENE_CELL_WIDTH_PX; x++) {
			const int ink = glyph_ink(glyph, x, y);
			uint32_t color = 0xff;

			for (int shift = 16; shift >= 0; shift -= 8) {
				const int from = paper >> shift & 255,
					  to = ink_color >> shift & 255;
				color = color << 8 | (uint32_t)(from + (to - from) * ink / 255);
			}
			pixels[x] = color;
		}
	}
}

/* Returns glyphs that make words of two to nine letters, in lines of different length. */
static unsigned text_glyph(uint32_t line, int column, int columns)
{
	const int length = columns / 4 + (int)(mix(line * 31 + 7) % (unsigned)(columns * 3 / 4));
	const uint32_t word = mix(line * 977 + (uint32_t)column / 8 * 13);

	if (column >= length || column % 8 == (int)(word & 7))
		return 0;
	return 1 + mix(line * 4099 + (uint32_t)column) % (N_GLYPHS - 1);
}

void scene_fill_cell(const struct scene *scene, uint32_t line, int column, uint32_t keys,
	uint32_t *pixels, size_t stride)
{
	static const uint32_t inks[4] = { 0xd0d0d0, 0xd0d0d0, 0x70d080, 0x80a0f0 };
	const uint32_t key = line * SCENE_COLUMNS + (uint32_t)column + 1;
	unsigned glyph = text_glyph(line, column, SCENE_COLUMNS);

	if (scene->kind == SCENE_TYPING)
		glyph = key > keys ? 0 : 1 + mix(key) % (N_GLYPHS - 1);
	fill_glyph(glyph, inks[scene->kind == SCENE_TYPING ? 0 : mix(line) & 3], SCREEN_COLOR,
		pixels, stride);
}

void scene_fill_desktop(const struct scene *scene, uint32_t *pixels)
{
	const size_t stride = (size_t)scene->width;
	const int page_height = scene->height - 2 * PAGE_MARGIN,
		  columns = (PAGE_WIDTH - 32) / SCENE_CELL_WIDTH_PX;

	for (size_t i = 0; i < stride * (size_t)scene->height; i++)
		pixels[i] = SCENE_DESKTOP_COLOR | 0xff000000;
	if (scene->kind == SCENE_GL || scene->kind == SCENE_WORLD)
		return;
	for (int y = 0; y < page_height; y++) {
		uint32_t *row = pixels + stride * (size_t)(y + PAGE_MARGIN) + PAGE_MARGIN;
		for (int x = 0; x < PAGE_WIDTH; x++)
			row[x] = PAPER_COLOR | 0xff000000;
	}
	for (int line = 0; line < page_height / SCENE_CELL_HEIGHT_PX - 2; line++) {
		uint32_t *row = pixels +
				stride * (size_t)(PAGE_MARGIN + SCENE_CELL_HEIGHT_PX * (line + 1)) +
				PAGE_MARGIN + 16;
		for (int column = 0; column < columns; column++)
			fill_glyph(text_glyph((uint32_t)line + 100000, column, columns), INK_COLOR,
				PAPER_COLOR, row + column * SCENE_CELL_WIDTH_PX, stride);
	}
}

void scene_ground_offset(const struct scene *scene, uint32_t frame, int *x, int *y)
{
	const uint32_t cut = scene->kind == SCENE_VIDEO ? mix(frame / CUT_FRAMES) : 0;

	*x = (int)((frame * 3 + cut) & WRAP);
	*y = (int)((frame + (cut >> 16)) & WRAP);
}

struct scene_disc scene_disc_at(const struct scene *scene, uint32_t frame, int disc)
{
	const unsigned i = (unsigned)disc;
	const struct scene_rect *window = &scene->window;

	return (struct scene_disc){
		.x = window->x +
		     bounce(frame * (3 + i % 5) + 331 * i, window->width - SCENE_DISC_PX),
		.y = window->y +
		     bounce(frame * (2 + i % 4) + 197 * i, window->height - SCENE_DISC_PX),
		.tile = disc & 3,
	};
}

struct scene_rect scene_key_cell(const struct scene *scene, uint32_t key)
{
	const int index = (int)(key - 1);

	return (struct scene_rect){ scene->window.x + index % SCENE_COLUMNS * SCENE_CELL_WIDTH_PX,
		scene->window.y + index / SCENE_COLUMNS * SCENE_CELL_HEIGHT_PX, SCENE_CELL_WIDTH_PX,
		SCENE_CELL_HEIGHT_PX };
}

uint32_t scene_first_line(const struct scene *scene, uint32_t frame)
{
	return scene->kind == SCENE_SCROLL ? frame : 0;
}
