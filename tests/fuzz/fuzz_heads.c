/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the frame link as display reads it (frame_receiver.h), from a renderer that has been taken
 * over: messages in any order, with any numbers and descriptors. What comes through is kept in
 * heads and read as a painter reads it; each frame is released at most once, and no descriptor and
 * no memory stays.
 */
#include <drm_fourcc.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/link.h"
#include "common/shm.h"
#include "display/heads/frame_receiver.h"
#include "display/heads/head.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

#define HEADS 4
#define BUFFER_BYTES 65536

/* These go with messages. */
enum descriptor { NONE, LARGE, SMALL, UNSEALED, NOTHING, SIGNALLED, WAITING, HUNG_UP, DESCRIPTORS };

struct desk {
	struct frame_receiver *link;
	struct head *heads[HEADS];
	int render; /* the renderer's end */
	int fds[DESCRIPTORS];
	unsigned n_presents, n_releases;
};

/* ---- display ---- */

static bool on_head_on(void *user, const struct frame_head_on *message)
{
	struct desk *desk = user;
	if (message->head >= HEADS)
		return false;
	desk->heads[message->head]->on = true;
	head_resize(desk->heads[message->head], message->width, message->height);
	return true;
}

static void on_head_off(void *user, unsigned head)
{
	struct desk *desk = user;
	g_assert(head < FRAME_HEADS_MAX);
	if (head >= HEADS)
		return;
	desk->heads[head]->on = false;
	head_push_blank(desk->heads[head]);
}

static bool on_head_size(void *user, unsigned head, uint32_t *width, uint32_t *height)
{
	struct desk *desk = user;
	g_assert(head < FRAME_HEADS_MAX);
	if (head >= HEADS || !desk->heads[head]->on)
		return false;
	*width = desk->heads[head]->width;
	*height = desk->heads[head]->height;
	return true;
}

/* Reads the frame's corners inside what it says has changed. */
static void read_frame(struct head *head)
{
	struct rect rect;
	const struct frame *frame = head->newest;
	while (damage_take(&head->pending, 100, &rect)) {
		g_assert(rect.width > 0 && rect.width <= head->width - rect.x);
		g_assert(rect.height > 0 && rect.height <= head->height - rect.y);
		if (!frame || !frame->pixels)
			continue;
		const volatile uint8_t *first =
			frame->pixels + (size_t)rect.y * frame->stride_bytes + rect.x * 4;
		const volatile uint8_t *last = first +
					       (size_t)(rect.height - 1) * frame->stride_bytes +
					       (size_t)rect.width * 4 - 1;
		(void)*first;
		(void)*last;
	}
	if (frame && frame->whole)
		(void)((const volatile uint8_t *)
				frame->pixels)[(size_t)frame->stride_bytes * frame->height - 1];
}

static bool on_frame(void *user, struct frame *frame, const struct frame_present *message)
{
	struct desk *desk = user;
	struct head *head = desk->heads[message->head];
	g_assert(message->n_rects <= FRAME_RECTS_MAX);
	g_assert(frame->width == head->width && frame->height == head->height);
	head_push_frame(head, frame, message->rects, message->n_rects);
	read_frame(head);
	return true;
}

static void on_cursor_image(void *user, const struct frame_cursor_image *message)
{
	g_assert(message->head < FRAME_HEADS_MAX);
}

static void on_cursor_move(void *user, unsigned head, int32_t x, int32_t y)
{
	g_assert(head < FRAME_HEADS_MAX);
}

static void on_cursor_hide(void *user, unsigned head)
{
	g_assert(head < FRAME_HEADS_MAX);
}

static void on_gone(void *user)
{
	struct desk *desk = user;
	g_assert(desk->link);
	frame_receiver_close(g_steal_pointer(&desk->link));
	for (unsigned i = 0; i < HEADS; i++)
		head_drop_frame(desk->heads[i]);
}

static const struct frame_receiver_ops ops = {
	.head_on = on_head_on,
	.head_off = on_head_off,
	.head_size = on_head_size,
	.frame = on_frame,
	.cursor_image = on_cursor_image,
	.cursor_move = on_cursor_move,
	.cursor_hide = on_cursor_hide,
	.gone = on_gone,
};

/* ---- the renderer ---- */

