/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_render.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"
#include "tests/client/patience.h"

#define FOURCC_XRGB8888 0x34325258u /* drm_fourcc.h */
#define LOUD_BYTE 0x5a
#define BUFFER_WAIT_MS 5000
#define SEND_WAIT_MS 5000

void fake_render_init(struct fake_render *render)
{
	*render = (struct fake_render){ .link = -1, .next_buffer = 1 };
	g_mutex_init(&render->lock);
	g_cond_init(&render->changed);
}

static void buffer_finish(struct fake_buffer *buffer)
{
	if (!buffer->id)
		return;
	shm_unmap(buffer->memory, buffer->size_bytes);
	close(buffer->fd);
	*buffer = (struct fake_buffer){ 0 };
}

void fake_render_finish(struct fake_render *render)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		for (unsigned b = 0; b < FAKE_BUFFERS; b++)
			buffer_finish(&render->heads[i].buffers[b]);
		canvas_finish(&render->heads[i].canvas);
	}
	if (render->link >= 0)
		close(render->link);
	g_mutex_clear(&render->lock);
	g_cond_clear(&render->changed);
}

/* Waits when the link is full, unlike the real one: a test's renderer has nothing else to do. */
static int send_locked(struct fake_render *render, void *message, size_t size_bytes, int fd)
{
	int result;

	if (render->link < 0)
		return -ENOTCONN;
	while ((result = link_send(render->link, message, size_bytes, &fd, fd >= 0)) == -EAGAIN) {
		struct pollfd wait = { .fd = render->link, .events = POLLOUT };

		if (poll(&wait, 1, patience_ms(SEND_WAIT_MS)) <= 0) {
			render->broken = "display does not read its frame link";
			return -EAGAIN;
		}
	}
	return result;
}

int fake_render_send(struct fake_render *render, void *message, size_t size_bytes, int fd)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);

	return send_locked(render, message, size_bytes, fd);
}

/* ---- buffers and frames ---- */

static void buffer_announce(
	struct fake_render *render, const struct fake_head *head, const struct fake_buffer *buffer)
{
	const struct fake_layout *layout = &head->layout;
	struct frame_buffer_add add = {
		.header.type = FRAME_MESSAGE_BUFFER_ADD,
		.buffer = buffer->id,
		.kind = FRAME_BUFFER_MEMFD,
		.width = layout->source_x + layout->width + layout->pad_columns,
		.height = layout->source_y + layout->height + layout->pad_rows,
		.stride_bytes = buffer->stride_bytes,
		.fourcc = FOURCC_XRGB8888,
		.offset_bytes = layout->offset_bytes,
		.size_bytes = buffer->size_bytes,
	};

	send_locked(render, &add, sizeof(add), buffer->fd);
}

static void buffer_init(
	struct fake_render *render, const struct fake_head *head, struct fake_buffer *buffer)
{
	const struct fake_layout *layout = &head->layout;
	uint32_t columns = layout->source_x + layout->width + layout->pad_columns;
	uint32_t rows = layout->source_y + layout->height + layout->pad_rows;

	buffer->id = render->next_buffer++;
	buffer->stride_bytes = columns * 4 + layout->pad_stride_bytes;
	buffer->size_bytes = layout->offset_bytes + (size_t)buffer->stride_bytes * rows;
	buffer->fd = shm_create("fake-render", buffer->size_bytes);
	g_assert_cmpint(buffer->fd, >=, 0);
	buffer->memory = shm_map(buffer->fd, buffer->size_bytes, true);
	g_assert_nonnull(buffer->memory);
	memset(buffer->memory, LOUD_BYTE, buffer->size_bytes);
}

/* A guest draws while its picture is copied, and flushes afterwards. So does a test: that is no
 * race. */
static void __attribute__((no_sanitize("thread")))
row_copy(void *to, const uint32_t *from, uint32_t width)
{
	uint32_t *pixels = to;

	for (uint32_t x = 0; x < width; x++)
		pixels[x] = from[x];
}

static void buffer_copy(const struct fake_head *head, struct fake_buffer *buffer)
{
	const struct fake_layout *layout = &head->layout;
	uint8_t *row = buffer->memory + layout->offset_bytes +
		       (size_t)layout->source_y * buffer->stride_bytes +
		       (size_t)layout->source_x * 4;

	for (uint32_t y = 0; y < layout->height; y++, row += buffer->stride_bytes)
		row_copy(row, head->canvas.pixels + (size_t)y * layout->width, layout->width);
}

