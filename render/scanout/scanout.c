/* SPDX-License-Identifier: MIT */
#include "render/scanout/places.h"
#include "render/scanout/scanouts_state.h"

#include <errno.h>
#include <linux/virtio_gpu.h>
#include <string.h>

#include "common/monotonic.h"
#include "protocol/stats_writer.h"
#include "render/buffers/format.h"
#include "render/objects/objects.h"
#include "render/scanout/cursor.h"
#include "common/peer_log.h"
#include "render/gl/gpu_reset.h"
#include "render/gl/virgl.h"

/*
 * Display holds the buffers that heads were lent; besides, one is current and one is being written.
 */
G_STATIC_ASSERT(SWAPCHAIN_BUFFERS_MAX >= FRAME_HEADS_MAX * FRAME_SENDER_OUTSTANDING_MAX + 2);

static void tell_head(struct scanouts *scanouts, unsigned head, const struct head_place *place)
{
	const struct scanout *s = &scanouts->heads[head];
	struct frame_head_on on = { .head = head,
		.x = MIN(place->x, FRAME_DESKTOP_MAX - s->rect.width),
		.y = MIN(place->y, FRAME_DESKTOP_MAX - s->rect.height),
		.width = s->rect.width,
		.height = s->rect.height,
		.refresh_mhz = modes_get_refresh_mhz(&scanouts->modes, head) };
	frame_sender_set_head(scanouts->frames, head, s->resource ? &on : NULL);
	stats_set(head, STATS_ON, s->resource != NULL);
	stats_set(head, STATS_WIDTH, on.width);
	stats_set(head, STATS_HEIGHT, on.height);
	stats_set(head, STATS_REFRESH_MHZ, on.refresh_mhz);
}

void scanouts_tell_heads(struct scanouts *scanouts)
{
	struct head_place places[FRAME_HEADS_MAX];
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		const struct scanout *s = &scanouts->heads[head];
		places[head] = (struct head_place){ .on = s->resource != NULL,
			.spans = s->spans,
			.rect = s->rect,
			.mode = scanouts->modes.modes[head] };
	}
	places_find(places);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		tell_head(scanouts, head, &places[head]);
}

static void write_ledger(struct scanouts *scanouts, unsigned head)
{
	const struct scanout *s = &scanouts->heads[head];
	struct ledger_scanout entry = { .resource = s->resource ? s->resource->id : 0,
		.x = s->rect.x,
		.y = s->rect.y,
		.width = s->rect.width,
		.height = s->rect.height };
	objects_note_scanout(scanouts->objects, head, &entry);
}

static void leave_resource(struct scanouts *scanouts, unsigned head)
{
	struct resource *resource = scanouts->heads[head].resource;
	if (!resource)
		return;
	resource_set_shown(resource, head, false);
	scanouts->heads[head].resource = NULL;
}

static void drop_chain(struct scanout *s)
{
	buffer_unref(s->pending);
	s->pending = NULL;
	swapchain_destroy(s->chain);
	s->chain = NULL;
}

uint32_t scanout_disable(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	leave_resource(scanouts, head);
	drop_chain(s);
	s->rect = (struct rect){ 0 };
	s->flushed = s->spans = false;
	rect_set_clear(&s->damage);
	pacing_forget(&scanouts->pacing, head);
	scanouts_tell_heads(scanouts);
	write_ledger(scanouts, head);
	cursor_forget_head(scanouts->cursor, head);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

void scanouts_clear(struct scanouts *scanouts)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		scanout_disable(scanouts, head);
}

void scanout_set_flushed(struct scanouts *scanouts, unsigned head)
{
	scanouts->heads[head].flushed = true;
}

const struct resource *scanout_get_resource(const struct scanouts *scanouts, unsigned head)
{
	return scanouts->heads[head].resource;
}

/* ---- the picture of a 3D resource ---- */

static void fill_wish(struct scanouts *scanouts, unsigned head, const struct resource *resource,
	struct buffer_wish *wish)
{
	const struct frame_format *formats =
		frame_sender_get_formats(scanouts->frames, head, &wish->n_formats);
	wish->fourcc = format_get_scanout_fourcc(resource->description.format);
	memset(wish->formats, 0, sizeof(wish->formats));
	memcpy(wish->formats, formats, wish->n_formats * sizeof(*formats));
}

static bool chain_fits(const struct swapchain *chain, const struct buffer_interface *interface,
	const struct buffer_wish *wish, const struct rect *rect)
{
	return chain && chain->width == rect->width && chain->height == rect->height &&
	       chain->interface == interface &&
	       (interface != &buffer_gbm || !memcmp(chain->wish, wish, sizeof(*wish)));
}

