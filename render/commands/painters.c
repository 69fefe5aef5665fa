/* SPDX-License-Identifier: MIT */
#include "render/commands/painters.h"

#include "render/gpu_thread.h"

#define UPDATE_INTERVAL_NS (250u * 1000 * 1000)
/* A client of a nested compositor shares with that, which shares with the outer one. */
#define DEPTH_MAX 4

void painters_init(struct painters *painters)
{
	painters->heads = g_hash_table_new(NULL, NULL);
	painters->updated_ns = 0;
}

void painters_clear(struct painters *painters)
{
	g_hash_table_remove_all(painters->heads);
	painters->updated_ns = 0;
}

void painters_attach(struct resource *resource, uint32_t context)
{
	for (unsigned i = 0; i < resource->n_contexts; i++) {
		if (resource->contexts[i] == context)
			return;
	}
	if (resource->n_contexts < RESOURCE_CONTEXTS_MAX)
		resource->contexts[resource->n_contexts++] = context;
}

void painters_detach(struct resource *resource, uint32_t context)
{
	for (unsigned i = 0; i < resource->n_contexts; i++) {
		if (resource->contexts[i] == context)
			resource->contexts[i] = resource->contexts[--resource->n_contexts];
	}
}

void painters_forget_context(struct gpu *gpu, uint32_t context)
{
	GHashTableIter iter;
	gpointer resource;
	g_hash_table_iter_init(&iter, gpu->resources);
	while (g_hash_table_iter_next(&iter, NULL, &resource))
		painters_detach(resource, context);
	g_hash_table_remove(gpu->painters.heads, GUINT_TO_POINTER(context));
}

uint32_t painters_get_heads(const struct painters *painters, uint32_t context)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(painters->heads, GUINT_TO_POINTER(context)));
}

/* Everybody who has the resource open paints these heads and those that another one of them does.
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

static bool spread_all(struct gpu *gpu)
{
	GHashTableIter iter;
	gpointer value;
	bool changed = false;
	g_hash_table_iter_init(&iter, gpu->resources);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct resource *resource = value;
		if (resource->n_contexts > 1)
			changed |= spread(&gpu->painters, resource, 0);
	}
	return changed;
}

/* A resource that is new on its heads may have brought a painter who was none. */
static bool knows_painters(const struct painters *painters, const struct resource *shown)
{
	for (unsigned i = 0; i < shown->n_contexts; i++) {
		if (shown->scanouts & ~painters_get_heads(painters, shown->contexts[i]))
			return false;
	}
	return true;
}

void painters_update(struct gpu *gpu, const struct resource *shown, uint64_t now_ns)
{
	struct painters *painters = &gpu->painters;
	if (now_ns - painters->updated_ns < UPDATE_INTERVAL_NS && knows_painters(painters, shown))
		return;
	painters->updated_ns = now_ns;
	g_hash_table_remove_all(painters->heads);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (gpu->scanouts[head].resource)
			spread(painters, gpu->scanouts[head].resource, 1u << head);
	}
	for (unsigned depth = 0; depth < DEPTH_MAX && spread_all(gpu); depth++)
		;
}
