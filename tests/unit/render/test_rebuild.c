/* SPDX-License-Identifier: MIT */
/*
 * rebuild: makes a successor's objects from a ledger that the test wrote and that need not be sane.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"
#include "guest.h"
#include "render/objects/ledger_book.h"
#include "render/objects/objects.h"
#include "render/rebuild.h"
#include "render/scanout/scanouts.h"
#include "tests/unit/render/picture_limits.h"

#define FORMAT VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM
#define SIDE 16u
/* This address lies beside the guest's memory. */
#define ELSEWHERE (GUEST_ADDR + GUEST_BYTES)

struct fixture {
	struct guest guest;
	struct ledger *ledger;
	int ledger_fd;
	struct objects *objects;
	struct scanouts *scanouts;
	struct rebuild rebuild;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	guest_init(&f->guest);
	f->ledger_fd = shm_create("ledger", sizeof(struct ledger));
	f->ledger = shm_map(f->ledger_fd, sizeof(struct ledger), true);
	const struct quota_limits limits = picture_limits(1u << 20);
	f->objects = objects_create(&limits);
	f->scanouts = scanouts_create(f->objects, false);
	objects_set_ledger(f->objects, ledger_book_open(f->ledger_fd));
	objects_set_memory(f->objects, guest_make_table(&f->guest, GUEST_ADDR));
	rebuild_init(&f->rebuild, f->objects, f->scanouts, false);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	rebuild_drop(&f->rebuild);
	scanouts_destroy(f->scanouts);
	objects_destroy(f->objects);
	shm_unmap(f->ledger, sizeof(struct ledger));
	close(f->ledger_fd);
	guest_finish(&f->guest);
}

static void list(struct fixture *f, unsigned slot, uint32_t id, uint64_t addr)
{
	f->ledger->resources[slot] = (struct ledger_resource){ .id = id,
		.format = FORMAT,
		.width = SIDE,
		.height = SIDE,
		.backing_first = slot,
		.backing_count = 1 };
	f->ledger->backing[slot] = (struct ledger_backing){ addr, SIDE * SIDE * 4, 0 };
	f->ledger->backing_used = MAX(f->ledger->backing_used, slot + 1);
}

static bool has_backing(struct fixture *f, uint32_t id)
{
	const struct resource *resource = objects_find_resource(f->objects, id);
	return resource && resource->backing;
}

static void test_all(struct fixture *f, gconstpointer data)
{
	memset(guest_at(&f->guest, GUEST_DATA_ADDR), 0xab, SIDE * SIDE * 4);
	list(f, 0, 5, GUEST_DATA_ADDR);
	list(f, 9, 6, GUEST_DATA_ADDR);
	f->ledger->scanouts[2] = (struct ledger_scanout){ 5, 1, 2, 3, 4 };
	rebuild_want(&f->rebuild);
	g_assert_true(rebuild_work(&f->rebuild, true));
	g_assert_false(rebuild_is_wanted(&f->rebuild));
	g_assert_true(has_backing(f, 5) && has_backing(f, 6));
	g_assert_true(scanout_get_resource(f->scanouts, 2) == objects_find_resource(f->objects, 5));
	const uint8_t *pixels = resource_peek_pixels(objects_find_resource(f->objects, 5));
	g_assert_cmphex(pixels[SIDE * SIDE * 4 - 1], ==, 0xab);
	/* All of it is entered in the ledger again, for the next successor. */
	g_assert_cmpuint(f->ledger->scanouts[2].height, ==, 4);
	g_assert_cmpuint(f->ledger->resources[1].backing_count, ==, 1);
}

/*
 * It stops at what is not there and goes on from there: nothing is made twice, nothing is left out.
 */
static void test_waits(struct fixture *f, gconstpointer data)
{
	list(f, 0, 5, GUEST_DATA_ADDR);
	list(f, 1, 6, ELSEWHERE);
	list(f, 2, 7, ELSEWHERE);
	rebuild_want(&f->rebuild);
	g_assert_false(rebuild_work(&f->rebuild, true));
	g_assert_true(rebuild_is_wanted(&f->rebuild));
	g_assert_true(has_backing(f, 5));
	g_assert_null(objects_find_resource(f->objects, 7));
	objects_set_memory(f->objects, guest_make_table(&f->guest, ELSEWHERE));
	g_assert_true(rebuild_work(&f->rebuild, true));
	g_assert_true(has_backing(f, 6) && has_backing(f, 7));
}

