/* SPDX-License-Identifier: MIT */
#include "display/painting/strips.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/rect.h"

#define BYTES_PER_PIXEL 4u
/* Rectangles that a band of tiles may still be merged with lie at most so many bands above. */
#define OPEN_BANDS 2u

static uint8_t secret[XXH3_SECRET_SIZE_MIN + 56];

/* Guessing it would let a guest leave its own old picture standing, no more. */
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
	return value == TILES_UNKNOWN ? ~(uint64_t)TILES_UNKNOWN : value;
}

uint64_t tiles_hash(const uint8_t *pixels, size_t size_bytes)
{
	make_secret();
	return hash(pixels, size_bytes);
}

struct tiles *tiles_create(uint32_t width, uint32_t height)
{
	struct tiles *tiles = g_new0(struct tiles, 1);
	make_secret();
	tiles->width = width;
	tiles->height = height;
	tiles->columns = (width + TILES_STRIP - 1) / TILES_STRIP;
	tiles->bands = (height + TILES_ROWS - 1) / TILES_ROWS;
	tiles->shown = g_new0(uint64_t, (size_t)tiles->columns * height);
	tiles->fresh = g_new0(uint64_t, (size_t)tiles->columns * height);
	tiles->changed = g_new0(struct tile, (size_t)tiles->columns * tiles->bands);
	tiles->band_changed = g_new0(bool, tiles->bands);
	tiles->kept = g_new0(struct tiles_kept, TILES_KEPT_MAX);
	tiles->kept_at = g_new0(uint8_t, (size_t)tiles->columns * tiles->bands);
	return tiles;
}

void tiles_destroy(struct tiles *tiles)
{
	if (!tiles)
		return;
	g_free(tiles->shown);
	g_free(tiles->fresh);
	g_free(tiles->changed);
	g_free(tiles->band_changed);
	g_free(tiles->kept);
	g_free(tiles->kept_at);
	g_free(tiles);
}

static size_t tile_index(const struct tiles *tiles, uint32_t column, uint32_t row)
{
	return (size_t)(row / TILES_ROWS) * tiles->columns + column;
}

static uint32_t strip_width(const struct tiles *tiles, uint32_t column)
{
	return MIN(TILES_STRIP, tiles->width - column * TILES_STRIP);
}

/* Columns of a strip, [left, right). */
struct span {
	uint32_t left, right;
};

static void mark(struct tiles *tiles, uint32_t column, uint32_t row, struct span span)
{
	uint8_t inside = (uint8_t)(row % TILES_ROWS);
	struct tile *tile = &tiles->changed[tile_index(tiles, column, row)];
	bool first = tile->bottom == 0;
	tile->top = first ? inside : MIN(tile->top, inside);
	tile->bottom = MAX(tile->bottom, inside + 1);
	tile->left = first ? (uint8_t)span.left : MIN(tile->left, (uint8_t)span.left);
	tile->right = MAX(tile->right, (uint8_t)span.right);
	tiles->band_changed[row / TILES_ROWS] = true;
	tiles->n_changed++;
}

void tiles_mark(struct tiles *tiles, uint32_t column, uint32_t row)
{
	mark(tiles, column, row, (struct span){ 0, strip_width(tiles, column) });
}

/* Kept pixels. */

static struct tiles_kept *kept_for(struct tiles *tiles, uint32_t tile)
{
	if (tiles->kept_at[tile])
		return &tiles->kept[tiles->kept_at[tile] - 1];
	struct tiles_kept *kept = &tiles->kept[tiles->next_kept];
	if (kept->used)
		tiles->kept_at[kept->tile] = 0;
	kept->used = true;
	kept->tile = tile;
	tiles->kept_at[tile] = (uint8_t)(tiles->next_kept + 1);
	tiles->next_kept = (tiles->next_kept + 1) % TILES_KEPT_MAX;
	return kept;
}

static void keep(struct tiles *tiles, uint32_t column, uint32_t band)
{
	struct tiles_kept *kept = kept_for(tiles, band * tiles->columns + column);
	size_t bytes = (size_t)strip_width(tiles, column) * BYTES_PER_PIXEL;
	for (uint32_t i = 0; i < TILES_ROWS; i++) {
		uint32_t row = band * TILES_ROWS + i;
		if (row >= tiles->height)
			break;
		const uint8_t *from = tiles->pixels + (size_t)row * tiles->stride_bytes +
				      (size_t)column * TILES_STRIP * BYTES_PER_PIXEL;
		memcpy(&kept->pixels[i * TILES_STRIP], from, bytes);
		kept->hashes[i] = hash(from, bytes);
	}
}

