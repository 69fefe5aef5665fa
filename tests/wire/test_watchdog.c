/* SPDX-License-Identifier: MIT */
/*
 * watchdog: has a desktop's worker stand still. The keeper notices it by the heartbeat within the
 * limit and two seconds, kills the worker after its last words are written, and a new one goes on.
 */
#include <signal.h>
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/slow.h"
#include "tests/wire/wire.h"

#define LIMIT_S 2
/* Beyond the limit the keeper may take 2 s, and another process's start on a busy machine 3 s. */
#define ABOVE_MS (2000 + 3000)
/* No test waits for this limit. */
#define FAR_LIMIT_S 600
/* This limit leaves the test time to do something before it, on a busy machine. */
#define LATE_LIMIT_S 6
/* This is WATCHDOG_STOPPED_MS of server/keeper/limits.h, which holds for a display. */
#define DISPLAY_STOPPED_MS 10000
/* This is WATCHDOG_DRIVER_MS there: before, the guest's driver waits for its first answers. */
#define DRIVER_MS 5000
/* This is GPU_RESET_GRACE_MS there. */
#define GPU_GRACE_MS 5000

static struct desktop *create(unsigned submit_limit_s)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.submit_limit_s = submit_limit_s,
	};
	return desktop_create(&options);
}

static void assert_log(struct desktop *desktop, const char *text)
{
	if (backend_count_log(desktop->guest->backend, text) == 0)
		g_error("\"%s\" is not in the backend's log", text);
}

static gint64 ms_since(gint64 start_us)
{
	return (g_get_monotonic_time() - start_us) / 1000;
}

/* Checks that the renderer is replaced within limit_ms, and that the guest can draw again. */
static void await_successor(struct desktop *desktop, pid_t old, gint64 start_us, int limit_ms)
{
	pid_t successor = desktop_wait_new_renderer(desktop, old);
	gint64 took_ms = ms_since(start_us);
	g_test_message("renderer %d replaced by %d after %" G_GINT64_FORMAT " ms", (int)old,
		(int)successor, took_ms);
	g_assert_cmpint(took_ms, <, limit_ms);
	desktop->guest->timeout_ms = wire_ms(20000);
	g_assert_true(scene3d_run(desktop->guest, 700, 3));
}

static void test_stopped_idle(void)
{
	struct desktop *desktop = create(LIMIT_S);
	g_assert_true(scene3d_run(desktop->guest, 10, 1));
	pid_t renderer = desktop_renderer(desktop);
	gint64 start_us = g_get_monotonic_time();
	kill(renderer, SIGSTOP);
	await_successor(desktop, renderer, start_us, wire_ms(LIMIT_S * 1000 + ABOVE_MS));
	assert_log(desktop, "stopped for about");
	desktop_destroy(desktop);
}

/*
 * A renderer is stopped while it draws, with commands behind: each is answered, and the context is
 * not to blame.
 */
static void test_stopped_busy(void)
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create(LIMIT_S);
	struct slow *slow = slow_create(desktop->guest, 50, 0);
	slow_calibrate(slow, 300000);
	pid_t renderer = desktop_renderer(desktop);
	struct guest_request *requests[4];
	for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++)
		requests[i] = slow_send(slow, 100 + i);
	g_usleep(50000);
	gint64 start_us = g_get_monotonic_time();
	kill(renderer, SIGSTOP);
	await_successor(desktop, renderer, start_us, wire_ms(LIMIT_S * 1000 + ABOVE_MS));
	for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
		g_assert_true(
			guest_queue_wait(desktop->guest->control, requests[i], wire_ms(20000)));
		guest_request_free(requests[i]);
	}
	assert_log(desktop, "stopped for about");
	slow_forget(slow);
	desktop_destroy(desktop);
}

/* A worker that is stopped for less than the limit is left alone. */
static void test_stopped_shortly(void)
{
	struct desktop *desktop = create(FAR_LIMIT_S);
	pid_t renderer = desktop_renderer(desktop);
	g_usleep(wire_ms(DRIVER_MS + 500) * 1000);
	kill(renderer, SIGSTOP);
	g_usleep(6 * G_USEC_PER_SEC);
	kill(renderer, SIGCONT);
	g_assert_true(scene3d_run(desktop->guest, 10, 1));
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	desktop_destroy(desktop);
}

static void test_endless(void)
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create(LIMIT_S);
	bool on_gpu = g_getenv("WIRE_RENDER_NODE") != NULL;
	struct slow *slow = slow_create(desktop->guest, 50, 0);
	pid_t renderer = desktop_renderer(desktop);
	gint64 start_us = g_get_monotonic_time();
	struct guest_request *request = slow_send_endless(slow, 9);
	await_successor(desktop, renderer, start_us,
		wire_ms(LIMIT_S * 1000 + ABOVE_MS + (on_gpu ? GPU_GRACE_MS : 0)));
	if (!on_gpu)
		g_assert_cmpint(ms_since(start_us), >=, LIMIT_S * 1000);
	g_assert_true(guest_queue_wait(desktop->guest->control, request, wire_ms(20000)));
	guest_request_free(request);
	assert_log(desktop, on_gpu ? "of context 50 (slow)" : "of context 50 (slow) for 2.");
	slow_forget(slow);
	desktop_destroy(desktop);
}

