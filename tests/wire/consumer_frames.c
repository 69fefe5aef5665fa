/* SPDX-License-Identifier: MIT */
#include "tests/wire/consumer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/shm.h"
#include "tests/wire/consumer_gpu.h"

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void consumer_breach(struct consumer *c, const char *format, ...)
{
	char text[sizeof(c->state.breach)];
	va_list arguments;
	va_start(arguments, format);
	g_vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (c->state.breaches++ == 0)
		g_strlcpy(c->state.breach, text, sizeof(c->state.breach));
	g_printerr("consumer: %s\n", text);
}

static void buffer_free(void *data)
{
	struct consumer_buffer *b = data;
	consumer_gpu_free(b->image);
	if (b->memory && b->add.kind == FRAME_BUFFER_MEMFD)
		munmap(b->memory, b->add.size_bytes);
	else
		g_free(b->memory);
	g_free(b);
}
static void send_frames(struct consumer *c, void *message, size_t size_bytes)
{
	/* We ignore failure here: a link that is full or gone shows in the test's own checks. */
	if (c->frames >= 0)
		link_send(c->frames, message, size_bytes, NULL, 0);
}

void consumer_frames_send_rate(struct consumer *c, uint32_t head)
{
	struct frame_rate_wanted m = {
		.header.type = FRAME_MESSAGE_RATE_WANTED,
		.head = head,
		.rate_mhz = c->rates[head],
	};
	send_frames(c, &m, sizeof(m));
}

/*
 * Tells the renderer the formats we can import. Without a GPU there are none, and it sends memfds.
 */
void consumer_frames_send_formats(struct consumer *c)
{
	for (uint32_t head = 0; head < FRAME_HEADS_MAX; head++) {
		struct frame_formats_wanted m = {
			.header.type = FRAME_MESSAGE_FORMATS_WANTED,
			.head = head,
		};
		if (c->takes != CONSUMER_NO_DMABUFS)
			m.n_formats = consumer_gpu_formats(m.formats, c->takes);
		send_frames(c, &m, sizeof(m));
	}
}

void consumer_frames_send_heads(struct consumer *c)
{
	struct frame_heads_wanted m = {
		.header.type = FRAME_MESSAGE_HEADS_WANTED,
		.n_heads = c->wanted.n_heads,
	};
	memcpy(m.heads, c->wanted.heads, sizeof(m.heads));
	if (m.n_heads > 0)
		send_frames(c, &m, sizeof(m));
}

static void release(struct consumer *c, struct frame_release *m)
{
	struct consumer_buffer *b = g_hash_table_lookup(c->buffers, GUINT_TO_POINTER(m->buffer));
	if (b && b->locks > 0)
		b->locks--;
	send_frames(c, m, sizeof(*m));
}
static bool on_hello(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_hello *m = message;
	if (m->version != FRAME_LINK_VERSION)
		consumer_breach(c, "HELLO with version %u", m->version);
	if (c->hello)
		consumer_breach(c, "HELLO twice");
	c->hello = true;
	return true;
}

static void check_hello(struct consumer *c, const char *name)
{
	if (!c->hello)
		consumer_breach(c, "%s before HELLO", name);
}

static void add_dmabuf(struct consumer *c, struct consumer_buffer *b, int fd)
{
	const struct frame_buffer_add *m = &b->add;
	if (!consumer_gpu_is_open()) {
		consumer_breach(c, "buffer %u: kind %u without a GPU here", m->buffer, m->kind);
		return;
	}
	b->image = consumer_gpu_import(m, fd);
	if (!b->image) {
		consumer_breach(c,
			"buffer %u: %ux%u, stride %u, %.4s, modifier 0x%" G_GINT64_MODIFIER
			"x cannot be imported",
			m->buffer, m->width, m->height, m->stride_bytes, (const char *)&m->fourcc,
			m->modifier);
		return;
	}
	b->memory = g_malloc0((size_t)m->width * m->height * 4);
	b->add.stride_bytes = m->width * 4;
	b->add.offset_bytes = 0;
	c->state.dmabufs++;
}

/*
 * Reads a dma-buf's pixels once its fence has signalled, as the GPU may still be drawing before
 * that.
 */
static void read_dmabuf(struct consumer *c, struct consumer_buffer *b, int fence_fd)
{
	struct pollfd fence = { .fd = fence_fd, .events = POLLIN };
	if (fence_fd >= 0 && poll(&fence, 1, 10000) != 1)
		consumer_breach(c, "a fence that does not signal");
	if (fence_fd >= 0)
		c->state.fences++;
	consumer_gpu_read(b->image, b->memory);
}

