/* SPDX-License-Identifier: MIT */
#include "tests/wire/scene3d.h"

#include <glib.h>
#include <string.h>

#include "tests/wire/picture.h"

#define TEXTURE_SIZE 16
#define VERTICES_MAX 32

/* These are the handles of the context's objects. */
enum {
	SURFACE = 1,
	VERTEX_SHADER,
	COLOR_SHADER,
	TEXTURE_SHADER,
	BLEND_OFF,
	BLEND_ADD,
	DSA,
	RASTERIZER,
	ELEMENTS,
	SAMPLER,
	SAMPLER_VIEW,
};

static const char *const VERTEX_TEXT = "VERT\n"
				       "DCL IN[0]\n"
				       "DCL IN[1]\n"
				       "DCL OUT[0], POSITION\n"
				       "DCL OUT[1], GENERIC[0]\n"
				       "  0: MOV OUT[0], IN[0]\n"
				       "  1: MOV OUT[1], IN[1]\n"
				       "  2: END\n";

static const char *const COLOR_TEXT = "FRAG\n"
				      "DCL IN[0], GENERIC[0], PERSPECTIVE\n"
				      "DCL OUT[0], COLOR\n"
				      "  0: MOV OUT[0], IN[0]\n"
				      "  1: END\n";

static const char *const TEXTURE_TEXT = "FRAG\n"
					"DCL IN[0], GENERIC[0], PERSPECTIVE\n"
					"DCL OUT[0], COLOR\n"
					"DCL SAMP[0]\n"
					"DCL SVIEW[0], 2D, FLOAT\n"
					"DCL TEMP[0]\n"
					"  0: TEX TEMP[0], IN[0], SAMP[0], 2D\n"
					"  1: MOV OUT[0], TEMP[0]\n"
					"  2: END\n";

struct vertex {
	float position[4];
	float attribute[4];
};

/* These are the pixel coordinates of the scene's parts. */
static const struct virgl_box GRADIENT = { 80, 8, 0, 40, 32, 1 };
static const struct virgl_box TEXTURED = { 16, 56, 0, 32, 32, 1 };
static const struct virgl_box ADDED = { 40, 40, 0, 56, 40, 1 };
static const struct virgl_box BLITTED = { 104, 76, 0, TEXTURE_SIZE, TEXTURE_SIZE, 1 };
static const struct virgl_box COPIED = { 2, 78, 0, 8, 8, 1 };

static uint32_t background(uint32_t seed)
{
	return 0xff000000 | (0x204060 ^ (seed * 0x010305 & 0x1f1f1f));
}

static uint32_t texel(uint32_t seed, uint32_t x, uint32_t y)
{
	return 0xff000000 | (x * 16 + 3) << 16 | (y * 15 + 7) << 8 | ((x ^ y ^ seed) & 15) * 16;
}

static uint32_t gradient(uint32_t seed, uint32_t x, uint32_t y)
{
	return 0xff000000 | (x * 6) << 16 | (y * 7) << 8 | (0x33 + seed % 8);
}

static uint32_t add(uint32_t a, uint32_t b)
{
	uint32_t sum = 0;
	for (int shift = 0; shift < 32; shift += 8)
		sum |= MIN(255, (a >> shift & 255) + (b >> shift & 255)) << shift;
	return sum;
}

static const uint32_t TRIANGLE_COLOR = 0xffff0000;
static const uint32_t ADDED_COLOR = 0x00103050;

void scene3d_expect(uint32_t seed, bool y_0_top, uint32_t *pixels)
{
	for (uint32_t y = 0; y < SCENE3D_HEIGHT; y++) {
		for (uint32_t x = 0; x < SCENE3D_WIDTH; x++) {
			uint32_t p = background(seed);
			if (x >= 8 && y >= 8 && x + y + 1 <= 80)
				p = TRIANGLE_COLOR;
			if (x - GRADIENT.x < GRADIENT.width && y - GRADIENT.y < GRADIENT.height)
				p = gradient(seed, x - GRADIENT.x, y - GRADIENT.y);
			if (x - TEXTURED.x < TEXTURED.width && y - TEXTURED.y < TEXTURED.height)
				p = texel(seed, (x - TEXTURED.x) / 2, (y - TEXTURED.y) / 2);
			if (x - ADDED.x < ADDED.width && y - ADDED.y < ADDED.height)
				p = add(p, ADDED_COLOR);
			if (x - BLITTED.x < BLITTED.width && y - BLITTED.y < BLITTED.height)
				p = texel(seed, x - BLITTED.x, y - BLITTED.y);
			if (x - COPIED.x < COPIED.width && y - COPIED.y < COPIED.height)
				p = texel(seed, 4 + x - COPIED.x, 5 + y - COPIED.y);
			pixels[(y_0_top ? SCENE3D_HEIGHT - 1 - y : y) * SCENE3D_WIDTH + x] = p;
		}
	}
}

