/* SPDX-License-Identifier: MIT */
#include "tests/wire/virgl_encode.h"

#include <glib.h>
#include <string.h>

/* These are values of enum virgl_context_cmd in virgl_protocol.h. */
enum {
	CREATE_OBJECT = 1,
	BIND_OBJECT = 2,
	DESTROY_OBJECT = 3,
	SET_VIEWPORT_STATE = 4,
	SET_FRAMEBUFFER_STATE = 5,
	SET_VERTEX_BUFFERS = 6,
	CLEAR = 7,
	DRAW_VBO = 8,
	RESOURCE_INLINE_WRITE = 9,
	SET_SAMPLER_VIEWS = 10,
	BLIT = 16,
	RESOURCE_COPY_REGION = 17,
	BIND_SAMPLER_STATES = 18,
	BIND_SHADER = 31,
};

#define COLOR_BUFFERS 8      /* VIRGL_MAX_COLOR_BUFS */
#define CLEAR_COLOR0 4       /* PIPE_CLEAR_COLOR0 */
#define MASK_RGBA 0xf        /* PIPE_MASK_RGBA */
#define FACTOR_ONE 1         /* PIPE_BLENDFACTOR_ONE */
#define WRAP_CLAMP_TO_EDGE 2 /* PIPE_TEX_WRAP_CLAMP_TO_EDGE */
#define MIPFILTER_NONE 2     /* PIPE_TEX_MIPFILTER_NONE */

void virgl_stream_finish(struct virgl_stream *stream)
{
	g_free(stream->words);
	*stream = (struct virgl_stream){ 0 };
}

uint32_t virgl_stream_bytes(const struct virgl_stream *stream)
{
	return (uint32_t)(stream->n_words * sizeof(uint32_t));
}

void virgl_put(struct virgl_stream *stream, uint32_t word)
{
	if (stream->n_words == stream->allocated) {
		stream->allocated = MAX(256, stream->allocated * 2);
		stream->words = g_renew(uint32_t, stream->words, stream->allocated);
	}
	stream->words[stream->n_words++] = word;
}

void virgl_put_float(struct virgl_stream *stream, float value)
{
	uint32_t word;
	memcpy(&word, &value, sizeof(word));
	virgl_put(stream, word);
}

void virgl_put_header(
	struct virgl_stream *stream, uint32_t command, uint32_t object, uint32_t n_words)
{
	g_assert_cmpuint(n_words, <=, 0xffff);
	virgl_put(stream, command | object << 8 | n_words << 16);
}

static void put_bytes(struct virgl_stream *stream, const void *data, uint32_t bytes)
{
	const uint8_t *at = data;
	for (uint32_t i = 0; i < bytes; i += 4) {
		uint32_t word = 0;
		memcpy(&word, at + i, MIN(4, bytes - i));
		virgl_put(stream, word);
	}
}

static void put_box(struct virgl_stream *stream, const struct virgl_box *box)
{
	const uint32_t words[6] = { box->x, box->y, box->z, box->width, box->height, box->depth };
	put_bytes(stream, words, sizeof(words));
}

void virgl_create_surface(
	struct virgl_stream *stream, uint32_t handle, uint32_t resource, uint32_t format)
{
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_SURFACE, 5);
	virgl_put(stream, handle);
	virgl_put(stream, resource);
	virgl_put(stream, format);
	virgl_put(stream, 0); /* level */
	virgl_put(stream, 0); /* first layer, last layer << 16 */
}

void virgl_set_framebuffer(struct virgl_stream *stream, uint32_t surface)
{
	virgl_put_header(stream, SET_FRAMEBUFFER_STATE, 0, 3);
	virgl_put(stream, 1); /* colour buffers */
	virgl_put(stream, 0); /* no depth surface */
	virgl_put(stream, surface);
}

void virgl_clear(struct virgl_stream *stream, const float rgba[4])
{
	virgl_put_header(stream, CLEAR, 0, 8);
	virgl_put(stream, CLEAR_COLOR0);
	for (int i = 0; i < 4; i++)
		virgl_put_float(stream, rgba[i]);
	virgl_put(stream, 0); /* depth, a double */
	virgl_put(stream, 0);
	virgl_put(stream, 0); /* stencil */
}

