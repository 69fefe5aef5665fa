/* SPDX-License-Identifier: MIT */
#include "tests/unit/render/stream/desk.h"

#include <glib.h>
#include <string.h>

static const struct stream_resource resources[] = {
	{ .id = DESK_BUFFER,
		.bind = 1u << 4,
		.width = 4096,
		.height = 1,
		.depth = 1,
		.pixel_bytes = 4 },
	{ .id = DESK_CUSTOM,
		.bind = STREAM_BIND_CUSTOM,
		.width = 4096,
		.height = 1,
		.depth = 1,
		.pixel_bytes = 4,
		.backing_bytes = 4096,
		.first_piece_bytes = 4096 },
	{ .id = DESK_STAGING,
		.bind = STREAM_BIND_STAGING,
		.width = 4096,
		.height = 1,
		.depth = 1,
		.pixel_bytes = 4,
		.backing_bytes = 4096,
		.first_piece_bytes = 4096 },
	{ .id = DESK_TEXTURE,
		.target = 2,
		.format = 1,
		.bind = 2,
		.width = 64,
		.height = 32,
		.depth = 1,
		.array_size = 1,
		.last_level = 2,
		.pixel_bytes = 4,
		.backing_bytes = 16384,
		.first_piece_bytes = 16384 },
	{ .id = DESK_ARRAY,
		.target = 7,
		.format = 1,
		.bind = 2,
		.width = 64,
		.height = 32,
		.depth = 1,
		.array_size = 4,
		.pixel_bytes = 4 },
	{ .id = DESK_OTHERS,
		.bind = 1u << 4,
		.width = 4096,
		.height = 1,
		.depth = 1,
		.pixel_bytes = 4 },
	{ .id = DESK_TINY,
		.bind = STREAM_BIND_CUSTOM,
		.width = 8,
		.height = 1,
		.depth = 1,
		.pixel_bytes = 4 },
	{ .id = DESK_COMPRESSED,
		.target = 2,
		.format = 105,
		.bind = 8,
		.width = 4,
		.height = 4,
		.depth = 1,
		.array_size = 1,
		.last_level = 2,
		.pixel_bytes = 4 },
	{ .id = DESK_CUBE,
		.target = STREAM_TARGET_CUBE,
		.format = 1,
		.bind = 8,
		.width = 32,
		.height = 32,
		.depth = 1,
		.array_size = 6,
		.pixel_bytes = 4 },
	{ .id = DESK_SAMPLES,
		.target = 7,
		.format = 1,
		.bind = 2,
		.width = 64,
		.height = 32,
		.depth = 1,
		.array_size = 4,
		.samples = 4,
		.pixel_bytes = 4 },
};

void desk_put(struct desk *desk, uint32_t number, uint32_t object, const uint32_t *words,
	uint32_t n_words)
{
	g_assert_cmpuint(desk->n_words + 1 + n_words, <=, G_N_ELEMENTS(desk->stream));
	desk->stream[desk->n_words++] = stream_header(number, object, n_words);
	if (n_words > 0)
		memcpy(desk->stream + desk->n_words, words, n_words * 4);
	desk->n_words += n_words;
}

enum desk_fate desk_send(struct desk *desk)
{
	g_autofree uint32_t *sent = g_memdup2(desk->stream, desk->n_words * 4);
	uint32_t n_words = desk->n_words;
	desk->n_words = 0;
	if (!streams_check(desk->streams, DESK_CONTEXT, desk->stream, n_words, &desk->passed,
		    &desk->fault)) {
		g_assert_true(
			desk->passed.words != desk->stream || desk->passed.n_words <= n_words);
		return DESK_REFUSED;
	}
	bool same = desk->passed.n_words == n_words &&
		    memcmp(desk->passed.words, sent, n_words * 4) == 0;
	return same ? DESK_PASSED : DESK_MENDED;
}

