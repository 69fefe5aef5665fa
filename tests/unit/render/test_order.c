/* SPDX-License-Identifier: MIT */
/*
 * order: asks a real renderer, while it is busy or waits, case by case for the order that
 * render/order.h states. Cases that need no second process are in commands/test_commands.c.
 */
#include <string.h>

#include "rig.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define FORMAT VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM
#define W 640
#define H 480
#define TRIES 10
/* A guest may make the renderer wait for memory once a second (memory_wait.h). */
#define INTERVAL_US (1100 * 1000)
#define LONG_MS 60000

static const struct virtio_gpu_rect whole = { 0, 0, W, H };
static const size_t header_bytes = sizeof(struct virtio_gpu_ctrl_hdr);

static uint32_t get_answer(struct rig *rig, unsigned place)
{
	rig->place = place;
	return ((const struct virtio_gpu_ctrl_hdr *)rig_answer(rig))->type;
}

static void wait_answers(struct rig *rig, unsigned n)
{
	uint32_t id, length;
	while (n-- > 0)
		g_assert_true(rig_wait_used(rig, 0, &id, &length, LONG_MS));
}

static void submit(struct rig *rig, unsigned place, const void *command, size_t size_bytes)
{
	rig->place = place;
	rig_submit(rig, 0, command, size_bytes, header_bytes);
}

static void submit_attach(struct rig *rig, unsigned place, uint32_t id, uint64_t addr)
{
	struct {
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_mem_entry entry;
	} c = { .attach = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
			.resource_id = id,
			.nr_entries = 1 },
		.entry = { .addr = addr, .length = W * H * 4 } };
	submit(rig, place, &c, sizeof(c));
}

static void submit_transfer(struct rig *rig, unsigned place, uint32_t id)
{
	struct virtio_gpu_transfer_to_host_2d c = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, .r = whole, .resource_id = id
	};
	submit(rig, place, &c, sizeof(c));
}

static void submit_flush(struct rig *rig, unsigned place, uint32_t id)
{
	struct virtio_gpu_resource_flush c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH, .r = whole, .resource_id = id
	};
	submit(rig, place, &c, sizeof(c));
}

/*
 * Puts a table without the high memory in force: the main thread has answered what came after it.
 */
static void take_high_memory(struct rig *rig)
{
	rig->without_high = true;
	rig_send_memory(rig);
	rig_stop_ring(rig, 0);
	rig_send_ring_start(rig, 0);
}

static void give_high_memory(struct rig *rig)
{
	rig->without_high = false;
	rig_send_memory(rig);
}

static struct rig *start(void)
{
	struct rig *rig = rig_start(false);
	g_assert_nonnull(rig);
	g_assert_cmphex(rig_create_2d(rig, 5, FORMAT, W, H), ==, OK);
	return rig;
}

/* What was said while a command was under way is in force for the next one. */
static void test_memory(void)
{
	struct rig *rig = start();
	take_high_memory(rig);
	rig_begin_long_work(rig, 6);
	give_high_memory(rig);
	submit_attach(rig, 1, 5, RIG_HIGH_ADDR);
	wait_answers(rig, 2);
	g_assert_cmphex(get_answer(rig, 1), ==, OK);
	rig_stop(rig);
}

/*
 * Makes the guest quicker than the keeper: the command waits for the memory, and the one behind it
 * for the command. Returns false when it had been refused before the memory came.
 */
static bool park(struct rig *rig)
{
	take_high_memory(rig);
	submit_attach(rig, 1, 5, RIG_HIGH_ADDR);
	submit_transfer(rig, 2, 5);
	g_usleep(5000);
	give_high_memory(rig);
	wait_answers(rig, 2);
	if (get_answer(rig, 1) != OK)
		return false;
	g_assert_cmphex(get_answer(rig, 2), ==, OK);
	return true;
}

static void test_parked(void)
{
	struct rig *rig = start();
	unsigned i;
	for (i = 0; i < TRIES && !park(rig); i++)
		g_usleep(INTERVAL_US);
	g_assert_cmpuint(i, <, TRIES);
	rig_stop(rig);
}

/* A command whose memory nobody sends is refused soon, and what comes behind it is done. */
static void test_refused(void)
{
	struct rig *rig = start();
	gint64 start_us = g_get_monotonic_time();
	for (unsigned i = 0; i < 20; i++)
		g_assert_cmphex(rig_attach(rig, 5, RIG_HIGH_ADDR + RIG_HIGH_BYTES, 4096, 4096), ==,
			VIRTIO_GPU_RESP_ERR_UNSPEC);
	/* One of them waited for the keeper; the others only had the link read. */
	g_assert_cmpint(g_get_monotonic_time() - start_us, <, 5 * G_USEC_PER_SEC);
	g_assert_cmphex(rig_attach(rig, 5, RIG_HIGH_ADDR, W * H * 4, 4096), ==, OK);
	rig_stop(rig);
}