static bool on_buffer_add(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_buffer_add *m = message;
	check_hello(c, "BUFFER_ADD");
	struct consumer_buffer *b = g_new0(struct consumer_buffer, 1);
	b->id = m->buffer;
	b->add = *m;
	c->state.fourcc = m->fourcc;
	c->state.kind = m->kind;
	c->state.width = m->width;
	c->state.stride_bytes = m->stride_bytes;
	c->state.modifier = m->modifier;
	if (m->buffer == 0 || g_hash_table_contains(c->buffers, GUINT_TO_POINTER(m->buffer)))
		consumer_breach(c, "buffer id %u added while known, or zero", m->buffer);
	if (m->kind == FRAME_BUFFER_MEMFD) {
		b->memory = shm_map(fds[0], m->size_bytes, false);
		if (!b->memory)
			consumer_breach(c, "buffer %u: not sealed or too short: %s", m->buffer,
				g_strerror(errno));
		if (m->stride_bytes < (uint64_t)m->width * 4 || m->offset_bytes > m->size_bytes ||
			(uint64_t)m->stride_bytes * m->height > m->size_bytes - m->offset_bytes)
			consumer_breach(c, "buffer %u: %ux%u, stride %u does not fit its memory",
				m->buffer, m->width, m->height, m->stride_bytes);
	} else {
		add_dmabuf(c, b, fds[0]);
	}
	if (m->width == 0 || m->height == 0 || m->width > FRAME_SIZE_MAX ||
		m->height > FRAME_SIZE_MAX)
		consumer_breach(c, "buffer %u: %ux%u", m->buffer, m->width, m->height);
	g_hash_table_insert(c->buffers, GUINT_TO_POINTER(m->buffer), b);
	return true;
}

static bool on_buffer_remove(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_buffer_remove *m = message;
	if (!g_hash_table_remove(c->buffers, GUINT_TO_POINTER(m->buffer)))
		consumer_breach(c, "BUFFER_REMOVE of unknown buffer %u", m->buffer);
	return true;
}

static struct consumer_head *find_head(struct consumer *c, uint32_t head, const char *name)
{
	check_hello(c, name);
	if (head < FRAME_HEADS_MAX)
		return &c->heads[head];
	consumer_breach(c, "%s for head %u", name, head);
	return NULL;
}

static bool on_head_on(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_head_on *m = message;
	struct consumer_head *h = find_head(c, m->head, "HEAD_ON");
	if (!h || m->width == 0 || m->height == 0 || m->width > FRAME_SIZE_MAX ||
		m->height > FRAME_SIZE_MAX) {
		consumer_breach(c, "HEAD_ON %u with %ux%u", m->head, m->width, m->height);
		return true;
	}
	if (!h->state.on || h->state.width != m->width || h->state.height != m->height) {
		size_t n = (size_t)m->width * m->height;
		g_free(h->picture);
		h->picture = g_new(uint32_t, n);
		memset(h->picture, 0xdb, n * sizeof(uint32_t));
	}
	h->state.on = 1;
	h->state.x = m->x;
	h->state.y = m->y;
	h->state.width = m->width;
	h->state.height = m->height;
	h->state.refresh_mhz = m->refresh_mhz;
	return true;
}

static bool on_head_off(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_head_off *m = message;
	struct consumer_head *h = find_head(c, m->head, "HEAD_OFF");
	if (h) {
		h->state.on = 0;
		g_clear_pointer(&h->picture, g_free);
	}
	return true;
}

/*
 * Counts the rows of the buffer that differ from what damage has brought so far. A row that differs
 * is no breach yet: a buffer may hold what the guest has drawn and not flushed.
 */
static uint32_t count_behind(
	const struct consumer_head *h, const struct consumer_buffer *b, const uint8_t *first)
{
	uint32_t width = h->state.width, n = 0;
	for (uint32_t y = 0; y < h->state.height; y++)
		n += memcmp(h->picture + (size_t)y * width, first + (size_t)y * b->add.stride_bytes,
			     (size_t)width * 4) != 0;
	return n;
}