void desk_put_text(struct desk *desk, uint32_t handle, uint32_t stage, const char *text)
{
	uint32_t bytes = (uint32_t)strlen(text) + 1,
		 words[DESK_WORDS_MAX] = { handle, stage, bytes, 100 };
	g_assert_cmpuint(5 * 4 + bytes, <=, sizeof(words));
	memcpy(words + 5, text, bytes);
	desk_put(desk, STREAM_CREATE_OBJECT, STREAM_OBJECT_SHADER, words, 5 + (bytes + 3) / 4);
}

static void make_objects(struct desk *d)
{
	uint32_t object[16] = { DESK_BLEND };
	desk_put(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_BLEND, object, 11);
	object[0] = DESK_RASTERIZER;
	desk_put(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_RASTERIZER, object, 9);
	object[0] = DESK_DSA;
	desk_put(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_DSA, object, 5);
	object[0] = DESK_SAMPLER_STATE;
	desk_put(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_SAMPLER_STATE, object, 9);
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_VERTEX_ELEMENTS, DESK_VERTEX_ELEMENTS, 0, 0,
		0, 29, 8, 0, 2, 29);
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_SAMPLER_VIEW, DESK_SAMPLER_VIEW,
		DESK_TEXTURE, 1 | 2 << 24, 0, 0, 0x688);
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_SURFACE, DESK_SURFACE, DESK_TEXTURE, 1, 0,
		0);
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_QUERY, DESK_QUERY, 0, 0, DESK_CUSTOM);
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_STREAMOUT_TARGET, DESK_STREAMOUT_TARGET,
		DESK_BUFFER, 0, 4096);
	desk_put_text(d, DESK_VERTEX_SHADER, STREAM_STAGE_VERTEX,
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nMOV OUT[0], IN[0]\nEND\n");
	desk_put_text(d, DESK_FRAGMENT_SHADER, STREAM_STAGE_FRAGMENT,
		"FRAG\nDCL OUT[0], COLOR\nDCL CONST[0..1]\nMOV OUT[0], CONST[1]\nEND\n");
	desk_put_text(d, DESK_COMPUTE_SHADER, STREAM_STAGE_COMPUTE, "COMP\nEND\n");
}

void desk_bind_shaders(struct desk *desk)
{
	DESK_PUT(desk, STREAM_BIND_SHADER, 0, DESK_VERTEX_SHADER, STREAM_STAGE_VERTEX);
	DESK_PUT(desk, STREAM_BIND_SHADER, 0, DESK_FRAGMENT_SHADER, STREAM_STAGE_FRAGMENT);
	DESK_PUT(desk, STREAM_BIND_SHADER, 0, DESK_COMPUTE_SHADER, STREAM_STAGE_COMPUTE);
	g_assert_cmpint(desk_send(desk), ==, DESK_PASSED);
}

void desk_init(struct desk *desk)
{
	*desk = (struct desk){ .streams = streams_create() };
	struct quota_limits limits;
	quotas_set_initial(&limits);
	quota_account_init(&desk->guest, &limits);
	for (unsigned i = 0; i < G_N_ELEMENTS(desk->accounts); i++) {
		quota_account_init_context(&desk->accounts[i], &desk->guest, DESK_CONTEXT + i);
		streams_context_made(desk->streams, DESK_CONTEXT + i, &desk->accounts[i]);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(resources); i++) {
		bool is_others = resources[i].id == DESK_OTHERS;
		streams_resource_made(desk->streams, &resources[i]);
		streams_attach(desk->streams, DESK_CONTEXT + is_others, resources[i].id);
	}
	make_objects(desk);
	if (desk_send(desk) != DESK_PASSED)
		g_error("%s: %s %" G_GUINT64_FORMAT " %s (limit %" G_GUINT64_FORMAT ")",
			desk->fault.command, desk->fault.field, desk->fault.value, desk->fault.why,
			desk->fault.limit);
}

void desk_finish(struct desk *desk)
{
	streams_destroy(desk->streams);
}