static void give_up_gpu(struct scanout *s, const struct rect *rect)
{
	static bool said;
	s->gpu_failed = true;
	if (!said)
		g_message("scanout: no GPU buffers of %ux%u to be had: pictures go through the CPU",
			rect->width, rect->height);
	said = true;
}

/*
 * Makes the chain that the head's texture is copied to. It changes nothing when there is one of
 * this size already, of the kind that display takes now. Returns false when memory is short.
 */
static bool make_chain(struct scanouts *scanouts, unsigned head, const struct resource *resource,
	const struct rect *rect)
{
	struct scanout *s = &scanouts->heads[head];
	struct buffer_wish wish;
	fill_wish(scanouts, head, resource, &wish);
	bool gpu_memory = wish.n_formats > 0 && scanouts->gpu_buffers && !s->gpu_failed;
	const struct buffer_interface *interface = gpu_memory ? &buffer_gbm : scanouts->cpu_buffers;
	if (chain_fits(s->chain, interface, &wish, rect))
		return true;
	struct swapchain *chain = swapchain_create(interface, &wish,
		objects_get_picture_quota(scanouts->objects), rect->width, rect->height);
	if (!chain && gpu_memory) {
		give_up_gpu(s, rect);
		return make_chain(scanouts, head, resource, rect);
	}
	if (!chain)
		return false;
	drop_chain(s);
	s->chain = chain;
	return true;
}

static bool prepare_3d(struct scanouts *scanouts, unsigned head, const struct resource *resource,
	const struct rect *rect)
{
	struct scanout *s = &scanouts->heads[head];
	struct texture texture;
	if (!virgl_resource_get_texture(&resource->description, &texture))
		return false;
	if (!s->chain || s->chain->width != rect->width || s->chain->height != rect->height)
		s->gpu_failed = false;
	if (!make_chain(scanouts, head, resource, rect))
		return false;
	s->texture = texture;
	return true;
}

static bool prepare_2d(struct scanouts *scanouts, struct scanout *s, struct resource *resource)
{
	if (!resource_make_showable(resource, &buffer_memfd))
		return false;
	drop_chain(s);
	return true;
}

static bool is_part(const struct scanout *s)
{
	return s->resource && (s->rect.width < s->resource->description.width ||
				      s->rect.height < s->resource->description.height);
}

/*
 * Xorg has one picture for all heads. Then that tells where they lie, and not what display wished.
 * Which head is first in a picture is known only by the others, and a guest that flips does it one
 * head after the other: so what was found holds until a head shows all of its picture.
 */
static void find_span(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	s->spans = s->spans && is_part(s);
	for (unsigned i = 0; is_part(s) && i < FRAME_HEADS_MAX; i++) {
		struct scanout *other = &scanouts->heads[i];
		if (i == head || other->resource != s->resource || !is_part(other) ||
			(s->rect.x == other->rect.x && s->rect.y == other->rect.y))
			continue;
		s->spans = other->spans = true;
	}
}

uint32_t scanout_set(struct scanouts *scanouts, unsigned head, struct resource *resource,
	const struct rect *rect)
{
	struct scanout *s = &scanouts->heads[head];
	if (s->resource == resource && !memcmp(&s->rect, rect, sizeof(*rect)))
		return VIRTIO_GPU_RESP_OK_NODATA;
	bool ok = resource->description.is_3d ? prepare_3d(scanouts, head, resource, rect) :
						prepare_2d(scanouts, s, resource);
	if (!ok) {
		objects_tell_pictures(
			scanouts->objects, (uint64_t)rect->width * rect->height * RECT_PIXEL_BYTES);
		peer_warning(PEER_GUEST, "scanout %u: resource %u of %ux%u: no memory to show it",
			head, resource->id, resource->description.width,
			resource->description.height);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	bool flips = s->resource && !s->spans && !memcmp(&s->rect, rect, sizeof(*rect));
	leave_resource(scanouts, head);
	s->resource = resource;
	s->rect = *rect;
	s->flushed = false;
	resource_set_shown(resource, head, true);
	find_span(scanouts, head);
	if (!flips || s->spans)
		scanouts_tell_heads(scanouts);
	write_ledger(scanouts, head);
	/* Damage of another size may lie outside of this one. */
	rect_set_clear(&s->damage);
	scanout_damage_all(scanouts, head);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

void scanout_forget_resource(struct scanouts *scanouts, struct resource *resource)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (scanouts->heads[head].resource == resource)
			scanout_disable(scanouts, head);
	}
}

