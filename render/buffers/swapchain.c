/* SPDX-License-Identifier: MIT */
#include "render/buffers/swapchain.h"

#include <glib.h>

static uint64_t buffer_cost(const struct swapchain *chain)
{
	uint32_t step = chain->interface->row_step;
	return ((uint64_t)chain->width + step - 1) / step * step * chain->height * 4;
}

static struct buffer *add_buffer(struct swapchain *chain)
{
	if (chain->n_buffers == SWAPCHAIN_BUFFERS_MAX)
		return NULL;
	chain->starved = !quota_charge(chain->quota, buffer_cost(chain));
	if (chain->starved)
		return NULL;
	struct buffer *buffer =
		buffer_create(chain->interface, chain->width, chain->height, chain->wish);
	chain->starved = !buffer;
	if (!buffer) {
		quota_release(chain->quota, buffer_cost(chain));
		return NULL;
	}
	chain->buffers[chain->n_buffers++] = buffer;
	return buffer;
}

struct swapchain *swapchain_create(const struct buffer_interface *interface,
	const struct buffer_wish *wish, struct quota *quota, uint32_t width, uint32_t height)
{
	struct swapchain *chain = g_new0(struct swapchain, 1);
	chain->interface = interface;
	if (wish) {
		chain->wish = g_new(struct buffer_wish, 1);
		*chain->wish = *wish;
	}
	chain->quota = quota;
	chain->width = width;
	chain->height = height;
	if (!add_buffer(chain)) {
		swapchain_destroy(chain);
		return NULL;
	}
	return chain;
}

static void remove_buffer(struct swapchain *chain, unsigned index)
{
	g_assert(index < chain->n_buffers);
	buffer_unref(chain->buffers[index]);
	quota_release(chain->quota, buffer_cost(chain));
	chain->buffers[index] = chain->buffers[--chain->n_buffers];
}

void swapchain_destroy(struct swapchain *chain)
{
	if (!chain)
		return;
	while (chain->n_buffers > 0)
		remove_buffer(chain, chain->n_buffers - 1);
	g_free(chain->wish);
	g_free(chain);
}

bool swapchain_has_free(const struct swapchain *chain, unsigned n)
{
	const struct quota *quota = chain->quota;
	uint64_t growth = quota_get_room(quota) / buffer_cost(chain);
	uint64_t n_free = MIN(growth, SWAPCHAIN_BUFFERS_MAX - chain->n_buffers);
	for (unsigned i = 0; i < chain->n_buffers; i++)
		n_free += chain->buffers[i] != chain->current && chain->buffers[i]->locked == 0;
	return n_free >= n;
}

static struct buffer *find_unlocked(const struct swapchain *chain)
{
	for (unsigned i = 0; i < chain->n_buffers; i++) {
		struct buffer *buffer = chain->buffers[i];
		if (buffer != chain->current && buffer->locked == 0)
			return buffer;
	}
	return NULL;
}

struct buffer *swapchain_find_writable(struct swapchain *chain)
{
	if (chain->current && chain->current->locked == 0)
		return chain->current;
	struct buffer *buffer = find_unlocked(chain);
	return buffer ? buffer : add_buffer(chain);
}

void swapchain_changed(struct swapchain *chain, const struct rect *rect)
{
	for (unsigned i = 0; i < chain->n_buffers; i++)
		rect_set_add(&chain->buffers[i]->stale, rect);
}

static bool has_buffer(const struct swapchain *chain, const struct buffer *buffer)
{
	for (unsigned i = 0; i < chain->n_buffers; i++) {
		if (chain->buffers[i] == buffer)
			return true;
	}
	return false;
}

void swapchain_written(struct swapchain *chain, struct buffer *buffer)
{
	g_assert(has_buffer(chain, buffer) && buffer->locked == 0);
	rect_set_clear(&buffer->stale);
	chain->current = buffer;
}

void swapchain_set_current(struct swapchain *chain, struct buffer *buffer)
{
	g_assert(has_buffer(chain, buffer));
	chain->current = buffer;
}

void swapchain_trim(struct swapchain *chain)
{
	for (unsigned i = chain->n_buffers; i-- > 0;) {
		struct buffer *buffer = chain->buffers[i];
		if (buffer != chain->current && buffer->locked == 0 && chain->n_buffers > 1)
			remove_buffer(chain, i);
	}
}
