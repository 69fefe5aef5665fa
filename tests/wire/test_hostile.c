/* SPDX-License-Identifier: MIT */
/*
 * hostile: sends what no driver sends, but a program in the guest that means harm or is broken. Its
 * context is lost, what GL leaves undefined has no effect, the same renderer lives on and others
 * draw. Each row is one member of its kind; all of them are in tests/unit/render/stream.
 */
#include <string.h>

#include "tests/wire/figures.h"
#include "tests/wire/hostile_rows.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

static const char *const VERTEX_TEXT = "VERT\nDCL IN[0]\nDCL IN[1]\nDCL OUT[0], POSITION\n"
				       "DCL OUT[1], GENERIC[0]\n"
				       "  0: MOV OUT[0], IN[0]\n  1: MOV OUT[1], IN[1]\n  2: END\n";
static const char *const COLOR_TEXT = "FRAG\nDCL IN[0], GENERIC[0], PERSPECTIVE\n"
				      "DCL OUT[0], COLOR\n  0: MOV OUT[0], IN[0]\n  1: END\n";

struct stage {
	struct desktop *desktop;
	struct guest *guest;
	struct guest_backing *pixels;
	pid_t renderer;
	uint32_t context; /* of the program that is next */
	uint64_t refused;
};

/* ---- a program ---- */

static void make_resource(struct stage *stage, uint32_t id, uint32_t target, uint32_t format,
	uint32_t bind, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_3d create = { .resource_id = id,
		.target = target,
		.format = format,
		.bind = bind,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1 };
	wire_ok(guest_gpu_create_3d(stage->guest, &create));
}

static uint32_t send(struct stage *stage, struct virgl_stream *stream)
{
	uint32_t answer = guest_gpu_submit(
		stage->guest, stage->context, stream->words, virgl_stream_bytes(stream));
	virgl_stream_finish(stream);
	return answer;
}

static void put_quad(struct virgl_stream *s, uint32_t resource)
{
	static const float vertices[4][8] = {
		{ -1, -1, 0, 1, 1, 0, 0, 1 },
		{ 1, -1, 0, 1, 1, 0, 0, 1 },
		{ -1, 1, 0, 1, 1, 0, 0, 1 },
		{ 1, 1, 0, 1, 1, 0, 0, 1 },
	};
	struct virgl_box box = { 0, 0, 0, sizeof(vertices), 1, 1 };
	virgl_inline_write(s, resource, box, vertices, sizeof(vertices), 0);
	virgl_set_vertex_buffer(s, resource, sizeof(vertices[0]), 0);
}

static void make_objects(struct stage *stage)
{
	struct virgl_stream s = { 0 };
	virgl_create_surface(&s, SURFACE, stage->context + TARGET, VIRGL_FORMAT_B8G8R8A8);
	virgl_create_shader(&s, VERTEX_SHADER, VIRGL_SHADER_VERTEX, VERTEX_TEXT);
	virgl_create_shader(&s, COLOR_SHADER, VIRGL_SHADER_FRAGMENT, COLOR_TEXT);
	virgl_put_header(&s, CREATE_OBJECT, OBJECT_QUERY, 4);
	virgl_put(&s, QUERY);
	virgl_put(&s, 0);
	virgl_put(&s, 0);
	virgl_put(&s, stage->context + CUSTOM);
	virgl_set_framebuffer(&s, SURFACE);
	virgl_set_viewport(&s, SIDE, SIDE);
	virgl_use_plain_state(&s, BLEND, DSA, RASTERIZER, ELEMENTS);
	virgl_bind_shader(&s, VERTEX_SHADER, VIRGL_SHADER_VERTEX);
	virgl_bind_shader(&s, COLOR_SHADER, VIRGL_SHADER_FRAGMENT);
	put_quad(&s, stage->context + QUAD);
	wire_ok(send(stage, &s));
}

static void begin_program(struct stage *stage)
{
	uint32_t base = stage->context += IDS_EACH;
	wire_ok(guest_gpu_ctx_create(stage->guest, base, "hostile"));
	make_resource(stage, base + TARGET, VIRGL_TARGET_TEXTURE_2D, VIRGL_FORMAT_B8G8R8A8,
		VIRGL_BIND_RENDER_TARGET, SIDE, SIDE);
	make_resource(stage, base + QUAD, VIRGL_TARGET_BUFFER, VIRGL_FORMAT_R8,
		VIRGL_BIND_VERTEX_BUFFER, BUFFER_BYTES, 1);
	make_resource(stage, base + CUSTOM, VIRGL_TARGET_BUFFER, VIRGL_FORMAT_R8, BIND_CUSTOM,
		BUFFER_BYTES, 1);
	wire_ok(guest_backing_attach(stage->pixels, base + TARGET));
	for (uint32_t i = TARGET; i < RESOURCES; i++)
		wire_ok(guest_gpu_ctx_attach(stage->guest, base, base + i));
	make_objects(stage);
}

