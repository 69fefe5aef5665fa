/* SPDX-License-Identifier: MIT */
#include "tests/wire/guest_gpu.h"

#include <glib.h>
#include <string.h>

static struct virtio_gpu_ctrl_hdr header(uint32_t type, uint32_t context)
{
	return (struct virtio_gpu_ctrl_hdr){ .type = type, .ctx_id = context };
}

uint32_t guest_gpu_command(struct guest *guest, const void *command, size_t command_bytes,
	void *response, size_t response_bytes)
{
	size_t bytes = response ? response_bytes : sizeof(struct virtio_gpu_ctrl_hdr);
	struct guest_request *request =
		guest_queue_send(guest->control, command, command_bytes, bytes);
	g_assert_nonnull(request);
	if (!guest_queue_wait(guest->control, request, guest->timeout_ms))
		g_error("no answer to command %#x within %d ms", *(const uint32_t *)command,
			guest->timeout_ms);
	g_assert_cmpuint(request->used_bytes, >=, sizeof(struct virtio_gpu_ctrl_hdr));
	g_assert_cmpuint(request->used_bytes, <=, bytes);
	struct virtio_gpu_ctrl_hdr answer;
	memcpy(&answer, request->response, sizeof(answer));
	g_assert_cmpuint(answer.flags & VIRTIO_GPU_FLAG_FENCE, ==, 0);
	if (response)
		memcpy(response, request->response, response_bytes);
	guest_request_free(request);
	return answer.type;
}

struct guest_request *guest_gpu_send_fenced(
	struct guest *guest, const void *command, size_t command_bytes, uint64_t fence_id)
{
	g_autofree void *copy = g_memdup2(command, command_bytes);
	struct virtio_gpu_ctrl_hdr *hdr = copy;
	hdr->flags |= VIRTIO_GPU_FLAG_FENCE;
	hdr->fence_id = fence_id;
	return guest_queue_send(guest->control, copy, command_bytes, GUEST_GPU_RESPONSE_MAX);
}

uint32_t guest_gpu_finish_fenced(
	struct guest *guest, struct guest_request *request, uint64_t fence_id)
{
	if (!guest_queue_wait(guest->control, request, guest->timeout_ms))
		g_error("fence %" G_GUINT64_FORMAT ": not reached within %d ms", fence_id,
			guest->timeout_ms);
	struct virtio_gpu_ctrl_hdr answer;
	g_assert_cmpuint(request->used_bytes, >=, sizeof(answer));
	memcpy(&answer, request->response, sizeof(answer));
	g_assert_cmpuint(answer.flags & VIRTIO_GPU_FLAG_FENCE, ==, VIRTIO_GPU_FLAG_FENCE);
	g_assert_cmpuint(answer.fence_id, ==, fence_id);
	guest_request_free(request);
	return answer.type;
}

