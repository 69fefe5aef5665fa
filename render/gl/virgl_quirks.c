/* SPDX-License-Identifier: MIT */
#include "render/gl/virgl_quirks.h"

#include <epoxy/gl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "render/gl/gl_errors.h"
#include "render/gl/glsl_bounds.h"
#include "render/gl/virgl_draws.h"
#include "render/gl/virgl_patches.h"

/* ---- seamless cube maps ---- */

/*
 * virglrenderer 0.10 sets seamless cube maps on every sampler, takes the error of a GL that cannot
 * do so by sampler (Mesa's virgl, crocus and others) for the guest's, and drops the rest of its
 * commands. Both of us call GL through libepoxy's pointers, so the one call is filtered there.
 */
static PFNGLSAMPLERPARAMETERIPROC sampler_parameter;

static void APIENTRY set_sampler_parameter(GLuint sampler, GLenum name, GLint value)
{
	if (name != GL_TEXTURE_CUBE_MAP_SEAMLESS)
		sampler_parameter(sampler, name, value);
}

static GLenum probe_seamless(void)
{
	GLuint sampler = 0;
	gl_errors_drain();
	glGenSamplers(1, &sampler);
	/*
	 * The call also makes libepoxy replace its first pointer, which looks the function up, by
	 * the function.
	 */
	glSamplerParameteri(sampler, GL_TEXTURE_CUBE_MAP_SEAMLESS, GL_FALSE);
	GLenum error = glGetError();
	glDeleteSamplers(1, &sampler);
	return error;
}

static void filter_sampler_parameters(void)
{
	if (sampler_parameter || !epoxy_is_desktop_gl() || epoxy_gl_version() < 33 ||
		probe_seamless() == GL_NO_ERROR)
		return;
	g_message("this GL has no seamless cube maps by sampler: left out for virglrenderer");
	sampler_parameter = epoxy_glSamplerParameteri;
	epoxy_glSamplerParameteri = set_sampler_parameter;
}

/* ---- memory that is read back ---- */

/*
 * virglrenderer 0.10 has GL read into memory that it has just allocated, and copies all of that to
 * the guest, whatever of it GL has filled: one layer where the guest asks for several, and nothing
 * where GL refuses (a multisampled texture). The guest would get what the renderer had there
 * before. So the memory is cleared before it is read into.
 */
static PFNGLREADNPIXELSARBPROC read_pixels;
static PFNGLGETNTEXIMAGEARBPROC get_image;
static PFNGLGETNCOMPRESSEDTEXIMAGEARBPROC get_compressed_image;

/*
 * virglrenderer gives rows a length where it has GL read into the guest's memory itself. That is
 * left alone: it has more than the pixels that are asked for.
 */
static bool is_guests_memory(void)
{
	GLint row_length = 0;
	glGetIntegerv(GL_PACK_ROW_LENGTH, &row_length);
	return row_length != 0;
}

static void APIENTRY read_cleared_pixels(GLint x, GLint y, GLsizei width, GLsizei height,
	GLenum format, GLenum type, GLsizei size_bytes, void *to)
{
	if (!is_guests_memory())
		memset(to, 0, (size_t)size_bytes);
	read_pixels(x, y, width, height, format, type, size_bytes, to);
}

static void APIENTRY get_cleared_image(
	GLenum target, GLint level, GLenum format, GLenum type, GLsizei size_bytes, void *to)
{
	memset(to, 0, (size_t)size_bytes);
	get_image(target, level, format, type, size_bytes, to);
}

static void APIENTRY get_cleared_compressed_image(
	GLenum target, GLint level, GLsizei size_bytes, void *to)
{
	memset(to, 0, (size_t)size_bytes);
	get_compressed_image(target, level, size_bytes, to);
}

