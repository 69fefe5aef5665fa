/* SPDX-License-Identifier: MIT */
/*
 * commands: tests the control queue without its thread: what waits, what is heard first, what a
 * reset drops.
 */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>
#include <unistd.h>

#include "common/link.h"
#include "render/commands/answer_queue.h"
#include "render/commands/command.h"
#include "render/commands/commands.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"
#include "tests/unit/render/guest.h"
#include "tests/unit/render/picture_limits.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define SIDE 256u
#define BUFFER_BYTES (SIDE * SIDE * 4)
#define HEADER_BYTES sizeof(struct virtio_gpu_ctrl_hdr)
/* This address lies beside the guest's memory. */
#define ELSEWHERE (GUEST_ADDR + GUEST_BYTES)

struct fixture {
	struct guest guest;
	struct objects *objects;
	struct scanouts *scanouts;
	struct commands *commands;
	struct virtqueue *queue;
	int display_fd;
	unsigned n_frames;
	struct frame_present frames[8];
};

static void set_up(struct fixture *f, gconstpointer data)
{
	int pair[2];
	guest_init(&f->guest);
	const struct quota_limits limits = picture_limits(4 * BUFFER_BYTES);
	f->objects = objects_create(&limits);
	f->scanouts = scanouts_create(f->objects, false);
	f->commands = commands_create(f->objects, f->scanouts, false);
	f->queue = commands_get_queue(f->commands);
	guest_start_ring(&f->guest, f->queue);
	objects_set_memory(f->objects, guest_make_table(&f->guest, GUEST_ADDR));
	g_assert_cmpint(link_pair(pair), ==, 0);
	f->display_fd = pair[0];
	scanouts_use_link(f->scanouts, pair[1]);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	commands_destroy(f->commands);
	scanouts_destroy(f->scanouts);
	objects_destroy(f->objects);
	close(f->display_fd);
	guest_finish(&f->guest);
}

/* ---- guest ---- */

static bool execute(struct fixture *f, bool may_wait)
{
	struct chain *chain = commands_take(f->commands);
	g_assert_nonnull(chain);
	return commands_execute(f->commands, chain, may_wait);
}

static uint32_t command(struct fixture *f, const void *request, size_t request_bytes)
{
	unsigned slot = guest_submit(&f->guest, request, request_bytes, HEADER_BYTES);
	g_assert_true(execute(f, false));
	return guest_answer_type(&f->guest, slot);
}

static uint32_t create(struct fixture *f, uint32_t id)
{
	struct virtio_gpu_resource_create_2d c = guest_make_create_2d(id, SIDE);
	return command(f, &c, sizeof(c));
}

struct attach {
	struct virtio_gpu_resource_attach_backing attach;
	struct virtio_gpu_mem_entry entry;
};

static struct attach make_attach(uint32_t id, uint64_t addr)
{
	return (struct attach){ { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
					.resource_id = id,
					.nr_entries = 1 },
		{ .addr = addr, .length = BUFFER_BYTES } };
}

static const struct virtio_gpu_rect all = { 0, 0, SIDE, SIDE };

static uint32_t transfer(struct fixture *f, uint32_t id)
{
	struct virtio_gpu_transfer_to_host_2d c = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, .r = all, .resource_id = id
	};
	return command(f, &c, sizeof(c));
}

static uint32_t flush(struct fixture *f, uint32_t id)
{
	struct virtio_gpu_resource_flush c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH, .r = all, .resource_id = id
	};
	return command(f, &c, sizeof(c));
}

static void show(struct fixture *f, uint32_t id)
{
	struct attach attach = make_attach(id, GUEST_DATA_ADDR);
	struct virtio_gpu_set_scanout set = {
		.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT, .r = all, .resource_id = id
	};
	g_assert_cmphex(create(f, id), ==, OK);
	g_assert_cmphex(command(f, &attach, sizeof(attach)), ==, OK);
	g_assert_cmphex(command(f, &set, sizeof(set)), ==, OK);
}

/* ---- display ---- */

static bool on_frame(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	g_assert_cmpuint(f->n_frames, <, G_N_ELEMENTS(f->frames));
	f->frames[f->n_frames++] = *(const struct frame_present *)message;
	return true;
}

static bool ignore(void *user, const void *message, int *fds, unsigned n_fds)
{
	return true;
}

