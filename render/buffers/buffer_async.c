/* SPDX-License-Identifier: MIT */
/*
 * Memfds can be filled while the guest goes on: the GPU copies the wanted parts into a texture of
 * our own, the target, in order with what the guest draws; and when it has, the waiter
 * (egl_fence.h) fetches them from there. So the gpu thread neither waits nor moves a pixel. The
 * target is as large as the picture, and each part has its own place in it, so little damage moves
 * few bytes.
 */
#include <glib.h>

#include "common/fd.h"
#include "render/gl/blit.h"
#include "render/buffers/buffer.h"
#include "render/gl/egl_fence.h"
#include "render/gl/virgl.h"

struct async_data {
	int ready_fd;
	struct texture target; /* gl_id 0: none yet, or none to be had */
	bool no_target;        /* none was to be had, so that parts are fetched at once */
	struct rect_set wanted;
	struct egl_task *task; /* the last fetch, of which the gpu thread alone knows */

	/*
	 * While a fetch is under way the buffer with its pixels, and all that is above but for the
	 * task, belongs to the waiter. The lock guards what follows.
	 */
	bool busy;     /* a fetch is under way */
	bool ok;       /* the last one has brought the pixels */
	bool orphaned; /* the gpu thread has let go of the buffer */
};

static GMutex lock;

static struct buffer *async_create_buffer(
	uint32_t width, uint32_t height, const struct buffer_wish *wish)
{
	int fd = fd_create_wake();
	struct buffer *buffer = fd < 0 ? NULL : buffer_memfd.create(width, height, wish);
	if (!buffer) {
		fd_close(&fd);
		return NULL;
	}
	struct async_data *data = g_new0(struct async_data, 1);
	data->ready_fd = fd;
	buffer->data = data;
	return buffer;
}

/* Is called by whoever has the buffer, with GL current. */
static void free_buffer(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	fd_close(&data->ready_fd);
	if (data->target.gl_id)
		blit_destroy_target(&data->target);
	g_free(data);
	buffer_memfd.destroy(buffer);
}

static void async_destroy_buffer(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	virgl_enter_gl();
	g_mutex_lock(&lock);
	/* What the waiter has begun it also ends, and then frees the buffer. */
	data->orphaned = data->busy && !egl_fence_take_back(data->task);
	bool ours = !data->orphaned;
	g_mutex_unlock(&lock);
	if (ours)
		free_buffer(buffer);
}

static bool make_target(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	if (data->target.gl_id || data->no_target)
		return data->target.gl_id != 0;
	/* A target that came later would lack what was fetched without it. */
	data->no_target = !blit_create_target(&data->target, buffer->width, buffer->height);
	return !data->no_target;
}

/* Copies on the GPU, but fetches at once when there is no target. */
static bool async_copy_texture(struct buffer *buffer, const struct texture *texture,
	const struct rect *rect, uint32_t x, uint32_t y)
{
	struct async_data *data = buffer->data;
	if (!make_target(buffer))
		return buffer_memfd.copy_texture(buffer, texture, rect, x, y);
	if (!blit_texture_to_target(texture, rect, &data->target, x, y))
		return false;
	rect_set_add(&data->wanted, &(struct rect){ x, y, rect->width, rect->height });
	return true;
}

static bool fetch(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	bool ok =
		readback_rects(&data->target, &data->wanted, buffer->pixels, buffer->stride_bytes);
	rect_set_clear(&data->wanted);
	return ok;
}

static void fetch_on_waiter(void *user, bool done)
{
	struct buffer *buffer = user;
	struct async_data *data = buffer->data;
	bool ok = done && fetch(buffer);
	g_mutex_lock(&lock);
	data->busy = false;
	data->ok = ok;
	bool orphaned = data->orphaned;
	/* The gpu thread may free the buffer as soon as the lock is open. */
	if (!orphaned && fd_wake(data->ready_fd) < 0)
		g_warning("scanout: nobody hears that a picture is complete");
	g_mutex_unlock(&lock);
	if (orphaned)
		free_buffer(buffer);
}

static void set_busy(struct async_data *data, bool busy)
{
	g_mutex_lock(&lock);
	data->busy = busy;
	g_mutex_unlock(&lock);
}

static int async_submit(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	if (rect_set_is_empty(&data->wanted))
		return -1;
	set_busy(data, true);
	data->task = egl_fence_then(fetch_on_waiter, buffer);
	if (data->task)
		return data->ready_fd;
	set_busy(data, false);
	if (!fetch(buffer))
		g_warning("scanout: a picture was lost");
	return -1;
}

static bool async_complete(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	fd_drain(data->ready_fd);
	g_mutex_lock(&lock);
	g_assert(!data->busy);
	bool ok = data->ok;
	g_mutex_unlock(&lock);
	if (!ok)
		g_warning("scanout: a picture was lost");
	return ok;
}

const struct buffer_interface buffer_memfd_async = {
	.name = "memfd, fetched from the GPU",
	.row_step = 1,
	.create = async_create_buffer,
	.destroy = async_destroy_buffer,
	.copy_texture = async_copy_texture,
	.submit = async_submit,
	.complete = async_complete,
};