/* Makes libepoxy replace its first pointers by the functions, which the calls are nothing for. */
static void resolve(void)
{
	uint32_t nothing[4];
	glReadnPixelsARB(0, 0, 0, 0, GL_RGBA, GL_UNSIGNED_BYTE, 0, nothing);
	glGetnTexImageARB(GL_TEXTURE_2D, 0, GL_RGBA, GL_UNSIGNED_BYTE, 0, nothing);
	glGetnCompressedTexImageARB(GL_TEXTURE_2D, 0, 0, nothing);
	gl_errors_drain();
}

/* virglrenderer calls these functions where GL has them, as all drivers of our time do. */
static void clear_what_is_read_into(void)
{
	if (read_pixels || !epoxy_has_gl_extension("GL_ARB_robustness"))
		return;
	resolve();
	read_pixels = epoxy_glReadnPixelsARB;
	get_image = epoxy_glGetnTexImageARB;
	get_compressed_image = epoxy_glGetnCompressedTexImageARB;
	epoxy_glReadnPixelsARB = read_cleared_pixels;
	epoxy_glGetnTexImageARB = get_cleared_image;
	epoxy_glGetnCompressedTexImageARB = get_cleared_compressed_image;
}

/* ---- what shaders index ---- */

/*
 * Mesa's software renderer lets shaders of some stages reach any memory (glsl_bounds.h), so their
 * texts are changed on the way to it.
 */
static PFNGLSHADERSOURCEPROC set_source;

static bool is_unbounded(GLuint shader)
{
	GLint stage = 0;
	glGetShaderiv(shader, GL_SHADER_TYPE, &stage);
	return stage == GL_COMPUTE_SHADER || stage == GL_TESS_CONTROL_SHADER ||
	       stage == GL_TESS_EVALUATION_SHADER;
}

static void APIENTRY set_bounded_source(
	GLuint shader, GLsizei n, const GLchar *const *parts, const GLint *lengths)
{
	if (lengths || !is_unbounded(shader)) {
		set_source(shader, n, parts, lengths);
		return;
	}
	g_auto(GStrv) bounded = g_new0(char *, (gsize)n + 1);
	for (GLsizei i = 0; i < n; i++)
		bounded[i] = glsl_bounds_apply(parts[i]);
	set_source(shader, n, (const GLchar *const *)bounded, NULL);
}

static void bound_what_shaders_index(void)
{
	const char *renderer = (const char *)glGetString(GL_RENDERER);
	if (set_source || !renderer || !strstr(renderer, "llvmpipe"))
		return;
	glShaderSource(0, 0, NULL, NULL);
	gl_errors_drain();
	set_source = epoxy_glShaderSource;
	epoxy_glShaderSource = set_bounded_source;
}

/* ---- functions that not every GL has ---- */

/*
 * virglrenderer 0.10 calls these functions whether or not GL has them, and libepoxy ends the
 * process then. A program may ask for what its capset does not have; nothing comes of it.
 */
static void APIENTRY clear_nothing(GLuint texture, GLint level, GLint x, GLint y, GLint z,
	GLsizei width, GLsizei height, GLsizei depth, GLenum format, GLenum type, const void *value)
{
}

static void APIENTRY attach_nothing(GLenum target, GLenum attachment, GLuint texture, GLint level)
{
}

static void APIENTRY bind_nothing(GLenum target, GLuint id)
{
}

static bool has_gl(int version, const char *extension)
{
	return !epoxy_is_desktop_gl() || epoxy_gl_version() >= version ||
	       epoxy_has_gl_extension(extension);
}

static void leave_out_missing_functions(void)
{
	if (!has_gl(44, "GL_ARB_clear_texture"))
		epoxy_glClearTexSubImage = clear_nothing;
	if (!has_gl(32, "GL_ARB_geometry_shader4"))
		epoxy_glFramebufferTexture = attach_nothing;
	if (!has_gl(40, "GL_ARB_transform_feedback2"))
		epoxy_glBindTransformFeedback = bind_nothing;
}

void virgl_quirks_apply(void)
{
	leave_out_missing_functions();
	filter_sampler_parameters();
	clear_what_is_read_into();
	bound_what_shaders_index();
	virgl_draws_bound();
	virgl_patches_divide();
}
