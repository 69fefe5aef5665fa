/* SPDX-License-Identifier: MIT */
/*
 * virgl_bounds: checks what is refused before virglrenderer sees it, and the formats of 2D
 * resources.
 */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>

#include "render/gl/virgl_bounds.h"

static const struct ledger_resource texture = { .id = 1,
	.is_3d = 1,
	.target = VIRGL_BOUNDS_TARGET_2D,
	.format = 1,
	.bind = 2,
	.width = 256,
	.height = 128,
	.depth = 1,
	.array_size = 1 };

static void test_resources(void)
{
	struct ledger_resource r = texture;
	g_assert_true(virgl_bounds_is_resource_sane(&r));
	r.width = VIRGL_BOUNDS_TEXTURE_SIZE_MAX + 1;
	g_assert_false(virgl_bounds_is_resource_sane(&r));
	r.width = 0;
	g_assert_false(virgl_bounds_is_resource_sane(&r));
	r = texture;
	r.target = VIRGL_BOUNDS_TARGETS;
	g_assert_false(virgl_bounds_is_resource_sane(&r));
	r = texture;
	r.array_size = UINT32_MAX;
	g_assert_false(virgl_bounds_is_resource_sane(&r));
	/* Each number is in bounds, but the product is not. */
	r = texture;
	r.width = r.height = 16384;
	g_assert_true(virgl_bounds_is_resource_sane(&r));
	r.format = 31; /* four floats a pixel */
	g_assert_false(virgl_bounds_is_resource_sane(&r));
	r.format = 1;
	r.nr_samples = 4;
	g_assert_false(virgl_bounds_is_resource_sane(&r));
	r = (struct ledger_resource){ .target = VIRGL_BOUNDS_TARGET_BUFFER,
		.width = 1 << 20,
		.height = 1,
		.depth = 1,
		.array_size = 1 };
	g_assert_true(virgl_bounds_is_resource_sane(&r));
	g_assert_cmpuint(virgl_bounds_estimate_bytes(&r), ==, 1 << 20);
	r.height = 2;
	g_assert_false(virgl_bounds_is_resource_sane(&r));
}

/* What is made of a buffer has one byte a pixel, whatever the guest says. */
/* These are described by the oldest virglrenderer, at the edges of its wide ones, and by newer
 * ones. */