/* The guest's driver is loaded anew while the renderer is at a job that never ends. */
static void test_reload_ends_endless(void)
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create(FAR_LIMIT_S);
	struct guest *guest = desktop->guest;
	struct slow *slow = slow_create(guest, 50, 0);
	pid_t renderer = desktop_renderer(desktop);
	struct guest_request *request = slow_send_endless(slow, 9);
	g_usleep(500000);
	gint64 start_us = g_get_monotonic_time();
	guest_driver_reload(guest);
	guest_request_free(request);
	await_successor(desktop, renderer, start_us, wire_ms(1000 + ABOVE_MS));
	/* Nothing that the old driver had exists any more. */
	wire_check(guest_gpu_unref(guest, 50), VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	wire_check(guest_gpu_ctx_destroy(guest, 50), VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID);
	slow_forget(slow);
	desktop_destroy(desktop);
}

static void test_display_stopped(void)
{
	struct desktop *desktop = create(FAR_LIMIT_S);
	pid_t display = desktop->consumer->pid;
	gint64 start_us = g_get_monotonic_time();
	kill(display, SIGSTOP);
	g_assert_true(consumer_link_accept(desktop->consumer));
	g_test_message("display replaced after %" G_GINT64_FORMAT " ms", ms_since(start_us));
	g_assert_cmpint(desktop->consumer->pid, !=, display);
	g_assert_cmpint(ms_since(start_us), <, wire_ms(DISPLAY_STOPPED_MS + ABOVE_MS));
	g_assert_true(scene3d_run(desktop->guest, 10, 1));
	desktop_destroy(desktop);
}

/* ---- crashes ---- */

/* Crashes the renderer. Returns whether its successor was running before as a spare. */
static bool crash(struct desktop *desktop, struct slow *slow)
{
	GArray *before = backend_list_children(desktop->guest->backend);
	slow_crash(slow, desktop);
	pid_t successor = desktop_renderer(desktop);
	bool was_there = false;
	for (guint i = 0; i < before->len; i++)
		was_there |= g_array_index(before, pid_t, i) == successor;
	g_array_unref(before);
	return was_there;
}

/*
 * The renderer crashes twice in the same context: that one is lost, its program is refused, and the
 * others go on. After the first crash a spare renderer waits, which takes over after the second.
 */
static void test_crash_twice(void)
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create(FAR_LIMIT_S);
	struct guest *guest = desktop->guest;
	guest->timeout_ms = wire_ms(20000);
	wire_ok(guest_gpu_ctx_create(guest, 10, "innocent"));
	for (int i = 0; i < 2; i++) {
		struct slow *slow = slow_create(guest, 50, 0);
		g_assert_cmpint(crash(desktop, slow), ==, i > 0);
		g_assert_true(guest_gpu_has_context(guest, 10));
		if (i == 0) {
			g_assert_true(guest_gpu_has_context(guest, 50));
			slow_destroy(slow);
			continue;
		}
		g_assert_false(guest_gpu_has_context(guest, 50));
		slow_forget(slow);
	}
	assert_log(desktop,
		"of context 50 (slow), time 2 of late; the context is lost; new ones of "
		"that name are refused for 60 s");
	wire_check(guest_gpu_ctx_create(guest, 60, "slow"), VIRTIO_GPU_RESP_ERR_UNSPEC);
	wire_ok(guest_gpu_ctx_create(guest, 61, "another"));
	g_assert_true(scene3d_run(guest, 700, 3));
	/* A new driver begins without a past, so the lost context's name is no longer refused. */
	guest_driver_reload(guest);
	wire_ok(guest_gpu_ctx_create(guest, 60, "slow"));
	desktop_destroy(desktop);
}

/*
 * A job that never ends is not tried again, and a renderer killed from outside has no context to
 * blame.
 */
static void test_hang_loses_context(void)
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create(LATE_LIMIT_S);
	struct guest *guest = desktop->guest;
	guest->timeout_ms = wire_ms(20000);
	struct slow *slow = slow_create(guest, 50, 0);
	pid_t renderer = desktop_renderer(desktop);
	struct guest_request *request = slow_send_endless(slow, 9);
	g_usleep(100000);
	kill(renderer, SIGKILL);
	renderer = desktop_wait_new_renderer(desktop, renderer);
	g_assert_true(guest_queue_wait(guest->control, request, wire_ms(20000)));
	guest_request_free(request);
	g_assert_true(guest_gpu_has_context(guest, 50));
	slow_destroy(slow);
	slow = slow_create(guest, 50, 0);
	request = slow_send_endless(slow, 10);
	desktop_wait_new_renderer(desktop, renderer);
	g_assert_true(guest_queue_wait(guest->control, request, wire_ms(20000)));
	guest_request_free(request);
	g_assert_false(guest_gpu_has_context(guest, 50));
	assert_log(desktop, "hung in work of the GPU of context 50 (slow), time 1 of late");
	slow_forget(slow);
	desktop_destroy(desktop);
}

