/* SPDX-License-Identifier: MIT */
/*
 * frame_sender: tests render's end of the frame link: what display is told, what it is lent, and a
 * display that misbehaves.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/link.h"
#include "render/scanout/frame_sender.h"

#define SIDE 16u

struct fixture {
	struct frame_sender *link;
	int display_fd;
	unsigned n_hello, n_add, n_remove, n_on, n_off, n_frames;
	struct frame_present frame;
	unsigned n_wanted, n_rates, n_released, n_formats;
	uint32_t was_mhz;
};

static void heads_wanted(void *user, const struct frame_heads_wanted *wanted)
{
	((struct fixture *)user)->n_wanted++;
}

static void rate_changed(void *user, unsigned head, uint32_t was_mhz)
{
	struct fixture *f = user;
	f->n_rates++;
	f->was_mhz = was_mhz;
}

static void released(void *user, unsigned head)
{
	((struct fixture *)user)->n_released++;
}

static void formats_changed(void *user, unsigned head)
{
	((struct fixture *)user)->n_formats++;
}

static const struct frame_sender_listener listener = { .heads_wanted = heads_wanted,
	.rate_changed = rate_changed,
	.released = released,
	.formats_changed = formats_changed };

static void attach(struct fixture *f)
{
	int pair[2];
	g_assert_cmpint(link_pair(pair), ==, 0);
	if (f->display_fd >= 0)
		close(f->display_fd);
	f->display_fd = pair[0];
	frame_sender_attach(f->link, pair[1]);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	f->display_fd = -1;
	f->link = frame_sender_create(&listener, f);
	attach(f);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	frame_sender_destroy(f->link);
	close(f->display_fd);
}

#define COUNT(name, member)                                                                        \
	static bool name(void *user, const void *message, int *fds, unsigned n_fds)                \
	{                                                                                          \
		((struct fixture *)user)->member++;                                                \
		return true;                                                                       \
	}
COUNT(on_hello, n_hello)
COUNT(on_add, n_add)
COUNT(on_remove, n_remove)
COUNT(on_on, n_on)
COUNT(on_off, n_off)

static bool on_frame(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->n_frames++;
	f->frame = *(const struct frame_present *)message;
	return true;
}

static const struct link_handler display[] = {
	{ FRAME_MESSAGE_HELLO, "HELLO", sizeof(struct frame_hello), 0, 0, on_hello },
	{ FRAME_MESSAGE_BUFFER_ADD, "ADD", sizeof(struct frame_buffer_add), 1, 1, on_add },
	{ FRAME_MESSAGE_BUFFER_REMOVE, "REMOVE", sizeof(struct frame_buffer_remove), 0, 0,
		on_remove },
	{ FRAME_MESSAGE_HEAD_ON, "ON", sizeof(struct frame_head_on), 0, 0, on_on },
	{ FRAME_MESSAGE_HEAD_OFF, "OFF", sizeof(struct frame_head_off), 0, 0, on_off },
	{ FRAME_MESSAGE_PRESENT, "FRAME", sizeof(struct frame_present), 0, 1, on_frame },
};

static void look(struct fixture *f)
{
	while (link_dispatch(f->display_fd, "render", display, G_N_ELEMENTS(display), f) == 1)
		;
}

#define SAY(f, message, type_)                                                                     \
	do {                                                                                       \
		(message).header.type = (type_);                                                   \
		g_assert_cmpint(                                                                   \
			link_send((f)->display_fd, &(message), sizeof(message), NULL, 0), ==, 0);  \
	} while (0)

static void want_rate(struct fixture *f, uint32_t head, uint32_t rate_mhz)
{
	struct frame_rate_wanted rate = { .head = head, .rate_mhz = rate_mhz };
	SAY(f, rate, FRAME_MESSAGE_RATE_WANTED);
	frame_sender_receive(f->link, 1);
}

static void release(struct fixture *f, uint32_t buffer, uint64_t serial)
{
	struct frame_release message = { .buffer = buffer, .serial = serial };
	SAY(f, message, FRAME_MESSAGE_RELEASE);
	frame_sender_receive(f->link, 1);
}

static int send(struct fixture *f, struct buffer *buffer)
{
	struct frame_present frame = { .head = 0, .n_rects = 1, .rects = { { 0, 0, SIDE, SIDE } } };
	int result = frame_sender_send_frame(f->link, &frame, buffer);
	look(f);
	return result;
}

/* A buffer is announced once, lent with each frame, and free when all are released. */
static void test_lending(struct fixture *f, gconstpointer data)
{
	struct buffer *buffer = buffer_create(&buffer_memfd, SIDE, SIDE, NULL);
	g_assert_false(frame_sender_wants_frame(f->link, 0));
	want_rate(f, 0, 60000);
	g_assert_cmpuint(f->was_mhz, ==, 0);
	g_assert_true(frame_sender_wants_frame(f->link, 0));
	for (unsigned i = 0; i < FRAME_SENDER_OUTSTANDING_MAX; i++)
		g_assert_cmpint(send(f, buffer), ==, 0);
	g_assert_cmpuint(f->n_add, ==, 1);
	g_assert_cmpuint(f->n_frames, ==, FRAME_SENDER_OUTSTANDING_MAX);
	g_assert_cmpuint(buffer->locked, ==, FRAME_SENDER_OUTSTANDING_MAX);
	g_assert_false(frame_sender_wants_frame(f->link, 0));
	g_assert_cmpint(send(f, buffer), ==, -EAGAIN);
	release(f, f->frame.buffer, 1);
	g_assert_cmpuint(f->n_released, ==, 1);
	g_assert_cmpuint(buffer->locked, ==, FRAME_SENDER_OUTSTANDING_MAX - 1);
	/* A frame that was not lent, or not in that buffer, is not released. */
	release(f, f->frame.buffer, 1);
	release(f, f->frame.buffer + 1, 2);
	g_assert_cmpuint(buffer->locked, ==, FRAME_SENDER_OUTSTANDING_MAX - 1);
	buffer_unref(buffer);
	for (uint64_t serial = 2; serial <= FRAME_SENDER_OUTSTANDING_MAX; serial++)
		release(f, f->frame.buffer, serial);
	look(f);
	g_assert_cmpuint(f->n_remove, ==, 1);
}

