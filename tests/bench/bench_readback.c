/* SPDX-License-Identifier: MIT */
/*
 * bench-readback tells what it costs the renderer to bring a 3D picture of 1920x1080 to the CPU:
 * all of it, and a window of a tenth of it that moves about, in turns in one run; then with nobody
 * looking. It takes the CPU time of all the renderer's threads for each frame that arrived; the
 * guest draws nothing meanwhile. The exit status is 1 when the tenth costs a fifth or more.
 *
 * With WIRE_RENDER_NODE (in the DRM test VM, or on a host with a GPU) it runs on that GPU.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/link.h"
#include "tests/bench/processes.h"
#include "tests/bench/samples.h"
#include "tests/wire/virgl_encode.h"
#include "tests/wire/wire.h"

#define WIDTH 1920
#define HEIGHT 1080
/* This part is 606 * 342 pixels, 9.995 % of the picture. */
#define PART_WIDTH 606
#define PART_HEIGHT 342
#define RATIO_LIMIT 0.2
#define RESOURCE 5

struct bench {
	struct desktop *desktop;
	pid_t renderer;
	unsigned n_frames; /* a round */
	unsigned flushed;
};

static void make_picture(struct guest *guest)
{
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = RESOURCE,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SCANOUT,
		.width = WIDTH,
		.height = HEIGHT,
		.depth = 1,
		.array_size = 1,
	};
	struct virtio_gpu_box box = { 0, 0, 0, WIDTH, HEIGHT, 1 };
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	g_autofree uint32_t *pixels = wire_noise(1, WIDTH * HEIGHT);
	wire_ok(guest_gpu_create_3d(guest, &create));
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	wire_ok(guest_backing_attach(backing, RESOURCE));
	wire_ok(guest_gpu_transfer_3d(
		guest, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, 0, RESOURCE, box, 0, WIDTH * 4));
	wire_ok(guest_gpu_detach_backing(guest, RESOURCE));
	guest_backing_free(backing);
}

static uint64_t frames_seen(struct bench *bench)
{
	return consumer_link_state(bench->desktop->consumer)->heads[0].frames;
}

static guest_rect pick_part(unsigned i)
{
	return (guest_rect){ i * 37 % (WIDTH - PART_WIDTH), i * 23 % (HEIGHT - PART_HEIGHT),
		PART_WIDTH, PART_HEIGHT };
}

static void flush(struct bench *bench, bool part, bool watched)
{
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	guest_rect rect = part ? pick_part(bench->flushed++) : all;
	uint64_t before = watched ? frames_seen(bench) : 0;
	gint64 end = g_get_monotonic_time() + wire_ms(10000) * 1000;
	wire_ok(guest_gpu_flush(bench->desktop->guest, RESOURCE, rect));
	while (watched && frames_seen(bench) == before) {
		if (g_get_monotonic_time() > end)
			g_error("no frame");
		g_usleep(200);
	}
}

/* Returns CPU milliseconds for each frame. */
static double measure_cpu(struct bench *bench, bool part, bool watched)
{
	struct process_time before, after;
	process_read_time(bench->renderer, &before);
	for (unsigned i = 0; i < bench->n_frames; i++)
		flush(bench, part, watched);
	process_read_time(bench->renderer, &after);
	return (double)(after.cpu_ns - before.cpu_ns) / 1e6 / bench->n_frames;
}

static void take_no_dmabufs(struct desktop *desktop)
{
	struct consumer_takes takes = { .header.type = CONSUMER_TAKES,
		.dmabufs = CONSUMER_NO_DMABUFS };
	if (link_send(desktop->consumer->fd, &takes, sizeof(takes), NULL, 0) < 0)
		g_error("the consumer is gone");
}

static void start(struct bench *bench)
{
	struct desktop_options options = {
		.virgl = true,
		.memory_bytes = 64u << 20,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
	};
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	bench->desktop = desktop_create(&options);
	bench->renderer = desktop_renderer(bench->desktop);
	take_no_dmabufs(bench->desktop);
	consumer_link_trust(bench->desktop->consumer);
	make_picture(bench->desktop->guest);
	wire_ok(guest_gpu_set_scanout(bench->desktop->guest, 0, RESOURCE, all));
	measure_cpu(bench, false, true);
	measure_cpu(bench, true, true);
}

int main(int argc, char **argv)
{
	enum { ROUNDS = 5 };
	struct samples whole = { 0 }, part = { 0 }, ratio = { 0 };
	const char *n_frames = g_getenv("BENCH_FRAMES");
	struct bench bench = { .n_frames = n_frames ? (unsigned)atoi(n_frames) : 60 };
	wire_init(&argc, &argv);
	start(&bench);
	for (unsigned i = 0; i < ROUNDS; i++) {
		double whole_ms = measure_cpu(&bench, false, true);
		double part_ms = measure_cpu(&bench, true, true);
		samples_add(&whole, whole_ms);
		samples_add(&part, part_ms);
		samples_add(&ratio, part_ms / whole_ms);
	}
	consumer_link_rate(bench.desktop->consumer, 0, 0);
	g_usleep(100000);
	double unwatched_ms = measure_cpu(&bench, false, false);
	double median = samples_quantile(&ratio, 0.5);
	printf("readback at %ux%u, renderer's CPU for each frame, median of %u rounds of %u\n",
		WIDTH, HEIGHT, ROUNDS, bench.n_frames);
	printf("all of it     %8.3f ms\n", samples_quantile(&whole, 0.5));
	printf("a tenth of it %8.3f ms, ratio %.3f (%.3f to %.3f), to be under %.1f: %s\n",
		samples_quantile(&part, 0.5), median, samples_quantile(&ratio, 0),
		samples_quantile(&ratio, 1), RATIO_LIMIT, median < RATIO_LIMIT ? "good" : "OVER");
	printf("nobody looks  %8.3f ms\n", unwatched_ms);
	desktop_destroy(bench.desktop);
	samples_finish(&whole);
	samples_finish(&part);
	samples_finish(&ratio);
	return median < RATIO_LIMIT ? 0 : 1;
}
