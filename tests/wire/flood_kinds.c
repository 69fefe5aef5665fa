/* SPDX-License-Identifier: MIT */
/*
 * flood_kinds: what floods ask for. There is at least one kind for each quota of protocol/quotas.h.
 */
#include <string.h>

#include "tests/wire/flooder.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

/* These are the values of enum virgl_context_cmd and enum virgl_object_type in virgl_protocol.h. */
#define CREATE_OBJECT 1
#define CREATE_SUB_CTX 29
#define OBJECT_QUERY 9
#define QUERY_BYTES 4096
/* These are Gallium's PIPE_BIND_SAMPLER_VIEW, PIPE_BIND_CUSTOM and PIPE_QUERY_OCCLUSION_COUNTER. */
#define BIND_SAMPLER_VIEW 8
#define BIND_CUSTOM (1u << 17)
#define OCCLUSION_COUNTER 0
/* These are bits of a rasterizer's state in virgl_protocol.h, and a value of enum pipe_prim_type.
 */
#define POINT_QUAD_RASTERIZATION (1u << 7)
#define HALF_PIXEL_CENTER (1u << 29)
#define PRIM_POINTS 0
#define MIB (1u << 20)
/* Says how many objects a program asks for with one command, where one command may make many. */
#define AT_ONCE 64
#define ENTRIES 4096
#define PIECE_BYTES MIB
#define STAGING_SIDE 2048
/* With these what programs leave in the process is seen before long. */
#define PROGRAM_QUOTAS                                                                             \
	"program-bytes=64M,texture-bytes=128M,picture-bytes=64M,other-bytes=64M,staging-bytes=16M"
/* These take some 0.7 MB each of Mesa 22.3's memory. */
#define PROGRAMS_BEFORE 3000
#define BLEND_TARGETS 8
#define CODE_AT_ONCE 4
#define CODE_ASKS 63

/* ---- contexts and resources ---- */

static void ask_context(struct flooder *flooder, uint32_t id)
{
	const struct virtio_gpu_ctx_create create = { .hdr = { .type = VIRTIO_GPU_CMD_CTX_CREATE,
							      .ctx_id = id },
		.nlen = 5,
		.debug_name = "flood" };
	flooder_put(flooder, &create, sizeof(create));
}

static void give_context(struct flooder *flooder, uint32_t id)
{
	const struct virtio_gpu_ctx_destroy destroy = { .hdr = { .type = VIRTIO_GPU_CMD_CTX_DESTROY,
								.ctx_id = id } };
	flooder_put(flooder, &destroy, sizeof(destroy));
}

static void ask_2d(struct flooder *flooder, uint32_t id, uint32_t side)
{
	const struct virtio_gpu_resource_create_2d create = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = id,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = side,
		.height = side,
	};
	flooder_put(flooder, &create, sizeof(create));
}

static void ask_small(struct flooder *flooder, uint32_t id)
{
	ask_2d(flooder, id, 1);
}

static void ask_picture(struct flooder *flooder, uint32_t id)
{
	ask_2d(flooder, id, 512);
}

/*
 * Attaches the resource to the context, as Linux does: its next command then says which program has
 * made the resource.
 */
static void put_open(struct flooder *flooder, uint32_t id)
{
	const struct virtio_gpu_ctx_resource attach = {
		.hdr = { .type = VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, .ctx_id = flooder->context },
		.resource_id = id
	};
	flooder_put(flooder, &attach, sizeof(attach));
}

static void ask_3d(struct flooder *flooder, const struct virtio_gpu_resource_create_3d *wanted)
{
	struct virtio_gpu_resource_create_3d create = *wanted;
	create.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_3D;
	create.depth = create.array_size = 1;
	flooder_put(flooder, &create, sizeof(create));
	put_open(flooder, create.resource_id);
}

static void ask_2d_texture(struct flooder *flooder, uint32_t id, uint32_t side, uint32_t n_samples)
{
	const struct virtio_gpu_resource_create_3d create = { .resource_id = id,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8A8,
		.bind = BIND_SAMPLER_VIEW,
		.width = side,
		.height = side,
		.nr_samples = n_samples };
	ask_3d(flooder, &create);
}

static void ask_texture(struct flooder *flooder, uint32_t id)
{
	ask_2d_texture(flooder, id, 1024, 0);
}

