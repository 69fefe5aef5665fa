/* SPDX-License-Identifier: MIT */
/*
 * life: leads one desktop through its life: stop and cont, reset, another GPU socket, memory that
 * comes and goes, a renderer that hangs or dies, a display that dies. QEMU is answered in time
 * whatever happens.
 */
#include <signal.h>
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/slow.h"
#include "tests/wire/wire.h"

#define WIDTH 96
#define HEIGHT 64
/* QEMU stands still until we answer, so an answer may take at most this long. */
#define ANSWER_LIMIT_US 2000000

static struct desktop *create(uint64_t protocol_features)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.protocol_features = protocol_features,
	};
	return desktop_create(&options);
}

/* Shows one picture of noise on head 0; the resource stays. */
static void show_2d(struct desktop *desktop, uint32_t id, uint32_t seed)
{
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	g_autofree uint32_t *pixels = wire_noise(seed, WIDTH * HEIGHT);
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	wire_ok(guest_gpu_create_2d(guest, id, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH, HEIGHT));
	wire_ok(guest_backing_attach(backing, id));
	wire_ok(guest_gpu_transfer_2d(guest, id, all, 0));
	wire_ok(guest_gpu_set_scanout(guest, 0, id, all));
	wire_ok(guest_gpu_flush(guest, id, all));
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	wire_ok(guest_gpu_detach_backing(guest, id));
	guest_backing_free(backing);
}

