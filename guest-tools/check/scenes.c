/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/scenes.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/common/array.h"

static uint32_t rgba(unsigned red, unsigned green, unsigned blue, unsigned alpha)
{
	return alpha << 24 | blue << 16 | green << 8 | red;
}

/*
 * Draws triangles of n_vertices (x, y, z) in one colour, in a way of ES 2 that every context has.
 */
static bool draw_solid(struct gl *gl, const float *vertices, int n_vertices, const float color[4])
{
	const struct gl_functions *fn = &gl->fn;
	GLuint buffer,
		program = gl_program(gl,
			GL_ES2_SOURCE
			"attribute vec3 place; void main() { gl_Position = vec4(place, 1.0); }",
			GL_ES2_SOURCE "uniform vec4 color; void main() { gl_FragColor = color; }");
	if (!program)
		return false;
	fn->UseProgram(program);
	fn->Uniform4f(
		fn->GetUniformLocation(program, "color"), color[0], color[1], color[2], color[3]);
	fn->GenBuffers(1, &buffer);
	fn->BindBuffer(GL_ARRAY_BUFFER, buffer);
	fn->BufferData(GL_ARRAY_BUFFER, n_vertices * 3 * (GLsizeiptr)sizeof(float), vertices,
		GL_STATIC_DRAW);
	fn->EnableVertexAttribArray(0);
	fn->VertexAttribPointer(0, 3, GL_FLOAT, GL_FALSE, 0, NULL);
	fn->DrawArrays(GL_TRIANGLES, 0, n_vertices);
	fn->DisableVertexAttribArray(0);
	fn->DeleteBuffers(1, &buffer);
	fn->DeleteProgram(program);
	return true;
}

static void clear_to(struct gl *gl, float red, float green, float blue)
{
	gl->fn.ClearColor(red, green, blue, 1);
	gl->fn.Clear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
}

static bool draw_clear(struct gl *gl)
{
	clear_to(gl, 51 / 255.0f, 102 / 255.0f, 204 / 255.0f);
	return true;
}

static bool expect_clear(int x, int y, uint32_t *pixel)
{
	*pixel = rgba(51, 102, 204, 255);
	return true;
}

/*
 * The corners are in pixels. The slopes of the edges are such that no pixel centre lies exactly on
 * one.
 */
static const float corners[2][3][2] = {
	{ { 4.3f, 5.1f }, { 59.2f, 11.7f }, { 21.6f, 58.9f } },
	{ { 62.1f, 62.4f }, { 33.3f, 60.2f }, { 61.3f, 20.9f } },
};

static float to_clip(float pixel)
{
	return pixel / SCENE_SIZE * 2 - 1;
}

static bool draw_triangles(struct gl *gl)
{
	static const float colors[2][4] = { { 1, 0, 0, 1 }, { 0, 1, 0, 1 } };
	clear_to(gl, 0, 0, 1);
	for (int i = 0; i < 2; i++) {
		float vertices[9];
		for (int k = 0; k < 3; k++) {
			vertices[k * 3] = to_clip(corners[i][k][0]);
			vertices[k * 3 + 1] = to_clip(corners[i][k][1]);
			vertices[k * 3 + 2] = 0;
		}
		if (!draw_solid(gl, vertices, 3, colors[i]))
			return false;
	}
	return true;
}

/*
 * Gives the distance to the nearest edge of a counter-clockwise triangle, in pixels. It is positive
 * inside.
 */
static float depth_inside(const float triangle[3][2], float x, float y)
{
	float least = 1e9f;
	for (int i = 0; i < 3; i++) {
		const float *a = triangle[i], *b = triangle[(i + 1) % 3];
		float dx = b[0] - a[0], dy = b[1] - a[1];
		float distance = (dx * (y - a[1]) - dy * (x - a[0])) / sqrtf(dx * dx + dy * dy);
		least = distance < least ? distance : least;
	}
	return least;
}

static bool expect_triangles(int x, int y, uint32_t *pixel)
{
	*pixel = rgba(0, 0, 255, 255);
	for (int i = 0; i < 2; i++) {
		float inside = depth_inside(corners[i], (float)x + 0.5f, (float)y + 0.5f);
		if (fabsf(inside) < 0.02f)
			return false;
		if (inside > 0)
			*pixel = i == 0 ? rgba(255, 0, 0, 255) : rgba(0, 255, 0, 255);
	}
	return true;
}

static uint32_t texel(int x, int y)
{
	uint32_t value = (uint32_t)(y * SCENE_SIZE + x + 1) * 2654435761u;
	return (value ^ value >> 13) | 0xff000000u;
}

