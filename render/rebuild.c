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

enum outcome { MADE, LOST, WAITS };

static enum outcome rebuild_backing(struct rebuild *rebuild, struct gpu *gpu,
	const struct ledger_resource *entry, bool may_wait)
{
	uint32_t first = entry->backing_first, count = entry->backing_count;
	if (count == 0)
		return MADE;
	if (first > LEDGER_BACKING_MAX || count > LEDGER_BACKING_MAX - first)
		return LOST;
	struct resource *resource = gpu_find_resource(gpu, entry->id);
	uint32_t result = objects_attach_backing(
		gpu, resource, &rebuild->old->backing[first], count, may_wait);
	if (result == OBJECTS_WAIT_FOR_MEMORY)
		return WAITS;
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return LOST;
	refill_2d(gpu, resource);
	return MADE;
}

/* One that waited for its backing is there already. */
static enum outcome rebuild_resource(struct rebuild *rebuild, struct gpu *gpu,
	const struct ledger_resource *entry, bool may_wait)
{
	struct ledger_resource d = *entry;
	d.backing_first = d.backing_count = 0;
	if (d.is_3d && !gpu->options.virgl)
		return LOST;
	if (!rebuild->made && objects_create_resource(gpu, &d) != VIRTIO_GPU_RESP_OK_NODATA)
		return LOST;
	enum outcome outcome = rebuild_backing(rebuild, gpu, entry, may_wait);
	rebuild->made = outcome == WAITS;
	return outcome;
}

/* False: it waits. */
static bool rebuild_resources(struct rebuild *rebuild, struct gpu *gpu, bool may_wait)
{
	for (; rebuild->next < LEDGER_RESOURCES_MAX; rebuild->next++) {
		const struct ledger_resource *entry = &rebuild->old->resources[rebuild->next];
		if (entry->id == 0)
			continue;
		enum outcome outcome = rebuild_resource(rebuild, gpu, entry, may_wait);
		if (outcome == WAITS)
			return false;
		rebuild->resources += outcome == MADE;
		rebuild->lost += outcome == LOST;
	}
	return true;
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

/*
 * A copy, since making the objects writes the ledger anew. The rings are the main thread's
 * meanwhile. NULL: there is no ledger.
 */
static struct ledger *copy_ledger(const struct ledger *now)
{
	if (!now)
		return NULL;
	const size_t first = offsetof(struct ledger, scanouts);
	size_t used = MIN(now->backing_used, LEDGER_BACKING_MAX);
	size_t end = offsetof(struct ledger, backing) + used * sizeof(now->backing[0]);
	struct ledger *old = g_malloc0(sizeof(struct ledger));
	memcpy((char *)old + first, (const char *)now + first, end - first);
	old->overflowed = now->overflowed;
	return old;
}

static void begin(struct rebuild *rebuild, struct gpu *gpu)
{
	rebuild->old = copy_ledger(ledger_book_peek(gpu->ledger));
	if (!rebuild->old)
		return;
	ledger_book_clear_objects(gpu->ledger);
	rebuild->contexts = rebuild_contexts(gpu, rebuild->old);
}

static void say(const struct rebuild *rebuild)
{
	if (rebuild->contexts + rebuild->resources + rebuild->lost > 0)
		g_message("rebuilt from the ledger: %u resources, %u contexts; %u resources lost%s",
			rebuild->resources, rebuild->contexts, rebuild->lost,
			rebuild->old->overflowed ? "; the ledger had been too small" : "");
}

void rebuild_want(struct rebuild *rebuild)
{
	rebuild_drop(rebuild);
	rebuild->wanted = true;
}

bool rebuild_is_wanted(const struct rebuild *rebuild)
{
	return rebuild->wanted;
}

bool rebuild_work(struct rebuild *rebuild, struct gpu *gpu, bool may_wait)
{
	if (!rebuild->old)
		begin(rebuild, gpu);
	if (rebuild->old) {
		if (!rebuild_resources(rebuild, gpu, may_wait))
			return false;
		rebuild_scanouts(gpu, rebuild->old);
		say(rebuild);
	}
	rebuild_drop(rebuild);
	return true;
}

void rebuild_drop(struct rebuild *rebuild)
{
	g_free(rebuild->old);
	*rebuild = (struct rebuild){ 0 };
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
