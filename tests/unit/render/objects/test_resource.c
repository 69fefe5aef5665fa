/* SPDX-License-Identifier: MIT */
/*
 * resource: checks a 2D resource's pixels, in plain memory and in a chain of buffers that display
 * holds, its quota, and the contexts that have it open.
 */
#include "render/objects/resource.h"

#include <linux/virtio_gpu.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define W 16u
#define H 8u
#define PIXELS (W * H)
#define BYTES (PIXELS * 4)
#define GUEST_BYTES 4096u
#define GUEST_ADDR 0x100000u

struct fixture {
	struct quota quota;
	uint32_t *guest; /* the backing's pixels */
	int fd;
	struct memory *memory;
	struct resource *resource;
};

static struct resource *create(struct fixture *f, uint32_t format)
{
	const struct ledger_resource d = { .id = 7, .format = format, .width = W, .height = H };
	const struct ledger_backing entry = { GUEST_ADDR, GUEST_BYTES, 0 };
	struct resource *resource = resource_create_2d(&f->quota, &d);
	if (resource)
		resource->backing = backing_create(f->memory, &entry, 1);
	return resource;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	struct keeper_memory_region region = {
		.guest_addr = GUEST_ADDR, .user_addr = GUEST_ADDR, .size_bytes = GUEST_BYTES
	};
	f->quota.limit = 10 * BYTES;
	f->fd = memfd_create("guest", MFD_CLOEXEC);
	g_assert_cmpint(ftruncate(f->fd, GUEST_BYTES), ==, 0);
	f->guest = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	g_assert_true(f->guest != MAP_FAILED);
	f->memory = memory_create();
	g_assert_true(memory_add_region(f->memory, &region, f->fd));
	f->resource = create(f, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM);
	g_assert_nonnull(f->resource);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	resource_destroy(f->resource);
	g_assert_cmpuint(f->quota.used, ==, 0);
	memory_unref(f->memory);
	munmap(f->guest, GUEST_BYTES);
	close(f->fd);
}

/* Sets each pixel of the guest's to `base` plus its place. */
static void draw(struct fixture *f, uint32_t base)
{
	for (uint32_t i = 0; i < PIXELS; i++)
		f->guest[i] = base + i;
}

static uint32_t pixel_of(const uint8_t *pixels, size_t stride_bytes, uint32_t x, uint32_t y)
{
	uint32_t pixel;
	memcpy(&pixel, pixels + y * stride_bytes + x * 4, sizeof(pixel));
	return pixel;
}

/* Checks that the rectangle shows `base`, and the rest what was there before. */
static void assert_pixels(const uint8_t *pixels, size_t stride_bytes, const struct rect *rect,
	uint32_t base, uint32_t before)
{
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++) {
			bool inside = x - rect->x < rect->width && y - rect->y < rect->height;
			g_assert_cmphex(pixel_of(pixels, stride_bytes, x, y), ==,
				(inside ? base : before) + y * W + x);
		}
	}
}

static const struct rect all = { 0, 0, W, H }, part = { 3, 2, 5, 4 }, other = { 6, 1, 9, 2 };

static bool transfer(struct fixture *f, const struct rect *rect)
{
	return resource_transfer_2d(f->resource, rect, (rect->y * W + rect->x) * 4);
}

/* ---- tests ---- */

static void test_plain(struct fixture *f, gconstpointer data)
{
	const uint8_t *pixels = resource_peek_pixels(f->resource);
	for (uint32_t i = 0; i < BYTES; i++)
		g_assert_cmphex(pixels[i], ==, 0);
	draw(f, 0x100);
	g_assert_true(transfer(f, &all));
	assert_pixels(pixels, W * 4, &all, 0x100, 0);
	draw(f, 0x900);
	g_assert_true(transfer(f, &part));
	assert_pixels(pixels, W * 4, &part, 0x900, 0x100);
}

