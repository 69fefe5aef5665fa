/* SPDX-License-Identifier: MIT */
/*
 * gpu_thread: tests the thread that works the control queue: its start, and what the main thread
 * tells it while it sleeps and while it waits for memory.
 */
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/link.h"
#include "common/log.h"
#include "common/shm.h"
#include "render/gpu_thread.h"
#include "render/memory_wait.h"
#include "render/objects/ledger_book.h"
#include "render/ring/virtqueue.h"
#include "tests/unit/render/guest.h"
#include "tests/unit/render/picture_limits.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define TAKEN VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define SIDE 16u
#define ELSEWHERE (GUEST_ADDR + GUEST_BYTES)
#define QUOTA_BYTES (1u << 20)
#define HEADER_BYTES sizeof(struct virtio_gpu_ctrl_hdr)
#define WAIT_US (20 * G_USEC_PER_SEC)
/* We wait this long for what must not come. */
#define NEVER_US 30000

struct fixture {
	struct guest guest;
	struct gpu *gpu;
	struct virtqueue *queue;
	int kick_fd;
};

/* Starts a gpu thread. It runs until the process ends, so each test leaves one behind, asleep. */
static void set_up(struct fixture *f, gconstpointer data)
{
	const struct gpu_options options = { .quotas = picture_limits(QUOTA_BYTES) };
	char verdict[GPU_VERDICT_BYTES];
	guest_init(&f->guest);
	f->gpu = gpu_start(&options, verdict);
	g_assert_nonnull(f->gpu);
	f->queue = gpu_get_control_queue(f->gpu);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	virtqueue_stop(f->queue);
	gpu_wake(f->gpu);
	guest_finish(&f->guest);
}

static void give_memory(struct fixture *f, uint64_t addr)
{
	struct memory *memory = guest_make_table(&f->guest, addr);
	gpu_set_memory(f->gpu, memory);
	memory_unref(memory);
}

static void start_ring(struct fixture *f)
{
	struct keeper_memory_region region;
	struct keeper_ring_start start;
	guest_describe(&f->guest, &region, &start);
	guest_clear_ring(&f->guest);
	f->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	g_assert_true(virtqueue_start(f->queue, &start, dup(f->kick_fd), -1));
	gpu_wake(f->gpu);
}

static bool wait_used(struct fixture *f, unsigned n, gint64 span_us)
{
	gint64 end_us = g_get_monotonic_time() + span_us;
	while (guest_count_used(&f->guest) < n && g_get_monotonic_time() < end_us)
		g_usleep(200);
	return guest_count_used(&f->guest) >= n;
}

static unsigned submit(struct fixture *f, const void *request, size_t request_bytes)
{
	unsigned slot = guest_submit(&f->guest, request, request_bytes, HEADER_BYTES);
	g_assert_cmpint(eventfd_write(f->kick_fd, 1), ==, 0);
	return slot;
}

static uint32_t command(struct fixture *f, const void *request, size_t request_bytes)
{
	unsigned n = guest_count_used(&f->guest);
	unsigned slot = submit(f, request, request_bytes);
	g_assert_true(wait_used(f, n + 1, WAIT_US));
	return guest_answer_type(&f->guest, slot);
}

static uint32_t create(struct fixture *f, uint32_t id)
{
	struct virtio_gpu_resource_create_2d c = guest_make_create_2d(id, SIDE);
	return command(f, &c, sizeof(c));
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, timeout_ms) == 1;
}

/* Returns false when the gpu thread may have given up by itself because this machine is busy. */
static bool is_in_time(gint64 begin_us)
{
	return g_get_monotonic_time() - begin_us < MEMORY_WAIT_KEEPER_US * 3 / 4;
}

/* ---- tests ---- */

static void test_start(void)
{
	struct gpu_options options = { .quotas = picture_limits(QUOTA_BYTES),
		.render_node = "/nonexistent/renderD128" };
	char verdict[GPU_VERDICT_BYTES];
	g_assert_null(gpu_start(&options, verdict));
	g_assert_cmpstr(verdict, ==, "No such file or directory");
	options.render_node = NULL;
	struct gpu *gpu = gpu_start(&options, verdict);
	g_assert_nonnull(gpu);
	g_assert_cmpuint(gpu_count_capsets(gpu), ==, 0);
}

/* Each step of a start that fails says why, and nothing else is tried in its place. */
static void test_refused(void)
{
	struct gpu_options options = { .virgl = true,
		.quotas = picture_limits(QUOTA_BYTES),
		.render_node = "/nonexistent/renderD128" };
	char verdict[GPU_VERDICT_BYTES];
	g_assert_null(gpu_start(&options, verdict));
	g_assert_cmpstr(verdict, ==, "No such file or directory");
	options.hardware = true;
	options.render_node = "/dev/null";
	g_assert_null(gpu_start(&options, verdict));
	g_assert_cmpstr(verdict, ==, "it is no DRM device");
}

/* Memory that was given before the ring's start is in force for its first command. */
static void test_commands(struct fixture *f, gconstpointer data)
{
	give_memory(f, GUEST_ADDR);
	start_ring(f);
	g_assert_cmphex(create(f, 1), ==, OK);
	g_assert_cmphex(create(f, 1), ==, TAKEN);
	for (uint32_t id = 2; id < 200; id++)
		g_assert_cmphex(create(f, id), ==, OK);
}

static void test_quota(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_resource_create_2d c = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = 1,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = 512,
		.height = 512 };
	give_memory(f, GUEST_ADDR);
	start_ring(f);
	g_assert_cmphex(command(f, &c, sizeof(c)), ==, OK);
	g_assert_cmphex(create(f, 2), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
}

