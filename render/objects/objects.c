/* SPDX-License-Identifier: MIT */
#include "render/objects/objects.h"

#include <linux/virtio_gpu.h>
#include <string.h>

#include "render/buffers/format.h"
#include "render/gpu_thread.h"
#include "common/peer_log.h"
#include "render/gl/virgl_bounds.h"
#include "render/gl/virgl.h"

static bool is_size(uint32_t pixels)
{
	return pixels >= 1 && pixels <= FRAME_SIZE_MAX;
}

static bool is_valid_2d(const struct ledger_resource *d)
{
	return format_is_known(d->format) && is_size(d->width) && is_size(d->height);
}

static uint32_t make_resource(
	struct gpu *gpu, const struct ledger_resource *d, struct resource **made)
{
	*made = d->is_3d ? resource_create_3d(&gpu->quota_3d, d, virgl_bounds_estimate_bytes(d)) :
			   resource_create_2d(&gpu->quota_2d, d);
	if (!*made) {
		peer_warning(PEER_GUEST, "resource %u of %ux%u: over this guest's memory limit",
			d->id, d->width, d->height);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	if (d->is_3d && !virgl_create_resource(d)) {
		resource_destroy(*made);
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t objects_create_resource(struct gpu *gpu, const struct ledger_resource *d)
{
	struct resource *resource;
	if (d->id == 0 || gpu_find_resource(gpu, d->id)) {
		peer_warning(PEER_GUEST, "resource %u: not a new id", d->id);
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!(d->is_3d ? virgl_bounds_is_resource_sane(d) : is_valid_2d(d))) {
		peer_warning(PEER_GUEST,
			"resource %u: %ux%ux%u, format %u, target %u: not possible", d->id,
			d->width, d->height, d->depth, d->format, d->target);
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	if (g_hash_table_size(gpu->resources) >= RESOURCES_MAX) {
		peer_warning(
			PEER_GUEST, "resource %u: more than %u resources", d->id, RESOURCES_MAX);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	uint32_t result = make_resource(gpu, d, &resource);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	g_hash_table_insert(gpu->resources, GUINT_TO_POINTER(d->id), resource);
	ledger_book_add_resource(gpu->ledger, d);
	if (cursor_is_size(d->width, d->height))
		cursor_add_resource(gpu->cursor, d->id);
	return result;
}

static struct backing *make_backing(
	struct gpu *gpu, const struct ledger_backing *entries, uint32_t n_entries)
{
	return gpu->memory ? backing_create(gpu->memory, entries, n_entries) : NULL;
}

uint32_t objects_attach_backing(struct gpu *gpu, struct resource *resource,
	const struct ledger_backing *entries, uint32_t n_entries, bool may_wait)
{
	if (resource->backing) {
		peer_warning(PEER_GUEST, "resource %u: has a backing already", resource->id);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	struct backing *backing = make_backing(gpu, entries, n_entries);
	if (!backing && may_wait)
		return OBJECTS_WAIT_FOR_MEMORY;
	if (!backing) {
		peer_warning(PEER_GUEST,
			"resource %u: backing of %u entries reaches outside guest memory",
			resource->id, n_entries);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	if (resource->description.is_3d &&
		!virgl_attach_backing(resource->id, backing->pieces, backing->n_pieces)) {
		backing_destroy(backing);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	resource->backing = backing;
	ledger_book_set_backing(gpu->ledger, resource->id, entries, n_entries);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t objects_detach_backing(struct gpu *gpu, struct resource *resource)
{
	if (!resource->backing) {
		peer_warning(PEER_GUEST, "resource %u: has no backing", resource->id);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	if (resource->description.is_3d)
		virgl_detach_backing(resource->id);
	backing_destroy(resource->backing);
	resource->backing = NULL;
	ledger_book_set_backing(gpu->ledger, resource->id, NULL, 0);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t objects_create_context(struct gpu *gpu, uint32_t id, const char name[64])
{
	char text[65] = "";
	if (id == 0 || gpu_has_context(gpu, id)) {
		peer_warning(PEER_GUEST, "context %u: not a new id", id);
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	if (g_hash_table_size(gpu->contexts) >= GPU_CONTEXTS_MAX) {
		peer_warning(PEER_GUEST, "context %u: more than %u contexts", id, GPU_CONTEXTS_MAX);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	memcpy(text, name, 64);
	if (!virgl_create_context(id, text, (uint32_t)strlen(text)))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	g_hash_table_add(gpu->contexts, GUINT_TO_POINTER(id));
	ledger_book_add_context(gpu->ledger, id, name);
	return VIRTIO_GPU_RESP_OK_NODATA;
}
