/* SPDX-License-Identifier: MIT */
#include "tests/wire/picture.h"

#include <glib.h>
#include <string.h>

#define COLORS 0x00ffffffu

bool picture_is_drawn(void)
{
	return g_getenv("WIRE_NO_PIXELS") == NULL;
}

bool picture_equal(const char *what, const uint32_t *got, const uint32_t *expected, uint32_t width,
	uint32_t height, uint32_t mask)
{
	size_t wrong = 0, first = 0;
	if (!picture_is_drawn())
		return true;
	for (size_t i = (size_t)width * height; i-- > 0;) {
		if ((got[i] ^ expected[i]) & mask) {
			wrong++;
			first = i;
		}
	}
	if (wrong && what)
		g_printerr(
			"# %s: %zu of %u pixels differ, first at %zu,%zu: %08x instead of %08x\n",
			what, wrong, width * height, first % width, first / width, got[first],
			expected[first]);
	return wrong == 0;
}

void picture_pattern_init(struct picture_pattern *pattern, uint32_t width, uint32_t height)
{
	pattern->width = width;
	pattern->height = height;
	pattern->templates = g_new(uint32_t, (size_t)PICTURE_PATTERNS * PICTURE_TEMPLATES * width);
	uint32_t noise = 12345;
	for (uint32_t t = 0; t < PICTURE_PATTERNS * PICTURE_TEMPLATES; t++) {
		for (uint32_t x = 0; x < width; x++) {
			noise = noise * 1664525 + 1013904223;
			/*
			 * The low two bits of each colour say which pattern it is, so no pixel is
			 * the same in two of them.
			 */
			uint32_t value =
				(noise >> 8 & 0xfcfcfc) | (t / PICTURE_TEMPLATES) * 0x010101;
			pattern->templates[(size_t)t * width + x] = 0xff000000 | value;
		}
	}
}

void picture_pattern_finish(struct picture_pattern *pattern)
{
	g_free(pattern->templates);
	pattern->templates = NULL;
}

const uint32_t *picture_pattern_row(
	const struct picture_pattern *pattern, uint32_t number, uint32_t row)
{
	size_t t = number % PICTURE_PATTERNS * PICTURE_TEMPLATES + row % PICTURE_TEMPLATES;
	return pattern->templates + t * pattern->width;
}

void picture_stamp(uint32_t number, uint32_t pixels[PICTURE_STAMP_PIXELS])
{
	pixels[0] = 0xff000000 | (number & 0xffff);
	pixels[1] = 0xff000000 | (number >> 16);
}

uint32_t picture_stamp_row(uint32_t height, unsigned index)
{
	return index == 0 ? 0 : index == 1 ? height / 2 : height - 1;
}

static uint32_t read_stamp(const uint8_t *row)
{
	const uint32_t *pixels = (const uint32_t *)row;
	return (pixels[0] & 0xffff) | (pixels[1] & 0xffff) << 16;
}

/*
 * We compare sixteen pixels at a time, as the check is not what is measured and -O2 does not
 * vectorise it.
 */
typedef uint32_t pixels16 __attribute__((vector_size(64)));

static bool rows_equal(const uint8_t *got, const uint8_t *expected, uint32_t from, uint32_t width)
{
	pixels16 difference = { 0 };
	uint32_t x = from, odd = 0;
	for (; x + 16 <= width; x += 16) {
		pixels16 a, b;
		memcpy(&a, got + (size_t)x * 4, sizeof(a));
		memcpy(&b, expected + (size_t)x * 4, sizeof(b));
		difference |= a ^ b;
	}
	for (; x < width; x++) {
		uint32_t a, b;
		memcpy(&a, got + (size_t)x * 4, sizeof(a));
		memcpy(&b, expected + (size_t)x * 4, sizeof(b));
		odd |= a ^ b;
	}
	for (unsigned i = 0; i < 16; i++)
		odd |= difference[i];
	return (odd & COLORS) == 0;
}

bool picture_pattern_check(const struct picture_pattern *pattern, const uint8_t *pixels,
	size_t stride_bytes, uint32_t *number)
{
	*number = read_stamp(pixels);
	for (unsigned i = 1; i < 3; i++) {
		size_t row = picture_stamp_row(pattern->height, i);
		if (read_stamp(pixels + row * stride_bytes) != *number)
			return false;
	}
	for (uint32_t y = 0; y < pattern->height; y++) {
		bool stamped = y == 0 || y == pattern->height / 2 || y == pattern->height - 1;
		if (!rows_equal(pixels + y * stride_bytes,
			    (const uint8_t *)picture_pattern_row(pattern, *number, y),
			    stamped ? PICTURE_STAMP_PIXELS : 0, pattern->width))
			return false;
	}
	return true;
}
