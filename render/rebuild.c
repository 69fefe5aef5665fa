/* SPDX-License-Identifier: MIT */
#include "render/rebuild.h"

#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>

#include "common/rect_set.h"
#include "protocol/flight_events.h"
#include "render/buffers/buffer.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"

enum rebuild_outcome { MADE, LOST, WAITS };

static bool is_shown(const struct rebuild *rebuild, uint32_t resource)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (rebuild->old->scanouts[head].resource == resource)
			return true;
	}
	return false;
}

/* What a head will show is read to where display looks for it, and not copied there later. */
static void refill_2d(struct rebuild *rebuild, struct resource *resource)
{
	const struct ledger_resource *d = &resource->description;
	struct rect all = { 0, 0, d->width, d->height };
	uint64_t size_bytes = (uint64_t)d->width * d->height * RECT_PIXEL_BYTES;
	if (d->is_3d || !resource->backing || resource->backing->size_bytes < size_bytes)
		return;
	/* Without memory for it the head says so later. */
	if (!rebuild->shows && !resource_make_showable(resource, &buffer_memfd))
		g_debug("resource %u: no memory to show it", resource->id);
	resource_transfer_2d(resource, &all, 0);
	scanouts_note_pixels(rebuild->scanouts, resource);
}

static enum rebuild_outcome rebuild_backing(
	struct rebuild *rebuild, const struct ledger_resource *entry, bool may_wait)
{
	uint32_t first = entry->backing_first, count = entry->backing_count;
	struct resource *resource = objects_find_resource(rebuild->objects, entry->id);
	resource->is_blank = entry->is_3d;
	if (count == 0)
		return MADE;
	if (first > LEDGER_BACKING_MAX || count > LEDGER_BACKING_MAX - first)
		return LOST;
	uint32_t result = objects_attach_backing(
		rebuild->objects, resource, &rebuild->old->backing[first], count, may_wait);
	if (result == OBJECTS_WAIT_FOR_MEMORY)
		return WAITS;
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return LOST;
	refill_2d(rebuild, resource);
	return MADE;
}

/* Makes a resource and its backing. One that waited for its backing has been made already. */
static enum rebuild_outcome rebuild_resource(
	struct rebuild *rebuild, const struct ledger_resource *entry, bool may_wait)
{
	struct ledger_resource d = *entry;
	d.backing_first = d.backing_count = 0;
	if (d.is_3d && !rebuild->virgl)
		return LOST;
	if (!rebuild->made &&
		objects_create_resource(rebuild->objects, &d) != VIRTIO_GPU_RESP_OK_NODATA)
		return LOST;
	enum rebuild_outcome outcome = rebuild_backing(rebuild, entry, may_wait);
	rebuild->made = outcome == WAITS;
	return outcome;
}

/*
 * Makes those that heads show, or the other ones. Returns false while a resource waits for its
 * backing.
 */
static bool rebuild_resources(struct rebuild *rebuild, bool may_wait)
{
	for (; rebuild->next < LEDGER_RESOURCES_MAX; rebuild->next++) {
		const struct ledger_resource *entry = &rebuild->old->resources[rebuild->next];
		if (entry->id == 0 || is_shown(rebuild, entry->id) == rebuild->shows)
			continue;
		enum rebuild_outcome outcome = rebuild_resource(rebuild, entry, may_wait);
		if (outcome == WAITS)
			return false;
		rebuild->n_resources += outcome == MADE;
		rebuild->n_lost += outcome == LOST;
	}
	return true;
}

static void rebuild_contexts(struct rebuild *rebuild)
{
	for (unsigned i = 0; rebuild->virgl && i < LEDGER_CONTEXTS_MAX; i++) {
		const struct ledger_context *c = &rebuild->old->contexts[i];
		if (c->id == 0 || objects_enter_context(rebuild->objects, c->id, c->name) !=
					  VIRTIO_GPU_RESP_OK_NODATA)
			continue;
		rebuild->n_contexts++;
		if (c->has_painted)
			objects_note_painted(rebuild->objects, c->id);
	}
}

