/* SPDX-License-Identifier: MIT */
#include "render/gl/blit.h"

#include <epoxy/gl.h>
#include <glib.h>

#include "common/peer_log.h"
#include "render/gl/gl_errors.h"

struct saved_state {
	GLint read_framebuffer, draw_framebuffer;
	GLboolean scissor, srgb;
};

/*
 * Saves what a copy changes, and turns off what virglrenderer may have left on and would spoil one:
 * the scissor, and conversion to sRGB.
 */
static void save_state(struct saved_state *saved)
{
	glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &saved->read_framebuffer);
	glGetIntegerv(GL_DRAW_FRAMEBUFFER_BINDING, &saved->draw_framebuffer);
	saved->scissor = glIsEnabled(GL_SCISSOR_TEST);
	saved->srgb = glIsEnabled(GL_FRAMEBUFFER_SRGB);
	glDisable(GL_SCISSOR_TEST);
	glDisable(GL_FRAMEBUFFER_SRGB);
}

static void restore_state(const struct saved_state *saved)
{
	glBindFramebuffer(GL_READ_FRAMEBUFFER, (GLuint)saved->read_framebuffer);
	glBindFramebuffer(GL_DRAW_FRAMEBUFFER, (GLuint)saved->draw_framebuffer);
	if (saved->scissor)
		glEnable(GL_SCISSOR_TEST);
	if (saved->srgb)
		glEnable(GL_FRAMEBUFFER_SRGB);
}

/* Two framebuffers are made once and kept: the one that GL reads from, and one to draw to. */
static GLuint read_framebuffer, draw_framebuffer;

/* Attaches the texture to the first. Returns false when GL cannot read that texture. */
static bool attach(const struct texture *texture)
{
	if (!read_framebuffer)
		glGenFramebuffers(1, &read_framebuffer);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, read_framebuffer);
	glFramebufferTexture2D(
		GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, texture->gl_target, texture->gl_id, 0);
	glReadBuffer(GL_COLOR_ATTACHMENT0);
	return glCheckFramebufferStatus(GL_READ_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
}

/* Detaches a texture, which would otherwise live on after its owner has destroyed it. */
static void detach(GLenum which)
{
	glFramebufferTexture2D(which, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 0, 0);
}

/* Returns false, with nothing attached, when GL cannot draw to it. */
static bool attach_target(const struct texture *target)
{
	if (!draw_framebuffer)
		glGenFramebuffers(1, &draw_framebuffer);
	glBindFramebuffer(GL_DRAW_FRAMEBUFFER, draw_framebuffer);
	glFramebufferTexture2D(
		GL_DRAW_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, target->gl_target, target->gl_id, 0);
	if (glCheckFramebufferStatus(GL_DRAW_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE)
		return true;
	detach(GL_DRAW_FRAMEBUFFER);
	return false;
}

static bool finish(const struct texture *texture, const struct saved_state *saved, bool ok)
{
	detach(GL_READ_FRAMEBUFFER);
	ok = glGetError() == GL_NO_ERROR && ok;
	restore_state(saved);
	if (!ok)
		peer_warning(PEER_GUEST, "scanout: texture of %ux%u cannot be copied",
			texture->width, texture->height);
	return ok;
}

static void copy(const struct texture *texture, const struct rect *rect, uint32_t x, uint32_t y)
{
	GLint left = (GLint)rect->x, right = left + (GLint)rect->width;
	GLint top = (GLint)rect->y, bottom = top + (GLint)rect->height;
	if (texture->bottom_up) {
		top = (GLint)texture->height - top;
		bottom = (GLint)texture->height - bottom;
	}
	glBlitFramebuffer(left, top, right, bottom, (GLint)x, (GLint)y, (GLint)(x + rect->width),
		(GLint)(y + rect->height), GL_COLOR_BUFFER_BIT, GL_NEAREST);
}

bool blit_texture(const struct texture *texture, const struct rect *rect, uint32_t gl_framebuffer,
	uint32_t x, uint32_t y)
{
	struct saved_state saved;
	gl_errors_drain();
	save_state(&saved);
	bool ok = attach(texture);
	if (ok) {
		glBindFramebuffer(GL_DRAW_FRAMEBUFFER, gl_framebuffer);
		copy(texture, rect, x, y);
	}
	return finish(texture, &saved, ok);
}

/* ---- textures of our own ---- */

bool blit_create_target(struct texture *target, uint32_t width, uint32_t height)
{
	GLuint texture = 0;
	GLint texture_before, unpack_before;
	gl_errors_drain();
	glGetIntegerv(GL_TEXTURE_BINDING_2D, &texture_before);
	glGetIntegerv(GL_PIXEL_UNPACK_BUFFER_BINDING, &unpack_before);
	glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
	glGenTextures(1, &texture);
	glBindTexture(GL_TEXTURE_2D, texture);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
	/*
	 * A driver is free to choose how the pixels of GL_RGBA lie, and Mesa's choose what the rest
	 * asks for: B G R A, as in a picture. Those of GL_RGBA8 lie as R G B A, and then it is the
	 * driver that swaps each pixel that is read, which is most of the time of a readback.
	 */
	glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, (GLsizei)width, (GLsizei)height, 0, GL_BGRA,
		GL_UNSIGNED_BYTE, NULL);
	bool ok = glGetError() == GL_NO_ERROR;
	glBindTexture(GL_TEXTURE_2D, (GLuint)texture_before);
	glBindBuffer(GL_PIXEL_UNPACK_BUFFER, (GLuint)unpack_before);
	if (!ok)
		glDeleteTextures(1, &texture);
	else
		*target = (struct texture){ .gl_id = texture,
			.gl_target = GL_TEXTURE_2D,
			.width = width,
			.height = height };
	return ok;
}

void blit_destroy_target(const struct texture *target)
{
	glDeleteTextures(1, &target->gl_id);
}

bool blit_texture_to_target(const struct texture *texture, const struct rect *rect,
	const struct texture *target, uint32_t x, uint32_t y)
{
	struct saved_state saved;
	gl_errors_drain();
	save_state(&saved);
	bool ok = attach(texture) && attach_target(target);
	if (ok) {
		copy(texture, rect, x, y);
		detach(GL_DRAW_FRAMEBUFFER);
	}
	return finish(texture, &saved, ok);
}