static bool draw_texture(struct gl *gl)
{
	static uint32_t texels[SCENE_SIZE * SCENE_SIZE];
	static const float cover[] = { -1, -1, 3, -1, -1, 3 };
	const struct gl_functions *fn = &gl->fn;
	GLuint texture, buffer,
		program = gl_program(gl,
			GL_ES2_SOURCE
			"attribute vec2 place; varying vec2 at;"
			"void main() { at = place * 0.5 + 0.5; gl_Position = vec4(place, 0.0, "
			"1.0); }",
			GL_ES2_SOURCE "uniform sampler2D picture; varying vec2 at;"
				      "void main() { gl_FragColor = texture2D(picture, at); }");
	if (!program)
		return false;
	for (int y = 0; y < SCENE_SIZE; y++)
		for (int x = 0; x < SCENE_SIZE; x++)
			texels[y * SCENE_SIZE + x] = texel(x, y);
	fn->GenTextures(1, &texture);
	fn->BindTexture(GL_TEXTURE_2D, texture);
	fn->TexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, SCENE_SIZE, SCENE_SIZE, 0, GL_RGBA,
		GL_UNSIGNED_BYTE, texels);
	fn->TexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	fn->TexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
	fn->UseProgram(program);
	fn->Uniform1i(fn->GetUniformLocation(program, "picture"), 0);
	fn->GenBuffers(1, &buffer);
	fn->BindBuffer(GL_ARRAY_BUFFER, buffer);
	fn->BufferData(GL_ARRAY_BUFFER, sizeof cover, cover, GL_STATIC_DRAW);
	fn->EnableVertexAttribArray(0);
	fn->VertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
	fn->DrawArrays(GL_TRIANGLES, 0, 3);
	fn->DisableVertexAttribArray(0);
	fn->DeleteBuffers(1, &buffer);
	fn->DeleteTextures(1, &texture);
	fn->DeleteProgram(program);
	return true;
}

static bool expect_texture(int x, int y, uint32_t *pixel)
{
	*pixel = texel(x, y);
	return true;
}

static const float left_half[] = { -1, -1, 0, 0, -1, 0, 0, 1, 0, -1, -1, 0, 0, 1, 0, -1, 1, 0 };

static bool draw_blending(struct gl *gl)
{
	static const float half_red[4] = { 1, 0, 0, 0.5f };
	clear_to(gl, 0, 0, 1);
	gl->fn.Enable(GL_BLEND);
	gl->fn.BlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
	bool drawn = draw_solid(gl, left_half, 6, half_red);
	gl->fn.Disable(GL_BLEND);
	return drawn;
}

static bool expect_blending(int x, int y, uint32_t *pixel)
{
	/* The alpha is 0.5 * 0.5 + 1 * 0.5. */
	*pixel = x < SCENE_SIZE / 2 ? rgba(128, 0, 128, 191) : rgba(0, 0, 255, 255);
	return true;
}

static bool draw_depth(struct gl *gl)
{
	/*
	 * The left half is nearer (z = -0.5) and is drawn first. The far cover must not paint it
	 * over.
	 */
	static const float near_half[] = { -1, -1, -0.5f, 0, -1, -0.5f, 0, 1, -0.5f, -1, -1, -0.5f,
		0, 1, -0.5f, -1, 1, -0.5f };
	static const float far_cover[] = { -1, -1, 0.5f, 3, -1, 0.5f, -1, 3, 0.5f };
	static const float green[4] = { 0, 1, 0, 1 }, red[4] = { 1, 0, 0, 1 };
	clear_to(gl, 0, 0, 0);
	gl->fn.Enable(GL_DEPTH_TEST);
	gl->fn.DepthFunc(GL_LESS);
	bool drawn = draw_solid(gl, near_half, 6, green) && draw_solid(gl, far_cover, 3, red);
	gl->fn.Disable(GL_DEPTH_TEST);
	return drawn;
}

static bool expect_depth(int x, int y, uint32_t *pixel)
{
	*pixel = x < SCENE_SIZE / 2 ? rgba(0, 255, 0, 255) : rgba(255, 0, 0, 255);
	return true;
}