/* What changed, and what is likely to change next: text goes to the right. */
static void keep_changed(struct tiles *tiles)
{
	for (uint32_t band = 0; band < tiles->bands; band++) {
		for (uint32_t column = 0; tiles->band_changed[band] && column < tiles->columns;
			column++) {
			if (tiles->changed[(size_t)band * tiles->columns + column].bottom == 0)
				continue;
			keep(tiles, column, band);
			if (column + 1 < tiles->columns)
				keep(tiles, column + 1, band);
		}
	}
}

/* Of a whole strip that differs from what is shown: exactly where, if that is known. */
static struct span differing(
	const struct tiles *tiles, const uint8_t *strip, uint32_t column, uint32_t row)
{
	struct span span = { 0, strip_width(tiles, column) };
	uint8_t at = tiles->kept_at[tile_index(tiles, column, row)];
	const struct tiles_kept *kept = &tiles->kept[at ? at - 1 : 0];
	uint32_t inside = row % TILES_ROWS;
	const uint8_t *old = (const uint8_t *)&kept->pixels[inside * TILES_STRIP];
	if (!at || kept->hashes[inside] != tiles->shown[(size_t)row * tiles->columns + column] ||
		memcmp(old, strip, span.right * BYTES_PER_PIXEL) == 0)
		return span;
	while (memcmp(old + span.left * BYTES_PER_PIXEL, strip + span.left * BYTES_PER_PIXEL,
		       BYTES_PER_PIXEL) == 0)
		span.left++;
	while (memcmp(old + (span.right - 1) * BYTES_PER_PIXEL,
		       strip + (span.right - 1) * BYTES_PER_PIXEL, BYTES_PER_PIXEL) == 0)
		span.right--;
	return span;
}

/* Looking. */

static void look_row(
	struct tiles *tiles, const uint8_t *row_pixels, uint32_t row, uint32_t left, uint32_t right)
{
	size_t at = (size_t)row * tiles->columns;
	for (uint32_t x = left, next; x < right; x = next) {
		uint32_t column = x / TILES_STRIP;
		next = MIN((column + 1) * TILES_STRIP, right);
		uint64_t value = hash(row_pixels + (size_t)x * BYTES_PER_PIXEL,
			(size_t)(next - x) * BYTES_PER_PIXEL);
		if (tiles->shown[at + column] == value)
			continue;
		tiles->fresh[at + column] = value;
		const uint8_t *strip = row_pixels + (size_t)x * BYTES_PER_PIXEL;
		if (next - x == strip_width(tiles, column))
			mark(tiles, column, row, differing(tiles, strip, column, row));
		else
			tiles_mark(tiles, column, row);
	}
}

struct frame_rect tiles_widen(const struct tiles *tiles, const struct frame_rect *rect)
{
	uint32_t x = rect->x / TILES_STRIP * TILES_STRIP;
	uint32_t right = (rect_right(rect) + TILES_STRIP - 1) / TILES_STRIP * TILES_STRIP;
	return (struct frame_rect){ x, rect->y, MIN(right, tiles->width) - x, rect->height };
}

void tiles_look(struct tiles *tiles, const uint8_t *pixels, uint32_t stride_bytes,
	const struct frame_rect *rect)
{
	tiles->pixels = pixels;
	tiles->stride_bytes = stride_bytes;
	for (uint32_t row = rect->y; row < rect->y + rect->height; row++)
		look_row(tiles, pixels + (size_t)row * stride_bytes, row, rect->x,
			rect->x + rect->width);
}

static uint32_t end_column(const struct frame_rect *rect)
{
	return (rect_right(rect) + TILES_STRIP - 1) / TILES_STRIP;
}

void tiles_forget(struct tiles *tiles, const struct frame_rect *rect)
{
	uint32_t first = rect->x / TILES_STRIP, end = end_column(rect);
	for (uint32_t row = rect->y; row < rect->y + rect->height; row++) {
		size_t at = (size_t)row * tiles->columns;
		memset(tiles->shown + at + first, 0, (end - first) * sizeof(*tiles->shown));
		memset(tiles->fresh + at + first, 0, (end - first) * sizeof(*tiles->fresh));
	}
}

