/* SPDX-License-Identifier: MIT */
#include "render/scanout/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>

#include "common/fd.h"
#include "common/monotonic.h"
#include "common/peer_log.h"
#include "protocol/frame_link.h"
#include "protocol/keeper_link.h"
#include "render/quota/quota.h"
#include "render/scanout/limits.h"

#define IMAGE_BYTES (FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE * 4)

struct cursor_head {
	bool visible;
	uint32_t hot_x, hot_y;
	int32_t x, y;
	uint8_t *pixels;      /* NULL: never had a picture */
	uint32_t resource;    /* of the last picture that the guest gave it, or 0 */
	uint32_t waiting_for; /* resource whose pixels the gpu thread is asked for, or 0 */
	bool is_early;        /* commands that came before that picture are not executed yet */
	uint16_t end;         /* how many commands there were then (virtqueue_peek_end) */
	bool image_behind, position_behind, hide_behind; /* not yet sent */
};

struct cursor {
	GMutex lock; /* guards all that follows; see hold() */
	bool held;
	int fd;
	GHashTable *resources; /* id -> pixels, or NULL while there are none */
	unsigned n_snapshots;
	struct quota_rate rate; /* of the guest's commands */
	struct cursor_head heads[FRAME_HEADS_MAX];
};

struct cursor *cursor_create(uint64_t rate)
{
	struct cursor *cursor = g_new0(struct cursor, 1);
	g_mutex_init(&cursor->lock);
	cursor->fd = -1;
	quota_rate_init(&cursor->rate, QUOTA_CURSORS, rate);
	cursor->resources = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	return cursor;
}

void cursor_destroy(struct cursor *cursor)
{
	if (!cursor)
		return;
	fd_close(&cursor->fd);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		g_free(cursor->heads[i].pixels);
	g_hash_table_unref(cursor->resources);
	g_mutex_clear(&cursor->lock);
	g_free(cursor);
}

static void hold(struct cursor *cursor)
{
	g_mutex_lock(&cursor->lock);
	g_assert(!cursor->held);
	cursor->held = true;
}

static void let_go(struct cursor *cursor)
{
	g_assert(cursor->held);
	cursor->held = false;
	g_mutex_unlock(&cursor->lock);
}

/* ---- sending: under the lock ---- */

/* Returns false when the link has no room. A link whose other end has gone takes everything. */
static bool send_message(struct cursor *cursor, void *message, size_t size_bytes, uint32_t type)
{
	((struct link_header *)message)->type = type;
	int result = link_send(cursor->fd, message, size_bytes, NULL, 0);
	return result != -EAGAIN && result != -ENOBUFS;
}

static bool send_image(struct cursor *cursor, unsigned head)
{
	const struct cursor_head *h = &cursor->heads[head];
	struct frame_cursor_image image = { .head = head, .hot_x = h->hot_x, .hot_y = h->hot_y };
	memcpy(image.pixels, h->pixels, IMAGE_BYTES);
	return send_message(cursor, &image, sizeof(image), FRAME_MESSAGE_CURSOR_IMAGE);
}

static bool send_position(struct cursor *cursor, unsigned head)
{
	const struct cursor_head *h = &cursor->heads[head];
	struct frame_cursor_move move = { .head = head, .x = h->x, .y = h->y };
	return send_message(cursor, &move, sizeof(move), FRAME_MESSAGE_CURSOR_MOVE);
}

static bool send_hide(struct cursor *cursor, unsigned head)
{
	struct frame_cursor_hide hide = { .head = head };
	return send_message(cursor, &hide, sizeof(hide), FRAME_MESSAGE_CURSOR_HIDE);
}

static bool send_head(struct cursor *cursor, unsigned head)
{
	struct cursor_head *h = &cursor->heads[head];
	if (h->hide_behind && !h->visible) {
		if (!send_hide(cursor, head))
			return false;
	}
	h->hide_behind = false;
	if (!h->visible || !h->pixels)
		return true;
	if (h->image_behind && !send_image(cursor, head))
		return false;
	h->image_behind = false;
	if (h->position_behind && !send_position(cursor, head))
		return false;
	h->position_behind = false;
	return true;
}

static bool send_all(struct cursor *cursor)
{
	g_assert(cursor->held);
	if (cursor->fd < 0)
		return true;
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (!send_head(cursor, head))
			return false;
	}
	return true;
}