static void iterate(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* Where the socket is full, the message is lost. */
static void say(struct desk *desk, void *message, size_t size_bytes, enum descriptor descriptor)
{
	link_send(desk->render, message, size_bytes, &desk->fds[descriptor], descriptor != NONE);
	iterate();
}

static enum descriptor take_descriptor(struct feed *feed)
{
	return feed_u8(feed) % DESCRIPTORS;
}

static void say_hello(struct desk *desk, struct feed *feed)
{
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_HELLO,
		.version = feed_u8(feed) % 2 ? FRAME_LINK_VERSION + 1 : FRAME_LINK_VERSION };
	say(desk, &hello, sizeof(hello), NONE);
}

/* Of each number the least that makes sense is likely. */
static void say_buffer(struct desk *desk, struct feed *feed)
{
	static const uint32_t fourccs[] = { DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888,
		DRM_FORMAT_NV12 };
	uint8_t odd = feed_u8(feed);
	struct frame_buffer_add add = { .header.type = FRAME_MESSAGE_BUFFER_ADD,
		.buffer = feed_u8(feed) % 8,
		.kind = 1 + odd % 2,
		.width = feed_u8(feed),
		.height = feed_u8(feed),
		.fourcc = fourccs[odd / 2 % G_N_ELEMENTS(fourccs)],
		.size_bytes = BUFFER_BYTES };
	add.stride_bytes = add.width * 4;
	if (odd & 64)
		add.stride_bytes += feed_u32(feed);
	if (odd & 128) {
		add.offset_bytes = feed_u32(feed);
		add.size_bytes = (uint64_t)feed_u8(feed) << 32 | feed_u32(feed);
	}
	say(desk, &add, sizeof(add), take_descriptor(feed));
}

static void say_remove(struct desk *desk, struct feed *feed)
{
	struct frame_buffer_remove remove = { .header.type = FRAME_MESSAGE_BUFFER_REMOVE,
		.buffer = feed_u8(feed) % 8 };
	say(desk, &remove, sizeof(remove), NONE);
}

static void say_head_on(struct desk *desk, struct feed *feed)
{
	uint8_t head = feed_u8(feed);
	struct frame_head_on on = { .header.type = FRAME_MESSAGE_HEAD_ON,
		.head = head % (HEADS + 1),
		.width = feed_u8(feed),
		.height = feed_u8(feed) };
	if (head & 128) {
		on.x = feed_u32(feed);
		on.width = feed_u32(feed);
	}
	say(desk, &on, sizeof(on), NONE);
}

static void say_head_off(struct desk *desk, struct feed *feed)
{
	struct frame_head_off off = { .header.type = FRAME_MESSAGE_HEAD_OFF,
		.head = feed_u8(feed) % (FRAME_HEADS_MAX + 1) };
	say(desk, &off, sizeof(off), NONE);
}

static void say_present(struct desk *desk, struct feed *feed)
{
	struct frame_present present = { .header.type = FRAME_MESSAGE_PRESENT,
		.head = feed_u8(feed) % (HEADS + 1),
		.buffer = feed_u8(feed) % 8,
		.serial = desk->n_presents++,
		.source_x = feed_u8(feed),
		.source_y = feed_u8(feed),
		.n_rects = feed_u8(feed) % (FRAME_RECTS_MAX + 2) };
	for (unsigned i = 0; i < MIN(present.n_rects, FRAME_RECTS_MAX); i++) {
		uint8_t wide = feed_u8(feed);
		present.rects[i] =
			(struct rect){ feed_u8(feed), feed_u8(feed), 1 + wide % 16, 1 + wide / 16 };
		if (wide == 255)
			feed_copy(feed, &present.rects[i], sizeof(present.rects[i]));
	}
	say(desk, &present, sizeof(present), take_descriptor(feed));
}

static void say_cursor(struct desk *desk, struct feed *feed)
{
	static struct frame_cursor_image image = { .header.type = FRAME_MESSAGE_CURSOR_IMAGE };
	struct frame_cursor_move move = { .header.type = FRAME_MESSAGE_CURSOR_MOVE };
	struct frame_cursor_hide hide = { .header.type = FRAME_MESSAGE_CURSOR_HIDE };
	image.head = move.head = hide.head = feed_u8(feed) % (FRAME_HEADS_MAX + 1);
	say(desk, &image, sizeof(image), NONE);
	say(desk, &move, sizeof(move), NONE);
	say(desk, &hide, sizeof(hide), NONE);
}