static void take_damage(struct consumer *c, struct consumer_head *h, const struct frame_present *m,
	const struct consumer_buffer *b)
{
	const uint8_t *first = b->memory + b->add.offset_bytes +
			       (size_t)m->source_y * b->add.stride_bytes + (size_t)m->source_x * 4;
	uint32_t width = h->state.width;
	for (uint32_t i = 0; i < m->n_rects; i++) {
		const struct rect *r = &m->rects[i];
		if (r->width == 0 || r->height == 0 || r->x > width || r->width > width - r->x ||
			r->y > h->state.height || r->height > h->state.height - r->y) {
			consumer_breach(c, "damage %u,%u %ux%u outside head of %ux%u", r->x, r->y,
				r->width, r->height, width, h->state.height);
			continue;
		}
		h->state.damaged_pixels += (uint64_t)r->width * r->height;
		for (uint32_t y = r->y; y < r->y + r->height; y++)
			memcpy(h->picture + (size_t)y * width + r->x,
				first + (size_t)y * b->add.stride_bytes + (size_t)r->x * 4,
				(size_t)r->width * 4);
	}
	if (!c->mode.trust && picture_is_drawn())
		h->state.rows_behind = count_behind(h, b, first);
}

static void check_bench(struct consumer *c, struct consumer_head *h, const struct frame_present *m,
	const struct consumer_buffer *b)
{
	uint32_t number = 0;
	const uint8_t *first = b->memory + b->add.offset_bytes +
			       (size_t)m->source_y * b->add.stride_bytes + (size_t)m->source_x * 4;
	bool good = h->state.width == c->pattern.width && h->state.height == c->pattern.height &&
		    picture_pattern_check(&c->pattern, first, b->add.stride_bytes, &number) &&
		    number != c->state.bench_last;
	c->state.bench_last = number;
	if (good)
		c->state.bench_good++;
	else
		c->state.bench_bad++;
	struct consumer_count count = { .header.type = CONSUMER_COUNT, .number = number };
	link_send(c->test, &count, sizeof(count), NULL, 0);
}

static bool frame_fits(struct consumer *c, struct consumer_head *h, const struct frame_present *m,
	const struct consumer_buffer *b)
{
	if (!b || !b->memory) {
		consumer_breach(c, "PRESENT with unknown buffer %u", m->buffer);
		return false;
	}
	if (!h->state.on || !h->picture) {
		consumer_breach(c, "PRESENT for head %u, which is off", m->head);
		return false;
	}
	if (m->source_x > b->add.width || h->state.width > b->add.width - m->source_x ||
		m->source_y > b->add.height || h->state.height > b->add.height - m->source_y) {
		consumer_breach(c, "PRESENT: %ux%u at %u,%u in a buffer of %ux%u", h->state.width,
			h->state.height, m->source_x, m->source_y, b->add.width, b->add.height);
		return false;
	}
	if (m->n_rects == 0 || m->n_rects > FRAME_RECTS_MAX) {
		consumer_breach(c, "PRESENT with %u rectangles", m->n_rects);
		return false;
	}
	return true;
}

static void check_order(struct consumer *c, struct consumer_head *h, const struct frame_present *m,
	const struct consumer_buffer *b)
{
	h->state.last_arrival_ns = now_ns();
	h->state.last_flush_ns = m->flush_time_ns;
	if (m->serial <= h->last_serial)
		consumer_breach(c, "PRESENT serial %" G_GUINT64_FORMAT " after %" G_GUINT64_FORMAT,
			m->serial, h->last_serial);
	if (m->flush_time_ns > h->state.last_arrival_ns)
		consumer_breach(c, "PRESENT from the future");
	if (b->locks > 0)
		consumer_breach(c, "PRESENT in buffer %u, which is locked", m->buffer);
	h->last_serial = m->serial;
}

static bool on_frame(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_present *m = message;
	struct consumer_head *h = find_head(c, m->head, "PRESENT");
	if (!h)
		return true;
	struct consumer_buffer *b = g_hash_table_lookup(c->buffers, GUINT_TO_POINTER(m->buffer));
	struct consumer_held held = { .release = { .header.type = FRAME_MESSAGE_RELEASE,
					      .buffer = m->buffer,
					      .head = m->head,
					      .serial = m->serial } };
	if (frame_fits(c, h, m, b)) {
		check_order(c, h, m, b);
		if (b->image)
			read_dmabuf(c, b, n_fds > 0 ? fds[0] : -1);
		b->locks++;
		h->state.frames++;
		if (c->bench)
			check_bench(c, h, m, b);
		else
			take_damage(c, h, m, b);
	}
	if (c->mode.hold && h->held->len < FRAME_LOCKED_MAX)
		g_array_append_val(h->held, held);
	else
		release(c, &held.release);
	return true;
}