void scanout_damage_all(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	if (!s->resource)
		return;
	struct rect all = { 0, 0, s->rect.width, s->rect.height };
	rect_set_add(&s->damage, &all);
	/*
	 * The picture's age counts from now, since nobody has waited for it since the guest's last
	 * flush.
	 */
	s->flush_time_ns = monotonic_now_ns();
	if (s->chain)
		swapchain_changed(s->chain, &all);
}

static void count_flush(struct scanouts *scanouts, unsigned head, const struct rect *visible)
{
	const struct scanout *s = &scanouts->heads[head];
	bool merged = s->flushed && !rect_set_is_empty(&s->damage) &&
		      frame_sender_get_rate(scanouts->frames, head) > 0;
	stats_add(head, STATS_FRAMES_FLUSHED, 1);
	stats_add(head, STATS_FRAMES_MERGED, merged);
	stats_add(head, STATS_FLUSHED_PIXELS, (uint64_t)visible->width * visible->height);
}

/*
 * Shows what was flushed on one head. A flush that comes too soon leaves its damage behind, which
 * the next frame shows.
 */
static void flush_head(struct scanouts *scanouts, unsigned head, const struct rect *rect,
	uint64_t flush_time_ns, bool in_time)
{
	struct scanout *s = &scanouts->heads[head];
	struct rect visible;
	if (!rect_intersect(rect, &s->rect, &visible))
		return;
	visible.x -= s->rect.x;
	visible.y -= s->rect.y;
	if (in_time)
		count_flush(scanouts, head, &visible);
	rect_set_add(&s->damage, &visible);
	if (s->chain)
		swapchain_changed(s->chain, &visible);
	if (!in_time)
		return;
	pacing_flush(&scanouts->pacing, head, modes_get_refresh_mhz(&scanouts->modes, head),
		flush_time_ns);
	/* A program whose context is gone may flush for ever what it no longer draws. */
	if (objects_is_blank(scanouts->objects, s->resource))
		return;
	s->flush_time_ns = flush_time_ns;
	s->flushed = true;
	scanout_pump(scanouts, head);
}

bool scanout_flush_resource(
	struct scanouts *scanouts, struct resource *resource, const struct rect *rect)
{
	uint64_t flush_time_ns = monotonic_now_ns();
	bool all_in_time = true;
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (!(resource->scanouts & (1u << head)))
			continue;
		bool in_time = quota_rate_take(&scanouts->flush_rates[head], flush_time_ns);
		flush_head(scanouts, head, rect, flush_time_ns, in_time);
		all_in_time &= in_time;
	}
	return all_in_time;
}

/* ---- making frames ---- */

/*
 * Bounds how much is copied. Rectangles may overlap, so those that together are larger than the
 * picture are copied as one.
 */
static void bound_area(struct rect_set *set, const struct buffer *buffer)
{
	uint64_t area = 0;
	for (unsigned i = 0; i < set->n_rects; i++)
		area += (uint64_t)set->rects[i].width * set->rects[i].height;
	if (area > (uint64_t)buffer->width * buffer->height)
		rect_set_add(set, &(struct rect){ 0, 0, buffer->width, buffer->height });
}

static bool copy_stale(struct scanout *s, struct buffer *buffer)
{
	bound_area(&buffer->stale, buffer);
	for (unsigned i = 0; i < buffer->stale.n_rects; i++) {
		struct rect rect = buffer->stale.rects[i];
		uint32_t x = rect.x, y = rect.y;
		rect.x += s->rect.x;
		rect.y += s->rect.y;
		if (!buffer->interface->copy_texture(buffer, &s->texture, &rect, x, y))
			return false;
	}
	return true;
}

static void hold_back(struct scanout *s, struct buffer *buffer, int fd)
{
	g_assert(!s->pending && fd >= 0);
	s->pending = buffer_ref(buffer);
	s->pending_fd = fd;
	s->pending_damage = s->damage;
	s->pending_flush_ns = s->flush_time_ns;
	rect_set_clear(&s->damage);
	rect_set_clear(&buffer->stale);
}

/*
 * Goes on in CPU memory where that is needed for a frame. Display gives a buffer back when it has a
 * newer frame. If it holds every buffer and there is no GPU memory for another one, that frame
 * would never come.
 */
static bool leave_gpu(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	if (s->chain->interface != &buffer_gbm || !s->chain->starved)
		return false;
	give_up_gpu(s, &s->rect);
	scanout_damage_all(scanouts, head);
	return make_chain(scanouts, head, s->resource, &s->rect);
}