static void test_quota(struct fixture *f, gconstpointer data)
{
	const struct ledger_resource d = { .id = 8, .is_3d = 1, .width = W, .height = H };
	g_assert_cmpuint(f->quota.used, ==, BYTES);
	f->quota.limit = 2 * BYTES - 1;
	g_assert_null(create(f, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM));
	g_assert_null(resource_create_3d(&f->quota, &d, BYTES));
	g_assert_cmpuint(f->quota.used, ==, BYTES);
	struct resource *resource = resource_create_3d(&f->quota, &d, BYTES - 1);
	g_assert_nonnull(resource);
	g_assert_null(resource->pixels);
	g_assert_cmpuint(f->quota.used, ==, 2 * BYTES - 1);
	resource_destroy(resource);
	g_assert_cmpuint(f->quota.used, ==, BYTES);
	resource_destroy(NULL);
}

/* What the guest calls R G B A is B G R A for display. */
static void test_format(struct fixture *f, gconstpointer data)
{
	resource_destroy(f->resource);
	f->resource = create(f, VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM);
	for (uint32_t i = 0; i < PIXELS; i++)
		f->guest[i] = 0x44332211;
	g_assert_true(transfer(f, &part));
	const uint8_t *pixels = resource_peek_pixels(f->resource);
	g_assert_cmphex(pixel_of(pixels, W * 4, part.x, part.y), ==, 0x44112233);
	g_assert_cmphex(pixel_of(pixels, W * 4, part.x + part.width, part.y), ==, 0);
	g_assert_cmphex(pixel_of(pixels, W * 4, part.x - 1, part.y), ==, 0);
}

/* A resource that is shown moves its pixels into the chain and gives its own memory back. */
static void test_showable(struct fixture *f, gconstpointer data)
{
	draw(f, 0x100);
	g_assert_true(transfer(f, &all));
	g_assert_true(resource_make_showable(f->resource, &buffer_memfd));
	struct swapchain *chain = f->resource->chain;
	g_assert_nonnull(chain);
	g_assert_null(f->resource->pixels);
	g_assert_cmpuint(f->resource->charged_bytes, ==, 0);
	g_assert_cmpuint(f->quota.used, ==, chain->current->size_bytes);
	g_assert_true(resource_peek_pixels(f->resource) == chain->current->pixels);
	assert_pixels(chain->current->pixels, chain->current->stride_bytes, &all, 0x100, 0);
	g_assert_true(resource_make_showable(f->resource, &buffer_memfd));
	g_assert_true(f->resource->chain == chain);
}

/* When there is no room for both, nothing is lost. */
static void test_not_showable(struct fixture *f, gconstpointer data)
{
	draw(f, 0x100);
	g_assert_true(transfer(f, &all));
	f->quota.limit = 2 * BYTES - 1;
	g_assert_false(resource_make_showable(f->resource, &buffer_memfd));
	g_assert_null(f->resource->chain);
	assert_pixels(resource_peek_pixels(f->resource), W * 4, &all, 0x100, 0);
}

/* A buffer that display holds stays as it is, and the next one has all that it missed. */
static void test_held(struct fixture *f, gconstpointer data)
{
	draw(f, 0x100);
	g_assert_true(transfer(f, &all));
	g_assert_true(resource_make_showable(f->resource, &buffer_memfd));
	struct buffer *first = f->resource->chain->current;
	first->locked = 1;
	draw(f, 0x900);
	g_assert_true(transfer(f, &part));
	struct buffer *second = f->resource->chain->current;
	g_assert_true(second != first);
	assert_pixels(first->pixels, first->stride_bytes, &all, 0x100, 0);
	assert_pixels(second->pixels, second->stride_bytes, &part, 0x900, 0x100);
	/* The picture is back in the first buffer, which lacks `part` by now. */
	second->locked = 1;
	first->locked = 0;
	draw(f, 0x500);
	g_assert_true(transfer(f, &other));
	g_assert_true(f->resource->chain->current == first);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++) {
			bool newer = x - other.x < other.width && y - other.y < other.height;
			uint32_t was = pixel_of(second->pixels, second->stride_bytes, x, y);
			g_assert_cmphex(pixel_of(first->pixels, first->stride_bytes, x, y), ==,
				newer ? 0x500 + y * W + x : was);
		}
	}
	second->locked = 0;
}

