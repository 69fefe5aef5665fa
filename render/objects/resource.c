/* SPDX-License-Identifier: MIT */
#include "render/objects/resource.h"

#include <string.h>
#include <sys/mman.h>

#include "render/buffers/format.h"

uint64_t resource_size_2d(const struct ledger_resource *d)
{
	return (uint64_t)d->width * d->height * RECT_PIXEL_BYTES;
}

static struct resource *create(
	struct quota *quota, const struct ledger_resource *description, uint64_t size_bytes)
{
	if (!quota_charge(quota, size_bytes))
		return NULL;
	struct resource *resource = g_new0(struct resource, 1);
	resource->id = description->id;
	resource->description = *description;
	resource->quota = quota;
	resource->charged_bytes = size_bytes;
	return resource;
}

/*
 * Maps the pages without touching them, so that a resource that a guest never fills costs no
 * memory.
 */
struct resource *resource_create_2d(struct quota *quota, const struct ledger_resource *description)
{
	struct resource *resource = create(quota, description, resource_size_2d(description));
	if (!resource)
		return NULL;
	void *pixels = mmap(NULL, resource_size_2d(description), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pixels == MAP_FAILED) {
		resource_destroy(resource);
		return NULL;
	}
	resource->pixels = pixels;
	return resource;
}

struct resource *resource_create_3d(
	struct quota *quota, const struct ledger_resource *description, uint64_t size_bytes)
{
	return create(quota, description, size_bytes);
}

static void drop_pixels(struct resource *resource)
{
	if (resource->pixels)
		munmap(resource->pixels, resource_size_2d(&resource->description));
	resource->pixels = NULL;
	quota_release(resource->quota, resource->charged_bytes);
	resource->charged_bytes = 0;
}

void resource_destroy(struct resource *resource)
{
	if (!resource)
		return;
	g_assert(resource->scanouts == 0);
	drop_pixels(resource);
	swapchain_destroy(resource->chain);
	backing_destroy(resource->backing);
	g_free(resource);
}

bool resource_make_showable(struct resource *resource, const struct buffer_interface *interface)
{
	g_assert(!resource->description.is_3d);
	if (resource->chain)
		return true;
	const struct ledger_resource *d = &resource->description;
	struct swapchain *chain =
		swapchain_create(interface, NULL, resource->quota, d->width, d->height);
	if (!chain)
		return false;
	struct buffer *buffer = swapchain_find_writable(chain);
	/* New memory is black, too, and each page of it costs more than its copy. */
	for (uint32_t row = 0; resource->has_pixels && row < d->height; row++)
		memcpy(buffer->pixels + (size_t)row * buffer->stride_bytes,
			resource->pixels + (size_t)row * d->width * RECT_PIXEL_BYTES,
			(size_t)d->width * RECT_PIXEL_BYTES);
	swapchain_written(chain, buffer);
	drop_pixels(resource);
	resource->chain = chain;
	return true;
}

void resource_set_shown(struct resource *resource, unsigned head, bool shown)
{
	g_assert(head < FRAME_HEADS_MAX);
	uint32_t bit = 1u << head;
	resource->scanouts = shown ? resource->scanouts | bit : resource->scanouts & ~bit;
	if (resource->scanouts == 0 && resource->chain)
		swapchain_trim(resource->chain);
}

void resource_attach_context(struct resource *resource, uint32_t context)
{
	for (unsigned i = 0; i < resource->n_contexts; i++) {
		if (resource->contexts[i] == context)
			return;
	}
	if (resource->n_contexts < RESOURCE_CONTEXTS_MAX)
		resource->contexts[resource->n_contexts++] = context;
}

void resource_detach_context(struct resource *resource, uint32_t context)
{
	for (unsigned i = 0; i < resource->n_contexts; i++) {
		if (resource->contexts[i] == context)
			resource->contexts[i] = resource->contexts[--resource->n_contexts];
	}
}

static void copy_rows(uint8_t *to, uint32_t to_stride, const uint8_t *from, uint32_t from_stride,
	const struct rect *rect)
{
	size_t column = (size_t)rect->x * RECT_PIXEL_BYTES;
	for (uint32_t row = rect->y; row < rect->y + rect->height; row++)
		memcpy(to + (size_t)row * to_stride + column,
			from + (size_t)row * from_stride + column,
			(size_t)rect->width * RECT_PIXEL_BYTES);
}

/* Copies to `buffer` what it has missed, except for what is about to be overwritten anyway. */
static void bring_up_to_date(
	const struct swapchain *chain, struct buffer *buffer, const struct rect *except)
{
	if (buffer == chain->current)
		return;
	rect_set_remove_covered(&buffer->stale, except);
	for (unsigned i = 0; i < buffer->stale.n_rects; i++)
		copy_rows(buffer->pixels, buffer->stride_bytes, chain->current->pixels,
			chain->current->stride_bytes, &buffer->stale.rects[i]);
}

static void read_backing(const struct resource *resource, const struct rect *rect,
	uint64_t offset_bytes, uint8_t *pixels, uint32_t stride_bytes)
{
	uint64_t guest_stride = (uint64_t)resource->description.width * RECT_PIXEL_BYTES;
	uint8_t *to = pixels + (size_t)rect->y * stride_bytes + (size_t)rect->x * RECT_PIXEL_BYTES;
	backing_read_rows(resource->backing, offset_bytes, guest_stride, rect->height,
		rect->width * RECT_PIXEL_BYTES, to, stride_bytes);
	if (format_is_native(resource->description.format))
		return;
	for (uint32_t row = 0; row < rect->height; row++)
		format_convert(
			resource->description.format, to + (size_t)row * stride_bytes, rect->width);
}

bool resource_transfer_2d(struct resource *resource, const struct rect *rect, uint64_t offset_bytes)
{
	g_assert(resource->backing && !resource->description.is_3d);
	if (!resource->chain) {
		read_backing(resource, rect, offset_bytes, resource->pixels,
			resource->description.width * RECT_PIXEL_BYTES);
		resource->has_pixels = true;
		return true;
	}
	struct buffer *buffer = swapchain_find_writable(resource->chain);
	if (!buffer)
		return false;
	bring_up_to_date(resource->chain, buffer, rect);
	read_backing(resource, rect, offset_bytes, buffer->pixels, buffer->stride_bytes);
	swapchain_changed(resource->chain, rect);
	swapchain_written(resource->chain, buffer);
	return true;
}

bool resource_renew_current(struct resource *resource)
{
	const struct rect nothing = { 0 };
	g_assert(resource->chain && resource->chain->current);
	struct buffer *buffer = swapchain_find_writable(resource->chain);
	if (!buffer)
		return false;
	bring_up_to_date(resource->chain, buffer, &nothing);
	swapchain_written(resource->chain, buffer);
	return true;
}

const uint8_t *resource_peek_pixels(const struct resource *resource)
{
	return resource->chain ? resource->chain->current->pixels : resource->pixels;
}
