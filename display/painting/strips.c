/* SPDX-License-Identifier: MIT */
#include "display/painting/strips.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/rect.h"

/* A band of tiles is merged with rectangles that end at most this many bands above it. */
#define OPEN_BANDS 2u

static uint8_t secret[XXH3_SECRET_SIZE_MIN + 56];

/*
 * The secret keeps guests from making two strips with one hash. One that knew it could only leave
 * its own old picture standing.
 */
static void make_secret(void)
{
	static gsize made;
	if (!g_once_init_enter(&made))
		return;
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret)) {
		for (size_t i = 0; i < sizeof(secret); i++)
			secret[i] = (uint8_t)g_random_int();
	}
	g_once_init_leave(&made, 1);
}

static inline uint64_t hash(const uint8_t *pixels, size_t size_bytes)
{
	uint64_t value = XXH3_64bits_withSecret(pixels, size_bytes, secret, sizeof(secret));
	return value == STRIPS_UNKNOWN ? ~(uint64_t)STRIPS_UNKNOWN : value;
}

uint64_t strips_hash(const uint8_t *pixels, size_t size_bytes)
{
	make_secret();
	return hash(pixels, size_bytes);
}

struct strips *strips_create(uint32_t width, uint32_t height)
{
	struct strips *strips = g_new0(struct strips, 1);
	make_secret();
	strips->width = width;
	strips->height = height;
	strips->columns = (width + STRIPS_STRIP - 1) / STRIPS_STRIP;
	strips->bands = (height + STRIPS_ROWS - 1) / STRIPS_ROWS;
	strips->shown = g_new0(uint64_t, (size_t)strips->columns * height);
	strips->fresh = g_new0(uint64_t, (size_t)strips->columns * height);
	strips->changed = g_new0(struct tile, (size_t)strips->columns * strips->bands);
	strips->band_changed = g_new0(bool, strips->bands);
	strips->kept = g_new0(struct strips_kept, STRIPS_KEPT_MAX);
	strips->kept_at = g_new0(uint8_t, (size_t)strips->columns * strips->bands);
	return strips;
}

void strips_destroy(struct strips *strips)
{
	if (!strips)
		return;
	g_free(strips->shown);
	g_free(strips->fresh);
	g_free(strips->changed);
	g_free(strips->band_changed);
	g_free(strips->kept);
	g_free(strips->kept_at);
	g_free(strips);
}

static size_t tile_index(const struct strips *strips, uint32_t column, uint32_t row)
{
	return (size_t)(row / STRIPS_ROWS) * strips->columns + column;
}

static uint32_t strip_width(const struct strips *strips, uint32_t column)
{
	return MIN(STRIPS_STRIP, strips->width - column * STRIPS_STRIP);
}

/* Says which columns [left, right) of a strip have changed. */
struct span {
	uint32_t left, right;
};

static void mark(struct strips *strips, uint32_t column, uint32_t row, struct span span)
{
	uint8_t inside = (uint8_t)(row % STRIPS_ROWS);
	struct tile *tile = &strips->changed[tile_index(strips, column, row)];
	bool first = tile->bottom == 0;
	tile->top = first ? inside : MIN(tile->top, inside);
	tile->bottom = MAX(tile->bottom, inside + 1);
	tile->left = first ? (uint8_t)span.left : MIN(tile->left, (uint8_t)span.left);
	tile->right = MAX(tile->right, (uint8_t)span.right);
	strips->band_changed[row / STRIPS_ROWS] = true;
	strips->n_changed++;
}

void strips_mark(struct strips *strips, uint32_t column, uint32_t row)
{
	mark(strips, column, row, (struct span){ 0, strip_width(strips, column) });
}

/* ---- kept pixels ---- */

static struct strips_kept *kept_for(struct strips *strips, uint32_t tile)
{
	if (strips->kept_at[tile])
		return &strips->kept[strips->kept_at[tile] - 1];
	struct strips_kept *kept = &strips->kept[strips->next_kept];
	if (kept->used)
		strips->kept_at[kept->tile] = 0;
	kept->used = true;
	kept->tile = tile;
	strips->kept_at[tile] = (uint8_t)(strips->next_kept + 1);
	strips->next_kept = (strips->next_kept + 1) % STRIPS_KEPT_MAX;
	return kept;
}

static void keep(struct strips *strips, uint32_t column, uint32_t band)
{
	struct strips_kept *kept = kept_for(strips, band * strips->columns + column);
	size_t bytes = (size_t)strip_width(strips, column) * RECT_PIXEL_BYTES;
	for (uint32_t i = 0; i < STRIPS_ROWS; i++) {
		uint32_t row = band * STRIPS_ROWS + i;
		if (row >= strips->height)
			break;
		const uint8_t *from = strips->pixels + (size_t)row * strips->stride_bytes +
				      (size_t)column * STRIPS_STRIP * RECT_PIXEL_BYTES;
		memcpy(&kept->pixels[i * STRIPS_STRIP], from, bytes);
		kept->hashes[i] = hash(from, bytes);
	}
}

