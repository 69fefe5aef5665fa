/* SPDX-License-Identifier: MIT */
/*
 * virgl_encode: writes virgl command streams by hand, as a guest's Mesa would.
 *
 * The wire format is that of virglrenderer's src/virgl_protocol.h (0.10): each command is a header
 * word (command | object type << 8 | payload words << 16) and its payload. Enumeration values are
 * Gallium's (p_defines.h), formats those of virgl_hw.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* These are values of enum virgl_formats in virgl_hw.h. */
#define VIRGL_FORMAT_B8G8R8A8 1
#define VIRGL_FORMAT_B8G8R8X8 2
#define VIRGL_FORMAT_R32_FLOAT 28
#define VIRGL_FORMAT_R32G32_FLOAT 29
#define VIRGL_FORMAT_R32G32B32A32_FLOAT 31
#define VIRGL_FORMAT_R8 64
#define VIRGL_FORMAT_R8G8B8A8 67
/* These are VIRGL_BIND_* of virgl_hw.h. */
#define VIRGL_BIND_RENDER_TARGET (1u << 1)
#define VIRGL_BIND_SAMPLER_VIEW (1u << 3)
#define VIRGL_BIND_VERTEX_BUFFER (1u << 4)
#define VIRGL_BIND_SCANOUT (1u << 18)
/* These are values of enum pipe_texture_target in p_defines.h. */
#define VIRGL_TARGET_BUFFER 0
#define VIRGL_TARGET_TEXTURE_2D 2
#define VIRGL_TARGET_TEXTURE_2D_ARRAY 7
/* These are values of enum pipe_shader_type in p_defines.h. */
#define VIRGL_SHADER_VERTEX 0
#define VIRGL_SHADER_FRAGMENT 1
/* These are values of enum pipe_prim_type in p_defines.h. */
#define VIRGL_PRIM_TRIANGLES 4
#define VIRGL_PRIM_TRIANGLE_STRIP 5

/* These are values of enum virgl_object_type in virgl_protocol.h. */
enum virgl_object {
	VIRGL_OBJECT_BLEND = 1,
	VIRGL_OBJECT_RASTERIZER = 2,
	VIRGL_OBJECT_DSA = 3,
	VIRGL_OBJECT_SHADER = 4,
	VIRGL_OBJECT_VERTEX_ELEMENTS = 5,
	VIRGL_OBJECT_SAMPLER_VIEW = 6,
	VIRGL_OBJECT_SAMPLER_STATE = 7,
	VIRGL_OBJECT_SURFACE = 8,
};

/* Grows as it is written. Zero-initialise it; virgl_stream_finish() frees the words. */
struct virgl_stream {
	uint32_t *words;
	size_t n_words, allocated;
};

struct virgl_box {
	uint32_t x, y, z, width, height, depth;
};

void virgl_stream_finish(struct virgl_stream *stream);
uint32_t virgl_stream_bytes(const struct virgl_stream *stream);
/* Both append a word as it is, which malformed streams need. */
void virgl_put(struct virgl_stream *stream, uint32_t word);
void virgl_put_float(struct virgl_stream *stream, float value);
void virgl_put_header(
	struct virgl_stream *stream, uint32_t command, uint32_t object, uint32_t n_words);

void virgl_create_surface(
	struct virgl_stream *stream, uint32_t handle, uint32_t resource, uint32_t format);
void virgl_set_framebuffer(struct virgl_stream *stream, uint32_t surface);
void virgl_clear(struct virgl_stream *stream, const float rgba[4]);
/* `text` is TGSI source. */
void virgl_create_shader(
	struct virgl_stream *stream, uint32_t handle, uint32_t type, const char *text);
void virgl_bind_shader(struct virgl_stream *stream, uint32_t handle, uint32_t type);
void virgl_bind(struct virgl_stream *stream, enum virgl_object type, uint32_t handle);
void virgl_destroy(struct virgl_stream *stream, enum virgl_object type, uint32_t handle);
/*
 * Switches blending off, or if `additive` adds source and destination (ONE + ONE). All channels are
 * written.
 */
void virgl_create_blend(struct virgl_stream *stream, uint32_t handle, int additive);
void virgl_create_dsa(struct virgl_stream *stream, uint32_t handle);
void virgl_create_rasterizer(struct virgl_stream *stream, uint32_t handle);
/* Describes vertex buffer 0 as two interleaved attributes of four floats each. */
void virgl_create_vertex_elements(struct virgl_stream *stream, uint32_t handle);
/* Makes the state objects above under these handles, without blending, and binds them. */
void virgl_use_plain_state(struct virgl_stream *stream, uint32_t blend, uint32_t dsa,
	uint32_t rasterizer, uint32_t elements);
void virgl_set_vertex_buffer(struct virgl_stream *stream, uint32_t resource, uint32_t stride_bytes,
	uint32_t offset_bytes);
/* Maps window coordinates so that row 0 is where the resource's row 0 is. */
void virgl_set_viewport(struct virgl_stream *stream, float width, float height);
void virgl_create_sampler_state(struct virgl_stream *stream, uint32_t handle);
void virgl_create_sampler_view(
	struct virgl_stream *stream, uint32_t handle, uint32_t resource, uint32_t format);
void virgl_bind_sampler(struct virgl_stream *stream, uint32_t view, uint32_t state);
void virgl_draw(struct virgl_stream *stream, uint32_t primitive, uint32_t start, uint32_t count);
void virgl_inline_write(struct virgl_stream *stream, uint32_t resource, struct virgl_box box,
	const void *data, uint32_t data_bytes, uint32_t stride_bytes);
void virgl_blit(struct virgl_stream *stream, uint32_t to, struct virgl_box to_box, uint32_t from,
	struct virgl_box from_box, uint32_t format);
void virgl_copy_region(struct virgl_stream *stream, uint32_t to, uint32_t x, uint32_t y,
	uint32_t from, struct virgl_box from_box);
