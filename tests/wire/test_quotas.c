/* SPDX-License-Identifier: MIT */
/*
 * quotas: checks that whatever a guest asks for without end is answered with ERR_OUT_OF_MEMORY at
 * its limit, while another of its contexts goes on, and that once it is given back everything can
 * be had again.
 */
#include <stdio.h>
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/slow.h"
#include "tests/wire/wire.h"

#define NO_MEMORY VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
/* The flood's ids begin here; the scenes' are below. */
#define FLOOD_BASE 1000
/* These are Gallium's B8G8R8A8_UNORM, a 2D texture and a sampler's view. */
#define FORMAT 1
#define TARGET_2D 2
#define BIND_SAMPLER_VIEW 8
#define MIB (1u << 20)

struct flood {
	const char *name;
	const char *quotas;
	/* Asks for one more and returns the answer's type. */
	uint32_t (*ask)(struct guest *guest, uint32_t id);
	void (*give_back)(struct guest *guest, uint32_t id); /* NULL: nothing is kept */
	/* Bound how many are granted before the first refusal, without the scene's own share. */
	unsigned n_min, n_max;
};

/* ---- what is asked for ---- */

static uint32_t ask_context(struct guest *guest, uint32_t id)
{
	return guest_gpu_ctx_create(guest, id, "flood");
}

static void give_context(struct guest *guest, uint32_t id)
{
	wire_ok(guest_gpu_ctx_destroy(guest, id));
}

static uint32_t ask_2d(struct guest *guest, uint32_t id, uint32_t side)
{
	return guest_gpu_create_2d(guest, id, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, side, side);
}

static uint32_t ask_small(struct guest *guest, uint32_t id)
{
	return ask_2d(guest, id, 1);
}

static uint32_t ask_picture(struct guest *guest, uint32_t id)
{
	return ask_2d(guest, id, 512);
}

static void give_resource(struct guest *guest, uint32_t id)
{
	wire_ok(guest_gpu_unref(guest, id));
}

static uint32_t ask_3d(struct guest *guest, uint32_t id, uint32_t width, uint32_t height)
{
	const struct virtio_gpu_resource_create_3d c = { .resource_id = id,
		.target = TARGET_2D,
		.format = FORMAT,
		.bind = BIND_SAMPLER_VIEW,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1 };
	return guest_gpu_create_3d(guest, &c);
}

static uint32_t ask_texture(struct guest *guest, uint32_t id)
{
	return ask_3d(guest, id, 1024, 1024);
}

/* Attaches a backing of n pieces that all name the same memory. */
static uint32_t ask_backing(struct guest *guest, uint32_t id, uint32_t n, uint32_t piece_bytes)
{
	struct guest_backing *memory = guest_backing_create(guest, piece_bytes, 0);
	g_autofree struct virtio_gpu_mem_entry *entries = g_new0(struct virtio_gpu_mem_entry, n);
	for (uint32_t i = 0; i < n; i++)
		entries[i] = memory->entries[0];
	wire_ok(ask_small(guest, id));
	uint32_t type = guest_gpu_attach_entries(guest, id, entries, n);
	guest_backing_free(memory);
	if (type != VIRTIO_GPU_RESP_OK_NODATA)
		wire_ok(guest_gpu_unref(guest, id));
	return type;
}

static uint32_t ask_entries(struct guest *guest, uint32_t id)
{
	return ask_backing(guest, id, 4096, GUEST_PAGE_SIZE);
}

static uint32_t ask_bytes(struct guest *guest, uint32_t id)
{
	return ask_backing(guest, id, 8, MIB);
}

static uint32_t ask_flush(struct guest *guest, uint32_t id)
{
	return guest_gpu_flush(guest, 1, (guest_rect){ 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT });
}

