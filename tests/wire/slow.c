/* SPDX-License-Identifier: MIT */
#include "tests/wire/slow.h"

#include <glib.h>
#include <signal.h>
#include <string.h>

#include "tests/wire/wire.h"

#define SIZE 256
#define ENDLESS_DRAWS 2000
enum { TARGET, VERTICES };
enum { SURFACE = 1, VERTEX_SHADER, LOOP_SHADER, BLEND, DSA, RASTERIZER, ELEMENTS };

static const char *const VERTEX_TEXT = "VERT\n"
				       "DCL IN[0]\n"
				       "DCL IN[1]\n"
				       "DCL OUT[0], POSITION\n"
				       "DCL OUT[1], GENERIC[0]\n"
				       "  0: MOV OUT[0], IN[0]\n"
				       "  1: MOV OUT[1], IN[1]\n"
				       "  2: END\n";

/* Runs its loop until a count reaches the attribute's third component. */
static const char *const LOOP_TEXT = "FRAG\n"
				     "DCL IN[0], GENERIC[0], PERSPECTIVE\n"
				     "DCL OUT[0], COLOR\n"
				     "DCL TEMP[0..1]\n"
				     "IMM[0] FLT32 { 0.0, 1.0, 0.5, 0.999 }\n"
				     "  0: MOV TEMP[0], IMM[0].xxxx\n"
				     "  1: MOV TEMP[1], IN[0]\n"
				     "  2: BGNLOOP :0\n"
				     "  3: SGE TEMP[0].y, TEMP[0].xxxx, IN[0].zzzz\n"
				     "  4: IF TEMP[0].yyyy :0\n"
				     "  5: BRK\n"
				     "  6: ENDIF\n"
				     "  7: MAD TEMP[1], TEMP[1], IMM[0].wwww, IMM[0].zzzz\n"
				     "  8: ADD TEMP[0].x, TEMP[0].xxxx, IMM[0].yyyy\n"
				     "  9: ENDLOOP :0\n"
				     " 10: MOV OUT[0], TEMP[1]\n"
				     " 11: END\n";

static struct guest_backing *make_resource(struct slow *slow, uint32_t index, uint32_t target,
	uint32_t format, uint32_t bind, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = slow->base + index,
		.target = target,
		.format = format,
		.bind = bind,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1,
	};
	struct guest_backing *backing =
		guest_backing_create(slow->guest, (size_t)width * height * 4, GUEST_PAGE_SIZE);
	wire_ok(guest_gpu_create_3d(slow->guest, &create));
	wire_ok(guest_backing_attach(backing, slow->base + index));
	wire_ok(guest_gpu_ctx_attach(slow->guest, slow->base, slow->base + index));
	return backing;
}

static void create_objects(struct slow *slow)
{
	struct virgl_stream s = { 0 };
	virgl_create_surface(&s, SURFACE, slow->base + TARGET, VIRGL_FORMAT_B8G8R8A8);
	virgl_create_shader(&s, VERTEX_SHADER, VIRGL_SHADER_VERTEX, VERTEX_TEXT);
	virgl_create_shader(&s, LOOP_SHADER, VIRGL_SHADER_FRAGMENT, LOOP_TEXT);
	virgl_set_framebuffer(&s, SURFACE);
	virgl_set_viewport(&s, SIZE, SIZE);
	virgl_use_plain_state(&s, BLEND, DSA, RASTERIZER, ELEMENTS);
	virgl_bind_shader(&s, VERTEX_SHADER, VIRGL_SHADER_VERTEX);
	virgl_bind_shader(&s, LOOP_SHADER, VIRGL_SHADER_FRAGMENT);
	wire_ok(guest_gpu_submit(slow->guest, slow->base, s.words, virgl_stream_bytes(&s)));
	virgl_stream_finish(&s);
}

struct slow *slow_create_in(struct guest *guest, uint32_t base, float iterations)
{
	struct slow *slow = g_new0(struct slow, 1);
	slow->guest = guest;
	slow->base = base;
	slow->iterations = iterations;
	slow->target_backing = make_resource(slow, TARGET, VIRGL_TARGET_TEXTURE_2D,
		VIRGL_FORMAT_B8G8R8A8, VIRGL_BIND_RENDER_TARGET, SIZE, SIZE);
	slow->vertices_backing = make_resource(slow, VERTICES, VIRGL_TARGET_BUFFER, VIRGL_FORMAT_R8,
		VIRGL_BIND_VERTEX_BUFFER, 4096, 1);
	create_objects(slow);
	return slow;
}

