/* SPDX-License-Identifier: MIT */
/*
 * rings: has a driver spoil its rings. The device stops using them, says so once, lives on, and
 * works again when the driver is loaded anew.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/wire/malform.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WITHOUT_SLOTS (GUEST_PROTOCOL_FEATURES & ~(1u << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS))

static struct desktop *create(void)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.protocol_features = WITHOUT_SLOTS,
	};
	return desktop_create(&options);
}

/* Checks that the same renderer serves the next driver, and ends the desktop. */
static void recover(struct desktop *desktop, pid_t renderer)
{
	guest_driver_reload(desktop->guest);
	g_assert_true(scene3d_run(desktop->guest, 10, 1));
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	desktop_destroy(desktop);
}

static void kick(struct guest_queue *queue)
{
	g_assert_cmpint(eventfd_write(queue->kick_fd, 1), ==, 0);
	g_usleep(50000);
}

static void test_index_jumps(void)
{
	struct desktop *desktop = create();
	pid_t renderer = desktop_renderer(desktop);
	struct guest_queue *queue = desktop->guest->control;
	queue->avail->idx = (uint16_t)(queue->avail->idx + 1000);
	kick(queue);
	desktop->guest->cursor->avail->idx = 40000;
	kick(desktop->guest->cursor);
	recover(desktop, renderer);
}

static void test_head_beyond(void)
{
	struct desktop *desktop = create();
	pid_t renderer = desktop_renderer(desktop);
	struct guest_queue *queue = desktop->guest->control;
	queue->avail->ring[queue->avail->idx % queue->size] = 9999;
	queue->avail->idx++;
	kick(queue);
	recover(desktop, renderer);
}

/* A driver publishes one descriptor a hundred times while it is in use. */
static void test_head_again(void)
{
	struct desktop *desktop = create();
	pid_t renderer = desktop_renderer(desktop);
	struct guest_queue *queue = desktop->guest->control;
	struct virtio_gpu_ctrl_hdr command = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct guest_request *request = guest_queue_add(queue, &command, sizeof(command), 512);
	for (int i = 0; i < 100; i++) {
		queue->avail->ring[queue->avail->idx % queue->size] = request->head;
		queue->avail->idx++;
	}
	kick(queue);
	guest_queue_reset(queue);
	guest_request_free(request);
	recover(desktop, renderer);
}

