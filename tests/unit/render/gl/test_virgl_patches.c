/* SPDX-License-Identifier: MIT */
/* virgl_patches: checks how draws of patches are divided. Functions in the place of GL's note them.
 */
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <glib.h>

#include "render/gl/egl_display.h"
#include "render/gl/virgl_patches.h"

#define PATCH 3 /* vertices of each */
#define NOTES_MAX 16

struct note {
	GLenum mode, type;
	const char *offset;
	GLint first, base_vertex;
	GLsizei count, n_instances;
	GLuint base_instance;
};

static struct note notes[NOTES_MAX];
static unsigned n_notes;

static void note(struct note drawn)
{
	g_assert_cmpuint(n_notes, <, NOTES_MAX);
	notes[n_notes++] = drawn;
}

static void APIENTRY note_arrays(
	GLenum mode, GLint first, GLsizei count, GLsizei n_instances, GLuint base_instance)
{
	note((struct note){ mode, .first = first, .count = count, .n_instances = n_instances,
		.base_instance = base_instance });
}

static void APIENTRY note_elements(GLenum mode, GLsizei count, GLenum type, const void *offset,
	GLsizei n_instances, GLint base_vertex, GLuint base_instance)
{
	note((struct note){
		mode, type, offset, 0, base_vertex, count, n_instances, base_instance });
}

static void assert_noted(const struct note *expected, unsigned n)
{
	g_assert_cmpuint(n_notes, ==, n);
	for (unsigned i = 0; i < n; i++) {
		g_assert_cmphex(notes[i].mode, ==, expected[i].mode);
		g_assert_cmphex(notes[i].type, ==, expected[i].type);
		g_assert_cmpuint(GPOINTER_TO_SIZE(notes[i].offset), ==,
			GPOINTER_TO_SIZE(expected[i].offset));
		g_assert_cmpint(notes[i].first, ==, expected[i].first);
		g_assert_cmpint(notes[i].base_vertex, ==, expected[i].base_vertex);
		g_assert_cmpint(notes[i].count, ==, expected[i].count);
		g_assert_cmpint(notes[i].n_instances, ==, expected[i].n_instances);
		g_assert_cmpuint(notes[i].base_instance, ==, expected[i].base_instance);
	}
	n_notes = 0;
}

/* 15 patches are drawn at once, and 16 not. */
static void test_arrays(void)
{
	static const struct note whole[] = { { GL_PATCHES, .first = 7, .count = 45,
		.n_instances = 1 } };
	static const struct note parts[] = {
		{ GL_PATCHES, .first = 7, .count = 45, .n_instances = 1 },
		{ GL_PATCHES, .first = 52, .count = 45, .n_instances = 1 },
		{ GL_PATCHES, .first = 97, .count = 3, .n_instances = 1 },
	};
	glDrawArrays(GL_PATCHES, 7, 45);
	assert_noted(whole, G_N_ELEMENTS(whole));
	glDrawArrays(GL_PATCHES, 7, 93);
	assert_noted(parts, G_N_ELEMENTS(parts));
}

static void test_instances(void)
{
	static const struct note plain[] = {
		{ GL_PATCHES, .first = 1, .count = 45, .n_instances = 4 },
		{ GL_PATCHES, .first = 46, .count = 2, .n_instances = 4 },
	};
	static const struct note based[] = {
		{ GL_PATCHES, .first = 1, .count = 45, .n_instances = 4, .base_instance = 9 },
		{ GL_PATCHES, .first = 46, .count = 2, .n_instances = 4, .base_instance = 9 },
	};
	glDrawArraysInstancedARB(GL_PATCHES, 1, 47, 4);
	assert_noted(plain, G_N_ELEMENTS(plain));
	glDrawArraysInstancedBaseInstance(GL_PATCHES, 1, 47, 4, 9);
	assert_noted(based, G_N_ELEMENTS(based));
}

