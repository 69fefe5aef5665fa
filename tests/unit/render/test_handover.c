/* SPDX-License-Identifier: MIT */
/* handover: tests news of the main thread, which are accepted when the test says so. */
#include <glib.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/link.h"
#include "common/shm.h"
#include "guest.h"
#include "render/commands/commands.h"
#include "render/handover.h"
#include "render/memory_wait.h"
#include "render/objects/ledger_book.h"
#include "render/objects/objects.h"
#include "render/rebuild.h"
#include "render/scanout/scanouts.h"
#include "tests/unit/render/picture_limits.h"

#define FORMAT VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM

struct fixture {
	struct guest guest;
	struct handover *handover;
	struct rebuild rebuild;
	struct memory_wait wait;
	struct handover_takers takers;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	guest_init(&f->guest);
	const struct quota_limits limits = picture_limits(1u << 20);
	struct objects *objects = objects_create(&limits);
	struct scanouts *scanouts = scanouts_create(objects, false);
	f->handover = handover_create();
	rebuild_init(&f->rebuild, objects, scanouts, false);
	f->takers = (struct handover_takers){ objects, scanouts,
		commands_create(objects, scanouts, false), &f->rebuild, &f->wait };
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	rebuild_drop(&f->rebuild);
	commands_destroy(f->takers.commands);
	scanouts_destroy(f->takers.scanouts);
	objects_destroy(f->takers.objects);
	handover_destroy(f->handover);
	guest_finish(&f->guest);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 0) == 1;
}

static void give_memory(struct fixture *f)
{
	struct memory *memory = guest_make_table(&f->guest, GUEST_ADDR);
	handover_set_memory(f->handover, memory);
	memory_unref(memory);
}

static void create(struct fixture *f, uint32_t id)
{
	struct ledger_resource d = { .id = id, .format = FORMAT, .width = 8, .height = 8 };
	g_assert_cmphex(
		objects_create_resource(f->takers.objects, &d), ==, VIRTIO_GPU_RESP_OK_NODATA);
}

/* Nothing is in force before it is accepted; of each kind the newest counts. */
static void test_memory(struct fixture *f, gconstpointer data)
{
	g_assert_false(handover_has_news(f->handover));
	give_memory(f);
	give_memory(f);
	g_assert_true(handover_has_news(f->handover));
	g_assert_true(is_readable(handover_get_wake_fd(f->handover)));
	g_assert_false(objects_has_memory(f->takers.objects));
	memory_wait_begin(&f->wait, 1000);
	handover_accept(f->handover, &f->takers);
	g_assert_true(objects_has_memory(f->takers.objects));
	g_assert_false(memory_wait_goes_on(&f->wait, 1000));
	g_assert_false(handover_has_news(f->handover));
	handover_drain_wake(f->handover);
	g_assert_false(is_readable(handover_get_wake_fd(f->handover)));
}

/* Objects live until the reset is accepted, and a wait is over then. */
static void test_reset(struct fixture *f, gconstpointer data)
{
	create(f, 5);
	memory_wait_begin(&f->wait, 1000);
	handover_set_reset(f->handover);
	g_assert_nonnull(objects_find_resource(f->takers.objects, 5));
	give_memory(f);
	handover_accept(f->handover, &f->takers);
	g_assert_null(objects_find_resource(f->takers.objects, 5));
	g_assert_false(memory_wait_goes_on(&f->wait, 1000));
	g_assert_true(memory_wait_is_allowed(&f->wait));
	g_assert_true(objects_has_memory(f->takers.objects));
}

/* A reset comes with a ledger: the guest of which the ledger speaks is gone. */
static void test_ledger_and_reset(struct fixture *f, gconstpointer data)
{
	int fd = shm_create("ledger", sizeof(struct ledger));
	struct ledger_book *book = ledger_book_open(fd);
	struct ledger_resource d = { .id = 5, .format = FORMAT, .width = 8, .height = 8 };
	ledger_book_add_resource(book, &d);
	handover_set_ledger(f->handover, book);
	handover_accept(f->handover, &f->takers);
	g_assert_true(rebuild_is_wanted(&f->rebuild));
	handover_set_ledger(f->handover, ledger_book_open(fd));
	handover_set_reset(f->handover);
	handover_accept(f->handover, &f->takers);
	g_assert_false(rebuild_is_wanted(&f->rebuild));
	g_assert_cmpuint(objects_peek_ledger(f->takers.objects)->resources[0].id, ==, 0);
	close(fd);
}

static void test_frame_link(struct fixture *f, gconstpointer data)
{
	int pair[2];
	short events;
	for (unsigned i = 0; i < 2; i++) {
		g_assert_cmpint(link_pair(pair), ==, 0);
		handover_set_frame_link(f->handover, pair[1]);
		if (i == 0)
			close(pair[0]);
	}
	g_assert_cmpint(scanouts_get_poll(f->takers.scanouts, &events), ==, -1);
	handover_accept(f->handover, &f->takers);
	g_assert_cmpint(scanouts_get_poll(f->takers.scanouts, &events), ==, pair[1]);
	/* The renderer says HELLO. */
	g_assert_true(is_readable(pair[0]));
	close(pair[0]);
}

/* A request counts as answered only when the link was read after it was taken. */
static void test_ask(struct fixture *f, gconstpointer data)
{
	g_assert_false(is_readable(handover_get_ask_fd(f->handover)));
	handover_ask_keeper(f->handover);
	g_assert_true(is_readable(handover_get_ask_fd(f->handover)));
	g_assert_false(handover_is_keeper_read(f->handover));
	unsigned first = handover_take_request(f->handover);
	g_assert_false(is_readable(handover_get_ask_fd(f->handover)));
	handover_ask_keeper(f->handover);
	handover_keeper_read(f->handover, first);
	g_assert_false(handover_is_keeper_read(f->handover));
	handover_keeper_read(f->handover, handover_take_request(f->handover));
	g_assert_true(handover_is_keeper_read(f->handover));
	g_assert_true(is_readable(handover_get_wake_fd(f->handover)));
}

/* With one descriptor left it has none of the two. */
static void test_no_descriptors(struct fixture *f, gconstpointer data)
{
	struct rlimit before, limit;
	int next_fd = dup(STDIN_FILENO);
	g_assert_cmpint(next_fd, >=, 0);
	close(next_fd);
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	for (int n_left = 0; n_left < 2; n_left++) {
		limit = before;
		limit.rlim_cur = (rlim_t)(next_fd + n_left);
		g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
		g_assert_null(handover_create());
	}
	setrlimit(RLIMIT_NOFILE, &before);
	int again_fd = dup(STDIN_FILENO);
	g_assert_cmpint(again_fd, ==, next_fd);
	close(again_fd);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/handover/memory", test_memory },
		{ "/handover/reset", test_reset },
		{ "/handover/ledger-and-reset", test_ledger_and_reset },
		{ "/handover/frame-link", test_frame_link },
		{ "/handover/ask", test_ask },
		{ "/handover/no-descriptors", test_no_descriptors },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
