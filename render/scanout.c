/* SPDX-License-Identifier: MIT */
#include "render/scanout.h"

#include <errno.h>
#include <linux/virtio_gpu.h>
#include <string.h>
#include <time.h>

#include "render/gpu.h"
#include "render/guest_log.h"
#include "render/virgl.h"

void scanout_tell_head(struct gpu *gpu, unsigned head)
{
	const struct scanout *s = &gpu->scanouts[head];
	const struct frame_head_mode *mode = &gpu->heads.modes[head];
	struct frame_head_on on = { .head = head,
		.x = mode->x,
		.y = mode->y,
		.width = s->rect.width,
		.height = s->rect.height,
		.refresh_mhz = mode->refresh_mhz ? mode->refresh_mhz : HEADS_DEFAULT_REFRESH_MHZ };
	frame_link_set_head(gpu->frames, head, s->resource ? &on : NULL);
}

static void write_ledger(struct gpu *gpu, unsigned head)
{
	const struct scanout *s = &gpu->scanouts[head];
	struct ledger_scanout entry = { .resource = s->resource ? s->resource->id : 0,
		.x = s->rect.x,
		.y = s->rect.y,
		.width = s->rect.width,
		.height = s->rect.height };
	ledger_set_scanout(gpu->ledger, head, &entry);
}

static void leave_resource(struct gpu *gpu, unsigned head)
{
	struct resource *resource = gpu->scanouts[head].resource;
	if (!resource)
		return;
	resource->scanouts &= ~(1u << head);
	if (resource->scanouts == 0 && resource->picture)
		picture_trim(resource->picture);
	gpu->scanouts[head].resource = NULL;
}

static void drop_picture(struct scanout *s)
{
	picture_destroy(s->picture);
	s->picture = NULL;
}

