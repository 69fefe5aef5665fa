/* SPDX-License-Identifier: MIT */
/*
 * swapchain: makes one changing picture of several buffers.
 *
 * `current` holds the newest contents. Writing never touches a buffer that display has locked: a
 * free one is taken instead, or a new one is made while the chain may grow. What a buffer has
 * missed is kept in its set `stale`, so that only that is copied to it later. Only the gpu thread
 * uses it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/buffers/buffer.h"
#include "render/buffers/limits.h"
#include "render/quota/quota.h"

struct swapchain {
	const struct buffer_interface *interface;
	struct buffer_wish *wish; /* NULL, or what its buffers are made for */
	struct quota *quota;      /* buffers are charged to it */
	uint32_t width, height;
	unsigned n_buffers;
	struct buffer *buffers[SWAPCHAIN_BUFFERS_MAX];
	struct buffer *current; /* one of them; NULL before the first write */
	bool starved;           /* a buffer was needed and could not be made */
};

/*
 * Makes a chain of one buffer, so that a picture can always be written. NULL when memory or quota
 * is short. The wish is copied; NULL is allowed where the interface allows it.
 */
struct swapchain *swapchain_create(const struct buffer_interface *interface,
	const struct buffer_wish *wish, struct quota *quota, uint32_t width, uint32_t height);
void swapchain_destroy(struct swapchain *chain); /* NULL is allowed */

/*
 * Returns a buffer that may be written: `current` if it is not locked, else another. Returns NULL
 * when all are locked and the chain may not grow. The buffer stays the chain's.
 */
struct buffer *swapchain_find_writable(struct swapchain *chain);
/*
 * Returns true when at least n buffers besides `current` can be written, now or once they are made.
 */
bool swapchain_has_free(const struct swapchain *chain, unsigned n);
/* Notes that the picture changed in `rect`, which all buffers lack until they are written. */
void swapchain_changed(struct swapchain *chain, const struct rect *rect);
/* Makes `buffer` the current one, which now has the newest contents everywhere. */
void swapchain_written(struct swapchain *chain, struct buffer *buffer);
/* Makes `buffer` the current one, while what changed since its copies were begun stays stale. */
void swapchain_set_current(struct swapchain *chain, struct buffer *buffer);
/* Frees buffers that are neither current nor locked, when no head shows the picture for now. */
void swapchain_trim(struct swapchain *chain);
