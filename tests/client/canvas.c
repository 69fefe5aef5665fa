/* SPDX-License-Identifier: MIT */
#include "tests/client/canvas.h"

void canvas_init(struct canvas *canvas, uint32_t width, uint32_t height)
{
	*canvas = (struct canvas){ .width = width, .height = height };
	canvas->pixels = g_new0(uint32_t, (gsize)width * height);
}

void canvas_finish(struct canvas *canvas)
{
	g_clear_pointer(&canvas->pixels, g_free);
}

static uint32_t color_plain(uint32_t x, uint32_t y, uint32_t color)
{
	return color;
}

static uint32_t color_noise(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t value = (x * 0x9e3779b1u) ^ (y * 0x85ebca77u) ^ (seed * 0xc2b2ae3du);

	value = (value ^ value >> 15) * 0x2c1b3c6du;
	value = (value ^ value >> 12) * 0x297a2d39u;
	return (value ^ value >> 15) & 0xffffff;
}

static uint32_t color_film(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t red = (x + seed * 5) & 0xff, green = (y + seed * 3) & 0xff,
		 blue = (x / 2 + y / 2 + seed) & 0xff;

	return red << 16 | green << 8 | blue;
}

/* Mixes two waves that cross each other with 0 to 7 of grain. */
static uint32_t color_photo(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t grain = color_noise(x, y, seed), color = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		uint32_t wide = (x * (3 + shift / 8) + y * 2 + seed * 37) & 0x3ff;
		uint32_t narrow = (y * 5 + x + seed * 11 + shift) & 0x1ff;
		uint32_t shade = (wide < 512 ? wide : 1023 - wide) / 4 +
				 (narrow < 256 ? narrow : 511 - narrow) / 4;
		color |= (shade + (grain >> shift & 7)) << shift;
	}
	return color;
}

static void canvas_paint(struct canvas *canvas, struct rect rect,
	uint32_t (*color)(uint32_t x, uint32_t y, uint32_t value), uint32_t value)
{
	g_assert_cmpuint(rect.x + rect.width, <=, canvas->width);
	g_assert_cmpuint(rect.y + rect.height, <=, canvas->height);
	for (uint32_t y = rect.y; y < rect.y + rect.height; y++) {
		for (uint32_t x = rect.x; x < rect.x + rect.width; x++)
			canvas->pixels[(gsize)y * canvas->width + x] = color(x, y, value);
	}
}

void canvas_fill(struct canvas *canvas, struct rect rect, uint32_t color)
{
	canvas_paint(canvas, rect, color_plain, color & 0xffffff);
}

void canvas_noise(struct canvas *canvas, struct rect rect, uint32_t seed)
{
	canvas_paint(canvas, rect, color_noise, seed);
}

void canvas_film(struct canvas *canvas, struct rect rect, uint32_t seed)
{
	canvas_paint(canvas, rect, color_film, seed);
}

void canvas_photo(struct canvas *canvas, struct rect rect, uint32_t seed)
{
	canvas_paint(canvas, rect, color_photo, seed);
}

char *canvas_hash(const struct canvas *canvas, struct rect rect)
{
	g_autofree guchar *bytes = g_malloc((gsize)rect.width * rect.height * 3);
	guchar *out = bytes;

	for (uint32_t y = rect.y; y < rect.y + rect.height; y++) {
		for (uint32_t x = rect.x; x < rect.x + rect.width; x++, out += 3) {
			uint32_t pixel = canvas->pixels[(gsize)y * canvas->width + x];
			out[0] = pixel >> 16 & 0xff;
			out[1] = pixel >> 8 & 0xff;
			out[2] = pixel & 0xff;
		}
	}
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, out - bytes);
}
