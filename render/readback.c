/* SPDX-License-Identifier: MIT */
#include "render/readback.h"

#include <epoxy/gl.h>
#include <glib.h>

#include "render/guest_log.h"

static void drain_errors(void)
{
	for (int i = 0; i < 16 && glGetError() != GL_NO_ERROR; i++)
		;
}

/* Rows that lie upside down are read one by one when GL cannot turn them itself. */
static void read_rows(const struct frame_rect *rect, uint32_t bottom, uint8_t *to, uint32_t stride_bytes)
{
	for (uint32_t row = 0; row < rect->height; row++)
		glReadPixels((GLint)rect->x, (GLint)(bottom + rect->height - 1 - row),
				(GLsizei)rect->width, 1, GL_BGRA, GL_UNSIGNED_BYTE,
				to + (size_t)row * stride_bytes);
}

static void read_turned(
		const struct frame_rect *rect, uint32_t bottom, uint8_t *to, uint32_t stride_bytes)
{
	if (!epoxy_has_gl_extension("GL_MESA_pack_invert")) {
		read_rows(rect, bottom, to, stride_bytes);
		return;
	}
	glPixelStorei(GL_PACK_INVERT_MESA, GL_TRUE);
	glReadPixels((GLint)rect->x, (GLint)bottom, (GLsizei)rect->width, (GLsizei)rect->height,
			GL_BGRA, GL_UNSIGNED_BYTE, to);
	glPixelStorei(GL_PACK_INVERT_MESA, GL_FALSE);
}

static void read_rect(const struct texture *texture, const struct frame_rect *rect, uint8_t *to,
		uint32_t stride_bytes)
{
	glPixelStorei(GL_PACK_ALIGNMENT, 4);
	glPixelStorei(GL_PACK_ROW_LENGTH, (GLint)(stride_bytes / 4));
	if (!texture->bottom_up)
		glReadPixels((GLint)rect->x, (GLint)rect->y, (GLsizei)rect->width,
				(GLsizei)rect->height, GL_BGRA, GL_UNSIGNED_BYTE, to);
	else
		read_turned(rect, texture->height - rect->y - rect->height, to, stride_bytes);
	glPixelStorei(GL_PACK_ROW_LENGTH, 0);
}

bool readback_texture(const struct texture *texture, const struct frame_rect *rect, uint8_t *to,
		uint32_t stride_bytes)
{
	GLuint framebuffer = 0;
	GLint before = 0;
	drain_errors();
	glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &before);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, 0);
	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer);
	glFramebufferTexture2D(GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, texture->gl_target,
			texture->gl_id, 0);
	bool ok = glCheckFramebufferStatus(GL_READ_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
	if (ok) {
		glReadBuffer(GL_COLOR_ATTACHMENT0);
		read_rect(texture, rect, to, stride_bytes);
		ok = glGetError() == GL_NO_ERROR;
	}
	glBindFramebuffer(GL_READ_FRAMEBUFFER, (GLuint)before);
	glDeleteFramebuffers(1, &framebuffer);
	if (!ok)
		guest_warning("readback: texture of %ux%u cannot be read", texture->width,
				texture->height);
	return ok;
}
