/* SPDX-License-Identifier: MIT */
/*
 * head: checks that the newest frame stays with the union of damage, that modes and blanks void
 * what was pending, and that with one thread that puts in and one that takes out no frame is lost
 * or kept.
 */
#include "display/heads/head.h"

#include "tests/unit/display/heads/frames.h"

#define WIDTH 64u
#define HEIGHT 32u
#define PUSHES 20000u

static void push(struct head *head, struct frames *frames, uint64_t serial, struct rect rect)
{
	head_push_frame(head, frames_make(frames, 0, serial), &rect, 1);
}

static struct head *make_head(struct frames *frames)
{
	struct head *head = head_create(0);
	frames_init(frames, WIDTH, HEIGHT, WIDTH * 4, true);
	head_resize(head, WIDTH, HEIGHT);
	return head;
}

static void test_newest_stays(void)
{
	struct frames frames;
	struct head *head = make_head(&frames);
	push(head, &frames, 1, (struct rect){ 0, 0, 4, 4 });
	push(head, &frames, 2, (struct rect){ 30, 20, 1000, 1000 });
	g_assert_cmpuint(head->newest->serial, ==, 2);
	g_assert_cmpuint(frames_held(&frames), ==, 1);
	g_assert_cmpuint(damage_area(&head->pending), ==, 16 + 34 * 12);
	head_destroy(head);
	frames_finish(&frames);
}

/* Damage that lies outside counts as none, and a frame without any is not kept. */
static void test_no_damage(void)
{
	struct frames frames;
	struct head *head = make_head(&frames);
	push(head, &frames, 1, (struct rect){ WIDTH, 0, 4, 4 });
	g_assert_null(head->newest);
	g_assert_cmpuint(frames_held(&frames), ==, 0);
	/* But a frame without damage replaces one whose damage is still to be shown. */
	push(head, &frames, 2, (struct rect){ 0, 0, 4, 4 });
	push(head, &frames, 3, (struct rect){ WIDTH, 0, 4, 4 });
	g_assert_cmpuint(head->newest->serial, ==, 3);
	head_destroy(head);
	frames_finish(&frames);
}

static void expect_nothing(struct head *head, struct frames *frames)
{
	g_assert_null(head->newest);
	g_assert_true(damage_is_empty(&head->pending));
	g_assert_cmpuint(frames_held(frames), ==, 0);
}

static void test_what_voids(void)
{
	const struct rect all = { 0, 0, WIDTH, HEIGHT };
	struct frames frames;
	struct head *head = make_head(&frames);
	unsigned mode = head->mode;
	push(head, &frames, 1, all);
	head_push_blank(head);
	g_assert_true(head->blank);
	expect_nothing(head, &frames);
	push(head, &frames, 2, all);
	head_drop_frame(head);
	expect_nothing(head, &frames);
	g_assert_cmpuint(head->mode, ==, mode);
	push(head, &frames, 3, all);
	head_resize(head, 8, 4);
	expect_nothing(head, &frames);
	g_assert_false(head->blank);
	g_assert_cmpuint(head->mode, ==, mode + 1);
	push(head, &frames, 4, all);
	g_assert_cmpuint(damage_area(&head->pending), ==, 8 * 4);
	head_destroy(head);
	frames_finish(&frames);
}

/* Takes frames as a painter does, and checks that what it sees fits together. */
struct taker {
	struct head *head;
	int stop; /* atomic */
	uint64_t last_serial;
	uint32_t damaged_to; /* pixel columns that were named so far */
};

static gpointer take_frames(gpointer user)
{
	struct taker *taker = user;
	struct head *head = taker->head;
	bool stop = false;
	while (!stop) {
		stop = g_atomic_int_get(&taker->stop);
		g_mutex_lock(&head->lock);
		struct frame *frame = g_steal_pointer(&head->newest);
		g_assert_true((frame != NULL) == !damage_is_empty(&head->pending));
		for (unsigned i = 0; i < head->pending.n_rects; i++)
			taker->damaged_to = MAX(taker->damaged_to, head->pending.rects[i].x + 1);
		damage_reset(&head->pending, head->width, head->height);
		g_mutex_unlock(&head->lock);
		if (!frame)
			continue;
		g_assert_cmpuint(frame->serial, >, taker->last_serial);
		taker->last_serial = frame->serial;
		frame_unref(frame);
	}
	return NULL;
}

static void test_two_threads(void)
{
	struct frames frames;
	struct taker taker = { .head = make_head(&frames) };
	GThread *thread = g_thread_new("taker", take_frames, &taker);
	for (uint32_t i = 1; i <= PUSHES; i++) {
		push(taker.head, &frames, i, (struct rect){ (i - 1) * WIDTH / PUSHES, 0, 1, 1 });
		if (i % 7 == 0)
			head_set_watched(taker.head, i % 2);
	}
	g_atomic_int_set(&taker.stop, 1);
	g_thread_join(thread);
	g_assert_cmpuint(taker.last_serial, ==, PUSHES);
	g_assert_cmpuint(taker.damaged_to, ==, WIDTH);
	expect_nothing(taker.head, &frames);
	head_destroy(taker.head);
	frames_finish(&frames);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/head/newest-stays", test_newest_stays);
	g_test_add_func("/head/no-damage", test_no_damage);
	g_test_add_func("/head/what-voids", test_what_voids);
	g_test_add_func("/head/two-threads", test_two_threads);
	return g_test_run();
}