static const struct link_handler display[] = {
	{ FRAME_MESSAGE_HELLO, "HELLO", sizeof(struct frame_hello), 0, 0, ignore },
	{ FRAME_MESSAGE_BUFFER_ADD, "BUFFER_ADD", sizeof(struct frame_buffer_add), 1, 1, ignore },
	{ FRAME_MESSAGE_HEAD_ON, "HEAD_ON", sizeof(struct frame_head_on), 0, 0, ignore },
	{ FRAME_MESSAGE_PRESENT, "FRAME", sizeof(struct frame_present), 0, 1, on_frame },
};

static unsigned count_frames(struct fixture *f)
{
	while (link_dispatch(f->display_fd, "render", display, G_N_ELEMENTS(display), f) == 1)
		;
	return f->n_frames;
}

#define SAY(f, message, type_)                                                                     \
	do {                                                                                       \
		(message).header.type = (type_);                                                   \
		g_assert_cmpint(                                                                   \
			link_send((f)->display_fd, &(message), sizeof(message), NULL, 0), ==, 0);  \
	} while (0)

static void want_size(struct fixture *f, uint32_t width, uint32_t height)
{
	struct frame_heads_wanted wanted = { .n_heads = 1,
		.heads[0] = { .enabled = 1, .width = width, .height = height } };
	SAY(f, wanted, FRAME_MESSAGE_HEADS_WANTED);
}

static void want_rate(struct fixture *f, uint32_t rate_mhz)
{
	struct frame_rate_wanted rate = { .head = 0, .rate_mhz = rate_mhz };
	SAY(f, rate, FRAME_MESSAGE_RATE_WANTED);
}

static const struct virtio_gpu_resp_display_info *ask_modes(struct fixture *f)
{
	struct virtio_gpu_ctrl_hdr ask = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	unsigned slot = guest_submit(
		&f->guest, &ask, sizeof(ask), sizeof(struct virtio_gpu_resp_display_info));
	g_assert_true(execute(f, false));
	return guest_answer(&f->guest, slot);
}

/* ---- order ---- */

/*
 * All that display has said is heard before the guest's question is answered, however much there is
 * of it.
 */
