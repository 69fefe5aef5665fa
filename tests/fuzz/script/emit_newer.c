/* SPDX-License-Identifier: MIT */
/*
 * Emits commands that virglrenderer 0.10.4 does not know, or takes only where the host decodes
 * video. They come when they are asked for.
 */
#include "tests/fuzz/script/emit.h"

/* ---- newer than 0.10.4 ---- */

#define CLEAR_BUFFERS_SHIFT 1 /* VIRGL_CLEAR_SURFACE_S0_BUFFERS */
#define CLEAR_COLOR 4u        /* PIPE_CLEAR_COLOR0 */
#define CLEAR_DEPTH 1u        /* PIPE_CLEAR_DEPTH */

static void clear_surface(struct model *model)
{
	struct script *s = model->script;
	bool is_color = choose(model->choices, 2);
	struct model_object surface = emit_surface(model, is_color ? MODEL_COLOR : MODEL_DEPTH);
	uint32_t width = model_width(&surface.resource, surface.kind);
	uint32_t height = model_height(&surface.resource, surface.kind);
	script_begin(s, "CLEAR_SURFACE", VIRGL_CLEAR_SURFACE, 0);
	script_put(s, SCRIPT_FIELD_PACKED, "S0", UINT32_MAX,
		(is_color ? CLEAR_COLOR : CLEAR_DEPTH) << CLEAR_BUFFERS_SHIFT);
	script_put_object(s, "surface", surface.handle);
	for (unsigned i = 0; i < 4; i++)
		script_put_any(s, "colour", choose(model->choices, 256));
	script_put_number(s, "x", width, 0);
	script_put_number(s, "y", height, 0);
	script_put_number(s, "width", width, width);
	script_put_number(s, "height", height, height);
	script_end(s);
}

static void resource_layout(struct model *model)
{
	struct script *s = model->script;
	uint32_t answer = model_take(model, MODEL_STAGING).id;
	script_begin(s, "GET_PIPE_RESOURCE_LAYOUT", VIRGL_GET_PIPE_RESOURCE_LAYOUT, 0);
	script_put_resource(s, "answer", answer);
	script_put_resource(s, "resource", model_take(model, MODEL_COLOR).id);
	script_end(s);
}

/* ---- video ---- */

#define VIDEO_CODEC 1u /* handles of video are its own, which are no objects */
#define VIDEO_BUFFER 1u
#define PROFILE_H264_MAIN 9u /* PIPE_VIDEO_PROFILE_MPEG4_AVC_MAIN */
#define PROFILE_LAST 26u
#define ENTRYPOINT_BITSTREAM 1u
#define ENTRYPOINT_LAST 5u
#define CHROMA_420 1u /* PIPE_VIDEO_CHROMA_FORMAT_420 */
#define CHROMA_LAST 4u
#define VIDEO_SIZE_MAX 4096u
#define VIDEO_WIDTH 64u
#define VIDEO_HEIGHT 64u

static void create_codec(struct model *model)
{
	struct script *s = model->script;
	script_begin(s, "CREATE_VIDEO_CODEC", VIRGL_CREATE_VIDEO_CODEC, 0);
	script_put_number(s, "handle", UINT32_MAX, VIDEO_CODEC);
	script_put_enum(s, "profile", PROFILE_LAST, PROFILE_H264_MAIN);
	script_put_enum(s, "entry point", ENTRYPOINT_LAST, ENTRYPOINT_BITSTREAM);
	script_put_enum(s, "chroma format", CHROMA_LAST, CHROMA_420);
	script_put_number(s, "level", 62, 41);
	script_put_number(s, "width", VIDEO_SIZE_MAX, VIDEO_WIDTH);
	script_put_number(s, "height", VIDEO_SIZE_MAX, VIDEO_HEIGHT);
	script_put_number(s, "references", 16, choose_between(model->choices, 1, 16));
	script_end(s);
}

static void create_buffer(struct model *model)
{
	struct script *s = model->script;
	uint32_t planes[2];
	for (unsigned i = 0; i < G_N_ELEMENTS(planes); i++)
		planes[i] = model_take(model, MODEL_COLOR).id;
	script_begin(s, "CREATE_VIDEO_BUFFER", VIRGL_CREATE_VIDEO_BUFFER, 0);
	script_put_number(s, "handle", UINT32_MAX, VIDEO_BUFFER);
	script_put_format(s, "format", VIRGL_FORMAT_R8);
	script_put_number(s, "width", VIDEO_SIZE_MAX, VIDEO_WIDTH);
	script_put_number(s, "height", VIDEO_SIZE_MAX, VIDEO_HEIGHT);
	for (unsigned i = 0; i < G_N_ELEMENTS(planes); i++)
		script_put_resource(s, "plane", planes[i]);
	script_end(s);
}

