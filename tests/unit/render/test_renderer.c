/* SPDX-License-Identifier: MIT */
/* renderer: drives vitrine-render as a whole over the keeper link (see rig.h). */
#include <string.h>

#include "rig.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define W 640
#define H 480

static const struct virtio_gpu_rect whole = { 0, 0, W, H };

static void fill(struct rig *rig, uint64_t addr, uint32_t seed)
{
	uint32_t *p = rig_host(rig, addr);
	for (uint32_t i = 0; i < W * H; i++)
		p[i] = (i * 2654435761u) ^ seed;
}

static void show_2d(struct rig *rig, uint32_t id, uint32_t format, uint64_t addr)
{
	g_assert_cmphex(rig_create_2d(rig, id, format, W, H), ==, OK);
	g_assert_cmphex(rig_attach(rig, id, addr, W * H * 4, 4096), ==, OK);
	g_assert_cmphex(rig_set_scanout(rig, 0, id, W, H), ==, OK);
	g_assert_cmphex(rig_transfer_2d(rig, id, W, whole), ==, OK);
	g_assert_cmphex(rig_flush(rig, id, whole), ==, OK);
}

static void assert_picture(struct rig *rig, uint64_t addr)
{
	const uint32_t *p = rig_host(rig, addr);
	for (uint32_t y = 0; y < H; y++)
		for (uint32_t x = 0; x < W; x++)
			g_assert_cmphex(rig_pixel(rig, x, y), ==, p[y * W + x] & 0xffffff);
}

static void test_first_picture(void)
{
	struct rig *rig = rig_start(false);
	g_assert_nonnull(rig);
	rig_set_rate(rig, 0, 60000);
	fill(rig, RIG_HIGH_ADDR, 1);
	show_2d(rig, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, RIG_HIGH_ADDR);
	g_assert_true(rig_wait_frames(rig, 1));
	g_assert_true(rig->head_is_on[0]);
	g_assert_cmpuint(rig->head_on[0].width, ==, W);
	assert_picture(rig, RIG_HIGH_ADDR);
	rig_stop(rig);
}

static struct rig *start_shown(void)
{
	struct rig *rig = rig_start(false);
	g_assert_nonnull(rig);
	rig_set_rate(rig, 0, 60000);
	fill(rig, RIG_HIGH_ADDR, 1);
	show_2d(rig, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, RIG_HIGH_ADDR);
	g_assert_true(rig_wait_frames(rig, 1));
	return rig;
}

/*
 * Changes are scattered, some transferred before others are flushed: the picture is exact each
 * time.
 */
static void test_partial(void)
{
	struct rig *rig = start_shown();
	uint32_t seed = 1, *pixels = rig_host(rig, RIG_HIGH_ADDR);
	for (unsigned i = 0; i < 200; i++) {
		seed = seed * 1664525 + 1013904223;
		struct virtio_gpu_rect r = { seed >> 8 & 511, seed >> 20 & 255, 1 + (seed & 63),
			1 + (seed >> 6 & 31) };
		for (uint32_t y = r.y; y < r.y + r.height; y++)
			for (uint32_t x = r.x; x < r.x + r.width; x++)
				pixels[y * W + x] = seed + x + y;
		g_assert_cmphex(rig_transfer_2d(rig, 5, W, r), ==, OK);
		if (i % 3 != 0)
			continue;
		g_assert_cmphex(rig_flush(rig, 5, i % 2 ? whole : r), ==, OK);
		rig_receive(rig, 1000);
	}
	unsigned n = rig->n_frames;
	g_assert_cmphex(rig_flush(rig, 5, whole), ==, OK);
	g_assert_true(rig_wait_frames(rig, n + 1));
	assert_picture(rig, RIG_HIGH_ADDR);
	rig_stop(rig);
}

/*
 * A display keeps everything: the guest goes on, no buffer it holds changes, and after the first
 * release the newest picture comes, with all that was damaged meanwhile.
 */
