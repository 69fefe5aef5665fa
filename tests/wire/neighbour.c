/* SPDX-License-Identifier: MIT */
#include "tests/wire/neighbour.h"

#include <string.h>

#include "tests/wire/flooder.h"
#include "tests/wire/wire.h"

#define ANSWER_BYTES sizeof(struct virtio_gpu_ctrl_hdr)

void neighbour_init(struct neighbour *neighbour, struct guest *guest, uint32_t base)
{
	const guest_rect all = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };
	*neighbour = (struct neighbour){ .guest = guest };
	neighbour->scene = scene3d_create(guest, base, false);
	wire_ok(guest_gpu_set_scanout(guest, 0, base, all));
}

static struct guest_request *add(struct neighbour *neighbour, const void *command, size_t bytes)
{
	struct guest_request *request =
		guest_queue_add(neighbour->guest->control, command, bytes, ANSWER_BYTES);
	g_assert_nonnull(request);
	return request;
}

static struct guest_request *add_upload(struct neighbour *neighbour)
{
	const struct virtio_gpu_transfer_host_3d upload = {
		.hdr = { .type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D,
			.ctx_id = neighbour->scene->base },
		.box = { .w = 16, .h = 16, .d = 1 },
		.resource_id = neighbour->scene->base + SCENE3D_TEXTURE,
	};
	return add(neighbour, &upload, sizeof(upload));
}

static struct guest_request *add_drawing(struct neighbour *neighbour)
{
	struct virgl_stream stream = { 0 };
	size_t bytes;
	scene3d_write(neighbour->scene, (uint32_t)neighbour->n_begun, &stream);
	g_autofree struct virtio_gpu_ctrl_hdr *header = guest_gpu_make_submit(
		neighbour->scene->base, stream.words, virgl_stream_bytes(&stream), &bytes);
	virgl_stream_finish(&stream);
	header->flags = VIRTIO_GPU_FLAG_FENCE;
	header->fence_id = neighbour->n_begun;
	return add(neighbour, header, bytes);
}

static struct guest_request *add_flush(struct neighbour *neighbour)
{
	const struct virtio_gpu_resource_flush flush = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
		.r = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT },
		.resource_id = neighbour->scene->base,
	};
	return add(neighbour, &flush, sizeof(flush));
}

/* Checks and frees the picture's answers; returns false while one is still to come. */
static bool collect(struct neighbour *neighbour)
{
	bool ok = true;
	for (unsigned i = 0; i < NEIGHBOUR_COMMANDS; i++) {
		if (!neighbour->requests[i]->done)
			return false;
	}
	for (unsigned i = 0; i < NEIGHBOUR_COMMANDS; i++) {
		struct virtio_gpu_ctrl_hdr answer;
		g_assert_cmpuint(neighbour->requests[i]->used_bytes, >=, sizeof(answer));
		memcpy(&answer, neighbour->requests[i]->response, sizeof(answer));
		ok &= answer.type == VIRTIO_GPU_RESP_OK_NODATA;
		guest_request_free(neighbour->requests[i]);
	}
	neighbour->under_way = false;
	neighbour->n_complete += ok;
	neighbour->n_failed += !ok;
	return true;
}

/*
 * Begins the next picture if the last is answered. Returns true when it put something into the
 * ring.
 */
static bool step(struct neighbour *neighbour)
{
	if (neighbour->under_way && !collect(neighbour))
		return false;
	neighbour->n_begun++;
	neighbour->under_way = true;
	neighbour->requests[0] = add_upload(neighbour);
	neighbour->requests[1] = add_drawing(neighbour);
	neighbour->requests[2] = add_flush(neighbour);
	return true;
}

void neighbour_run(struct neighbour *neighbour, struct flooder *flooder, gint64 for_us)
{
	struct guest_queue *queue = neighbour->guest->control;
	gint64 end_us = g_get_monotonic_time() + for_us;
	while (g_get_monotonic_time() < end_us) {
		bool any = step(neighbour);
		any |= flooder && flooder_step(flooder);
		if (any)
			guest_queue_kick(queue);
		else
			guest_queue_wait_any(queue, 1);
	}
}

void neighbour_finish(struct neighbour *neighbour)
{
	struct guest_queue *queue = neighbour->guest->control;
	for (unsigned i = 0; i < NEIGHBOUR_COMMANDS && neighbour->under_way; i++)
		g_assert_true(guest_queue_wait(
			queue, neighbour->requests[i], neighbour->guest->timeout_ms));
	if (neighbour->under_way)
		collect(neighbour);
	scene3d_destroy(neighbour->scene, false);
}
