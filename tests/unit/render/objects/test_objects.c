/* SPDX-License-Identifier: MIT */
/*
 * objects: checks who exists, who is told, and what is refused. It is 2D only, as there is no GL
 * here.
 */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/shm.h"
#include "render/objects/ledger_book.h"
#include "render/objects/objects.h"
#include "tests/unit/render/picture_limits.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define FORMAT VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM
#define LIMIT_BYTES (1u << 20)
#define GUEST_ADDR 0x100000u
#define GUEST_BYTES (1u << 20)

struct fixture {
	struct objects *objects;
	int ledger_fd;
	unsigned n_made, n_going, n_backings;
	unsigned n_heard; /* by one who listens to what goes alone */
	uint32_t last_going;
};

static void made(void *user, const struct resource *resource)
{
	struct fixture *f = user;
	f->n_made++;
	g_assert_true(objects_find_resource(f->objects, resource->id) == resource);
}

/* Lets go of the resource, as a head does that shows it. */
static void going(void *user, struct resource *resource)
{
	struct fixture *f = user;
	f->n_going++;
	f->last_going = resource->id;
	g_assert_true(objects_find_resource(f->objects, resource->id) == resource);
	for (unsigned head = 0; head < LEDGER_SCANOUTS_MAX; head++)
		resource_set_shown(resource, head, false);
}

static void backing_changed(void *user, const struct resource *resource)
{
	struct fixture *f = user;
	f->n_backings++;
	g_assert_true(objects_find_resource(f->objects, resource->id) == resource);
}

static void heard(void *user, struct resource *resource)
{
	unsigned *n_heard = user;
	(*n_heard)++;
}

static const struct objects_listener listener = {
	.resource_made = made, .resource_going = going, .backing_changed = backing_changed
};
static const struct objects_listener other_listener = { .resource_going = heard };

static void set_up(struct fixture *f, gconstpointer data)
{
	const struct quota_limits limits = picture_limits(LIMIT_BYTES);
	f->objects = objects_create(&limits);
	f->ledger_fd = shm_create("ledger", sizeof(struct ledger));
	objects_set_ledger(f->objects, ledger_book_open(f->ledger_fd));
	objects_add_listener(f->objects, &listener, f);
	objects_add_listener(f->objects, &other_listener, &f->n_heard);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	objects_destroy(f->objects);
	close(f->ledger_fd);
}

static struct memory *make_table(uint64_t guest_addr)
{
	struct memory *memory = memory_create();
	int fd = memfd_create("guest", MFD_CLOEXEC);
	struct keeper_memory_region region = {
		.guest_addr = guest_addr, .user_addr = guest_addr, .size_bytes = GUEST_BYTES
	};
	g_assert_cmpint(ftruncate(fd, GUEST_BYTES), ==, 0);
	g_assert_true(memory_add_region(memory, &region, fd));
	close(fd);
	return memory;
}

static uint32_t create(struct fixture *f, uint32_t id, uint32_t width, uint32_t height)
{
	struct ledger_resource d = { .id = id, .format = FORMAT, .width = width, .height = height };
	return objects_create_resource(f->objects, &d);
}

static uint32_t attach(struct fixture *f, uint32_t id, uint64_t addr, bool may_wait)
{
	const struct ledger_backing entry = { addr, 4096, 0 };
	struct resource *resource = objects_find_resource(f->objects, id);
	return objects_attach_backing(f->objects, resource, &entry, 1, may_wait);
}

static uint32_t count_listed(struct fixture *f)
{
	const struct ledger *ledger = objects_peek_ledger(f->objects);
	uint32_t n = 0;
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++)
		n += ledger->resources[i].id != 0;
	return n;
}