static struct vertex make_vertex(float x, float y, const float attribute[4])
{
	struct vertex v = { 0 };
	v.position[0] = 2 * x / SCENE3D_WIDTH - 1;
	v.position[1] = 2 * y / SCENE3D_HEIGHT - 1;
	v.position[3] = 1;
	memcpy(v.attribute, attribute, sizeof(v.attribute));
	return v;
}

static void color_of(uint32_t pixel, float rgba[4])
{
	rgba[0] = (float)(pixel >> 16 & 255) / 255;
	rgba[1] = (float)(pixel >> 8 & 255) / 255;
	rgba[2] = (float)(pixel & 255) / 255;
	rgba[3] = (float)(pixel >> 24) / 255;
}

/*
 * Writes a strip of four vertices. The attribute runs linearly from `low` at the box's first to
 * `high` at its last corner, in x (component 0) and y (component 1).
 */
static unsigned put_box(
	struct vertex *v, const struct virgl_box *b, const float low[4], const float high[4])
{
	for (unsigned i = 0; i < 4; i++) {
		bool right = i & 1, down = i & 2;
		float attribute[4] = { right ? high[0] : low[0], down ? high[1] : low[1], low[2],
			low[3] };
		v[i] = make_vertex((float)(b->x + (right ? b->width : 0)),
			(float)(b->y + (down ? b->height : 0)), attribute);
	}
	return 4;
}

/*
 * Writes the vertices in the order they are drawn: triangle at 0, gradient at 3, texture at 7,
 * added at 11. Returns how many.
 */
static unsigned make_vertices(uint32_t seed, struct vertex *v)
{
	float red[4], added[4], low[4], high[4];
	unsigned n = 3;
	color_of(TRIANGLE_COLOR, red);
	v[0] = make_vertex(8, 8, red);
	v[1] = make_vertex(8, 72.5f, red);
	v[2] = make_vertex(72.5f, 8, red);
	/*
	 * The colours run from half a pixel outside the box, so that each pixel's centre gets a
	 * whole number.
	 */
	color_of(gradient(seed, 0, 0), low);
	low[0] = -3.0f / 255;
	low[1] = -3.5f / 255;
	high[0] = ((float)GRADIENT.width * 6 - 3) / 255;
	high[1] = ((float)GRADIENT.height * 7 - 3.5f) / 255;
	n += put_box(v + n, &GRADIENT, low, high);
	const float first[4] = { 0, 0, 0, 1 }, last[4] = { 1, 1, 0, 1 };
	n += put_box(v + n, &TEXTURED, first, last);
	color_of(ADDED_COLOR, added);
	n += put_box(v + n, &ADDED, added, added);
	return n;
}

static struct guest_backing *make_resource(struct scene3d *scene, uint32_t index, uint32_t target,
	uint32_t format, uint32_t bind, uint32_t width, uint32_t height, uint32_t flags)
{
	struct guest *guest = scene->guest;
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = scene->base + index,
		.target = target,
		.format = format,
		.bind = bind,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1,
		.flags = flags,
	};
	size_t bytes = (size_t)width * height * (target == VIRGL_TARGET_BUFFER ? 1 : 4);
	struct guest_backing *backing = guest_backing_create(guest, bytes, GUEST_PAGE_SIZE);
	g_assert_cmphex(guest_gpu_create_3d(guest, &create), ==, VIRTIO_GPU_RESP_OK_NODATA);
	g_assert_cmphex(
		guest_backing_attach(backing, scene->base + index), ==, VIRTIO_GPU_RESP_OK_NODATA);
	g_assert_cmphex(guest_gpu_ctx_attach(guest, scene->base, scene->base + index), ==,
		VIRTIO_GPU_RESP_OK_NODATA);
	return backing;
}