/* Moves the cursor with room for an answer, which Linux does not give. */
static uint32_t ask_cursor(struct guest *guest, uint32_t id)
{
	const struct virtio_gpu_update_cursor c = { .hdr.type = VIRTIO_GPU_CMD_MOVE_CURSOR,
		.pos.x = id };
	struct virtio_gpu_ctrl_hdr answer;
	struct guest_request *request =
		guest_queue_send(guest->cursor, &c, sizeof(c), sizeof(answer));
	g_assert_nonnull(request);
	g_assert_true(guest_queue_wait(guest->cursor, request, guest->timeout_ms));
	g_assert_cmpuint(request->used_bytes, ==, sizeof(answer));
	memcpy(&answer, request->response, sizeof(answer));
	guest_request_free(request);
	return answer.type;
}

/*
 * The numbers granted leave out the scene's one context, three resources of some 50 KB, and their
 * backings. Textures pay for what the scene's draws had compiled, some 20 MiB with llvmpipe.
 */
static const struct flood floods[] = {
	{ "contexts", "contexts=8", ask_context, give_context, 7, 7 },
	{ "other-bytes", "contexts=1K,other-bytes=64M", ask_context, give_context, 18, 20 },
	{ "resources", "resources=256", ask_small, give_resource, 253, 253 },
	{ "picture-bytes", "picture-bytes=16M", ask_picture, give_resource, 14, 16 },
	{ "texture-bytes", "texture-bytes=64M", ask_texture, give_resource, 8, 15 },
	{ "backing-entries", "backing-entries=64K", ask_entries, give_resource, 15, 15 },
	{ "backing-bytes", "backing-bytes=256M", ask_bytes, give_resource, 31, 31 },
	{ "flushes", "flushes=100", ask_flush, NULL, 1, 100 },
	{ "cursors", "cursors=100", ask_cursor, NULL, 100, 100 },
};

/* ---- floods ---- */

static struct desktop *create(const char *quotas)
{
	const struct desktop_options options = {
		.virgl = true, .shape = GUEST_SHAPE_INDIRECT, .quotas = quotas
	};
	return desktop_create(&options);
}

static uint64_t read_limit(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/limits", (int)pid);
	g_autofree char *text = NULL;
	unsigned long long soft = 0, hard = 0;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	const char *line = strstr(text, "Max data size");
	g_assert_nonnull(line);
	g_assert_cmpint(sscanf(line, "Max data size %llu %llu", &soft, &hard), ==, 2);
	g_assert_cmpuint(soft, ==, hard);
	return soft;
}

/*
 * The limit is the sum of textures, pictures and 1 GiB, and textures once more; many threads or a
 * sanitizer get somewhat more.
 */
static void test_memory_limit(void)
{
	struct desktop *desktop = create("texture-bytes=2G,picture-bytes=512M");
	uint64_t limit = read_limit(desktop_renderer(desktop));
	g_test_message("%" G_GUINT64_FORMAT " bytes", limit);
	if (g_str_equal(g_getenv("WIRE_SLOW"), "1"))
		g_assert_cmpuint(limit, ==, (5632ull * MIB));
	else
		g_assert_cmpuint(limit, >=, (5632ull * MIB));
	g_assert_true(scene3d_run(desktop->guest, 50, 3));
	desktop_destroy(desktop);
}

static void draw(struct desktop *desktop, struct scene3d *scene, uint32_t seed)
{
	const guest_rect all = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };
	uint32_t pixels[SCENE3D_WIDTH * SCENE3D_HEIGHT];
	wire_ok(scene3d_draw(scene, seed));
	wire_ok(guest_gpu_flush(desktop->guest, scene->base, all));
	scene3d_expect(seed, false, pixels);
	g_assert_true(scene3d_check(scene, seed));
	g_assert_true(desktop_shows(desktop, 0, pixels, SCENE3D_WIDTH, SCENE3D_HEIGHT));
}

static unsigned ask_until_refused(struct guest *guest, const struct flood *flood)
{
	unsigned n = 0;
	uint32_t type;
	while ((type = flood->ask(guest, FLOOD_BASE + n)) == VIRTIO_GPU_RESP_OK_NODATA)
		g_assert_cmpuint(++n, <=, flood->n_max);
	g_assert_cmphex(type, ==, NO_MEMORY);
	for (unsigned again = 0; again < 50; again++)
		g_assert_cmphex(flood->ask(guest, FLOOD_BASE + n), ==, NO_MEMORY);
	g_test_message("%s: %u granted", flood->name, n);
	return n;
}

