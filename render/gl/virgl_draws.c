/* SPDX-License-Identifier: MIT */
#include "render/gl/virgl_draws.h"

#include <epoxy/gl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "render/gl/gl_errors.h"

/* GL reads this from a buffer (DrawElementsIndirectCommand of OpenGL 4.0, 10.4). */
struct draw_command {
	uint32_t count, n_instances, first_index;
	int32_t base_vertex;
	uint32_t base_instance;
};

static PFNGLDRAWELEMENTSINDIRECTPROC draw_elements;
static PFNGLMULTIDRAWELEMENTSINDIRECTPROC draw_many;
static PFNGLMULTIDRAWELEMENTSINDIRECTCOUNTARBPROC draw_counted;
static PFNGLDRAWARRAYSINDIRECTPROC draw_arrays;
static PFNGLMULTIDRAWARRAYSINDIRECTPROC draw_many_arrays;
static PFNGLMULTIDRAWARRAYSINDIRECTCOUNTARBPROC draw_counted_arrays;

static uint64_t get_size(GLenum target)
{
	GLint64 size_bytes = 0;
	glGetBufferParameteri64v(target, GL_BUFFER_SIZE, &size_bytes);
	return size_bytes > 0 ? (uint64_t)size_bytes : 0;
}

uint32_t virgl_draws_index_bytes(uint32_t gl_type)
{
	return gl_type == GL_UNSIGNED_BYTE ? 1 : gl_type == GL_UNSIGNED_SHORT ? 2 : 4;
}

/* Reads what is inside the buffer, as GL complains of what is not when it is asked to draw. */
static bool read_inside(GLenum target, uint64_t offset, void *to, size_t n_bytes)
{
	uint64_t size_bytes = get_size(target);
	if (offset > size_bytes || n_bytes > size_bytes - offset)
		return false;
	glGetBufferSubData(target, (GLintptr)offset, (GLsizeiptr)n_bytes, to);
	return true;
}

static bool has_indices(uint64_t offset, uint64_t n_indices)
{
	struct draw_command command;
	return !read_inside(GL_DRAW_INDIRECT_BUFFER, offset, &command, sizeof(command)) ||
	       (uint64_t)command.first_index + command.count <= n_indices;
}

static bool have_indices(GLenum type, const void *offset, GLsizei n, GLsizei stride)
{
	uint64_t n_indices = get_size(GL_ELEMENT_ARRAY_BUFFER) / virgl_draws_index_bytes(type);
	uint64_t step = stride > 0 ? (uint64_t)stride : sizeof(struct draw_command);
	uint64_t at = (uintptr_t)offset;
	for (GLsizei i = 0; i < n; i++, at += step) {
		if (!has_indices(at, n_indices))
			return false;
	}
	return true;
}

/* ---- patches: drawn by what the commands say, as virgl_patches.c divides no others ---- */

static void draw_patches(GLenum type, uint64_t at)
{
	struct draw_command c = { 0 };
	size_t n_bytes = type ? sizeof(c) : sizeof(c) - sizeof(c.base_instance);
	if (!read_inside(GL_DRAW_INDIRECT_BUFFER, at, &c, n_bytes) || c.count > INT32_MAX ||
		c.n_instances > INT32_MAX)
		return;
	if (type)
		glDrawElementsInstancedBaseVertexBaseInstance(GL_PATCHES, (GLsizei)c.count, type,
			(const void *)((uintptr_t)c.first_index * virgl_draws_index_bytes(type)),
			(GLsizei)c.n_instances, c.base_vertex, c.base_instance);
	else
		/* Where a base vertex stands for indices there is the base of instances. */
		glDrawArraysInstancedBaseInstance(GL_PATCHES, (GLint)c.first_index,
			(GLsizei)c.count, (GLsizei)c.n_instances, (GLuint)c.base_vertex);
}

static bool draws_patches(GLenum mode, GLenum type, const void *offset, GLsizei n, GLsizei stride)
{
	uint64_t packed = sizeof(struct draw_command) - (type ? 0 : sizeof(uint32_t));
	uint64_t step = stride > 0 ? (uint64_t)stride : packed;
	uint64_t at = (uintptr_t)offset;
	if (mode != GL_PATCHES)
		return false;
	for (GLsizei i = 0; i < n; i++, at += step)
		draw_patches(type, at);
	return true;
}