static void create_objects(struct scene3d *scene)
{
	struct virgl_stream s = { 0 };
	virgl_create_surface(&s, SURFACE, scene->base + SCENE3D_TARGET, VIRGL_FORMAT_B8G8R8A8);
	virgl_create_shader(&s, VERTEX_SHADER, VIRGL_SHADER_VERTEX, VERTEX_TEXT);
	virgl_create_shader(&s, COLOR_SHADER, VIRGL_SHADER_FRAGMENT, COLOR_TEXT);
	virgl_create_shader(&s, TEXTURE_SHADER, VIRGL_SHADER_FRAGMENT, TEXTURE_TEXT);
	virgl_create_blend(&s, BLEND_OFF, false);
	virgl_create_blend(&s, BLEND_ADD, true);
	virgl_create_dsa(&s, DSA);
	virgl_create_rasterizer(&s, RASTERIZER);
	virgl_create_vertex_elements(&s, ELEMENTS);
	virgl_create_sampler_state(&s, SAMPLER);
	virgl_create_sampler_view(
		&s, SAMPLER_VIEW, scene->base + SCENE3D_TEXTURE, VIRGL_FORMAT_B8G8R8A8);
	g_assert_cmphex(
		guest_gpu_submit(scene->guest, scene->base, s.words, virgl_stream_bytes(&s)), ==,
		VIRTIO_GPU_RESP_OK_NODATA);
	virgl_stream_finish(&s);
}

struct scene3d *scene3d_create(struct guest *guest, uint32_t base, bool y_0_top)
{
	struct scene3d *scene = g_new0(struct scene3d, 1);
	scene->guest = guest;
	scene->base = base;
	scene->y_0_top = y_0_top;
	g_assert_cmphex(guest_gpu_ctx_create(guest, base, "scene"), ==, VIRTIO_GPU_RESP_OK_NODATA);
	scene->target_backing = make_resource(scene, SCENE3D_TARGET, VIRGL_TARGET_TEXTURE_2D,
		VIRGL_FORMAT_B8G8R8A8, VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SAMPLER_VIEW,
		SCENE3D_WIDTH, SCENE3D_HEIGHT, y_0_top ? VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP : 0);
	scene->vertices_backing =
		make_resource(scene, SCENE3D_VERTICES, VIRGL_TARGET_BUFFER, VIRGL_FORMAT_R8,
			VIRGL_BIND_VERTEX_BUFFER, VERTICES_MAX * sizeof(struct vertex), 1, 0);
	scene->texture_backing = make_resource(scene, SCENE3D_TEXTURE, VIRGL_TARGET_TEXTURE_2D,
		VIRGL_FORMAT_B8G8R8A8, VIRGL_BIND_SAMPLER_VIEW, TEXTURE_SIZE, TEXTURE_SIZE, 0);
	create_objects(scene);
	return scene;
}

/* Uploads the texture with TRANSFER_TO_HOST_3D from scattered pages of guest memory. */
static void upload_texture(struct scene3d *scene, uint32_t seed)
{
	uint32_t texels[TEXTURE_SIZE * TEXTURE_SIZE];
	for (uint32_t i = 0; i < TEXTURE_SIZE * TEXTURE_SIZE; i++)
		texels[i] = texel(seed, i % TEXTURE_SIZE, i / TEXTURE_SIZE);
	guest_backing_write(scene->texture_backing, 0, texels, sizeof(texels));
	struct virtio_gpu_box box = { 0, 0, 0, TEXTURE_SIZE, TEXTURE_SIZE, 1 };
	g_assert_cmphex(guest_gpu_transfer_3d(scene->guest, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D,
				scene->base, scene->base + SCENE3D_TEXTURE, box, 0, 0),
		==, VIRTIO_GPU_RESP_OK_NODATA);
}

static void draw_part(struct virgl_stream *s, uint32_t shader, uint32_t blend, uint32_t primitive,
	uint32_t start, uint32_t count)
{
	virgl_bind_shader(s, shader, VIRGL_SHADER_FRAGMENT);
	virgl_bind(s, VIRGL_OBJECT_BLEND, blend);
	virgl_draw(s, primitive, start, count);
}