static void test_hoarding(void)
{
	struct rig *rig = start_shown();
	struct frame_present held[8];
	uint32_t stamp[8];
	unsigned n_held = 0;
	uint32_t *pixels = rig_host(rig, RIG_HIGH_ADDR);
	rig->keep_frames = true;
	for (uint32_t i = 0; i < 50; i++) {
		unsigned before = rig->n_frames;
		pixels[0] = i;
		g_assert_cmphex(
			rig_transfer_2d(rig, 5, W, (struct virtio_gpu_rect){ 0, 0, 8, 8 }), ==, OK);
		g_assert_cmphex(rig_flush(rig, 5, (struct virtio_gpu_rect){ 0, 0, 8, 8 }), ==, OK);
		rig_receive(rig, n_held < 3 ? 1000 : 0);
		if (rig->n_frames > before) {
			g_assert_cmpuint(n_held, <, FRAME_LOCKED_MAX + 1);
			stamp[n_held] = rig_pixel(rig, 0, 0);
			held[n_held++] = rig->frame;
		}
	}
	for (unsigned i = 0; i < n_held; i++) {
		rig->frame = held[i];
		g_assert_cmphex(rig_pixel(rig, 0, 0), ==, stamp[i]);
	}
	unsigned before = rig->n_frames;
	rig_release(rig, &held[0]);
	g_assert_true(rig_wait_frames(rig, before + 1));
	g_assert_cmphex(rig_pixel(rig, 0, 0), ==, 49);
	assert_picture(rig, RIG_HIGH_ADDR);
	rig_stop(rig);
}

/* Nothing is sent while nobody looks; then comes the picture of now, whole. */
static void test_rate(void)
{
	struct rig *rig = start_shown();
	rig_set_rate(rig, 0, 0);
	g_assert_cmphex(rig_flush(rig, 5, whole), ==, OK);
	while (rig_receive(rig, 50))
		;
	unsigned n = rig->n_frames;
	fill(rig, RIG_HIGH_ADDR, 99);
	g_assert_cmphex(rig_transfer_2d(rig, 5, W, whole), ==, OK);
	g_assert_cmphex(rig_flush(rig, 5, (struct virtio_gpu_rect){ 3, 3, 1, 1 }), ==, OK);
	g_assert_false(rig_receive(rig, 100));
	rig_set_rate(rig, 0, 30000);
	g_assert_true(rig_wait_frames(rig, n + 1));
	g_assert_cmpuint(rig->frame.n_rects, ==, 1);
	g_assert_cmpuint(rig->frame.rects[0].width, ==, W);
	assert_picture(rig, RIG_HIGH_ADDR);
	rig_stop(rig);
}

/* A new display knows nothing and is told all of it. */
static void test_new_link(void)
{
	struct rig *rig = start_shown();
	rig_send_frame_link(rig);
	rig->frame.serial = 0;
	unsigned n = rig->n_frames;
	rig->head_is_on[0] = false;
	rig_set_rate(rig, 0, 60000);
	g_assert_true(rig_wait_frames(rig, n + 1));
	g_assert_true(rig->head_is_on[0]);
	assert_picture(rig, RIG_HIGH_ADDR);
	rig_stop(rig);
}

/*
 * The renderer is killed; its successor shows the same picture and answers what was taken. Display
 * asks for pictures after the successor has its memory, or before.
 */