static uint32_t hash_pixels(const uint32_t *pixels, size_t n)
{
	uint32_t hash = 2166136261u; /* FNV-1a over words */
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ pixels[i]) * 16777619u;
	return hash;
}

static bool on_cursor_image(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_cursor_image *m = message;
	struct consumer_head *h = find_head(c, m->head, "CURSOR_IMAGE");
	if (h) {
		h->state.hot_x = m->hot_x;
		h->state.hot_y = m->hot_y;
		h->state.cursor_shown = 1;
		h->state.cursor_hash = hash_pixels(m->pixels, G_N_ELEMENTS(m->pixels));
		h->state.cursor_images++;
	}
	return true;
}

static bool on_cursor_move(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_cursor_move *m = message;
	struct consumer_head *h = find_head(c, m->head, "CURSOR_MOVE");
	if (h) {
		h->state.cursor_x = m->x;
		h->state.cursor_y = m->y;
		h->state.cursor_shown = 1;
		h->state.cursor_moves++;
	}
	return true;
}

static bool on_cursor_hide(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct consumer *c = user;
	const struct frame_cursor_hide *m = message;
	struct consumer_head *h = find_head(c, m->head, "CURSOR_HIDE");
	if (h) {
		h->state.cursor_shown = 0;
		h->state.cursor_hides++;
	}
	return true;
}

static const struct link_handler FRAME_TABLE[] = {
	CONSUMER_ROW(FRAME_MESSAGE_HELLO, 0, 0, frame_hello, on_hello),
	CONSUMER_ROW(FRAME_MESSAGE_BUFFER_ADD, 1, 1, frame_buffer_add, on_buffer_add),
	CONSUMER_ROW(FRAME_MESSAGE_BUFFER_REMOVE, 0, 0, frame_buffer_remove, on_buffer_remove),
	CONSUMER_ROW(FRAME_MESSAGE_HEAD_ON, 0, 0, frame_head_on, on_head_on),
	CONSUMER_ROW(FRAME_MESSAGE_HEAD_OFF, 0, 0, frame_head_off, on_head_off),
	CONSUMER_ROW(FRAME_MESSAGE_PRESENT, 0, 1, frame_present, on_frame),
	CONSUMER_ROW(FRAME_MESSAGE_CURSOR_IMAGE, 0, 0, frame_cursor_image, on_cursor_image),
	CONSUMER_ROW(FRAME_MESSAGE_CURSOR_MOVE, 0, 0, frame_cursor_move, on_cursor_move),
	CONSUMER_ROW(FRAME_MESSAGE_CURSOR_HIDE, 0, 0, frame_cursor_hide, on_cursor_hide),
};

static void forget_frame_link(struct consumer *c)
{
	if (c->frames >= 0)
		close(c->frames);
	c->frames = -1;
	c->hello = false;
	g_hash_table_remove_all(c->buffers);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		g_array_set_size(c->heads[i].held, 0);
		c->heads[i].last_serial = 0;
	}
}

void consumer_frames_attach(struct consumer *c, int fd)
{
	forget_frame_link(c);
	c->frames = fd;
	c->state.frame_links++;
	struct frame_hello hello = {
		.header.type = FRAME_MESSAGE_HELLO,
		.version = FRAME_LINK_VERSION,
	};
	send_frames(c, &hello, sizeof(hello));
	consumer_frames_send_heads(c);
	consumer_frames_send_formats(c);
	for (uint32_t i = 0; i < FRAME_HEADS_MAX; i++) {
		if (c->rates[i])
			consumer_frames_send_rate(c, i);
	}
}

void consumer_frames_init(struct consumer *c)
{
	c->frames = -1;
	c->buffers = g_hash_table_new_full(NULL, NULL, NULL, buffer_free);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		c->heads[i].held = g_array_new(FALSE, FALSE, sizeof(struct consumer_held));
}

void consumer_frames_receive(struct consumer *c)
{
	int result = link_dispatch(c->frames, "render", FRAME_TABLE, G_N_ELEMENTS(FRAME_TABLE), c);
	if (result == -EPROTO)
		consumer_breach(c, "a message that frame_link.h does not know");
	if (result < 0)
		forget_frame_link(c);
}

void consumer_frames_release_held(struct consumer *c)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		GArray *held = c->heads[i].held;
		for (guint k = 0; k < held->len; k++)
			release(c, &g_array_index(held, struct consumer_held, k).release);
		g_array_set_size(held, 0);
	}
}
