/* SPDX-License-Identifier: MIT */
/* scanout: checks what heads show of 2D resources, and what display is told and sent of it. */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/link.h"
#include "common/shm.h"
#include "render/objects/ledger_book.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"
#include "tests/unit/render/picture_limits.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define SIDE 64u

static const struct rect all = { 0, 0, SIDE, SIDE };
static const struct rect corner = { 16, 16, 32, 32 };

struct fixture {
	struct objects *objects;
	struct scanouts *scanouts;
	int ledger_fd, display_fd;
	unsigned n_on, n_off, n_frames;
	struct frame_head_on on, first_on; /* the last, and the last of head 0 */
	struct frame_present frame;
};

static void attach(struct fixture *f)
{
	int pair[2];
	g_assert_cmpint(link_pair(pair), ==, 0);
	if (f->display_fd >= 0)
		close(f->display_fd);
	f->display_fd = pair[0];
	scanouts_use_link(f->scanouts, pair[1]);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	const struct quota_limits limits = picture_limits(16u << 20);
	f->objects = objects_create(&limits);
	f->scanouts = scanouts_create(f->objects, false);
	f->ledger_fd = shm_create("ledger", sizeof(struct ledger));
	objects_set_ledger(f->objects, ledger_book_open(f->ledger_fd));
	f->display_fd = -1;
	attach(f);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	scanouts_destroy(f->scanouts);
	objects_destroy(f->objects);
	close(f->ledger_fd);
	close(f->display_fd);
}

/* ---- display ---- */

static bool on_on(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->n_on++;
	f->on = *(const struct frame_head_on *)message;
	if (f->on.head == 0)
		f->first_on = f->on;
	return true;
}

static bool on_off(void *user, const void *message, int *fds, unsigned n_fds)
{
	((struct fixture *)user)->n_off++;
	return true;
}

static bool on_frame(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->n_frames++;
	f->frame = *(const struct frame_present *)message;
	return true;
}

static bool ignore(void *user, const void *message, int *fds, unsigned n_fds)
{
	return true;
}

static const struct link_handler display[] = {
	{ FRAME_MESSAGE_HELLO, "HELLO", sizeof(struct frame_hello), 0, 0, ignore },
	{ FRAME_MESSAGE_BUFFER_ADD, "ADD", sizeof(struct frame_buffer_add), 1, 1, ignore },
	{ FRAME_MESSAGE_BUFFER_REMOVE, "REMOVE", sizeof(struct frame_buffer_remove), 0, 0, ignore },
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
		scanouts_serve_link((f)->scanouts, POLLIN);                                        \
		scanouts_follow_display((f)->scanouts);                                            \
		look(f);                                                                           \
	} while (0)

static void want_rate(struct fixture *f, unsigned head, uint32_t rate_mhz)
{
	struct frame_rate_wanted rate = { .head = head, .rate_mhz = rate_mhz };
	SAY(f, rate, FRAME_MESSAGE_RATE_WANTED);
}

static void release(struct fixture *f)
{
	struct frame_release message = {
		.head = f->frame.head, .buffer = f->frame.buffer, .serial = f->frame.serial
	};
	SAY(f, message, FRAME_MESSAGE_RELEASE);
}

/* ---- guest ---- */

static struct resource *create(struct fixture *f, uint32_t id)
{
	struct ledger_resource d = {
		.id = id, .format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, .width = SIDE, .height = SIDE
	};
	g_assert_cmphex(objects_create_resource(f->objects, &d), ==, OK);
	return objects_find_resource(f->objects, id);
}

static void flush(struct fixture *f, struct resource *resource, const struct rect *rect)
{
	scanout_flush_resource(f->scanouts, resource, rect);
	look(f);
}

static struct resource *show(struct fixture *f, unsigned head, const struct rect *rect)
{
	struct resource *resource = create(f, 5 + head);
	g_assert_cmphex(scanout_set(f->scanouts, head, resource, rect), ==, OK);
	look(f);
	return resource;
}

static const struct ledger_scanout *listed(struct fixture *f, unsigned head)
{
	return &objects_peek_ledger(f->objects)->scanouts[head];
}

/* ---- cases ---- */