static struct guest_request *send(
	struct slow *slow, float iterations, unsigned n_draws, uint64_t fence_id)
{
	const float n = iterations;
	const float vertices[4][8] = {
		{ -1, -1, 0, 1, 0, 0, n, 1 },
		{ 1, -1, 0, 1, 0, 0, n, 1 },
		{ -1, 1, 0, 1, 0, 0, n, 1 },
		{ 1, 1, 0, 1, 0, 0, n, 1 },
	};
	struct virgl_stream s = { 0 };
	struct virgl_box box = { 0, 0, 0, sizeof(vertices), 1, 1 };
	virgl_inline_write(&s, slow->base + VERTICES, box, vertices, sizeof(vertices), 0);
	virgl_set_vertex_buffer(&s, slow->base + VERTICES, sizeof(vertices[0]), 0);
	for (unsigned i = 0; i < n_draws; i++)
		virgl_draw(&s, VIRGL_PRIM_TRIANGLE_STRIP, 0, 4);
	size_t bytes;
	g_autofree void *command =
		guest_gpu_make_submit(slow->base, s.words, virgl_stream_bytes(&s), &bytes);
	virgl_stream_finish(&s);
	struct guest_request *request =
		guest_gpu_send_fenced(slow->guest, command, bytes, fence_id);
	g_assert_nonnull(request);
	return request;
}

struct slow *slow_create(struct guest *guest, uint32_t base, float iterations)
{
	wire_ok(guest_gpu_ctx_create(guest, base, "slow"));
	return slow_create_in(guest, base, iterations);
}

struct guest_request *slow_send(struct slow *slow, uint64_t fence_id)
{
	return send(slow, slow->iterations, 1, fence_id);
}

struct guest_request *slow_send_endless(struct slow *slow, uint64_t fence_id)
{
	return send(slow, 1e9f, ENDLESS_DRAWS, fence_id);
}

gint64 slow_crash(struct slow *slow, struct desktop *desktop)
{
	pid_t renderer = desktop_renderer(desktop);
	struct guest_request *request = slow_send_endless(slow, 9);
	g_usleep(100000);
	gint64 start_us = g_get_monotonic_time();
	/* We use SIGABRT as it stands for a fault, and AddressSanitizer makes no report of it. */
	kill(renderer, SIGABRT);
	desktop_wait_new_renderer(desktop, renderer);
	gint64 no_process_us = g_get_monotonic_time() - start_us;
	g_assert_true(guest_queue_wait(slow->guest->control, request, wire_ms(20000)));
	gint64 no_answer_us = g_get_monotonic_time() - start_us;
	g_test_message("a new process after %" G_GINT64_FORMAT
		       " ms, an answer after %" G_GINT64_FORMAT " ms",
		no_process_us / 1000, no_answer_us / 1000);
	guest_request_free(request);
	return no_answer_us;
}

struct guest_request *slow_send_readback(struct slow *slow)
{
	struct virtio_gpu_transfer_host_3d c = {
		.hdr = { .type = VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, .ctx_id = slow->base },
		.box = { 0, 0, 0, SIZE, SIZE, 1 },
		.resource_id = slow->base + TARGET,
	};
	return guest_queue_send(slow->guest->control, &c, sizeof(c), 64);
}

gint64 slow_calibrate(struct slow *slow, gint64 wanted_us)
{
	gint64 took = 0;
	slow->iterations = 100;
	/* We do not time the first job, because it also compiles the shader. */
	wire_ok(guest_gpu_finish_fenced(slow->guest, slow_send(slow, 1), 1));
	for (int i = 0; i < 6 && took < wanted_us; i++) {
		if (took > 0)
			slow->iterations *=
				CLAMP(1.2f * (float)wanted_us / (float)took, 1.5f, 50.0f);
		gint64 start = g_get_monotonic_time();
		wire_ok(guest_gpu_finish_fenced(slow->guest, slow_send(slow, 2), 2));
		took = g_get_monotonic_time() - start;
	}
	return took;
}

void slow_forget(struct slow *slow)
{
	guest_backing_free(slow->target_backing);
	guest_backing_free(slow->vertices_backing);
	g_free(slow);
}

void slow_destroy(struct slow *slow)
{
	wire_ok(guest_gpu_unref(slow->guest, slow->base + TARGET));
	wire_ok(guest_gpu_unref(slow->guest, slow->base + VERTICES));
	wire_ok(guest_gpu_ctx_destroy(slow->guest, slow->base));
	slow_forget(slow);
}
