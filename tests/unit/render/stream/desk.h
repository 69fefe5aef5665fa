/* SPDX-License-Identifier: MIT */
/*
 * desk: makes a context with one thing of each kind, and puts commands before the checker.
 *
 * Resources and objects have fixed numbers, so that a test can name them in a line.
 */
#pragma once

#include <stdint.h>

#include "render/quota/quota.h"
#include "render/stream/protocol.h"
#include "render/stream/streams.h"

#define DESK_CONTEXT 7
#define DESK_WORDS_MAX 64

enum desk_resource {
	DESK_BUFFER = 1, /* 4096 bytes, in GL */
	DESK_CUSTOM,     /* 4096 bytes with a backing of 4096, not in GL */
	DESK_STAGING,    /* 4096 bytes with a backing of 4096, not in GL */
	DESK_TEXTURE,    /* 2D, 64 x 32, levels 0 to 2, with a backing */
	DESK_ARRAY,      /* 2D, 64 x 32, 4 layers */
	DESK_OTHERS,     /* a buffer that another context has */
	DESK_TINY,       /* CUSTOM, 8 bytes, no backing */
	DESK_COMPRESSED, /* 2D, 4 x 4 and smaller levels, DXT1 */
	DESK_CUBE,       /* 32 x 32 */
	DESK_SAMPLES,    /* as DESK_ARRAY, four samples a pixel */
};

enum desk_object {
	DESK_BLEND = 100,
	DESK_RASTERIZER,
	DESK_DSA,
	DESK_VERTEX_ELEMENTS, /* two, of vertex buffers 0 and 2 */
	DESK_SAMPLER_VIEW,
	DESK_SAMPLER_STATE,
	DESK_SURFACE,
	DESK_QUERY,
	DESK_STREAMOUT_TARGET,
	DESK_VERTEX_SHADER,
	DESK_FRAGMENT_SHADER,
	DESK_COMPUTE_SHADER,
};

enum desk_fate { DESK_PASSED, DESK_MENDED, DESK_REFUSED };

struct desk {
	struct streams *streams;
	struct quota_account guest, accounts[2]; /* of the two contexts */
	uint32_t stream[4096];
	uint32_t n_words;
	struct stream_passed passed;
	struct stream_fault fault;
};

void desk_init(struct desk *desk);
void desk_finish(struct desk *desk);
/* Adds a command to the stream. */
void desk_put(struct desk *desk, uint32_t number, uint32_t object, const uint32_t *words,
	uint32_t n_words);
/* Adds a command that makes a shader whose text is all there. */
void desk_put_text(struct desk *desk, uint32_t handle, uint32_t stage, const char *text);
/* Binds the three shaders, as a draw and a grid need them. The stream is empty before. */
void desk_bind_shaders(struct desk *desk);
/* Checks the stream and empties it. What was passed stays in desk->passed. */
enum desk_fate desk_send(struct desk *desk);

#define DESK_PUT(desk, number, object, ...)                                                        \
	desk_put(desk, number, object, (uint32_t[]){ __VA_ARGS__ },                                \
		sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
