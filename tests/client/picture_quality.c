/* SPDX-License-Identifier: MIT */
#include "tests/client/picture_quality.h"

#include <glib.h>
#include <math.h>

#define WINDOW_PX 8
#define STEP_PX 4

/* Computes luma by BT.601, full range. */
static uint8_t luma_of(uint32_t pixel)
{
	return (77 * (pixel >> 16 & 255) + 150 * (pixel >> 8 & 255) + 29 * (pixel & 255)) >> 8;
}

static uint8_t *luma_plane(const uint32_t *pixels, size_t stride, struct scene_rect rect)
{
	uint8_t *plane = g_malloc((size_t)rect.width * rect.height), *out = plane;

	for (int y = rect.y; y < rect.y + rect.height; y++) {
		for (int x = rect.x; x < rect.x + rect.width; x++)
			*out++ = luma_of(pixels[stride * y + x]);
	}
	return plane;
}

static double ssim_window(const uint8_t *a, const uint8_t *b, int stride)
{
	const double n = WINDOW_PX * WINDOW_PX, c1 = 6.5025, c2 = 58.5225; /* (k * 255)^2 */
	unsigned sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;

	for (int y = 0; y < WINDOW_PX; y++, a += stride, b += stride) {
		for (int x = 0; x < WINDOW_PX; x++) {
			sum_a += a[x];
			sum_b += b[x];
			aa += a[x] * a[x];
			bb += b[x] * b[x];
			ab += a[x] * b[x];
		}
	}
	const double mean_a = sum_a / n, mean_b = sum_b / n;
	const double var_a = aa / n - mean_a * mean_a, var_b = bb / n - mean_b * mean_b,
		     covariance = ab / n - mean_a * mean_b;
	return (2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
	       ((mean_a * mean_a + mean_b * mean_b + c1) * (var_a + var_b + c2));
}

static double ssim_of(const uint8_t *a, const uint8_t *b, int width, int height)
{
	double sum = 0;
	unsigned n = 0;

	for (int y = 0; y + WINDOW_PX <= height; y += STEP_PX) {
		for (int x = 0; x + WINDOW_PX <= width; x += STEP_PX, n++)
			sum += ssim_window(a + y * width + x, b + y * width + x, width);
	}
	return n ? sum / n : 1;
}

static double psnr_of(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t squares = 0;

	for (size_t i = 0; i < n; i++) {
		int difference = a[i] - b[i];
		squares += difference * difference;
	}
	return squares ? MIN(99, 10 * log10(255.0 * 255.0 * n / squares)) : 99;
}

struct picture_quality picture_quality_of(const uint32_t *shown, size_t shown_stride,
	const uint32_t *drawn, size_t drawn_stride, struct scene_rect rect)
{
	g_autofree uint8_t *a = luma_plane(shown, shown_stride, rect);
	g_autofree uint8_t *b = luma_plane(drawn, drawn_stride, rect);
	struct picture_quality quality = {
		.psnr_db = psnr_of(a, b, (size_t)rect.width * rect.height),
		.ssim = ssim_of(a, b, rect.width, rect.height),
	};

	for (int y = rect.y; y < rect.y + rect.height; y++) {
		for (int x = rect.x; x < rect.x + rect.width; x++)
			quality.n_different +=
				((shown[shown_stride * y + x] ^ drawn[drawn_stride * y + x]) &
					0xffffff) != 0;
	}
	return quality;
}