static unsigned head_count_locked(const struct fake_head *head)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_BUFFERS; i++)
		n += head->buffers[i].n_locks > 0;
	return n;
}

static struct fake_buffer *head_find_free(struct fake_head *head)
{
	for (unsigned i = 0; i < FAKE_BUFFERS; i++) {
		if (head->buffers[i].n_locks == 0)
			return &head->buffers[i];
	}
	return NULL;
}

static struct fake_buffer *head_wait_free(struct fake_render *render, struct fake_head *head)
{
	gint64 start_us = g_get_monotonic_time(), end_us = patience_end_us(BUFFER_WAIT_MS);
	struct fake_buffer *buffer;

	while (!(buffer = head_find_free(head)) && render->link >= 0 && !render->dropped &&
		!render->broken) {
		if (!g_cond_wait_until(&render->changed, &render->lock, end_us)) {
			render->broken = "no buffer was released for long";
			break;
		}
	}
	gint64 waited_us = g_get_monotonic_time() - start_us;
	render->max_wait_us = MAX(render->max_wait_us, waited_us);
	render->total_wait_us += waited_us;
	return buffer;
}

static void head_send(struct fake_render *render, unsigned number, struct fake_buffer *buffer,
	const struct rect *rects, unsigned n_rects)
{
	struct fake_head *head = &render->heads[number];
	struct frame_present frame = {
		.header.type = FRAME_MESSAGE_PRESENT,
		.head = number,
		.buffer = buffer->id,
		.serial = ++head->serial,
		.flush_time_ns = (uint64_t)g_get_monotonic_time() * 1000,
		.source_x = head->layout.source_x,
		.source_y = head->layout.source_y,
		.n_rects = n_rects,
	};

	memcpy(frame.rects, rects, n_rects * sizeof(*rects));
	buffer_copy(head, buffer);
	if (send_locked(render, &frame, sizeof(frame), -1) < 0)
		return;
	buffer->n_locks++;
	head->stale = false;
	render->n_frames++;
	render->max_locked = MAX(render->max_locked, head_count_locked(head));
}

static void head_send_all(struct fake_render *render, unsigned number, struct fake_buffer *buffer)
{
	struct fake_head *head = &render->heads[number];
	struct rect all = { 0, 0, head->layout.width, head->layout.height };

	head_send(render, number, buffer, &all, 1);
}

void fake_render_flush(
	struct fake_render *render, unsigned number, const struct rect *rects, unsigned n_rects)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	struct fake_head *head = &render->heads[number];

	g_assert_cmpuint(n_rects, <=, FRAME_RECTS_MAX);
	g_assert_true(head->on);
	if (head->rate_mhz == 0) {
		head->stale = true;
		return;
	}
	struct fake_buffer *buffer = head_wait_free(render, head);
	if (buffer)
		head_send(render, number, buffer, rects, n_rects);
}

void fake_render_flush_all(struct fake_render *render, unsigned head)
{
	const struct fake_layout *layout = &render->heads[head].layout;
	struct rect all = { 0, 0, layout->width, layout->height };

	fake_render_flush(render, head, &all, 1);
}

uint64_t fake_render_count_frames(struct fake_render *render)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);

	return render->n_frames;
}

/* ---- heads ---- */

static void head_announce(struct fake_render *render, unsigned number)
{
	struct fake_head *head = &render->heads[number];
	struct frame_head_on on = {
		.header.type = FRAME_MESSAGE_HEAD_ON,
		.head = number,
		.width = head->layout.width,
		.height = head->layout.height,
		.refresh_mhz = 60000,
	};

	for (unsigned i = 0; i < number; i++)
		on.x += render->heads[i].on ? render->heads[i].layout.width : 0;
	for (unsigned i = 0; i < FAKE_BUFFERS; i++)
		buffer_announce(render, head, &head->buffers[i]);
	send_locked(render, &on, sizeof(on), -1);
}

