/* SPDX-License-Identifier: MIT */
/*
 * keeper_end: tests the renderer's main thread; the test is the keeper at the other end of its
 * link, and the guest. What the keeper says wrong ends the link as a fault; link.h handles a
 * descriptor too many or too few.
 */
#include "render/keeper_end.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/shm.h"
#include "protocol/keeper_link.h"
#include "protocol/ledger.h"
#include "render/gpu_thread.h"
#include "tests/unit/render/guest.h"
#include "tests/unit/render/picture_limits.h"

#define HEADER_BYTES sizeof(struct virtio_gpu_ctrl_hdr)
#define CONTROL 0
#define CURSOR 1
#define WAIT_MS 20000

struct fixture {
	struct guest guest;
	int fd; /* the keeper's end */
	int renderer_fd;
	struct gpu *gpu;
	GThread *thread;
	gint ended; /* atomic: the main thread is over */
	int kick_fd;
	struct keeper_ready ready;
	struct keeper_ring_stopped stopped;
};

static gpointer run(gpointer user)
{
	struct fixture *f = user;
	const struct confine_state walls = { .held = 1u << CONFINE_LANDLOCK };
	int status = keeper_end_run(f->renderer_fd, f->gpu, &walls);
	g_atomic_int_set(&f->ended, 1);
	return GINT_TO_POINTER(status);
}

/* ---- the keeper ---- */

static bool on_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->ready = *(const struct keeper_ready *)message;
	return true;
}

static bool on_stopped(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->stopped = *(const struct keeper_ring_stopped *)message;
	return true;
}

static const struct link_handler handlers[] = {
	{ KEEPER_MESSAGE_READY, "READY", sizeof(struct keeper_ready), 0, 0, on_ready },
	{ KEEPER_MESSAGE_RING_STOPPED, "RING_STOPPED", sizeof(struct keeper_ring_stopped), 0, 0,
		on_stopped },
};

static void hear(struct fixture *f)
{
	g_assert_true(link_wait_readable(f->fd, WAIT_MS));
	g_assert_cmpint(
		link_dispatch(f->fd, "renderer", handlers, G_N_ELEMENTS(handlers), f), ==, 1);
}

static void say(struct fixture *f, uint32_t type, void *message, size_t size_bytes, const int *fds,
	unsigned n_fds)
{
	((struct link_header *)message)->type = type;
	g_assert_cmpint(link_send(f->fd, message, size_bytes, fds, n_fds), ==, 0);
}

static void say_begin(struct fixture *f, uint32_t n_regions)
{
	struct keeper_memory_begin begin = { .n_regions = n_regions };
	say(f, KEEPER_MESSAGE_MEMORY_BEGIN, &begin, sizeof(begin), NULL, 0);
}

/* Tells the guest's memory, moved by offset_bytes from its place. */
static void say_region(struct fixture *f, uint64_t offset_bytes)
{
	struct keeper_memory_region region;
	struct keeper_ring_start start;
	guest_describe(&f->guest, &region, &start);
	region.guest_addr += offset_bytes;
	region.user_addr += offset_bytes;
	say(f, KEEPER_MESSAGE_MEMORY_REGION, &region, sizeof(region), &f->guest.fd, 1);
}

static void say_commit(struct fixture *f)
{
	struct keeper_memory_commit commit = { 0 };
	say(f, KEEPER_MESSAGE_MEMORY_COMMIT, &commit, sizeof(commit), NULL, 0);
}

static void say_memory(struct fixture *f)
{
	say_begin(f, 1);
	say_region(f, 0);
	say_commit(f);
}

static void say_start(struct fixture *f, uint32_t ring)
{
	struct keeper_memory_region region;
	struct keeper_ring_start start;
	guest_describe(&f->guest, &region, &start);
	start.ring = ring;
	say(f, KEEPER_MESSAGE_RING_START, &start, sizeof(start), &f->kick_fd, 1);
}