/* Keeps what changed, and what is likely to change next: text goes to the right. */
static void keep_changed(struct strips *strips)
{
	for (uint32_t band = 0; band < strips->bands; band++) {
		for (uint32_t column = 0; strips->band_changed[band] && column < strips->columns;
			column++) {
			if (strips->changed[(size_t)band * strips->columns + column].bottom == 0)
				continue;
			keep(strips, column, band);
			if (column + 1 < strips->columns)
				keep(strips, column + 1, band);
		}
	}
}

/*
 * Returns the columns where a whole strip differs from what is shown, or all of them if its pixels
 * were not kept.
 */
static struct span differing(
	const struct strips *strips, const uint8_t *strip, uint32_t column, uint32_t row)
{
	struct span span = { 0, strip_width(strips, column) };
	uint8_t at = strips->kept_at[tile_index(strips, column, row)];
	const struct strips_kept *kept = &strips->kept[at ? at - 1 : 0];
	uint32_t inside = row % STRIPS_ROWS;
	const uint8_t *old = (const uint8_t *)&kept->pixels[inside * STRIPS_STRIP];
	if (!at || kept->hashes[inside] != strips->shown[(size_t)row * strips->columns + column] ||
		memcmp(old, strip, span.right * RECT_PIXEL_BYTES) == 0)
		return span;
	while (memcmp(old + span.left * RECT_PIXEL_BYTES, strip + span.left * RECT_PIXEL_BYTES,
		       RECT_PIXEL_BYTES) == 0)
		span.left++;
	while (memcmp(old + (span.right - 1) * RECT_PIXEL_BYTES,
		       strip + (span.right - 1) * RECT_PIXEL_BYTES, RECT_PIXEL_BYTES) == 0)
		span.right--;
	return span;
}

/* ---- looking ---- */

static void look_row(struct strips *strips, const uint8_t *row_pixels, uint32_t row, uint32_t left,
	uint32_t right)
{
	size_t at = (size_t)row * strips->columns;
	for (uint32_t x = left, next; x < right; x = next) {
		uint32_t column = x / STRIPS_STRIP;
		next = MIN((column + 1) * STRIPS_STRIP, right);
		uint64_t value = hash(row_pixels + (size_t)x * RECT_PIXEL_BYTES,
			(size_t)(next - x) * RECT_PIXEL_BYTES);
		if (strips->shown[at + column] == value)
			continue;
		strips->fresh[at + column] = value;
		const uint8_t *strip = row_pixels + (size_t)x * RECT_PIXEL_BYTES;
		if (next - x == strip_width(strips, column))
			mark(strips, column, row, differing(strips, strip, column, row));
		else
			strips_mark(strips, column, row);
	}
}

struct rect strips_widen(const struct strips *strips, const struct rect *rect)
{
	uint32_t x = rect->x / STRIPS_STRIP * STRIPS_STRIP;
	uint32_t right = (rect_right(rect) + STRIPS_STRIP - 1) / STRIPS_STRIP * STRIPS_STRIP;
	return (struct rect){ x, rect->y, MIN(right, strips->width) - x, rect->height };
}

void strips_look(struct strips *strips, const uint8_t *pixels, uint32_t stride_bytes,
	const struct rect *rect)
{
	g_assert(!strips->pixels || strips->pixels == pixels);
	g_assert(rect_right(rect) <= strips->width && rect_bottom(rect) <= strips->height);
	strips->pixels = pixels;
	strips->stride_bytes = stride_bytes;
	for (uint32_t row = rect->y; row < rect->y + rect->height; row++)
		look_row(strips, pixels + (size_t)row * stride_bytes, row, rect->x,
			rect->x + rect->width);
}

static uint32_t end_column(const struct rect *rect)
{
	return (rect_right(rect) + STRIPS_STRIP - 1) / STRIPS_STRIP;
}

void strips_forget(struct strips *strips, const struct rect *rect)
{
	uint32_t first = rect->x / STRIPS_STRIP, end = end_column(rect);
	for (uint32_t row = rect->y; row < rect->y + rect->height; row++) {
		size_t at = (size_t)row * strips->columns;
		memset(strips->shown + at + first, 0, (end - first) * sizeof(*strips->shown));
		memset(strips->fresh + at + first, 0, (end - first) * sizeof(*strips->fresh));
	}
}