/* GL makes four samples of one, so that these take as much. */
static void ask_samples(struct flooder *flooder, uint32_t id)
{
	ask_2d_texture(flooder, id, 512, 1);
}

static void ask_buffer(struct flooder *flooder, uint32_t id)
{
	const struct virtio_gpu_resource_create_3d create = { .resource_id = id,
		.target = VIRGL_TARGET_BUFFER,
		.format = VIRGL_FORMAT_R8,
		.bind = VIRGL_BIND_VERTEX_BUFFER,
		.width = 4 * MIB,
		.height = 1 };
	ask_3d(flooder, &create);
}

static void give_resource(struct flooder *flooder, uint32_t id)
{
	const struct virtio_gpu_resource_unref unref = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF,
		.resource_id = id };
	flooder_put(flooder, &unref, sizeof(unref));
}

/* ---- backings: pieces that all name the same memory ---- */

static void make_memory(struct flooder *flooder)
{
	flooder->memory = guest_backing_create(flooder->guest, PIECE_BYTES, 0);
}

static void put_attach(struct flooder *flooder, uint32_t id, uint32_t n, uint32_t piece_bytes)
{
	struct virtio_gpu_resource_attach_backing attach = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		.resource_id = id,
		.nr_entries = n,
	};
	struct virtio_gpu_mem_entry entry = flooder->memory->entries[0];
	g_autoptr(GByteArray) command = g_byte_array_new();
	entry.length = piece_bytes;
	g_byte_array_append(command, (const guint8 *)&attach, sizeof(attach));
	for (uint32_t i = 0; i < n; i++)
		g_byte_array_append(command, (const guint8 *)&entry, sizeof(entry));
	flooder_put(flooder, command->data, command->len);
}

/*
 * Asks for a resource with many backing entries. When they are refused the resource stays, as the
 * program's driver would leave it.
 */
static void ask_entries(struct flooder *flooder, uint32_t id)
{
	ask_small(flooder, id);
	put_attach(flooder, id, ENTRIES, GUEST_PAGE_SIZE);
}

static void ask_bytes(struct flooder *flooder, uint32_t id)
{
	ask_small(flooder, id);
	put_attach(flooder, id, 64, PIECE_BYTES);
}

/* ---- what is made inside a stream ---- */

static void ask_sub_context(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	virgl_put_header(&stream, CREATE_SUB_CTX, 0, 1);
	virgl_put(&stream, id);
	flooder_put_stream(flooder, &stream);
}

static void ask_objects(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	for (uint32_t i = 0; i < AT_ONCE; i++)
		virgl_create_rasterizer(&stream, (id - FLOODER_BASE) * AT_ONCE + i + 1);
	flooder_put_stream(flooder, &stream);
}

static void ask_shaders(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	virgl_create_shader(&stream, id, VIRGL_SHADER_FRAGMENT,
		"FRAG\nDCL OUT[0], COLOR\nIMM[0] FLT32 {0, 0, 0, 0}\n"
		"0: MOV OUT[0], IMM[0]\n1: END\n");
	flooder_put_stream(flooder, &stream);
}

static const char *get_long_text(void)
{
	static GString *text;
	if (text)
		return text->str;
	text = g_string_new("FRAG\nDCL OUT[0], COLOR\nDCL TEMP[0]\n"
			    "IMM[0] FLT32 {1, 2, 3, 4}\n0: MOV TEMP[0], IMM[0]\n");
	for (unsigned i = 1; i < 400; i++)
		g_string_append_printf(text, "%u: MAD TEMP[0], TEMP[0], IMM[0], IMM[0]\n", i);
	g_string_append(text, "400: MOV OUT[0], TEMP[0]\n401: END\n");
	return text->str;
}

/*
 * Asks for a shader of some 16 KB, as large as the large ones of games. Flooder and neighbour share
 * one thread, so the text is written once.
 */
static void ask_shader_text(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	virgl_create_shader(&stream, id, VIRGL_SHADER_FRAGMENT, get_long_text());
	flooder_put_stream(flooder, &stream);
}