static void say_stop(struct fixture *f, uint32_t ring, uint32_t serial)
{
	struct keeper_ring_stop stop = { .ring = ring, .serial = serial };
	say(f, KEEPER_MESSAGE_RING_STOP, &stop, sizeof(stop), NULL, 0);
}

static void say_call(struct fixture *f, uint32_t ring, int call_fd)
{
	struct keeper_ring_call call = { .ring = ring };
	say(f, KEEPER_MESSAGE_RING_CALL, &call, sizeof(call), &call_fd, call_fd >= 0);
}

static void say_ledger(struct fixture *f, int fd)
{
	struct keeper_ledger ledger = { 0 };
	say(f, KEEPER_MESSAGE_LEDGER, &ledger, sizeof(ledger), &fd, 1);
}

/* ---- life ---- */

static void set_up(struct fixture *f, gconstpointer data)
{
	const struct gpu_options options = { .quotas = picture_limits(1u << 20) };
	char verdict[GPU_VERDICT_BYTES];
	int pair[2];
	guest_init(&f->guest);
	guest_clear_ring(&f->guest);
	f->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	f->gpu = gpu_start(&options, verdict);
	g_assert_nonnull(f->gpu);
	g_assert_cmpint(link_pair(pair), ==, 0);
	f->fd = pair[0];
	f->renderer_fd = pair[1];
	f->thread = g_thread_new("main", run, f);
	hear(f);
}

/* Waits for the main thread's end; returns its status. */
static int join(struct fixture *f)
{
	gint64 end_us = g_get_monotonic_time() + WAIT_MS * 1000;
	while (!g_atomic_int_get(&f->ended) && g_get_monotonic_time() < end_us)
		g_usleep(200);
	g_assert_true(g_atomic_int_get(&f->ended));
	int status = GPOINTER_TO_INT(g_thread_join(g_steal_pointer(&f->thread)));
	close(f->renderer_fd);
	return status;
}

static void leave(struct fixture *f)
{
	close(f->fd);
	f->fd = -1;
	g_assert_cmpint(join(f), ==, EXIT_SUCCESS);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	if (f->thread)
		leave(f);
	if (f->fd >= 0)
		close(f->fd);
	close(f->kick_fd);
	virtqueue_stop(gpu_get_control_queue(f->gpu));
	guest_finish(&f->guest);
}

static void wait_used(struct fixture *f, unsigned n)
{
	gint64 end_us = g_get_monotonic_time() + WAIT_MS * 1000;
	while (guest_count_used(&f->guest) < n && g_get_monotonic_time() < end_us)
		g_usleep(200);
	g_assert_cmpuint(guest_count_used(&f->guest), ==, n);
}

static unsigned submit(struct fixture *f, uint32_t type, size_t answer_bytes)
{
	struct virtio_gpu_ctrl_hdr ask = { .type = type };
	unsigned slot = guest_submit(&f->guest, &ask, sizeof(ask), answer_bytes);
	g_assert_cmpint(eventfd_write(f->kick_fd, 1), ==, 0);
	return slot;
}

static unsigned ask_modes(struct fixture *f)
{
	return submit(
		f, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, sizeof(struct virtio_gpu_resp_display_info));
}

/* ---- tests ---- */

static void test_ready(struct fixture *f, gconstpointer data)
{
	g_assert_cmpuint(f->ready.version, ==, KEEPER_LINK_VERSION);
	g_assert_cmpuint(f->ready.n_capsets, ==, 0);
	g_assert_cmphex(f->ready.walls.held, ==, 1u << CONFINE_LANDLOCK);
	leave(f);
}

