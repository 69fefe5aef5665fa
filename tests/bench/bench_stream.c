/* SPDX-License-Identifier: MIT */
/*
 * bench_stream: says again, as a guest would, what a program of OpenGL once said, to the renderer's
 * own control queue in this process: the ring, commands, the checker and virglrenderer on software
 * OpenGL. It measures nothing itself: stream-cost counts its instructions under valgrind.
 *
 *   bench-stream FILE
 *
 * What resources held was not recorded: all memory is zeros, so that little is drawn, and the
 * checker's part comes out larger than it is.
 *
 * FILE is one that tests/mesa/record.h describes; transfers outside streams are left out. In the
 * first half of its submissions objects are made and shaders compiled; the second half is what a
 * program does all the time (play_steady).
 */
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "render/commands/commands.h"
#include "render/gl/egl.h"
#include "render/gl/virgl.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"
#include "tests/mesa/record.h"
#include "tests/unit/render/guest.h"

#define EXIT_NO_GL 77
#define PAGE_BYTES 4096u
/*
 * Requests lie at the start of the data; these pages, which all resources share, lie behind them.
 */
#define PAGES_ADDR (GUEST_DATA_ADDR + (1u << 20))
#define PAGES ((GUEST_BYTES - (2u << 20)) / PAGE_BYTES)
#define FENCES_MAX 100u   /* looked at for one command */
#define FENCE_MS_MAX 1000 /* under valgrind, on a busy machine */

struct replay {
	struct guest guest;
	struct objects *objects;
	struct scanouts *scanouts;
	struct commands *commands;
	uint32_t *words;
	size_t n_words;
	unsigned n_submits, n_commands, n_refused;
};

/* There is one for the process, since virglrenderer has one state a process. */
static struct replay replay;

/* ---- one command ---- */

static void on_fence(void *user, uint32_t sequence)
{
	commands_work_is_done(replay.commands, sequence);
}

/*
 * Sleeps until virglrenderer has a fence. Asking it again and again would count the more
 * instructions the longer its thread waits for a processor.
 */
static void wait_for_fence(void)
{
	struct pollfd fence = { virgl_get_poll_fd(), POLLIN, 0 };
	if (fence.fd < 0)
		g_error("virglrenderer has no descriptor to wait for");
	poll(&fence, 1, FENCE_MS_MAX);
	virgl_poll();
}

static void take(unsigned slot)
{
	struct chain *chain = commands_take(replay.commands);
	g_assert(chain && commands_execute(replay.commands, chain, false));
	for (unsigned i = 0; i < FENCES_MAX && guest_answer_type(&replay.guest, slot) == 0; i++)
		wait_for_fence();
	replay.n_refused += guest_answer_type(&replay.guest, slot) != VIRTIO_GPU_RESP_OK_NODATA;
}

/* Sends a request of request_bytes, with `more` behind it, and takes the answer. */
static void send(const void *request, size_t request_bytes, const void *more, size_t more_bytes)
{
	uint8_t *at = guest_at(&replay.guest, GUEST_DATA_ADDR);
	g_assert_cmpuint(request_bytes + more_bytes, <=, PAGES_ADDR - GUEST_DATA_ADDR);
	memcpy(at, request, request_bytes);
	if (more_bytes > 0)
		memcpy(at + request_bytes, more, more_bytes);
	take(guest_submit_at(&replay.guest, GUEST_DATA_ADDR, request_bytes + more_bytes,
		sizeof(struct virtio_gpu_ctrl_hdr)));
}

static void make_context(const uint32_t *w, uint32_t n)
{
	struct virtio_gpu_ctx_create c = {
		.hdr = { .type = VIRTIO_GPU_CMD_CTX_CREATE, .ctx_id = w[0] },
		.nlen = 4,
		.debug_name = "test",
	};
	send(&c, sizeof(c), NULL, 0);
}

static void end_context(const uint32_t *w, uint32_t n)
{
	struct virtio_gpu_ctx_destroy c = {
		.hdr = { .type = VIRTIO_GPU_CMD_CTX_DESTROY, .ctx_id = w[0] },
	};
	send(&c, sizeof(c), NULL, 0);
}

static void make_resource(const uint32_t *w, uint32_t n)
{
	struct virtio_gpu_resource_create_3d c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_3D,
		.resource_id = w[0],
		.target = w[1],
		.format = w[2],
		.bind = w[3],
		.width = w[4],
		.height = w[5],
		.depth = w[6],
		.array_size = w[7],
		.last_level = w[8],
		.nr_samples = w[9],
		.flags = w[10],
	};
	send(&c, sizeof(c), NULL, 0);
}

