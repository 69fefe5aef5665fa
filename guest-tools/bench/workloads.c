/* SPDX-License-Identifier: MIT */
#include "guest-tools/bench/workloads.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "guest-tools/common/array.h"

#define SIZE 1024
#define LAYERS 8
#define TRIANGLES 100000
#define DRAWS 1000
#define PROGRAMS 4

static struct gl_target target;
static GLuint program, array, texture;
static unsigned char *pixels;
static GLint offset_location;
static unsigned seed, n_compiled;

static const char flat_fragment[] =
	GL_ES3_SOURCE "out vec4 result; void main() { result = vec4(0.9, 0.5, 0.1, 0.5); }";

static bool set_up_program(struct gl *gl, const char *vertex, const char *fragment)
{
	if (!gl_target_init(gl, &target, SIZE, SIZE))
		return false;
	program = gl_program(gl, vertex, fragment);
	gl->fn.GenVertexArrays(1, &array);
	gl->fn.BindVertexArray(array);
	gl->fn.UseProgram(program);
	return program != 0;
}

static void tear_down(struct gl *gl)
{
	gl->fn.Disable(GL_BLEND);
	gl->fn.BindVertexArray(0);
	gl->fn.DeleteVertexArrays(1, &array);
	gl->fn.DeleteProgram(program);
	gl->fn.DeleteTextures(1, &texture);
	gl_target_finish(gl, &target);
	free(pixels);
	program = array = texture = 0;
	pixels = NULL;
}

static bool set_up_fill(struct gl *gl)
{
	bool ready = set_up_program(gl, GL_COVER_VERTEX, flat_fragment);
	gl->fn.Enable(GL_BLEND);
	gl->fn.BlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
	return ready;
}

static void run_fill(struct gl *gl)
{
	for (unsigned i = 0; i < LAYERS; i++)
		gl->fn.DrawArrays(GL_TRIANGLES, 0, 3);
}

/*
 * The triangles are a quarter pixel wide, so that their vertices cost time and their pixels hardly
 * do.
 */
static bool set_up_geometry(struct gl *gl)
{
	return set_up_program(gl,
		GL_ES3_SOURCE
		"void main() { int n = gl_VertexID / 3; vec2 at = vec2(n % 1000, n / 1000) / "
		"vec2(500.0, 50.0);"
		"vec2 corner = vec2(gl_VertexID % 3 == 1, gl_VertexID % 3 == 2) * 0.0005;"
		"gl_Position = vec4(at + corner - 1.0, 0.0, 1.0); }",
		flat_fragment);
}

static void run_geometry(struct gl *gl)
{
	gl->fn.DrawArrays(GL_TRIANGLES, 0, TRIANGLES * 3);
}

static bool set_up_upload(struct gl *gl)
{
	bool ready = set_up_program(gl, GL_COVER_VERTEX, flat_fragment);
	pixels = calloc(SIZE * SIZE, 4);
	gl->fn.GenTextures(1, &texture);
	gl->fn.BindTexture(GL_TEXTURE_2D, texture);
	gl->fn.TexImage2D(
		GL_TEXTURE_2D, 0, GL_RGBA, SIZE, SIZE, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
	return ready && pixels;
}

static void run_upload(struct gl *gl)
{
	gl->fn.TexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, SIZE, SIZE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
}

static bool set_up_read_back(struct gl *gl)
{
	bool ready = set_up_program(gl, GL_COVER_VERTEX, flat_fragment);
	pixels = calloc(SIZE * SIZE, 4);
	return ready && pixels;
}

static void run_read_back(struct gl *gl)
{
	gl->fn.ReadPixels(0, 0, SIZE, SIZE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
}

static bool set_up_shader(struct gl *gl)
{
	seed = (unsigned)time(NULL) % 100000u * 1000u;
	return set_up_program(gl, GL_COVER_VERTEX, flat_fragment);
}

/*
 * The sources differ each time, also from one run of the tool to the next, so that no cache on
 * either side helps.
 */
static void run_shader(struct gl *gl)
{
	char source[768];
	gl->fn.Viewport(0, 0, 16, 16);
	for (unsigned i = 0; i < PROGRAMS; i++) {
		snprintf(source, sizeof source,
			GL_ES3_SOURCE
			"uniform vec4 tint; out vec4 result; void main() { vec4 c = tint;"
			"c = sin(c * %u.5 + cos(c.yzwx)); result = c * c.x; }",
			seed + n_compiled++);
		GLuint fresh = gl_program(gl, GL_COVER_VERTEX, source);
		gl->fn.UseProgram(fresh);
		gl->fn.DrawArrays(GL_TRIANGLES, 0, 3);
		gl->fn.UseProgram(program);
		gl->fn.DeleteProgram(fresh);
	}
}

static bool set_up_draws(struct gl *gl)
{
	bool ready = set_up_program(gl,
		GL_ES3_SOURCE
		"uniform vec2 offset; void main() { vec2 corner = vec2(gl_VertexID & 1, "
		"gl_VertexID >> 1);"
		"gl_Position = vec4(corner * 0.02 + offset, 0.0, 1.0); }",
		flat_fragment);
	offset_location = gl->fn.GetUniformLocation(program, "offset");
	return ready;
}

static void run_draws(struct gl *gl)
{
	for (unsigned i = 0; i < DRAWS; i++) {
		unsigned column = i % 40, row = i / 40;
		gl->fn.Uniform2f(offset_location, (float)column / 20 - 1, (float)row / 12.5f - 1);
		gl->fn.DrawArrays(GL_TRIANGLES, 0, 3);
	}
}

const struct workload workloads[] = {
	{ "fill", "Mpixel/s", (double)LAYERS *SIZE *SIZE / 1e6,
		"blended full-target triangles, 1024x1024", set_up_fill, run_fill, tear_down },
	{ "geometry", "Mtriangle/s", TRIANGLES / 1e6, "100000 tiny triangles in one draw",
		set_up_geometry, run_geometry, tear_down },
	{ "upload", "MiB/s", SIZE *SIZE * 4 / 1048576.0, "a 1024x1024 texture from memory",
		set_up_upload, run_upload, tear_down },
	{ "read-back", "MiB/s", SIZE *SIZE * 4 / 1048576.0, "1024x1024 pixels to memory",
		set_up_read_back, run_read_back, tear_down },
	{ "shader", "program/s", PROGRAMS, "compile, link and use a new program", set_up_shader,
		run_shader, tear_down },
	{ "draws", "draw/s", DRAWS, "1000 small draws with a uniform each", set_up_draws, run_draws,
		tear_down },
};
const unsigned workloads_length = ARRAY_LENGTH(workloads);