/* Makes the one resource that all queries write into. */
static void make_query_buffer(struct flooder *flooder)
{
	const struct virtio_gpu_resource_create_3d create = { .resource_id = 500,
		.target = VIRGL_TARGET_BUFFER,
		.format = VIRGL_FORMAT_R8,
		.bind = BIND_CUSTOM,
		.width = QUERY_BYTES,
		.height = 1,
		.depth = 1,
		.array_size = 1 };
	flooder->memory = guest_backing_create(flooder->guest, QUERY_BYTES, 0);
	wire_ok(guest_gpu_create_3d(flooder->guest, &create));
	wire_ok(guest_backing_attach(flooder->memory, 500));
	wire_ok(guest_gpu_ctx_attach(flooder->guest, FLOODER_CONTEXT, 500));
}

static void ask_queries(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	put_open(flooder, 500);
	for (uint32_t i = 0; i < AT_ONCE; i++) {
		virgl_put_header(&stream, CREATE_OBJECT, OBJECT_QUERY, 4);
		virgl_put(&stream, (id - FLOODER_BASE) * AT_ONCE + i + 1);
		virgl_put(&stream, OCCLUSION_COUNTER);
		virgl_put(&stream, 0);
		virgl_put(&stream, 500);
	}
	flooder_put_stream(flooder, &stream);
}

/* ---- what draws make ---- */

/* Makes a target and vertices to draw points with. */
static void make_points(struct flooder *flooder)
{
	const struct virtio_gpu_resource_create_3d target = { .resource_id = 500,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8A8,
		.bind = VIRGL_BIND_RENDER_TARGET,
		.width = 64,
		.height = 64,
		.depth = 1,
		.array_size = 1 };
	const struct virtio_gpu_resource_create_3d vertices = { .resource_id = 501,
		.target = VIRGL_TARGET_BUFFER,
		.format = VIRGL_FORMAT_R8,
		.bind = VIRGL_BIND_VERTEX_BUFFER,
		.width = 4096,
		.height = 1,
		.depth = 1,
		.array_size = 1 };
	wire_ok(guest_gpu_create_3d(flooder->guest, &target));
	wire_ok(guest_gpu_create_3d(flooder->guest, &vertices));
}

/* Makes shaders of two numbers and draws with them. */
static void use_new_shaders(struct virgl_stream *stream, uint32_t first)
{
	virgl_create_shader(stream, first, VIRGL_SHADER_VERTEX,
		"VERT\nDCL IN[0]\nDCL IN[1]\nDCL OUT[0], POSITION\nDCL OUT[1], GENERIC[0]\n"
		"0: MOV OUT[0], IN[0]\n1: MOV OUT[1], IN[1]\n2: END\n");
	virgl_create_shader(stream, first + 1, VIRGL_SHADER_FRAGMENT,
		"FRAG\nDCL IN[0], GENERIC[0], PERSPECTIVE\nDCL OUT[0], COLOR\n"
		"0: MOV OUT[0], IN[0]\n1: END\n");
	virgl_bind_shader(stream, first, VIRGL_SHADER_VERTEX);
	virgl_bind_shader(stream, first + 1, VIRGL_SHADER_FRAGMENT);
}

/* A context begins with this, also one that is made anew. */
static void put_points(struct flooder *flooder)
{
	struct virgl_stream stream = { 0 };
	put_open(flooder, 500);
	put_open(flooder, 501);
	virgl_create_surface(&stream, 1, 500, VIRGL_FORMAT_B8G8R8A8);
	virgl_set_framebuffer(&stream, 1);
	virgl_set_viewport(&stream, 64, 64);
	virgl_use_plain_state(&stream, 5, 6, 7, 8);
	virgl_set_vertex_buffer(&stream, 501, 32, 0);
	use_new_shaders(&stream, 2);
	flooder_put_stream(flooder, &stream);
}

/*
 * Draws with a rasterizer that replaces other coordinates than any before, for which virglrenderer
 * and the driver compile the same shaders again.
 */
static void ask_variants(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	if (id == FLOODER_BASE)
		put_points(flooder);
	virgl_put_header(&stream, CREATE_OBJECT, VIRGL_OBJECT_RASTERIZER, 9);
	virgl_put(&stream, 4);
	virgl_put(&stream, POINT_QUAD_RASTERIZATION | HALF_PIXEL_CENTER);
	virgl_put_float(&stream, 1.0f);
	virgl_put(&stream, (id - FLOODER_BASE) << 1);
	virgl_put(&stream, 0);
	virgl_put_float(&stream, 1.0f);
	for (unsigned i = 0; i < 3; i++)
		virgl_put_float(&stream, 0.0f);
	virgl_bind(&stream, VIRGL_OBJECT_RASTERIZER, 4);
	virgl_draw(&stream, PRIM_POINTS, 0, 1);
	virgl_destroy(&stream, VIRGL_OBJECT_RASTERIZER, 4);
	flooder_put_stream(flooder, &stream);
}

