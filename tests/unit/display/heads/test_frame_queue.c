/* SPDX-License-Identifier: MIT */
/*
 * frame_queue: checks that frames are delivered in order and only when their pixels may be read,
 * that one head does not wait for another, that few wait, and that every frame and descriptor is
 * let go of once.
 */
#include "display/heads/frame_queue.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/display/heads/frames.h"

#define WIDTH 16u
#define HEIGHT 8u

struct desk {
	struct frames frames;
	struct frame_queue *queue;
	GString *delivered; /* "head.serial " of each */
	struct rect rect;   /* the last one's first rectangle */
	unsigned n_rects, failed;
	bool refuse, destroy; /* what the callee does at the next delivery */
};

static bool on_deliver(void *user, struct frame *frame, const struct frame_present *message)
{
	struct desk *desk = user;
	g_string_append_printf(desk->delivered, "%u.%u ", message->head, (unsigned)frame->serial);
	desk->n_rects = message->n_rects;
	desk->rect = message->rects[0];
	frame_unref(frame);
	if (desk->destroy)
		g_clear_pointer(&desk->queue, frame_queue_destroy);
	return !desk->refuse;
}

static void on_failed(void *user)
{
	((struct desk *)user)->failed++;
}

static void desk_init(struct desk *desk)
{
	*desk = (struct desk){ .delivered = g_string_new(NULL) };
	frames_init(&desk->frames, WIDTH, HEIGHT, WIDTH * 4, true);
	desk->queue = frame_queue_create(on_deliver, on_failed, desk);
}

static void desk_finish(struct desk *desk)
{
	g_clear_pointer(&desk->queue, frame_queue_destroy);
	frames_finish(&desk->frames);
	g_string_free(desk->delivered, TRUE);
}

/*
 * Makes a fence that is not signalled yet. `theirs` is for the queue, which closes it; the test
 * closes the returned end.
 */
static int make_fence(int *theirs)
{
	int fence = eventfd(0, EFD_CLOEXEC);
	*theirs = dup(fence);
	g_assert_cmpint(*theirs, >=, 0);
	return fence;
}

static void signal_fence(int fence)
{
	g_assert_cmpint(eventfd_write(fence, 1), ==, 0);
	close(fence);
	while (g_main_context_iteration(NULL, FALSE))
		continue;
}

static bool push(struct desk *desk, unsigned head, unsigned serial, int fence)
{
	struct frame_present message = { .head = head, .serial = serial, .n_rects = 2 };
	message.rects[0] = (struct rect){ serial, 0, 1, 1 };
	return frame_queue_push(
		desk->queue, frames_make(&desk->frames, head, serial), &message, fence);
}

static void test_order(void)
{
	struct desk desk;
	int first, second, theirs[2];
	desk_init(&desk);
	first = make_fence(&theirs[0]);
	second = make_fence(&theirs[1]);
	g_assert_true(push(&desk, 0, 1, theirs[0]));
	g_assert_true(push(&desk, 0, 2, theirs[1]));
	g_assert_true(push(&desk, 1, 3, -1));
	g_assert_cmpstr(desk.delivered->str, ==, "1.3 ");
	signal_fence(second);
	g_assert_cmpstr(desk.delivered->str, ==, "1.3 ");
	signal_fence(first);
	g_assert_cmpstr(desk.delivered->str, ==, "1.3 0.1 0.2 ");
	g_assert_cmpint(fcntl(theirs[0], F_GETFD), <, 0);
	g_assert_cmpint(fcntl(theirs[1], F_GETFD), <, 0);
	desk_finish(&desk);
}

/* A frame without a fence does not overtake one that waits. */
static void test_ready_ones_wait_too(void)
{
	struct desk desk;
	int theirs, fence = make_fence(&theirs);
	desk_init(&desk);
	push(&desk, 0, 1, theirs);
	push(&desk, 0, 2, -1);
	g_assert_cmpstr(desk.delivered->str, ==, "");
	signal_fence(fence);
	g_assert_cmpstr(desk.delivered->str, ==, "0.1 0.2 ");
	g_assert_cmpuint(desk.n_rects, ==, 2);
	desk_finish(&desk);
}

