/* SPDX-License-Identifier: MIT */
/* blit: checks what a copy on the GPU leaves behind, with GL in software. */
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <glib.h>
#include <string.h>

#include "render/gl/blit.h"
#include "render/gl/egl_display.h"

#define WIDTH 8
#define HEIGHT 4
/* GL counts names up from 1. */
#define FRAMEBUFFERS_MAX 8

static struct texture make_texture(GLenum internal, GLenum format, GLenum type)
{
	struct texture texture = { .gl_target = GL_TEXTURE_2D, .width = WIDTH, .height = HEIGHT };
	glGenTextures(1, &texture.gl_id);
	glBindTexture(GL_TEXTURE_2D, texture.gl_id);
	glTexImage2D(GL_TEXTURE_2D, 0, (GLint)internal, WIDTH, HEIGHT, 0, format, type, NULL);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glBindTexture(GL_TEXTURE_2D, 0);
	g_assert_cmphex(glGetError(), ==, GL_NO_ERROR);
	return texture;
}

/* A texture that is attached to a framebuffer lives on when its owner destroys it. */
static void expect_nothing_attached(void)
{
	unsigned n_framebuffers = 0;
	for (GLuint name = 1; name <= FRAMEBUFFERS_MAX; name++) {
		GLint type = GL_NONE;
		if (!glIsFramebuffer(name))
			continue;
		n_framebuffers++;
		glBindFramebuffer(GL_FRAMEBUFFER, name);
		glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
			GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE, &type);
		g_assert_cmphex((GLenum)type, ==, GL_NONE);
	}
	glBindFramebuffer(GL_FRAMEBUFFER, 0);
	g_assert_cmpuint(n_framebuffers, ==, 2);
}

static bool copy(const struct texture *from, const struct texture *to)
{
	const struct rect all = { 0, 0, WIDTH, HEIGHT };
	GLint read = 0, drawn_to = 0;
	glEnable(GL_SCISSOR_TEST);
	bool copied = blit_texture_to_target(from, &all, to, 0, 0);
	/* Whatever came of it, virglrenderer finds its state as it was. */
	glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &read);
	glGetIntegerv(GL_DRAW_FRAMEBUFFER_BINDING, &drawn_to);
	g_assert_cmpint(read, ==, 0);
	g_assert_cmpint(drawn_to, ==, 0);
	g_assert_true(glIsEnabled(GL_SCISSOR_TEST));
	return copied;
}

static void test_copied(void)
{
	struct texture from = make_texture(GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE), to;
	uint8_t pixels[WIDTH * HEIGHT * 4];
	memset(pixels, 0x5a, sizeof(pixels));
	glBindTexture(GL_TEXTURE_2D, from.gl_id);
	glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, WIDTH, HEIGHT, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
	g_assert_true(blit_create_target(&to, WIDTH, HEIGHT));
	g_assert_true(copy(&from, &to));
	expect_nothing_attached();
	memset(pixels, 0, sizeof(pixels));
	glBindTexture(GL_TEXTURE_2D, to.gl_id);
	glGetTexImage(GL_TEXTURE_2D, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
	for (unsigned i = 0; i < sizeof(pixels); i++)
		g_assert_cmphex(pixels[i], ==, 0x5a);
	blit_destroy_target(&to);
	glDeleteTextures(1, &from.gl_id);
}

/* What is read from it as a picture is copied, without a look at any pixel. */
static void test_as_a_picture(void)
{
	struct texture target;
	GLuint framebuffer;
	GLint format = 0, type = 0;
	g_assert_true(blit_create_target(&target, WIDTH, HEIGHT));
	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer);
	glFramebufferTexture2D(
		GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, target.gl_id, 0);
	glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_FORMAT, &format);
	glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_TYPE, &type);
	g_assert_cmphex((GLenum)format, ==, GL_BGRA);
	/* The same, as bytes lie on this machine. */
	g_assert_true(type == GL_UNSIGNED_BYTE || type == GL_UNSIGNED_INT_8_8_8_8_REV);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, 0);
	glDeleteFramebuffers(1, &framebuffer);
	blit_destroy_target(&target);
}

static void test_refused(void)
{
	struct texture good = make_texture(GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE);
	/* Nothing draws to such a one, nor reads from it. */
	struct texture bad = make_texture(GL_RGB9_E5, GL_RGB, GL_FLOAT);
	g_assert_false(copy(&good, &bad));
	expect_nothing_attached();
	g_assert_false(copy(&bad, &good));
	expect_nothing_attached();
	glDeleteTextures(1, &good.gl_id);
	glDeleteTextures(1, &bad.gl_id);
}

int main(int argc, char **argv)
{
	const char *why = NULL;
	g_setenv("LIBGL_ALWAYS_SOFTWARE", "1", TRUE);
	g_test_init(&argc, &argv, NULL);
	/* What cannot be copied is told by warnings. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	void *context =
		egl_display_open(EGL_ON_NOTHING, -1, &why) ? egl_context_create(false, 4, 3) : NULL;
	if (!context || !egl_context_make_current(context)) {
		g_printerr("no software renderer of OpenGL 4.3: %s\n", why ? why : "too old");
		return 77;
	}
	g_test_add_func("/blit/copied", test_copied);
	g_test_add_func("/blit/as-a-picture", test_as_a_picture);
	g_test_add_func("/blit/refused", test_refused);
	return g_test_run();
}