bool cursor_send_waiting(struct cursor *cursor)
{
	hold(cursor);
	bool done = send_all(cursor);
	let_go(cursor);
	return done;
}

void cursor_set_link(struct cursor *cursor, int fd)
{
	hold(cursor);
	fd_close(&cursor->fd);
	cursor->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		cursor->heads[i].image_behind = cursor->heads[i].position_behind = true;
	let_go(cursor);
}

/* ---- pictures ---- */

bool cursor_is_size(uint32_t width, uint32_t height)
{
	return width == FRAME_CURSOR_SIZE && height == FRAME_CURSOR_SIZE;
}

static void set_pixels(struct cursor_head *h, const uint8_t *pixels)
{
	bool same = h->visible && h->pixels && memcmp(h->pixels, pixels, IMAGE_BYTES) == 0;
	if (h->is_early && same)
		return;
	if (!h->pixels)
		h->pixels = g_malloc(IMAGE_BYTES);
	memcpy(h->pixels, pixels, IMAGE_BYTES);
	h->waiting_for = 0;
	h->visible = h->image_behind = h->position_behind = true;
}

void cursor_add_resource(struct cursor *cursor, uint32_t resource)
{
	hold(cursor);
	g_hash_table_insert(cursor->resources, GUINT_TO_POINTER(resource), NULL);
	let_go(cursor);
}

void cursor_remove_resource(struct cursor *cursor, uint32_t resource)
{
	hold(cursor);
	if (g_hash_table_lookup(cursor->resources, GUINT_TO_POINTER(resource))) {
		g_assert(cursor->n_snapshots > 0);
		cursor->n_snapshots--;
	}
	g_hash_table_remove(cursor->resources, GUINT_TO_POINTER(resource));
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (cursor->heads[i].waiting_for == resource)
			cursor->heads[i].waiting_for = 0;
		if (cursor->heads[i].resource == resource)
			cursor->heads[i].resource = 0;
	}
	let_go(cursor);
}

static void keep_snapshot(struct cursor *cursor, uint32_t resource, const uint8_t *pixels)
{
	g_assert(cursor->held && cursor->n_snapshots <= CURSOR_SNAPSHOTS_MAX);
	uint8_t *snapshot = g_hash_table_lookup(cursor->resources, GUINT_TO_POINTER(resource));
	if (!snapshot) {
		if (cursor->n_snapshots == CURSOR_SNAPSHOTS_MAX)
			return;
		cursor->n_snapshots++;
		snapshot = g_malloc(IMAGE_BYTES);
		g_hash_table_insert(cursor->resources, GUINT_TO_POINTER(resource), snapshot);
	}
	memcpy(snapshot, pixels, IMAGE_BYTES);
}

void cursor_publish(struct cursor *cursor, uint32_t resource, const uint8_t *pixels, bool keep)
{
	hold(cursor);
	if (keep)
		keep_snapshot(cursor, resource, pixels);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		struct cursor_head *h = &cursor->heads[i];
		if (h->waiting_for == resource || (h->is_early && h->resource == resource))
			set_pixels(h, pixels);
	}
	let_go(cursor);
}

/*
 * There are never more commands to execute than a ring has entries. Where there seem to be, the
 * ring has begun anew.
 */
static bool is_executed(uint16_t end, uint16_t n_executed)
{
	uint16_t left = (uint16_t)(end - n_executed);
	return left == 0 || left > KEEPER_RING_SIZE_MAX;
}

uint32_t cursor_take_request(struct cursor *cursor, uint16_t n_executed)
{
	uint32_t resource = 0;
	hold(cursor);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		struct cursor_head *h = &cursor->heads[i];
		h->is_early = h->is_early && !is_executed(h->end, n_executed);
		if (!h->is_early && resource == 0)
			resource = h->waiting_for;
	}
	let_go(cursor);
	return resource;
}

bool cursor_is_open(struct cursor *cursor)
{
	bool open = false;
	hold(cursor);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		open = open || cursor->heads[i].is_early || cursor->heads[i].waiting_for != 0;
	let_go(cursor);
	return open;
}

static void hide(struct cursor_head *h)
{
	h->waiting_for = h->resource = 0;
	h->is_early = false;
	h->hide_behind = h->hide_behind || h->visible;
	h->visible = false;
}

void cursor_forget_head(struct cursor *cursor, unsigned head)
{
	g_assert(head < FRAME_HEADS_MAX);
	hold(cursor);
	hide(&cursor->heads[head]);
	let_go(cursor);
}