/*
 * It waits in vain: a resource whose memory is missing exists without its backing, and the rest is
 * whole.
 */
static void test_in_vain(struct fixture *f, gconstpointer data)
{
	list(f, 0, 5, ELSEWHERE);
	list(f, 1, 6, GUEST_DATA_ADDR);
	rebuild_want(&f->rebuild);
	g_assert_false(rebuild_work(&f->rebuild, true));
	g_assert_true(rebuild_work(&f->rebuild, false));
	g_assert_nonnull(objects_find_resource(f->objects, 5));
	g_assert_false(has_backing(f, 5));
	g_assert_true(has_backing(f, 6));
}

/*
 * What a head shows is there before all that the ledger lists before it, and was read to where
 * display looks for it.
 */
static void test_shown_first(struct fixture *f, gconstpointer data)
{
	memset(guest_at(&f->guest, GUEST_DATA_ADDR), 0xab, SIDE * SIDE * 4);
	list(f, 0, 5, ELSEWHERE);
	list(f, 1, 6, GUEST_DATA_ADDR);
	f->ledger->scanouts[0] = (struct ledger_scanout){ 6, 0, 0, SIDE, SIDE };
	rebuild_want(&f->rebuild);
	g_assert_false(rebuild_work(&f->rebuild, true));
	const struct resource *shown = objects_find_resource(f->objects, 6);
	g_assert_true(shown && scanout_get_resource(f->scanouts, 0) == shown);
	g_assert_false(shown->has_pixels);
	g_assert_cmphex(resource_peek_pixels(shown)[SIDE * SIDE * 4 - 1], ==, 0xab);
	g_assert_true(rebuild_work(&f->rebuild, false));
	g_assert_true(objects_find_resource(f->objects, 6) == shown);
	g_assert_nonnull(objects_find_resource(f->objects, 5));
}

/* A reset comes while it waits: what was made goes, and the rest is never made. */
static void test_dropped(struct fixture *f, gconstpointer data)
{
	list(f, 0, 5, GUEST_DATA_ADDR);
	list(f, 1, 6, ELSEWHERE);
	rebuild_want(&f->rebuild);
	g_assert_false(rebuild_work(&f->rebuild, true));
	rebuild_drop(&f->rebuild);
	objects_clear(f->objects);
	g_assert_false(rebuild_is_wanted(&f->rebuild));
	rebuild_want(&f->rebuild);
	g_assert_true(rebuild_work(&f->rebuild, true));
	g_assert_null(objects_find_resource(f->objects, 5));
	g_assert_null(objects_find_resource(f->objects, 6));
}

/* A ledger is trusted no more than a guest. */
static void test_insane(struct fixture *f, gconstpointer data)
{
	list(f, 0, 5, GUEST_DATA_ADDR);
	list(f, 1, 5, GUEST_DATA_ADDR);
	list(f, 2, 6, GUEST_DATA_ADDR);
	f->ledger->resources[2].backing_first = LEDGER_BACKING_MAX;
	list(f, 3, 7, GUEST_DATA_ADDR);
	f->ledger->resources[3].backing_count = UINT32_MAX;
	list(f, 4, 8, GUEST_DATA_ADDR);
	f->ledger->resources[4].width = UINT32_MAX;
	list(f, 5, 9, GUEST_DATA_ADDR);
	f->ledger->resources[5].is_3d = 1;
	f->ledger->backing_used = UINT32_MAX;
	f->ledger->scanouts[0] = (struct ledger_scanout){ 77, 0, 0, 1, 1 };
	f->ledger->scanouts[1] = (struct ledger_scanout){ 5, 1, 0, SIDE, 1 };
	f->ledger->scanouts[2] = (struct ledger_scanout){ 5, 0, 0, 0, 0 };
	rebuild_want(&f->rebuild);
	g_assert_true(rebuild_work(&f->rebuild, false));
	g_assert_true(has_backing(f, 5));
	g_assert_false(has_backing(f, 6) || has_backing(f, 7));
	g_assert_null(objects_find_resource(f->objects, 8));
	g_assert_null(objects_find_resource(f->objects, 9));
	for (unsigned head = 0; head < 3; head++)
		g_assert_null(scanout_get_resource(f->scanouts, head));
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
		{ "/rebuild/all", test_all },
		{ "/rebuild/waits", test_waits },
		{ "/rebuild/in-vain", test_in_vain },
		{ "/rebuild/shown-first", test_shown_first },
		{ "/rebuild/dropped", test_dropped },
		{ "/rebuild/insane", test_insane },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