static void test_restart(const void *early)
{
	struct rig *rig = start_shown();
	uint32_t id, length;
	struct virtio_gpu_resource_flush flush = { .hdr = { .type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
							   .flags = VIRTIO_GPU_FLAG_FENCE,
							   .fence_id = 0x123456789abcdefull },
		.r = whole,
		.resource_id = 5 };
	/*
	 * We make it look as if the renderer had died holding a chain: the entry is there, and
	 * taken.
	 */
	g_assert_cmpuint(rig_stop_ring(rig, 0), ==, rig->rings[0].next_avail);
	rig_submit(rig, 0, &flush, sizeof(flush), sizeof(struct virtio_gpu_ctrl_hdr));
	rig->ledger->rings[0].taken[0] = 1;
	rig->ledger->rings[0].next_avail = rig->rings[0].next_avail;
	rig->early_rate_mhz = early ? 60000 : 0;
	unsigned n = rig->n_frames;
	rig_restart(rig);
	rig->frame.serial = 0;
	g_assert_true(rig_wait_used(rig, 0, &id, &length, 5000));
	const struct virtio_gpu_ctrl_hdr *answer = rig_host(rig, RIG_LOW_ADDR + (1 << 20));
	g_assert_cmphex(answer->type, ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_cmphex(answer->flags, ==, VIRTIO_GPU_FLAG_FENCE);
	g_assert_cmphex(answer->fence_id, ==, 0x123456789abcdefull);
	if (!early)
		rig_set_rate(rig, 0, 60000);
	g_assert_true(rig_wait_frames(rig, n + 1));
	assert_picture(rig, RIG_HIGH_ADDR);
	/* After that the successor goes on. */
	fill(rig, RIG_HIGH_ADDR, 4);
	g_assert_cmphex(rig_transfer_2d(rig, 5, W, whole), ==, OK);
	g_assert_cmphex(rig_flush(rig, 5, whole), ==, OK);
	g_assert_true(rig_wait_frames(rig, n + 2));
	assert_picture(rig, RIG_HIGH_ADDR);
	rig_stop(rig);
}

/*
 * Checks that the resource of before is gone, its id free and the head dark, and that a new driver
 * shows a picture.
 */
static void check_new_driver(struct rig *rig)
{
	g_assert_cmphex(rig_flush(rig, 5, whole), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	while (rig->head_is_on[0])
		g_assert_true(rig_receive(rig, 1000));
	fill(rig, RIG_HIGH_ADDR, 7);
	unsigned n = rig->n_frames;
	show_2d(rig, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, RIG_HIGH_ADDR);
	g_assert_true(rig_wait_frames(rig, n + 1));
	assert_picture(rig, RIG_HIGH_ADDR);
}

static void test_reset(void)
{
	struct rig *rig = start_shown();
	rig_stop_and_reset(rig);
	rig_start_anew(rig);
	check_new_driver(rig);
	rig_stop(rig);
}

/*
 * A guest names memory that it has not got, and is reset while the command waits for word of new
 * memory: its resource is gone by then. With AddressSanitizer a use of it ends the renderer.
 * Returns false when the command was answered before the reset.
 */
static bool reset_in_command(void)
{
	struct {
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_mem_entry entry;
	} command = {
		.attach = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
			.resource_id = 6,
			.nr_entries = 1 },
		.entry = { .addr = RIG_HIGH_ADDR + RIG_HIGH_BYTES, .length = W * H * 4 },
	};
	struct rig *rig = start_shown();
	g_assert_cmphex(rig_create_2d(rig, 6, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, W, H), ==, OK);
	rig_submit(rig, 0, &command, sizeof(command), sizeof(struct virtio_gpu_ctrl_hdr));
	g_assert_true(rig_wait_taken(rig, 0, 5000));
	/* By now it has looked for the memory, asked the keeper, and waits. */
	g_usleep(10000);
	bool waits = !rig_has_used(rig, 0);
	rig_stop_and_reset(rig);
	rig_start_anew(rig);
	check_new_driver(rig);
	rig_stop(rig);
	return waits;
}

/* We try several times, as on a busy machine the command's 50 ms may be over too soon. */
static void test_reset_in_command(void)
{
	for (unsigned i = 0; i < 10; i++) {
		if (reset_in_command())
			return;
	}
	g_test_skip("the command never waited long enough");
}

/*
 * A reset comes while a successor makes anew what the ledger lists, of which some lies in memory
 * that the guest no longer has.
 */
static void test_reset_in_rebuild(void)
{
	struct rig *rig = start_shown();
	unsigned n = 0;
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		const struct ledger_resource *r = &rig->ledger->resources[i];
		if (r->id == 0)
			continue;
		n++;
		rig->ledger->backing[r->backing_first].guest_addr = RIG_HIGH_ADDR + RIG_HIGH_BYTES;
	}
	g_assert_cmpuint(n, ==, 1);
	rig_restart(rig);
	/* By now it has found the memory missing and waits. */
	g_usleep(10000);
	rig_stop_and_reset(rig);
	rig_start_anew(rig);
	rig->head_is_on[0] = false;
	rig->frame.serial = 0;
	rig_set_rate(rig, 0, 60000);
	check_new_driver(rig);
	rig_stop(rig);
}

/*
 * Display says what it wants and then has QEMU tell the guest, which asks: what was said first is
 * in the answer, also when a long command was under way meanwhile.
 */
