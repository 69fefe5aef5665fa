/* SPDX-License-Identifier: MIT */
/*
 * pacing: checks that a guest that outruns a head is held to its rate by its fences, and that
 * nobody and nothing else waits.
 *
 * That something was held shows in the schedule, for which no machine is too slow. That something
 * was not held is tried several times, as on a busy machine anything may take long.
 */
#include <signal.h>
#include <string.h>

#include "tests/wire/figures.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define ATTEMPTS 8
#define PAINTER 40
#define OTHER 60
/* This head is the slowest there is, so what is held is held for long. */
#define SLOW_MHZ 10000
#define SLOW_PERIOD_US 100000

struct stage {
	struct desktop *desktop;
	struct guest *guest;
	struct scene3d *scene; /* context and target PAINTER, on head 0 */
	uint64_t fence;
};

static const guest_rect ALL = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };

static void stage_init(struct stage *stage, uint32_t refresh_mhz, bool no_pacing)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.no_pacing = no_pacing,
	};
	struct frame_head_mode mode = {
		.enabled = 1, .width = 640, .height = 480, .refresh_mhz = refresh_mhz
	};
	*stage = (struct stage){ .desktop = desktop_create(&options), .fence = 100 };
	stage->guest = stage->desktop->guest;
	stage->scene = scene3d_create(stage->guest, PAINTER, true);
	wire_ok(guest_gpu_set_scanout(stage->guest, 0, PAINTER, ALL));
	consumer_link_heads(stage->desktop->consumer, &mode, 1);
	figures_wait(stage->desktop, "head 0 refresh_mhz", refresh_mhz);
	wire_ok(guest_gpu_ctx_create(stage->guest, OTHER, "other"));
}

static void stage_finish(struct stage *stage)
{
	scene3d_destroy(stage->scene, false);
	desktop_destroy(stage->desktop);
}

static struct guest_request *send_submit(struct stage *stage, uint32_t context)
{
	static const uint32_t nothing[1] = { 0 }; /* VIRGL_CCMD_NOP */
	size_t bytes;
	g_autofree void *submit = guest_gpu_make_submit(context, nothing, sizeof(nothing), &bytes);
	return guest_gpu_send_fenced(stage->guest, submit, bytes, ++stage->fence);
}

static void finish_last(struct stage *stage, struct guest_request *request)
{
	wire_ok(guest_gpu_finish_fenced(stage->guest, request, stage->fence));
}

static void flush(struct stage *stage)
{
	wire_ok(guest_gpu_flush(stage->guest, PAINTER, ALL));
}

static gint64 draw_and_flip(struct stage *stage, unsigned n)
{
	gint64 start = g_get_monotonic_time();
	for (unsigned i = 0; i < n; i++) {
		finish_last(stage, send_submit(stage, PAINTER));
		flush(stage);
	}
	return g_get_monotonic_time() - start;
}

static uint64_t count_held(struct stage *stage)
{
	return figures_get(stage->desktop, "head 0 fences_held");
}

/* Uses up the pictures that the schedule allows at once: what the painter submits next is held. */
static void run_ahead(struct stage *stage)
{
	draw_and_flip(stage, 3);
}

/*
 * A painter gets no more pictures than periods, and two more: one ahead, and the first, by which we
 * learn who paints.
 */
static void test_rate(const void *data)
{
	uint32_t refresh_mhz = GPOINTER_TO_UINT(data);
	gint64 period_us = (gint64)(UINT64_C(1000000000) / refresh_mhz);
	struct stage stage;
	stage_init(&stage, refresh_mhz, false);
	gint64 took_us = draw_and_flip(&stage, 30);
	g_test_message("30 pictures in %.1f periods", (double)took_us / (double)period_us);
	g_assert_cmpint(took_us, >=, 27 * period_us - 1000);
	stage_finish(&stage);
}

static void test_off(void)
{
	struct stage stage;
	stage_init(&stage, SLOW_MHZ, true);
	draw_and_flip(&stage, 30);
	g_assert_cmpuint(count_held(&stage), ==, 0);
	stage_finish(&stage);
}

