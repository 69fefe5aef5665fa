/* SPDX-License-Identifier: MIT */
#include "display/heads/mirror.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/rect.h"
#include "common/shm.h"
#include "display/heads/damage.h"

#define COPIES (FRAME_LOCKED_MAX + 1)

/* It lives as long as the mirror, or as the frame that is shown from it. */
struct copy {
	int refs;  /* atomic */
	int shown; /* atomic: a frame is out that shows it */
	struct shared_buffer *buffer;
	uint8_t *memory;
	size_t size_bytes;
	struct damage stale; /* what has changed since it was filled */
};

struct mirror {
	uint32_t width, height;
	struct copy *copies[COPIES]; /* NULL: not made yet */
};

static void copy_unref(struct copy *copy)
{
	if (!copy || !g_atomic_int_dec_and_test(&copy->refs))
		return;
	shared_buffer_unref(copy->buffer);
	shm_unmap(copy->memory, copy->size_bytes);
	g_free(copy);
}

static void on_released(void *user, uint32_t buffer, uint32_t head, uint64_t serial)
{
	struct copy *copy = user;
	g_atomic_int_set(&copy->shown, 0);
	copy_unref(copy);
}

static struct copy *make_copy(uint32_t width, uint32_t height)
{
	const struct frame_buffer_add add = { .kind = FRAME_BUFFER_MEMFD,
		.width = width,
		.height = height,
		.stride_bytes = width * RECT_PIXEL_BYTES,
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.size_bytes = (uint64_t)width * height * RECT_PIXEL_BYTES };
	int fd = shm_create("vitrine-mirror", add.size_bytes);
	uint8_t *memory = fd >= 0 ? shm_map(fd, add.size_bytes, true) : NULL;
	struct shared_buffer *buffer = memory ? shared_buffer_create(&add, fd) : NULL;
	if (fd >= 0)
		close(fd);
	if (!buffer) {
		if (memory)
			shm_unmap(memory, add.size_bytes);
		return NULL;
	}
	struct copy *copy = g_new0(struct copy, 1);
	copy->refs = 1;
	copy->buffer = buffer;
	copy->memory = memory;
	copy->size_bytes = add.size_bytes;
	damage_reset(&copy->stale, width, height);
	damage_add_all(&copy->stale);
	return copy;
}

struct mirror *mirror_create(void)
{
	return g_new0(struct mirror, 1);
}

static void drop_copies(struct mirror *mirror)
{
	for (unsigned i = 0; i < COPIES; i++)
		g_clear_pointer(&mirror->copies[i], copy_unref);
}

void mirror_destroy(struct mirror *mirror)
{
	if (!mirror)
		return;
	drop_copies(mirror);
	g_free(mirror);
}

void mirror_trim(struct mirror *mirror)
{
	drop_copies(mirror);
}

size_t mirror_bytes(const struct mirror *mirror)
{
	size_t bytes = 0;
	for (unsigned i = 0; i < COPIES; i++)
		bytes += mirror->copies[i] ? mirror->copies[i]->size_bytes : 0;
	return bytes;
}

static struct copy *find_free(struct mirror *mirror)
{
	for (unsigned i = 0; i < COPIES; i++) {
		struct copy *copy = mirror->copies[i];
		if (copy && !g_atomic_int_get(&copy->shown))
			return copy;
	}
	for (unsigned i = 0; i < COPIES; i++) {
		if (!mirror->copies[i])
			return mirror->copies[i] = make_copy(mirror->width, mirror->height);
	}
	return NULL;
}

static void fill(struct copy *copy, const struct frame *frame)
{
	struct rect rect;
	size_t stride_bytes = (size_t)frame->width * RECT_PIXEL_BYTES;
	while (damage_take(&copy->stale, UINT64_MAX, &rect)) {
		for (uint32_t y = rect.y; y < rect.y + rect.height; y++)
			memcpy(copy->memory + y * stride_bytes + (size_t)rect.x * RECT_PIXEL_BYTES,
				frame->pixels + (size_t)y * frame->stride_bytes +
					(size_t)rect.x * RECT_PIXEL_BYTES,
				(size_t)rect.width * RECT_PIXEL_BYTES);
	}
}

struct frame *mirror_copy(
	struct mirror *mirror, const struct frame *frame, const struct frame_present *message)
{
	if (frame->dmabuf)
		return NULL;
	if (mirror->width != frame->width || mirror->height != frame->height)
		drop_copies(mirror);
	mirror->width = frame->width;
	mirror->height = frame->height;
	for (unsigned i = 0; i < COPIES; i++) {
		for (unsigned n = 0; mirror->copies[i] && n < message->n_rects; n++)
			damage_add(&mirror->copies[i]->stale, &message->rects[n]);
	}
	struct copy *copy = find_free(mirror);
	if (!copy)
		return NULL;
	fill(copy, frame);
	struct frame_present present = *message;
	present.source_x = present.source_y = 0;
	g_atomic_int_inc(&copy->refs);
	g_atomic_int_set(&copy->shown, 1);
	struct frame *copied = frame_create(
		copy->buffer, &present, frame->width, frame->height, on_released, copy);
	if (!copied)
		on_released(copy, 0, 0, 0);
	return copied;
}