static void head_remove_buffers(struct fake_render *render, struct fake_head *head)
{
	for (unsigned i = 0; i < FAKE_BUFFERS; i++) {
		struct frame_buffer_remove remove = { .header.type = FRAME_MESSAGE_BUFFER_REMOVE,
			.buffer = head->buffers[i].id };

		if (!remove.buffer)
			continue;
		send_locked(render, &remove, sizeof(remove), -1);
		buffer_finish(&head->buffers[i]);
	}
}

/* Tells the mode first and then removes the old buffers, in the real renderer's order. */
void fake_render_head_on(
	struct fake_render *render, unsigned number, const struct fake_layout *layout)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	struct fake_head *head = &render->heads[number], old = *head;

	head->layout = *layout;
	head->on = true;
	head->stale = true;
	canvas_finish(&head->canvas);
	canvas_init(&head->canvas, layout->width, layout->height);
	for (unsigned i = 0; i < FAKE_BUFFERS; i++) {
		head->buffers[i] = (struct fake_buffer){ 0 };
		buffer_init(render, head, &head->buffers[i]);
	}
	head_announce(render, number);
	head_remove_buffers(render, &old);
}

void fake_render_head_off(struct fake_render *render, unsigned number)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	struct frame_head_off off = { .header.type = FRAME_MESSAGE_HEAD_OFF, .head = number };
	struct fake_head *head = &render->heads[number];

	send_locked(render, &off, sizeof(off), -1);
	head_remove_buffers(render, head);
	head->on = false;
}

/* ---- cursor ---- */

void fake_render_cursor_image(struct fake_render *render, unsigned head, uint32_t hot_x,
	uint32_t hot_y, const uint32_t *pixels)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	struct frame_cursor_image *image = &render->cursor_image;

	*image = (struct frame_cursor_image){ .header.type = FRAME_MESSAGE_CURSOR_IMAGE,
		.head = head,
		.hot_x = hot_x,
		.hot_y = hot_y };
	memcpy(image->pixels, pixels, sizeof(image->pixels));
	render->cursor_shown = true;
	send_locked(render, image, sizeof(*image), -1);
}

void fake_render_cursor_move(struct fake_render *render, unsigned head, int x, int y)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	struct frame_cursor_move move = {
		.header.type = FRAME_MESSAGE_CURSOR_MOVE, .head = head, .x = x, .y = y
	};

	render->cursor_shown = true;
	send_locked(render, &move, sizeof(move), -1);
}

void fake_render_cursor_hide(struct fake_render *render, unsigned head)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	struct frame_cursor_hide hide = { .header.type = FRAME_MESSAGE_CURSOR_HIDE, .head = head };

	render->cursor_shown = false;
	send_locked(render, &hide, sizeof(hide), -1);
}

/* ---- the link ---- */

int fake_render_connect(struct fake_render *render)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_HELLO,
		.version = FRAME_LINK_VERSION };
	int ends[2];

	g_assert_cmpint(link_pair(ends), ==, 0);
	if (render->link >= 0)
		close(render->link);
	render->link = ends[0];
	render->hello = render->dropped = false;
	send_locked(render, &hello, sizeof(hello), -1);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		struct fake_head *head = &render->heads[i];

		head->rate_mhz = 0;
		head->stale = true;
		for (unsigned b = 0; b < FAKE_BUFFERS; b++)
			head->buffers[b].n_locks = 0;
		if (head->on)
			head_announce(render, i);
	}
	if (render->cursor_image.header.type && render->cursor_shown)
		send_locked(render, &render->cursor_image, sizeof(render->cursor_image), -1);
	return ends[1];
}

static bool handle_hello(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_render *render = user;

	render->hello = true;
	return ((const struct frame_hello *)message)->version == FRAME_LINK_VERSION;
}

static bool handle_release(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_render *render = user;
	const struct frame_release *release = message;

	render->n_releases++;
	if (render->hostile)
		return true;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		for (unsigned b = 0; b < FAKE_BUFFERS; b++) {
			struct fake_buffer *buffer = &render->heads[i].buffers[b];

			if (buffer->id != release->buffer)
				continue;
			if (buffer->n_locks == 0 || i != release->head) {
				render->broken = "RELEASE of a buffer that was not locked";
				return false;
			}
			buffer->n_locks--;
			return true;
		}
	}
	/* The buffer was removed meanwhile, and display may still have held it. */
	return true;
}