static void test_flood(gconstpointer data)
{
	const struct flood *flood = data;
	struct desktop *desktop = create(flood->quotas);
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	struct scene3d *scene = scene3d_create(guest, 1, false);
	wire_ok(guest_gpu_set_scanout(
		guest, 0, 1, (guest_rect){ 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT }));
	draw(desktop, scene, 1);
	unsigned n = ask_until_refused(guest, flood);
	g_assert_cmpuint(n, >=, flood->n_min);
	if (!flood->give_back)
		g_usleep(G_USEC_PER_SEC * 11 / 10);
	draw(desktop, scene, 2);
	for (unsigned i = 0; i < n && flood->give_back; i++)
		flood->give_back(guest, FLOOD_BASE + i);
	g_assert_true(scene3d_run(guest, 50, 3));
	/* More may have been compiled meanwhile. */
	if (flood->give_back) {
		unsigned again = ask_until_refused(guest, flood);
		g_assert_cmpuint(again, >=, flood->n_min);
		/* A GPU's driver gives memory of its own back meanwhile. */
		g_assert_cmpuint(again, <=, picture_is_drawn() ? n : flood->n_max);
	}
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	scene3d_destroy(scene, false);
	desktop_destroy(desktop);
}

/* ---- what is made inside a stream ---- */

/* This is VIRGL_CCMD_CREATE_SUB_CTX of virgl_protocol.h. */
#define CREATE_SUB_CTX 29
#define PROGRAM 900

static void put_sub_context(struct virgl_stream *stream, uint32_t id)
{
	virgl_put_header(stream, CREATE_SUB_CTX, 0, 1);
	virgl_put(stream, id);
}

static void put_shader(struct virgl_stream *stream, uint32_t handle)
{
	virgl_create_shader(stream, handle, VIRGL_SHADER_FRAGMENT,
		"FRAG\nDCL OUT[0], COLOR\nIMM[0] FLT32 {0, 0, 0, 0}\n"
		"0: MOV OUT[0], IMM[0]\n1: END\n");
}

static const struct made {
	const char *name, *quotas;
	void (*put)(struct virgl_stream *stream, uint32_t handle);
	unsigned max;
} made[] = {
	{ "sub-contexts", "sub-contexts=2", put_sub_context, 2 },
	{ "objects", "objects=1K", virgl_create_rasterizer, 1024 },
	{ "shaders", "shaders=256", put_shader, 256 },
	{ "all-objects", "objects=1M,other-bytes=64M", virgl_create_rasterizer, 32768 },
};

static uint32_t make_one(struct guest *guest, const struct made *row, uint32_t handle)
{
	struct virgl_stream stream = { 0 };
	row->put(&stream, handle);
	uint32_t type = guest_gpu_submit(guest, PROGRAM, stream.words, virgl_stream_bytes(&stream));
	virgl_stream_finish(&stream);
	return type;
}

/* A program that asks for too much is lost, as its driver no longer knows what there is. */
static void test_made(gconstpointer data)
{
	const struct made *row = data;
	struct desktop *desktop = create(row->quotas);
	struct guest *guest = desktop->guest;
	struct scene3d *scene = scene3d_create(guest, 1, false);
	uint32_t type;
	unsigned n = 0;
	wire_ok(guest_gpu_set_scanout(
		guest, 0, 1, (guest_rect){ 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT }));
	wire_ok(guest_gpu_ctx_create(guest, PROGRAM, "flood"));
	while ((type = make_one(guest, row, 1 + n)) == VIRTIO_GPU_RESP_OK_NODATA)
		g_assert_cmpuint(++n, <=, row->max);
	g_assert_cmphex(type, ==, NO_MEMORY);
	g_assert_cmpuint(n, >, row->max / 2);
	wire_check(make_one(guest, row, 1), VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID);
	draw(desktop, scene, 2);
	wire_ok(guest_gpu_ctx_destroy(guest, PROGRAM));
	wire_ok(guest_gpu_ctx_create(guest, PROGRAM, "again"));
	for (unsigned i = 0; i < n; i++)
		wire_ok(make_one(guest, row, 1 + i));
	wire_ok(guest_gpu_ctx_destroy(guest, PROGRAM));
	g_assert_true(scene3d_run(guest, 50, 3));
	scene3d_destroy(scene, false);
	desktop_destroy(desktop);
}