/* A painter is paced also when nobody watches its head. */
static void test_unwatched(void)
{
	struct stage stage;
	stage_init(&stage, 30000, false);
	consumer_link_rate(stage.desktop->consumer, 0, 0);
	g_assert_cmpint(draw_and_flip(&stage, 10), >=, 7 * 33333 - 1000);
	stage_finish(&stage);
}

/*
 * Tries several times, and passes if one attempt was not held: a held answer is up to a period
 * away, all others come sooner.
 */
static void try_not_held(bool (*attempt)(struct stage *stage))
{
	struct stage stage;
	bool good = false;
	stage_init(&stage, SLOW_MHZ, false);
	for (unsigned i = 0; i < ATTEMPTS && !good; i++)
		good = attempt(&stage);
	g_assert_true(good);
	stage_finish(&stage);
}

/* A picture after a pause is not held. */
static bool attempt_after_idle(struct stage *stage)
{
	g_usleep(2 * SLOW_PERIOD_US);
	uint64_t held = count_held(stage);
	draw_and_flip(stage, 1);
	return count_held(stage) == held;
}

static void test_after_idle(void)
{
	try_not_held(attempt_after_idle);
}

/* Flushes, fenced or not, pass a held answer: the queue behind it goes on. */
static bool attempt_queue(struct stage *stage)
{
	struct virtio_gpu_resp_display_info info;
	run_ahead(stage);
	struct guest_request *held = send_submit(stage, PAINTER);
	guest_gpu_get_display_info(stage->guest, &info);
	flush(stage);
	guest_queue_collect(stage->guest->control);
	bool good = !held->done;
	finish_last(stage, held);
	return good;
}

static void test_queue_goes_on(void)
{
	try_not_held(attempt_queue);
}

/*
 * Another context's answer comes at once. Linux takes it to mean that all before it are done, so
 * the held ones come with it.
 */
static bool attempt_other(struct stage *stage)
{
	run_ahead(stage);
	gint64 start = g_get_monotonic_time();
	struct guest_request *held = send_submit(stage, PAINTER);
	struct guest_request *other = send_submit(stage, OTHER);
	finish_last(stage, other);
	bool good = g_get_monotonic_time() - start < SLOW_PERIOD_US / 2;
	guest_queue_collect(stage->guest->control);
	g_assert_true(held->done); /* in order */
	guest_request_free(held);
	return good;
}

static void test_others_are_free(void)
{
	try_not_held(attempt_other);
}

/* A painter that reads back gets its pixels at once, and so its held answer too. */
static bool attempt_readback(struct stage *stage)
{
	struct virtio_gpu_transfer_host_3d read = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D,
		.hdr.ctx_id = PAINTER,
		.resource_id = PAINTER,
		.box = { 0, 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT, 1 },
		.stride = SCENE3D_WIDTH * 4,
	};
	run_ahead(stage);
	gint64 start = g_get_monotonic_time();
	struct guest_request *held = send_submit(stage, PAINTER);
	finish_last(
		stage, guest_gpu_send_fenced(stage->guest, &read, sizeof(read), ++stage->fence));
	bool good = g_get_monotonic_time() - start < SLOW_PERIOD_US / 2;
	guest_request_free(held);
	return good;
}

static void test_readbacks_are_free(void)
{
	try_not_held(attempt_readback);
}

/* Another context draws as fast as it can, with far more answers than there are slots. */
static bool attempt_flat_out(struct stage *stage)
{
	enum { N = 200 };
	gint64 start = g_get_monotonic_time();
	for (unsigned i = 0; i < N; i++) {
		if (i % 20 == 0)
			flush(stage);
		finish_last(stage, send_submit(stage, OTHER));
	}
	return g_get_monotonic_time() - start < N * SLOW_PERIOD_US / 10;
}

static void test_other_flat_out(void)
{
	try_not_held(attempt_flat_out);
}

/*
 * A client of the compositor waits as the compositor does. We know it by a resource that is
 * attached to both.
 */