static void destroy(struct model *model, const char *name, enum virgl_command code, uint32_t handle)
{
	script_begin(model->script, name, (uint8_t)code, 0);
	script_put_number(model->script, "handle", UINT32_MAX, handle);
	script_end(model->script);
}

static void destroy_codec(struct model *model)
{
	create_codec(model);
	destroy(model, "DESTROY_VIDEO_CODEC", VIRGL_DESTROY_VIDEO_CODEC, VIDEO_CODEC);
}

static void destroy_buffer(struct model *model)
{
	create_buffer(model);
	destroy(model, "DESTROY_VIDEO_BUFFER", VIRGL_DESTROY_VIDEO_BUFFER, VIDEO_BUFFER);
}

static void frame(struct model *model, const char *name, enum virgl_command code)
{
	script_begin(model->script, name, (uint8_t)code, 0);
	script_put_number(model->script, "codec", UINT32_MAX, VIDEO_CODEC);
	script_put_number(model->script, "target", UINT32_MAX, VIDEO_BUFFER);
	script_end(model->script);
}

static void begin_frame(struct model *model)
{
	create_codec(model);
	create_buffer(model);
	frame(model, "BEGIN_FRAME", VIRGL_BEGIN_FRAME);
}

static void end_frame(struct model *model)
{
	begin_frame(model);
	frame(model, "END_FRAME", VIRGL_END_FRAME);
}

/* Emits a command without words, as the protocol has a number for it and nothing else. */
static void decode_macroblock(struct model *model)
{
	begin_frame(model);
	script_begin(model->script, "DECODE_MACROBLOCK", VIRGL_DECODE_MACROBLOCK, 0);
	script_end(model->script);
}

static void decode_bitstream(struct model *model)
{
	struct script *s = model->script;
	begin_frame(model);
	struct script_resource description = model_take(model, MODEL_STAGING);
	struct script_resource bits = model_take(model, MODEL_STAGING);
	script_begin(s, "DECODE_BITSTREAM", VIRGL_DECODE_BITSTREAM, 0);
	script_put_number(s, "codec", UINT32_MAX, VIDEO_CODEC);
	script_put_number(s, "target", UINT32_MAX, VIDEO_BUFFER);
	script_put_resource(s, "description", description.id);
	script_put_resource(s, "bits", bits.id);
	script_put_number(s, "bits' size", bits.width, bits.width);
	script_end(s);
}

static void encode_bitstream(struct model *model)
{
	static const char *const names[] = { "destination", "description", "feedback" };
	struct script *s = model->script;
	uint32_t resources[G_N_ELEMENTS(names)];
	begin_frame(model);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		resources[i] = model_take(model, MODEL_STAGING).id;
	script_begin(s, "ENCODE_BITSTREAM", VIRGL_ENCODE_BITSTREAM, 0);
	script_put_number(s, "codec", UINT32_MAX, VIDEO_CODEC);
	script_put_number(s, "source", UINT32_MAX, VIDEO_BUFFER);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		script_put_resource(s, names[i], resources[i]);
	script_end(s);
}

#define ASKED(name, emit)                                                                          \
	{                                                                                          \
#name, VIRGL_##name, VIRGL_NONE, 0, emit                                           \
	}

const struct emit_command emit_newer_commands[] = {
	ASKED(CLEAR_SURFACE, clear_surface),
	ASKED(GET_PIPE_RESOURCE_LAYOUT, resource_layout),
	ASKED(CREATE_VIDEO_CODEC, create_codec),
	ASKED(DESTROY_VIDEO_CODEC, destroy_codec),
	ASKED(CREATE_VIDEO_BUFFER, create_buffer),
	ASKED(DESTROY_VIDEO_BUFFER, destroy_buffer),
	ASKED(BEGIN_FRAME, begin_frame),
	ASKED(DECODE_MACROBLOCK, decode_macroblock),
	ASKED(DECODE_BITSTREAM, decode_bitstream),
	ASKED(ENCODE_BITSTREAM, encode_bitstream),
	ASKED(END_FRAME, end_frame),
};
const unsigned emit_n_newer_commands = G_N_ELEMENTS(emit_newer_commands);