static void send_addresses(
	struct guest *guest, uint64_t desc, uint64_t avail, uint64_t used, unsigned size)
{
	struct vhost_user_vring_state num = { 0, size };
	struct vhost_user_vring_addr addr = {
		.desc_user_addr = desc,
		.avail_user_addr = avail,
		.used_user_addr = used,
	};
	uint64_t ring = 0;
	int kick_fd = guest->control->kick_fd;
	front_end_send(&guest->fe, VHOST_USER_SET_VRING_NUM, &num, sizeof(num), NULL, 0);
	front_end_send(&guest->fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	front_end_send(&guest->fe, VHOST_USER_SET_VRING_KICK, &ring, sizeof(ring), &kick_fd, 1);
	front_end_ring_enable(&guest->fe, 0, true);
	kick(guest->control);
}

static void test_addresses(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	struct guest_queue *queue = guest->control;
	uint64_t desc = guest_memory_user_addr(guest->memory, queue->desc_addr);
	uint64_t avail = guest_memory_user_addr(guest->memory, queue->avail_addr);
	uint64_t used = guest_memory_user_addr(guest->memory, queue->used_addr);
	const struct guest_memory_region *last = &guest->memory->regions[2];
	uint64_t end = last->user_addr + last->size_bytes;
	const uint64_t wrong[][4] = {
		{ 0, avail, used, 256 },
		{ desc, UINT64_MAX - 8, used, 256 },
		{ desc, avail, end - 64, 256 },
		{ end - 16, avail, used, 256 },
		{ desc + 1, avail + 1, used + 1, 256 },
		{ desc, avail, used, 100 },
		{ queue->desc_addr, queue->avail_addr, queue->used_addr, 256 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		guest_stop(guest);
		send_addresses(guest, wrong[i][0], wrong[i][1], wrong[i][2], (unsigned)wrong[i][3]);
	}
	recover(desktop, renderer);
}

/* The memory that holds the rings is taken away while they run. */
static void test_memory_goes(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	struct vhost_user_memory empty = { 0 };
	front_end_send_acked(&guest->fe, VHOST_USER_SET_MEM_TABLE, &empty, 8, NULL, 0);
	kick(guest->control);
	kick(guest->cursor);
	recover(desktop, renderer);
}

static bool wait_log(const struct backend *backend, const char *text, int timeout_ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	while (backend_count_log(backend, text) == 0) {
		if (g_get_monotonic_time() >= end)
			return false;
		g_usleep(5000);
	}
	return true;
}

/*
 * QEMU maps the guest's memory for itself alone (share=off): the descriptors are of memory that
 * the guest's driver does not write to. Memory that is partly shared ends so for what is not.
 */
static void test_memory_private(void)
{
	struct desktop_options options = {
		.layout = GUEST_MEMORY_ONE, .protocol_features = WITHOUT_SLOTS, .machine_only = true
	};
	struct desktop *desktop = desktop_create(&options);
	struct guest *guest = desktop->guest;
	struct guest_memory_region *region = &guest->memory->regions[0];
	int real_fd = region->fd, empty = memfd_create("private", MFD_CLOEXEC);
	g_assert_cmpint(ftruncate(empty, (off_t)region->size_bytes), ==, 0);
	region->fd = empty;
	guest_driver_start(guest);
	region->fd = real_fd;
	close(empty);
	struct virtio_gpu_ctrl_hdr command = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct guest_request *request =
		guest_queue_send(guest->control, &command, sizeof(command), 512);
	/* QEMU kicks by itself, so a kick alone says nothing. */
	g_usleep(1000000);
	g_assert_cmpuint(backend_count_log(guest->backend, "memory-backend-memfd"), ==, 0);
	g_assert_true(wait_log(guest->backend, "memory-backend-memfd", wire_ms(8000)));
	g_assert_true(
		wait_log(guest->backend, "says: The guest's memory is not shared", wire_ms(5000)));
	kick(guest->control);
	g_assert_cmpuint(backend_count_log(guest->backend, "memory-backend-memfd,id"), ==, 1);
	g_assert_false(request->done);
	guest_queue_reset(guest->control);
	guest_request_free(request);
	desktop_destroy(desktop);
}

static void test_memory_partial(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	uint64_t out = 0x900000000;
	struct vring_desc chain[] = { { out, 24, 0, 0 } };
	struct guest_request *request = guest_queue_add_raw(guest->control, chain, 1);
	kick(guest->control);
	g_assert_true(guest_queue_wait(guest->control, request, guest->timeout_ms));
	guest_request_free(request);
	g_assert_true(wait_log(
		guest->backend, "says: Some of the guest's memory is not shared", wire_ms(5000)));
	recover(desktop, desktop_renderer(desktop));
}

/* The cursor queue gets nonsense too, as another thread works it and its answers are optional. */
static void test_cursor_nonsense(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	struct malform m;
	uint8_t bytes[256];
	malform_init(&m, guest, 7);
	for (unsigned i = 0; i < 3000; i++) {
		size_t n = 1 + malform_random(&m, sizeof(bytes));
		for (size_t k = 0; k < n; k++)
			bytes[k] = (uint8_t)malform_random(&m, malform_random(&m, 2) ? 256 : 4);
		uint32_t type = VIRTIO_GPU_CMD_UPDATE_CURSOR + malform_random(&m, 2);
		if (n >= 4 && malform_random(&m, 3))
			memcpy(bytes, &type, sizeof(type));
		struct guest_request *request =
			guest_queue_send(guest->cursor, bytes, n, malform_random(&m, 2) * 24);
		g_assert_true(guest_queue_wait(guest->cursor, request, guest->timeout_ms));
		guest_request_free(request);
	}
	recover(desktop, renderer);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/rings/index-jumps", test_index_jumps);
	g_test_add_func("/rings/head-beyond", test_head_beyond);
	g_test_add_func("/rings/head-again", test_head_again);
	g_test_add_func("/rings/addresses", test_addresses);
	g_test_add_func("/rings/memory-goes", test_memory_goes);
	g_test_add_func("/rings/memory-private", test_memory_private);
	g_test_add_func("/rings/memory-partial", test_memory_partial);
	g_test_add_func("/rings/cursor-nonsense", test_cursor_nonsense);
	return g_test_run();
}