static void test_told(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(create(f, 5, 8, 8), ==, OK);
	g_assert_cmpuint(f->n_made, ==, 1);
	g_assert_cmpuint(count_listed(f), ==, 1);
	struct resource *resource = objects_find_resource(f->objects, 5);
	resource_set_shown(resource, 3, true);
	objects_remove_resource(f->objects, resource);
	g_assert_cmpuint(f->n_going, ==, 1);
	g_assert_cmpuint(f->last_going, ==, 5);
	g_assert_cmpuint(f->n_heard, ==, 1);
	g_assert_null(objects_find_resource(f->objects, 5));
	g_assert_cmpuint(count_listed(f), ==, 0);
	g_assert_cmphex(create(f, 5, 8, 8), ==, OK);
	objects_remove_listener(f->objects, &f->n_heard);
	objects_remove_resource(f->objects, objects_find_resource(f->objects, 5));
	g_assert_cmpuint(f->n_going, ==, 2);
	g_assert_cmpuint(f->n_heard, ==, 1);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(create(f, 0, 8, 8), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	g_assert_cmphex(create(f, 5, 0, 8), ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	g_assert_cmphex(
		create(f, 5, 8, FRAME_SIZE_MAX + 1), ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	g_assert_cmphex(create(f, 5, 512, 512), ==, OK);
	g_assert_cmphex(create(f, 5, 8, 8), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	/* The limit is reached to the byte. */
	g_assert_cmphex(create(f, 6, 1, 1), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	g_assert_null(objects_find_resource(f->objects, 6));
	g_assert_cmpuint(f->n_made, ==, 1);
	objects_remove_resource(f->objects, objects_find_resource(f->objects, 5));
	g_assert_cmphex(create(f, 6, 512, 512), ==, OK);
}

/* A command that waits has changed nothing, and succeeds when the memory is there. */
static void test_memory(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(create(f, 5, 8, 8), ==, OK);
	g_assert_cmphex(attach(f, 5, GUEST_ADDR, true), ==, OBJECTS_WAIT_FOR_MEMORY);
	g_assert_cmphex(attach(f, 5, GUEST_ADDR, false), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	objects_set_memory(f->objects, make_table(GUEST_ADDR + GUEST_BYTES));
	g_assert_cmphex(attach(f, 5, GUEST_ADDR, true), ==, OBJECTS_WAIT_FOR_MEMORY);
	g_assert_null(objects_find_resource(f->objects, 5)->backing);
	g_assert_cmpuint(f->n_backings, ==, 0);
	objects_set_memory(f->objects, make_table(GUEST_ADDR));
	g_assert_cmphex(attach(f, 5, GUEST_ADDR, true), ==, OK);
	g_assert_cmphex(attach(f, 5, GUEST_ADDR, true), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	/* A backing keeps the table that it was made with. */
	objects_set_memory(f->objects, make_table(GUEST_ADDR + GUEST_BYTES));
	const struct rect all = { 0, 0, 8, 8 };
	g_assert_true(resource_transfer_2d(objects_find_resource(f->objects, 5), &all, 0));
	g_assert_cmpuint(objects_peek_ledger(f->objects)->resources[0].backing_count, ==, 1);
	g_assert_cmpuint(f->n_backings, ==, 1);
	struct resource *resource = objects_find_resource(f->objects, 5);
	g_assert_cmphex(objects_detach_backing(f->objects, resource), ==, OK);
	g_assert_cmphex(
		objects_detach_backing(f->objects, resource), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_cmpuint(objects_peek_ledger(f->objects)->resources[0].backing_count, ==, 0);
	g_assert_cmpuint(f->n_backings, ==, 2);
}

/* At a reset everything goes, the listener is told of each, and ids are free again. */
static void test_clear(struct fixture *f, gconstpointer data)
{
	objects_set_memory(f->objects, make_table(GUEST_ADDR));
	for (uint32_t id = 1; id <= 100; id++)
		g_assert_cmphex(create(f, id, 8, 8), ==, OK);
	g_assert_cmphex(attach(f, 50, GUEST_ADDR, false), ==, OK);
	resource_set_shown(objects_find_resource(f->objects, 7), 0, true);
	objects_clear(f->objects);
	g_assert_cmpuint(f->n_going, ==, 100);
	g_assert_cmpuint(count_listed(f), ==, 0);
	g_assert_cmpuint(objects_get_picture_quota(f->objects)->used, ==, 0);
	g_assert_cmphex(create(f, 7, 8, 8), ==, OK);
}

static void test_contexts(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(create(f, 5, 8, 8), ==, OK);
	struct resource *resource = objects_find_resource(f->objects, 5);
	for (uint32_t context = 1; context <= RESOURCE_CONTEXTS_MAX + 3; context++)
		resource_attach_context(resource, context);
	g_assert_cmpuint(resource->n_contexts, ==, RESOURCE_CONTEXTS_MAX);
	resource_attach_context(resource, 1);
	resource_detach_context(resource, 1);
	resource_detach_context(resource, 100);
	g_assert_cmpuint(resource->n_contexts, ==, RESOURCE_CONTEXTS_MAX - 1);
	for (unsigned i = 0; i < resource->n_contexts; i++)
		g_assert_cmpuint(resource->contexts[i], !=, 1);
}

static void set_limit(struct fixture *f, enum quota_name name, uint64_t limit)
{
	objects_get_account(f->objects, 0)->quotas[name].limit = limit;
}

static uint64_t used(struct fixture *f, enum quota_name name)
{
	return objects_get_account(f->objects, 0)->quotas[name].used;
}

/* Resources can be made up to the limit and none beyond, and again once there is room. */
static void test_resources(struct fixture *f, gconstpointer data)
{
	set_limit(f, QUOTA_RESOURCES, 3);
	for (uint32_t id = 1; id <= 3; id++)
		g_assert_cmphex(create(f, id, 8, 8), ==, OK);
	g_assert_cmphex(create(f, 4, 8, 8), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	g_assert_cmpuint(count_listed(f), ==, 3);
	objects_remove_resource(f->objects, objects_find_resource(f->objects, 2));
	g_assert_cmphex(create(f, 4, 8, 8), ==, OK);
	/* What is refused for its pixels does not count as one more resource. */
	set_limit(f, QUOTA_RESOURCES, 100);
	g_assert_cmphex(create(f, 5, 4096, 4096), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	g_assert_cmpuint(used(f, QUOTA_RESOURCES), ==, 3);
	objects_clear(f->objects);
	g_assert_cmpuint(used(f, QUOTA_RESOURCES), ==, 0);
	g_assert_cmpuint(used(f, QUOTA_OTHER_BYTES), ==, 0);
}

static uint32_t attach_pieces(struct fixture *f, uint32_t id, uint32_t n, uint32_t length_bytes)
{
	g_autofree struct ledger_backing *entries = g_new0(struct ledger_backing, n);
	for (uint32_t i = 0; i < n; i++)
		entries[i] = (struct ledger_backing){ GUEST_ADDR, length_bytes, 0 };
	return objects_attach_backing(
		f->objects, objects_find_resource(f->objects, id), entries, n, false);
}

static void assert_no_backing(struct fixture *f, uint32_t id)
{
	g_assert_null(objects_find_resource(f->objects, id)->backing);
	g_assert_cmpuint(used(f, QUOTA_BACKING_ENTRIES), ==, 0);
	g_assert_cmpuint(used(f, QUOTA_BACKING_BYTES), ==, 0);
}

static void test_backings(struct fixture *f, gconstpointer data)
{
	objects_set_memory(f->objects, make_table(GUEST_ADDR));
	for (uint32_t id = 1; id <= 2; id++)
		g_assert_cmphex(create(f, id, 8, 8), ==, OK);
	set_limit(f, QUOTA_BACKING_ENTRIES, 10);
	g_assert_cmphex(attach_pieces(f, 1, 11, 4), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	assert_no_backing(f, 1);
	g_assert_cmphex(attach_pieces(f, 1, 10, 4), ==, OK);
	g_assert_cmphex(attach_pieces(f, 2, 1, 4), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	g_assert_cmphex(
		objects_detach_backing(f->objects, objects_find_resource(f->objects, 1)), ==, OK);
	assert_no_backing(f, 1);
	set_limit(f, QUOTA_BACKING_BYTES, 4096);
	g_assert_cmphex(attach_pieces(f, 1, 3, 2048), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	assert_no_backing(f, 1);
	g_assert_cmphex(attach_pieces(f, 1, 2, 2048), ==, OK);
	g_assert_cmphex(attach_pieces(f, 2, 1, 1), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	/* When a resource goes its backing goes with it. */
	objects_remove_resource(f->objects, objects_find_resource(f->objects, 1));
	assert_no_backing(f, 2);
	/* A backing outside guest memory has taken nothing. */
	objects_set_memory(f->objects, make_table(GUEST_ADDR + GUEST_BYTES));
	g_assert_cmphex(attach_pieces(f, 2, 1, 4), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_no_backing(f, 2);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/objects/told", test_told },
		{ "/objects/refused", test_refused },
		{ "/objects/memory", test_memory },
		{ "/objects/clear", test_clear },
		{ "/objects/contexts", test_contexts },
		{ "/objects/resources", test_resources },
		{ "/objects/backings", test_backings },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
