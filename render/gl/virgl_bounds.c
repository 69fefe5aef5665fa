/* SPDX-License-Identifier: MIT */
#include "render/gl/virgl_bounds.h"

#include <glib.h>

/*
 * Drivers begin each row on a cache line and round rows up to whole blocks: Mesa's software
 * renderer to 64 bytes and 4 rows. So a texture of one column takes 16 times its pixels.
 */
#define ROW_BYTES_STEP 64
#define ROWS_STEP 4
#define SAMPLES_LEAST 4
/* R8_UNORM is the format of bytes, and what drivers name for buffers. */
#define FORMAT_R8 64

/* A size of 32 bits has no more levels below the first. */
#define LEVELS_MAX 31

/*
 * These formats have more than four bytes a pixel. Between 24 and 63 they come in fours, of one to
 * four components.
 */
static const struct {
	uint16_t first, last;
	uint8_t bytes;
} wide_formats[] = {
	{ 24, 27, 32 },   /* R64.. to R64G64B64A64 */
	{ 28, 47, 16 },   /* R32.. to R32G32B32A32 */
	{ 48, 63, 8 },    /* R16.. to R16G16B16A16 */
	{ 87, 90, 16 },   /* fixed */
	{ 91, 94, 8 },    /* half floats */
	{ 126, 126, 8 },  /* Z32_FLOAT_S8X24_UINT */
	{ 138, 138, 8 },  /* X32_S8X24_UINT */
	{ 161, 161, 8 },  /* L32A32_FLOAT */
	{ 187, 188, 8 },  /* R16G16B16(A16)_UINT */
	{ 191, 192, 8 },  /* R16G16B16(A16)_SINT */
	{ 194, 196, 16 }, /* R32G32(B32(A32))_UINT */
	{ 198, 200, 16 }, /* R32G32(B32(A32))_SINT */
	{ 220, 220, 8 },  /* L32A32_UINT */
	{ 224, 224, 8 },  /* L32A32_SINT */
	{ 234, 238, 8 },  /* R16G16B16X16 */
	{ 239, 241, 16 }, /* R32G32B32X32 */
	{ 246, 246, 8 },  /* R32A32_FLOAT */
	{ 251, 252, 8 },  /* R32A32_UINT, _SINT */
	{ 412, 415, 32 }, /* R64G64B64(A64) integers, since 1.0 */
	{ 416, 417, 16 }, /* R64G64 */
	{ 418, 419, 8 },  /* R64 */
	{ 437, 439, 8 },  /* Y210 to Y216: two pixels a block */
	{ 441, 442, 8 },  /* Y412, Y416 */
};

uint32_t virgl_bounds_format_bytes(uint32_t format)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(wide_formats); i++) {
		if (format >= wide_formats[i].first && format <= wide_formats[i].last)
			return wide_formats[i].bytes;
	}
	return 4;
}

/*
 * These are compressed formats of at most 16 bytes for 16 pixels, which drivers keep as they are.
 */
static const struct {
	uint16_t first, last;
} compressed_formats[] = {
	{ 105, 116 }, /* DXT, RGTC */
	{ 143, 146 }, /* LATC */
	{ 255, 258 }, /* BPTC */
};

static uint32_t stored_pixel_bytes(uint32_t format)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(compressed_formats); i++) {
		if (format >= compressed_formats[i].first && format <= compressed_formats[i].last)
			return 1;
	}
	return virgl_bounds_format_bytes(format);
}

static uint32_t at_level(uint32_t size, uint32_t level)
{
	return MAX(size >> level, 1);
}

/* Sums and products that are too large stay at the largest number. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product;
	return g_uint64_checked_mul(&product, a, b) ? product : UINT64_MAX;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return g_uint64_checked_add(&sum, a, b) ? sum : UINT64_MAX;
}

static uint64_t round_up(uint64_t n, uint64_t step)
{
	return (n + step - 1) / step * step;
}

/* Returns what one layer of one level takes, in bytes. */
static uint64_t estimate_level(const struct ledger_resource *r, uint32_t level)
{
	uint64_t row = multiply(at_level(r->width, level), stored_pixel_bytes(r->format));
	uint64_t rows = round_up(at_level(r->height, level), ROWS_STEP);
	uint64_t depth =
		r->target == VIRGL_BOUNDS_TARGET_3D ? at_level(r->depth, level) : MAX(r->depth, 1);
	return multiply(multiply(round_up(row, ROW_BYTES_STEP), rows), depth);
}

/*
 * GL may take more samples than are asked for, and does: Mesa's software renderer has 4 where 1, 2
 * or 3 are wanted, and GPUs have powers of two.
 */
static uint64_t estimate_samples(uint32_t n_samples)
{
	uint64_t n = SAMPLES_LEAST;
	if (n_samples == 0)
		return 1;
	while (n < n_samples)
		n *= 2;
	return n;
}