/*
 * A reset of the GPU may take a context that the driver has for itself, which it then makes anew
 * without telling us. Only what it was at fails, and goes well the next time.
 */
static bool copy_again(struct scanout *s, struct buffer *buffer)
{
	gpu_reset_ask();
	return copy_stale(s, buffer);
}

/*
 * Returns the buffer for the next frame, or NULL when there is none, or when the GPU must finish it
 * first. It is never one that display has of this head already, since display may compare a frame
 * with the last.
 */
static struct buffer *render_3d(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	struct swapchain *chain = s->chain;
	if (chain->current && rect_set_is_empty(&chain->current->stale) &&
		!frame_sender_has_lent(scanouts->frames, head, chain->current))
		return chain->current;
	struct buffer *buffer = swapchain_find_writable(chain);
	if (!buffer)
		return leave_gpu(scanouts, head) ? render_3d(scanouts, head) : NULL;
	virgl_enter_gl();
	/* A guest need not wait for fences, at which it is asked otherwise. */
	gpu_reset_ask();
	if (!copy_stale(s, buffer) && !copy_again(s, buffer))
		return NULL;
	int fd = buffer->interface->submit ? buffer->interface->submit(buffer) : -1;
	if (fd >= 0) {
		hold_back(s, buffer, fd);
		return NULL;
	}
	swapchain_written(chain, buffer);
	return buffer;
}

/*
 * Returns the buffer for a frame of a 2D resource, or NULL. A guest's 2D transfer must always find
 * a buffer, so the last free one is not lent.
 */
static struct buffer *lend_2d(struct scanouts *scanouts, unsigned head)
{
	struct resource *resource = scanouts->heads[head].resource;
	struct swapchain *chain = resource->chain;
	bool lent = frame_sender_has_lent(scanouts->frames, head, chain->current);
	if (!swapchain_has_free(chain, lent ? 2 : 1))
		return NULL;
	if (lent && !resource_renew_current(resource))
		return NULL;
	return chain->current;
}

static bool send_frame(struct scanouts *scanouts, unsigned head, struct buffer *buffer,
	const struct rect_set *damage, uint64_t flush_time_ns)
{
	const struct scanout *s = &scanouts->heads[head];
	struct frame_present frame = { .head = head,
		.flush_time_ns = flush_time_ns,
		.source_x = s->chain ? 0 : s->rect.x,
		.source_y = s->chain ? 0 : s->rect.y,
		.n_rects = damage->n_rects };
	memcpy(frame.rects, damage->rects, sizeof(frame.rects));
	bool sent = frame_sender_send_frame(scanouts->frames, &frame, buffer) == 0;
	stats_add(head, STATS_FRAMES_SENT, sent);
	return sent;
}

void scanout_pump(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	if (!s->resource || !s->flushed || s->pending || rect_set_is_empty(&s->damage) ||
		!frame_sender_wants_frame(scanouts->frames, head))
		return;
	struct buffer *buffer = s->chain ? render_3d(scanouts, head) : lend_2d(scanouts, head);
	if (buffer && send_frame(scanouts, head, buffer, &s->damage, s->flush_time_ns))
		rect_set_clear(&s->damage);
}

int scanout_get_pending_fd(const struct scanouts *scanouts, unsigned head)
{
	const struct scanout *s = &scanouts->heads[head];
	return s->pending ? s->pending_fd : -1;
}

void scanout_complete(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	struct buffer *buffer = s->pending;
	g_assert(buffer && s->chain);
	s->pending = NULL;
	virgl_enter_gl();
	gpu_reset_ask();
	bool ok = buffer->interface->complete(buffer);
	if (ok)
		swapchain_set_current(s->chain, buffer);
	else
		swapchain_changed(s->chain, &(struct rect){ 0, 0, s->rect.width, s->rect.height });
	if (!ok || !frame_sender_wants_frame(scanouts->frames, head) ||
		!send_frame(scanouts, head, buffer, &s->pending_damage, s->pending_flush_ns))
		rect_set_add_set(&s->damage, &s->pending_damage);
	buffer_unref(buffer);
	if (ok)
		scanout_pump(scanouts, head);
}

void scanout_change_formats(struct scanouts *scanouts, unsigned head)
{
	struct scanout *s = &scanouts->heads[head];
	if (!s->chain)
		return;
	s->gpu_failed = false;
	if (!make_chain(scanouts, head, s->resource, &s->rect))
		return;
	scanout_damage_all(scanouts, head);
	scanout_pump(scanouts, head);
}

void scanouts_pump(struct scanouts *scanouts)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		scanout_pump(scanouts, head);
}