static void test_on_and_off(struct fixture *f, gconstpointer data)
{
	struct resource *resource = show(f, 3, &corner);
	g_assert_cmpuint(f->n_on, ==, 1);
	g_assert_cmpuint(f->on.head, ==, 3);
	g_assert_cmpuint(f->on.width, ==, corner.width);
	g_assert_cmphex(resource->scanouts, ==, 1u << 3);
	g_assert_cmpuint(listed(f, 3)->resource, ==, resource->id);
	g_assert_cmpuint(listed(f, 3)->x, ==, corner.x);
	/* Setting the same once more changes nothing. */
	g_assert_cmphex(scanout_set(f->scanouts, 3, resource, &corner), ==, OK);
	g_assert_cmphex(scanout_disable(f->scanouts, 3), ==, OK);
	look(f);
	g_assert_cmpuint(f->n_on, ==, 1);
	g_assert_cmpuint(f->n_off, ==, 1);
	g_assert_cmphex(resource->scanouts, ==, 0);
	g_assert_cmpuint(listed(f, 3)->resource, ==, 0);
}

/* Heads that show a resource let go of it before it is gone; others stay. */
static void test_going(struct fixture *f, gconstpointer data)
{
	struct resource *shared = show(f, 0, &all), *other = show(f, 2, &all);
	g_assert_cmphex(scanout_set(f->scanouts, 1, shared, &corner), ==, OK);
	objects_remove_resource(f->objects, shared);
	look(f);
	g_assert_cmpuint(f->n_off, ==, 2);
	g_assert_null(scanout_get_resource(f->scanouts, 0));
	g_assert_null(scanout_get_resource(f->scanouts, 1));
	g_assert_true(scanout_get_resource(f->scanouts, 2) == other);
}

/* A flush over the rate is refused, and the next frame shows what it would have shown. */
static void test_rate(struct fixture *f, gconstpointer data)
{
	struct resource *resource = show(f, 0, &all);
	flush(f, resource, &all);
	want_rate(f, 0, 60000);
	release(f);
	g_assert_cmpuint(f->n_frames, ==, 1);
	const struct rect small = { 3, 3, 1, 1 };
	while (scanout_flush_resource(f->scanouts, resource, &small))
		;
	look(f);
	unsigned n_frames = f->n_frames;
	g_assert_false(scanout_flush_resource(f->scanouts, resource, &corner));
	look(f);
	g_assert_cmpuint(f->n_frames, ==, n_frames);
	release(f);
	g_assert_cmpuint(f->n_frames, ==, n_frames + 1);
	bool seen = false;
	for (unsigned i = 0; i < f->frame.n_rects; i++)
		seen |= rect_contains(&f->frame.rects[i], &corner);
	g_assert_true(seen);
	g_usleep(G_USEC_PER_SEC * 11 / 10);
	g_assert_true(scanout_flush_resource(f->scanouts, resource, &small));
}

/* Display is told damage in the head's coordinates, as soon as it wants pictures. */
static void test_damage(struct fixture *f, gconstpointer data)
{
	struct resource *resource = show(f, 0, &corner);
	flush(f, resource, &all);
	g_assert_cmpuint(f->n_frames, ==, 0);
	want_rate(f, 0, 60000);
	g_assert_cmpuint(f->n_frames, ==, 1);
	g_assert_cmpuint(f->frame.source_x, ==, corner.x);
	g_assert_cmpuint(f->frame.n_rects, ==, 1);
	g_assert_cmpuint(f->frame.rects[0].width, ==, corner.width);
	release(f);
	flush(f, resource, &(struct rect){ 0, 0, 20, 20 });
	g_assert_cmpuint(f->n_frames, ==, 2);
	g_assert_cmpuint(f->frame.rects[0].x, ==, 0);
	g_assert_cmpuint(f->frame.rects[0].width, ==, 4);
	/* A change that the head does not show is no damage. */
	flush(f, resource, &(struct rect){ 0, 0, 16, 16 });
	g_assert_cmpuint(f->n_frames, ==, 2);
}

/* A display that holds all it may gets the rest in one frame when it lets go. */
static void test_held(struct fixture *f, gconstpointer data)
{
	struct resource *resource = show(f, 0, &all);
	want_rate(f, 0, 60000);
	for (uint32_t i = 0; i < 20; i++)
		flush(f, resource, &(struct rect){ i, i, 1, 1 });
	g_assert_cmpuint(f->n_frames, ==, FRAME_LOCKED_MAX + 1);
	release(f);
	g_assert_cmpuint(f->n_frames, ==, FRAME_LOCKED_MAX + 2);
	g_assert_cmpuint(f->frame.n_rects, >=, 1);
}

/* Nothing is shown before the guest has flushed; a successor knows that it did. */
static void test_flushed(struct fixture *f, gconstpointer data)
{
	show(f, 0, &all);
	want_rate(f, 0, 60000);
	g_assert_cmpuint(f->n_frames, ==, 0);
	scanout_set_flushed(f->scanouts, 0);
	scanouts_pump(f->scanouts);
	look(f);
	g_assert_cmpuint(f->n_frames, ==, 1);
}

