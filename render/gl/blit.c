/* SPDX-License-Identifier: MIT */
#include "render/gl/blit.h"

#include <epoxy/gl.h>
#include <glib.h>

#include "common/peer_log.h"

struct saved_state {
	GLint read_framebuffer, draw_framebuffer, pack_buffer;
	GLboolean scissor, srgb;
};

static void drain_errors(void)
{
	for (int i = 0; i < 16 && glGetError() != GL_NO_ERROR; i++)
		;
}

/*
 * Saves what a copy changes, and turns off what virglrenderer may have left on and would spoil one:
 * the scissor, and conversion to sRGB.
 */
static void save_state(struct saved_state *saved)
{
	glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &saved->read_framebuffer);
	glGetIntegerv(GL_DRAW_FRAMEBUFFER_BINDING, &saved->draw_framebuffer);
	glGetIntegerv(GL_PIXEL_PACK_BUFFER_BINDING, &saved->pack_buffer);
	saved->scissor = glIsEnabled(GL_SCISSOR_TEST);
	saved->srgb = glIsEnabled(GL_FRAMEBUFFER_SRGB);
	glDisable(GL_SCISSOR_TEST);
	glDisable(GL_FRAMEBUFFER_SRGB);
}

static void restore_state(const struct saved_state *saved)
{
	glBindFramebuffer(GL_READ_FRAMEBUFFER, (GLuint)saved->read_framebuffer);
	glBindFramebuffer(GL_DRAW_FRAMEBUFFER, (GLuint)saved->draw_framebuffer);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, (GLuint)saved->pack_buffer);
	if (saved->scissor)
		glEnable(GL_SCISSOR_TEST);
	if (saved->srgb)
		glEnable(GL_FRAMEBUFFER_SRGB);
}

/*
 * Attaches the texture to the framebuffer that GL reads from, which is made once and kept. Returns
 * false when GL cannot read that texture.
 */
static bool attach(const struct texture *texture)
{
	static GLuint framebuffer;
	if (!framebuffer)
		glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer);
	glFramebufferTexture2D(
		GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, texture->gl_target, texture->gl_id, 0);
	glReadBuffer(GL_COLOR_ATTACHMENT0);
	return glCheckFramebufferStatus(GL_READ_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
}

/* Detaches the texture, which would otherwise live on after its guest has destroyed it. */
static void detach(void)
{
	glFramebufferTexture2D(GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 0, 0);
}

static bool finish(const struct texture *texture, const struct saved_state *saved, bool ok)
{
	detach();
	ok = glGetError() == GL_NO_ERROR && ok;
	restore_state(saved);
	if (!ok)
		peer_warning(PEER_GUEST, "scanout: texture of %ux%u cannot be copied",
			texture->width, texture->height);
	return ok;
}

bool blit_texture(const struct texture *texture, const struct rect *rect, uint32_t gl_framebuffer,
	uint32_t x, uint32_t y)
{
	struct saved_state saved;
	GLint left = (GLint)rect->x, right = left + (GLint)rect->width;
	GLint top = (GLint)rect->y, bottom = top + (GLint)rect->height;
	if (texture->bottom_up) {
		top = (GLint)texture->height - top;
		bottom = (GLint)texture->height - bottom;
	}
	drain_errors();
	save_state(&saved);
	bool ok = attach(texture);
	if (ok) {
		glBindFramebuffer(GL_DRAW_FRAMEBUFFER, gl_framebuffer);
		glBlitFramebuffer(left, top, right, bottom, (GLint)x, (GLint)y,
			(GLint)(x + rect->width), (GLint)(y + rect->height), GL_COLOR_BUFFER_BIT,
			GL_NEAREST);
	}
	return finish(texture, &saved, ok);
}

bool blit_texture_to_object(const struct texture *texture, const struct rect *rect,
	uint32_t gl_buffer, size_t offset_bytes)
{
	struct saved_state saved;
	uint32_t top = texture->bottom_up ? texture->height - rect->y - rect->height : rect->y;
	drain_errors();
	save_state(&saved);
	bool ok = attach(texture);
	if (ok) {
		glBindBuffer(GL_PIXEL_PACK_BUFFER, gl_buffer);
		glPixelStorei(GL_PACK_ALIGNMENT, 4);
		glPixelStorei(GL_PACK_ROW_LENGTH, 0);
		glReadPixels((GLint)rect->x, (GLint)top, (GLsizei)rect->width,
			(GLsizei)rect->height, GL_BGRA, GL_UNSIGNED_BYTE, (void *)offset_bytes);
	}
	return finish(texture, &saved, ok);
}
