/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"
#include "render/objects/ledger_book.h"

struct fixture {
	int fd;
	struct ledger_book *book;
	const struct ledger *ledger;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->fd = shm_create("ledger", sizeof(struct ledger));
	f->book = ledger_book_open(f->fd);
	f->ledger = ledger_book_peek(f->book);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ledger_book_close(f->book);
	close(f->fd);
}

static void add(struct fixture *f, uint32_t id)
{
	struct ledger_resource r = { .id = id, .format = 1, .width = id, .height = 1 };
	ledger_book_add_resource(f->book, &r);
}

static const struct ledger_resource *find(struct fixture *f, uint32_t id)
{
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (f->ledger->resources[i].id == id)
			return &f->ledger->resources[i];
	}
	return NULL;
}

static void back(struct fixture *f, uint32_t id, uint32_t count)
{
	g_autofree struct ledger_backing *entries = g_new0(struct ledger_backing, count);
	for (uint32_t i = 0; i < count; i++)
		entries[i] = (struct ledger_backing){ (uint64_t)id << 32 | i, 4096, 0 };
	ledger_book_set_backing(f->book, id, entries, count);
}

static void assert_backing(struct fixture *f, uint32_t id, uint32_t count)
{
	const struct ledger_resource *r = find(f, id);
	g_assert_nonnull(r);
	g_assert_cmpuint(r->backing_count, ==, count);
	for (uint32_t i = 0; i < count; i++)
		g_assert_cmphex(f->ledger->backing[r->backing_first + i].guest_addr, ==,
			(uint64_t)id << 32 | i);
}

/* A successor finds what existed when its predecessor died. */
static void test_again(struct fixture *f, gconstpointer data)
{
	static const char name[64] = "someone";
	g_assert_cmphex(f->ledger->magic, ==, LEDGER_MAGIC);
	g_assert_cmphex(f->ledger->rings[1].returning, ==, LEDGER_NO_CHAIN);
	add(f, 7);
	back(f, 7, 3);
	ledger_book_add_context(f->book, 5, name);
	ledger_book_note_painted(f->book, 5);
	ledger_book_note_painted(f->book, 6);
	ledger_book_set_scanout(f->book, 2, &(struct ledger_scanout){ 7, 1, 2, 3, 4 });
	ledger_book_close(f->book);
	f->book = ledger_book_open(f->fd);
	f->ledger = ledger_book_peek(f->book);
	assert_backing(f, 7, 3);
	g_assert_cmpuint(f->ledger->contexts[0].id, ==, 5);
	g_assert_cmpstr(f->ledger->contexts[0].name, ==, "someone");
	g_assert_cmpuint(f->ledger->scanouts[2].resource, ==, 7);
	g_assert_cmpuint(f->ledger->scanouts[2].height, ==, 4);
	g_assert_cmpuint(f->ledger->contexts[0].has_painted, ==, 1);
	ledger_book_remove_context(f->book, 5);
	g_assert_cmpuint(f->ledger->contexts[0].id, ==, 0);
	ledger_book_add_context(f->book, 6, name);
	g_assert_cmpuint(f->ledger->contexts[0].has_painted, ==, 0);
	ledger_book_remove_context(f->book, 6);
	ledger_book_remove_resource(f->book, 7);
	g_assert_null(find(f, 7));
}

/* The arena of backing pages is compacted, and no page is lost or mixed up. */
static void test_compact(struct fixture *f, gconstpointer data)
{
	const uint32_t count = LEDGER_BACKING_MAX / 8;
	for (uint32_t id = 1; id <= 8; id++) {
		add(f, id);
		back(f, id, count);
	}
	g_assert_cmpuint(f->ledger->backing_used, ==, LEDGER_BACKING_MAX);
	ledger_book_set_backing(f->book, 1, NULL, 0);
	ledger_book_remove_resource(f->book, 4);
	ledger_book_set_backing(f->book, 8, NULL, 0);
	add(f, 9);
	back(f, 9, count + 1);
	g_assert_cmpuint(f->ledger->overflowed, ==, 0);
	static const uint32_t left[] = { 2, 3, 5, 6, 7 };
	for (unsigned i = 0; i < G_N_ELEMENTS(left); i++)
		assert_backing(f, left[i], count);
	assert_backing(f, 9, count + 1);
	back(f, 8, LEDGER_BACKING_MAX / 2);
	g_assert_cmpuint(f->ledger->overflowed, ==, 1);
	assert_backing(f, 8, 0);
	assert_backing(f, 9, count + 1);
}