static bool draw_instancing(struct gl *gl)
{
	const struct gl_functions *fn = &gl->fn;
	GLuint array,
		program = gl_program(gl,
			GL_ES3_SOURCE
			"flat out vec4 color; void main() {"
			"int column = gl_InstanceID % 8, row = gl_InstanceID / 8;"
			"vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);"
			"if (gl_VertexID > 2) corner = vec2(gl_VertexID != 3, gl_VertexID != 4);"
			"gl_Position = vec4((vec2(column, row) + corner) / 4.0 - 1.0, 0.0, 1.0);"
			"color = vec4(float(column * 32), float(row * 32), 64.0, 255.0) / 255.0; }",
			GL_ES3_SOURCE
			"flat in vec4 color; out vec4 result; void main() { result = color; }");
	if (!program)
		return false;
	clear_to(gl, 1, 1, 1);
	fn->GenVertexArrays(1, &array);
	fn->BindVertexArray(array);
	fn->UseProgram(program);
	fn->DrawArraysInstanced(GL_TRIANGLES, 0, 6, 64);
	fn->BindVertexArray(0);
	fn->DeleteVertexArrays(1, &array);
	fn->DeleteProgram(program);
	return true;
}

static bool expect_instancing(int x, int y, uint32_t *pixel)
{
	*pixel = rgba((unsigned)(x / 8 * 32), (unsigned)(y / 8 * 32), 64, 255);
	return true;
}

static const struct scene scenes[] = {
	{ "clear", 0, false, draw_clear, expect_clear },
	{ "triangles", 0, false, draw_triangles, expect_triangles },
	{ "texture", 0, false, draw_texture, expect_texture },
	{ "blending", 2, false, draw_blending, expect_blending },
	{ "depth", 0, false, draw_depth, expect_depth },
	{ "instancing", 1, true, draw_instancing, expect_instancing },
};

static int channel_distance(uint32_t a, uint32_t b)
{
	int worst = 0;
	for (int shift = 0; shift < 32; shift += 8) {
		int distance = abs((int)(a >> shift & 255) - (int)(b >> shift & 255));
		worst = distance > worst ? distance : worst;
	}
	return worst;
}

struct scene_result scene_compare(const struct scene *scene, const uint32_t *pixels)
{
	struct scene_result result = { 0 };
	for (int y = 0; y < SCENE_SIZE; y++)
		for (int x = 0; x < SCENE_SIZE; x++) {
			uint32_t expected = 0, pixel = pixels[y * SCENE_SIZE + x];
			if (!scene->expect(x, y, &expected))
				continue;
			result.n_judged++;
			if (channel_distance(pixel, expected) <= scene->tolerance)
				continue;
			if (result.n_wrong++ > 0)
				continue;
			result.x = x;
			result.y = y;
			result.got = pixel;
			result.expected = expected;
		}
	return result;
}

const struct scene *scene_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(scenes); i++)
		if (strcmp(scenes[i].name, name) == 0)
			return &scenes[i];
	return NULL;
}

GLuint scene_plain_program(struct gl *gl)
{
	return gl_program(gl, GL_COVER_VERTEX,
		GL_ES3_SOURCE
		"out vec4 result; void main() { result = vec4(0.9, 0.5, 0.1, 1.0); }");
}

/* This is the local_size_x of the shader below. */
#define COMPUTE_GROUP 16

bool scene_compute(struct gl *gl, uint32_t *words, uint32_t n_words)
{
	const struct gl_functions *fn = &gl->fn;
	assert(gl->is_31 && n_words % COMPUTE_GROUP == 0);
	GLsizeiptr size_bytes = (GLsizeiptr)(n_words * sizeof *words);
	GLuint buffer, program = gl_compute_program(gl,
			       "#version 310 es\nlayout(local_size_x = 16) in;"
			       "layout(std430, binding = 0) buffer Results { uint words[]; };"
			       "void main() { uint i = gl_GlobalInvocationID.x; words[i] = i * i * "
			       "7u + 3u; }");
	if (!program)
		return false;
	fn->GenBuffers(1, &buffer);
	fn->BindBuffer(GL_SHADER_STORAGE_BUFFER, buffer);
	fn->BufferData(GL_SHADER_STORAGE_BUFFER, size_bytes, NULL, GL_DYNAMIC_READ);
	fn->BindBufferBase(GL_SHADER_STORAGE_BUFFER, 0, buffer);
	fn->UseProgram(program);
	fn->DispatchCompute(n_words / COMPUTE_GROUP, 1, 1);
	fn->MemoryBarrier(GL_BUFFER_UPDATE_BARRIER_BIT | GL_SHADER_STORAGE_BARRIER_BIT);
	const void *mapped =
		fn->MapBufferRange(GL_SHADER_STORAGE_BUFFER, 0, size_bytes, GL_MAP_READ_BIT);
	if (mapped) {
		memcpy(words, mapped, (size_t)size_bytes);
		fn->UnmapBuffer(GL_SHADER_STORAGE_BUFFER);
	}
	fn->DeleteBuffers(1, &buffer);
	fn->DeleteProgram(program);
	return mapped != NULL;
}

uint32_t scene_compute_expected(uint32_t index)
{
	return index * index * 7u + 3u;
}