/* Display is served while a command waits. */
static void test_frames_while_parked(void)
{
	struct rig *rig = start();
	g_assert_cmphex(rig_attach(rig, 5, RIG_HIGH_ADDR, W * H * 4, 4096), ==, OK);
	g_assert_cmphex(rig_set_scanout(rig, 0, 5, W, H), ==, OK);
	g_assert_cmphex(rig_flush(rig, 5, whole), ==, OK);
	g_assert_cmphex(rig_create_2d(rig, 7, FORMAT, W, H), ==, OK);
	for (unsigned i = 0; i < TRIES; i++) {
		unsigned n = rig->n_frames;
		submit_attach(rig, 1, 7, RIG_HIGH_ADDR + RIG_HIGH_BYTES);
		g_assert_true(rig_wait_taken(rig, 0, LONG_MS));
		rig_set_rate(rig, 0, 60000);
		g_assert_true(rig_wait_frames(rig, n + 1));
		bool parked = !rig_has_used(rig, 0);
		wait_answers(rig, 1);
		rig_set_rate(rig, 0, 0);
		if (parked) {
			rig_stop(rig);
			return;
		}
		g_usleep(INTERVAL_US);
	}
	g_assert_not_reached();
}

static void test_reset(void)
{
	struct rig *rig = start();
	rig_begin_long_work(rig, 6);
	rig_stop_and_reset(rig);
	rig_start_anew(rig);
	submit_flush(rig, 1, 5);
	wait_answers(rig, 1);
	g_assert_cmphex(get_answer(rig, 1), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	g_assert_cmphex(rig_create_2d(rig, 6, FORMAT, W, H), ==, OK);
	g_assert_false(rig_has_used(rig, 0));
	rig_stop(rig);
}

/* A ring stops at once; what was under way is answered when it starts again. */
static void test_ring(void)
{
	struct rig *rig = start();
	rig_begin_long_work(rig, 6);
	g_assert_cmpuint(rig_stop_ring(rig, 0), ==, rig->rings[0].next_avail);
	bool was_busy = !rig_has_used(rig, 0);
	rig_send_ring_start(rig, 0);
	wait_answers(rig, 1);
	g_assert_cmphex(get_answer(rig, 0), ==, OK);
	rig_stop(rig);
	if (!was_busy)
		g_test_skip("the renderer was done before its ring was stopped");
}

static void expect_size(const struct virtio_gpu_resp_edid *edid, uint32_t width, uint32_t height)
{
	/* The first detailed timing is described in VESA E-EDID 1.4, 3.10.2. */
	const uint8_t *timing = edid->edid + 54;
	g_assert_cmphex(edid->hdr.type, ==, VIRTIO_GPU_RESP_OK_EDID);
	g_assert_cmpuint(timing[2] | (timing[4] & 0xf0) << 4, ==, width);
	g_assert_cmpuint(timing[5] | (timing[7] & 0xf0) << 4, ==, height);
}

/* What a new display says counts from the next command on. */
static void test_link(void)
{
	const struct virtio_gpu_cmd_get_edid ask = { .hdr.type = VIRTIO_GPU_CMD_GET_EDID };
	struct frame_heads_wanted wanted = { .header.type = FRAME_MESSAGE_HEADS_WANTED,
		.n_heads = 1,
		.heads[0] = { .enabled = 1, .width = 1234, .height = 777 } };
	struct rig *rig = start();
	rig_begin_long_work(rig, 6);
	rig_send_frame_link(rig);
	g_assert_cmpint(link_send(rig->frame_fd, &wanted, sizeof(wanted), NULL, 0), ==, 0);
	rig->place = 1;
	rig_submit(rig, 0, &ask, sizeof(ask), sizeof(struct virtio_gpu_resp_edid));
	bool was_busy = !rig_has_used(rig, 0);
	wait_answers(rig, 2);
	expect_size(rig_answer(rig), 1234, 777);
	rig_stop(rig);
	if (!was_busy)
		g_test_skip("the renderer was done before it was asked");
}

/* What the keeper says of the first mode counts from the next command on. */
static void test_first_mode(void)
{
	const struct virtio_gpu_cmd_get_edid ask = { .hdr.type = VIRTIO_GPU_CMD_GET_EDID };
	struct keeper_first_mode first = {
		.header.type = KEEPER_MESSAGE_FIRST_MODE, .width = 1366, .height = 768
	};
	struct rig *rig = start();
	rig_begin_long_work(rig, 6);
	g_assert_cmpint(link_send(rig->keeper_fd, &first, sizeof(first), NULL, 0), ==, 0);
	rig->place = 1;
	rig_submit(rig, 0, &ask, sizeof(ask), sizeof(struct virtio_gpu_resp_edid));
	bool was_busy = !rig_has_used(rig, 0);
	wait_answers(rig, 2);
	expect_size(rig_answer(rig), 1366, 768);
	rig_stop(rig);
	if (!was_busy)
		g_test_skip("the renderer was done before it was asked");
}

/*
 * Draws until display has as many frames as it may keep, all of which it keeps. Returns the last.
 */
static struct frame_present draw_all(struct rig *rig, uint32_t id)
{
	gint64 end_us = g_get_monotonic_time() + LONG_MS * 1000;
	while (rig->n_frames < FRAME_LOCKED_MAX && g_get_monotonic_time() < end_us) {
		g_assert_cmphex(rig_transfer_2d(rig, id, W, whole), ==, OK);
		g_assert_cmphex(rig_flush(rig, id, whole), ==, OK);
		rig_receive(rig, 100);
	}
	g_assert_cmpuint(rig->n_frames, ==, FRAME_LOCKED_MAX);
	return rig->frame;
}

static uint32_t unref(struct rig *rig, uint32_t id)
{
	struct virtio_gpu_resource_unref c = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF,
		.resource_id = id };
	return rig_command(rig, &c, sizeof(c), NULL, 0);
}