static void test_clients_are_painters(void)
{
	struct stage stage;
	stage_init(&stage, SLOW_MHZ, false);
	wire_ok(guest_gpu_ctx_attach(stage.guest, OTHER, PAINTER + SCENE3D_TEXTURE));
	g_usleep(300000); /* who paints is looked up four times a second */
	gint64 start = g_get_monotonic_time();
	run_ahead(&stage);
	struct guest_request *painter = send_submit(&stage, PAINTER);
	finish_last(&stage, send_submit(&stage, OTHER));
	g_assert_cmpint(g_get_monotonic_time() - start, >=, SLOW_PERIOD_US - 1000);
	g_assert_true(painter->done);
	guest_request_free(painter);

	/* The client is no longer held once it has let go of the resource. */
	wire_ok(guest_gpu_ctx_detach(stage.guest, OTHER, PAINTER + SCENE3D_TEXTURE));
	g_usleep(300000);
	bool good = false;
	for (unsigned i = 0; i < ATTEMPTS && !good; i++)
		good = attempt_other(&stage);
	g_assert_true(good);
	stage_finish(&stage);
}

/* The ring can be stopped at once while answers are held, and they come when it goes on. */
static void test_stop(void)
{
	struct stage stage;
	stage_init(&stage, SLOW_MHZ, false);
	bool good = false;
	for (unsigned i = 0; i < ATTEMPTS && !good; i++) {
		run_ahead(&stage);
		struct guest_request *held = send_submit(&stage, PAINTER);
		stage.guest->fe.slowest_answer_us = 0;
		guest_stop(stage.guest);
		good = stage.guest->fe.slowest_answer_us < SLOW_PERIOD_US / 2 && !held->done;
		guest_continue(stage.guest);
		finish_last(&stage, held);
	}
	g_assert_true(good);
	stage_finish(&stage);
}

static void test_reset(void)
{
	struct stage stage;
	stage_init(&stage, SLOW_MHZ, false);
	run_ahead(&stage);
	struct guest_request *held = send_submit(&stage, PAINTER);
	guest_driver_reload(stage.guest);
	g_assert_false(held->done);
	guest_request_free(held);
	scene3d_destroy(stage.scene, true);
	g_assert_true(scene3d_run(stage.guest, PAINTER, 3));
	desktop_destroy(stage.desktop);
}

/* The successor answers what a renderer held when it died. */
static void test_renderer_dies(void)
{
	struct stage stage;
	stage_init(&stage, SLOW_MHZ, false);
	run_ahead(&stage);
	struct guest_request *held = send_submit(&stage, PAINTER);
	pid_t old = desktop_renderer(stage.desktop);
	g_assert_cmpint(kill(old, SIGKILL), ==, 0);
	desktop_wait_new_renderer(stage.desktop, old);
	guest_gpu_finish_fenced(stage.guest, held, stage.fence);
	scene3d_destroy(stage.scene, true);
	desktop_destroy(stage.desktop);
}

/* Of a guest that submits without end few answers are held, and only its own ring is affected. */
static void test_many(void)
{
	enum { N = 200 };
	struct stage stage;
	struct guest_request *requests[N];
	stage_init(&stage, SLOW_MHZ, false);
	run_ahead(&stage);
	uint64_t first = stage.fence + 1;
	for (unsigned i = 0; i < N; i++)
		requests[i] = send_submit(&stage, PAINTER);
	for (unsigned i = 0; i < N; i++)
		wire_ok(guest_gpu_finish_fenced(stage.guest, requests[i], first + i));
	g_assert_cmpuint(count_held(&stage), <=, N);
	stage_finish(&stage);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_data_func("/pacing/rate/60", GUINT_TO_POINTER(60000), test_rate);
	g_test_add_data_func("/pacing/rate/20", GUINT_TO_POINTER(20000), test_rate);
	g_test_add_func("/pacing/off", test_off);
	g_test_add_func("/pacing/unwatched", test_unwatched);
	g_test_add_func("/pacing/after-idle", test_after_idle);
	g_test_add_func("/pacing/queue-goes-on", test_queue_goes_on);
	g_test_add_func("/pacing/others-are-free", test_others_are_free);
	g_test_add_func("/pacing/readbacks-are-free", test_readbacks_are_free);
	g_test_add_func("/pacing/other-flat-out", test_other_flat_out);
	g_test_add_func("/pacing/clients-are-painters", test_clients_are_painters);
	g_test_add_func("/pacing/stop", test_stop);
	g_test_add_func("/pacing/reset", test_reset);
	g_test_add_func("/pacing/renderer-dies", test_renderer_dies);
	g_test_add_func("/pacing/many", test_many);
	return g_test_run();
}