/* Returns how many draws there are where another buffer of GL's says so. */
static GLsizei get_count(GLintptr offset, GLsizei most)
{
	uint32_t n = 0;
	bool is_known = read_inside(GL_PARAMETER_BUFFER, (uint64_t)offset, &n, sizeof(n));
	return is_known && most > 0 && n < (uint32_t)most ? (GLsizei)n : most;
}

/* ---- what virglrenderer calls ---- */

static void APIENTRY draw_elements_bounded(GLenum mode, GLenum type, const void *offset)
{
	if (have_indices(type, offset, 1, 0) && !draws_patches(mode, type, offset, 1, 0))
		draw_elements(mode, type, offset);
}

static void APIENTRY draw_many_bounded(
	GLenum mode, GLenum type, const void *offset, GLsizei n, GLsizei stride)
{
	if (have_indices(type, offset, n, stride) && !draws_patches(mode, type, offset, n, stride))
		draw_many(mode, type, offset, n, stride);
}

static void APIENTRY draw_counted_bounded(GLenum mode, GLenum type, const void *offset,
	GLintptr count_offset, GLsizei most, GLsizei stride)
{
	GLsizei n = get_count(count_offset, most);
	if (have_indices(type, offset, n, stride) && !draws_patches(mode, type, offset, n, stride))
		draw_counted(mode, type, offset, count_offset, most, stride);
}

static void APIENTRY draw_arrays_divided(GLenum mode, const void *offset)
{
	if (!draws_patches(mode, 0, offset, 1, 0))
		draw_arrays(mode, offset);
}

static void APIENTRY draw_many_arrays_divided(
	GLenum mode, const void *offset, GLsizei n, GLsizei stride)
{
	if (!draws_patches(mode, 0, offset, n, stride))
		draw_many_arrays(mode, offset, n, stride);
}

static void APIENTRY draw_counted_arrays_divided(
	GLenum mode, const void *offset, GLintptr count_offset, GLsizei most, GLsizei stride)
{
	if (!draws_patches(mode, 0, offset, get_count(count_offset, most), stride))
		draw_counted_arrays(mode, offset, count_offset, most, stride);
}

static bool has_gl(int version, const char *extension)
{
	return epoxy_gl_version() >= version || epoxy_has_gl_extension(extension);
}

/*
 * Makes libepoxy replace its first pointers by the functions, which no mode of this number is
 * anything but an error for, or nothing.
 */
static void resolve(void)
{
	glDrawElementsIndirect(GL_INVALID_INDEX, GL_UNSIGNED_INT, NULL);
	glDrawArraysIndirect(GL_INVALID_INDEX, NULL);
	if (has_gl(43, "GL_ARB_multi_draw_indirect")) {
		glMultiDrawElementsIndirect(GL_INVALID_INDEX, GL_UNSIGNED_INT, NULL, 0, 0);
		glMultiDrawArraysIndirect(GL_INVALID_INDEX, NULL, 0, 0);
	}
	if (epoxy_has_gl_extension("GL_ARB_indirect_parameters")) {
		glMultiDrawElementsIndirectCountARB(
			GL_INVALID_INDEX, GL_UNSIGNED_INT, NULL, 0, 0, 0);
		glMultiDrawArraysIndirectCountARB(GL_INVALID_INDEX, NULL, 0, 0, 0);
	}
	gl_errors_drain();
}

void virgl_draws_bound(void)
{
	const char *renderer = (const char *)glGetString(GL_RENDERER);
	if (draw_elements || !renderer || !strstr(renderer, "llvmpipe") || !epoxy_is_desktop_gl() ||
		epoxy_gl_version() < 42)
		return;
	resolve();
	draw_elements = epoxy_glDrawElementsIndirect;
	draw_many = epoxy_glMultiDrawElementsIndirect;
	draw_counted = epoxy_glMultiDrawElementsIndirectCountARB;
	draw_arrays = epoxy_glDrawArraysIndirect;
	draw_many_arrays = epoxy_glMultiDrawArraysIndirect;
	draw_counted_arrays = epoxy_glMultiDrawArraysIndirectCountARB;
	epoxy_glDrawElementsIndirect = draw_elements_bounded;
	epoxy_glMultiDrawElementsIndirect = draw_many_bounded;
	epoxy_glMultiDrawElementsIndirectCountARB = draw_counted_bounded;
	epoxy_glDrawArraysIndirect = draw_arrays_divided;
	epoxy_glMultiDrawArraysIndirect = draw_many_arrays_divided;
	epoxy_glMultiDrawArraysIndirectCountARB = draw_counted_arrays_divided;
}
