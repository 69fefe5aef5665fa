/* SPDX-License-Identifier: MIT */
#include "render/buffers/swapchain.h"

#include <glib.h>

static uint64_t buffer_cost(const struct picture *picture)
{
	return (uint64_t)picture->width * picture->height * 4;
}

static struct buffer *add_buffer(struct picture *picture)
{
	if (picture->n_buffers == PICTURE_BUFFERS_MAX)
		return NULL;
	picture->starved = !quota_charge(picture->quota, buffer_cost(picture));
	if (picture->starved)
		return NULL;
	struct buffer *buffer =
		buffer_create(picture->interface, picture->width, picture->height, picture->wish);
	picture->starved = !buffer;
	if (!buffer) {
		quota_release(picture->quota, buffer_cost(picture));
		return NULL;
	}
	picture->buffers[picture->n_buffers++] = buffer;
	return buffer;
}

struct picture *picture_create(const struct buffer_interface *interface,
	const struct buffer_wish *wish, struct quota *quota, uint32_t width, uint32_t height)
{
	struct picture *picture = g_new0(struct picture, 1);
	picture->interface = interface;
	if (wish) {
		picture->wish = g_new(struct buffer_wish, 1);
		*picture->wish = *wish;
	}
	picture->quota = quota;
	picture->width = width;
	picture->height = height;
	if (!add_buffer(picture)) {
		picture_destroy(picture);
		return NULL;
	}
	return picture;
}

static void remove_buffer(struct picture *picture, unsigned index)
{
	buffer_unref(picture->buffers[index]);
	quota_release(picture->quota, buffer_cost(picture));
	picture->buffers[index] = picture->buffers[--picture->n_buffers];
}

void picture_destroy(struct picture *picture)
{
	if (!picture)
		return;
	while (picture->n_buffers > 0)
		remove_buffer(picture, picture->n_buffers - 1);
	g_free(picture->wish);
	g_free(picture);
}

bool picture_has_free(const struct picture *picture, unsigned n)
{
	const struct quota *quota = picture->quota;
	uint64_t growth = (quota->limit_bytes - quota->used_bytes) / buffer_cost(picture);
	uint64_t n_free = MIN(growth, PICTURE_BUFFERS_MAX - picture->n_buffers);
	for (unsigned i = 0; i < picture->n_buffers; i++)
		n_free +=
			picture->buffers[i] != picture->current && picture->buffers[i]->locked == 0;
	return n_free >= n;
}

static struct buffer *find_unlocked(const struct picture *picture)
{
	for (unsigned i = 0; i < picture->n_buffers; i++) {
		struct buffer *buffer = picture->buffers[i];
		if (buffer != picture->current && buffer->locked == 0)
			return buffer;
	}
	return NULL;
}

struct buffer *picture_find_writable(struct picture *picture)
{
	if (picture->current && picture->current->locked == 0)
		return picture->current;
	struct buffer *buffer = find_unlocked(picture);
	return buffer ? buffer : add_buffer(picture);
}

void picture_changed(struct picture *picture, const struct frame_rect *rect)
{
	for (unsigned i = 0; i < picture->n_buffers; i++)
		region_add(&picture->buffers[i]->stale, rect);
}

void picture_written(struct picture *picture, struct buffer *buffer)
{
	region_clear(&buffer->stale);
	picture->current = buffer;
}

void picture_set_current(struct picture *picture, struct buffer *buffer)
{
	picture->current = buffer;
}

void picture_trim(struct picture *picture)
{
	for (unsigned i = picture->n_buffers; i-- > 0;) {
		struct buffer *buffer = picture->buffers[i];
		if (buffer != picture->current && buffer->locked == 0 && picture->n_buffers > 1)
			remove_buffer(picture, i);
	}
}