void strips_clear(struct strips *strips, const struct rect *rect)
{
	uint32_t first_band = rect->y / STRIPS_ROWS;
	uint32_t end_band = (rect->y + rect->height + STRIPS_ROWS - 1) / STRIPS_ROWS;
	for (uint32_t band = first_band; band < end_band; band++) {
		uint32_t top = MAX(rect->y, band * STRIPS_ROWS) - band * STRIPS_ROWS;
		uint32_t bottom =
			MIN(rect->y + rect->height, (band + 1) * STRIPS_ROWS) - band * STRIPS_ROWS;
		for (uint32_t column = rect->x / STRIPS_STRIP; column < end_column(rect);
			column++) {
			struct tile *tile =
				&strips->changed[(size_t)band * strips->columns + column];
			if (tile->bottom <= top || tile->top >= bottom)
				continue;
			if (tile->top < top)
				tile->bottom = (uint8_t)top;
			else if (tile->bottom > bottom)
				tile->top = (uint8_t)bottom;
			else
				*tile = (struct tile){ 0 };
		}
	}
}

/* ---- merging ---- */

static bool try_join(struct rect *into, const struct rect *rect, uint64_t waste_max)
{
	struct rect both = rect_join(into, rect);
	if (rect_area(&both) > rect_area(into) + rect_area(rect) + waste_max)
		return false;
	*into = both;
	return true;
}

struct merge {
	struct rect *rects;
	unsigned n, n_max;
	uint64_t waste_max;
};

/*
 * Returns false when there is no room. While little may be wasted only rectangles that end near
 * this one are tried.
 */
static bool merge_add(struct merge *merge, const struct rect *rect)
{
	for (unsigned i = merge->n; i > 0; i--) {
		struct rect *other = &merge->rects[i - 1];
		if (merge->waste_max == STRIPS_WASTE_PIXELS &&
			other->y + other->height + OPEN_BANDS * STRIPS_ROWS < rect->y)
			continue;
		if (try_join(other, rect, merge->waste_max))
			return true;
	}
	if (merge->n == merge->n_max)
		return false;
	merge->rects[merge->n++] = *rect;
	return true;
}

static struct rect tile_rect(const struct strips *strips, uint32_t column, uint32_t band)
{
	const struct tile *tile = &strips->changed[(size_t)band * strips->columns + column];
	return (struct rect){ column * STRIPS_STRIP + tile->left, band * STRIPS_ROWS + tile->top,
		tile->right - tile->left, tile->bottom - tile->top };
}

static bool merge_band(const struct strips *strips, uint32_t band, struct merge *merge)
{
	struct rect run = { 0 };
	for (uint32_t column = 0; column < strips->columns; column++) {
		struct rect rect = tile_rect(strips, column, band);
		if (rect.height == 0)
			continue;
		if (run.width == 0)
			run = rect;
		else if (!try_join(&run, &rect, merge->waste_max)) {
			if (!merge_add(merge, &run))
				return false;
			run = rect;
		}
	}
	return run.width == 0 || merge_add(merge, &run);
}

static bool merge_all(const struct strips *strips, struct merge *merge)
{
	merge->n = 0;
	for (uint32_t band = 0; band < strips->bands; band++) {
		if (strips->band_changed[band] && !merge_band(strips, band, merge))
			return false;
	}
	return true;
}

/* Makes the strips of the band's tiles what is shown. */
static void settle_band(struct strips *strips, uint32_t band)
{
	for (uint32_t column = 0; column < strips->columns; column++) {
		struct tile *tile = &strips->changed[(size_t)band * strips->columns + column];
		for (uint32_t i = tile->top; i < tile->bottom; i++) {
			size_t at = (size_t)(band * STRIPS_ROWS + i) * strips->columns + column;
			strips->shown[at] = strips->fresh[at];
		}
		*tile = (struct tile){ 0 };
	}
	strips->band_changed[band] = false;
}

unsigned strips_take(struct strips *strips, struct rect *rects, unsigned n_max)
{
	struct merge merge = { .rects = rects, .n_max = n_max, .waste_max = STRIPS_WASTE_PIXELS };
	g_assert(n_max > 0);
	if (strips->n_changed > 0 && strips->n_changed <= STRIPS_KEPT_STRIPS_MAX && strips->pixels)
		keep_changed(strips);
	strips->pixels = NULL;
	if (strips->n_changed == 0)
		return 0;
	while (!merge_all(strips, &merge))
		merge.waste_max *= 4;
	for (uint32_t band = 0; band < strips->bands; band++) {
		if (strips->band_changed[band])
			settle_band(strips, band);
	}
	strips->n_changed = 0;
	return merge.n;
}