/* Says any bytes, with as many descriptors as fit into a message and one more. */
static void say_anything(struct desk *desk, struct feed *feed)
{
	union {
		struct link_header header;
		uint8_t bytes[300];
	} message;
	char control[CMSG_SPACE(sizeof(int) * (LINK_FDS_MAX + 1))] = { 0 };
	size_t n = feed_u8(feed);
	unsigned n_fds = feed_u8(feed) % (LINK_FDS_MAX + 2);
	struct iovec iov = { message.bytes, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	feed_copy(feed, message.bytes, sizeof(message.bytes));
	message.header.size_bytes = (uint32_t)n;
	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), &desk->fds[LARGE], sizeof(int) * n_fds);
	}
	sendmsg(desk->render, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	iterate();
}

/* Hears what display has to say, and checks it. */
static void hear(struct desk *desk, struct feed *feed)
{
	union {
		struct link_header header;
		uint8_t bytes[LINK_MESSAGE_MAX];
	} message;
	ssize_t n;
	while ((n = recv(desk->render, message.bytes, sizeof(message), MSG_DONTWAIT)) > 0) {
		g_assert(message.header.size_bytes == (size_t)n);
		desk->n_releases += message.header.type == FRAME_MESSAGE_RELEASE;
	}
	g_assert(desk->n_releases <= desk->n_presents);
	iterate();
}

static void signal_fence(struct desk *desk, struct feed *feed)
{
	uint64_t one = 1;
	g_assert(write(desk->fds[WAITING], &one, sizeof(one)) == sizeof(one));
	iterate();
	g_assert(read(desk->fds[WAITING], &one, sizeof(one)) == sizeof(one));
}

/* Wishes of clients come in between. */
static void wish(struct desk *desk, struct feed *feed)
{
	uint8_t head = feed_u8(feed) % FRAME_HEADS_MAX;
	struct frame_head_mode mode = { .enabled = 1, .width = 640, .height = 480 };
	struct frame_format format = { .fourcc = DRM_FORMAT_XRGB8888 };
	if (!desk->link)
		return;
	frame_receiver_want_rate(desk->link, head, feed_u8(feed) * 1000u);
	frame_receiver_want_again(desk->link, head);
	frame_receiver_want_formats(desk->link, &format, feed_u8(feed) % 2);
	frame_receiver_want_heads(desk->link, &mode, 1);
	iterate();
}

static void (*const acts[])(struct desk *desk, struct feed *feed) = { say_present, say_buffer,
	say_head_on, say_remove, say_head_off, say_hello, say_cursor, say_anything, hear,
	signal_fence, wish };

/* ---- the target ---- */

static void set_up(struct desk *desk)
{
	int ends[2], hung_up[2];
	g_assert(link_pair(ends) == 0 && pipe2(hung_up, O_CLOEXEC) == 0);
	close(hung_up[1]);
	*desk = (struct desk){ .render = ends[0],
		.fds = { -1, shm_create("large", BUFFER_BYTES), shm_create("small", 4096),
			memfd_create("unsealed", MFD_CLOEXEC),
			open("/dev/null", O_RDWR | O_CLOEXEC), eventfd(1, EFD_CLOEXEC),
			eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), hung_up[0] } };
	for (unsigned i = 0; i < HEADS; i++)
		desk->heads[i] = head_create(i);
	desk->link = frame_receiver_create(ends[1], &ops, desk);
}

static void tear_down(struct desk *desk)
{
	frame_receiver_close(desk->link);
	for (unsigned i = 0; i < HEADS; i++)
		head_destroy(desk->heads[i]);
	iterate();
	close(desk->render);
	for (unsigned i = 1; i < DESCRIPTORS; i++)
		close(desk->fds[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	struct desk desk;
	feed_drop_log();
	iterate();
	int next_fd = feed_next_fd();
	set_up(&desk);
	if (feed_u8(&feed) != 255)
		say_hello(&desk, &(struct feed){ NULL, 0 });
	while (feed.left_bytes > 0)
		acts[feed_u8(&feed) % G_N_ELEMENTS(acts)](&desk, &feed);
	tear_down(&desk);
	g_assert(feed_next_fd() == next_fd);
	return 0;
}
