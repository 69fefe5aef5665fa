/* SPDX-License-Identifier: MIT */
/*
 * fences: checks that they come with the right ids, in order and asynchronously, and that a slow
 * one delays nothing else.
 */
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/slow.h"
#include "tests/wire/wire.h"

static struct desktop *create(void)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
	};
	return desktop_create(&options);
}

/* 2D commands with fences are answered with their ids. */
static void test_ids(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	static const uint64_t ids[] = { 1, 2, 0xffffffff, 0x100000000, 0x1234567890abcdef, 0,
		UINT64_MAX };
	struct virtio_gpu_resource_flush flush = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
		.r = { 0, 0, 16, 16 },
		.resource_id = 1,
	};
	wire_ok(guest_gpu_create_2d(guest, 1, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 16, 16));
	for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
		wire_ok(guest_gpu_finish_fenced(guest,
			guest_gpu_send_fenced(guest, &flush, sizeof(flush), ids[i]), ids[i]));
	/* An error carries its fence too. */
	flush.resource_id = 99;
	wire_check(guest_gpu_finish_fenced(
			   guest, guest_gpu_send_fenced(guest, &flush, sizeof(flush), 77), 77),
		VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	desktop_destroy(desktop);
}

static void test_order(void)
{
	enum { N = 100 };
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	struct guest_request *requests[N];
	uint64_t last = 0;
	struct slow *slow = slow_create(guest, 50, 1);
	for (uint64_t i = 0; i < N; i++)
		requests[i] = slow_send(slow, 1000 + i);
	for (uint64_t i = 0; i < N; i++) {
		g_assert_true(guest_queue_wait(guest->control, requests[i], guest->timeout_ms));
		g_assert_cmpuint(requests[i]->completed_as, >, last);
		last = requests[i]->completed_as;
		wire_ok(guest_gpu_finish_fenced(guest, requests[i], 1000 + i));
	}
	slow_destroy(slow);
	desktop_destroy(desktop);
}

static gint compare_us(gconstpointer a, gconstpointer b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
	return (x > y) - (x < y);
}

/*
 * Says whether the commands did not wait for the GPU: had they waited, there would be one round as
 * long as the whole. It looks at the median, as on a busy machine some are late.
 */
static bool were_free(const char *what, GArray *rounds, gint64 whole_us)
{
	g_array_sort(rounds, compare_us);
	gint64 median = rounds->len ? g_array_index(rounds, gint64, rounds->len / 2) : whole_us;
	g_test_message("%u %s in %" G_GINT64_FORMAT " ms, median %" G_GINT64_FORMAT " us",
		rounds->len, what, whole_us / 1000, median);
	bool free = rounds->len >= 5 && median < whole_us / 5;
	g_array_unref(rounds);
	return free;
}

/*
 * Measures how long reading back takes, in microseconds. After its fence a job's result is there,
 * so reading it waits for nothing.
 */
static gint64 time_readback(struct slow *slow)
{
	struct guest *guest = slow->guest;
	gint64 start = g_get_monotonic_time();
	struct guest_request *read = slow_send_readback(slow);
	g_assert_true(guest_queue_wait(guest->control, read, guest->timeout_ms));
	guest_request_free(read);
	return g_get_monotonic_time() - start;
}

static bool try_other_commands(struct slow *slow, uint64_t fence)
{
	struct guest *guest = slow->guest;
	struct virtio_gpu_resp_display_info info;
	GArray *rounds = g_array_new(FALSE, FALSE, sizeof(gint64));
	gint64 start = g_get_monotonic_time();
	struct guest_request *request = slow_send(slow, fence);
	while (guest_queue_collect(guest->control), !request->done) {
		gint64 before = g_get_monotonic_time();
		guest_gpu_get_display_info(guest, &info);
		wire_ok(guest_gpu_flush(guest, 1, (guest_rect){ 0, 0, 64, 64 }));
		guest_gpu_cursor(guest, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 5, 1, 0, 0);
		gint64 took = g_get_monotonic_time() - before;
		g_array_append_val(rounds, took);
		g_usleep(2000);
	}
	gint64 whole = g_get_monotonic_time() - start;
	wire_ok(guest_gpu_finish_fenced(guest, request, fence));
	gint64 readback = time_readback(slow);
	g_test_message("reading back after the fence took %" G_GINT64_FORMAT " us", readback);
	return were_free("rounds", rounds, whole) && readback < whole / 4;
}