void cursor_reset(struct cursor *cursor)
{
	hold(cursor);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		hide(&cursor->heads[i]);
	send_all(cursor);
	let_go(cursor);
}

/* ---- the cursor queue ---- */

/*
 * The guest may have drawn the picture by commands that were not executed yet, since nothing orders
 * the two queues.
 */
static void note_commands(struct cursor_head *h, struct virtqueue *control)
{
	h->is_early = false;
	if (!control)
		return;
	h->end = virtqueue_peek_end(control);
	h->is_early = h->end != virtqueue_get_taken(control);
}

static uint32_t show(struct cursor *cursor, const struct virtio_gpu_update_cursor *update,
	struct virtqueue *control)
{
	struct cursor_head *h = &cursor->heads[update->pos.scanout_id];
	gpointer pixels;
	if (!g_hash_table_lookup_extended(
		    cursor->resources, GUINT_TO_POINTER(update->resource_id), NULL, &pixels)) {
		peer_warning(PEER_GUEST, "cursor: no 64x64 resource %u", update->resource_id);
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	h->hot_x = MIN(update->hot_x, FRAME_CURSOR_SIZE - 1);
	h->hot_y = MIN(update->hot_y, FRAME_CURSOR_SIZE - 1);
	h->resource = update->resource_id;
	h->is_early = false;
	if (pixels)
		set_pixels(h, pixels);
	else
		h->waiting_for = update->resource_id;
	note_commands(h, control);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t execute_locked(struct cursor *cursor, const struct virtio_gpu_update_cursor *update,
	struct virtqueue *control)
{
	g_assert(cursor->held);
	bool is_update = update->hdr.type == VIRTIO_GPU_CMD_UPDATE_CURSOR;
	if (!quota_rate_take(&cursor->rate, monotonic_now_ns()))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	if (!is_update && update->hdr.type != VIRTIO_GPU_CMD_MOVE_CURSOR) {
		peer_warning(PEER_GUEST, "cursor: unknown command 0x%x", update->hdr.type);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	if (update->pos.scanout_id >= FRAME_HEADS_MAX) {
		peer_warning(PEER_GUEST, "cursor: no scanout %u", update->pos.scanout_id);
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	struct cursor_head *h = &cursor->heads[update->pos.scanout_id];
	h->x = (int32_t)update->pos.x;
	h->y = (int32_t)update->pos.y;
	h->position_behind = true;
	if (is_update && update->resource_id == 0)
		hide(h);
	else if (is_update)
		return show(cursor, update, control);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static void answer(struct virtqueue *vq, struct chain *chain,
	const struct virtio_gpu_ctrl_hdr *request, uint32_t type)
{
	struct virtio_gpu_ctrl_hdr header = { .type = type };
	if (request->flags & VIRTIO_GPU_FLAG_FENCE) {
		header.flags = VIRTIO_GPU_FLAG_FENCE;
		header.fence_id = request->fence_id;
		header.ctx_id = request->ctx_id;
	}
	/* Linux gives cursor commands no room for an answer. */
	bool room = chain->writable_bytes >= sizeof(header);
	virtqueue_return(vq, chain, &header, room ? sizeof(header) : 0);
}

static uint32_t execute(struct cursor *cursor, struct chain *chain,
	struct virtio_gpu_update_cursor *update, struct virtqueue *control)
{
	size_t got = chain->fault ? 0 : chain_read(chain, 0, update, sizeof(*update));
	if (got < sizeof(*update)) {
		peer_warning(PEER_GUEST, "cursor: command of %zu bytes, expected %zu", got,
			sizeof(*update));
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	hold(cursor);
	uint32_t type = execute_locked(cursor, update, control);
	let_go(cursor);
	return type;
}

static bool needs_gpu(struct cursor *cursor)
{
	hold(cursor);
	bool behind = !send_all(cursor);
	let_go(cursor);
	return behind || cursor_is_open(cursor);
}

bool cursor_work(struct cursor *cursor, struct virtqueue *vq, struct virtqueue *control)
{
	do {
		struct chain *chain;
		while ((chain = virtqueue_try_take(vq))) {
			struct virtio_gpu_update_cursor update = { 0 };
			uint32_t type = execute(cursor, chain, &update, control);
			answer(vq, chain, &update.hdr, type);
		}
	} while (virtqueue_listen(vq));
	return needs_gpu(cursor);
}
