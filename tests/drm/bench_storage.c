/* SPDX-License-Identifier: MIT */
/*
 * bench-storage NODE tells how a guest's picture best gets into a GBM buffer. It tries these ways
 * in turns, in one run, at 1920x1080, with each frame drawn by the guest and waited for by a fence:
 *
 *   blit     the guest draws to a texture of virglrenderer's; we copy it into one of our buffers
 *   tenth    the same when only a tenth has changed
 *   import   the guest draws to our buffer, which virglrenderer was given as the storage of its
 *            resource (virgl_renderer_resource_import_eglimage)
 *
 * It prints CPU and time for each frame and what the blit adds; every picture is read back and
 * compared.
 */
#include <drm_fourcc.h>
#include <epoxy/gl.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <virglrenderer.h>

#include "render/gl/blit.h"
#include "render/gl/egl.h"
#include "render/gl/egl_fence.h"
#include "render/gl/egl_gbm.h"
#include "render/gl/virgl.h"
#include "tests/bench/samples.h"
#include "tests/wire/virgl_encode.h"

enum { WIDTH = 1920, HEIGHT = 1080, RING = 3, ROUNDS = 5, CONTEXT = 1 };
/* Resources of the texture's ring are numbered from 10 on, those of our buffers from 20 on. */
enum { TEXTURES = 10, IMPORTED = 20 };

static struct egl_gbm_buffer *targets[RING], *storage[RING];
static unsigned n_frames = 30;

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void ignore_fence(void *user, uint32_t sequence)
{
}

static struct egl_gbm_buffer *make_buffer(void)
{
	const uint64_t modifier = DRM_FORMAT_MOD_INVALID;
	const char *why = "";
	struct egl_gbm_buffer *buffer =
		egl_gbm_buffer_create(WIDTH, HEIGHT, DRM_FORMAT_XRGB8888, &modifier, 1, &why);
	if (!buffer)
		g_error("no GBM buffer: %s", why);
	return buffer;
}

static void submit(struct virgl_stream *stream)
{
	if (!virgl_submit(CONTEXT, stream->words, (uint32_t)stream->n_words))
		g_error("commands are refused");
	virgl_stream_finish(stream);
}

static void make_surface(uint32_t resource)
{
	struct virgl_stream stream = { 0 };
	virgl_attach_to_context(CONTEXT, resource);
	virgl_create_surface(&stream, resource, resource, VIRGL_FORMAT_B8G8R8X8);
	submit(&stream);
}

static void make_texture(uint32_t id)
{
	struct ledger_resource description = { .id = id,
		.is_3d = true,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SCANOUT,
		.width = WIDTH,
		.height = HEIGHT,
		.depth = 1,
		.array_size = 1 };
	if (!virgl_create_resource(&description))
		g_error("no texture");
	make_surface(id);
}

static void import_storage(uint32_t id, const struct egl_gbm_buffer *buffer)
{
	struct virgl_renderer_resource_create_args args = { .handle = id,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SCANOUT,
		.width = WIDTH,
		.height = HEIGHT,
		.depth = 1,
		.array_size = 1 };
	virgl_enter_gl();
	if (virgl_renderer_resource_import_eglimage(&args, buffer->image) != 0)
		g_error("virglrenderer does not take the buffer");
	make_surface(id);
}

/* ---- frames ---- */

static void draw(uint32_t resource, unsigned frame)
{
	const float colour[4] = { (float)(frame % 256) / 255, 0.2f, 0.4f, 1 };
	struct virgl_stream stream = { 0 };
	virgl_set_framebuffer(&stream, resource);
	virgl_clear(&stream, colour);
	submit(&stream);
}

static void wait_for_gpu(void)
{
	int fd = egl_fence_create();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (fd >= 0 && poll(&p, 1, 10000) != 1)
		g_error("a fence that does not signal");
	if (fd >= 0)
		close(fd);
}