void virgl_create_shader(
	struct virgl_stream *stream, uint32_t handle, uint32_t type, const char *text)
{
	uint32_t bytes = (uint32_t)strlen(text) + 1;
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_SHADER, 5 + (bytes + 3) / 4);
	virgl_put(stream, handle);
	virgl_put(stream, type);
	virgl_put(stream, bytes); /* all of it, no continuation */
	virgl_put(stream, bytes); /* tokens, or more: none takes less than a character */
	virgl_put(stream, 0);     /* stream outputs */
	put_bytes(stream, text, bytes);
}

void virgl_bind_shader(struct virgl_stream *stream, uint32_t handle, uint32_t type)
{
	virgl_put_header(stream, BIND_SHADER, 0, 2);
	virgl_put(stream, handle);
	virgl_put(stream, type);
}

void virgl_bind(struct virgl_stream *stream, enum virgl_object type, uint32_t handle)
{
	virgl_put_header(stream, BIND_OBJECT, type, 1);
	virgl_put(stream, handle);
}

void virgl_destroy(struct virgl_stream *stream, enum virgl_object type, uint32_t handle)
{
	virgl_put_header(stream, DESTROY_OBJECT, type, 1);
	virgl_put(stream, handle);
}

void virgl_create_blend(struct virgl_stream *stream, uint32_t handle, int additive)
{
	uint32_t target = (uint32_t)MASK_RGBA << 27;
	if (additive)
		target |=
			1 | FACTOR_ONE << 4 | FACTOR_ONE << 9 | FACTOR_ONE << 17 | FACTOR_ONE << 22;
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_BLEND, 3 + COLOR_BUFFERS);
	virgl_put(stream, handle);
	virgl_put(stream, 0); /* no logic op, no dither */
	virgl_put(stream, 0);
	for (int i = 0; i < COLOR_BUFFERS; i++)
		virgl_put(stream, i == 0 ? target : 0);
}

void virgl_create_dsa(struct virgl_stream *stream, uint32_t handle)
{
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_DSA, 5);
	virgl_put(stream, handle);
	for (int i = 0; i < 4; i++)
		virgl_put(stream, 0); /* depth, stencil and alpha tests off */
}

void virgl_create_rasterizer(struct virgl_stream *stream, uint32_t handle)
{
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_RASTERIZER, 9);
	virgl_put(stream, handle);
	/* We set depth clip, half pixel centre and bottom edge rule, and no culling. */
	virgl_put(stream, 1u << 1 | 1u << 29 | 1u << 30);
	virgl_put_float(stream, 1.0f); /* point size */
	virgl_put(stream, 0);          /* sprite coordinates */
	virgl_put(stream, 0);          /* line stipple, clip planes */
	virgl_put_float(stream, 1.0f); /* line width */
	for (int i = 0; i < 3; i++)
		virgl_put_float(stream, 0.0f); /* polygon offset */
}

void virgl_create_vertex_elements(struct virgl_stream *stream, uint32_t handle)
{
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_VERTEX_ELEMENTS, 1 + 4 * 2);
	virgl_put(stream, handle);
	for (uint32_t i = 0; i < 2; i++) {
		virgl_put(stream, i * 16); /* offset */
		virgl_put(stream, 0);      /* instance divisor */
		virgl_put(stream, 0);      /* vertex buffer */
		virgl_put(stream, VIRGL_FORMAT_R32G32B32A32_FLOAT);
	}
}

void virgl_use_plain_state(struct virgl_stream *stream, uint32_t blend, uint32_t dsa,
	uint32_t rasterizer, uint32_t elements)
{
	virgl_create_blend(stream, blend, 0);
	virgl_create_dsa(stream, dsa);
	virgl_create_rasterizer(stream, rasterizer);
	virgl_create_vertex_elements(stream, elements);
	virgl_bind(stream, VIRGL_OBJECT_BLEND, blend);
	virgl_bind(stream, VIRGL_OBJECT_DSA, dsa);
	virgl_bind(stream, VIRGL_OBJECT_RASTERIZER, rasterizer);
	virgl_bind(stream, VIRGL_OBJECT_VERTEX_ELEMENTS, elements);
}

void virgl_set_vertex_buffer(struct virgl_stream *stream, uint32_t resource, uint32_t stride_bytes,
	uint32_t offset_bytes)
{
	virgl_put_header(stream, SET_VERTEX_BUFFERS, 0, 3);
	virgl_put(stream, stride_bytes);
	virgl_put(stream, offset_bytes);
	virgl_put(stream, resource);
}