/* ---- others ---- */

/* A transfer of exactly the quota's size is done, and one of a row more refused. */
static void test_staging(void)
{
	struct desktop *desktop = create("staging-bytes=16M");
	struct guest *guest = desktop->guest;
	const uint32_t width = 1024, rows = 16 * MIB / 4 / width;
	struct guest_backing *backing =
		guest_backing_create(guest, (rows + 1) * width * 4, GUEST_PAGE_SIZE);
	const struct virtio_gpu_box fits = { .w = width, .h = rows, .d = 1 };
	const struct virtio_gpu_box large = { .w = width, .h = rows + 1, .d = 1 };
	const uint32_t types[] = { VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D,
		VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D };
	wire_ok(guest_gpu_ctx_create(guest, 1, "staging"));
	wire_ok(ask_3d(guest, 2, width, rows + 1));
	wire_ok(guest_backing_attach(backing, 2));
	wire_ok(guest_gpu_ctx_attach(guest, 1, 2));
	for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
		wire_ok(guest_gpu_transfer_3d(guest, types[i], 1, 2, fits, 0, 0));
		wire_check(guest_gpu_transfer_3d(guest, types[i], 1, 2, large, 0, 0), NO_MEMORY);
	}
	g_assert_true(scene3d_run(guest, 50, 3));
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

/*
 * 64 KiB hold 62 EDIDs, so the rest are refused. All that wait for the GPU get their fence in the
 * end.
 */
static void test_answers(void)
{
	enum { N = 80 };
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create("answer-bytes=64K");
	struct guest *guest = desktop->guest;
	struct slow *slow = slow_create(guest, 50, 0);
	struct guest_request *requests[N];
	const struct virtio_gpu_cmd_get_edid edid = { .hdr.type = VIRTIO_GPU_CMD_GET_EDID };
	slow_calibrate(slow, G_USEC_PER_SEC / 2);
	struct guest_request *job = slow_send(slow, 1);
	for (unsigned i = 0; i < N; i++)
		requests[i] = guest_gpu_send_fenced(guest, &edid, sizeof(edid), 2 + i);
	wire_ok(guest_gpu_finish_fenced(guest, job, 1));
	for (unsigned i = 0; i < N; i++)
		wire_check(guest_gpu_finish_fenced(guest, requests[i], 2 + i),
			i < 65536 / sizeof(struct virtio_gpu_resp_edid) ? VIRTIO_GPU_RESP_OK_EDID :
									  NO_MEMORY);
	wire_check(guest_gpu_finish_fenced(
			   guest, guest_gpu_send_fenced(guest, &edid, sizeof(edid), 999), 999),
		VIRTIO_GPU_RESP_OK_EDID);
	slow_destroy(slow);
	g_assert_true(scene3d_run(guest, 1, 3));
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(floods); i++) {
		g_autofree char *path = g_strdup_printf("/quotas/%s", floods[i].name);
		g_test_add_data_func(path, &floods[i], test_flood);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(made); i++) {
		g_autofree char *path = g_strdup_printf("/quotas/made/%s", made[i].name);
		g_test_add_data_func(path, &made[i], test_made);
	}
	g_test_add_func("/quotas/memory-limit", test_memory_limit);
	g_test_add_func("/quotas/staging-bytes", test_staging);
	g_test_add_func("/quotas/answer-bytes", test_answers);
	return g_test_run();
}