/* A program that waits for 100 ms after each refusal is refused this often in five seconds. */
#define REFUSALS 50

/*
 * A program crashes the renderer as often as it can, by a new context each time, with one name or
 * ever new ones. It succeeds two or three times, and then not again for a minute.
 */
static void test_crash_loop(const void *data)
{
	if (wire_skip_undrawn())
		return;
	bool new_names = GPOINTER_TO_INT(data);
	struct desktop *desktop = create(FAR_LIMIT_S);
	struct guest *guest = desktop->guest;
	unsigned n_crashes = 0, n_refused = 0;
	guest->timeout_ms = wire_ms(20000);
	wire_ok(guest_gpu_ctx_create(guest, 10, "innocent"));
	for (uint32_t i = 0; n_refused < REFUSALS && n_crashes <= 3; i++) {
		g_autofree char *name = g_strdup_printf("evil-%u", new_names ? i : 0);
		uint32_t base = 1000 + 10 * i;
		if (guest_gpu_ctx_create(guest, base, name) != VIRTIO_GPU_RESP_OK_NODATA) {
			n_refused++;
			g_usleep(100000);
			continue;
		}
		struct slow *slow = slow_create_in(guest, base, 0);
		slow_crash(slow, desktop);
		slow_forget(slow);
		n_crashes++;
	}
	g_assert_cmpuint(n_crashes, ==, new_names ? 3 : 2);
	g_assert_true(guest_gpu_has_context(guest, 10));
	desktop_destroy(desktop);
}

/*
 * The same program uses contexts that it made beforehand. Only a context that has painted a head
 * outlives that.
 */
static void test_crash_swarm(void)
{
	if (wire_skip_undrawn())
		return;
	enum { SWARM = 8, DESKTOP = 1, INNOCENT = 10, BASE = 1000 };
	struct desktop *desktop = create(FAR_LIMIT_S);
	struct guest *guest = desktop->guest;
	unsigned n_crashes = 0;
	guest->timeout_ms = wire_ms(20000);
	struct scene3d *scene = scene3d_create(guest, DESKTOP, false);
	wire_ok(guest_gpu_set_scanout(
		guest, 0, DESKTOP, (guest_rect){ 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT }));
	wire_ok(guest_gpu_flush(
		guest, DESKTOP, (guest_rect){ 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT }));
	wire_ok(guest_gpu_ctx_create(guest, INNOCENT, "innocent"));
	for (uint32_t i = 0; i < SWARM; i++) {
		g_autofree char *name = g_strdup_printf("evil-%u", i);
		wire_ok(guest_gpu_ctx_create(guest, BASE + 10 * i, name));
	}
	for (uint32_t i = 0; i < SWARM; i++) {
		if (!guest_gpu_has_context(guest, BASE + 10 * i))
			continue;
		struct slow *slow = slow_create_in(guest, BASE + 10 * i, 0);
		slow_crash(slow, desktop);
		slow_forget(slow);
		n_crashes++;
	}
	g_assert_cmpuint(n_crashes, ==, 4);
	g_assert_true(guest_gpu_has_context(guest, DESKTOP));
	g_assert_false(guest_gpu_has_context(guest, INNOCENT));
	assert_log(desktop, "all contexts are lost but those that heads have shown");
	guest_driver_reload(guest);
	scene3d_destroy(scene, true);
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/watchdog/stopped/idle", test_stopped_idle);
	g_test_add_func("/watchdog/stopped/busy", test_stopped_busy);
	g_test_add_func("/watchdog/stopped/shortly", test_stopped_shortly);
	g_test_add_func("/watchdog/endless", test_endless);
	g_test_add_func("/watchdog/reload-ends-endless", test_reload_ends_endless);
	g_test_add_func("/watchdog/display-stopped", test_display_stopped);
	g_test_add_func("/watchdog/crash-twice", test_crash_twice);
	g_test_add_func("/watchdog/hang-loses-context", test_hang_loses_context);
	g_test_add_data_func("/watchdog/crash-loop/one-name", GINT_TO_POINTER(0), test_crash_loop);
	g_test_add_data_func("/watchdog/crash-loop/new-names", GINT_TO_POINTER(1), test_crash_loop);
	g_test_add_func("/watchdog/crash-swarm", test_crash_swarm);
	return g_test_run();
}
