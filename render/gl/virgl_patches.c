/* SPDX-License-Identifier: MIT */
#include "render/gl/virgl_patches.h"

#include <epoxy/gl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "render/gl/gl_errors.h"
#include "render/gl/virgl_draws.h"

#define PATCHES_AT_ONCE 15
/* One program has at most this many: vertex, two of tessellation, geometry, fragment, compute. */
#define STAGES_MAX 6

/* Is any of GL's draws that are not indirect. */
struct draw {
	GLenum mode, type; /* 0: no indices */
	uintptr_t offset;  /* GL takes it as a pointer */
	GLint first, base_vertex;
	GLsizei count, n_instances;
	GLuint base_instance;
};

static PFNGLDRAWARRAYSINSTANCEDBASEINSTANCEPROC draw_arrays;
static PFNGLDRAWELEMENTSINSTANCEDBASEVERTEXBASEINSTANCEPROC draw_elements;

static void draw_part(const struct draw *d)
{
	if (d->type)
		draw_elements(d->mode, d->count, d->type, (const void *)d->offset, d->n_instances,
			d->base_vertex, d->base_instance);
	else
		draw_arrays(d->mode, d->first, d->count, d->n_instances, d->base_instance);
}

/* Tells whether shaders of a program, or of a pipeline of programs, are geometry shaders. */
static bool has_geometry(void)
{
	GLint program = 0, pipeline = 0, type = 0;
	GLuint shaders[STAGES_MAX];
	GLsizei n = 0;
	glGetIntegerv(GL_CURRENT_PROGRAM, &program);
	if (!program)
		glGetIntegerv(GL_PROGRAM_PIPELINE_BINDING, &pipeline);
	if (pipeline)
		glGetProgramPipelineiv((GLuint)pipeline, GL_GEOMETRY_SHADER, &program);
	if (program)
		glGetAttachedShaders((GLuint)program, STAGES_MAX, &n, shaders);
	for (GLsizei i = 0; i < n && type != GL_GEOMETRY_SHADER; i++)
		glGetShaderiv(shaders[i], GL_SHADER_TYPE, &type);
	return type == GL_GEOMETRY_SHADER;
}

static void draw(struct draw d)
{
	GLint patch = 0;
	if (d.mode != GL_PATCHES) {
		draw_part(&d);
		return;
	}
	glGetIntegerv(GL_PATCH_VERTICES, &patch);
	GLsizei most = (has_geometry() ? 1 : PATCHES_AT_ONCE) * MAX(patch, 1);
	do {
		struct draw part = d;
		part.count = MIN(d.count, most);
		draw_part(&part);
		d.count -= part.count;
		d.first += part.count;
		d.offset += d.type ? (uintptr_t)part.count * virgl_draws_index_bytes(d.type) : 0;
	} while (d.count > 0);
}

static void APIENTRY divide_arrays(GLenum mode, GLint first, GLsizei count)
{
	draw((struct draw){ mode, .first = first, .count = count, .n_instances = 1 });
}

static void APIENTRY divide_instances(GLenum mode, GLint first, GLsizei count, GLsizei n)
{
	draw((struct draw){ mode, .first = first, .count = count, .n_instances = n });
}

static void APIENTRY divide_based_instances(
	GLenum mode, GLint first, GLsizei count, GLsizei n, GLuint base)
{
	draw((struct draw){
		mode, .first = first, .count = count, .n_instances = n, .base_instance = base });
}

static void APIENTRY divide_all_of_elements(GLenum mode, GLsizei count, GLenum type,
	const void *offset, GLsizei n, GLint base_vertex, GLuint base_instance)
{
	draw((struct draw){
		mode, type, (uintptr_t)offset, 0, base_vertex, count, n, base_instance });
}

static void APIENTRY divide_elements(GLenum mode, GLsizei count, GLenum type, const void *offset)
{
	divide_all_of_elements(mode, count, type, offset, 1, 0, 0);
}

static void APIENTRY divide_based_elements(
	GLenum mode, GLsizei count, GLenum type, const void *offset, GLint base_vertex)
{
	divide_all_of_elements(mode, count, type, offset, 1, base_vertex, 0);
}

static void APIENTRY divide_elements_instances(
	GLenum mode, GLsizei count, GLenum type, const void *offset, GLsizei n)
{
	divide_all_of_elements(mode, count, type, offset, n, 0, 0);
}

static void APIENTRY divide_elements_based_instances(GLenum mode, GLsizei count, GLenum type,
	const void *offset, GLsizei n, GLuint base_instance)
{
	divide_all_of_elements(mode, count, type, offset, n, 0, base_instance);
}

static void APIENTRY divide_based_elements_instances(
	GLenum mode, GLsizei count, GLenum type, const void *offset, GLsizei n, GLint base_vertex)
{
	divide_all_of_elements(mode, count, type, offset, n, base_vertex, 0);
}

/* Makes libepoxy replace its first pointers by the functions, by calls that draw nothing. */
static void resolve(void)
{
	glDrawArraysInstancedBaseInstance(GL_INVALID_INDEX, 0, 0, 0, 0);
	glDrawElementsInstancedBaseVertexBaseInstance(
		GL_INVALID_INDEX, 0, GL_UNSIGNED_INT, NULL, 0, 0, 0);
	gl_errors_drain();
}

void virgl_patches_divide(void)
{
	const char *renderer = (const char *)glGetString(GL_RENDERER);
	if (draw_arrays || !renderer || !strstr(renderer, "llvmpipe") || !epoxy_is_desktop_gl() ||
		epoxy_gl_version() < 42)
		return;
	resolve();
	draw_arrays = epoxy_glDrawArraysInstancedBaseInstance;
	draw_elements = epoxy_glDrawElementsInstancedBaseVertexBaseInstance;
	epoxy_glDrawArrays = divide_arrays;
	epoxy_glDrawArraysInstancedARB = divide_instances;
	epoxy_glDrawArraysInstancedBaseInstance = divide_based_instances;
	epoxy_glDrawElements = divide_elements;
	epoxy_glDrawElementsBaseVertex = divide_based_elements;
	epoxy_glDrawElementsInstancedARB = divide_elements_instances;
	epoxy_glDrawElementsInstancedBaseInstance = divide_elements_based_instances;
	epoxy_glDrawElementsInstancedBaseVertex = divide_based_elements_instances;
	epoxy_glDrawElementsInstancedBaseVertexBaseInstance = divide_all_of_elements;
}
