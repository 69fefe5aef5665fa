/* SPDX-License-Identifier: MIT */
#include "render/gl/virgl_quirks.h"

#include <epoxy/gl.h>
#include <glib.h>

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
	while (glGetError() != GL_NO_ERROR)
		;
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

void virgl_quirks_apply(void)
{
	if (sampler_parameter || !epoxy_is_desktop_gl() || epoxy_gl_version() < 33 ||
		probe_seamless() == GL_NO_ERROR)
		return;
	g_message("this GL has no seamless cube maps by sampler: left out for virglrenderer");
	sampler_parameter = epoxy_glSamplerParameteri;
	epoxy_glSamplerParameteri = set_sampler_parameter;
}
