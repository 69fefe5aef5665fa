/* SPDX-License-Identifier: MIT */
#include "render/commands/painters.h"

#include "render/commands/limits.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"

#define UPDATE_INTERVAL_NS (250u * 1000 * 1000)

void painters_init(struct painters *painters)
{
	painters->heads = g_hash_table_new(NULL, NULL);
	painters->updated_ns = 0;
}

void painters_finish(struct painters *painters)
{
	g_hash_table_unref(painters->heads);
}

void painters_clear(struct painters *painters)
{
	g_hash_table_remove_all(painters->heads);
	painters->updated_ns = 0;
}

void painters_forget_context(struct painters *painters, uint32_t context)
{
	g_hash_table_remove(painters->heads, GUINT_TO_POINTER(context));
}

uint32_t painters_get_heads(const struct painters *painters, uint32_t context)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(painters->heads, GUINT_TO_POINTER(context)));
}

/*
 * Makes all contexts that have the resource open paint these heads, and those that any of them
 * paints. Returns whether that changed anything.
 */
static bool spread(struct painters *painters, const struct resource *resource, uint32_t heads)
{
	bool changed = false;
	for (unsigned i = 0; i < resource->n_contexts; i++)
		heads |= painters_get_heads(painters, resource->contexts[i]);
	for (unsigned i = 0; heads && i < resource->n_contexts; i++) {
		uint32_t context = resource->contexts[i];
		if (painters_get_heads(painters, context) == heads)
			continue;
		g_hash_table_insert(
			painters->heads, GUINT_TO_POINTER(context), GUINT_TO_POINTER(heads));
		changed = true;
	}
	return changed;
}

static bool spread_all(struct painters *painters, const struct objects *objects)
{
	GHashTableIter iter;
	const struct resource *resource;
	bool changed = false;
	objects_iterate(objects, &iter);
	while ((resource = objects_next(&iter))) {
		if (resource->n_contexts > 1)
			changed |= spread(painters, resource, 0);
	}
	return changed;
}

/* Returns false for a resource that is new on its heads, and whose contexts painted none so far. */
static bool knows_painters(const struct painters *painters, const struct resource *shown)
{
	for (unsigned i = 0; i < shown->n_contexts; i++) {
		if (shown->scanouts & ~painters_get_heads(painters, shown->contexts[i]))
			return false;
	}
	return true;
}

static void note_painted(const struct resource *shown, struct objects *objects)
{
	for (unsigned i = 0; i < shown->n_contexts; i++)
		objects_note_painted(objects, shown->contexts[i]);
}

void painters_update(struct painters *painters, struct objects *objects,
	const struct scanouts *scanouts, const struct resource *shown, uint64_t now_ns)
{
	if (now_ns - painters->updated_ns < UPDATE_INTERVAL_NS && knows_painters(painters, shown))
		return;
	painters->updated_ns = now_ns;
	g_hash_table_remove_all(painters->heads);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		const struct resource *resource = scanout_get_resource(scanouts, head);
		if (!resource)
			continue;
		spread(painters, resource, 1u << head);
		note_painted(resource, objects);
	}
	for (unsigned depth = 0; depth < PAINTERS_DEPTH_MAX && spread_all(painters, objects);
		depth++)
		;
}
