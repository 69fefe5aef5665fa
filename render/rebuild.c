/* SPDX-License-Identifier: MIT */
#include "render/rebuild.h"

#include <linux/virtio_gpu.h>
#include <stddef.h>
#include <string.h>

#include "render/commands/command.h"
#include "render/buffers/format.h"
#include "render/gpu_thread.h"
#include "render/objects/objects.h"
#include "render/gl/virgl.h"

static void refill_2d(struct gpu *gpu, struct resource *resource)
{
	const struct ledger_resource *d = &resource->description;
	struct rect all = { 0, 0, d->width, d->height };
	uint64_t size_bytes = (uint64_t)d->width * d->height * FORMAT_PIXEL_BYTES;
	if (d->is_3d || !resource->backing || resource->backing->size_bytes < size_bytes)
		return;
	resource_transfer_2d(resource, &all, 0);
	if (cursor_is_size(d->width, d->height))
		cursor_publish(gpu->cursor, d->id, resource_peek_pixels(resource), true);
}

static bool rebuild_resource(
	struct gpu *gpu, const struct ledger *old, const struct ledger_resource *entry)
{
	struct ledger_resource d = *entry;
	uint32_t first = d.backing_first, count = d.backing_count;
	d.backing_first = d.backing_count = 0;
	if (d.is_3d && !gpu->options.virgl)
		return false;
	if (objects_create_resource(gpu, &d) != VIRTIO_GPU_RESP_OK_NODATA)
		return false;
	if (count == 0)
		return true;
	if (first > LEDGER_BACKING_MAX || count > LEDGER_BACKING_MAX - first)
		return false;
	struct resource *resource = gpu_find_resource(gpu, d.id);
	if (objects_attach_backing(gpu, resource, &old->backing[first], count) !=
		VIRTIO_GPU_RESP_OK_NODATA)
		return false;
	refill_2d(gpu, resource);
	return true;
}

static unsigned rebuild_resources(struct gpu *gpu, const struct ledger *old, unsigned *lost)
{
	unsigned n = 0;
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (old->resources[i].id == 0)
			continue;
		if (rebuild_resource(gpu, old, &old->resources[i]))
			n++;
		else
			(*lost)++;
	}
	return n;
}

static unsigned rebuild_contexts(struct gpu *gpu, const struct ledger *old)
{
	unsigned n = 0;
	for (unsigned i = 0; gpu->options.virgl && i < LEDGER_CONTEXTS_MAX; i++) {
		const struct ledger_context *c = &old->contexts[i];
		if (c->id != 0 &&
			objects_create_context(gpu, c->id, c->name) == VIRTIO_GPU_RESP_OK_NODATA)
			n++;
	}
	return n;
}

static void rebuild_scanouts(struct gpu *gpu, const struct ledger *old)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		const struct ledger_scanout *s = &old->scanouts[head];
		struct resource *resource =
			s->resource ? gpu_find_resource(gpu, s->resource) : NULL;
		struct rect rect = { s->x, s->y, s->width, s->height };
		if (!resource || rect_is_empty(&rect) ||
			!rect_fits(
				&rect, resource->description.width, resource->description.height))
			continue;
		if (scanout_set(gpu, head, resource, &rect) == VIRTIO_GPU_RESP_OK_NODATA)
			gpu->scanouts[head].flushed = true;
	}
}

void rebuild_objects(struct gpu *gpu)
{
	const struct ledger *now = ledger_book_peek(gpu->ledger);
	if (!now)
		return;
	/* A copy: making the objects writes the ledger anew. The rings are the main thread's
	 * meanwhile. */
	const size_t first = offsetof(struct ledger, scanouts);
	size_t used = MIN(now->backing_used, LEDGER_BACKING_MAX);
	size_t end = offsetof(struct ledger, backing) + used * sizeof(now->backing[0]);
	g_autofree struct ledger *old = g_malloc0(sizeof(struct ledger));
	memcpy((char *)old + first, (const char *)now + first, end - first);
	old->overflowed = now->overflowed;
	ledger_book_clear_objects(gpu->ledger);

	unsigned lost = 0;
	unsigned contexts = rebuild_contexts(gpu, old);
	unsigned resources = rebuild_resources(gpu, old, &lost);
	rebuild_scanouts(gpu, old);
	if (contexts + resources + lost > 0)
		g_message("rebuilt from the ledger: %u resources, %u contexts; %u resources lost%s",
			resources, contexts, lost,
			old->overflowed ? "; the ledger had been too small" : "");
}

void rebuild_answer_orphans(struct gpu *gpu)
{
	unsigned n = 0;
	struct chain *chain;
	while ((chain = virtqueue_try_take_orphan(gpu->control))) {
		command_answer_lost(gpu, chain);
		n++;
	}
	if (n > 0)
		g_message(
			"control queue: %u commands of the renderer before answered with an error",
			n);
}