/* The arena is not compacted for little, since all of it is moved. */
static void test_compact_seldom(struct fixture *f, gconstpointer data)
{
	const uint32_t few = LEDGER_BACKING_MAX / 64;
	for (uint32_t id = 1; id <= 64; id++) {
		add(f, id);
		back(f, id, few);
	}
	for (uint32_t id = 1; id <= 3; id++) {
		ledger_book_remove_resource(f->book, id);
		add(f, 100 + id);
		back(f, 100 + id, few);
		assert_backing(f, 100 + id, 0);
	}
	g_assert_cmpuint(f->ledger->overflowed, ==, 1);
	ledger_book_remove_resource(f->book, 4);
	back(f, 101, few);
	assert_backing(f, 101, few);
	assert_backing(f, 64, few);
}

/* The keeper's refusals hold until their time, and a new guest is refused nothing. */
static void test_refusals(struct fixture *f, gconstpointer data)
{
	static const char evil[64] = "evil", other[64] = "evi";
	struct ledger *ledger = (struct ledger *)f->ledger;
	g_assert_false(ledger_book_is_refused(f->book, evil, 0));
	ledger->refusals[5] = (struct ledger_refusal){ .until_ns = 100, .name = "evil" };
	g_assert_true(ledger_book_is_refused(f->book, evil, 99));
	g_assert_false(ledger_book_is_refused(f->book, evil, 100));
	g_assert_false(ledger_book_is_refused(f->book, other, 99));
	ledger_book_clear_objects(f->book);
	g_assert_true(ledger_book_is_refused(f->book, evil, 99));
	ledger->refusals[31] = (struct ledger_refusal){ .until_ns = 50, .any_name = 1 };
	g_assert_true(ledger_book_is_refused(f->book, other, 49));
	g_assert_false(ledger_book_is_refused(f->book, other, 50));
	ledger_book_clear_refusals(f->book);
	g_assert_false(ledger_book_is_refused(f->book, evil, 1));
	g_assert_false(ledger_book_is_refused(NULL, evil, 1));
}

static void test_full(struct fixture *f, gconstpointer data)
{
	for (uint32_t id = 1; id <= LEDGER_RESOURCES_MAX; id++)
		add(f, id);
	g_assert_cmpuint(f->ledger->overflowed, ==, 0);
	add(f, 99999);
	g_assert_cmpuint(f->ledger->overflowed, ==, 1);
	ledger_book_remove_resource(f->book, 1000);
	add(f, 99999);
	g_assert_nonnull(find(f, 99999));
	ledger_book_clear_objects(f->book);
	g_assert_null(find(f, 1));
	add(f, 1);
	g_assert_nonnull(find(f, 1));
}

/* Nonsense in the ledger is as harmless as nonsense from a guest. */
static void test_hostile(struct fixture *f, gconstpointer data)
{
	struct ledger *l = (struct ledger *)f->ledger;
	add(f, 1);
	back(f, 1, 10);
	l->resources[0].backing_first = 0xfffffff0;
	l->backing_used = 0xffffffff;
	add(f, 2);
	back(f, 2, 10);
	assert_backing(f, 2, 10);
	g_assert_cmpuint(find(f, 1)->backing_count, ==, 0);
	l->version = 77;
	ledger_book_close(f->book);
	f->book = ledger_book_open(f->fd);
	f->ledger = ledger_book_peek(f->book);
	g_assert_null(find(f, 1));
	g_assert_cmpuint(f->ledger->version, ==, LEDGER_VERSION);
}

static void test_unsealed(void)
{
	int fd = g_file_open_tmp("vitrine-ledger-XXXXXX", NULL, NULL);
	g_assert_null(ledger_book_open(fd));
	close(fd);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add("/ledger/again", struct fixture, NULL, set_up, test_again, tear_down);
	g_test_add("/ledger/compact", struct fixture, NULL, set_up, test_compact, tear_down);
	g_test_add("/ledger/compact-seldom", struct fixture, NULL, set_up, test_compact_seldom,
		tear_down);
	g_test_add("/ledger/refusals", struct fixture, NULL, set_up, test_refusals, tear_down);
	g_test_add("/ledger/full", struct fixture, NULL, set_up, test_full, tear_down);
	g_test_add("/ledger/hostile", struct fixture, NULL, set_up, test_hostile, tear_down);
	g_test_add_func("/ledger/unsealed", test_unsealed);
	return g_test_run();
}
