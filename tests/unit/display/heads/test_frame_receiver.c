/* SPDX-License-Identifier: MIT */
/*
 * frame_receiver: checks that a renderer that keeps the contract is served, that each one that
 * breaks it is dropped, and that every frame is released exactly once.
 */
#include "display/heads/frame_receiver.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/shm.h"

#define WIDTH 32u
#define HEIGHT 16u

struct desk {
	struct frame_receiver *link;
	int render; /* the peer's end */
	struct frame *frame;
	unsigned frames, heads_on, heads_off, gone;
	int32_t cursor_x;
};

static bool on_head_on(void *user, const struct frame_head_on *message)
{
	((struct desk *)user)->heads_on++;
	return true;
}

static void on_head_off(void *user, unsigned head)
{
	((struct desk *)user)->heads_off++;
}

static bool on_head_size(void *user, unsigned head, uint32_t *width, uint32_t *height)
{
	*width = WIDTH;
	*height = HEIGHT;
	return ((struct desk *)user)->heads_on > 0;
}

static bool on_frame(void *user, struct frame *frame, const struct frame_present *message)
{
	struct desk *desk = user;
	frame_unref(desk->frame);
	desk->frame = frame;
	desk->frames++;
	return true;
}

static void on_cursor_image(void *user, const struct frame_cursor_image *message)
{
}

static void on_cursor_move(void *user, unsigned head, int32_t x, int32_t y)
{
	((struct desk *)user)->cursor_x = x;
}

static void on_cursor_hide(void *user, unsigned head)
{
}

