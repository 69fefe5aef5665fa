/* SPDX-License-Identifier: MIT */
/* egl: checks how the software renderer draws that is chosen. */
#include <epoxy/gl.h>
#include <glib.h>

#include "render/gl/egl.h"
#include "render/gl/egl_display.h"

#define SIZE 64
#define CONSTANTS 100 /* more than llvmpipe's linear rasterizer has room for */

static const char vertex_text[] =
	"#version 330\nin vec4 place;\nvoid main() { gl_Position = place; }\n";
static const char fragment_text[] = "#version 330\nuniform vec4 constants[100];\nout vec4 color;\n"
				    "void main() { color = constants[99]; }\n";

static void add_shader(GLuint program, GLenum stage, const char *text)
{
	GLuint shader = glCreateShader(stage);
	glShaderSource(shader, 1, &text, NULL);
	glCompileShader(shader);
	glAttachShader(program, shader);
}

static void use_program(void)
{
	static GLfloat constants[CONSTANTS][4];
	GLuint program = glCreateProgram();
	GLint linked = GL_FALSE;
	add_shader(program, GL_VERTEX_SHADER, vertex_text);
	add_shader(program, GL_FRAGMENT_SHADER, fragment_text);
	glBindAttribLocation(program, 0, "place");
	glLinkProgram(program);
	glGetProgramiv(program, GL_LINK_STATUS, &linked);
	g_assert_true(linked);
	glUseProgram(program);
	for (unsigned i = 0; i < CONSTANTS * 4; i++)
		constants[i / 4][i % 4] = 0.5f;
	glUniform4fv(glGetUniformLocation(program, "constants"), CONSTANTS, constants[0]);
}

static void draw_to_texture(void)
{
	GLuint texture, framebuffer;
	glGenTextures(1, &texture);
	glBindTexture(GL_TEXTURE_2D, texture);
	glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, SIZE, SIZE);
	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
	glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
	glViewport(0, 0, SIZE, SIZE);
}

static void draw_rectangle(void)
{
	static const GLfloat places[6][2] = { { -0.5f, -0.5f }, { 0.5f, -0.5f }, { 0.5f, 0.5f },
		{ -0.5f, -0.5f }, { 0.5f, 0.5f }, { -0.5f, 0.5f } };
	GLuint array, buffer;
	glGenVertexArrays(1, &array);
	glBindVertexArray(array);
	glGenBuffers(1, &buffer);
	glBindBuffer(GL_ARRAY_BUFFER, buffer);
	glBufferData(GL_ARRAY_BUFFER, sizeof(places), places, GL_STATIC_DRAW);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
	glEnableVertexAttribArray(0);
	glDrawArrays(GL_TRIANGLES, 0, 6);
}

/* A rectangle of one colour is drawn by a program of many constants. */
static void test_constants(void)
{
	guint8 pixel[4] = { 0 };
	draw_to_texture();
	use_program();
	draw_rectangle();
	glReadPixels(SIZE / 2, SIZE / 2, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
	g_assert_cmphex(glGetError(), ==, GL_NO_ERROR);
	/* The way that is left out counts in 8 bits, and cuts a half off. */
	g_assert_cmpuint(pixel[0], ==, 128);
	g_assert_cmpuint(pixel[3], ==, 128);
}

int main(int argc, char **argv)
{
	struct egl_choice choice;
	g_test_init(&argc, &argv, NULL);
	void *context = egl_choose(&choice, NULL, false) ? egl_context_create(false, 4, 3) : NULL;
	if (!context || !egl_context_make_current(context)) {
		g_printerr("no software renderer of OpenGL 4.3: %s\n", choice.description);
		return 77;
	}
	g_test_add_func("/egl/constants", test_constants);
	return g_test_run();
}