static void test_display_info_behind_work(void)
{
	const struct virtio_gpu_ctrl_hdr ask = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct virtio_gpu_resp_display_info info;
	struct frame_heads_wanted wanted = { .header.type = FRAME_MESSAGE_HEADS_WANTED,
		.n_heads = 1,
		.heads[0] = { .enabled = 1, .width = 1234, .height = 777 } };
	uint32_t id, length;
	struct rig *rig = start_shown();
	rig_begin_long_work(rig, 6);
	g_assert_cmpint(link_send(rig->frame_fd, &wanted, sizeof(wanted), NULL, 0), ==, 0);
	rig->place = 1;
	rig_submit(rig, 0, &ask, sizeof(ask), sizeof(info));
	bool was_busy = !rig_has_used(rig, 0);
	for (unsigned i = 0; i < 2; i++)
		g_assert_true(rig_wait_used(rig, 0, &id, &length, 60000));
	memcpy(&info, rig_answer(rig), sizeof(info));
	rig_stop(rig);
	if (!was_busy) {
		g_test_skip("the renderer was done before it was asked");
		return;
	}
	g_assert_cmphex(info.hdr.type, ==, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	g_assert_cmpuint(info.pmodes[0].r.width, ==, 1234);
	g_assert_cmpuint(info.pmodes[0].r.height, ==, 777);
}

/* Sends a cursor command with no room for an answer, as Linux does. */
static void send_cursor(struct rig *rig, uint32_t type, uint32_t resource, uint32_t x, uint32_t y)
{
	uint32_t id, length;
	struct virtio_gpu_update_cursor c = { .hdr.type = type,
		.pos = { .scanout_id = 0, .x = x, .y = y },
		.resource_id = resource,
		.hot_x = 3,
		.hot_y = 4 };
	rig_submit(rig, 1, &c, sizeof(c), 0);
	g_assert_true(rig_wait_used(rig, 1, &id, &length, 2000));
	g_assert_cmpuint(length, ==, 0);
}

static void test_cursor(void)
{
	struct rig *rig = start_shown();
	const struct virtio_gpu_rect square = { 0, 0, 64, 64 };
	uint32_t *pixels = rig_host(rig, RIG_HIGH_ADDR + (8 << 20));
	for (unsigned i = 0; i < 64 * 64; i++)
		pixels[i] = i * 0x01020305;
	g_assert_cmphex(rig_create_2d(rig, 9, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64, 64), ==, OK);
	g_assert_cmphex(rig_attach(rig, 9, RIG_HIGH_ADDR + (8 << 20), 64 * 64 * 4, 4096), ==, OK);
	g_assert_cmphex(rig_transfer_2d(rig, 9, 64, square), ==, OK);
	send_cursor(rig, VIRTIO_GPU_CMD_UPDATE_CURSOR, 9, 100, (uint32_t)-5);
	while (rig->n_cursor_images == 0 || rig->n_cursor_moves == 0)
		g_assert_true(rig_receive(rig, 1000));
	g_assert_cmpmem(rig->cursor_image.pixels, 64 * 64 * 4, pixels, 64 * 64 * 4);
	g_assert_cmpuint(rig->cursor_image.hot_y, ==, 4);
	g_assert_cmpint(rig->cursor_move.x, ==, 100);
	g_assert_cmpint(rig->cursor_move.y, ==, -5);
	unsigned images = rig->n_cursor_images;
	send_cursor(rig, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 200, 300);
	while (rig->cursor_move.x != 200)
		g_assert_true(rig_receive(rig, 1000));
	g_assert_cmpuint(rig->n_cursor_images, ==, images);
	send_cursor(rig, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 200, 300);
	while (rig->n_cursor_hides == 0)
		g_assert_true(rig_receive(rig, 1000));
	rig_stop(rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/render/first-picture", test_first_picture);
	g_test_add_func("/render/partial", test_partial);
	g_test_add_func("/render/hoarding", test_hoarding);
	g_test_add_func("/render/rate", test_rate);
	g_test_add_func("/render/new-link", test_new_link);
	g_test_add_data_func("/render/restart", NULL, test_restart);
	g_test_add_data_func("/render/restart-display-first", "early", test_restart);
	g_test_add_func("/render/reset", test_reset);
	g_test_add_func("/render/reset-in-command", test_reset_in_command);
	g_test_add_func("/render/reset-in-rebuild", test_reset_in_rebuild);
	g_test_add_func("/render/display-info-behind-work", test_display_info_behind_work);
	g_test_add_func("/render/cursor", test_cursor);
	return g_test_run();
}