uint64_t virgl_bounds_estimate_bytes(const struct ledger_resource *r)
{
	uint64_t layer_bytes = 0;
	if (r->target == VIRGL_BOUNDS_TARGET_BUFFER)
		return r->width;
	for (uint32_t level = 0; level <= MIN(r->last_level, LEVELS_MAX); level++)
		layer_bytes = add(layer_bytes, estimate_level(r, level));
	return multiply(
		multiply(layer_bytes, MAX(r->array_size, 1)), estimate_samples(r->nr_samples));
}

uint32_t virgl_bounds_get_format(const struct ledger_resource *r)
{
	return r->target == VIRGL_BOUNDS_TARGET_BUFFER ? FORMAT_R8 : r->format;
}

static bool is_buffer_sane(const struct ledger_resource *r)
{
	return r->width >= 1 && r->width <= VIRGL_BOUNDS_BUFFER_BYTES_MAX && r->height == 1 &&
	       r->depth == 1 && r->array_size <= 1 && r->last_level == 0 && r->nr_samples <= 1;
}

static bool in_bounds(uint32_t value, uint32_t max)
{
	return value >= 1 && value <= max;
}

bool virgl_bounds_is_resource_sane(const struct ledger_resource *r)
{
	if (r->target >= VIRGL_BOUNDS_TARGETS)
		return false;
	if (r->target == VIRGL_BOUNDS_TARGET_BUFFER)
		return is_buffer_sane(r);
	return in_bounds(r->width, VIRGL_BOUNDS_TEXTURE_SIZE_MAX) &&
	       in_bounds(r->height, VIRGL_BOUNDS_TEXTURE_SIZE_MAX) &&
	       in_bounds(r->depth, VIRGL_BOUNDS_DEPTH_MAX) &&
	       r->array_size <= VIRGL_BOUNDS_ARRAY_MAX && r->last_level <= VIRGL_BOUNDS_LEVEL_MAX &&
	       r->nr_samples <= VIRGL_BOUNDS_SAMPLES_MAX &&
	       virgl_bounds_estimate_bytes(r) <= VIRGL_BOUNDS_TEXTURE_BYTES_MAX;
}

static bool in_range(uint32_t start, uint32_t length, uint32_t size)
{
	return length >= 1 && start <= size && length <= size - start;
}

static bool is_box_inside(const struct ledger_resource *r, const struct virgl_bounds_transfer *t)
{
	uint32_t layers = r->target == VIRGL_BOUNDS_TARGET_3D ? at_level(r->depth, t->level) :
								MAX(r->array_size, 1);
	return t->level <= r->last_level &&
	       in_range(t->x, t->width, at_level(r->width, t->level)) &&
	       in_range(t->y, t->height, at_level(r->height, t->level)) &&
	       in_range(t->z, t->depth, layers);
}

/*
 * The bound is a rough one, since an exact size needs the block size of compressed formats.
 * virglrenderer knows that and checks, but keeps the result in 32 bits; so no sum of strides that
 * are inside the backing may get there. GL transfers no pixels of several samples, of whose layers
 * virglrenderer 0.10 has memory for one: it gives the guest what lies where another would be.
 */
bool virgl_bounds_is_transfer_sane(const struct ledger_resource *r, uint64_t backing_bytes,
	const struct virgl_bounds_transfer *t)
{
	if (r->nr_samples > 0 || !is_box_inside(r, t) || t->offset_bytes > backing_bytes)
		return false;
	uint64_t rows = t->stride ? (uint64_t)t->stride * (t->height - 1) :
				    (uint64_t)at_level(r->width, t->level) * t->height *
					    virgl_bounds_format_bytes(r->format);
	uint64_t layers = t->layer_stride ? (uint64_t)t->layer_stride * (t->depth - 1) :
					    rows * (t->depth - 1);
	uint64_t row = (uint64_t)t->width * virgl_bounds_format_bytes(r->format);
	return rows <= VIRGL_BOUNDS_TEXTURE_BYTES_MAX && layers <= VIRGL_BOUNDS_TEXTURE_BYTES_MAX &&
	       rows + layers + row <= VIRGL_BOUNDS_TEXTURE_BYTES_MAX;
}

/* Behind the version stand four masks of as many words: for samplers, targets, depth, vertices. */
void virgl_bounds_add_formats(
	uint32_t formats[VIRGL_BOUNDS_FORMAT_WORDS], const uint32_t *caps, uint32_t n_words)
{
	enum { FIRST = 1, MASKS = 4 };
	for (uint32_t i = 0; i < MASKS * VIRGL_BOUNDS_FORMAT_WORDS && FIRST + i < n_words; i++)
		formats[i % VIRGL_BOUNDS_FORMAT_WORDS] |= caps[FIRST + i];
}