static void test_modes(struct fixture *f, gconstpointer data)
{
	g_assert_cmpuint(ask_modes(f)->pmodes[0].r.width, ==, MODES_DEFAULT_WIDTH);
	for (unsigned i = 0; i < 100; i++)
		want_size(f, 1000 + i, 700);
	want_size(f, 1234, 777);
	const struct virtio_gpu_resp_display_info *info = ask_modes(f);
	g_assert_cmphex(info->hdr.type, ==, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	g_assert_cmpuint(info->pmodes[0].r.width, ==, 1234);
	g_assert_cmpuint(info->pmodes[0].r.height, ==, 777);
	g_assert_false(info->pmodes[1].enabled);
}

static void test_edid(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_cmd_get_edid ask = { .hdr.type = VIRTIO_GPU_CMD_GET_EDID };
	want_size(f, 1234, 777);
	unsigned slot =
		guest_submit(&f->guest, &ask, sizeof(ask), sizeof(struct virtio_gpu_resp_edid));
	g_assert_true(execute(f, false));
	const struct virtio_gpu_resp_edid *edid = guest_answer(&f->guest, slot);
	/* The first detailed timing is described in VESA E-EDID 1.4, 3.10.2. */
	const uint8_t *timing = edid->edid + 54;
	g_assert_cmpuint(timing[2] | (timing[4] & 0xf0) << 4, ==, 1234);
	g_assert_cmpuint(timing[5] | (timing[7] & 0xf0) << 4, ==, 777);
}

/* Hearing display only takes note: no frame is made in the middle of a command. */
static void test_only_noted(struct fixture *f, gconstpointer data)
{
	show(f, 1);
	g_assert_cmphex(flush(f, 1), ==, OK);
	want_rate(f, 60000);
	ask_modes(f);
	g_assert_cmpuint(count_frames(f), ==, 0);
	scanouts_follow_display(f->scanouts);
	g_assert_cmpuint(count_frames(f), ==, 1);
}

/* Display holds every buffer there can be; what it gives back counts at once. */
static void test_release(struct fixture *f, gconstpointer data)
{
	show(f, 1);
	want_rate(f, 60000);
	ask_modes(f);
	scanouts_follow_display(f->scanouts);
	for (unsigned i = 1; i <= 3; i++) {
		g_assert_cmphex(transfer(f, 1), ==, OK);
		g_assert_cmphex(flush(f, 1), ==, OK);
		g_assert_cmpuint(count_frames(f), ==, i);
	}
	g_assert_cmphex(create(f, 2), ==, OK);
	g_assert_cmphex(transfer(f, 1), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	struct frame_release release = { .buffer = f->frames[0].buffer,
		.serial = f->frames[0].serial };
	SAY(f, release, FRAME_MESSAGE_RELEASE);
	g_assert_cmphex(transfer(f, 1), ==, OK);
}

/* ---- waiting ---- */

/* The command lies in memory of which we have not been told yet; the one behind it waits, too. */
static void test_chain_outside(struct fixture *f, gconstpointer data)
{
	const struct virtio_gpu_ctrl_hdr ask = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	const size_t answer_bytes = sizeof(struct virtio_gpu_resp_display_info);
	memcpy(guest_at(&f->guest, GUEST_DATA_ADDR), &ask, sizeof(ask));
	unsigned first = guest_submit_at(
		&f->guest, GUEST_DATA_ADDR + GUEST_BYTES, sizeof(ask), answer_bytes);
	unsigned second = guest_submit(&f->guest, &ask, sizeof(ask), answer_bytes);
	g_assert_false(execute(f, true));
	g_assert_true(commands_have_parked(f->commands));
	g_assert_cmpuint(guest_count_used(&f->guest), ==, 0);
	/* The new table has the memory of before, and the same memory once more behind it. */
	struct memory *wider = guest_make_table(&f->guest, GUEST_ADDR);
	struct keeper_memory_region more = {
		.guest_addr = ELSEWHERE, .user_addr = 0x600000000000, .size_bytes = GUEST_BYTES
	};
	g_assert_true(memory_add_region(wider, &more, f->guest.fd));
	virtqueue_set_memory(f->queue, wider);
	memory_unref(wider);
	g_assert_true(execute(f, true));
	g_assert_true(execute(f, true));
	g_assert_cmpuint(guest_get_used(&f->guest, 0), ==, first);
	g_assert_cmpuint(guest_get_used(&f->guest, 1), ==, second);
	g_assert_cmphex(guest_answer_type(&f->guest, first), ==, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	g_assert_null(commands_take(f->commands));
}

static void test_chain_refused(struct fixture *f, gconstpointer data)
{
	unsigned slot = guest_submit_at(&f->guest, ELSEWHERE, HEADER_BYTES, HEADER_BYTES);
	g_assert_false(execute(f, true));
	g_assert_true(execute(f, false));
	g_assert_cmphex(guest_answer_type(&f->guest, slot), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	/* A chain that no memory could cure does not wait. */
	guest_submit_at(&f->guest, GUEST_DATA_ADDR, 0, 0);
	g_assert_true(execute(f, true));
}

static void test_backing_outside(struct fixture *f, gconstpointer data)
{
	struct attach attach = make_attach(1, ELSEWHERE);
	g_assert_cmphex(create(f, 1), ==, OK);
	unsigned slot = guest_submit(&f->guest, &attach, sizeof(attach), HEADER_BYTES);
	g_assert_false(execute(f, true));
	g_assert_null(objects_find_resource(f->objects, 1)->backing);
	g_assert_false(execute(f, true));
	objects_set_memory(f->objects, guest_make_table(&f->guest, ELSEWHERE));
	g_assert_true(execute(f, true));
	g_assert_cmphex(guest_answer_type(&f->guest, slot), ==, OK);
	g_assert_nonnull(objects_find_resource(f->objects, 1)->backing);
}

/* At a reset the parked command is dropped without an answer, and so is every object. */
static void test_forget(struct fixture *f, gconstpointer data)
{
	struct attach attach = make_attach(2, ELSEWHERE);
	show(f, 1);
	g_assert_cmphex(create(f, 2), ==, OK);
	guest_submit(&f->guest, &attach, sizeof(attach), HEADER_BYTES);
	g_assert_false(execute(f, true));
	unsigned n_used = guest_count_used(&f->guest);
	virtqueue_stop(f->queue);
	virtqueue_reset(f->queue);
	commands_forget_guest(f->commands);
	g_assert_false(commands_have_parked(f->commands));
	g_assert_null(objects_find_resource(f->objects, 1));
	g_assert_null(scanout_get_resource(f->scanouts, 0));
	g_assert_cmpuint(guest_count_used(&f->guest), ==, n_used);
	guest_start_ring(&f->guest, f->queue);
	g_assert_cmphex(create(f, 1), ==, OK);
	g_assert_cmpuint(guest_count_used(&f->guest), ==, 1);
}

/* ---- what a guest gets wrong ---- */

static void test_unknown(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_ctrl_hdr c = { .type = 0x7777 };
	g_assert_cmphex(command(f, &c, sizeof(c)), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_cmphex(command(f, &c, 4), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	/* The command is known, but this renderer does not draw in 3D. */
	struct virtio_gpu_ctx_create create_context = { .hdr = { .type = VIRTIO_GPU_CMD_CTX_CREATE,
								.ctx_id = 1 } };
	g_assert_cmphex(command(f, &create_context, sizeof(create_context)), ==,
		VIRTIO_GPU_RESP_ERR_UNSPEC);
	c.type = VIRTIO_GPU_CMD_RESOURCE_UNREF;
	g_assert_cmphex(command(f, &c, sizeof(c)), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	/* The guest left no room for the answer and gets an error instead. */
	c.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO;
	g_assert_cmphex(command(f, &c, sizeof(c)), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
}

/* An answer carries its command's fence. */
static void test_fence(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_resource_flush c = { .hdr = { .type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
						       .flags = VIRTIO_GPU_FLAG_FENCE,
						       .fence_id = 0x123456789abcdef },
		.resource_id = 77 };
	unsigned slot = guest_submit(&f->guest, &c, sizeof(c), HEADER_BYTES);
	g_assert_true(execute(f, false));
	const struct virtio_gpu_ctrl_hdr *answer = guest_answer(&f->guest, slot);
	g_assert_cmphex(answer->type, ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	g_assert_cmphex(answer->flags, ==, VIRTIO_GPU_FLAG_FENCE);
	g_assert_cmphex(answer->fence_id, ==, 0x123456789abcdef);
}

/* ---- what a dead renderer had taken ---- */

/* The orphans are answered once each, while an answer that is held stays where it is. */
static void test_orphans(struct fixture *f, gconstpointer data)
{
	struct ledger_ring ledger = { .returning = LEDGER_NO_CHAIN };
	const struct virtio_gpu_ctrl_hdr c = {
		.type = VIRTIO_GPU_CMD_SUBMIT_3D, .flags = VIRTIO_GPU_FLAG_FENCE, .fence_id = 41
	};
	const struct answer_timing later = { .haste = ANSWER_HELD, .not_before_ns = UINT64_MAX };
	guest_submit(&f->guest, &c, sizeof(c), HEADER_BYTES);
	answer_queue_answer(
		f->commands->answers, commands_take(f->commands), &c, sizeof(c), &later);
	virtqueue_set_ledger(f->queue, &ledger);
	for (unsigned i = 1; i <= 2; i++) {
		g_assert_cmpuint(guest_submit(&f->guest, &c, sizeof(c), HEADER_BYTES), ==, i);
		chain_free(commands_take(f->commands));
	}
	virtqueue_set_ledger(f->queue, &ledger);
	commands_answer_orphans(f->commands);
	g_assert_cmpuint(guest_count_used(&f->guest), ==, 2);
	for (unsigned i = 1; i <= 2; i++) {
		const struct virtio_gpu_ctrl_hdr *answer = guest_answer(&f->guest, i);
		g_assert_cmpuint(guest_get_used(&f->guest, i - 1), ==, i);
		g_assert_cmphex(answer->type, ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
		g_assert_cmpuint(answer->fence_id, ==, 41);
	}
	virtqueue_set_ledger(f->queue, NULL);
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
		{ "/commands/modes", test_modes },
		{ "/commands/edid", test_edid },
		{ "/commands/only-noted", test_only_noted },
		{ "/commands/release", test_release },
		{ "/commands/chain-outside", test_chain_outside },
		{ "/commands/chain-refused", test_chain_refused },
		{ "/commands/backing-outside", test_backing_outside },
		{ "/commands/forget", test_forget },
		{ "/commands/unknown", test_unknown },
		{ "/commands/fence", test_fence },
		{ "/commands/orphans", test_orphans },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