static bool try_cursor(struct slow *slow, uint64_t fence)
{
	struct guest *guest = slow->guest;
	GArray *rounds = g_array_new(FALSE, FALSE, sizeof(gint64));
	gint64 start = g_get_monotonic_time();
	struct guest_request *request = slow_send(slow, fence);
	struct guest_request *read = slow_send_readback(slow);
	while (guest_queue_collect(guest->control), !read->done) {
		gint64 before = g_get_monotonic_time();
		guest_gpu_cursor(guest, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 5, 1, 0, 0);
		gint64 took = g_get_monotonic_time() - before;
		g_array_append_val(rounds, took);
		g_usleep(2000);
	}
	gint64 whole = g_get_monotonic_time() - start;
	wire_ok(guest_gpu_finish_fenced(guest, request, fence));
	guest_request_free(read);
	return were_free("moves", rounds, whole);
}

/*
 * Makes half a second of work on the GPU for each attempt; one of three must be undisturbed by the
 * machine.
 */
static void try_while_slow(bool (*attempt)(struct slow *slow, uint64_t fence))
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	struct slow *slow = slow_create(guest, 50, 0);
	slow_calibrate(slow, 500000);
	wire_ok(guest_gpu_create_2d(guest, 1, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64, 64));
	wire_ok(guest_gpu_set_scanout(guest, 0, 1, (guest_rect){ 0, 0, 64, 64 }));
	bool good = false;
	for (uint64_t i = 0; i < 3 && !good; i++)
		good = attempt(slow, 5 + i);
	g_assert_true(good);
	slow_destroy(slow);
	desktop_destroy(desktop);
}

/* Other commands are answered while the GPU is busy. */
static void test_slow_delays_nothing(void)
{
	try_while_slow(try_other_commands);
}

/* A command that must wait for the GPU holds up the control queue, never the cursor's. */
static void test_cursor_never_waits(void)
{
	try_while_slow(try_cursor);
}

/*
 * virglrenderer 0.10 forgets the fence that its thread waits for when any context goes
 * (vrend_free_fences_for_context): the guest must not wait for ever.
 */
static void test_context_goes(void)
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	struct slow *slow = slow_create(guest, 50, 0);
	gint64 took = slow_calibrate(slow, 300000);
	for (uint64_t i = 0; i < 3; i++) {
		wire_ok(guest_gpu_ctx_create(guest, 60, "other"));
		gint64 start = g_get_monotonic_time();
		struct guest_request *request = slow_send(slow, 5 + i);
		g_usleep(50000);
		wire_ok(guest_gpu_ctx_destroy(guest, 60));
		wire_ok(guest_gpu_finish_fenced(guest, request, 5 + i));
		/*
		 * We check that the answer is not early either: then reading back would still wait
		 * for the GPU.
		 */
		gint64 whole = g_get_monotonic_time() - start, readback = time_readback(slow);
		g_test_message("fence after %" G_GINT64_FORMAT " us, alone %" G_GINT64_FORMAT
			       ", then reading back %" G_GINT64_FORMAT,
			whole, took, readback);
		g_assert_cmpint(readback, <, whole / 2);
	}
	slow_destroy(slow);
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/fences/ids", test_ids);
	g_test_add_func("/fences/order", test_order);
	g_test_add_func("/fences/slow-delays-nothing", test_slow_delays_nothing);
	g_test_add_func("/fences/cursor-never-waits", test_cursor_never_waits);
	g_test_add_func("/fences/context-goes", test_context_goes);
	return g_test_run();
}