static void end_program(struct stage *stage)
{
	wire_ok(guest_gpu_ctx_destroy(stage->guest, stage->context));
	for (uint32_t i = TARGET; i < RESOURCES; i++)
		guest_gpu_unref(stage->guest, stage->context + i);
}

static void put_clear(struct virgl_stream *s)
{
	virgl_clear(s, (const float[]){ 0, 0, 1, 1 });
}

/* Reads the target back and returns its first pixel. */
static uint32_t look(struct stage *stage)
{
	struct virtio_gpu_box box = { .w = SIDE, .h = SIDE, .d = 1 };
	uint32_t pixel = 0;
	wire_ok(guest_gpu_transfer_3d(stage->guest, VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D,
		stage->context, stage->context + TARGET, box, 0, 0));
	guest_backing_read(stage->pixels, 0, &pixel, sizeof(pixel));
	return pixel;
}

/* ---- the stage ---- */

static struct stage *create(void)
{
	struct desktop_options options = { .virgl = true, .layout = GUEST_MEMORY_SPREAD };
	struct stage *stage = g_new0(struct stage, 1);
	stage->desktop = desktop_create(&options);
	stage->guest = stage->desktop->guest;
	stage->renderer = desktop_renderer(stage->desktop);
	stage->pixels =
		guest_backing_create(stage->guest, (size_t)SIDE * SIDE * 4, GUEST_PAGE_SIZE);
	stage->context = 100;
	make_resource(stage, OTHER_ID, VIRGL_TARGET_TEXTURE_2D, VIRGL_FORMAT_B8G8R8A8,
		VIRGL_BIND_RENDER_TARGET, SIDE, SIDE);
	return stage;
}

/* Checks that what happened to the programs has happened to nobody else, and ends the stage. */
static void finish(struct stage *stage)
{
	g_auto(GStrv) lines = figures_ask(stage->desktop, NULL);
	g_assert_cmpuint(figures_find(lines, "guest commands_refused"), ==, stage->refused);
	g_assert_cmpuint(figures_find(lines, "guest commands_failed"), ==, 0);
	g_assert_cmpuint(backend_count_log(stage->guest->backend, "(hostile) is lost: "), ==,
		stage->refused);
	g_assert_true(scene3d_run(stage->guest, 1000, 1));
	g_assert_cmpint(desktop_renderer(stage->desktop), ==, stage->renderer);
	guest_backing_free(stage->pixels);
	desktop_destroy(stage->desktop);
	g_free(stage);
}

/* ---- what is refused ---- */

static void put_row(struct virgl_stream *s, const struct row *row, uint32_t base)
{
	uint32_t bytes = row->text ? (uint32_t)strlen(row->text) + 1 : 0;
	uint32_t text[128] = { 0 };
	g_assert_cmpuint(bytes, <=, sizeof(text));
	memcpy(text, row->text ? row->text : "", bytes);
	virgl_put_header(s, row->command, row->object, row->n_words + (bytes + 3) / 4);
	for (uint32_t i = 0; i < row->n_words; i++) {
		bool is_id = (row->words[i] & 0xfff00000) == IS_RES;
		virgl_put(s, is_id ? base + (row->words[i] & 0xfffff) : row->words[i]);
	}
	for (uint32_t i = 0; i < (bytes + 3) / 4; i++)
		virgl_put(s, text[i]);
}

/*
 * Sends the row between two drawings: the one before is done, the row is refused, and then nothing
 * of this program is done any more.
 */