static void rebuild_scanout(
	struct rebuild *rebuild, unsigned head, const struct ledger_scanout *entry)
{
	struct resource *resource = objects_find_resource(rebuild->objects, entry->resource);
	struct rect rect = { entry->x, entry->y, entry->width, entry->height };
	if (!resource || rect_is_empty(&rect) ||
		!rect_fits(&rect, resource->description.width, resource->description.height))
		return;
	if (scanout_set(rebuild->scanouts, head, resource, &rect) == VIRTIO_GPU_RESP_OK_NODATA &&
		!objects_is_blank(rebuild->objects, resource))
		scanout_set_flushed(rebuild->scanouts, head);
}

static void rebuild_scanouts(struct rebuild *rebuild)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		rebuild_scanout(rebuild, head, &rebuild->old->scanouts[head]);
	scanouts_pump(rebuild->scanouts);
	flight_note(FLIGHT_PICTURES_BACK, 0, 0, 0);
	rebuild->shows = true;
	rebuild->next = 0;
}

/* Most slots are free, and their pages are not written to. */
static void copy_slots(struct ledger *old, const struct ledger *now)
{
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		if (now->contexts[i].id != 0)
			old->contexts[i] = now->contexts[i];
	}
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (now->resources[i].id != 0)
			old->resources[i] = now->resources[i];
	}
}

/*
 * Copies the ledger, since making the objects writes it anew. The rings' part is left out: the main
 * thread writes it meanwhile.
 */
static struct ledger *copy_ledger(const struct ledger *now)
{
	uint32_t said = __atomic_load_n(&now->backing_used, __ATOMIC_RELAXED);
	size_t used = MIN(said, LEDGER_BACKING_MAX);
	struct ledger *old = g_malloc0(sizeof(struct ledger));
	memcpy(old->scanouts, now->scanouts, sizeof(old->scanouts));
	copy_slots(old, now);
	memcpy(old->backing, now->backing, used * sizeof(now->backing[0]));
	old->overflowed = now->overflowed;
	return old;
}

static void begin(struct rebuild *rebuild)
{
	rebuild->old = copy_ledger(objects_peek_ledger(rebuild->objects));
	objects_clear_ledger(rebuild->objects);
	rebuild_contexts(rebuild);
}

static void say(const struct rebuild *rebuild)
{
	if (rebuild->n_contexts + rebuild->n_resources + rebuild->n_lost > 0)
		g_message("rebuilt from the ledger: %u resources, %u contexts; %u resources lost%s",
			rebuild->n_resources, rebuild->n_contexts, rebuild->n_lost,
			rebuild->old->overflowed ? "; the ledger had been too small" : "");
}

void rebuild_init(
	struct rebuild *rebuild, struct objects *objects, struct scanouts *scanouts, bool virgl)
{
	*rebuild = (struct rebuild){ .objects = objects, .scanouts = scanouts, .virgl = virgl };
}

void rebuild_want(struct rebuild *rebuild)
{
	/* keeper_end.c refuses a second ledger. One that came here while a backing is awaited would
	 * be rebuilt among the objects of the first, whose slots and ids it does not know. */
	g_assert(!rebuild->old && !rebuild->made);
	rebuild_drop(rebuild);
	rebuild->wanted = objects_peek_ledger(rebuild->objects) != NULL;
}

bool rebuild_is_wanted(const struct rebuild *rebuild)
{
	return rebuild->wanted;
}

bool rebuild_work(struct rebuild *rebuild, bool may_wait)
{
	g_assert(rebuild->wanted && objects_has_memory(rebuild->objects));
	if (!rebuild->old)
		begin(rebuild);
	if (!rebuild_resources(rebuild, may_wait))
		return false;
	if (!rebuild->shows) {
		rebuild_scanouts(rebuild);
		return rebuild_work(rebuild, may_wait);
	}
	say(rebuild);
	rebuild_drop(rebuild);
	return true;
}

void rebuild_drop(struct rebuild *rebuild)
{
	g_free(rebuild->old);
	rebuild_init(rebuild, rebuild->objects, rebuild->scanouts, rebuild->virgl);
}