/* A display that goes, or a new one, holds nothing any more and is told everything again. */
static void test_new_display(struct fixture *f, gconstpointer data)
{
	struct buffer *buffer = buffer_create(&buffer_memfd, SIDE, SIDE, NULL);
	struct frame_head_on on = { .head = 0, .width = SIDE, .height = SIDE };
	want_rate(f, 0, 60000);
	frame_sender_set_head(f->link, 0, &on);
	frame_sender_set_head(f->link, 0, &on);
	g_assert_cmpint(send(f, buffer), ==, 0);
	g_assert_cmpuint(f->n_on, ==, 1);
	attach(f);
	look(f);
	g_assert_cmpuint(buffer->locked, ==, 0);
	g_assert_cmpuint(f->n_hello, ==, 2);
	g_assert_cmpuint(f->n_on, ==, 2);
	g_assert_cmpuint(frame_sender_get_rate(f->link, 0), ==, 0);
	want_rate(f, 0, 60000);
	g_assert_cmpint(send(f, buffer), ==, 0);
	g_assert_cmpuint(f->n_add, ==, 2);
	frame_sender_set_head(f->link, 0, NULL);
	look(f);
	g_assert_cmpuint(f->n_off, ==, 1);
	close(f->display_fd);
	f->display_fd = -1;
	frame_sender_receive(f->link, 1);
	g_assert_cmpint(frame_sender_get_fd(f->link), ==, -1);
	g_assert_cmpuint(buffer->locked, ==, 0);
	buffer_unref(buffer);
	attach(f);
}

/*
 * A display that goes right after it has given back a picture that nobody else has: telling it that
 * the buffer is gone finds out that display is, too, in the middle of the giving back.
 */
static void test_gone_after_release(struct fixture *f, gconstpointer data)
{
	struct frame_release message = { .serial = 1 };
	struct buffer *buffer = buffer_create(&buffer_memfd, SIDE, SIDE, NULL);
	want_rate(f, 0, 60000);
	g_assert_cmpint(send(f, buffer), ==, 0);
	message.buffer = f->frame.buffer;
	buffer_unref(buffer);
	SAY(f, message, FRAME_MESSAGE_RELEASE);
	close(f->display_fd);
	f->display_fd = -1;
	frame_sender_receive(f->link, 1);
	g_assert_cmpint(frame_sender_get_fd(f->link), <, 0);
	g_assert_cmpuint(f->n_released, ==, 1);
	attach(f);
	look(f);
	g_assert_cmpuint(f->n_remove, ==, 0);
}

/*
 * To a display that does not read, frames are refused; state waits for room and is then told whole.
 */
static void test_full(struct fixture *f, gconstpointer data)
{
	struct frame_head_on on = { .head = 0, .height = SIDE };
	for (on.width = 1; !frame_sender_wants_room(f->link); on.width++)
		frame_sender_set_head(f->link, 0, &on);
	look(f);
	unsigned n_on = f->n_on;
	frame_sender_send_waiting(f->link);
	look(f);
	g_assert_cmpuint(f->n_on, ==, n_on + 1);
	g_assert_false(frame_sender_wants_room(f->link));
}

/* A display that speaks nonsense is dropped, and the renderer goes on without one. */
static void test_nonsense(struct fixture *f, gconstpointer data)
{
	struct frame_formats_wanted formats = { .head = FRAME_HEADS_MAX };
	struct frame_heads_wanted heads = { .n_heads = FRAME_HEADS_MAX + 1 };
	struct frame_hello hello = { .version = FRAME_LINK_VERSION + 1 };
	want_rate(f, FRAME_HEADS_MAX, 1);
	g_assert_cmpint(frame_sender_get_fd(f->link), ==, -1);
	attach(f);
	SAY(f, formats, FRAME_MESSAGE_FORMATS_WANTED);
	frame_sender_receive(f->link, 1);
	g_assert_cmpint(frame_sender_get_fd(f->link), ==, -1);
	attach(f);
	SAY(f, heads, FRAME_MESSAGE_HEADS_WANTED);
	frame_sender_receive(f->link, 1);
	g_assert_cmpint(frame_sender_get_fd(f->link), ==, -1);
	attach(f);
	SAY(f, hello, FRAME_MESSAGE_HELLO);
	frame_sender_receive(f->link, 1);
	g_assert_cmpint(frame_sender_get_fd(f->link), ==, -1);
	g_assert_cmpuint(f->n_wanted + f->n_rates + f->n_formats, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/frame-sender/lending", test_lending },
		{ "/frame-sender/new-display", test_new_display },
		{ "/frame-sender/gone-after-release", test_gone_after_release },
		{ "/frame-sender/full", test_full },
		{ "/frame-sender/nonsense", test_nonsense },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