void virgl_set_viewport(struct virgl_stream *stream, float width, float height)
{
	virgl_put_header(stream, SET_VIEWPORT_STATE, 0, 7);
	virgl_put(stream, 0);         /* slot */
	for (int i = 0; i < 2; i++) { /* scale, then translation: the same numbers here */
		virgl_put_float(stream, width / 2);
		virgl_put_float(stream, height / 2);
		virgl_put_float(stream, 0.5f);
	}
}

void virgl_create_sampler_state(struct virgl_stream *stream, uint32_t handle)
{
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_SAMPLER_STATE, 9);
	virgl_put(stream, handle);
	virgl_put(stream, WRAP_CLAMP_TO_EDGE | WRAP_CLAMP_TO_EDGE << 3 | WRAP_CLAMP_TO_EDGE << 6 |
				  MIPFILTER_NONE << 11); /* nearest both ways */
	for (int i = 0; i < 7; i++)
		virgl_put(stream, 0); /* lod bias, min, max, border colour */
}

void virgl_create_sampler_view(
	struct virgl_stream *stream, uint32_t handle, uint32_t resource, uint32_t format)
{
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_SAMPLER_VIEW, 6);
	virgl_put(stream, handle);
	virgl_put(stream, resource);
	virgl_put(stream, format);
	virgl_put(stream, 0);                               /* layers */
	virgl_put(stream, 0);                               /* levels */
	virgl_put(stream, 0 | 1u << 3 | 2u << 6 | 3u << 9); /* swizzle RGBA */
}

void virgl_bind_sampler(struct virgl_stream *stream, uint32_t view, uint32_t state)
{
	virgl_put_header(stream, SET_SAMPLER_VIEWS, 0, 3);
	virgl_put(stream, VIRGL_SHADER_FRAGMENT);
	virgl_put(stream, 0);
	virgl_put(stream, view);
	virgl_put_header(stream, BIND_SAMPLER_STATES, 0, 3);
	virgl_put(stream, VIRGL_SHADER_FRAGMENT);
	virgl_put(stream, 0);
	virgl_put(stream, state);
}

void virgl_draw(struct virgl_stream *stream, uint32_t primitive, uint32_t start, uint32_t count)
{
	virgl_put_header(stream, DRAW_VBO, 0, 12);
	virgl_put(stream, start);
	virgl_put(stream, count);
	virgl_put(stream, primitive);
	virgl_put(stream, 0); /* not indexed */
	virgl_put(stream, 1); /* instances */
	for (int i = 0; i < 4; i++)
		virgl_put(stream, 0); /* bias, start instance, primitive restart and its index */
	virgl_put(stream, start);     /* lowest index */
	virgl_put(stream, start + count - 1); /* highest */
	virgl_put(stream, 0);                 /* no stream output */
}

void virgl_inline_write(struct virgl_stream *stream, uint32_t resource, struct virgl_box box,
	const void *data, uint32_t data_bytes, uint32_t stride_bytes)
{
	virgl_put_header(stream, RESOURCE_INLINE_WRITE, 0, 11 + (data_bytes + 3) / 4);
	virgl_put(stream, resource);
	virgl_put(stream, 0); /* level */
	virgl_put(stream, 0); /* usage */
	virgl_put(stream, stride_bytes);
	virgl_put(stream, 0); /* layer stride */
	put_box(stream, &box);
	put_bytes(stream, data, data_bytes);
}

static void put_blit_side(
	struct virgl_stream *stream, uint32_t resource, uint32_t format, struct virgl_box *box)
{
	virgl_put(stream, resource);
	virgl_put(stream, 0); /* level */
	virgl_put(stream, format);
	put_box(stream, box);
}

void virgl_blit(struct virgl_stream *stream, uint32_t to, struct virgl_box to_box, uint32_t from,
	struct virgl_box from_box, uint32_t format)
{
	virgl_put_header(stream, BLIT, 0, 21);
	virgl_put(stream, MASK_RGBA); /* nearest, no scissor */
	virgl_put(stream, 0);
	virgl_put(stream, 0);
	put_blit_side(stream, to, format, &to_box);
	put_blit_side(stream, from, format, &from_box);
}

void virgl_copy_region(struct virgl_stream *stream, uint32_t to, uint32_t x, uint32_t y,
	uint32_t from, struct virgl_box from_box)
{
	virgl_put_header(stream, RESOURCE_COPY_REGION, 0, 13);
	virgl_put(stream, to);
	virgl_put(stream, 0); /* level */
	virgl_put(stream, x);
	virgl_put(stream, y);
	virgl_put(stream, 0);
	virgl_put(stream, from);
	virgl_put(stream, 0); /* level */
	put_box(stream, &from_box);
}