static void check(const struct egl_gbm_buffer *buffer, unsigned frame, const char *way)
{
	uint32_t pixel = 0, want = (frame % 256) << 16 | 51 << 8 | 102;
	virgl_enter_gl();
	glBindFramebuffer(GL_READ_FRAMEBUFFER, buffer->gl_framebuffer);
	for (int i = 0; i < 4; i++) {
		glReadPixels(i % 2 ? WIDTH - 1 : 0, i / 2 ? HEIGHT - 1 : 0, 1, 1, GL_BGRA,
			GL_UNSIGNED_INT_8_8_8_8_REV, &pixel);
		if ((pixel & 0xffffff) != want)
			g_error("%s: frame %u is 0x%06x, not 0x%06x", way, frame, pixel & 0xffffff,
				want);
	}
	glBindFramebuffer(GL_READ_FRAMEBUFFER, 0);
}

static void blit(unsigned frame, uint32_t width, uint32_t height)
{
	struct ledger_resource description = { .id = TEXTURES + frame % RING,
		.target = VIRGL_TARGET_TEXTURE_2D };
	struct texture texture;
	struct rect rect = { 0, 0, width, height };
	draw(description.id, frame);
	if (!virgl_resource_get_texture(&description, &texture) ||
		!blit_texture(&texture, &rect, targets[frame % RING]->gl_framebuffer, 0, 0))
		g_error("blit");
	wait_for_gpu();
}

static void frame_blit(unsigned frame)
{
	blit(frame, WIDTH, HEIGHT);
}

static void frame_tenth(unsigned frame)
{
	blit(frame, WIDTH, HEIGHT / 10);
}

static void frame_import(unsigned frame)
{
	draw(IMPORTED + frame % RING, frame);
	virgl_enter_context(CONTEXT);
	wait_for_gpu();
}

struct way {
	const char *name;
	void (*frame)(unsigned frame);
	struct egl_gbm_buffer **buffers; /* NULL: not the whole picture arrives */
	struct samples cpu_ms, wall_ms;
};

static void measure(struct way *way, unsigned *frame)
{
	int64_t cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID), wall_us = clock_us(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < n_frames; i++)
		way->frame(++*frame);
	cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us;
	wall_us = clock_us(CLOCK_MONOTONIC) - wall_us;
	samples_add(&way->cpu_ms, (double)cpu_us / 1000 / n_frames);
	samples_add(&way->wall_ms, (double)wall_us / 1000 / n_frames);
	if (way->buffers)
		check(way->buffers[*frame % RING], *frame, way->name);
}

int main(int argc, char **argv)
{
	struct egl_choice choice;
	struct way ways[] = { { .name = "blit", .frame = frame_blit, .buffers = targets },
		{ .name = "tenth", .frame = frame_tenth },
		{ .name = "import", .frame = frame_import, .buffers = storage } };
	unsigned frame = 0;
	if (argc != 2) {
		fprintf(stderr, "usage: bench-storage NODE\n");
		return 2;
	}
	if (g_getenv("BENCH_FRAMES"))
		n_frames = (unsigned)atoi(g_getenv("BENCH_FRAMES"));
	if (!egl_choose(&choice, argv[1], false) || !egl_display_get_gbm() ||
		!virgl_init(&choice, ignore_fence, NULL) ||
		!virgl_create_context(CONTEXT, "bench", 5))
		g_error("%s cannot be used", argv[1]);
	for (unsigned i = 0; i < RING; i++) {
		make_texture(TEXTURES + i);
		virgl_enter_gl();
		targets[i] = make_buffer();
		storage[i] = make_buffer();
		import_storage(IMPORTED + i, storage[i]);
	}
	for (unsigned round = 0; round <= ROUNDS; round++) {
		for (unsigned w = 0; w < G_N_ELEMENTS(ways); w++) {
			measure(&ways[w], &frame);
			if (round == 0) /* shaders and caches */
				ways[w].cpu_ms.n = ways[w].wall_ms.n = 0;
		}
	}
	printf("%s, %ux%u, median of %u rounds of %u frames\n", choice.description, WIDTH, HEIGHT,
		ROUNDS, n_frames);
	for (unsigned w = 0; w < G_N_ELEMENTS(ways); w++)
		printf("%-7s CPU %7.3f ms (%.3f to %.3f), time %7.3f ms a frame\n", ways[w].name,
			samples_quantile(&ways[w].cpu_ms, 0.5),
			samples_quantile(&ways[w].cpu_ms, 0), samples_quantile(&ways[w].cpu_ms, 1),
			samples_quantile(&ways[w].wall_ms, 0.5));
	fflush(stdout);
	_exit(0);
}