static void test_bytes_of_formats(void)
{
	static const uint32_t rows[][2] = { { 23, 4 }, { 24, 32 }, { 27, 32 }, { 28, 16 },
		{ 64, 4 }, { 187, 8 }, { 252, 8 }, { 411, 4 }, { 412, 32 }, { 415, 32 },
		{ 416, 16 }, { 417, 16 }, { 418, 8 }, { 419, 8 }, { 420, 4 }, { 437, 8 },
		{ 439, 8 }, { 440, 4 }, { 441, 8 }, { 442, 8 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpuint(virgl_bounds_format_bytes(rows[i][0]), ==, rows[i][1]);
}

static void test_format_of_a_buffer(void)
{
	struct ledger_resource r = texture;
	r.format = 31;
	g_assert_cmpuint(virgl_bounds_get_format(&r), ==, 31);
	r.target = VIRGL_BOUNDS_TARGET_BUFFER;
	g_assert_cmpuint(virgl_bounds_get_format(&r), ==, 64);
}

#define TEXTURE(target_, format_, w, h, d, layers, last, samples)                                  \
	{                                                                                          \
		.target = (target_), .format = (format_), .width = (w), .height = (h),             \
		.depth = (d), .array_size = (layers), .last_level = (last),                        \
		.nr_samples = (samples)                                                            \
	}
#define TARGET_1D 1
#define ALL UINT32_MAX

/* Levels, layers and samples are counted, rows are rounded up, and no product wraps. */
static const struct {
	struct ledger_resource resource;
	uint64_t bytes;
} estimates[] = {
	{ TEXTURE(0, 1, 12345, 1, 1, 1, 0, 0), 12345 },
	{ TEXTURE(2, 1, 256, 128, 1, 1, 0, 0), 256 * 128 * 4 },
	{ TEXTURE(2, 1, 256, 128, 1, 0, 0, 0), 256 * 128 * 4 },
	{ TEXTURE(2, 1, 256, 128, 1, 6, 0, 0), 256 * 128 * 4 * 6 },
	/* Of samples there are 4, 8, 16 or 32. */
	{ TEXTURE(2, 1, 256, 128, 1, 1, 0, 1), 256 * 128 * 4 * 4 },
	{ TEXTURE(2, 1, 256, 128, 1, 1, 0, 2), 256 * 128 * 4 * 4 },
	{ TEXTURE(2, 1, 256, 128, 1, 1, 0, 4), 256 * 128 * 4 * 4 },
	{ TEXTURE(7, 1, 256, 128, 1, 6, 0, 5), 256 * 128 * 4 * 6 * 8 },
	{ TEXTURE(2, 1, 256, 128, 1, 1, 0, 32), 256 * 128 * 4 * 32 },
	{ TEXTURE(2, 31, 256, 128, 1, 1, 0, 0), 256 * 128 * 16 },
	/* DXT1 and BPTC take at most a byte a pixel. */
	{ TEXTURE(2, 105, 256, 128, 1, 1, 0, 0), 256 * 128 },
	{ TEXTURE(2, 258, 256, 128, 1, 1, 0, 0), 256 * 128 },
	/* The levels are 64x64, 32x32 and 16x16. */
	{ TEXTURE(2, 1, 64, 64, 1, 1, 2, 0), (64 * 64 + 32 * 32 + 16 * 16) * 4 },
	/* The levels of a 3D texture are less deep, too; those of an array are not. */
	{ TEXTURE(3, 1, 64, 64, 8, 1, 1, 0), (64 * 64 * 8 + 32 * 32 * 4) * 4 },
	{ TEXTURE(7, 1, 64, 64, 1, 8, 1, 0), (64 * 64 + 32 * 32) * 8 * 4 },
	/* These are one column of pixels, and one row of one pixel, which counts as 4 rows. */
	{ TEXTURE(2, 1, 1, 16384, 1, 1, 0, 0), 64 * 16384 },
	{ TEXTURE(TARGET_1D, 1, 1, 1, 1, 2048, 0, 0), 64 * 4 * 2048 },
	{ TEXTURE(2, 31, ALL, ALL, ALL, ALL, ALL, ALL), UINT64_MAX },
	{ TEXTURE(3, 31, ALL, ALL, ALL, ALL, 0, 0), UINT64_MAX },
	{ TEXTURE(2, 1, 1, 1, 1, ALL, 0, ALL), UINT64_MAX },
	/* These are 2^32 rows of 2^32 pixels of 16 bytes: 2^68 bytes, which 64 bits do not hold. */
	{ TEXTURE(2, 31, ALL, ALL, 1, 1, 0, 0), UINT64_MAX },
};

static void test_estimates(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(estimates); i++) {
		uint64_t bytes = virgl_bounds_estimate_bytes(&estimates[i].resource);
		if (bytes != estimates[i].bytes)
			g_error("case %u: %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT, i, bytes,
				estimates[i].bytes);
	}
}

static bool sane(
	uint32_t x, uint32_t width, uint32_t y, uint32_t height, uint32_t z, uint32_t depth)
{
	struct virgl_bounds_transfer t = {
		.x = x, .y = y, .z = z, .width = width, .height = height, .depth = depth
	};
	return virgl_bounds_is_transfer_sane(&texture, 256 * 128 * 4, &t);
}

static void test_transfers(void)
{
	g_assert_true(sane(0, 256, 0, 128, 0, 1));
	g_assert_true(sane(255, 1, 127, 1, 0, 1));
	g_assert_false(sane(1, 256, 0, 128, 0, 1));
	g_assert_false(sane(0, 256, 1, 128, 0, 1));
	g_assert_false(sane(0, 256, 0, 128, 1, 1));
	g_assert_false(sane(0, 256, 0, 128, 0, 2));
	g_assert_false(sane(0, 256, 0, 128, 0, 0xffffffff)); /* -1 to virglrenderer */
	g_assert_false(sane(0xffffffff, 2, 0, 1, 0, 1));
	g_assert_false(sane(0, 0, 0, 1, 0, 1));
	struct virgl_bounds_transfer t = {
		.width = 1, .height = 128, .depth = 1, .stride = 0x2000000
	};
	g_assert_false(virgl_bounds_is_transfer_sane(&texture, UINT64_MAX, &t)); /* 32 bits wrap */
	t.stride = 4;
	g_assert_true(virgl_bounds_is_transfer_sane(&texture, 4096, &t));
	t.offset_bytes = 4097;
	g_assert_false(virgl_bounds_is_transfer_sane(&texture, 4096, &t));
	t.offset_bytes = 0;
	t.level = 1;
	g_assert_false(virgl_bounds_is_transfer_sane(&texture, 4096, &t));
	t.level = 0;
	g_assert_true(virgl_bounds_is_transfer_sane(&texture, 4096, &t));
	struct ledger_resource samples = texture;
	samples.nr_samples = 1;
	g_assert_false(virgl_bounds_is_transfer_sane(&samples, 4096, &t));
}

/* Behind the version the capset has a bit for each format, in four masks of 16 words. */
static void test_formats(void)
{
	uint32_t caps[80] = { [0] = 1, [65] = UINT32_MAX, [70] = UINT32_MAX };
	uint32_t formats[VIRGL_BOUNDS_FORMAT_WORDS] = { 0 }, none[G_N_ELEMENTS(formats)] = { 0 };
	virgl_bounds_add_formats(formats, caps, 80);
	g_assert_cmpmem(formats, sizeof(formats), none, sizeof(none));
	caps[1] = 1;
	caps[1 + 16 + 10] = 6;
	caps[64] = 1u << 31;
	virgl_bounds_add_formats(formats, caps, 64); /* the last word is not there */
	g_assert_cmphex(formats[0], ==, 1);
	g_assert_cmphex(formats[10], ==, 6);
	g_assert_cmphex(formats[15], ==, 0);
	formats[0] = 2;
	virgl_bounds_add_formats(formats, caps, 80);
	g_assert_cmphex(formats[0], ==, 3);
	g_assert_cmphex(formats[15], ==, 1u << 31);
	virgl_bounds_add_formats(none, caps, 0);
	g_assert_cmphex(none[0], ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bounds/resources", test_resources);
	g_test_add_func("/bounds/format of a buffer", test_format_of_a_buffer);
	g_test_add_func("/bounds/estimates", test_estimates);
	g_test_add_func("/bounds/transfers", test_transfers);
	g_test_add_func("/bounds/bytes of formats", test_bytes_of_formats);
	g_test_add_func("/bounds/formats", test_formats);
	return g_test_run();
}