/* The next part begins behind the indices of the last one, which have 1, 2 or 4 bytes. */
static void test_elements(void)
{
	static const struct {
		GLenum type;
		size_t bytes;
	} types[] = { { GL_UNSIGNED_BYTE, 1 }, { GL_UNSIGNED_SHORT, 2 }, { GL_UNSIGNED_INT, 4 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
		const char *from = GSIZE_TO_POINTER(64), *next = from + 45 * types[i].bytes;
		struct note parts[] = {
			{ GL_PATCHES, types[i].type, from, .count = 45, .n_instances = 1 },
			{ GL_PATCHES, types[i].type, next, .count = 1, .n_instances = 1 },
		};
		glDrawElements(GL_PATCHES, 46, types[i].type, from);
		assert_noted(parts, G_N_ELEMENTS(parts));
		parts[0].base_vertex = parts[1].base_vertex = -5;
		glDrawElementsBaseVertex(GL_PATCHES, 46, types[i].type, from, -5);
		assert_noted(parts, G_N_ELEMENTS(parts));
		parts[0].n_instances = parts[1].n_instances = 4;
		glDrawElementsInstancedBaseVertex(GL_PATCHES, 46, types[i].type, from, 4, -5);
		assert_noted(parts, G_N_ELEMENTS(parts));
		parts[0].base_instance = parts[1].base_instance = 9;
		glDrawElementsInstancedBaseVertexBaseInstance(
			GL_PATCHES, 46, types[i].type, from, 4, -5, 9);
		assert_noted(parts, G_N_ELEMENTS(parts));
		parts[0].base_vertex = parts[1].base_vertex = 0;
		glDrawElementsInstancedBaseInstance(GL_PATCHES, 46, types[i].type, from, 4, 9);
		assert_noted(parts, G_N_ELEMENTS(parts));
		parts[0].base_instance = parts[1].base_instance = 0;
		glDrawElementsInstancedARB(GL_PATCHES, 46, types[i].type, from, 4);
		assert_noted(parts, G_N_ELEMENTS(parts));
	}
}

static GLuint make_shader(GLenum type, const char *text)
{
	GLint good = 0;
	GLuint shader = glCreateShader(type);
	glShaderSource(shader, 1, &text, NULL);
	glCompileShader(shader);
	glGetShaderiv(shader, GL_COMPILE_STATUS, &good);
	g_assert_true(good);
	return shader;
}

#define VERTEX_TEXT "#version 430\nvoid main() { gl_Position = vec4(0); }"
#define GEOMETRY_TEXT                                                                              \
	"#version 430\nlayout(triangles) in; layout(points, max_vertices = 1) out;\n"              \
	"void main() { gl_Position = vec4(0); EmitVertex(); }"

/* The stages stand in one program, or each in one of its own that a pipeline joins. */
static GLuint make_program(const GLuint *shaders, unsigned n, bool separable)
{
	GLint good = 0;
	GLuint program = glCreateProgram();
	glProgramParameteri(program, GL_PROGRAM_SEPARABLE, separable);
	for (unsigned i = 0; i < n; i++)
		glAttachShader(program, shaders[i]);
	glLinkProgram(program);
	glGetProgramiv(program, GL_LINK_STATUS, &good);
	g_assert_true(good);
	return program;
}

static void assert_at_once(GLsizei n_patches)
{
	n_notes = 0;
	glDrawArrays(GL_PATCHES, 0, 16 * PATCH);
	g_assert_cmpuint(n_notes, ==, n_patches == 1 ? 16 : 2);
	g_assert_cmpint(notes[0].count, ==, n_patches * PATCH);
	g_assert_cmpint(notes[1].first, ==, n_patches * PATCH);
	n_notes = 0;
}

/* Behind a geometry shader they are drawn one by one. */
static void test_geometry(void)
{
	const GLuint shaders[] = { make_shader(GL_VERTEX_SHADER, VERTEX_TEXT),
		make_shader(GL_GEOMETRY_SHADER, GEOMETRY_TEXT) };
	GLuint both = make_program(shaders, 2, false), vertex = make_program(shaders, 1, true);
	GLuint geometry = make_program(shaders + 1, 1, true), pipeline;
	glUseProgram(both);
	assert_at_once(1);
	glUseProgram(vertex);
	assert_at_once(15);
	glUseProgram(0);
	glGenProgramPipelines(1, &pipeline);
	glBindProgramPipeline(pipeline);
	glUseProgramStages(pipeline, GL_VERTEX_SHADER_BIT, vertex);
	assert_at_once(15);
	glUseProgramStages(pipeline, GL_GEOMETRY_SHADER_BIT, geometry);
	assert_at_once(1);
	glBindProgramPipeline(0);
	assert_at_once(15);
	g_assert_cmphex(glGetError(), ==, GL_NO_ERROR);
}

/* What is not tessellated is drawn as it is, and so is nothing. */
static void test_others(void)
{
	static const struct note triangles[] = { { GL_TRIANGLES, .count = 3000,
		.n_instances = 1 } };
	static const struct note nothing[] = { { GL_PATCHES, .count = 0, .n_instances = 1 } };
	glDrawArrays(GL_TRIANGLES, 0, 3000);
	assert_noted(triangles, G_N_ELEMENTS(triangles));
	glDrawArrays(GL_PATCHES, 0, 0);
	assert_noted(nothing, G_N_ELEMENTS(nothing));
}

int main(int argc, char **argv)
{
	const char *why = NULL;
	g_setenv("LIBGL_ALWAYS_SOFTWARE", "1", TRUE);
	g_test_init(&argc, &argv, NULL);
	void *context =
		egl_display_open(EGL_ON_NOTHING, -1, &why) ? egl_context_create(false, 4, 3) : NULL;
	if (!context || !egl_context_make_current(context)) {
		g_printerr("no software renderer of OpenGL 4.3: %s\n", why ? why : "too old");
		return 77;
	}
	glPatchParameteri(GL_PATCH_VERTICES, PATCH);
	epoxy_glDrawArraysInstancedBaseInstance = note_arrays;
	epoxy_glDrawElementsInstancedBaseVertexBaseInstance = note_elements;
	virgl_patches_divide();
	n_notes = 0;
	g_test_add_func("/patches/arrays", test_arrays);
	g_test_add_func("/patches/instances", test_instances);
	g_test_add_func("/patches/elements", test_elements);
	g_test_add_func("/patches/geometry", test_geometry);
	g_test_add_func("/patches/others", test_others);
	return g_test_run();
}
