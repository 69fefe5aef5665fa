/* SPDX-License-Identifier: MIT */
#include "render/gl/readback.h"

#include <epoxy/gl.h>
#include <glib.h>
#include <string.h>

#include "protocol/frame_link.h"
#include "common/peer_log.h"
#include "render/gl/gl_errors.h"

/* A strip has this many pixels, which are 128 KiB and at least one row of the widest picture. */
#define STRIP_PIXELS 32768u
#define CACHE_LINE_BYTES 64u
/* A page of 4 KiB holds this many pixels. A CPU's prefetcher does not cross pages. */
#define PREFETCH_PIXELS_MAX 1024u
G_STATIC_ASSERT(STRIP_PIXELS >= FRAME_SIZE_MAX);

/*
 * Returns true when the texture's bytes lie as R G B A. We ask GL for them in the order in which
 * they lie, so that it copies and need not convert, which takes half the time or less.
 */
static bool lies_as_rgba(void)
{
	GLint format = GL_BGRA;
	glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_FORMAT, &format);
	return format == GL_RGBA;
}

__attribute__((optimize("O3"))) static void swap_row(
	uint32_t *restrict to, const uint32_t *restrict from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t p = from[i];
		to[i] = (p & 0xff00ff00) | (p & 0xff) << 16 | (p >> 16 & 0xff);
	}
}

static void store_row(uint8_t *to, const uint32_t *from, uint32_t n, bool rgba)
{
	if (rgba)
		swap_row((uint32_t *)to, from, n);
	else
		memcpy(to, from, (size_t)n * 4);
}

/*
 * Fetches a row that is written next into the CPU's cache. Narrow rows lie on different pages, and
 * a CPU does not read ahead from one page to the next; in wide rows it does so within the row.
 */
static void prefetch_row(uint8_t *to, uint32_t n)
{
	for (size_t i = 0; n <= PREFETCH_PIXELS_MAX && i < (size_t)n * 4; i += CACHE_LINE_BYTES)
		__builtin_prefetch(to + i, 1);
}

/*
 * Reads in strips that the CPU's cache holds. `top` is the rectangle's lowest row in the texture.
 */
static void read_strips(const struct texture *texture, const struct rect *rect, uint32_t top,
	uint8_t *to, uint32_t stride_bytes, bool rgba)
{
	static uint32_t strip[STRIP_PIXELS];
	uint32_t n_rows = STRIP_PIXELS / rect->width;
	for (uint32_t first = 0; first < rect->height; first += n_rows) {
		uint32_t n = MIN(n_rows, rect->height - first);
		glReadPixels((GLint)rect->x, (GLint)(top + first), (GLsizei)rect->width, (GLsizei)n,
			rgba ? GL_RGBA : GL_BGRA, GL_UNSIGNED_BYTE, strip);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t row = first + i, next = MIN(row + 1, rect->height - 1);
			if (texture->bottom_up) {
				row = rect->height - 1 - row;
				next = row > 0 ? row - 1 : 0;
			}
			prefetch_row(to + (size_t)next * stride_bytes, rect->width);
			store_row(to + (size_t)row * stride_bytes, strip + (size_t)i * rect->width,
				rect->width, rgba);
		}
	}
}

/* Has GL write the rows where they belong, top row first. */
static void read_direct(const struct rect *rect, uint32_t top, uint8_t *to, uint32_t stride_bytes)
{
	glPixelStorei(GL_PACK_ALIGNMENT, 4);
	glPixelStorei(GL_PACK_ROW_LENGTH, (GLint)(stride_bytes / 4));
	glReadPixels((GLint)rect->x, (GLint)top, (GLsizei)rect->width, (GLsizei)rect->height,
		GL_BGRA, GL_UNSIGNED_BYTE, to);
	glPixelStorei(GL_PACK_ROW_LENGTH, 0);
}

static void read_rect(
	const struct texture *texture, const struct rect *rect, uint8_t *to, uint32_t stride_bytes)
{
	bool rgba = lies_as_rgba();
	uint32_t top = texture->bottom_up ? texture->height - rect->y - rect->height : rect->y;
	if (!rgba && !texture->bottom_up) {
		read_direct(rect, top, to, stride_bytes);
		return;
	}
	glPixelStorei(GL_PACK_ALIGNMENT, 4);
	glPixelStorei(GL_PACK_ROW_LENGTH, 0);
	read_strips(texture, rect, top, to, stride_bytes, rgba);
}

struct read_source {
	GLuint framebuffer;
	GLint before;
};

/* Makes the texture what glReadPixels() reads. Returns false when GL cannot read it. */
static bool begin(struct read_source *source, const struct texture *texture)
{
	gl_errors_drain();
	glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &source->before);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, 0);
	glGenFramebuffers(1, &source->framebuffer);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, source->framebuffer);
	glFramebufferTexture2D(
		GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, texture->gl_target, texture->gl_id, 0);
	if (glCheckFramebufferStatus(GL_READ_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
		return false;
	glReadBuffer(GL_COLOR_ATTACHMENT0);
	return true;
}

static bool finish(const struct read_source *source, const struct texture *texture, bool ok)
{
	ok = ok && glGetError() == GL_NO_ERROR;
	glBindFramebuffer(GL_READ_FRAMEBUFFER, (GLuint)source->before);
	glDeleteFramebuffers(1, &source->framebuffer);
	if (!ok)
		peer_warning(PEER_GUEST, "readback: texture of %ux%u cannot be read",
			texture->width, texture->height);
	return ok;
}

bool readback_texture(
	const struct texture *texture, const struct rect *rect, uint8_t *to, uint32_t stride_bytes)
{
	struct read_source source;
	bool ok = begin(&source, texture);
	if (ok)
		read_rect(texture, rect, to, stride_bytes);
	return finish(&source, texture, ok);
}

bool readback_rects(const struct texture *texture, const struct rect_set *rects, uint8_t *pixels,
	uint32_t stride_bytes)
{
	struct read_source source;
	g_assert(!texture->bottom_up);
	bool ok = begin(&source, texture);
	for (unsigned i = 0; ok && i < rects->n_rects; i++) {
		const struct rect *rect = &rects->rects[i];
		read_direct(rect, rect->y,
			pixels + (size_t)rect->y * stride_bytes + (size_t)rect->x * 4,
			stride_bytes);
	}
	return finish(&source, texture, ok);
}