/*
 * Display holds every buffer that the head has, and a large resource takes the memory for another.
 * What display gives back while the renderer is busy is there for the next command.
 */
static void test_release(void)
{
	const uint32_t side = RIG_LONG_WORK_SIDE;
	g_autofree char *quota = g_strdup_printf(
		"--quota=picture-bytes=%u", FRAME_LOCKED_MAX * W * H * 4 + side * side * 4);
	struct rig *rig = rig_start_limited(false, quota);
	g_assert_nonnull(rig);
	rig->keep_frames = true;
	g_assert_cmphex(rig_create_2d(rig, 5, FORMAT, W, H), ==, OK);
	g_assert_cmphex(rig_attach(rig, 5, RIG_HIGH_ADDR, W * H * 4, W * H * 4), ==, OK);
	g_assert_cmphex(rig_set_scanout(rig, 0, 5, W, H), ==, OK);
	rig_set_rate(rig, 0, 60000);
	struct frame_present frame = draw_all(rig, 5);
	g_assert_cmphex(rig_create_2d(rig, 7, FORMAT, side, side), ==, OK);
	g_assert_cmphex(rig_transfer_2d(rig, 5, W, whole), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	g_assert_cmphex(unref(rig, 7), ==, OK);
	rig_begin_long_work(rig, 6);
	rig_release(rig, &frame);
	submit_transfer(rig, 1, 5);
	bool was_busy = !rig_has_used(rig, 0);
	wait_answers(rig, 2);
	g_assert_cmphex(get_answer(rig, 1), ==, OK);
	rig_stop(rig);
	if (!was_busy)
		g_test_skip("the renderer was done before the buffer was given back");
}

static bool is_listed(const struct rig *rig, uint32_t id)
{
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (__atomic_load_n(&rig->ledger->resources[i].id, __ATOMIC_ACQUIRE) == id)
			return true;
	}
	return false;
}

/*
 * A successor makes all objects anew before it does anything for the guest, also when it waits: for
 * the backing of the first of two, after which it makes the second.
 */
static void test_rebuild(void)
{
	struct rig *rig = start();
	g_assert_cmphex(rig_create_2d(rig, 7, FORMAT, W, H), ==, OK);
	g_assert_cmphex(rig_attach(rig, 5, RIG_HIGH_ADDR, W * H * 4, 4096), ==, OK);
	rig->without_high = true;
	rig_restart(rig);
	gint64 end_us = g_get_monotonic_time() + LONG_MS * 1000;
	while (is_listed(rig, 7) && g_get_monotonic_time() < end_us)
		g_usleep(100);
	submit_flush(rig, 1, 5);
	submit_flush(rig, 2, 7);
	g_usleep(10000);
	give_high_memory(rig);
	wait_answers(rig, 2);
	g_assert_cmphex(get_answer(rig, 1), ==, OK);
	g_assert_cmphex(get_answer(rig, 2), ==, OK);
	rig_stop(rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/order/memory", test_memory);
	g_test_add_func("/order/parked", test_parked);
	g_test_add_func("/order/refused", test_refused);
	g_test_add_func("/order/frames-while-parked", test_frames_while_parked);
	g_test_add_func("/order/reset", test_reset);
	g_test_add_func("/order/ring", test_ring);
	g_test_add_func("/order/link", test_link);
	g_test_add_func("/order/first-mode", test_first_mode);
	g_test_add_func("/order/release", test_release);
	g_test_add_func("/order/rebuild", test_rebuild);
	return g_test_run();
}