/* Draws with a blending that none has had before in this context. */
static void put_blended(struct virgl_stream *stream, uint32_t n)
{
	uint32_t factors[] = { 1 + n % 8, 1 + n / 8 % 8, 1 + n / 64 % 8, 1 + n / 512 % 8 };
	virgl_put_header(stream, CREATE_OBJECT, VIRGL_OBJECT_BLEND, 3 + BLEND_TARGETS);
	virgl_put(stream, 4);
	virgl_put(stream, 0);
	virgl_put(stream, 0);
	virgl_put(stream, 1 | factors[0] << 4 | factors[1] << 9 | factors[2] << 17 |
				  factors[3] << 22 | 0xfu << 27);
	for (unsigned i = 1; i < BLEND_TARGETS; i++)
		virgl_put(stream, 0);
	virgl_bind(stream, VIRGL_OBJECT_BLEND, 4);
	virgl_draw(stream, PRIM_POINTS, 0, 1);
	virgl_destroy(stream, VIRGL_OBJECT_BLEND, 4);
}

/*
 * Draws with as many blendings as a context's driver keeps code for, in ever more contexts. Each
 * piece of code is some maps of the process, of which the kernel allows 65530.
 */
static void ask_code(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	uint32_t n = (id - FLOODER_BASE) % CODE_ASKS;
	if (n == 0) {
		flooder->context = FLOODER_CONTEXT + 1 + (id - FLOODER_BASE) / CODE_ASKS;
		ask_context(flooder, flooder->context);
		put_points(flooder);
	}
	for (uint32_t i = 0; i < CODE_AT_ONCE; i++)
		put_blended(&stream, n * CODE_AT_ONCE + i);
	flooder_put_stream(flooder, &stream);
}

/*
 * Draws with shaders that are made anew of the same texts: each pair is linked again, for much
 * memory and little time.
 */
static void ask_programs(struct flooder *flooder, uint32_t id)
{
	struct virgl_stream stream = { 0 };
	if (id == FLOODER_BASE)
		put_points(flooder);
	use_new_shaders(&stream, 10 + 2 * (id - FLOODER_BASE));
	virgl_draw(&stream, PRIM_POINTS, 0, 1);
	flooder_put_stream(flooder, &stream);
}

/*
 * Asks for textures once a context has come and gone that has linked as much as it might: what it
 * leaves free must not be lost to the process. The second context is asked for until it is granted,
 * which it is not while others have waited too long for the first.
 */
static void ask_texture_after_programs(struct flooder *flooder, uint32_t id)
{
	if (id < FLOODER_BASE + PROGRAMS_BEFORE) {
		ask_programs(flooder, id);
		return;
	}
	if (id == FLOODER_BASE + PROGRAMS_BEFORE)
		flooder_put_no_context(flooder);
	flooder_put_context(flooder);
	ask_texture(flooder, id);
}

/* ---- what is kept for one command, or for a second ---- */

/*
 * Makes a texture two times as high as the largest transfer that the quota allows, so that one of a
 * row more fits it too.
 */
static void make_staging(struct flooder *flooder)
{
	const struct virtio_gpu_resource_create_3d create = { .resource_id = 500,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8A8,
		.bind = BIND_SAMPLER_VIEW,
		.width = STAGING_SIDE,
		.height = 2 * STAGING_SIDE,
		.depth = 1,
		.array_size = 1 };
	flooder->memory =
		guest_backing_create(flooder->guest, 8u * STAGING_SIDE * STAGING_SIDE, MIB);
	wire_ok(guest_gpu_create_3d(flooder->guest, &create));
	wire_ok(guest_backing_attach(flooder->memory, 500));
	wire_ok(guest_gpu_ctx_attach(flooder->guest, FLOODER_CONTEXT, 500));
}

static void put_transfer(struct flooder *flooder, uint32_t rows)
{
	const struct virtio_gpu_transfer_host_3d transfer = {
		.hdr = { .type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, .ctx_id = FLOODER_CONTEXT },
		.box = { .w = STAGING_SIDE, .h = rows, .d = 1 },
		.resource_id = 500,
	};
	flooder_put(flooder, &transfer, sizeof(transfer));
}