uint32_t guest_gpu_create_2d(
	struct guest *guest, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_2d c = {
		.hdr = header(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, 0),
		.resource_id = id,
		.format = format,
		.width = width,
		.height = height,
	};
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_unref(struct guest *guest, uint32_t id)
{
	struct virtio_gpu_resource_unref c = {
		.hdr = header(VIRTIO_GPU_CMD_RESOURCE_UNREF, 0),
		.resource_id = id,
	};
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_set_scanout(struct guest *guest, uint32_t scanout, uint32_t id, guest_rect rect)
{
	struct virtio_gpu_set_scanout c = {
		.hdr = header(VIRTIO_GPU_CMD_SET_SCANOUT, 0),
		.r = rect,
		.scanout_id = scanout,
		.resource_id = id,
	};
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_flush(struct guest *guest, uint32_t id, guest_rect rect)
{
	struct virtio_gpu_resource_flush c = {
		.hdr = header(VIRTIO_GPU_CMD_RESOURCE_FLUSH, 0),
		.r = rect,
		.resource_id = id,
	};
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_transfer_2d(
	struct guest *guest, uint32_t id, guest_rect rect, uint64_t offset_bytes)
{
	struct virtio_gpu_transfer_to_host_2d c = {
		.hdr = header(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, 0),
		.r = rect,
		.offset = offset_bytes,
		.resource_id = id,
	};
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_attach_entries(struct guest *guest, uint32_t id,
	const struct virtio_gpu_mem_entry *entries, uint32_t n_entries)
{
	struct virtio_gpu_resource_attach_backing c = {
		.hdr = header(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, 0),
		.resource_id = id,
		.nr_entries = n_entries,
	};
	size_t bytes = sizeof(*entries) * n_entries;
	g_autofree uint8_t *command = g_malloc(sizeof(c) + bytes);
	memcpy(command, &c, sizeof(c));
	memcpy(command + sizeof(c), entries, bytes);
	return guest_gpu_command(guest, command, sizeof(c) + bytes, NULL, 0);
}

uint32_t guest_gpu_detach_backing(struct guest *guest, uint32_t id)
{
	struct virtio_gpu_resource_detach_backing c = {
		.hdr = header(VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, 0),
		.resource_id = id,
	};
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_get_display_info(struct guest *guest, struct virtio_gpu_resp_display_info *info)
{
	struct virtio_gpu_ctrl_hdr c = header(VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 0);
	return guest_gpu_command(guest, &c, sizeof(c), info, sizeof(*info));
}

uint32_t guest_gpu_get_edid(
	struct guest *guest, uint32_t scanout, struct virtio_gpu_resp_edid *edid)
{
	struct virtio_gpu_cmd_get_edid c = {
		.hdr = header(VIRTIO_GPU_CMD_GET_EDID, 0),
		.scanout = scanout,
	};
	return guest_gpu_command(guest, &c, sizeof(c), edid, sizeof(*edid));
}

uint32_t guest_gpu_get_capset_info(
	struct guest *guest, uint32_t index, struct virtio_gpu_resp_capset_info *info)
{
	struct virtio_gpu_get_capset_info c = {
		.hdr = header(VIRTIO_GPU_CMD_GET_CAPSET_INFO, 0),
		.capset_index = index,
	};
	return guest_gpu_command(guest, &c, sizeof(c), info, sizeof(*info));
}

uint32_t guest_gpu_get_capset(
	struct guest *guest, uint32_t id, uint32_t version, void *capset, size_t capset_bytes)
{
	struct virtio_gpu_get_capset c = {
		.hdr = header(VIRTIO_GPU_CMD_GET_CAPSET, 0),
		.capset_id = id,
		.capset_version = version,
	};
	size_t bytes = sizeof(struct virtio_gpu_resp_capset) + capset_bytes;
	g_autofree struct virtio_gpu_resp_capset *response = g_malloc0(bytes);
	uint32_t type = guest_gpu_command(guest, &c, sizeof(c), response, bytes);
	memcpy(capset, response->capset_data, capset_bytes);
	return type;
}

uint32_t guest_gpu_ctx_create(struct guest *guest, uint32_t context, const char *name)
{
	struct virtio_gpu_ctx_create c = {
		.hdr = header(VIRTIO_GPU_CMD_CTX_CREATE, context),
		.nlen = (uint32_t)strlen(name),
	};
	g_strlcpy(c.debug_name, name, sizeof(c.debug_name));
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_ctx_destroy(struct guest *guest, uint32_t context)
{
	struct virtio_gpu_ctx_destroy c = { .hdr = header(VIRTIO_GPU_CMD_CTX_DESTROY, context) };
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

static uint32_t ctx_resource(struct guest *guest, uint32_t type, uint32_t context, uint32_t id)
{
	struct virtio_gpu_ctx_resource c = { .hdr = header(type, context), .resource_id = id };
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

bool guest_gpu_has_context(struct guest *guest, uint32_t context)
{
	uint32_t nothing = 0x00000000; /* VIRGL_CCMD_NOP of no words */
	return guest_gpu_submit(guest, context, &nothing, sizeof(nothing)) !=
	       VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
}

uint32_t guest_gpu_ctx_attach(struct guest *guest, uint32_t context, uint32_t id)
{
	return ctx_resource(guest, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, context, id);
}

uint32_t guest_gpu_ctx_detach(struct guest *guest, uint32_t context, uint32_t id)
{
	return ctx_resource(guest, VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE, context, id);
}

uint32_t guest_gpu_create_3d(
	struct guest *guest, const struct virtio_gpu_resource_create_3d *create)
{
	struct virtio_gpu_resource_create_3d c = *create;
	c.hdr = header(VIRTIO_GPU_CMD_RESOURCE_CREATE_3D, 0);
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

uint32_t guest_gpu_transfer_3d(struct guest *guest, uint32_t type, uint32_t context, uint32_t id,
	struct virtio_gpu_box box, uint64_t offset_bytes, uint32_t stride_bytes)
{
	struct virtio_gpu_transfer_host_3d c = {
		.hdr = header(type, context),
		.box = box,
		.offset = offset_bytes,
		.resource_id = id,
		.stride = stride_bytes,
	};
	return guest_gpu_command(guest, &c, sizeof(c), NULL, 0);
}

void *guest_gpu_make_submit(
	uint32_t context, const void *stream, uint32_t stream_bytes, size_t *command_bytes)
{
	struct virtio_gpu_cmd_submit c = {
		.hdr = header(VIRTIO_GPU_CMD_SUBMIT_3D, context),
		.size = stream_bytes,
	};
	uint8_t *command = g_malloc(sizeof(c) + stream_bytes);
	memcpy(command, &c, sizeof(c));
	memcpy(command + sizeof(c), stream, stream_bytes);
	*command_bytes = sizeof(c) + stream_bytes;
	return command;
}

uint32_t guest_gpu_submit(
	struct guest *guest, uint32_t context, const void *stream, uint32_t stream_bytes)
{
	size_t bytes;
	g_autofree void *command = guest_gpu_make_submit(context, stream, stream_bytes, &bytes);
	return guest_gpu_command(guest, command, bytes, NULL, 0);
}

void guest_gpu_cursor(struct guest *guest, uint32_t type, uint32_t scanout, uint32_t id, int32_t x,
	int32_t y, uint32_t hot_x, uint32_t hot_y)
{
	struct virtio_gpu_update_cursor c = {
		.hdr = header(type, 0),
		.pos = { .scanout_id = scanout, .x = (uint32_t)x, .y = (uint32_t)y },
		.resource_id = id,
		.hot_x = hot_x,
		.hot_y = hot_y,
	};
	/* We give cursor commands no room for an answer, as Linux does. */
	struct guest_request *request = guest_queue_send(guest->cursor, &c, sizeof(c), 0);
	g_assert_nonnull(request);
	if (!guest_queue_wait(guest->cursor, request, guest->timeout_ms))
		g_error("cursor command %#x not taken within %d ms", type, guest->timeout_ms);
	guest_request_free(request);
}

struct guest_backing *guest_backing_create(
	struct guest *guest, size_t size_bytes, size_t entry_bytes)
{
	struct guest_backing *backing = g_new0(struct guest_backing, 1);
	size_t piece = entry_bytes ? entry_bytes : size_bytes;
	backing->guest = guest;
	backing->size_bytes = size_bytes;
	backing->n_entries = (uint32_t)((size_bytes + piece - 1) / piece);
	backing->entries = g_new0(struct virtio_gpu_mem_entry, backing->n_entries);
	for (uint32_t i = 0; i < backing->n_entries; i++) {
		size_t n = MIN(piece, size_bytes - i * piece);
		backing->entries[i].addr = guest_memory_alloc_scattered(guest->memory, n);
		backing->entries[i].length = (uint32_t)n;
	}
	return backing;
}

void guest_backing_free(struct guest_backing *backing)
{
	if (!backing)
		return;
	for (uint32_t i = 0; i < backing->n_entries; i++)
		guest_memory_free(backing->guest->memory, backing->entries[i].addr,
			backing->entries[i].length);
	g_free(backing->entries);
	g_free(backing);
}

static void copy(struct guest_backing *backing, size_t offset_bytes, uint8_t *data,
	size_t size_bytes, bool write)
{
	g_assert_cmpuint(offset_bytes + size_bytes, <=, backing->size_bytes);
	size_t piece = backing->entries[0].length;
	while (size_bytes > 0) {
		size_t entry = offset_bytes / piece, inside = offset_bytes % piece;
		size_t n = MIN(size_bytes, backing->entries[entry].length - inside);
		uint8_t *at = guest_memory_at(
			backing->guest->memory, backing->entries[entry].addr + inside, n);
		memcpy(write ? at : data, write ? data : at, n);
		data += n;
		offset_bytes += n;
		size_bytes -= n;
	}
}

void guest_backing_write(
	struct guest_backing *backing, size_t offset_bytes, const void *data, size_t size_bytes)
{
	copy(backing, offset_bytes, (uint8_t *)data, size_bytes, true);
}

void guest_backing_read(
	struct guest_backing *backing, size_t offset_bytes, void *data, size_t size_bytes)
{
	copy(backing, offset_bytes, data, size_bytes, false);
}

uint32_t guest_backing_attach(struct guest_backing *backing, uint32_t id)
{
	return guest_gpu_attach_entries(backing->guest, id, backing->entries, backing->n_entries);
}
