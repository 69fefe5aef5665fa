/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "protocol/flight_events.h"
#include "render/commands/answer_queue.h"
#include "render/commands/checker.h"
#include "render/commands/command.h"
#include "render/commands/limits.h"
#include "render/gl/virgl_bounds.h"
#include "render/objects/objects.h"
#include "render/gl/virgl.h"

uint32_t command_get_capset_info(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_get_capset_info *get = (const void *)command->fixed.bytes;
	struct virgl_capset capset;
	if (!virgl_get_capset(get->capset_index, &capset))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"no capset %u", get->capset_index);
	struct virtio_gpu_resp_capset_info *info = g_new0(struct virtio_gpu_resp_capset_info, 1);
	info->capset_id = capset.id;
	info->capset_max_version = capset.max_version;
	info->capset_max_size = capset.max_size_bytes;
	command->answer = info;
	command->answer_bytes = sizeof(*info);
	command->answer_is_heap = true;
	return VIRTIO_GPU_RESP_OK_CAPSET_INFO;
}

static bool find_capset(uint32_t id, struct virgl_capset *capset)
{
	for (uint32_t index = 0; virgl_get_capset(index, capset); index++) {
		if (capset->id == id)
			return true;
	}
	return false;
}

uint32_t command_get_capset(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_get_capset *get = (const void *)command->fixed.bytes;
	struct virgl_capset capset;
	if (!find_capset(get->capset_id, &capset) || get->capset_version > capset.max_version)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"no capset %u of version %u", get->capset_id, get->capset_version);
	size_t size_bytes = sizeof(struct virtio_gpu_ctrl_hdr) + capset.max_size_bytes;
	command->answer = g_malloc0(size_bytes);
	command->answer_bytes = size_bytes;
	command->answer_is_heap = true;
	virgl_fill_capset(&capset, get->capset_version,
		(uint8_t *)command->answer + sizeof(struct virtio_gpu_ctrl_hdr));
	return VIRTIO_GPU_RESP_OK_CAPSET;
}

uint32_t command_ctx_create(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_ctx_create *create = (const void *)command->fixed.bytes;
	char name[64] = { 0 };
	if (create->nlen > sizeof(name))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"context %u: name of %u bytes", create->hdr.ctx_id, create->nlen);
	memcpy(name, create->debug_name, create->nlen);
	if (objects_is_refused(commands->objects, name))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_UNSPEC,
			"context %u: its program has crashed or hung the renderer",
			create->hdr.ctx_id);
	if (!making_allows(objects_get_account(commands->objects, 0)))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	flight_note_name(FLIGHT_CONTEXT_MADE, create->hdr.ctx_id, name);
	return objects_create_context(commands->objects, create->hdr.ctx_id, name);
}

static uint32_t find_context(struct commands *commands, const struct command *command)
{
	uint32_t id = command->fixed.header.ctx_id;
	if (objects_use_context(commands->objects, id))
		return VIRTIO_GPU_RESP_OK_NODATA;
	return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, "no context %u", id);
}

uint32_t command_ctx_destroy(struct commands *commands, struct command *command)
{
	uint32_t id = command->fixed.header.ctx_id;
	if (!objects_has_context(commands->objects, id))
		return command_refuse(
			command, VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, "no context %u", id);
	flight_note(FLIGHT_CONTEXT_GONE, id, 0, 0);
	objects_destroy_context(commands->objects, id);
	painters_forget_context(&commands->painters, id);
	answer_queue_renew(commands->answers);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Finds both the context of the header and the resource, or returns what is missing. */
static uint32_t find_both(struct commands *commands, const struct command *command,
	uint32_t resource_id, struct resource **resource)
{
	uint32_t result = find_context(commands, command);
	*resource = objects_find_resource(commands->objects, resource_id);
	if (result == VIRTIO_GPU_RESP_OK_NODATA && !*resource)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
			"no resource %u", resource_id);
	return result;
}

uint32_t command_ctx_attach_resource(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_ctx_resource *attach = (const void *)command->fixed.bytes;
	struct resource *resource;
	uint32_t result = find_both(commands, command, attach->resource_id, &resource);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	return objects_open_resource(commands->objects, resource, attach->hdr.ctx_id);
}

uint32_t command_ctx_detach_resource(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_ctx_resource *detach = (const void *)command->fixed.bytes;
	struct resource *resource;
	uint32_t result = find_both(commands, command, detach->resource_id, &resource);
	if (result == VIRTIO_GPU_RESP_OK_NODATA)
		objects_close_resource(commands->objects, resource, detach->hdr.ctx_id);
	return result;
}

