/* SPDX-License-Identifier: MIT */
/*
 * stock: runs the front end against the distribution's own vhost-user-gpu, which proves the front
 * end, so that a failure elsewhere is our backend's. It draws off-screen only, because the stock
 * backend aborts at a 3D scanout.
 */
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

static struct guest *create_stock(bool virgl, struct guest_shape shape, bool event_idx)
{
	static const char *const with_virgl[] = { "--virgl", "--render-node", "/dev/null", NULL };
	struct guest_options options = {
		.program = wire_stock(),
		.arguments = virgl ? with_virgl : NULL,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = shape,
		.event_idx = event_idx,
		.virgl = virgl,
		.timeout_ms = wire_ms(10000),
	};
	return guest_create(&options);
}

static void test_2d(void)
{
	struct guest *guest = create_stock(false, GUEST_SHAPE_PIECES, true);
	struct virtio_gpu_resp_display_info info;
	wire_check(guest_gpu_get_display_info(guest, &info), VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	g_assert_cmpuint(info.pmodes[0].r.width, ==, 1920);

	const uint32_t w = 70, h = 50;
	g_autofree uint32_t *pixels = wire_noise(1, w * h);
	struct guest_backing *backing = guest_backing_create(guest, w * h * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, w * h * 4);
	guest_rect all = { 0, 0, w, h };
	wire_ok(guest_gpu_create_2d(guest, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, w, h));
	wire_ok(guest_backing_attach(backing, 5));
	wire_ok(guest_gpu_set_scanout(guest, 0, 5, all));
	wire_ok(guest_gpu_transfer_2d(guest, 5, all, 0));
	wire_ok(guest_gpu_flush(guest, 5, all));
	g_assert_true(gpu_socket_wait_updates(guest->gpu, 0, 1, guest->timeout_ms));
	g_assert_true(
		picture_equal("stock 2D", guest->gpu->scanouts[0].pixels, pixels, w, h, 0xffffff));
	guest_backing_free(backing);
	guest_destroy(guest);
}

static void test_3d(const void *data)
{
	const struct guest_shape *shape = data;
	struct guest *guest = create_stock(true, *shape, true);
	g_assert_true(scene3d_run(guest, 10, 1));
	guest_destroy(guest);
	guest = create_stock(true, *shape, false);
	g_assert_true(scene3d_run(guest, 10, 2));
	guest_destroy(guest);
}

/* Y_0_TOP resources, whose GL texture is upside down, are drawn right. */
static void test_3d_y_0_top(void)
{
	struct guest *guest = create_stock(true, GUEST_SHAPE_INDIRECT, true);
	struct scene3d *scene = scene3d_create(guest, 10, true);
	wire_ok(scene3d_draw(scene, 1));
	g_assert_true(scene3d_check(scene, 1));
	scene3d_destroy(scene, false);
	guest_destroy(guest);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	if (!wire_stock())
		return wire_skip_all("no vhost-user-gpu of QEMU here (package qemu-system-gui)");
	g_test_add_func("/stock/2d", test_2d);
	g_test_add_data_func("/stock/3d/direct", &GUEST_SHAPE_DIRECT, test_3d);
	g_test_add_data_func("/stock/3d/indirect", &GUEST_SHAPE_INDIRECT, test_3d);
	g_test_add_data_func("/stock/3d/pieces", &GUEST_SHAPE_PIECES, test_3d);
	g_test_add_func("/stock/3d/y-0-top", test_3d_y_0_top);
	g_test_add_data_func("/stock/3d/crumbs", &GUEST_SHAPE_CRUMBS, test_3d);
	return g_test_run();
}
