/* SPDX-License-Identifier: MIT */
/*
 * bench-copy NODE tells how long the thread that executes the guest's commands is held up by a 4K
 * picture that goes through CPU memory. A guest's texture of 3840x2160 is drawn 30 times a second
 * and copied to a memfd as render/scanout/scanout.c does it; each picture is looked at. In turns
 * with it the same is copied to a buffer of the GPU, of which that thread moves no pixel either.
 *
 *   asking    tells the GPU to copy, and asks for word of its end
 *   copying   is at the picture when word has come
 *   CPU       is what both took of that thread
 *
 * The exit status is 1 when copying takes more than COPY_MS_MAX, or both together take more CPU
 * than a GPU buffer by that, or when fewer than RATE_MIN pictures come in a second.
 */
#include <drm_fourcc.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "render/buffers/buffer.h"
#include "render/gl/egl.h"
#include "render/gl/virgl.h"
#include "tests/bench/samples.h"
#include "tests/wire/virgl_encode.h"

enum { WIDTH = 3840, HEIGHT = 2160, RING = 2, CONTEXT = 1, TEXTURE = 10 };
#define PERIOD_NS (MONOTONIC_NS_PER_S / 30)
#define COPY_MS_MAX 0.5
/* Of the 30 that are asked for. Each is complete before the next is drawn. */
#define RATE_MIN 29.0
/* The first pictures compile shaders and touch their memory. */
#define WARM 4

static struct way {
	const char *name;
	const struct buffer_interface *interface;
	struct buffer *buffers[RING];
	struct samples asking_ms, copying_ms, whole_ms, cpu_ms;
} ways[] = {
	{ .name = "memfd", .interface = &buffer_memfd_async },
	{ .name = "GPU buffer", .interface = &buffer_gbm },
};

static double thread_cpu_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void ignore_fence(void *user, uint32_t sequence)
{
}

static void submit(struct virgl_stream *stream)
{
	if (!virgl_submit(CONTEXT, stream->words, (uint32_t)stream->n_words))
		g_error("commands are refused");
	virgl_stream_finish(stream);
}

static struct ledger_resource make_texture(void)
{
	struct ledger_resource description = { .id = TEXTURE,
		.is_3d = true,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SCANOUT,
		.width = WIDTH,
		.height = HEIGHT,
		.depth = 1,
		.array_size = 1 };
	struct virgl_stream stream = { 0 };
	if (!virgl_create_resource(&description))
		g_error("no texture");
	virgl_attach_to_context(CONTEXT, TEXTURE);
	virgl_create_surface(&stream, TEXTURE, TEXTURE, VIRGL_FORMAT_B8G8R8X8);
	submit(&stream);
	return description;
}

static void draw(unsigned frame)
{
	const float colour[4] = { (float)(frame % 256) / 255, 0.2f, 0.4f, 1 };
	struct virgl_stream stream = { 0 };
	virgl_set_framebuffer(&stream, TEXTURE);
	virgl_clear(&stream, colour);
	submit(&stream);
}

static void check(const struct buffer *buffer, unsigned frame)
{
	uint32_t want = (frame % 256) << 16 | 51 << 8 | 102;
	const uint32_t *pixels = (const uint32_t *)buffer->pixels;
	const size_t places[] = { 0, WIDTH - 1, (size_t)WIDTH * HEIGHT / 2,
		(size_t)WIDTH * (HEIGHT - 1), (size_t)WIDTH * HEIGHT - 1 };
	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		if ((pixels[places[i]] & 0xffffff) != want)
			g_error("picture %u is 0x%06x at %zu, not 0x%06x", frame,
				pixels[places[i]] & 0xffffff, places[i], want);
	}
}

static void ask(struct buffer *buffer, const struct ledger_resource *description)
{
	struct texture texture;
	const struct rect all = { 0, 0, WIDTH, HEIGHT };
	virgl_enter_gl();
	if (!virgl_resource_get_texture(description, &texture) ||
		!buffer->interface->copy_texture(buffer, &texture, &all, 0, 0))
		g_error("no copy");
}

/* Returns when the picture is complete. */
static void wait_for(struct buffer *buffer, int fd, unsigned frame)
{
	struct pollfd ready = { .fd = fd >= 0 ? fd : buffer->fence_fd, .events = POLLIN };
	if (ready.fd >= 0 && poll(&ready, 1, 20000) != 1)
		g_error("no word of picture %u", frame);
}