static void ask_more_than_staging(struct flooder *flooder, uint32_t id)
{
	put_transfer(flooder, STAGING_SIDE + 1);
}

static void ask_staging(struct flooder *flooder, uint32_t id)
{
	put_transfer(flooder, STAGING_SIDE);
}

/* Asks for an answer with a fence behind drawing, so that many answers wait at a time. */
static void ask_answers(struct flooder *flooder, uint32_t id)
{
	struct virtio_gpu_cmd_get_edid edid = { .hdr = { .type = VIRTIO_GPU_CMD_GET_EDID,
							.flags = VIRTIO_GPU_FLAG_FENCE } };
	struct virgl_stream stream = { 0 };
	if (id % 32 == 0) {
		virgl_put(&stream, 0); /* nothing, but the GPU's work */
		flooder_put_stream(flooder, &stream);
	}
	flooder_put(flooder, &edid, sizeof(edid));
}

/* Makes a picture of the flooder's own that is on no head; make_picture() puts it on head 1. */
static void make_unseen_picture(struct flooder *flooder)
{
	wire_ok(guest_gpu_create_2d(flooder->guest, 500, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, 64, 64));
}

static void make_picture(struct flooder *flooder)
{
	make_unseen_picture(flooder);
	wire_ok(guest_gpu_set_scanout(flooder->guest, 1, 500, (guest_rect){ 0, 0, 64, 64 }));
}

static void ask_flush(struct flooder *flooder, uint32_t id)
{
	const struct virtio_gpu_resource_flush flush = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH, .r = { 0, 0, 64, 64 }, .resource_id = 500
	};
	flooder_put(flooder, &flush, sizeof(flush));
}

static void ask_cursor(struct flooder *flooder, uint32_t id)
{
	const struct virtio_gpu_update_cursor move = { .hdr.type = VIRTIO_GPU_CMD_MOVE_CURSOR,
		.pos.x = id % SCENE3D_WIDTH };
	flooder_put(flooder, &move, sizeof(move));
}

const struct flood floods[] = {
	{ "contexts", NULL, NULL, ask_context, give_context },
	{ "sub-contexts", NULL, NULL, ask_sub_context },
	{ "objects", NULL, NULL, ask_objects },
	{ "shaders", NULL, NULL, ask_shaders },
	{ "shader-bytes", NULL, NULL, ask_shader_text },
	{ "queries", NULL, make_query_buffer, ask_queries },
	{ "program-bytes", PROGRAM_QUOTAS, make_points, ask_variants },
	{ "compiling", NULL, make_points, ask_variants, .uncached = true },
	{ "code", NULL, make_points, ask_code },
	{ "program-bytes of linked shaders", NULL, make_points, ask_programs },
	{ "texture-bytes after programs", "program-bytes=4G", make_points,
		ask_texture_after_programs, give_resource, .leaves = true },
	{ "resources", NULL, NULL, ask_small, give_resource },
	{ "texture-bytes", NULL, NULL, ask_texture, give_resource, .leaves = true },
	{ "texture-bytes of samples", NULL, NULL, ask_samples, give_resource, .leaves = true },
	{ "texture-bytes of buffers", NULL, NULL, ask_buffer, give_resource, .leaves = true },
	{ "picture-bytes", NULL, NULL, ask_picture, give_resource },
	{ "backing-entries", NULL, make_memory, ask_entries, give_resource, .leaves = true },
	{ "backing-bytes", NULL, make_memory, ask_bytes, give_resource, .leaves = true },
	{ "staging-bytes", "staging-bytes=16M", make_staging, ask_more_than_staging,
		.is_rate = true },
	{ "staging-bytes that fit", "staging-bytes=16M", make_staging, ask_staging, .is_rate = true,
		.is_work = true },
	{ "answer-bytes", "answer-bytes=64K", NULL, ask_answers, .is_rate = true },
	{ "other-bytes", "contexts=1K", NULL, ask_context, give_context },
	{ "flushes", NULL, make_picture, ask_flush, .is_rate = true },
	{ "flushes of no head", NULL, make_unseen_picture, ask_flush, .is_rate = true },
	{ "cursors", NULL, NULL, ask_cursor, .is_rate = true, .on_cursor = true },
};
const unsigned n_floods = G_N_ELEMENTS(floods);