static void test_starved(struct fixture *f, gconstpointer data)
{
	g_assert_true(resource_make_showable(f->resource, &buffer_memfd));
	struct buffer *only = f->resource->chain->current;
	f->quota.limit = f->quota.used;
	only->locked = 1;
	g_assert_false(transfer(f, &part));
	g_assert_false(resource_renew_current(f->resource));
	g_assert_true(f->resource->chain->current == only);
	only->locked = 0;
	g_assert_true(transfer(f, &part));
}

static void test_renew(struct fixture *f, gconstpointer data)
{
	draw(f, 0x100);
	g_assert_true(transfer(f, &all));
	g_assert_true(resource_make_showable(f->resource, &buffer_memfd));
	struct buffer *first = f->resource->chain->current;
	first->locked = 1;
	g_assert_true(resource_renew_current(f->resource));
	struct buffer *second = f->resource->chain->current;
	g_assert_true(second != first);
	assert_pixels(second->pixels, second->stride_bytes, &all, 0x100, 0);
	first->locked = 0;
}

/* Buffers that only frames needed go with the last head. */
static void test_heads(struct fixture *f, gconstpointer data)
{
	resource_set_shown(f->resource, 3, true);
	g_assert_true(resource_make_showable(f->resource, &buffer_memfd));
	resource_set_shown(f->resource, FRAME_HEADS_MAX - 1, true);
	g_assert_cmphex(f->resource->scanouts, ==, 1u << 3 | 1u << (FRAME_HEADS_MAX - 1));
	struct swapchain *chain = f->resource->chain;
	chain->current->locked = 1;
	g_assert_true(transfer(f, &all));
	chain->buffers[0]->locked = 0;
	g_assert_cmpuint(chain->n_buffers, ==, 2);
	resource_set_shown(f->resource, 3, false);
	g_assert_cmpuint(chain->n_buffers, ==, 2);
	resource_set_shown(f->resource, FRAME_HEADS_MAX - 1, false);
	g_assert_cmpuint(chain->n_buffers, ==, 1);
	g_assert_cmphex(f->resource->scanouts, ==, 0);
}

static void test_contexts(struct fixture *f, gconstpointer data)
{
	struct resource *r = f->resource;
	for (uint32_t context = 1; context <= RESOURCE_CONTEXTS_MAX + 2; context++) {
		resource_attach_context(r, context);
		resource_attach_context(r, context);
	}
	g_assert_cmpuint(r->n_contexts, ==, RESOURCE_CONTEXTS_MAX);
	resource_detach_context(r, 99);
	resource_detach_context(r, RESOURCE_CONTEXTS_MAX + 1);
	g_assert_cmpuint(r->n_contexts, ==, RESOURCE_CONTEXTS_MAX);
	resource_detach_context(r, 1);
	resource_detach_context(r, 1);
	g_assert_cmpuint(r->n_contexts, ==, RESOURCE_CONTEXTS_MAX - 1);
	for (unsigned i = 0; i < r->n_contexts; i++)
		g_assert_cmpuint(r->contexts[i], !=, 1);
	resource_attach_context(r, 99);
	g_assert_cmpuint(r->contexts[RESOURCE_CONTEXTS_MAX - 1], ==, 99);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/resource/plain", test_plain },
		{ "/resource/quota", test_quota },
		{ "/resource/format", test_format },
		{ "/resource/showable", test_showable },
		{ "/resource/not-showable", test_not_showable },
		{ "/resource/held", test_held },
		{ "/resource/starved", test_starved },
		{ "/resource/renew", test_renew },
		{ "/resource/heads", test_heads },
		{ "/resource/contexts", test_contexts },
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