uint32_t scanout_disable(struct gpu *gpu, unsigned head)
{
	struct scanout *s = &gpu->scanouts[head];
	leave_resource(gpu, head);
	drop_picture(s);
	s->rect = (struct frame_rect){ 0 };
	s->flushed = false;
	region_clear(&s->damage);
	scanout_tell_head(gpu, head);
	write_ledger(gpu, head);
	cursor_forget_head(gpu->cursor, head);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static bool prepare_3d(struct gpu *gpu, struct scanout *s, const struct resource *resource,
		const struct frame_rect *rect)
{
	struct texture texture;
	if (!virgl_resource_get_texture(&resource->description, &texture))
		return false;
	if (!s->picture || s->picture->width != rect->width || s->picture->height != rect->height) {
		struct picture *picture = picture_create(
				gpu->buffers, &gpu->pictures, rect->width, rect->height);
		if (!picture)
			return false;
		drop_picture(s);
		s->picture = picture;
	}
	s->texture = texture;
	return true;
}

static bool prepare_2d(struct gpu *gpu, struct scanout *s, struct resource *resource)
{
	if (!resource_make_showable(resource, gpu->buffers))
		return false;
	drop_picture(s);
	return true;
}

uint32_t scanout_set(
		struct gpu *gpu, unsigned head, struct resource *resource, const struct frame_rect *rect)
{
	struct scanout *s = &gpu->scanouts[head];
	if (s->resource == resource && !memcmp(&s->rect, rect, sizeof(*rect)))
		return VIRTIO_GPU_RESP_OK_NODATA;
	bool ok = resource->description.is_3d ? prepare_3d(gpu, s, resource, rect)
					      : prepare_2d(gpu, s, resource);
	if (!ok) {
		guest_warning("scanout %u: resource %u of %ux%u: no memory to show it", head,
				resource->id, resource->description.width,
				resource->description.height);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	leave_resource(gpu, head);
	s->resource = resource;
	s->rect = *rect;
	s->flushed = false;
	resource->scanouts |= 1u << head;
	scanout_tell_head(gpu, head);
	write_ledger(gpu, head);
	scanout_damage_all(gpu, head);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

void scanout_forget_resource(struct gpu *gpu, struct resource *resource)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (gpu->scanouts[head].resource == resource)
			scanout_disable(gpu, head);
	}
}

void scanout_damage_all(struct gpu *gpu, unsigned head)
{
	struct scanout *s = &gpu->scanouts[head];
	if (!s->resource)
		return;
	struct frame_rect all = { 0, 0, s->rect.width, s->rect.height };
	region_add(&s->damage, &all);
	if (s->picture)
		picture_changed(s->picture, &all);
}

static uint64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void flush_head(
		struct gpu *gpu, unsigned head, const struct frame_rect *rect, uint64_t flush_time_ns)
{
	struct scanout *s = &gpu->scanouts[head];
	struct frame_rect visible = rect_intersect(rect, &s->rect);
	if (rect_is_empty(&visible))
		return;
	visible.x -= s->rect.x;
	visible.y -= s->rect.y;
	region_add(&s->damage, &visible);
	if (s->picture)
		picture_changed(s->picture, &visible);
	s->flush_time_ns = flush_time_ns;
	s->flushed = true;
	scanout_pump(gpu, head);
}

void scanout_flush_resource(
		struct gpu *gpu, struct resource *resource, const struct frame_rect *rect)
{
	uint64_t flush_time_ns = now_ns();
	for (unsigned head = 0; resource->scanouts >> head; head++) {
		if (resource->scanouts & (1u << head))
			flush_head(gpu, head, rect, flush_time_ns);
	}
}

/* ---- making frames ---- */

static bool copy_stale(struct scanout *s, struct buffer *buffer)
{
	for (unsigned i = 0; i < buffer->stale.n_rects; i++) {
		struct frame_rect rect = buffer->stale.rects[i];
		uint32_t x = rect.x, y = rect.y;
		rect.x += s->rect.x;
		rect.y += s->rect.y;
		if (!buffer->interface->copy_texture(buffer, &s->texture, &rect, x, y))
			return false;
	}
	return true;
}

/* A head is never lent the buffer that it has: its reader may be comparing the two. */
static struct buffer *render_3d(struct gpu *gpu, unsigned head)
{
	struct scanout *s = &gpu->scanouts[head];
	struct picture *picture = s->picture;
	if (picture->current && region_is_empty(&picture->current->stale) &&
			!frame_link_has_lent(gpu->frames, head, picture->current))
		return picture->current;
	struct buffer *buffer = picture_find_writable(picture);
	if (!buffer)
		return NULL;
	virgl_enter_gl();
	if (!copy_stale(s, buffer))
		return NULL;
	picture_written(picture, buffer);
	return buffer;
}

/* A guest's 2D transfer must always find a buffer, so the last free one is not lent. */
static struct buffer *lend_2d(struct gpu *gpu, unsigned head)
{
	struct resource *resource = gpu->scanouts[head].resource;
	struct picture *picture = resource->picture;
	bool lent = frame_link_has_lent(gpu->frames, head, picture->current);
	if (!picture_has_free(picture, lent ? 2 : 1))
		return NULL;
	if (lent && !resource_renew_picture(resource))
		return NULL;
	return picture->current;
}

void scanout_pump(struct gpu *gpu, unsigned head)
{
	struct scanout *s = &gpu->scanouts[head];
	if (!s->resource || !s->flushed || region_is_empty(&s->damage) ||
			!frame_link_wants_frame(gpu->frames, head))
		return;
	struct buffer *buffer = s->picture ? render_3d(gpu, head) : lend_2d(gpu, head);
	if (!buffer)
		return;
	struct frame_frame frame = { .head = head,
		.flush_time_ns = s->flush_time_ns,
		.source_x = s->picture ? 0 : s->rect.x,
		.source_y = s->picture ? 0 : s->rect.y,
		.n_rects = s->damage.n_rects };
	memcpy(frame.rects, s->damage.rects, sizeof(frame.rects));
	if (frame_link_send_frame(gpu->frames, &frame, buffer) == 0)
		region_clear(&s->damage);
}

void scanout_pump_all(struct gpu *gpu)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		scanout_pump(gpu, head);
}
