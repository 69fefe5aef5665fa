/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "render/commands/command.h"
#include "common/monotonic.h"
#include "protocol/flight_events.h"
#include "render/scanout/edid.h"
#include "render/buffers/format.h"
#include "render/objects/objects.h"
#include "render/scanout/pacing.h"
#include "render/scanout/scanouts.h"
#include "render/gl/virgl.h"

/* Makes room for an answer that is more than a header. It is freed once it has been sent. */
static void *answer_with(struct command *command, size_t size_bytes)
{
	command->answer = g_malloc0(size_bytes);
	command->answer_bytes = size_bytes;
	command->answer_is_heap = true;
	return command->answer;
}

static struct resource *find_resource(
	struct commands *commands, const struct command *command, uint32_t id)
{
	struct resource *resource = objects_find_resource(commands->objects, id);
	if (!resource)
		command_refuse(command, 0, "no resource %u", id);
	return resource;
}

static struct rect rect_from(const struct virtio_gpu_rect *r)
{
	return (struct rect){ r->x, r->y, r->width, r->height };
}

uint32_t command_get_display_info(struct commands *commands, struct command *command)
{
	const struct modes *modes = scanouts_hear_display(commands->scanouts);
	struct virtio_gpu_resp_display_info *info = answer_with(command, sizeof(*info));
	for (unsigned i = 0; i < VIRTIO_GPU_MAX_SCANOUTS; i++) {
		const struct frame_head_mode *mode = &modes->modes[i];
		info->pmodes[i].enabled = mode->enabled;
		info->pmodes[i].r =
			(struct virtio_gpu_rect){ mode->x, mode->y, mode->width, mode->height };
	}
	return VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

/* Gives a head that is off an EDID, too, since Linux reads all of them at start. */
uint32_t command_get_edid(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_cmd_get_edid *get = (const void *)command->fixed.bytes;
	struct frame_head_mode mode = { .width = MODES_DEFAULT_WIDTH,
		.height = MODES_DEFAULT_HEIGHT };
	if (get->scanout >= FRAME_HEADS_MAX)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID,
			"no scanout %u", get->scanout);
	const struct modes *modes = scanouts_hear_display(commands->scanouts);
	if (modes->modes[get->scanout].enabled)
		mode = modes->modes[get->scanout];
	struct virtio_gpu_resp_edid *edid = answer_with(command, sizeof(*edid));
	edid->size = (uint32_t)edid_fill(edid->edid, &mode, get->scanout);
	return VIRTIO_GPU_RESP_OK_EDID;
}

uint32_t command_resource_create_2d(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_resource_create_2d *create = (const void *)command->fixed.bytes;
	struct ledger_resource description = { .id = create->resource_id,
		.format = create->format,
		.width = create->width,
		.height = create->height,
		.depth = 1,
		.array_size = 1 };
	return objects_create_resource(commands->objects, &description);
}

uint32_t command_resource_unref(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_resource_unref *unref = (const void *)command->fixed.bytes;
	struct resource *resource = find_resource(commands, command, unref->resource_id);
	if (!resource)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	objects_remove_resource(commands->objects, resource);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t command_set_scanout(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_set_scanout *set = (const void *)command->fixed.bytes;
	flight_note(FLIGHT_SCANOUT, set->scanout_id, set->resource_id,
		(uint64_t)set->r.width << 32 | set->r.height);
	if (set->scanout_id >= FRAME_HEADS_MAX)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID,
			"no scanout %u", set->scanout_id);
	if (set->resource_id == 0)
		return scanout_disable(commands->scanouts, set->scanout_id);
	struct resource *resource = find_resource(commands, command, set->resource_id);
	if (!resource)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	struct rect rect = rect_from(&set->r);
	if (rect_is_empty(&rect) ||
		!rect_fits(&rect, resource->description.width, resource->description.height))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"%ux%u+%u+%u is not in resource %u", rect.width, rect.height, rect.x,
			rect.y, resource->id);
	if (resource->description.is_3d && !format_get_scanout_fourcc(resource->description.format))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"resource %u: format %u cannot be shown", resource->id,
			resource->description.format);
	uint32_t result = objects_use_resource(commands->objects, resource, 0);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	return scanout_set(commands->scanouts, set->scanout_id, resource, &rect);
}

