/* SPDX-License-Identifier: MIT */
/*
 * session: a piece of a desktop's life with the wire tests' consumer in display's place. The guest
 * draws and is shown, its renderer is killed, and it draws and is shown again. A command may get an
 * error, a renderer or display may be replaced, and the guest's driver may be loaded anew.
 *
 * On a GPU (WIRE_RENDER_NODE) a picture of OpenGL's is shown, too: as a dma-buf, as one whose rows
 * lie one after the other, and through memory.
 */
#include "common/link.h"
#include "tests/faults/outcome.h"
#include "tests/wire/consumer_protocol.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/virgl_encode.h"
#include "tests/wire/wire.h"

#define WIDTH 64
#define HEIGHT 48

#define CONTEXT 77
#define GL_PICTURES 3
#define GL_PICTURES_APART_US 20000

static const enum consumer_dmabufs taken[] = { CONSUMER_DMABUFS, CONSUMER_LINEAR_DMABUFS,
	CONSUMER_NO_DMABUFS };

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

static void take(enum consumer_dmabufs dmabufs)
{
	struct consumer_takes takes = { .header.type = CONSUMER_TAKES, .dmabufs = dmabufs };
	g_assert_cmpint(link_send(desktop->consumer->fd, &takes, sizeof(takes), NULL, 0), ==, 0);
	/* Once it has answered it has told the renderer. */
	consumer_link_state(desktop->consumer);
}

/* The renderer hears of what is taken while pictures come. */
static bool show_gl_as(uint32_t id, enum consumer_dmabufs dmabufs)
{
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	uint32_t pixels[WIDTH * HEIGHT];
	struct virgl_stream s = { 0 };
	bool good = true;
	take(dmabufs);
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = 0xff0000ff;
	virgl_create_surface(&s, id, id, VIRGL_FORMAT_B8G8R8X8);
	virgl_set_framebuffer(&s, id);
	virgl_clear(&s, (const float[]){ 0, 0, 1, 1 });
	virgl_destroy(&s, VIRGL_OBJECT_SURFACE, id);
	for (unsigned i = 0; i < GL_PICTURES && good; i++) {
		good = guest_gpu_submit(guest, CONTEXT, s.words, virgl_stream_bytes(&s)) ==
			       VIRTIO_GPU_RESP_OK_NODATA &&
		       guest_gpu_set_scanout(guest, 0, id, all) == VIRTIO_GPU_RESP_OK_NODATA &&
		       guest_gpu_flush(guest, id, all) == VIRTIO_GPU_RESP_OK_NODATA;
		g_usleep(GL_PICTURES_APART_US);
	}
	virgl_stream_finish(&s);
	return good && desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT);
}

static bool show_gl(uint32_t number)
{
	uint32_t id = first_id + number * 10;
	const struct virtio_gpu_resource_create_3d create = { .resource_id = id,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET,
		.width = WIDTH,
		.height = HEIGHT,
		.depth = 1,
		.array_size = 1 };
	bool good = guest_gpu_ctx_create(desktop->guest, CONTEXT, "session") ==
			    VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_create_3d(desktop->guest, &create) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_ctx_attach(desktop->guest, CONTEXT, id) == VIRTIO_GPU_RESP_OK_NODATA;
	for (unsigned i = 0; i < G_N_ELEMENTS(taken) && good; i++)
		good = show_gl_as(id, taken[i]);
	guest_gpu_ctx_destroy(desktop->guest, CONTEXT);
	return good;
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
	if (g_getenv("WIRE_RENDER_NODE"))
		insist(show_gl, 400);
	outcome_kill_worker(desktop->guest->backend, "vitrine-render");
	insist(draw, 200);
	insist(show_2d, 301);
	/* Those who wait for something have come back from it. */
	g_usleep(100000);
	return outcome_end(desktop->guest->backend);
}