static void on_gone(void *user)
{
	struct desk *desk = user;
	desk->gone++;
	frame_receiver_close(g_steal_pointer(&desk->link));
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

static void iterate(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void send_message(struct desk *desk, void *message, size_t size_bytes, int fd)
{
	g_assert_cmpint(link_send(desk->render, message, size_bytes, &fd, fd >= 0), ==, 0);
	iterate();
}

static void send_hello(struct desk *desk, uint32_t version)
{
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_HELLO, .version = version };
	send_message(desk, &hello, sizeof(hello), -1);
}

static void send_buffer(struct desk *desk, uint32_t id)
{
	struct frame_buffer_add add = {
		.header.type = FRAME_MESSAGE_BUFFER_ADD,
		.buffer = id,
		.kind = FRAME_BUFFER_MEMFD,
		.width = WIDTH,
		.height = HEIGHT,
		.stride_bytes = WIDTH * 4,
		.fourcc = DRM_FORMAT_XRGB8888,
		.size_bytes = WIDTH * HEIGHT * 4,
	};
	int fd = shm_create("test", add.size_bytes);
	send_message(desk, &add, sizeof(add), fd);
	close(fd);
}

static void send_head(struct desk *desk, uint32_t head, uint32_t x, uint32_t width)
{
	struct frame_head_on on = {
		.header.type = FRAME_MESSAGE_HEAD_ON,
		.head = head,
		.x = x,
		.width = width,
		.height = HEIGHT,
	};
	send_message(desk, &on, sizeof(on), -1);
}

static void send_frame(
	struct desk *desk, uint32_t head, uint32_t buffer, uint32_t source_x, uint32_t n_rects)
{
	static uint64_t serial;
	struct frame_present frame = {
		.header.type = FRAME_MESSAGE_PRESENT,
		.head = head,
		.buffer = buffer,
		.serial = ++serial,
		.source_x = source_x,
		.n_rects = n_rects,
	};
	send_message(desk, &frame, sizeof(frame), -1);
}

static void start(struct desk *desk)
{
	int fds[2];
	*desk = (struct desk){ 0 };
	g_assert_cmpint(link_pair(fds), ==, 0);
	desk->render = fds[0];
	desk->link = frame_receiver_create(fds[1], &ops, desk);
	send_hello(desk, FRAME_LINK_VERSION);
	send_buffer(desk, 1);
	send_head(desk, 0, 0, WIDTH);
	g_assert_cmpuint(desk->heads_on, ==, 1);
}

static void finish(struct desk *desk)
{
	frame_unref(desk->frame);
	frame_receiver_close(desk->link);
	close(desk->render);
	iterate();
}

/*
 * Reads display's messages; copies the last one of this type to `last` and returns how many there
 * were.
 */
static unsigned read_messages(struct desk *desk, uint32_t type, void *last, size_t size_bytes)
{
	char bytes[LINK_MESSAGE_MAX];
	unsigned n = 0;
	ssize_t got;
	iterate();
	while ((got = recv(desk->render, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		if (((struct link_header *)bytes)->type != type)
			continue;
		g_assert_cmpint(got, ==, size_bytes);
		memcpy(last, bytes, size_bytes);
		n++;
	}
	return n;
}

static void test_serves(void)
{
	struct desk desk;
	struct frame_release release;
	struct frame_hello hello;
	start(&desk);
	g_assert_cmpuint(read_messages(&desk, FRAME_MESSAGE_HELLO, &hello, sizeof(hello)), ==, 1);
	for (unsigned i = 0; i < 10; i++)
		send_frame(&desk, 0, 1, 0, 1);
	g_assert_cmpuint(desk.frames, ==, 10);
	g_assert_cmpuint(
		read_messages(&desk, FRAME_MESSAGE_RELEASE, &release, sizeof(release)), ==, 9);
	g_assert_cmpuint(release.buffer, ==, 1);
	struct frame_cursor_move move = { .header.type = FRAME_MESSAGE_CURSOR_MOVE, .x = -7 };
	send_message(&desk, &move, sizeof(move), -1);
	g_assert_cmpint(desk.cursor_x, ==, -7);
	g_assert_cmpuint(desk.gone, ==, 0);
	finish(&desk);
}

static gpointer release_frame(gpointer frame)
{
	frame_unref(frame);
	return NULL;
}

static void test_release_from_a_thread(void)
{
	struct desk desk;
	struct frame_release release;
	start(&desk);
	send_frame(&desk, 0, 1, 0, 1);
	g_thread_join(g_thread_new("worker", release_frame, g_steal_pointer(&desk.frame)));
	g_assert_cmpuint(
		read_messages(&desk, FRAME_MESSAGE_RELEASE, &release, sizeof(release)), ==, 1);
	finish(&desk);
}

/*
 * spice-server still holds a frame when the renderer dies: it is readable, and released to nobody.
 */
static void test_frame_outlives_link(void)
{
	struct desk desk;
	start(&desk);
	send_frame(&desk, 0, 1, 0, 1);
	close(desk.render);
	iterate();
	g_assert_cmpuint(desk.gone, ==, 1);
	g_assert_cmpuint(desk.frame->pixels[WIDTH * HEIGHT * 4 - 1], ==, 0);
	desk.render = -1;
	finish(&desk);
}

/* Wishes that do not fit into the socket are kept as state: the last one arrives when it drains. */
static void test_full_socket(void)
{
	struct desk desk;
	struct frame_heads_wanted wanted = { 0 };
	struct frame_rate_wanted rate = { 0 };
	struct frame_head_mode mode = { .enabled = 1, .height = 10 };
	start(&desk);
	for (uint32_t i = 1; i <= 5000; i++) {
		mode.width = i;
		frame_receiver_want_heads(desk.link, &mode, 1);
		frame_receiver_want_rate(desk.link, 3, i);
	}
	unsigned n = 0;
	while (wanted.heads[0].width != 5000)
		n += read_messages(&desk, FRAME_MESSAGE_HEADS_WANTED, &wanted, sizeof(wanted));
	g_assert_cmpuint(n, <, 5000);
	frame_receiver_want_rate(desk.link, 3, 1);
	read_messages(&desk, FRAME_MESSAGE_RATE_WANTED, &rate, sizeof(rate));
	g_assert_cmpuint(rate.rate_mhz, ==, 1);
	g_assert_cmpuint(rate.head, ==, 3);
	finish(&desk);
}

/*
 * While the GPU is not done later frames queue up behind, the cursor does not wait, and memory is
 * bounded.
 */
static void test_fences(void)
{
	struct desk desk;
	struct frame_release release;
	start(&desk);
	int fences[5][2];
	for (unsigned i = 0; i < G_N_ELEMENTS(fences); i++) {
		g_assert_cmpint(pipe2(fences[i], O_CLOEXEC), ==, 0);
		struct frame_present frame = {
			.header.type = FRAME_MESSAGE_PRESENT, .buffer = 1, .serial = 1000 + i
		};
		send_message(&desk, &frame, sizeof(frame), fences[i][0]);
		close(fences[i][0]);
	}
	struct frame_cursor_move move = { .header.type = FRAME_MESSAGE_CURSOR_MOVE, .x = 5 };
	send_message(&desk, &move, sizeof(move), -1);
	g_assert_cmpint(desk.cursor_x, ==, 5);
	g_assert_cmpuint(desk.frames, ==, 0);
	/* Five frames came and two wait, so three are released. */
	g_assert_cmpuint(
		read_messages(&desk, FRAME_MESSAGE_RELEASE, &release, sizeof(release)), ==, 3);
	close(fences[4][1]);
	iterate();
	g_assert_cmpuint(desk.frames, ==, 0);
	close(fences[0][1]);
	iterate();
	g_assert_cmpuint(desk.frames, ==, 2);
	g_assert_cmpuint(desk.frame->serial, ==, 1004);
	for (unsigned i = 1; i < 4; i++)
		close(fences[i][1]);
	finish(&desk);
}

static void test_fence_outlives_link(void)
{
	struct desk desk;
	int fence[2];
	start(&desk);
	g_assert_cmpint(pipe2(fence, O_CLOEXEC), ==, 0);
	struct frame_present frame = {
		.header.type = FRAME_MESSAGE_PRESENT, .buffer = 1, .serial = 1
	};
	send_message(&desk, &frame, sizeof(frame), fence[0]);
	close(fence[0]);
	close(desk.render);
	iterate();
	g_assert_cmpuint(desk.gone, ==, 1);
	close(fence[1]);
	iterate();
	g_assert_cmpuint(desk.frames, ==, 0);
	desk.render = -1;
	finish(&desk);
}

/* A peer that sends and never reads is dropped before it fills memory. */
static void test_unread_releases(void)
{
	struct desk desk;
	start(&desk);
	unsigned sent = 0;
	while (!desk.gone) {
		send_frame(&desk, 0, 1, 0, 1);
		g_assert_cmpuint(++sent, <, 20000);
	}
	finish(&desk);
}

static void break_hello(struct desk *desk)
{
	send_hello(desk, FRAME_LINK_VERSION + 1);
}

static void break_buffer_twice(struct desk *desk)
{
	send_buffer(desk, 1);
}

static void break_buffer_zero(struct desk *desk)
{
	send_buffer(desk, 0);
}

static void break_many_buffers(struct desk *desk)
{
	for (uint32_t i = 2; i <= FRAME_BUFFERS_MAX + 1 && !desk->gone; i++)
		send_buffer(desk, i);
}

static void break_remove(struct desk *desk)
{
	struct frame_buffer_remove remove = { .header.type = FRAME_MESSAGE_BUFFER_REMOVE,
		.buffer = 2 };
	send_message(desk, &remove, sizeof(remove), -1);
}

static void break_head_number(struct desk *desk)
{
	send_head(desk, FRAME_HEADS_MAX, 0, WIDTH);
}

static void break_head_width(struct desk *desk)
{
	send_head(desk, 0, 0, FRAME_SIZE_MAX + 1);
}

static void break_head_empty(struct desk *desk)
{
	send_head(desk, 0, 0, 0);
}

static void break_head_place(struct desk *desk)
{
	send_head(desk, 0, FRAME_DESKTOP_MAX - WIDTH + 1, WIDTH);
}

static void break_frame_head(struct desk *desk)
{
	send_frame(desk, UINT32_MAX, 1, 0, 1);
}

static void break_frame_buffer(struct desk *desk)
{
	send_frame(desk, 0, 9, 0, 1);
}

static void break_frame_source(struct desk *desk)
{
	send_frame(desk, 0, 1, 1, 1);
}

static void break_frame_rects(struct desk *desk)
{
	send_frame(desk, 0, 1, 0, FRAME_RECTS_MAX + 1);
}

static void break_cursor_head(struct desk *desk)
{
	struct frame_cursor_move move = { .header.type = FRAME_MESSAGE_CURSOR_MOVE, .head = 99 };
	send_message(desk, &move, sizeof(move), -1);
}

static void break_type(struct desk *desk)
{
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_RELEASE };
	send_message(desk, &hello, sizeof(hello), -1);
}

static void break_size(struct desk *desk)
{
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_HEAD_ON };
	send_message(desk, &hello, sizeof(hello), -1);
}

static void test_breaches(void)
{
	static void (*const breaches[])(struct desk *) = {
		break_hello,
		break_buffer_twice,
		break_buffer_zero,
		break_many_buffers,
		break_remove,
		break_head_number,
		break_head_width,
		break_head_empty,
		break_head_place,
		break_frame_head,
		break_frame_buffer,
		break_frame_source,
		break_frame_rects,
		break_cursor_head,
		break_type,
		break_size,
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(breaches); i++) {
		struct desk desk;
		start(&desk);
		g_assert_cmpuint(desk.gone, ==, 0);
		breaches[i](&desk);
		iterate();
		g_test_message("breach %u", i);
		g_assert_cmpuint(desk.gone, ==, 1);
		g_assert_cmpuint(desk.frames, ==, 0);
		finish(&desk);
	}
}

/* A monitor that is wished beside others lies further away than one is wide. */
static void test_far_head(void)
{
	struct desk desk;
	start(&desk);
	send_head(&desk, 1, FRAME_DESKTOP_MAX - WIDTH, WIDTH);
	g_assert_cmpuint(desk.heads_on, ==, 2);
	g_assert_cmpuint(desk.gone, ==, 0);
	finish(&desk);
}

static void test_hello_first(void)
{
	struct desk desk = { 0 };
	int fds[2];
	g_assert_cmpint(link_pair(fds), ==, 0);
	desk.render = fds[0];
	desk.link = frame_receiver_create(fds[1], &ops, &desk);
	send_head(&desk, 0, 0, WIDTH);
	g_assert_cmpuint(desk.gone, ==, 1);
	g_assert_cmpuint(desk.heads_on, ==, 0);
	finish(&desk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_test_add_func("/frame-link/serves", test_serves);
	g_test_add_func("/frame-link/far-head", test_far_head);
	g_test_add_func("/frame-link/release-from-a-thread", test_release_from_a_thread);
	g_test_add_func("/frame-link/frame-outlives-link", test_frame_outlives_link);
	g_test_add_func("/frame-link/full-socket", test_full_socket);
	g_test_add_func("/frame-link/fences", test_fences);
	g_test_add_func("/frame-link/fence-outlives-link", test_fence_outlives_link);
	g_test_add_func("/frame-link/unread-releases", test_unread_releases);
	g_test_add_func("/frame-link/breaches", test_breaches);
	g_test_add_func("/frame-link/hello-first", test_hello_first);
	return g_test_run();
}
