/* SPDX-License-Identifier: MIT */
/* painters: checks whose drawing ends up on which head. */
#include <glib.h>
#include <linux/virtio_gpu.h>

#include "render/commands/painters.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"
#include "tests/unit/render/picture_limits.h"

#define LATER_NS UINT64_C(10000000000)
enum { COMPOSITOR = 1, CLIENT, CLIENTS_CHILD, STRANGER };

struct fixture {
	struct objects *objects;
	struct scanouts *scanouts;
	struct painters painters;
	uint64_t now_ns;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	const struct quota_limits limits = picture_limits(1u << 20);
	f->objects = objects_create(&limits);
	f->scanouts = scanouts_create(f->objects, false);
	painters_init(&f->painters);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	painters_finish(&f->painters);
	scanouts_destroy(f->scanouts);
	objects_destroy(f->objects);
}

static struct resource *create(struct fixture *f, uint32_t id, uint32_t context, uint32_t other)
{
	struct ledger_resource d = {
		.id = id, .format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, .width = 8, .height = 8
	};
	g_assert_cmphex(objects_create_resource(f->objects, &d), ==, VIRTIO_GPU_RESP_OK_NODATA);
	struct resource *resource = objects_find_resource(f->objects, id);
	resource_attach_context(resource, context);
	if (other)
		resource_attach_context(resource, other);
	return resource;
}

static void show(struct fixture *f, unsigned head, struct resource *resource)
{
	const struct rect all = { 0, 0, 8, 8 };
	g_assert_cmphex(
		scanout_set(f->scanouts, head, resource, &all), ==, VIRTIO_GPU_RESP_OK_NODATA);
}

static void update(struct fixture *f, const struct resource *shown)
{
	f->now_ns += LATER_NS;
	painters_update(&f->painters, f->objects, f->scanouts, shown, f->now_ns);
}

static void assert_heads(struct fixture *f, uint32_t context, uint32_t heads)
{
	g_assert_cmphex(painters_get_heads(&f->painters, context), ==, heads);
}

/* A window is open in its owner and in the compositor, whose picture a head shows. */
static void test_shared(struct fixture *f, gconstpointer data)
{
	struct resource *screen = create(f, 10, COMPOSITOR, 0);
	create(f, 11, CLIENT, COMPOSITOR);
	create(f, 12, CLIENTS_CHILD, CLIENT);
	create(f, 13, STRANGER, 0);
	show(f, 2, screen);
	update(f, screen);
	assert_heads(f, COMPOSITOR, 1u << 2);
	assert_heads(f, CLIENT, 1u << 2);
	assert_heads(f, CLIENTS_CHILD, 1u << 2);
	assert_heads(f, STRANGER, 0);
}

static void test_gone(struct fixture *f, gconstpointer data)
{
	struct resource *screen = create(f, 10, COMPOSITOR, 0);
	struct resource *window = create(f, 11, CLIENT, COMPOSITOR);
	show(f, 0, screen);
	show(f, 1, window);
	update(f, screen);
	assert_heads(f, CLIENT, 3);
	objects_remove_resource(f->objects, window);
	update(f, screen);
	assert_heads(f, CLIENT, 0);
	assert_heads(f, COMPOSITOR, 1);
	painters_forget_context(&f->painters, COMPOSITOR);
	assert_heads(f, COMPOSITOR, 0);
}

/*
 * Painters are not looked up at every flush, but a resource that is new on its head is, as it may
 * have another painter.
 */
static void test_now_and_then(struct fixture *f, gconstpointer data)
{
	struct resource *screen = create(f, 10, COMPOSITOR, 0);
	struct resource *other = create(f, 11, STRANGER, 0);
	show(f, 0, screen);
	update(f, screen);
	struct resource *window = create(f, 12, CLIENT, COMPOSITOR);
	painters_update(&f->painters, f->objects, f->scanouts, screen, f->now_ns + 1);
	assert_heads(f, CLIENT, 0);
	show(f, 0, other);
	painters_update(&f->painters, f->objects, f->scanouts, other, f->now_ns + 2);
	assert_heads(f, STRANGER, 1);
	assert_heads(f, COMPOSITOR, 0);
	show(f, 0, window);
	update(f, window);
	assert_heads(f, CLIENT, 1);
	painters_clear(&f->painters);
	assert_heads(f, CLIENT, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/painters/shared", test_shared },
		{ "/painters/gone", test_gone },
		{ "/painters/now-and-then", test_now_and_then },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