static void test_stop_cont(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	struct scene3d *scene = scene3d_create(guest, 10, false);
	wire_ok(scene3d_draw(scene, 3));
	show_2d(desktop, 1, 5);
	for (int i = 0; i < 3; i++) {
		guest_stop(guest);
		guest_continue(guest);
		g_assert_true(scene3d_check(scene, 3));
		wire_check(guest_gpu_create_2d(guest, 1, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 8, 8),
			VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	}
	wire_ok(scene3d_draw(scene, 4));
	g_assert_true(scene3d_check(scene, 4));
	scene3d_destroy(scene, false);
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	desktop_destroy(desktop);
}

/* A fence is pending when the rings are stopped: its answer comes once, after they go on. */
static void test_stop_with_fence(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	struct slow *slow = slow_create(guest, 50, 0);
	slow_calibrate(slow, 300000);
	struct guest_request *request = slow_send(slow, 9);
	gint64 end = g_get_monotonic_time() + 100000;
	while (!guest->control->used->idx && g_get_monotonic_time() < end)
		g_usleep(1000);
	guest->fe.slowest_answer_us = 0;
	guest_stop(guest);
	g_test_message("stopped in %" G_GINT64_FORMAT " us while the GPU works",
		guest->fe.slowest_answer_us);
	uint16_t used = guest->control->used->idx;
	g_usleep(800000);
	g_assert_cmpuint(guest->control->used->idx, ==, used); /* not touched while stopped */
	guest_continue(guest);
	wire_ok(guest_gpu_finish_fenced(guest, request, 9));
	slow_destroy(slow);
	g_assert_true(scene3d_run(guest, 10, 1));
	desktop_destroy(desktop);
}

static void test_reload(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	for (int i = 0; i < 4; i++) {
		struct scene3d *scene = scene3d_create(guest, 10, false);
		show_2d(desktop, 1, 5 + (uint32_t)i);
		guest_gpu_cursor(guest, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 5, 5, 0, 0);
		guest_driver_reload(guest);
		scene3d_destroy(scene, true);
		wire_check(guest_gpu_unref(guest, 1), VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
		wire_check(
			guest_gpu_ctx_destroy(guest, 10), VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID);
		g_assert_true(scene3d_run(guest, 10, 7));
		/* The next driver accepts other features, as the firmware's does. */
		guest->virgl = i & 1;
		guest->event_idx = guest->control->event_idx = guest->cursor->event_idx = i & 2;
		guest_driver_reload(guest);
		show_2d(desktop, 1, 50);
		guest->virgl = true;
		guest_driver_reload(guest);
	}
	g_test_message("renderer %d, now %d", (int)renderer, (int)desktop_renderer(desktop));
	desktop_destroy(desktop);
}

/*
 * Some front ends enable each ring before they describe the next. What is known of the old driver
 * must go before the first ring runs, not between the two.
 */
static void test_reload_eager(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	guest->eager = true;
	for (int i = 0; i < 4; i++) {
		guest_driver_reload(guest);
		if (i > 0)
			show_2d(desktop, 1, 5 + (uint32_t)i);
		if (i & 2)
			guest_gpu_cursor(guest, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 5, 5, 0, 0);
	}
	guest_driver_reload(guest);
	show_2d(desktop, 1, 50);
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	desktop_destroy(desktop);
}

static void test_reset_device(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	if (!(guest->fe.protocol_features & (1u << VHOST_USER_PROTOCOL_F_RESET_DEVICE))) {
		g_test_skip("the backend does not offer RESET_DEVICE");
		desktop_destroy(desktop);
		return;
	}
	show_2d(desktop, 1, 5);
	guest_stop(guest);
	front_end_send_acked(&guest->fe, VHOST_USER_RESET_DEVICE, NULL, 0, NULL, 0);
	guest_queue_reset(guest->control);
	guest_queue_reset(guest->cursor);
	guest_driver_start(guest);
	wire_check(guest_gpu_unref(guest, 1), VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	show_2d(desktop, 1, 6);
	desktop_destroy(desktop);
}

static void test_gpu_socket_again(void)
{
	struct desktop *desktop = create(0);
	for (uint32_t i = 0; i < 5; i++) {
		guest_renew_gpu_socket(desktop->guest);
		show_2d(desktop, i + 1, i);
		g_assert_cmpuint(desktop->guest->gpu->bad_messages, ==, 0);
	}
	desktop_destroy(desktop);
}

/* QEMU masks interrupts by changing the call descriptor while the ring runs. */
static void test_call_changes(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	struct virtio_gpu_resp_display_info info;
	for (int i = 0; i < 50; i++) {
		struct guest_queue *queue = guest->control;
		front_end_ring_call(&guest->fe, 0, -1);
		front_end_ring_call(&guest->fe, 0, queue->call_fd);
		wire_check(
			guest_gpu_get_display_info(guest, &info), VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	}
	desktop_destroy(desktop);
}

#define WITHOUT_SLOTS (GUEST_PROTOCOL_FEATURES & ~(1u << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS))

/*
 * Attaches until the answer is as wanted, for a second: the keeper answers before the renderer has
 * the new table.
 */
static bool attach_until(
	struct guest *guest, const struct virtio_gpu_mem_entry *entry, uint32_t wanted)
{
	gint64 end = g_get_monotonic_time() + wire_ms(1000) * 1000;
	uint32_t answer;
	while ((answer = guest_gpu_attach_entries(guest, 5, entry, 1)) != wanted &&
		g_get_monotonic_time() < end) {
		if (answer == VIRTIO_GPU_RESP_OK_NODATA)
			wire_ok(guest_gpu_detach_backing(guest, 5));
	}
	return answer == wanted;
}

/* The guest draws while memory is told anew: the same table, more of it, and less. */
static void test_memory(const void *data)
{
	bool slots = GPOINTER_TO_INT(data);
	struct desktop *desktop = create(slots ? 0 : WITHOUT_SLOTS);
	struct guest *guest = desktop->guest;
	struct scene3d *scene = scene3d_create(guest, 10, false);
	for (uint32_t i = 0; i < 5; i++) {
		guest_tell_memory(guest);
		wire_ok(scene3d_draw(scene, i));
		g_assert_true(scene3d_check(scene, i));
	}
	unsigned added =
		guest_memory_add_region(guest->memory, 0x2000000000, 0x7d0000000000, 32u << 20);
	if (slots)
		front_end_add_memory(&guest->fe, &guest->memory->regions[added]);
	else
		guest_tell_memory(guest);
	/* This backing lies in the new region only. */
	struct virtio_gpu_mem_entry entry = {
		.addr = guest_memory_alloc_in(guest->memory, added, WIDTH * HEIGHT * 4),
		.length = WIDTH * HEIGHT * 4,
	};
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	g_autofree uint32_t *pixels = wire_noise(77, WIDTH * HEIGHT);
	memcpy(guest_memory_at(guest->memory, entry.addr, entry.length), pixels, entry.length);
	wire_ok(guest_gpu_create_2d(guest, 5, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH, HEIGHT));
	g_assert_true(attach_until(guest, &entry, VIRTIO_GPU_RESP_OK_NODATA));
	wire_ok(guest_gpu_transfer_2d(guest, 5, all, 0));
	wire_ok(guest_gpu_set_scanout(guest, 0, 5, all));
	wire_ok(guest_gpu_flush(guest, 5, all));
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	wire_ok(guest_gpu_unref(guest, 5));
	if (slots)
		front_end_remove_memory(&guest->fe, &guest->memory->regions[added]);
	guest_memory_remove_region(guest->memory, added);
	if (!slots)
		guest_tell_memory(guest);
	wire_ok(guest_gpu_create_2d(guest, 5, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH, HEIGHT));
	g_assert_true(attach_until(guest, &entry, VIRTIO_GPU_RESP_ERR_UNSPEC));
	g_assert_true(scene3d_run(guest, 30, 3));
	scene3d_destroy(scene, false);
	desktop_destroy(desktop);
}

enum hang { HANG_STOP, HANG_MEMORY, HANG_RESET };

/* Stops the renderer: QEMU is answered in time all the same, and the guest can draw again. */
static void hang(enum hang what, bool slots)
{
	struct desktop *desktop = create(slots ? 0 : WITHOUT_SLOTS);
	struct guest *guest = desktop->guest;
	g_assert_true(scene3d_run(guest, 10, 1));
	pid_t renderer = desktop_renderer(desktop);
	kill(renderer, SIGSTOP);
	guest->fe.slowest_answer_us = 0;
	gint64 start = g_get_monotonic_time();
	if (what == HANG_STOP) {
		guest_stop(guest);
		guest_continue(guest);
	} else if (what == HANG_MEMORY) {
		guest_tell_memory(guest);
		kill(renderer, SIGCONT);
	} else {
		guest_driver_reload(guest);
	}
	gint64 took = g_get_monotonic_time() - start;
	g_test_message("slowest answer %" G_GINT64_FORMAT " ms, all %" G_GINT64_FORMAT " ms",
		guest->fe.slowest_answer_us / 1000, took / 1000);
	g_assert_cmpint(guest->fe.slowest_answer_us, <, ANSWER_LIMIT_US);
	g_assert_true(scene3d_run(guest, 20, 2));
	show_2d(desktop, 99, 3);
	desktop_destroy(desktop);
}

static void test_hang(const void *data)
{
	hang((enum hang)(GPOINTER_TO_INT(data) >> 1), GPOINTER_TO_INT(data) & 1);
}

/*
 * QEMU tells memory anew, stops, continues and resets one stopped renderer, with commands in the
 * ring that it has not taken.
 */
static void test_hang_all(void)
{
	struct desktop *desktop = create(WITHOUT_SLOTS);
	struct guest *guest = desktop->guest;
	struct virtio_gpu_ctrl_hdr command = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct guest_request *requests[8];
	pid_t renderer = desktop_renderer(desktop);
	kill(renderer, SIGSTOP);
	for (unsigned i = 0; i < 8; i++)
		requests[i] = guest_queue_send(guest->control, &command, sizeof(command), 512);
	guest->fe.slowest_answer_us = 0;
	guest_tell_memory(guest);
	guest_stop(guest);
	guest_tell_memory(guest);
	guest_continue(guest);
	g_test_message(
		"slowest answer %" G_GINT64_FORMAT " ms", guest->fe.slowest_answer_us / 1000);
	g_assert_cmpint(guest->fe.slowest_answer_us, <, ANSWER_LIMIT_US);
	for (unsigned i = 0; i < 8; i++) {
		g_assert_true(guest_queue_wait(guest->control, requests[i], wire_ms(15000)));
		guest_request_free(requests[i]);
	}
	guest_driver_reload(guest);
	g_assert_cmpint(guest->fe.slowest_answer_us, <, ANSWER_LIMIT_US);
	g_assert_true(scene3d_run(guest, 20, 2));
	desktop_destroy(desktop);
}

/* The renderer is killed with commands in flight: each is answered once, and the guest goes on. */
static void test_killed(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	show_2d(desktop, 1, 5);
	struct slow *slow = slow_create(guest, 50, 0);
	slow_calibrate(slow, 300000);
	pid_t renderer = desktop_renderer(desktop);
	struct guest_request *requests[20];
	for (unsigned i = 0; i < 20; i++)
		requests[i] = slow_send(slow, 100 + i);
	g_usleep(50000);
	kill(renderer, SIGKILL);
	unsigned ok = 0;
	for (unsigned i = 0; i < 20; i++) {
		if (!guest_queue_wait(guest->control, requests[i], wire_ms(20000)))
			g_error("command %u was never answered", i);
		struct virtio_gpu_ctrl_hdr header;
		memcpy(&header, requests[i]->response, sizeof(header));
		ok += header.type == VIRTIO_GPU_RESP_OK_NODATA;
		guest_request_free(requests[i]);
	}
	g_test_message("%u of 20 answered OK, the others with an error", ok);
	pid_t successor = desktop_wait_new_renderer(desktop, renderer);
	g_assert_cmpint(successor, !=, renderer);
	slow_forget(slow);
	/* The successor has what the ledger could rebuild: the 2D resource is there with its id. */
	wire_check(guest_gpu_create_2d(guest, 1, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 8, 8),
		VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	show_2d(desktop, 2, 6);
	g_assert_true(scene3d_run(guest, 200, 2));
	desktop_destroy(desktop);
}

/*
 * The guest does not notice that the renderer was killed: its resource, backing and scanout are
 * still there.
 */
static void test_killed_unnoticed(void)
{
	struct desktop *desktop = create(0);
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	pid_t renderer = desktop_renderer(desktop);
	wire_ok(guest_gpu_create_2d(guest, 7, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH, HEIGHT));
	wire_ok(guest_backing_attach(backing, 7));
	wire_ok(guest_gpu_set_scanout(guest, 0, 7, all));
	guest->timeout_ms = wire_ms(20000);
	for (uint32_t i = 0; i < 3; i++) {
		g_autofree uint32_t *pixels = wire_noise(i, WIDTH * HEIGHT);
		guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
		wire_ok(guest_gpu_transfer_2d(guest, 7, all, 0));
		wire_ok(guest_gpu_flush(guest, 7, all));
		g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
		kill(renderer, SIGKILL);
		renderer = desktop_wait_new_renderer(desktop, renderer);
	}
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

/* The renderer is killed between commands, again and again. */
static void test_killed_often(void)
{
	struct desktop *desktop = create(0);
	pid_t renderer = desktop_renderer(desktop);
	for (uint32_t i = 0; i < 3; i++) {
		kill(renderer, SIGKILL);
		renderer = desktop_wait_new_renderer(desktop, renderer);
		desktop->guest->timeout_ms = wire_ms(20000);
		show_2d(desktop, i + 1, i);
	}
	desktop_destroy(desktop);
}

static pid_t find_named(const struct backend *backend, const char *name)
{
	g_autoptr(GArray) children = backend_list_children(backend);
	g_autofree char *line = g_strdup_printf("%s\n", name);
	for (guint i = 0; i < children->len; i++) {
		pid_t pid = g_array_index(children, pid_t, i);
		g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
		g_autofree char *comm = NULL;
		if (g_file_get_contents(path, &comm, NULL, NULL) && strcmp(comm, line) == 0)
			return pid;
	}
	return 0;
}

/* Waits until a child that is not `other` has the name. */
static pid_t wait_named(const struct backend *backend, const char *name, pid_t other)
{
	gint64 end_us = g_get_monotonic_time() + wire_ms(15000) * INT64_C(1000);
	pid_t pid = 0;
	while (((pid = find_named(backend, name)) == 0 || pid == other) &&
		g_get_monotonic_time() < end_us)
		g_usleep(10000);
	return pid;
}

/* The one at work is found by its name, and the spare one takes that with its place. */
static void test_names(void)
{
	struct desktop_options options = { .virgl = true, .spare = "ready" };
	struct desktop *desktop = desktop_create(&options);
	struct backend *backend = desktop->guest->backend;
	pid_t renderer = desktop_renderer(desktop);
	pid_t spare = wait_named(backend, "vitrine-spare", 0);
	g_assert_cmpint(spare, >, 0);
	g_assert_cmpint(find_named(backend, "vitrine-render"), ==, renderer);
	kill(renderer, SIGKILL);
	g_assert_cmpint(desktop_wait_new_renderer(desktop, renderer), ==, spare);
	g_assert_cmpint(wait_named(backend, "vitrine-render", renderer), ==, spare);
	show_2d(desktop, 1, 3);
	desktop_destroy(desktop);
}

static void test_display_killed(void)
{
	struct desktop *desktop = create(0);
	pid_t renderer = desktop_renderer(desktop);
	show_2d(desktop, 1, 5);
	g_autofree uint32_t *pixels = wire_noise(5, WIDTH * HEIGHT);
	for (int i = 0; i < 3; i++) {
		pid_t display = desktop->consumer->pid;
		kill(display, SIGKILL);
		g_assert_true(consumer_link_accept(desktop->consumer));
		g_assert_cmpint(desktop->consumer->pid, !=, display);
		/* The new display shows the picture without the guest doing anything. */
		g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	}
	show_2d(desktop, 2, 6);
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	desktop_destroy(desktop);
}

/* When QEMU goes away we go too, with nothing left behind. */
static void test_end(const void *data)
{
	bool by_signal = GPOINTER_TO_INT(data);
	struct desktop *desktop = create(0);
	struct backend *backend = desktop->guest->backend;
	GArray *children = backend_list_children(backend);
	g_assert_cmpuint(children->len, ==, 4); /* both workers, starter and fetcher */
	if (by_signal)
		kill(backend->pid, SIGTERM);
	else
		backend_close_socket(backend);
	g_assert_true(backend_wait_exit(backend, wire_ms(WIRE_END_MS)));
	g_assert_cmpint(backend->wait_status, ==, 0);
	g_usleep(200000);
	for (guint i = 0; i < children->len; i++)
		g_assert_cmpint(kill(g_array_index(children, pid_t, i), 0), ==, -1);
	g_array_unref(children);
	guest_destroy(desktop->guest);
	consumer_link_destroy(desktop->consumer);
	g_free(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/life/stop-cont", test_stop_cont);
	g_test_add_func("/life/stop-with-fence", test_stop_with_fence);
	g_test_add_func("/life/reload", test_reload);
	g_test_add_func("/life/reload-eager", test_reload_eager);
	g_test_add_func("/life/reset-device", test_reset_device);
	g_test_add_func("/life/gpu-socket-again", test_gpu_socket_again);
	g_test_add_func("/life/call-changes", test_call_changes);
	g_test_add_data_func("/life/memory/table", GINT_TO_POINTER(0), test_memory);
	g_test_add_data_func("/life/memory/slots", GINT_TO_POINTER(1), test_memory);
	g_test_add_data_func("/life/hang/stop", GINT_TO_POINTER(HANG_STOP << 1), test_hang);
	g_test_add_data_func("/life/hang/table", GINT_TO_POINTER(HANG_MEMORY << 1), test_hang);
	g_test_add_data_func("/life/hang/slots", GINT_TO_POINTER(HANG_MEMORY << 1 | 1), test_hang);
	g_test_add_data_func("/life/hang/reset", GINT_TO_POINTER(HANG_RESET << 1), test_hang);
	g_test_add_func("/life/hang/all", test_hang_all);
	g_test_add_func("/life/killed/in-flight", test_killed);
	g_test_add_func("/life/killed/unnoticed", test_killed_unnoticed);
	g_test_add_func("/life/killed/often", test_killed_often);
	g_test_add_func("/life/names", test_names);
	g_test_add_func("/life/display-killed", test_display_killed);
	g_test_add_data_func("/life/end/hang-up", GINT_TO_POINTER(0), test_end);
	g_test_add_data_func("/life/end/sigterm", GINT_TO_POINTER(1), test_end);
	return g_test_run();
}
