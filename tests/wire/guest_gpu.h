/* SPDX-License-Identifier: MIT */
/*
 * guest_gpu: virtio-gpu commands as a driver sends them (virtio 1.2, 5.7.6).
 *
 * Each function sends one command on the control queue, waits and returns the response's type; it
 * aborts the test when there is no answer in guest.timeout_ms, when the answer is shorter than a
 * response header or when it carries a fence that was not asked for.
 */
#pragma once

#include <linux/virtio_gpu.h>
#include <stdint.h>

#include "tests/wire/guest.h"

/* Every response but GET_CAPSET's fits into this. */
#define GUEST_GPU_RESPONSE_MAX 2048

typedef struct virtio_gpu_rect guest_rect;

/* Sends any command; `response` may be NULL. Returns the response's type. */
uint32_t guest_gpu_command(struct guest *guest, const void *command, size_t command_bytes,
	void *response, size_t response_bytes);
/* Sends a command with a fence and does not wait. */
struct guest_request *guest_gpu_send_fenced(
	struct guest *guest, const void *command, size_t command_bytes, uint64_t fence_id);
/*
 * Waits, checks that the answer carries the fence, and frees the request; returns the response's
 * type.
 */
uint32_t guest_gpu_finish_fenced(
	struct guest *guest, struct guest_request *request, uint64_t fence_id);

uint32_t guest_gpu_create_2d(
	struct guest *guest, uint32_t id, uint32_t format, uint32_t width, uint32_t height);
uint32_t guest_gpu_unref(struct guest *guest, uint32_t id);
uint32_t guest_gpu_set_scanout(struct guest *guest, uint32_t scanout, uint32_t id, guest_rect rect);
uint32_t guest_gpu_flush(struct guest *guest, uint32_t id, guest_rect rect);
uint32_t guest_gpu_transfer_2d(
	struct guest *guest, uint32_t id, guest_rect rect, uint64_t offset_bytes);
uint32_t guest_gpu_attach_entries(struct guest *guest, uint32_t id,
	const struct virtio_gpu_mem_entry *entries, uint32_t n_entries);
uint32_t guest_gpu_detach_backing(struct guest *guest, uint32_t id);
uint32_t guest_gpu_get_display_info(struct guest *guest, struct virtio_gpu_resp_display_info *info);
uint32_t guest_gpu_get_edid(
	struct guest *guest, uint32_t scanout, struct virtio_gpu_resp_edid *edid);
uint32_t guest_gpu_get_capset_info(
	struct guest *guest, uint32_t index, struct virtio_gpu_resp_capset_info *info);
/* Fills in `capset`, of capset_bytes, on success. */
uint32_t guest_gpu_get_capset(
	struct guest *guest, uint32_t id, uint32_t version, void *capset, size_t capset_bytes);

uint32_t guest_gpu_ctx_create(struct guest *guest, uint32_t context, const char *name);
uint32_t guest_gpu_ctx_destroy(struct guest *guest, uint32_t context);
/* Asks whether the context exists by submitting a stream that does nothing. */
bool guest_gpu_has_context(struct guest *guest, uint32_t context);
uint32_t guest_gpu_ctx_attach(struct guest *guest, uint32_t context, uint32_t id);
uint32_t guest_gpu_ctx_detach(struct guest *guest, uint32_t context, uint32_t id);
uint32_t guest_gpu_create_3d(
	struct guest *guest, const struct virtio_gpu_resource_create_3d *create);
/* `type` is VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D or _FROM_HOST_3D. */
uint32_t guest_gpu_transfer_3d(struct guest *guest, uint32_t type, uint32_t context, uint32_t id,
	struct virtio_gpu_box box, uint64_t offset_bytes, uint32_t stride_bytes);
uint32_t guest_gpu_submit(
	struct guest *guest, uint32_t context, const void *stream, uint32_t stream_bytes);
/*
 * Returns the SUBMIT_3D command itself, for sending with a fence. The caller frees it with
 * g_free().
 */
void *guest_gpu_make_submit(
	uint32_t context, const void *stream, uint32_t stream_bytes, size_t *command_bytes);

/* Sends a command on the cursor queue and waits for the buffer to come back. */
void guest_gpu_cursor(struct guest *guest, uint32_t type, uint32_t scanout, uint32_t id, int32_t x,
	int32_t y, uint32_t hot_x, uint32_t hot_y);

/* Holds guest memory behind a resource, in pieces that are not neighbours in guest memory. */
struct guest_backing {
	struct guest *guest;
	uint32_t n_entries;
	struct virtio_gpu_mem_entry *entries;
	size_t size_bytes;
};

/* entry_bytes is the size of each piece, a page as a rule; 0 makes it all one piece. */
struct guest_backing *guest_backing_create(
	struct guest *guest, size_t size_bytes, size_t entry_bytes);
void guest_backing_free(struct guest_backing *backing);
void guest_backing_write(
	struct guest_backing *backing, size_t offset_bytes, const void *data, size_t size_bytes);
void guest_backing_read(
	struct guest_backing *backing, size_t offset_bytes, void *data, size_t size_bytes);
uint32_t guest_backing_attach(struct guest_backing *backing, uint32_t id);