/* Work that lies in the ring at its start is done without a kick; a stopped ring is left alone. */
static void test_ring(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_ctrl_hdr ask = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	const size_t answer_bytes = sizeof(struct virtio_gpu_resp_display_info);
	unsigned slot = guest_submit(&f->guest, &ask, sizeof(ask), answer_bytes);
	say_memory(f);
	say_start(f, CONTROL);
	wait_used(f, 1);
	g_assert_cmphex(guest_answer_type(&f->guest, slot), ==, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	ask_modes(f);
	wait_used(f, 2);
	say_stop(f, CONTROL, 4711);
	hear(f);
	g_assert_cmpuint(f->stopped.ring, ==, CONTROL);
	g_assert_cmpuint(f->stopped.serial, ==, 4711);
	g_assert_cmpuint(f->stopped.next_avail, ==, 2);
	ask_modes(f);
	say_stop(f, CURSOR, 4712);
	hear(f);
	g_assert_cmpuint(f->stopped.serial, ==, 4712);
	g_assert_cmpuint(guest_count_used(&f->guest), ==, 2);
}

static void test_call(struct fixture *f, gconstpointer data)
{
	eventfd_t n;
	int call_fd = eventfd(0, EFD_CLOEXEC);
	say_memory(f);
	say_start(f, CONTROL);
	say_call(f, CONTROL, call_fd);
	/* One interrupt too many does no harm: it may have been due before. */
	g_assert_cmpint(eventfd_read(call_fd, &n), ==, 0);
	ask_modes(f);
	g_assert_cmpint(eventfd_read(call_fd, &n), ==, 0);
	wait_used(f, 1);
	say_call(f, CONTROL, -1);
	ask_modes(f);
	wait_used(f, 2);
	close(call_fd);
}

/* The main thread works the cursor queue itself. */
static void test_cursor(struct fixture *f, gconstpointer data)
{
	say_memory(f);
	say_start(f, CURSOR);
	submit(f, 0x7777, 0);
	wait_used(f, 1);
}

/* What a dead renderer had taken from the ring is given back before all else. */
static void test_cursor_orphans(struct fixture *f, gconstpointer data)
{
	int fd = shm_create("ledger", sizeof(struct ledger));
	struct ledger *ledger = shm_map(fd, sizeof(*ledger), true);
	ledger->magic = LEDGER_MAGIC;
	ledger->version = LEDGER_VERSION;
	guest_submit(&f->guest, "", 1, 0);
	guest_submit(&f->guest, "", 1, 0);
	ledger->rings[CURSOR].taken[2] = 1;
	ledger->rings[CURSOR].returning = LEDGER_NO_CHAIN;
	ledger->rings[CURSOR].next_avail = 2;
	say_ledger(f, fd);
	say_memory(f);
	struct keeper_memory_region region;
	struct keeper_ring_start start;
	guest_describe(&f->guest, &region, &start);
	start.ring = CURSOR;
	start.next_avail = 2;
	say(f, KEEPER_MESSAGE_RING_START, &start, sizeof(start), &f->kick_fd, 1);
	wait_used(f, 1);
	g_assert_cmpuint(guest_get_used(&f->guest, 0), ==, 1);
	leave(f);
	g_assert_cmpuint(ledger->rings[CURSOR].taken[2], ==, 0);
	shm_unmap(ledger, sizeof(*ledger));
	close(fd);
}

/* The ring's new driver hears nothing of the old one's commands. */
static void test_reset(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_resource_create_2d c = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = 1,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = 8,
		.height = 8 };
	struct keeper_reset reset = { 0 };
	say_memory(f);
	for (unsigned i = 0; i < 3; i++) {
		say_start(f, CONTROL);
		unsigned slot = guest_submit(&f->guest, &c, sizeof(c), HEADER_BYTES);
		eventfd_write(f->kick_fd, 1);
		wait_used(f, 1);
		g_assert_cmphex(guest_answer_type(&f->guest, slot), ==, VIRTIO_GPU_RESP_OK_NODATA);
		say_stop(f, CONTROL, i);
		hear(f);
		say(f, KEEPER_MESSAGE_RESET, &reset, sizeof(reset), NULL, 0);
		guest_clear_ring(&f->guest);
	}
}

/* A table replaces the one before, however often. */
static void test_tables(struct fixture *f, gconstpointer data)
{
	say_begin(f, 5);
	say_memory(f);
	say_memory(f);
	say_start(f, CONTROL);
	for (unsigned i = 1; i <= 20; i++) {
		ask_modes(f);
		wait_used(f, i);
		say_memory(f);
	}
}

