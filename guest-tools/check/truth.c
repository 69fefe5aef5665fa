/* SPDX-License-Identifier: MIT */
/* This file draws known pictures, reads them back, and believes only the pixels. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/scenes.h"
#include "guest-tools/check/session.h"
#include "guest-tools/common/timing.h"

static void judge(struct finding *finding, const struct scene *scene, const uint32_t *pixels)
{
	struct scene_result result = scene_compare(scene, pixels);
	if (result.n_wrong == 0) {
		finding_pass(finding, "%u pixels right", result.n_judged);
		return;
	}
	finding_value(finding, "%u of %u pixels wrong, first at %d,%d: %08x, expected %08x (ABGR)",
		result.n_wrong, result.n_judged, result.x, result.y, result.got, result.expected);
	finding_fail(finding, "truth.wrong-pixel", scene->name);
}

static void run_scene(struct guest *guest, struct finding *finding, const char *name)
{
	struct gl *gl = session_gl(guest);
	const struct scene *scene = scene_find(name);
	struct gl_target target;
	static uint32_t pixels[SCENE_SIZE * SCENE_SIZE];
	assert(scene);
	if (scene->needs_es3 && gl->es_major < 3) {
		finding_skip(
			finding, "needs OpenGL ES 3, here is %d.%d", gl->es_major, gl->es_minor);
		return;
	}
	memset(pixels, 0x5a, sizeof pixels);
	bool drawn = gl_target_init(gl, &target, SCENE_SIZE, SCENE_SIZE) && scene->draw(gl);
	if (drawn)
		gl->fn.ReadPixels(0, 0, SCENE_SIZE, SCENE_SIZE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
	GLenum error = gl->fn.GetError();
	gl_target_finish(gl, &target);
	if (drawn && error == GL_NO_ERROR) {
		judge(finding, scene, pixels);
		return;
	}
	finding_value(finding, "not drawn: %s (GL error 0x%04x)", drawn ? "GL refused" : gl->error,
		error);
	finding_fail(finding, "truth.not-drawn", scene->name);
}

#define SCENE_RUN(name)                                                                            \
	static void run_##name(struct guest *guest, struct finding *finding)                       \
	{                                                                                          \
		run_scene(guest, finding, #name);                                                  \
	}
SCENE_RUN(clear)
SCENE_RUN(triangles)
SCENE_RUN(texture)
SCENE_RUN(blending)
SCENE_RUN(depth)
SCENE_RUN(instancing)

static void run_compute(struct guest *guest, struct finding *finding)
{
	enum { WORDS = 256 };
	struct gl *gl = session_gl(guest);
	uint32_t words[WORDS];
	if (!gl->is_31) {
		finding_skip(finding, "not offered: OpenGL ES %d.%d", gl->es_major, gl->es_minor);
		return;
	}
	if (!scene_compute(gl, words, WORDS)) {
		finding_value(
			finding, "%s", gl->error[0] ? gl->error : "the buffer could not be read");
		finding_fail(finding, "truth.not-drawn", "compute");
		return;
	}
	unsigned n_wrong = 0;
	for (uint32_t i = 0; i < WORDS; i++)
		n_wrong += words[i] != scene_compute_expected(i);
	if (n_wrong == 0) {
		finding_pass(finding, "%d results right", WORDS);
		return;
	}
	finding_value(finding, "%u of %d results wrong", n_wrong, WORDS);
	finding_fail(finding, "truth.wrong-pixel", "compute");
}

static double measure(
	struct gl *gl, void (*once)(struct gl *gl, void *data), void *data, double limit_ms)
{
	once(gl, data);
	gl->fn.Finish();
	double begin_ms = timing_now_ms(), took_ms;
	unsigned n = 0;
	do {
		once(gl, data);
		gl->fn.Finish();
		n++;
		took_ms = timing_now_ms() - begin_ms;
	} while (took_ms < limit_ms);
	return n * 1000.0 / took_ms;
}

static void draw_frame(struct gl *gl, void *data)
{
	gl->fn.ClearColor(0.1f, 0.2f, 0.3f, 1);
	gl->fn.Clear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
	gl->fn.DrawArrays(GL_TRIANGLES, 0, 3);
}

static void upload(struct gl *gl, void *data)
{
	gl->fn.TexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 512, 512, GL_RGBA, GL_UNSIGNED_BYTE, data);
}

static void read_back(struct gl *gl, void *data)
{
	gl->fn.ReadPixels(0, 0, 512, 512, GL_RGBA, GL_UNSIGNED_BYTE, data);
}

static void run_speed(struct guest *guest, struct finding *finding)
{
	struct gl *gl = session_gl(guest);
	struct gl_target target;
	void *pixels = calloc(512 * 512, 4);
	if (!pixels || !gl_target_init(gl, &target, 512, 512)) {
		free(pixels);
		finding_skip(finding, "no 512x512 target");
		return;
	}
	GLuint program = scene_plain_program(gl);
	gl->fn.UseProgram(program);
	double frames = measure(gl, draw_frame, NULL, 150);
	double uploads = measure(gl, upload, pixels, 150);
	double reads = measure(gl, read_back, pixels, 150);
	gl->fn.DeleteProgram(program);
	gl_target_finish(gl, &target);
	free(pixels);
	finding_pass(finding, "%.0f frames/s, upload %.0f MiB/s, read-back %.0f MiB/s (512x512)",
		frames, uploads, reads);
}

const struct check truth_checks[] = {
	{ "truth.clear", "clear", CHECK_NEEDS_GL, CHECK_ROOM_GL, "the exact colour everywhere",
		"The simplest command there is.", run_clear },
	{ "truth.triangles", "triangles", CHECK_NEEDS_GL, CHECK_ROOM_GL,
		"every pixel on its side of each edge", "Geometry and rasterising.",
		run_triangles },
	{ "truth.texture", "texture", CHECK_NEEDS_GL, CHECK_ROOM_GL, "each texel where it belongs",
		"Uploads and sampling: window contents.", run_texture },
	{ "truth.blending", "blending", CHECK_NEEDS_GL, CHECK_ROOM_GL,
		"the mixed colour, within 2 of 255", "Shadows and translucent windows.",
		run_blending },
	{ "truth.depth", "depth", CHECK_NEEDS_GL, CHECK_ROOM_GL, "the nearer surface in front",
		"Everything three-dimensional.", run_depth },
	{ "truth.instancing", "instancing", CHECK_NEEDS_GL, CHECK_ROOM_GL,
		"64 squares of their own colour",
		"Many objects by one command, as applications draw them.", run_instancing },
	{ "truth.compute", "compute shader", CHECK_NEEDS_GL, CHECK_ROOM_GL,
		"each result as calculated here", "Offered from OpenGL 4.3 on.", run_compute },
	{ "truth.speed", "speed", CHECK_NEEDS_GL, CHECK_ROOM_GL, "a figure to compare",
		"Frames, uploads and read-backs, each waited for. Compare with another guest on "
		"this host.",
		run_speed },
	{ 0 },
};