static void attach_backing(const uint32_t *w, uint32_t n)
{
	uint32_t n_pages = (w[1] + PAGE_BYTES - 1) / PAGE_BYTES;
	g_autofree struct virtio_gpu_mem_entry *pages =
		g_new0(struct virtio_gpu_mem_entry, n_pages);
	struct virtio_gpu_resource_attach_backing c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		.resource_id = w[0],
		.nr_entries = n_pages,
	};
	/*
	 * We take every other page, since virglrenderer would see pages that lie together as one
	 * piece.
	 */
	for (uint32_t i = 0; i < n_pages; i++)
		pages[i] = (struct virtio_gpu_mem_entry){
			.addr = PAGES_ADDR + i * 2 % PAGES * PAGE_BYTES,
			.length = PAGE_BYTES,
		};
	send(&c, sizeof(c), pages, n_pages * sizeof(*pages));
}

static void open_resource(const uint32_t *w, uint32_t n)
{
	struct virtio_gpu_ctx_resource c = {
		.hdr = { .type = VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, .ctx_id = w[0] },
		.resource_id = w[1],
	};
	send(&c, sizeof(c), NULL, 0);
}

static void end_resource(const uint32_t *w, uint32_t n)
{
	struct virtio_gpu_resource_unref c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF,
		.resource_id = w[0],
	};
	send(&c, sizeof(c), NULL, 0);
}

static void submit(const uint32_t *w, uint32_t n)
{
	struct virtio_gpu_cmd_submit c = {
		.hdr = { .type = VIRTIO_GPU_CMD_SUBMIT_3D,
			.flags = VIRTIO_GPU_FLAG_FENCE,
			.fence_id = ++replay.n_submits,
			.ctx_id = w[0] },
		.size = (n - 1) * 4,
	};
	for (uint32_t at = 1; at < n; at += 1 + (w[at] >> 16))
		replay.n_commands++;
	send(&c, sizeof(c), w + 1, (n - 1) * 4);
}

/* ---- the file ---- */

/* Plays the record at `at`; returns where the next one begins, or n_words at the end. */
static size_t play_one(size_t at)
{
	static void (*const records[])(const uint32_t *words, uint32_t n) = {
		[RECORD_CONTEXT] = make_context,
		[RECORD_CONTEXT_GONE] = end_context,
		[RECORD_RESOURCE] = make_resource,
		[RECORD_BACKING] = attach_backing,
		[RECORD_ATTACH] = open_resource,
		[RECORD_RESOURCE_GONE] = end_resource,
		[RECORD_SUBMIT] = submit,
	};
	const uint32_t *record = replay.words + at;
	if (replay.n_words - at < 2 || record[1] > replay.n_words - at - 2)
		g_error("the file ends in the middle of a record");
	if (record[0] < G_N_ELEMENTS(records) && records[record[0]])
		records[record[0]](record + 2, record[1]);
	return at + 2 + record[1];
}

static size_t play(size_t at, unsigned n_submits)
{
	while (at < replay.n_words && replay.n_submits < n_submits)
		at = play_one(at);
	return at;
}

/* Is a function of its own because stream-cost counts its instructions by this name. */
G_NO_INLINE static size_t play_steady(size_t at, unsigned n_submits)
{
	return play(at, n_submits);
}

static unsigned count_submits(void)
{
	unsigned n = 0;
	for (size_t at = 0; at + 2 <= replay.n_words; at += 2 + replay.words[at + 1])
		n += replay.words[at] == RECORD_SUBMIT;
	return n;
}

/* ---- life ---- */

static void set_up(void)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	/* Compiling a program's shaders takes thirty times as long under valgrind. */
	limits.max[QUOTA_MAKING_TIME] = quota_rows[QUOTA_MAKING_TIME].max;
	guest_init(&replay.guest);
	replay.objects = objects_create(&limits);
	replay.scanouts = scanouts_create(replay.objects, false);
	replay.commands = commands_create(replay.objects, replay.scanouts, true);
	commands_use_gl(replay.commands);
	guest_start_ring(&replay.guest, commands_get_queue(replay.commands));
	objects_set_memory(replay.objects, guest_make_table(&replay.guest, GUEST_ADDR));
}

static void read_file(const char *path)
{
	g_autoptr(GError) error = NULL;
	gsize n_bytes = 0;
	if (!g_file_get_contents(path, (char **)&replay.words, &n_bytes, &error))
		g_error("%s", error->message);
	replay.n_words = n_bytes / sizeof(uint32_t);
}

int main(int argc, char **argv)
{
	static struct egl_choice choice;
	if (argc != 2) {
		fprintf(stderr, "bench-stream FILE\n");
		return 2;
	}
	read_file(argv[1]);
	if (!egl_choose(&choice, NULL, true) || !virgl_init(&choice, on_fence, NULL))
		return EXIT_NO_GL;
	set_up();
	unsigned n = count_submits();
	size_t middle = play(0, n / 2);
	unsigned n_start = replay.n_commands;
	play_steady(middle, n);
	printf("%u submissions, %u commands at the start, %u after it, %u refused\n",
		replay.n_submits, n_start, replay.n_commands - n_start, replay.n_refused);
	fflush(stdout);
	_exit(replay.n_refused > 0); /* GL drivers' own exit handlers are none of our business */
}