/* What the new driver makes first has the id of something that the old one left. */
static void test_reset(struct fixture *f, gconstpointer data)
{
	give_memory(f, GUEST_ADDR);
	start_ring(f);
	for (unsigned i = 0; i < 50; i++) {
		g_assert_cmphex(create(f, 1), ==, OK);
		virtqueue_stop(f->queue);
		gpu_reset(f->gpu);
		close(f->kick_fd);
		start_ring(f);
	}
}

static void test_ledger(struct fixture *f, gconstpointer data)
{
	const struct ledger_resource d = {
		.id = 5, .format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, .width = SIDE, .height = SIDE
	};
	int fd = shm_create("ledger", sizeof(struct ledger));
	struct ledger_book *book = ledger_book_open(fd);
	ledger_book_add_resource(book, &d);
	gpu_set_ledger(f->gpu, book);
	give_memory(f, GUEST_ADDR);
	start_ring(f);
	g_assert_cmphex(create(f, 5), ==, TAKEN);
	g_assert_cmphex(create(f, 6), ==, OK);
	close(fd);
}

static void test_frame_link(struct fixture *f, gconstpointer data)
{
	int pair[2];
	g_assert_cmpint(link_pair(pair), ==, 0);
	gpu_set_frame_link(f->gpu, pair[1]);
	/* The renderer says HELLO. */
	g_assert_true(is_readable(pair[0], WAIT_US / 1000));
	close(pair[0]);
}

static unsigned attach_elsewhere(struct fixture *f)
{
	struct {
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_mem_entry entry;
	} c = { { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
			.resource_id = 1,
			.nr_entries = 1 },
		{ .addr = ELSEWHERE + GUEST_BYTES / 2, .length = SIDE * SIDE * 4 } };
	give_memory(f, GUEST_ADDR);
	start_ring(f);
	g_assert_cmphex(create(f, 1), ==, OK);
	return submit(f, &c, sizeof(c));
}

/*
 * The thread asks for the keeper's link to be read, and holds the answer back until that was done.
 */
static void test_waits_in_vain(struct fixture *f, gconstpointer data)
{
	gint64 begin_us = g_get_monotonic_time();
	unsigned slot = attach_elsewhere(f);
	g_assert_true(is_readable(gpu_get_ask_fd(f->gpu), WAIT_US / 1000));
	bool answered = wait_used(f, 2, NEVER_US);
	g_assert_true(!answered || !is_in_time(begin_us));
	gpu_keeper_read(f->gpu, gpu_take_request(f->gpu));
	g_assert_true(wait_used(f, 2, WAIT_US));
	g_assert_cmphex(guest_answer_type(&f->guest, slot), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
}

/* The table that the thread waited for has come with what was read. */
static void test_waits(struct fixture *f, gconstpointer data)
{
	gint64 begin_us = g_get_monotonic_time();
	unsigned slot = attach_elsewhere(f);
	g_assert_true(is_readable(gpu_get_ask_fd(f->gpu), WAIT_US / 1000));
	unsigned request = gpu_take_request(f->gpu);
	struct memory *wider = guest_make_table(&f->guest, GUEST_ADDR);
	struct keeper_memory_region more = {
		.guest_addr = ELSEWHERE, .user_addr = 0x600000000000, .size_bytes = GUEST_BYTES
	};
	g_assert_true(memory_add_region(wider, &more, f->guest.fd));
	gpu_set_memory(f->gpu, wider);
	bool in_time = is_in_time(begin_us);
	memory_unref(wider);
	gpu_keeper_read(f->gpu, request);
	g_assert_true(wait_used(f, 2, WAIT_US));
	if (in_time)
		g_assert_cmphex(guest_answer_type(&f->guest, slot), ==, OK);
	else
		g_test_skip("the machine is too busy: the keeper's time was over");
}

/* A reset comes while the thread waits: the command is not answered, and the next guest's is. */
static void test_waits_and_reset(struct fixture *f, gconstpointer data)
{
	attach_elsewhere(f);
	g_assert_true(is_readable(gpu_get_ask_fd(f->gpu), WAIT_US / 1000));
	virtqueue_stop(f->queue);
	gpu_reset(f->gpu);
	close(f->kick_fd);
	start_ring(f);
	g_assert_cmphex(create(f, 1), ==, OK);
	g_assert_cmpuint(guest_count_used(&f->guest), ==, 1);
}

/* This is the last test, since there is one virglrenderer a process. */
static void test_virgl(void)
{
	const struct gpu_options options = { .virgl = true, .quotas = picture_limits(QUOTA_BYTES) };
	char verdict[GPU_VERDICT_BYTES];
	struct gpu *gpu = gpu_start(&options, verdict);
	if (!gpu) {
		g_test_skip("virglrenderer does not start here");
		return;
	}
	g_assert_cmpuint(gpu_count_capsets(gpu), >, 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/gpu-thread/commands", test_commands },
		{ "/gpu-thread/quota", test_quota },
		{ "/gpu-thread/reset", test_reset },
		{ "/gpu-thread/ledger", test_ledger },
		{ "/gpu-thread/frame-link", test_frame_link },
		{ "/gpu-thread/waits-in-vain", test_waits_in_vain },
		{ "/gpu-thread/waits", test_waits },
		{ "/gpu-thread/waits-and-reset", test_waits_and_reset },
	};
	g_test_init(&argc, &argv, NULL);
	/* The threads log, as the program's do. */
	log_init("test-gpu-thread");
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/gpu-thread/start", test_start);
	g_test_add_func("/gpu-thread/refused", test_refused);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	g_test_add_func("/gpu-thread/virgl", test_virgl);
	int status = g_test_run();
	/* The threads still run, so we leave without destructors, as the program does. */
	fflush(stdout);
	_exit(status);
}