static void refuse(struct stage *stage, const struct row *row)
{
	struct virgl_stream before = { 0 }, bad = { 0 }, after = { 0 };
	g_test_message("%s", row->name);
	begin_program(stage);
	put_clear(&before);
	virgl_draw(&before, VIRGL_PRIM_TRIANGLE_STRIP, 0, 4);
	wire_ok(send(stage, &before));
	put_clear(&bad);
	put_row(&bad, row, stage->context);
	virgl_draw(&bad, VIRGL_PRIM_TRIANGLE_STRIP, 0, 4);
	wire_check(send(stage, &bad), VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	wire_pixel(look(stage), PIXEL_CLEAR);
	virgl_draw(&after, VIRGL_PRIM_TRIANGLE_STRIP, 0, 4);
	wire_check(send(stage, &after), VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID);
	wire_pixel(look(stage), PIXEL_CLEAR);
	stage->refused++;
	end_program(stage);
}

struct kind {
	const char *name;
	const struct row *rows;
	unsigned n_rows;
};

static void test_refused(gconstpointer data)
{
	const struct kind *kind = data;
	struct stage *stage = create();
	for (unsigned i = 0; i < kind->n_rows; i++)
		refuse(stage, &kind->rows[i]);
	finish(stage);
}

/*
 * One line in the log says whose command it was and what is wrong with it; what comes after it says
 * nothing.
 */
static void test_log(void)
{
	struct stage *stage = create();
	refuse(stage, &slots[0]);
	g_assert_cmpuint(backend_count_log(stage->guest->backend,
				 "context 110 (hostile) is lost: SET_UNIFORM_BUFFER: index 32 is "
				 "too large (limit 31)"),
		==, 1);
	finish(stage);
}

/* ---- what has no effect ---- */

static uint32_t clear_and_draw(struct stage *stage, const struct row *row)
{
	struct virgl_stream s = { 0 };
	put_clear(&s);
	if (row)
		put_row(&s, row, stage->context);
	virgl_draw(&s, VIRGL_PRIM_TRIANGLE_STRIP, 0, 4);
	wire_ok(send(stage, &s));
	return look(stage);
}

/* A program may say these, as GL leaves open what comes of them. */
static void test_without_effect(void)
{
	static const struct row rows[] = {
		{ "no vertex buffer", SET_VERTEX_BUFFERS, 0, 0, { 0 }, NULL },
		ROW("an empty slot", SET_VERTEX_BUFFERS, 0, 32, 0, 0),
		ROW("vertices behind their buffer", SET_VERTEX_BUFFERS, 0, 32, 1 << 30, RES(QUAD)),
	};
	struct stage *stage = create();
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("%s", rows[i].name);
		begin_program(stage);
		wire_pixel(clear_and_draw(stage, NULL), PIXEL_DRAWN);
		wire_pixel(clear_and_draw(stage, &rows[i]), PIXEL_CLEAR);
		end_program(stage);
	}
	finish(stage);
}

/* These are where numbers stand in the buffer, and how many bytes one command of GL's has. */
enum { INDICES = 2048, COMMANDS = 3072, COMMAND_BYTES = 20 };

static void put_numbers(struct stage *stage)
{
	static const uint32_t indices[] = { 0, 1, 2, 3, 60000, 59000, 58000, 57000 };
	static const uint32_t commands[][5] = { { 4, 1, INDICES / 4, 0, 0 },
		{ 4, 1, 1 << 28, 0, 0 }, { 4, 1, BUFFER_BYTES / 4 - 3, 0, 0 } };
	struct virgl_stream s = { 0 };
	virgl_inline_write(&s, stage->context + QUAD,
		(struct virgl_box){ INDICES, 0, 0, sizeof(indices), 1, 1 }, indices,
		sizeof(indices), 0);
	virgl_inline_write(&s, stage->context + QUAD,
		(struct virgl_box){ COMMANDS, 0, 0, sizeof(commands), 1, 1 }, commands,
		sizeof(commands), 0);
	wire_ok(send(stage, &s));
}

#define STRIP VIRGL_PRIM_TRIANGLE_STRIP
#define BY_COMMANDS(name, first, n)                                                                \
	ROW(name, DRAW_VBO, 0, 0, 0, STRIP, 1, 1, 0, 0, 1, UINT32_MAX, 0, UINT32_MAX, 0, 0, 0,     \
		RES(QUAD), COMMANDS + (first)*COMMAND_BYTES, COMMAND_BYTES, n, 0, 0)