void scene3d_write(struct scene3d *scene, uint32_t seed, struct virgl_stream *s)
{
	struct vertex v[VERTICES_MAX];
	float clear[4];
	uint32_t bytes = make_vertices(seed, v) * (uint32_t)sizeof(v[0]);
	struct virgl_box all = { 0, 0, 0, bytes, 1, 1 };
	struct virgl_box source = { 0, 0, 0, TEXTURE_SIZE, TEXTURE_SIZE, 1 };
	color_of(background(seed), clear);
	virgl_inline_write(s, scene->base + SCENE3D_VERTICES, all, v, bytes, 0);
	virgl_set_framebuffer(s, SURFACE);
	virgl_set_viewport(s, SCENE3D_WIDTH, SCENE3D_HEIGHT);
	virgl_bind(s, VIRGL_OBJECT_DSA, DSA);
	virgl_bind(s, VIRGL_OBJECT_RASTERIZER, RASTERIZER);
	virgl_bind(s, VIRGL_OBJECT_VERTEX_ELEMENTS, ELEMENTS);
	virgl_set_vertex_buffer(s, scene->base + SCENE3D_VERTICES, sizeof(v[0]), 0);
	virgl_bind_shader(s, VERTEX_SHADER, VIRGL_SHADER_VERTEX);
	virgl_bind(s, VIRGL_OBJECT_BLEND, BLEND_OFF);
	virgl_clear(s, clear);
	draw_part(s, COLOR_SHADER, BLEND_OFF, VIRGL_PRIM_TRIANGLES, 0, 3);
	draw_part(s, COLOR_SHADER, BLEND_OFF, VIRGL_PRIM_TRIANGLE_STRIP, 3, 4);
	virgl_bind_sampler(s, SAMPLER_VIEW, SAMPLER);
	draw_part(s, TEXTURE_SHADER, BLEND_OFF, VIRGL_PRIM_TRIANGLE_STRIP, 7, 4);
	draw_part(s, COLOR_SHADER, BLEND_ADD, VIRGL_PRIM_TRIANGLE_STRIP, 11, 4);
	virgl_blit(s, scene->base + SCENE3D_TARGET, BLITTED, scene->base + SCENE3D_TEXTURE, source,
		VIRGL_FORMAT_B8G8R8A8);
	struct virgl_box part = { 4, 5, 0, COPIED.width, COPIED.height, 1 };
	virgl_copy_region(s, scene->base + SCENE3D_TARGET, COPIED.x, COPIED.y,
		scene->base + SCENE3D_TEXTURE, part);
}

uint32_t scene3d_draw(struct scene3d *scene, uint32_t seed)
{
	struct virgl_stream s = { 0 };
	upload_texture(scene, seed);
	scene3d_write(scene, seed, &s);
	uint32_t answer =
		guest_gpu_submit(scene->guest, scene->base, s.words, virgl_stream_bytes(&s));
	virgl_stream_finish(&s);
	return answer;
}

bool scene3d_check(struct scene3d *scene, uint32_t seed)
{
	size_t bytes = SCENE3D_WIDTH * SCENE3D_HEIGHT * sizeof(uint32_t);
	g_autofree uint32_t *got = g_malloc(bytes);
	g_autofree uint32_t *expected = g_malloc(bytes);
	struct virtio_gpu_box box = { 0, 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT, 1 };
	memset(got, 0xa5, bytes);
	guest_backing_write(scene->target_backing, 0, got, bytes);
	g_assert_cmphex(guest_gpu_transfer_3d(scene->guest, VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D,
				scene->base, scene->base + SCENE3D_TARGET, box, 0, 0),
		==, VIRTIO_GPU_RESP_OK_NODATA);
	guest_backing_read(scene->target_backing, 0, got, bytes);
	scene3d_expect(seed, scene->y_0_top, expected);
	return picture_equal("3D scene", got, expected, SCENE3D_WIDTH, SCENE3D_HEIGHT, 0xffffffff);
}

void scene3d_destroy(struct scene3d *scene, bool gone)
{
	if (!gone) {
		for (uint32_t i = 0; i < SCENE3D_IDS; i++)
			g_assert_cmphex(guest_gpu_unref(scene->guest, scene->base + i), ==,
				VIRTIO_GPU_RESP_OK_NODATA);
		g_assert_cmphex(guest_gpu_ctx_destroy(scene->guest, scene->base), ==,
			VIRTIO_GPU_RESP_OK_NODATA);
	}
	guest_backing_free(scene->target_backing);
	guest_backing_free(scene->vertices_backing);
	guest_backing_free(scene->texture_backing);
	g_free(scene);
}

bool scene3d_run(struct guest *guest, uint32_t base, uint32_t seed)
{
	struct scene3d *scene = scene3d_create(guest, base, false);
	bool exact = scene3d_draw(scene, seed) == VIRTIO_GPU_RESP_OK_NODATA &&
		     scene3d_check(scene, seed);
	scene3d_destroy(scene, false);
	return exact;
}