static void show(struct way *way, unsigned frame, const struct ledger_resource *description)
{
	struct buffer *buffer = way->buffers[frame % RING];
	draw(frame);
	uint64_t start_ns = monotonic_now_ns();
	double start_cpu_ms = thread_cpu_ms();
	ask(buffer, description);
	int fd = buffer->interface->submit(buffer);
	uint64_t asked_ns = monotonic_now_ns();
	wait_for(buffer, fd, frame);
	uint64_t ready_ns = monotonic_now_ns();
	virgl_enter_gl();
	if (fd >= 0 && !buffer->interface->complete(buffer))
		g_error("picture %u was lost", frame);
	uint64_t end_ns = monotonic_now_ns();
	double end_cpu_ms = thread_cpu_ms();
	if (buffer->pixels)
		check(buffer, frame);
	if (frame < WARM)
		return;
	samples_add(&way->asking_ms, (double)(asked_ns - start_ns) / 1e6);
	samples_add(&way->copying_ms, (double)(end_ns - ready_ns) / 1e6);
	samples_add(&way->cpu_ms, end_cpu_ms - start_cpu_ms);
	samples_add(&way->whole_ms, (double)(end_ns - start_ns) / 1e6);
}

static void say(const char *name, struct samples *samples)
{
	printf("  %-8s %8.3f ms a picture (median; %.3f to %.3f)\n", name,
		samples_quantile(samples, 0.5), samples_quantile(samples, 0),
		samples_quantile(samples, 1));
}

static void make_buffers(struct way *way)
{
	static const struct buffer_wish wish = { .fourcc = DRM_FORMAT_XRGB8888,
		.n_formats = 2,
		.formats = { { DRM_FORMAT_XRGB8888, 0, DRM_FORMAT_MOD_INVALID },
			{ DRM_FORMAT_XRGB8888, 0, DRM_FORMAT_MOD_LINEAR } } };
	for (unsigned i = 0; i < RING; i++) {
		way->buffers[i] = buffer_create(way->interface, WIDTH, HEIGHT, &wish);
		if (!way->buffers[i])
			g_error("%s: no buffer", way->name);
	}
}

/* Shows all pictures, a period apart where the machine can. Returns how many came in a second. */
static double show_all(unsigned n_frames, const struct ledger_resource *description)
{
	uint64_t first_ns = monotonic_now_ns();
	for (unsigned frame = 0; frame < WARM + n_frames; frame++) {
		if (frame == WARM)
			first_ns = monotonic_now_ns();
		for (unsigned w = 0; w < G_N_ELEMENTS(ways); w++)
			show(&ways[w], frame, description);
		uint64_t now_ns = monotonic_now_ns(),
			 due_ns = first_ns + (frame + 1 - WARM) * PERIOD_NS;
		if (frame >= WARM && due_ns > now_ns)
			g_usleep((due_ns - now_ns) / 1000);
	}
	return n_frames / ((double)(monotonic_now_ns() - first_ns) / 1e9);
}

int main(int argc, char **argv)
{
	struct egl_choice choice;
	unsigned n_frames =
		g_getenv("BENCH_FRAMES") ? (unsigned)atoi(g_getenv("BENCH_FRAMES")) : 60;
	if (argc != 2) {
		fprintf(stderr, "usage: bench-copy NODE\n");
		return 2;
	}
	if (!egl_choose(&choice, argv[1], false) || !virgl_init(&choice, ignore_fence, NULL) ||
		!virgl_create_context(CONTEXT, "bench", 5))
		g_error("%s cannot be used", argv[1]);
	struct ledger_resource description = make_texture();
	for (unsigned w = 0; w < G_N_ELEMENTS(ways); w++)
		make_buffers(&ways[w]);
	double rate = show_all(n_frames, &description);
	printf("%s, %ux%u, %u pictures each way, %.1f a second\n", choice.description, WIDTH,
		HEIGHT, n_frames, rate);
	for (unsigned w = 0; w < G_N_ELEMENTS(ways); w++) {
		printf("%s\n", ways[w].name);
		say("asking", &ways[w].asking_ms);
		say("copying", &ways[w].copying_ms);
		say("CPU", &ways[w].cpu_ms);
		say("in all", &ways[w].whole_ms);
	}
	double copying_ms = samples_quantile(&ways[0].copying_ms, 0.5);
	double more_ms =
		samples_quantile(&ways[0].cpu_ms, 0.5) - samples_quantile(&ways[1].cpu_ms, 0.5);
	printf("copying: %.3f ms, and %.3f ms of CPU more than a GPU buffer; at most %.1f; at "
	       "least %.0f a second\n",
		copying_ms, more_ms, COPY_MS_MAX, RATE_MIN);
	fflush(stdout);
	_exit(copying_ms > COPY_MS_MAX || more_ms > COPY_MS_MAX || rate < RATE_MIN);
}
