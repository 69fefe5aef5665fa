/* SPDX-License-Identifier: MIT */
#include "display/painting/bitmap.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"

static size_t heap_max(const struct bitmap_store *store)
{
	uint64_t head_bytes = (uint64_t)store->width * store->height * RECT_PIXEL_BYTES;
	return (size_t)CLAMP(3 * head_bytes, BITMAP_HEAP_MIN, BITMAP_HEAP_MAX);
}

static size_t copy_max(const struct bitmap_store *store)
{
	return heap_max(store) / 4;
}

uint64_t bitmap_copy_pixels_max(const struct bitmap_store *store)
{
	return copy_max(store) / RECT_PIXEL_BYTES;
}

struct bitmap_source *bitmap_source_create(struct bitmap_store *store, struct frame *frame)
{
	g_assert(store->sources < BITMAP_SOURCES_MAX);
	struct bitmap_source *source = g_new(struct bitmap_source, 1);
	*source = (struct bitmap_source){ .frame = frame, .refs = 1, .store = store };
	store->sources++;
	return source;
}

static struct bitmap_source *bitmap_source_ref(struct bitmap_source *source)
{
	source->refs++;
	return source;
}

void bitmap_source_unref(struct bitmap_source *source)
{
	g_assert(!source || source->refs > 0);
	if (!source || --source->refs > 0)
		return;
	g_assert(source->store->sources > 0);
	source->store->sources--;
	frame_unref(source->frame);
	g_free(source);
}

static const uint8_t *pixels_at(const struct frame *frame, const struct rect *rect)
{
	return frame->pixels + (size_t)rect->y * frame->stride_bytes +
	       (size_t)rect->x * RECT_PIXEL_BYTES;
}

static uint8_t *copy_rect(const struct frame *frame, const struct rect *rect)
{
	size_t row_bytes = (size_t)rect->width * RECT_PIXEL_BYTES;
	uint8_t *copy = g_malloc(row_bytes * rect->height);
	const uint8_t *from = pixels_at(frame, rect);
	for (uint32_t row = 0; row < rect->height; row++)
		memcpy(copy + row * row_bytes, from + (size_t)row * frame->stride_bytes, row_bytes);
	return copy;
}

enum bitmap_result bitmap_copy(
	struct bitmap *bitmap, struct bitmap_source *source, const struct rect *rect)
{
	struct bitmap_store *store = source->store;
	if (store->copies >= BITMAP_COPIES_MAX ||
		store->heap_bytes > heap_max(store) - copy_max(store)) {
		bool again = store->starved;
		store->starved = true;
		return again ? BITMAP_BLOCKED : BITMAP_STARVED;
	}
	*bitmap = (struct bitmap){
		.kind = BITMAP_PIXELS,
		.rect = *rect,
		.stride_bytes = rect->width * RECT_PIXEL_BYTES,
		.store = store,
		.copy = copy_rect(source->frame, rect),
		.copy_bytes = (size_t)rect->width * rect->height * RECT_PIXEL_BYTES,
	};
	bitmap->pixels = bitmap->copy;
	store->copies++;
	store->heap_bytes += bitmap->copy_bytes;
	return BITMAP_TAKEN;
}

/*
 * In a frame that is whole only the end of the last row's stride may lie past the mapping, and only
 * for a rectangle that does not begin at the left.
 */
bool bitmap_can_point(const struct bitmap_source *source, const struct rect *rect)
{
	const struct frame *frame = source->frame;
	if (!frame->whole)
		return false;
	return rect->x == 0 || rect->y + rect->height < frame->height;
}

void bitmap_point(struct bitmap *bitmap, struct bitmap_source *source, const struct rect *rect)
{
	*bitmap = (struct bitmap){
		.kind = BITMAP_PIXELS,
		.rect = *rect,
		.pixels = pixels_at(source->frame, rect),
		.stride_bytes = source->frame->stride_bytes,
		.store = source->store,
		.source = bitmap_source_ref(source),
	};
}

void bitmap_release(struct bitmap *bitmap)
{
	if (bitmap->copy) {
		g_assert(bitmap->store->copies > 0);
		g_assert(bitmap->store->heap_bytes >= bitmap->copy_bytes);
		bitmap->store->copies--;
		bitmap->store->heap_bytes -= bitmap->copy_bytes;
	}
	bitmap->store->starved = false;
	bitmap_source_unref(bitmap->source);
	g_free(bitmap->copy);
}