/* Past FRAME_QUEUE_MAX the newest frame takes the last one's place, with damage all over. */
static void test_few_wait(void)
{
	struct desk desk;
	int theirs, fence = make_fence(&theirs);
	desk_init(&desk);
	push(&desk, 0, 1, theirs);
	for (unsigned serial = 2; serial < 10; serial++) {
		push(&desk, 0, serial, -1);
		g_assert_cmpuint(frames_held(&desk.frames), <=, FRAME_QUEUE_MAX);
	}
	signal_fence(fence);
	g_assert_cmpstr(desk.delivered->str, ==, "0.1 0.9 ");
	g_assert_cmpuint(desk.n_rects, ==, 1);
	g_assert_cmpuint(desk.rect.width, ==, WIDTH);
	g_assert_cmpuint(desk.rect.height, ==, HEIGHT);
	desk_finish(&desk);
}

/* A frame whose fence is signalled already is delivered at once, and the fence is closed. */
static void test_signalled_already(void)
{
	struct desk desk;
	int theirs, fence = make_fence(&theirs);
	desk_init(&desk);
	signal_fence(fence);
	g_assert_true(push(&desk, 0, 1, theirs));
	g_assert_cmpstr(desk.delivered->str, ==, "0.1 ");
	g_assert_cmpint(fcntl(theirs, F_GETFD), <, 0);
	desk_finish(&desk);
}

static void test_drop(void)
{
	struct desk desk;
	int theirs, fence = make_fence(&theirs), other_theirs, other = make_fence(&other_theirs);
	desk_init(&desk);
	push(&desk, 0, 1, theirs);
	push(&desk, 0, 2, -1);
	push(&desk, 1, 3, other_theirs);
	frame_queue_drop(desk.queue, 0);
	g_assert_cmpuint(frames_held(&desk.frames), ==, 1);
	g_assert_cmpint(fcntl(theirs, F_GETFD), <, 0);
	signal_fence(fence);
	g_assert_cmpstr(desk.delivered->str, ==, "");
	g_assert_true(push(&desk, 0, 4, -1));
	signal_fence(other);
	g_assert_cmpstr(desk.delivered->str, ==, "0.4 1.3 ");
	desk_finish(&desk);
}

/* The answer drops a peer at once, `failed` drops it later; then the queue may be gone. */
static void test_refused(void)
{
	struct desk desk;
	int theirs, fence = make_fence(&theirs);
	desk_init(&desk);
	desk.refuse = true;
	g_assert_false(push(&desk, 0, 1, -1));
	g_assert_cmpuint(desk.failed, ==, 0);
	push(&desk, 0, 2, theirs);
	push(&desk, 0, 3, -1);
	signal_fence(fence);
	g_assert_cmpuint(desk.failed, ==, 1);
	g_assert_cmpstr(desk.delivered->str, ==, "0.1 0.2 ");
	desk_finish(&desk);
}

static void test_destroyed_by_the_callee(void)
{
	struct desk desk;
	desk_init(&desk);
	desk.refuse = desk.destroy = true;
	g_assert_false(push(&desk, 0, 1, -1));
	g_assert_null(desk.queue);
	desk_finish(&desk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/frame_queue/order", test_order);
	g_test_add_func("/frame_queue/ready-ones-wait-too", test_ready_ones_wait_too);
	g_test_add_func("/frame_queue/few-wait", test_few_wait);
	g_test_add_func("/frame_queue/signalled-already", test_signalled_already);
	g_test_add_func("/frame_queue/drop", test_drop);
	g_test_add_func("/frame_queue/refused", test_refused);
	g_test_add_func("/frame_queue/destroyed-by-the-callee", test_destroyed_by_the_callee);
	return g_test_run();
}