/* ---- what the keeper gets wrong ---- */

static void many_regions(struct fixture *f)
{
	say_begin(f, KEEPER_MEMORY_REGIONS_MAX + 1);
}

static void region_without_begin(struct fixture *f)
{
	say_region(f, GUEST_BYTES);
}

static void region_too_many(struct fixture *f)
{
	say_begin(f, 1);
	say_region(f, 0);
	say_region(f, GUEST_BYTES);
}

static void region_after_commit(struct fixture *f)
{
	say_memory(f);
	say_region(f, GUEST_BYTES);
}

static void regions_that_overlap(struct fixture *f)
{
	say_begin(f, 2);
	say_region(f, 0);
	say_region(f, GUEST_BYTES / 2);
}

static void commit_without_begin(struct fixture *f)
{
	say_commit(f);
}

static void commit_too_early(struct fixture *f)
{
	say_begin(f, 2);
	say_region(f, 0);
	say_commit(f);
}

static void start_of_no_ring(struct fixture *f)
{
	say_start(f, KEEPER_RINGS);
}

static void stop_of_no_ring(struct fixture *f)
{
	say_stop(f, UINT32_MAX, 1);
}

static void call_of_no_ring(struct fixture *f)
{
	say_call(f, KEEPER_RINGS, -1);
}

static void second_ledger(struct fixture *f)
{
	int fd = shm_create("ledger", sizeof(struct ledger));
	say_ledger(f, fd);
	say_ledger(f, fd);
	close(fd);
}

static void short_ledger(struct fixture *f)
{
	int fd = shm_create("ledger", 4096);
	say_ledger(f, fd);
	close(fd);
}

static void short_stats(struct fixture *f)
{
	struct keeper_stats stats = { 0 };
	int fd = shm_create("stats", 4096);
	say(f, KEEPER_MESSAGE_STATS, &stats, sizeof(stats), &fd, 1);
	close(fd);
}

static void unknown_message(struct fixture *f)
{
	struct keeper_reset message = { 0 };
	say(f, KEEPER_MESSAGE_TICKET, &message, sizeof(message), NULL, 0);
}

struct fault {
	const char *name;
	void (*commit)(struct fixture *f);
};

static void test_fault(struct fixture *f, gconstpointer data)
{
	const struct fault *fault = data;
	fault->commit(f);
	g_assert_cmpint(join(f), ==, EXIT_FAILURE);
}

static const struct fault faults[] = {
	{ "many-regions", many_regions },
	{ "region-without-begin", region_without_begin },
	{ "region-too-many", region_too_many },
	{ "region-after-commit", region_after_commit },
	{ "regions-that-overlap", regions_that_overlap },
	{ "commit-without-begin", commit_without_begin },
	{ "commit-too-early", commit_too_early },
	{ "start-of-no-ring", start_of_no_ring },
	{ "stop-of-no-ring", stop_of_no_ring },
	{ "call-of-no-ring", call_of_no_ring },
	{ "second-ledger", second_ledger },
	{ "short-ledger", short_ledger },
	{ "short-stats", short_stats },
	{ "unknown-message", unknown_message },
};

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/keeper-end/ready", test_ready },
		{ "/keeper-end/ring", test_ring },
		{ "/keeper-end/call", test_call },
		{ "/keeper-end/cursor", test_cursor },
		{ "/keeper-end/cursor-orphans", test_cursor_orphans },
		{ "/keeper-end/reset", test_reset },
		{ "/keeper-end/tables", test_tables },
	};
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
		g_autofree char *name = g_strconcat("/keeper-end/fault/", faults[i].name, NULL);
		g_test_add(name, struct fixture, &faults[i], set_up, test_fault, tear_down);
	}
	int status = g_test_run();
	/* The gpu threads still run, so we leave without destructors, as the program does. */
	fflush(stdout);
	_exit(status);
}