void tiles_clear(struct tiles *tiles, const struct frame_rect *rect)
{
	uint32_t first_band = rect->y / TILES_ROWS;
	uint32_t end_band = (rect->y + rect->height + TILES_ROWS - 1) / TILES_ROWS;
	for (uint32_t band = first_band; band < end_band; band++) {
		uint32_t top = MAX(rect->y, band * TILES_ROWS) - band * TILES_ROWS;
		uint32_t bottom =
			MIN(rect->y + rect->height, (band + 1) * TILES_ROWS) - band * TILES_ROWS;
		for (uint32_t column = rect->x / TILES_STRIP; column < end_column(rect); column++) {
			struct tile *tile = &tiles->changed[(size_t)band * tiles->columns + column];
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

/* Merging. */

static bool try_join(struct frame_rect *into, const struct frame_rect *rect, uint64_t waste_max)
{
	struct frame_rect both = rect_join(into, rect);
	if (rect_area(&both) > rect_area(into) + rect_area(rect) + waste_max)
		return false;
	*into = both;
	return true;
}

struct merge {
	struct frame_rect *rects;
	unsigned n, n_max;
	uint64_t waste_max;
};

/* False when there is no room. At first only rectangles that end near this one are tried. */
static bool merge_add(struct merge *merge, const struct frame_rect *rect)
{
	for (unsigned i = merge->n; i > 0; i--) {
		struct frame_rect *other = &merge->rects[i - 1];
		if (merge->waste_max == TILES_WASTE_PIXELS &&
			other->y + other->height + OPEN_BANDS * TILES_ROWS < rect->y)
			continue;
		if (try_join(other, rect, merge->waste_max))
			return true;
	}
	if (merge->n == merge->n_max)
		return false;
	merge->rects[merge->n++] = *rect;
	return true;
}

static struct frame_rect tile_rect(const struct tiles *tiles, uint32_t column, uint32_t band)
{
	const struct tile *tile = &tiles->changed[(size_t)band * tiles->columns + column];
	return (struct frame_rect){ column * TILES_STRIP + tile->left,
		band * TILES_ROWS + tile->top, tile->right - tile->left, tile->bottom - tile->top };
}

static bool merge_band(const struct tiles *tiles, uint32_t band, struct merge *merge)
{
	struct frame_rect run = { 0 };
	for (uint32_t column = 0; column < tiles->columns; column++) {
		struct frame_rect rect = tile_rect(tiles, column, band);
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

static bool merge_all(const struct tiles *tiles, struct merge *merge)
{
	merge->n = 0;
	for (uint32_t band = 0; band < tiles->bands; band++) {
		if (tiles->band_changed[band] && !merge_band(tiles, band, merge))
			return false;
	}
	return true;
}

/* The tiles' strips become what is shown; those in between that were equal stay so. */
static void settle_band(struct tiles *tiles, uint32_t band)
{
	for (uint32_t column = 0; column < tiles->columns; column++) {
		struct tile *tile = &tiles->changed[(size_t)band * tiles->columns + column];
		for (uint32_t i = tile->top; i < tile->bottom; i++) {
			size_t at = (size_t)(band * TILES_ROWS + i) * tiles->columns + column;
			tiles->shown[at] = tiles->fresh[at];
		}
		*tile = (struct tile){ 0 };
	}
	tiles->band_changed[band] = false;
}

unsigned tiles_take(struct tiles *tiles, struct frame_rect *rects, unsigned n_max)
{
	struct merge merge = { .rects = rects, .n_max = n_max, .waste_max = TILES_WASTE_PIXELS };
	if (tiles->n_changed > 0 && tiles->n_changed <= TILES_KEPT_STRIPS_MAX && tiles->pixels)
		keep_changed(tiles);
	tiles->pixels = NULL;
	if (tiles->n_changed == 0)
		return 0;
	while (!merge_all(tiles, &merge))
		merge.waste_max *= 4;
	for (uint32_t band = 0; band < tiles->bands; band++) {
		if (tiles->band_changed[band])
			settle_band(tiles, band);
	}
	tiles->n_changed = 0;
	return merge.n;
}
