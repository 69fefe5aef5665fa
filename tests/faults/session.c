/* SPDX-License-Identifier: MIT */
/*
 * session: a piece of a desktop's life with the wire tests' consumer in display's place. The guest
 * draws and is shown, its renderer is killed, and it draws and is shown again. A command may get an
 * error, a renderer or display may be replaced, and the guest's driver may be loaded anew.
 */
#include "tests/faults/outcome.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WIDTH 64
#define HEIGHT 48

static struct desktop *desktop;
static uint32_t first_id;

static bool show_2d(uint32_t number)
{
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	uint32_t id = first_id + number * 10;
	g_autofree uint32_t *pixels = wire_noise(3 + number, WIDTH * HEIGHT);
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	bool good = guest_gpu_create_2d(guest, id, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH,
			    HEIGHT) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_backing_attach(backing, id) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_transfer_2d(guest, id, all, 0) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_set_scanout(guest, 0, id, all) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_flush(guest, id, all) == VIRTIO_GPU_RESP_OK_NODATA &&
		    desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT);
	guest_gpu_detach_backing(guest, id);
	guest_backing_free(backing);
	return good;
}

static bool draw(uint32_t number)
{
	return scene3d_run(desktop->guest, first_id + number * 10, 3 + number);
}

static void reload(void)
{
	guest_driver_reload(desktop->guest);
}

static void insist(bool (*act)(uint32_t number), uint32_t id)
{
	first_id = id;
	outcome_insist(desktop->guest->backend, act, reload, "the desktop does not work");
}

int main(int argc, char **argv)
{
	const struct desktop_options options = { .virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true };
	outcome_begin();
	desktop = desktop_create(&options);
	desktop->guest->timeout_ms = wire_ms(8000);
	insist(draw, 100);
	insist(show_2d, 1);
	outcome_kill_worker(desktop->guest->backend, "vitrine-render");
	insist(draw, 200);
	insist(show_2d, 301);
	/* Those who wait for something have come back from it. */
	g_usleep(100000);
	return outcome_end(desktop->guest->backend);
}