/* A new display is told of heads and gets whole pictures; it is told of a new mode, too. */
static void test_new_display(struct fixture *f, gconstpointer data)
{
	struct resource *resource = show(f, 0, &all);
	want_rate(f, 0, 60000);
	flush(f, resource, &corner);
	attach(f);
	want_rate(f, 0, 60000);
	g_assert_cmpuint(f->n_on, ==, 2);
	g_assert_cmpuint(f->n_frames, ==, 2);
	g_assert_cmpuint(f->frame.rects[0].width, ==, SIDE);
	struct frame_heads_wanted wanted = { .n_heads = 1,
		.heads[0] = { .enabled = 1, .x = 100, .width = 800, .height = 600 } };
	SAY(f, wanted, FRAME_MESSAGE_HEADS_WANTED);
	g_assert_cmpuint(f->n_on, ==, 3);
	g_assert_cmpuint(f->on.x, ==, 100);
	/* The picture has the size that the guest gave it. */
	g_assert_cmpuint(f->on.width, ==, SIDE);
}

static void expect_places(struct fixture *f, uint32_t first_x, uint32_t second_x)
{
	attach(f);
	look(f);
	/* On a new link all heads are told of, the last one last. */
	g_assert_cmpuint(f->on.head, ==, 1);
	g_assert_cmpuint(f->on.x, ==, second_x);
	g_assert_cmpuint(f->first_on.head, ==, 0);
	g_assert_cmpuint(f->first_on.x, ==, first_x);
}

/* A picture that lies across heads says where they are, whatever was wished; others do not. */
static void test_places(struct fixture *f, gconstpointer data)
{
	const struct rect left = { 0, 0, 32, SIDE }, right = { 32, 0, 32, SIDE };
	struct frame_heads_wanted wanted = { .n_heads = 2,
		.heads = { { .enabled = 1, .x = SIDE, .width = SIDE, .height = SIDE },
			{ .enabled = 1, .x = 0, .width = SIDE, .height = SIDE } } };
	struct resource *first = show(f, 0, &all), *second = show(f, 1, &all);
	SAY(f, wanted, FRAME_MESSAGE_HEADS_WANTED);
	expect_places(f, SIDE, 0);
	/* One head alone that shows a part of something is no span. */
	g_assert_cmphex(scanout_set(f->scanouts, 1, second, &right), ==, OK);
	expect_places(f, right.width, 0);
	g_assert_cmphex(scanout_set(f->scanouts, 0, second, &left), ==, OK);
	expect_places(f, 0, 32);
	/* While the guest flips, they stay. */
	g_assert_cmphex(scanout_set(f->scanouts, 0, first, &left), ==, OK);
	expect_places(f, 0, 32);
	g_assert_cmphex(scanout_set(f->scanouts, 1, first, &right), ==, OK);
	expect_places(f, 0, 32);
	/* A picture of its own for each head again. */
	g_assert_cmphex(scanout_set(f->scanouts, 0, first, &all), ==, OK);
	g_assert_cmphex(scanout_set(f->scanouts, 1, second, &all), ==, OK);
	expect_places(f, SIDE, 0);
}

/* A client may wish for more than display takes: the head lies as far away as there is room. */
static void test_far(struct fixture *f, gconstpointer data)
{
	struct frame_heads_wanted wanted = { .n_heads = 2,
		.heads = { { .enabled = 1, .width = SIDE, .height = SIDE },
			{ .enabled = 1, .x = UINT32_MAX, .width = SIDE, .height = SIDE } } };
	show(f, 0, &all);
	show(f, 1, &all);
	SAY(f, wanted, FRAME_MESSAGE_HEADS_WANTED);
	expect_places(f, 0, FRAME_DESKTOP_MAX - SIDE);
	wanted.heads[1].x = FRAME_SIZE_MAX + 1;
	SAY(f, wanted, FRAME_MESSAGE_HEADS_WANTED);
	expect_places(f, 0, FRAME_SIZE_MAX + 1);
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
		{ "/scanout/on-and-off", test_on_and_off },
		{ "/scanout/going", test_going },
		{ "/scanout/damage", test_damage },
		{ "/scanout/held", test_held },
		{ "/scanout/flushed", test_flushed },
		{ "/scanout/rate", test_rate },
		{ "/scanout/new-display", test_new_display },
		{ "/scanout/places", test_places },
		{ "/scanout/far", test_far },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