uint32_t command_resource_flush(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_resource_flush *flush = (const void *)command->fixed.bytes;
	struct resource *resource = find_resource(commands, command, flush->resource_id);
	if (!resource)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	struct rect rect = rect_from(&flush->r);
	if (!rect_fits(&rect, resource->description.width, resource->description.height))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"%ux%u+%u+%u is not in resource %u", rect.width, rect.height, rect.x,
			rect.y, resource->id);
	if (resource->scanouts)
		painters_update(&commands->painters, commands->objects, commands->scanouts,
			resource, monotonic_now_ns());
	return scanout_flush_resource(commands->scanouts, resource, &rect) ?
		       VIRTIO_GPU_RESP_OK_NODATA :
		       VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
}

/*
 * Returns false when the backing ends before the rectangle. Its rows are as far apart in the
 * backing as rows of the resource.
 */
static bool backing_holds(
	const struct resource *resource, const struct rect *rect, uint64_t offset_bytes)
{
	uint64_t size_bytes = resource->backing->size_bytes;
	uint64_t stride_bytes = (uint64_t)resource->description.width * RECT_PIXEL_BYTES;
	uint64_t needed =
		(rect->height - 1) * stride_bytes + (uint64_t)rect->width * RECT_PIXEL_BYTES;
	return offset_bytes <= size_bytes && needed <= size_bytes - offset_bytes;
}

static uint32_t transfer_2d(struct commands *commands, struct command *command,
	struct resource *resource, const struct rect *rect, uint64_t offset_bytes)
{
	if (!backing_holds(resource, rect, offset_bytes))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"resource %u: backing ends before the rectangle", resource->id);
	bool done = resource_transfer_2d(resource, rect, offset_bytes);
	if (!done) {
		/* Display may have given a buffer back already. */
		scanouts_hear_display(commands->scanouts);
		done = resource_transfer_2d(resource, rect, offset_bytes);
	}
	if (!done)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY,
			"resource %u: no memory for another buffer", resource->id);
	scanouts_note_pixels(commands->scanouts, resource);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Fills a 3D resource by a 2D transfer, as Linux does for framebuffers. */
static uint32_t transfer_to_texture(struct commands *commands, struct resource *resource,
	const struct rect *rect, uint64_t offset_bytes)
{
	uint32_t result = objects_use_resource(commands->objects, resource, 0);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	struct virgl_transfer transfer = { .resource = resource->id,
		.x = rect->x,
		.y = rect->y,
		.width = rect->width,
		.height = rect->height,
		.depth = 1,
		.offset_bytes = offset_bytes };
	if (!virgl_transfer_to_host(&transfer))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	resource->is_blank = false;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t command_transfer_to_host_2d(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_transfer_to_host_2d *t = (const void *)command->fixed.bytes;
	struct resource *resource = find_resource(commands, command, t->resource_id);
	if (!resource)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	struct rect rect = rect_from(&t->r);
	if (!resource->backing)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_UNSPEC,
			"resource %u has no backing", resource->id);
	if (rect_is_empty(&rect) ||
		!rect_fits(&rect, resource->description.width, resource->description.height))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"%ux%u+%u+%u is not in resource %u", rect.width, rect.height, rect.x,
			rect.y, resource->id);
	return resource->description.is_3d ?
		       transfer_to_texture(commands, resource, &rect, t->offset) :
		       transfer_2d(commands, command, resource, &rect, t->offset);
}

/* struct ledger_backing has the layout of struct virtio_gpu_mem_entry. */
G_STATIC_ASSERT(sizeof(struct ledger_backing) == sizeof(struct virtio_gpu_mem_entry));

uint32_t command_attach_backing(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_resource_attach_backing *attach =
		(const void *)command->fixed.bytes;
	struct resource *resource = find_resource(commands, command, attach->resource_id);
	if (!resource)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (attach->nr_entries == 0 || attach->nr_entries > BACKING_ENTRIES_MAX)
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
			"resource %u: %u entries, 1 to %u allowed", resource->id,
			attach->nr_entries, BACKING_ENTRIES_MAX);
	g_autofree struct ledger_backing *entries =
		g_new(struct ledger_backing, attach->nr_entries);
	if (!command_read_rest(command, entries, attach->nr_entries * sizeof(*entries)))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	return objects_attach_backing(
		commands->objects, resource, entries, attach->nr_entries, command->may_wait);
}

uint32_t command_detach_backing(struct commands *commands, struct command *command)
{
	const struct virtio_gpu_resource_detach_backing *detach =
		(const void *)command->fixed.bytes;
	struct resource *resource = find_resource(commands, command, detach->resource_id);
	return resource ? objects_detach_backing(commands->objects, resource) :
			  VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
}