static bool handle_wanted(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_render *render = user;

	memcpy(&render->wanted, message, sizeof(render->wanted));
	render->n_wanted++;
	return render->wanted.n_heads <= FRAME_HEADS_MAX;
}

static bool handle_formats(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_render *render = user;
	const struct frame_formats_wanted *wanted = message;

	if (wanted->head >= FRAME_HEADS_MAX || wanted->n_formats > FRAME_FORMATS_MAX) {
		render->broken = "FORMATS_WANTED for a head that cannot be, or too many";
		return false;
	}
	render->heads[wanted->head].n_formats = wanted->n_formats;
	return true;
}

static bool handle_rate(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_render *render = user;
	const struct frame_rate_wanted *rate = message;

	if (rate->head >= FRAME_HEADS_MAX) {
		render->broken = "RATE_WANTED for a head that cannot be";
		return false;
	}
	struct fake_head *head = &render->heads[rate->head];
	bool woken = head->rate_mhz == 0 && rate->rate_mhz > 0;
	head->rate_mhz = rate->rate_mhz;
	struct fake_buffer *buffer = head_find_free(head);
	if (woken && head->on && buffer)
		head_send_all(render, rate->head, buffer);
	return true;
}

static const struct link_handler frame_table[] = {
	{ FRAME_MESSAGE_HELLO, "HELLO", sizeof(struct frame_hello), 0, 0, handle_hello },
	{ FRAME_MESSAGE_RELEASE, "RELEASE", sizeof(struct frame_release), 0, 0, handle_release },
	{ FRAME_MESSAGE_HEADS_WANTED, "HEADS_WANTED", sizeof(struct frame_heads_wanted), 0, 0,
		handle_wanted },
	{ FRAME_MESSAGE_RATE_WANTED, "RATE_WANTED", sizeof(struct frame_rate_wanted), 0, 0,
		handle_rate },
	{ FRAME_MESSAGE_FORMATS_WANTED, "FORMATS_WANTED", sizeof(struct frame_formats_wanted), 0, 0,
		handle_formats },
};

bool fake_render_dispatch(struct fake_render *render)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	int result = 1;

	while (render->link >= 0 && result == 1)
		result = link_dispatch(
			render->link, "display", frame_table, G_N_ELEMENTS(frame_table), render);
	if (result == -EPROTO && !render->broken)
		render->broken = "a message that does not fit the frame link";
	if (result < 0)
		render->dropped = true;
	g_cond_broadcast(&render->changed);
	return result >= 0;
}

/* ---- waiting ---- */

struct condition {
	unsigned head, n;
	bool wanted;
};

static bool render_wait(struct fake_render *render,
	bool (*met)(struct fake_render *, const struct condition *),
	const struct condition *condition, int timeout_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	gint64 end_us = patience_end_us(timeout_ms);

	while (!met(render, condition)) {
		if (!g_cond_wait_until(&render->changed, &render->lock, end_us))
			return met(render, condition);
	}
	return true;
}

static bool rate_is(struct fake_render *render, const struct condition *condition)
{
	return (render->heads[condition->head].rate_mhz > 0) == condition->wanted;
}

static bool wanted_is(struct fake_render *render, const struct condition *condition)
{
	return render->n_wanted >= condition->n;
}

static bool dropped_is(struct fake_render *render, const struct condition *condition)
{
	return render->dropped;
}

static bool locked_is(struct fake_render *render, const struct condition *condition)
{
	return head_count_locked(&render->heads[condition->head]) <= condition->n;
}

bool fake_render_wait_rate(struct fake_render *render, unsigned head, bool wanted, int timeout_ms)
{
	return render_wait(
		render, rate_is, &(struct condition){ .head = head, .wanted = wanted }, timeout_ms);
}

bool fake_render_wait_wanted(struct fake_render *render, unsigned n, int timeout_ms)
{
	return render_wait(render, wanted_is, &(struct condition){ .n = n }, timeout_ms);
}

bool fake_render_wait_dropped(struct fake_render *render, int timeout_ms)
{
	return render_wait(render, dropped_is, &(struct condition){ 0 }, timeout_ms);
}

bool fake_render_wait_locked(struct fake_render *render, unsigned head, unsigned n, int timeout_ms)
{
	return render_wait(
		render, locked_is, &(struct condition){ .head = head, .n = n }, timeout_ms);
}