/* Indices lie in a buffer, and how many are drawn in another, where the checker does not look. */
static void test_numbers_in_buffers(void)
{
	static const struct {
		uint32_t index_offset, pixel;
		struct row row;
	} draws[] = {
		{ INDICES, PIXEL_DRAWN,
			ROW("indices in their range", DRAW_VBO, 0, 0, 4, STRIP, 1, 0, 0, 0, 0, 0, 0,
				3, 0) },
		{ INDICES, PIXEL_DRAWN,
			ROW("a range that is too small", DRAW_VBO, 0, 0, 4, STRIP, 1, 0, 0, 0, 0, 0,
				0, 1, 0) },
		{ INDICES + 16, PIXEL_CLEAR,
			ROW("indices far outside", DRAW_VBO, 0, 0, 4, STRIP, 1, 0, 0, 0, 0, 0, 0, 1,
				0) },
		{ 0, PIXEL_DRAWN, BY_COMMANDS("a command", 0, 1) },
		{ 0, PIXEL_CLEAR, BY_COMMANDS("indices far behind the buffer", 1, 1) },
		{ 0, PIXEL_CLEAR, BY_COMMANDS("one index behind the buffer", 2, 1) },
		{ 0, PIXEL_CLEAR, BY_COMMANDS("a command and another", 0, 2) },
	};
	struct stage *stage = create();
	begin_program(stage);
	put_numbers(stage);
	for (unsigned i = 0; i < G_N_ELEMENTS(draws); i++) {
		const struct row indices =
			ROW("", SET_INDEX_BUFFER, 0, RES(QUAD), 4, draws[i].index_offset);
		struct virgl_stream s = { 0 };
		g_test_message("%s", draws[i].row.name);
		put_clear(&s);
		put_row(&s, &indices, stage->context);
		put_row(&s, &draws[i].row, stage->context);
		wire_ok(send(stage, &s));
		wire_pixel(look(stage), draws[i].pixel);
	}
	end_program(stage);
	finish(stage);
}

/* A buffer bound past its end is cut to what there is, and the program goes on. */
static void test_cut_ranges(void)
{
	static const struct row rows[] = {
		ROW("uniforms", SET_UNIFORM_BUFFER, 0, 0, 1, 4000, UINT32_MAX, RES(QUAD)),
		ROW("shader buffers", SET_SHADER_BUFFERS, 0, 1, 0, 1 << 30, 1 << 30, RES(QUAD)),
		ROW("atomic buffers", SET_ATOMIC_BUFFERS, 0, 0, 4096, 1, RES(QUAD)),
	};
	struct stage *stage = create();
	begin_program(stage);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("%s", rows[i].name);
		wire_pixel(clear_and_draw(stage, &rows[i]), PIXEL_DRAWN);
	}
	end_program(stage);
	finish(stage);
}

/*
 * When a buffer that a slot names is destroyed the slot is empty, and a new buffer with its id is
 * another.
 */
static void test_destroyed_while_bound(void)
{
	static const struct row uniform =
		ROW("uniforms", SET_UNIFORM_BUFFER, 0, 0, 1, 0, 64, RES(QUAD));
	struct stage *stage = create();
	begin_program(stage);
	wire_pixel(clear_and_draw(stage, &uniform), PIXEL_DRAWN);
	wire_ok(guest_gpu_unref(stage->guest, stage->context + QUAD));
	wire_pixel(clear_and_draw(stage, NULL), PIXEL_CLEAR);
	make_resource(stage, stage->context + QUAD, VIRGL_TARGET_BUFFER, VIRGL_FORMAT_R8,
		VIRGL_BIND_VERTEX_BUFFER, BUFFER_BYTES, 1);
	wire_pixel(clear_and_draw(stage, NULL), PIXEL_CLEAR);
	wire_ok(guest_gpu_ctx_attach(stage->guest, stage->context, stage->context + QUAD));
	struct virgl_stream s = { 0 };
	put_quad(&s, stage->context + QUAD);
	wire_ok(send(stage, &s));
	wire_pixel(clear_and_draw(stage, NULL), PIXEL_DRAWN);
	end_program(stage);
	finish(stage);
}

/* A buffer has as many bytes as it is wide, however many bytes a pixel of its format has. */
static void test_wide_pixels(void)
{
	enum { PIXEL_BYTES = 16 };
	uint8_t bytes[SIDE * PIXEL_BYTES], expected[sizeof(bytes)];
	struct stage *stage = create();
	begin_program(stage);
	uint32_t id = stage->context + RESOURCES;
	make_resource(stage, id, VIRGL_TARGET_BUFFER, VIRGL_FORMAT_R32G32B32A32_FLOAT, 0, SIDE, 1);
	wire_ok(guest_gpu_ctx_attach(stage->guest, stage->context, id));
	wire_ok(guest_backing_attach(stage->pixels, id));
	memset(expected, 0xa5, sizeof(expected));
	guest_backing_write(stage->pixels, 0, expected, sizeof(expected));
	struct virtio_gpu_box box = { .w = SIDE, .h = 1, .d = 1 };
	wire_ok(guest_gpu_transfer_3d(
		stage->guest, VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, stage->context, id, box, 0, 0));
	guest_backing_read(stage->pixels, 0, bytes, sizeof(bytes));
	g_assert_cmpmem(bytes + SIDE, sizeof(bytes) - SIDE, expected + SIDE, sizeof(bytes) - SIDE);
	wire_ok(guest_gpu_unref(stage->guest, id));
	end_program(stage);
	finish(stage);
}