uint32_t command_resource_create_3d(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_resource_create_3d *create = (const void *)command->fixed.bytes;
	struct ledger_resource description = { .id = create->resource_id,
		.is_3d = 1,
		.target = create->target,
		.format = create->format,
		.bind = create->bind,
		.width = create->width,
		.height = create->height,
		.depth = create->depth,
		.array_size = create->array_size,
		.last_level = create->last_level,
		.nr_samples = create->nr_samples,
		.flags = create->flags };
	return objects_create_resource(commands->objects, &description);
}

static bool is_sane(const struct resource *resource, const struct virgl_transfer *t)
{
	struct virgl_bounds_transfer transfer = { t->level, t->stride, t->layer_stride, t->x, t->y,
		t->z, t->width, t->height, t->depth, t->offset_bytes };
	return virgl_bounds_is_transfer_sane(
		&resource->description, resource->backing->size_bytes, &transfer);
}

/*
 * Returns how many bytes virglrenderer may copy for a transfer: it copies where a backing is in
 * pieces or GL wants it in other rows. A sane box is inside its resource, so the product is one of
 * a few Gi.
 */
static uint64_t staging_bytes(const struct resource *resource, const struct virgl_transfer *t)
{
	uint32_t pixel_bytes = virgl_bounds_format_bytes(resource->description.format);
	uint64_t pixels = (uint64_t)t->width * t->height * t->depth;
	return resource->description.target == VIRGL_BOUNDS_TARGET_BUFFER ? pixels :
									    pixels * pixel_bytes;
}

static uint32_t prepare_transfer(
	struct commands *commands, struct command *command, struct virgl_transfer *transfer)
{
	const struct virtio_gpu_transfer_host_3d *t = (const void *)command->fixed.bytes;
	struct resource *resource = objects_find_resource(commands->objects, t->resource_id);
	uint32_t context = t->hdr.ctx_id;
	if (!resource || !resource->description.is_3d)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
			"no 3D resource %u", t->resource_id);
	/* Context 0 is the kernel's own. */
	if (context != 0 && !objects_use_context(commands->objects, context))
		return command_refuse(
			command, VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, "no context %u", context);
	if (!resource->backing)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_UNSPEC,
			"resource %u has no backing", resource->id);
	*transfer = (struct virgl_transfer){ .context = context,
		.resource = resource->id,
		.level = t->level,
		.stride = t->stride,
		.layer_stride = t->layer_stride,
		.x = t->box.x,
		.y = t->box.y,
		.z = t->box.z,
		.width = t->box.w,
		.height = t->box.h,
		.depth = t->box.d,
		.offset_bytes = t->offset };
	if (!is_sane(resource, transfer))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"resource %u: box, strides or offset do not fit", resource->id);
	struct quota_account *account = objects_get_account(commands->objects, context);
	if (!making_allows(account) ||
		!quota_allows(account, QUOTA_STAGING_BYTES, staging_bytes(resource, transfer)))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	return objects_use_resource(commands->objects, resource, context);
}

uint32_t command_transfer_to_host_3d(struct commands *commands, struct command *command)
{
	struct virgl_transfer transfer;
	uint32_t result = prepare_transfer(commands, command, &transfer);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	if (!virgl_transfer_to_host(&transfer))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	objects_find_resource(commands->objects, transfer.resource)->is_blank = false;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t command_transfer_from_host_3d(struct commands *commands, struct command *command)
{
	struct virgl_transfer transfer;
	uint32_t result = prepare_transfer(commands, command, &transfer);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	return virgl_transfer_from_host(&transfer) ? VIRTIO_GPU_RESP_OK_NODATA :
						     VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}

uint32_t command_submit_3d(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_cmd_submit *submit = (const void *)command->fixed.bytes;
	uint32_t result = find_context(commands, command);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	if (submit->size % 4 || submit->size > SUBMIT_BYTES_MAX ||
		submit->size > command->chain->readable_bytes - command->fixed_bytes)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"%u bytes, not a multiple of 4 or more than there are", submit->size);
	g_autofree uint32_t *stream = g_malloc(MAX(submit->size, 4));
	if (!command_read_rest(command, stream, submit->size))
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	answer_queue_note_work(commands->answers, submit->hdr.ctx_id);
	result = checker_submit(commands->checker, submit->hdr.ctx_id, stream, submit->size / 4);
	objects_note_drawn(
		commands->objects, submit->hdr.ctx_id, result == VIRTIO_GPU_RESP_OK_NODATA);
	return result;
}
