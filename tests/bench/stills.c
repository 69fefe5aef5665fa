/* SPDX-License-Identifier: MIT */
#include "tests/bench/stills.h"

#define GLYPH_WIDTH 8u
#define GLYPH_HEIGHT 16u
#define GLYPHS 60u
/* Each pixel of a letter is the mean of this many points in each direction. */
#define POINTS 4u

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A letter is three strokes between points on its body. */
struct stroke {
	float x, y, dx, dy;
};

static void make_strokes(uint32_t glyph, struct stroke strokes[3])
{
	uint32_t state = glyph * 2654435761u + 77;
	float x = 1.0f + (float)(next(&state) % 6), y = 4.0f + (float)(next(&state) % 8);
	for (unsigned i = 0; i < 3; i++) {
		float to_x = 1.0f + (float)(next(&state) % 6),
		      to_y = 4.0f + (float)(next(&state) % 8);
		strokes[i] = (struct stroke){ x, y, to_x - x, to_y - y };
		x = to_x;
		y = to_y;
	}
}

static bool is_inked(const struct stroke *stroke, float x, float y)
{
	float length2 = stroke->dx * stroke->dx + stroke->dy * stroke->dy;
	float along = length2 == 0 ? 0 :
				     ((x - stroke->x) * stroke->dx + (y - stroke->y) * stroke->dy) /
					     length2;
	along = CLAMP(along, 0.0f, 1.0f);
	float off_x = x - stroke->x - along * stroke->dx,
	      off_y = y - stroke->y - along * stroke->dy;
	return off_x * off_x + off_y * off_y < 0.45f;
}

static unsigned coverage(const struct stroke strokes[3], uint32_t x, uint32_t y)
{
	unsigned n = 0;
	for (unsigned i = 0; i < POINTS * POINTS; i++) {
		float px = (float)x + (0.5f + (float)(i % POINTS)) / POINTS;
		float py = (float)y + (0.5f + (float)(i / POINTS)) / POINTS;
		n += is_inked(&strokes[0], px, py) || is_inked(&strokes[1], px, py) ||
		     is_inked(&strokes[2], px, py);
	}
	return n;
}

static uint32_t mix(uint32_t paper, uint32_t ink, unsigned part)
{
	uint32_t color = 0;
	for (unsigned shift = 0; shift < 24; shift += 8) {
		unsigned a = paper >> shift & 0xff, b = ink >> shift & 0xff;
		color |= (a + ((int)b - (int)a) * (int)part / (int)(POINTS * POINTS)) << shift;
	}
	return color;
}

struct glyphs {
	uint8_t inked[GLYPHS][GLYPH_HEIGHT][GLYPH_WIDTH];
};

static const struct glyphs *get_glyphs(void)
{
	static struct glyphs *glyphs;
	if (glyphs)
		return glyphs;
	glyphs = g_new0(struct glyphs, 1);
	for (uint32_t glyph = 0; glyph < GLYPHS; glyph++) {
		struct stroke strokes[3];
		make_strokes(glyph, strokes);
		for (uint32_t y = 0; y < GLYPH_HEIGHT; y++) {
			for (uint32_t x = 0; x < GLYPH_WIDTH; x++)
				glyphs->inked[glyph][y][x] = (uint8_t)coverage(strokes, x, y);
		}
	}
	return glyphs;
}

static void draw_glyph(
	struct canvas *canvas, uint32_t x, uint32_t y, uint32_t glyph, uint32_t paper, uint32_t ink)
{
	for (uint32_t row = 0; row < GLYPH_HEIGHT; row++) {
		uint32_t *to = canvas->pixels + (size_t)(y + row) * canvas->width + x;
		for (uint32_t column = 0; column < GLYPH_WIDTH; column++)
			to[column] = mix(paper, ink, get_glyphs()->inked[glyph][row][column]);
	}
}

/* Draws a line in which some letters are frequent and one place in six is a gap. */
static void draw_line(struct canvas *canvas, const struct rect *line, uint32_t *state,
	uint32_t paper, uint32_t ink)
{
	for (uint32_t x = line->x; x + GLYPH_WIDTH <= line->x + line->width; x += GLYPH_WIDTH) {
		uint32_t a = next(state) % GLYPHS, b = next(state) % GLYPHS;
		if (next(state) % 6 > 0)
			draw_glyph(canvas, x, line->y, MIN(a, b), paper, ink);
	}
}

void still_text(struct canvas *canvas, struct rect area, uint32_t seed)
{
	uint32_t state = seed * 7919 + 1;
	canvas_fill(canvas, area, 0xfcfcfa);
	for (uint32_t y = area.y; y + GLYPH_HEIGHT <= area.y + area.height; y += GLYPH_HEIGHT) {
		struct rect line = { area.x, y, area.width * (4 + next(&state) % 5) / 8,
			GLYPH_HEIGHT };
		draw_line(canvas, &line, &state, 0xfcfcfa, 0x202428);
	}
}

static void draw_button(struct canvas *canvas, const struct rect *cell, uint32_t *state)
{
	struct rect body = { cell->x + 8, cell->y + 4, cell->width - 16, cell->height - 8 };
	struct rect face = { body.x + 1, body.y + 1, body.width - 2, body.height - 2 };
	struct rect label = { face.x + 8, face.y + 3, face.width / 2, GLYPH_HEIGHT };
	canvas_fill(canvas, body, 0x8a8f98);
	canvas_fill(canvas, face, next(state) % 4 ? 0xe8eaee : 0x3070c8);
	if (face.height >= GLYPH_HEIGHT + 6 && next(state) % 2)
		draw_line(canvas, &label, state,
			canvas->pixels[(size_t)face.y * canvas->width + face.x], 0x101418);
}

void still_interface(struct canvas *canvas, struct rect area, uint32_t seed)
{
	uint32_t state = seed * 6151 + 1;
	const uint32_t width = 160, height = 32;
	canvas_fill(canvas, area, 0xd4d8de);
	for (uint32_t y = 0; y + height <= area.height; y += height) {
		for (uint32_t x = 0; x + width <= area.width; x += width) {
			struct rect cell = { area.x + x, area.y + y, width, height };
			if (next(&state) % 3 == 0)
				draw_button(canvas, &cell, &state);
		}
	}
}