/*
 * virglrenderer reads one layer back where several are asked for. What the guest gets of the others
 * is nothing, and not what the renderer had in its memory.
 */
static void test_layers_read_back(void)
{
	enum { WIDTH = 64, LAYERS = 4, LAYER_BYTES = WIDTH * WIDTH * 4 };
	static uint8_t bytes[LAYERS * LAYER_BYTES];
	/* Memory that is allocated and not filled has something in it (mallopt(3)). */
	g_setenv("MALLOC_PERTURB_", "1", TRUE);
	struct stage *stage = create();
	g_unsetenv("MALLOC_PERTURB_");
	begin_program(stage);
	struct guest_backing *backing =
		guest_backing_create(stage->guest, sizeof(bytes), GUEST_PAGE_SIZE);
	struct virtio_gpu_resource_create_3d create = { .resource_id = stage->context + RESOURCES,
		.target = VIRGL_TARGET_TEXTURE_2D_ARRAY,
		.format = VIRGL_FORMAT_B8G8R8A8,
		.bind = VIRGL_BIND_RENDER_TARGET,
		.width = WIDTH,
		.height = WIDTH,
		.depth = 1,
		.array_size = LAYERS };
	wire_ok(guest_gpu_create_3d(stage->guest, &create));
	wire_ok(guest_backing_attach(backing, create.resource_id));
	memset(bytes, 0xa5, sizeof(bytes));
	guest_backing_write(backing, 0, bytes, sizeof(bytes));
	struct virtio_gpu_box box = { .w = WIDTH, .h = WIDTH, .d = LAYERS };
	wire_ok(guest_gpu_transfer_3d(stage->guest, VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, 0,
		create.resource_id, box, 0, 0));
	guest_backing_read(backing, 0, bytes, sizeof(bytes));
	for (unsigned i = LAYER_BYTES; i < sizeof(bytes); i++)
		g_assert_cmphex(bytes[i], ==, 0);
	wire_ok(guest_gpu_unref(stage->guest, create.resource_id));
	guest_backing_free(backing);
	end_program(stage);
	finish(stage);
}

/* What GL does not have is left out, and the program's context goes on. */
static void test_lacking_in_gl(void)
{
	struct virgl_stream s = { 0 };
	g_setenv("MESA_GL_VERSION_OVERRIDE", "4.3", TRUE);
	g_setenv("MESA_EXTENSION_OVERRIDE", "-GL_ARB_clear_texture", TRUE);
	struct stage *stage = create();
	g_unsetenv("MESA_GL_VERSION_OVERRIDE");
	g_unsetenv("MESA_EXTENSION_OVERRIDE");
	begin_program(stage);
	virgl_put_header(&s, CLEAR_TEXTURE, 0, 12);
	virgl_put(&s, stage->context + TARGET);
	for (unsigned i = 0; i < 4; i++)
		virgl_put(&s, 0); /* the level, and where */
	virgl_put(&s, SIDE);
	virgl_put(&s, SIDE);
	virgl_put(&s, 1);
	for (unsigned i = 0; i < 4; i++)
		virgl_put(&s, UINT32_MAX);
	wire_ok(send(stage, &s));
	wire_pixel(clear_and_draw(stage, NULL), PIXEL_DRAWN);
	end_program(stage);
	finish(stage);
}

#define KIND(name, rows)                                                                           \
	{                                                                                          \
		"/hostile/" name, rows, G_N_ELEMENTS(rows)                                         \
	}

int main(int argc, char **argv)
{
	static const struct kind kinds[] = {
		KIND("slots", slots),
		KIND("ranges", ranges),
		KIND("handles", handles),
		KIND("resources", resources),
		KIND("addresses", addresses),
		KIND("texts", texts),
	};
	wire_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		g_test_add_data_func(kinds[i].name, &kinds[i], test_refused);
	g_test_add_func("/hostile/log", test_log);
	g_test_add_func("/hostile/without-effect", test_without_effect);
	g_test_add_func("/hostile/numbers-in-buffers", test_numbers_in_buffers);
	g_test_add_func("/hostile/cut-ranges", test_cut_ranges);
	g_test_add_func("/hostile/destroyed-while-bound", test_destroyed_while_bound);
	g_test_add_func("/hostile/wide-pixels", test_wide_pixels);
	g_test_add_func("/hostile/layers-read-back", test_layers_read_back);
	g_test_add_func("/hostile/lacking-in-gl", test_lacking_in_gl);
	return g_test_run();
}
