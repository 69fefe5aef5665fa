/* SPDX-License-Identifier: MIT */
/*
 * command_3d: sends 3D commands as a guest's driver does, on Mesa's software renderer, and checks
 * what virglrenderer gets to see and what is refused before it does.
 */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>

#include "render/commands/commands.h"
#include "render/commands/limits.h"
#include "render/gl/egl.h"
#include "render/gl/virgl.h"
#include "render/gl/virgl_bounds.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"
#include "render/stream/protocol.h"
#include "tests/unit/render/guest.h"
#include "tests/unit/render/picture_limits.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define NO_CONTEXT VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID
#define NO_RESOURCE VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define NO_MEMORY VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
#define INVALID VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER
#define HEADER_BYTES sizeof(struct virtio_gpu_ctrl_hdr)
#define SIDE 16u
#define IMAGE_BYTES (SIDE * SIDE * 4)
/* These are Gallium's numbers, as in virgl_hw.h: B8G8R8A8_UNORM and a sampler's view. */
#define FORMAT 1
#define BIND_SAMPLER_VIEW 8
#define CONTEXT 3
#define IMAGE 7
#define PLAIN 8
#define WAIT_US (20 * G_USEC_PER_SEC)

struct fixture {
	struct guest guest;
	struct objects *objects;
	struct scanouts *scanouts;
	struct commands *commands;
};

/* virglrenderer has one state a process, and calls back for the test's fixture that is set here. */
static struct commands *current;

static void on_fence(void *user, uint32_t sequence)
{
	if (current)
		commands_work_is_done(current, sequence);
}

/* ---- the guest ---- */

static unsigned submit(struct fixture *f, const void *request, size_t request_bytes, size_t room)
{
	unsigned slot = guest_submit(&f->guest, request, request_bytes, room);
	struct chain *chain = commands_take(f->commands);
	g_assert_nonnull(chain);
	g_assert_true(commands_execute(f->commands, chain, false));
	return slot;
}

static uint32_t command(struct fixture *f, const void *request, size_t request_bytes)
{
	unsigned slot = submit(f, request, request_bytes, HEADER_BYTES);
	return guest_answer_type(&f->guest, slot);
}

static uint32_t create_context(struct fixture *f, uint32_t id, uint32_t name_bytes)
{
	struct virtio_gpu_ctx_create c = { .hdr = { .type = VIRTIO_GPU_CMD_CTX_CREATE,
						   .ctx_id = id },
		.nlen = name_bytes,
		.debug_name = "test" };
	return command(f, &c, sizeof(c));
}

static uint32_t destroy_context(struct fixture *f, uint32_t id)
{
	struct virtio_gpu_ctx_destroy c = { .hdr = { .type = VIRTIO_GPU_CMD_CTX_DESTROY,
						    .ctx_id = id } };
	return command(f, &c, sizeof(c));
}

static uint32_t create_3d(struct fixture *f, uint32_t id, uint32_t width)
{
	struct virtio_gpu_resource_create_3d c = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_3D,
		.resource_id = id,
		.target = VIRGL_BOUNDS_TARGET_2D,
		.format = FORMAT,
		.bind = BIND_SAMPLER_VIEW,
		.width = width,
		.height = SIDE,
		.depth = 1,
		.array_size = 1 };
	return command(f, &c, sizeof(c));
}

static uint32_t create_2d(struct fixture *f, uint32_t id)
{
	struct virtio_gpu_resource_create_2d c = guest_make_create_2d(id, SIDE);
	return command(f, &c, sizeof(c));
}

static uint32_t attach_backing(struct fixture *f, uint32_t id)
{
	struct {
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_mem_entry entry;
	} c = { { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
			.resource_id = id,
			.nr_entries = 1 },
		{ .addr = GUEST_DATA_ADDR, .length = IMAGE_BYTES } };
	return command(f, &c, sizeof(c));
}

static uint32_t open_resource(struct fixture *f, uint32_t type, uint32_t context, uint32_t id)
{
	struct virtio_gpu_ctx_resource c = { .hdr = { .type = type, .ctx_id = context },
		.resource_id = id };
	return command(f, &c, sizeof(c));
}

static struct virtio_gpu_transfer_host_3d whole(uint32_t type)
{
	return (struct virtio_gpu_transfer_host_3d){ .hdr = { .type = type, .ctx_id = CONTEXT },
		.box = { .w = SIDE, .h = SIDE, .d = 1 },
		.resource_id = IMAGE };
}

/* Submits a stream of these words; the header says `said_bytes`. */
static uint32_t submit_3d(struct fixture *f, uint32_t context, const uint32_t *words,
	unsigned n_words, uint32_t said_bytes)
{
	struct {
		struct virtio_gpu_cmd_submit submit;
		uint32_t words[16];
	} c = { .submit = { .hdr = { .type = VIRTIO_GPU_CMD_SUBMIT_3D, .ctx_id = context },
			.size = said_bytes } };
	memcpy(c.words, words, n_words * sizeof(*words));
	return command(f, &c, sizeof(c.submit) + n_words * sizeof(*words));
}

/* ---- life ---- */

static void set_up(struct fixture *f, gconstpointer data)
{
	guest_init(&f->guest);
	const struct quota_limits limits = picture_limits(1u << 20);
	f->objects = objects_create(&limits);
	f->scanouts = scanouts_create(f->objects, false);
	f->commands = current = commands_create(f->objects, f->scanouts, true);
	guest_start_ring(&f->guest, commands_get_queue(f->commands));
	objects_set_memory(f->objects, guest_make_table(&f->guest, GUEST_ADDR));
	g_assert_cmphex(create_context(f, CONTEXT, 4), ==, OK);
	g_assert_cmphex(create_3d(f, IMAGE, SIDE), ==, OK);
	g_assert_cmphex(create_2d(f, PLAIN), ==, OK);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	commands_forget_guest(f->commands);
	current = NULL;
	commands_destroy(f->commands);
	scanouts_destroy(f->scanouts);
	objects_destroy(f->objects);
	guest_finish(&f->guest);
}

/* ---- tests ---- */

static struct virtio_gpu_resp_capset_info ask_info(struct fixture *f, uint32_t index)
{
	struct virtio_gpu_get_capset_info c = { .hdr.type = VIRTIO_GPU_CMD_GET_CAPSET_INFO,
		.capset_index = index };
	unsigned slot = submit(f, &c, sizeof(c), sizeof(struct virtio_gpu_resp_capset_info));
	return *(const struct virtio_gpu_resp_capset_info *)guest_answer(&f->guest, slot);
}

static const uint8_t *ask_capset(struct fixture *f, uint32_t id, uint32_t version, size_t bytes)
{
	struct virtio_gpu_get_capset c = {
		.hdr.type = VIRTIO_GPU_CMD_GET_CAPSET, .capset_id = id, .capset_version = version
	};
	return guest_answer(&f->guest, submit(f, &c, sizeof(c), HEADER_BYTES + bytes));
}

static uint32_t type_of(const uint8_t *answer)
{
	return ((const struct virtio_gpu_ctrl_hdr *)answer)->type;
}

/* Mesa's driver reads the capset's first word as its version. */
static void test_capsets(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_resp_capset_info info = ask_info(f, 0);
	g_assert_cmphex(info.hdr.type, ==, VIRTIO_GPU_RESP_OK_CAPSET_INFO);
	g_assert_cmphex(ask_info(f, VIRGL_CAPSETS_MAX).hdr.type, ==, INVALID);
	uint32_t size_bytes = info.capset_max_size, version = info.capset_max_version;
	g_assert_cmpuint(size_bytes, >, 100);
	const uint8_t *answer = ask_capset(f, info.capset_id, version, size_bytes);
	g_assert_cmphex(type_of(answer), ==, VIRTIO_GPU_RESP_OK_CAPSET);
	g_assert_cmpuint(answer[HEADER_BYTES], >, 0);
	g_assert_cmphex(
		type_of(ask_capset(f, info.capset_id, version + 1, size_bytes)), ==, INVALID);
	g_assert_cmphex(type_of(ask_capset(f, 4711, 0, size_bytes)), ==, INVALID);
	/* The answer lacks room for the capset's last byte. */
	answer = ask_capset(f, info.capset_id, version, size_bytes - 1);
	g_assert_cmphex(type_of(answer), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_cmpuint(answer[HEADER_BYTES], ==, 0);
}

static void test_contexts(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(create_context(f, CONTEXT, 4), ==, NO_CONTEXT);
	g_assert_cmphex(create_context(f, 0, 4), ==, NO_CONTEXT);
	g_assert_cmphex(create_context(f, 4, 65), ==, INVALID);
	g_assert_cmphex(create_context(f, 4, UINT32_MAX), ==, INVALID);
	g_assert_false(objects_has_context(f->objects, 4));
	g_assert_cmphex(create_context(f, 4, 64), ==, OK);
	g_assert_cmphex(destroy_context(f, 4), ==, OK);
	g_assert_cmphex(destroy_context(f, 4), ==, NO_CONTEXT);
	g_assert_cmphex(destroy_context(f, 0), ==, NO_CONTEXT);
}

/* Linux opens 2D resources in contexts, too. */
static void test_open(struct fixture *f, gconstpointer data)
{
	const uint32_t attach = VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE;
	const uint32_t detach = VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE;
	const uint32_t ids[] = { IMAGE, PLAIN };
	for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
		struct resource *resource = objects_find_resource(f->objects, ids[i]);
		g_assert_cmphex(open_resource(f, attach, CONTEXT, ids[i]), ==, OK);
		g_assert_cmphex(open_resource(f, attach, CONTEXT, ids[i]), ==, OK);
		g_assert_cmpuint(resource->n_contexts, ==, 1);
		g_assert_cmpuint(resource->contexts[0], ==, CONTEXT);
		g_assert_cmphex(open_resource(f, attach, 99, ids[i]), ==, NO_CONTEXT);
		g_assert_cmphex(open_resource(f, detach, 99, ids[i]), ==, NO_CONTEXT);
		g_assert_cmpuint(resource->n_contexts, ==, 1);
		g_assert_cmphex(open_resource(f, detach, CONTEXT, ids[i]), ==, OK);
		g_assert_cmphex(open_resource(f, detach, CONTEXT, ids[i]), ==, OK);
		g_assert_cmpuint(resource->n_contexts, ==, 0);
	}
	g_assert_cmphex(open_resource(f, attach, CONTEXT, 99), ==, NO_RESOURCE);
	g_assert_cmphex(open_resource(f, detach, CONTEXT, 99), ==, NO_RESOURCE);
	g_assert_cmphex(open_resource(f, attach, 99, 99), ==, NO_CONTEXT);
}

static void test_create(struct fixture *f, gconstpointer data)
{
	const struct ledger_resource *d = &objects_find_resource(f->objects, IMAGE)->description;
	g_assert_true(d->is_3d && d->target == VIRGL_BOUNDS_TARGET_2D && d->format == FORMAT);
	g_assert_true(d->bind == BIND_SAMPLER_VIEW && d->width == SIDE && d->height == SIDE);
	g_assert_true(d->depth == 1 && d->array_size == 1);
	g_assert_cmphex(create_3d(f, IMAGE, SIDE), ==, NO_RESOURCE);
	g_assert_cmphex(create_3d(f, 0, SIDE), ==, NO_RESOURCE);
	g_assert_cmphex(create_3d(f, 9, 0), ==, INVALID);
	g_assert_cmphex(create_3d(f, 9, VIRGL_BOUNDS_TEXTURE_SIZE_MAX + 1), ==, INVALID);
	g_assert_null(objects_find_resource(f->objects, 9));
}

/* What goes up comes down again, without a byte beside the box. */
static void test_transfer(struct fixture *f, gconstpointer data)
{
	uint8_t *bytes = guest_at(&f->guest, GUEST_DATA_ADDR);
	struct virtio_gpu_transfer_host_3d up = whole(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D);
	struct virtio_gpu_transfer_host_3d down = whole(VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D);
	g_assert_cmphex(attach_backing(f, IMAGE), ==, OK);
	open_resource(f, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, CONTEXT, IMAGE);
	for (unsigned i = 0; i < IMAGE_BYTES; i++)
		bytes[i] = (uint8_t)(i * 7);
	g_assert_cmphex(command(f, &up, sizeof(up)), ==, OK);
	memset(bytes, 0xee, IMAGE_BYTES);
	down.hdr.ctx_id = 0;
	down.box.h = 2;
	g_assert_cmphex(command(f, &down, sizeof(down)), ==, OK);
	for (unsigned i = 0; i < IMAGE_BYTES; i++)
		g_assert_cmphex(bytes[i], ==, i < 2 * SIDE * 4 ? (uint8_t)(i * 7) : 0xee);
}

static void test_transfer_refused(struct fixture *f, gconstpointer data)
{
	const uint32_t types[] = { VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D,
		VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D };
	for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
		struct virtio_gpu_transfer_host_3d t = whole(types[i]);
		t.resource_id = PLAIN;
		g_assert_cmphex(command(f, &t, sizeof(t)), ==, NO_RESOURCE);
		t.resource_id = 99;
		g_assert_cmphex(command(f, &t, sizeof(t)), ==, NO_RESOURCE);
		t = whole(types[i]);
		t.hdr.ctx_id = 99;
		g_assert_cmphex(command(f, &t, sizeof(t)), ==, NO_CONTEXT);
	}
	struct virtio_gpu_transfer_host_3d t = whole(types[0]);
	g_assert_cmphex(command(f, &t, sizeof(t)), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_cmphex(attach_backing(f, IMAGE), ==, OK);
	open_resource(f, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, CONTEXT, IMAGE);
	for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
		t = whole(types[i]);
		t.box.x = 1;
		g_assert_cmphex(command(f, &t, sizeof(t)), ==, INVALID);
		t = whole(types[i]);
		/* virglrenderer refuses the first of these itself. */
		t.offset = 1;
		g_assert_cmphex(command(f, &t, sizeof(t)), ==, INVALID);
		t.offset = UINT64_MAX;
		g_assert_cmphex(command(f, &t, sizeof(t)), ==, INVALID);
		t = whole(types[i]);
		t.level = 5;
		g_assert_cmphex(command(f, &t, sizeof(t)), ==, INVALID);
	}
}

/* The keeper is told of the guest's own contexts alone: a dead renderer's were lost with it. */
static uint32_t told[4];
static unsigned n_told;

static void on_lost(uint32_t context)
{
	told[n_told++ % G_N_ELEMENTS(told)] = context;
}

static void test_lost_is_told(struct fixture *f, gconstpointer data)
{
	const uint32_t unknown = 0xff;
	commands_tell_lost(f->commands, on_lost);
	g_assert_cmphex(objects_enter_context(f->objects, 7, (char[64]){ "old" }), ==, OK);
	g_assert_cmphex(submit_3d(f, 7, &unknown, 1, 4), ==, INVALID);
	g_assert_cmpuint(n_told, ==, 0);
	g_assert_cmphex(submit_3d(f, CONTEXT, &unknown, 1, 4), ==, INVALID);
	g_assert_cmpuint(n_told, ==, 1);
	g_assert_cmpuint(told[0], ==, CONTEXT);
	g_assert_cmphex(submit_3d(f, CONTEXT, &unknown, 1, 4), ==, NO_CONTEXT);
	g_assert_cmpuint(n_told, ==, 1);
}

/* When a command is refused its context is lost, and no other. */
static void test_submit(struct fixture *f, gconstpointer data)
{
	const uint32_t nop[4] = { 0 }, unknown = 0xff, longer[2] = { 2u << 16, 0 };
	g_assert_cmphex(submit_3d(f, CONTEXT, nop, 0, 0), ==, OK);
	g_assert_cmphex(submit_3d(f, CONTEXT, nop, 4, 16), ==, OK);
	g_assert_cmphex(submit_3d(f, 99, nop, 4, 16), ==, NO_CONTEXT);
	g_assert_cmphex(submit_3d(f, 0, nop, 4, 16), ==, NO_CONTEXT);
	g_assert_cmphex(submit_3d(f, CONTEXT, nop, 4, 15), ==, INVALID);
	g_assert_cmphex(submit_3d(f, CONTEXT, nop, 4, 20), ==, INVALID);
	g_assert_cmphex(submit_3d(f, CONTEXT, nop, 4, SUBMIT_BYTES_MAX + 4), ==, INVALID);
	g_assert_cmphex(submit_3d(f, CONTEXT, nop, 4, 16), ==, OK);
	g_assert_cmphex(create_context(f, 4, 4), ==, OK);
	g_assert_cmphex(submit_3d(f, 4, longer, 2, 8), ==, INVALID);
	g_assert_cmphex(submit_3d(f, 4, nop, 4, 16), ==, NO_CONTEXT);
	g_assert_cmphex(submit_3d(f, CONTEXT, &unknown, 1, 4), ==, INVALID);
	g_assert_cmphex(submit_3d(f, CONTEXT, nop, 4, 16), ==, NO_CONTEXT);
	g_assert_cmphex(destroy_context(f, 4), ==, OK);
	g_assert_cmphex(create_context(f, 4, 4), ==, OK);
	g_assert_cmphex(submit_3d(f, 4, nop, 4, 16), ==, OK);
}

/* Makes a view of the image, from level 0 on, in the order of its components. */
static uint32_t view_image(struct fixture *f, uint32_t context, uint32_t handle)
{
	const uint32_t words[] = { stream_header(
					   STREAM_CREATE_OBJECT, STREAM_OBJECT_SAMPLER_VIEW, 6),
		handle, IMAGE, FORMAT, 0, 0, 03210 };
	return submit_3d(f, context, words, G_N_ELEMENTS(words), sizeof(words));
}

/* Makes the view in a context of its own, since one in which something was refused is lost. */
static uint32_t view_image_anew(struct fixture *f, uint32_t context, bool opened)
{
	g_assert_cmphex(create_context(f, context, 4), ==, OK);
	if (opened)
		open_resource(f, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, context, IMAGE);
	return view_image(f, context, 1);
}

/* The checker of streams is told of each resource when it is opened, closed and destroyed. */
static void test_submit_resources(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(view_image_anew(f, 10, false), ==, INVALID);
	g_assert_cmphex(view_image_anew(f, 11, true), ==, OK);
	open_resource(f, VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE, 11, IMAGE);
	g_assert_cmphex(view_image(f, 11, 2), ==, INVALID);
	g_assert_cmphex(view_image_anew(f, 12, true), ==, OK);
	objects_remove_resource(f->objects, objects_find_resource(f->objects, IMAGE));
	g_assert_cmphex(create_3d(f, IMAGE, SIDE), ==, OK);
	g_assert_cmphex(view_image(f, 12, 2), ==, INVALID);
	g_assert_cmphex(view_image_anew(f, 13, true), ==, OK);
	commands_forget_guest(f->commands);
	g_assert_cmphex(create_context(f, 13, 4), ==, OK);
	g_assert_cmphex(create_3d(f, IMAGE, SIDE), ==, OK);
	g_assert_cmphex(view_image(f, 13, 1), ==, INVALID);
}

/* Transfers one row of the image from the fourth byte of its backing on. */
static uint32_t transfer_in_stream(struct fixture *f, uint32_t context)
{
	const uint32_t words[] = { stream_header(STREAM_TRANSFER3D, 0, 13), IMAGE, 0, 0, 0, 0, 0, 0,
		0, SIDE, 1, 1, 4, 1 };
	g_assert_cmphex(create_context(f, context, 4), ==, OK);
	open_resource(f, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, context, IMAGE);
	return submit_3d(f, context, words, G_N_ELEMENTS(words), sizeof(words));
}

/* The checker is told of backings, too. */
static void test_submit_backing(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(transfer_in_stream(f, 10), ==, INVALID);
	g_assert_cmphex(attach_backing(f, IMAGE), ==, OK);
	g_assert_cmphex(transfer_in_stream(f, 11), ==, OK);
	objects_detach_backing(f->objects, objects_find_resource(f->objects, IMAGE));
	g_assert_cmphex(transfer_in_stream(f, 12), ==, INVALID);
}

/* A fenced answer leaves when the GPU is done, and what comes behind it does not overtake it. */
static void test_fenced(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_cmd_submit c = { .hdr = { .type = VIRTIO_GPU_CMD_SUBMIT_3D,
						   .flags = VIRTIO_GPU_FLAG_FENCE,
						   .fence_id = 12,
						   .ctx_id = CONTEXT } };
	unsigned n_before = guest_count_used(&f->guest);
	unsigned first = submit(f, &c, sizeof(c), HEADER_BYTES);
	unsigned second = submit(f, &c, sizeof(c), HEADER_BYTES);
	gint64 end_us = g_get_monotonic_time() + WAIT_US;
	while (guest_count_used(&f->guest) < n_before + 2 && g_get_monotonic_time() < end_us) {
		virgl_poll();
		g_usleep(500);
	}
	g_assert_cmpuint(guest_get_used(&f->guest, n_before), ==, first);
	g_assert_cmpuint(guest_get_used(&f->guest, n_before + 1), ==, second);
	const struct virtio_gpu_ctrl_hdr *answer = guest_answer(&f->guest, second);
	g_assert_cmphex(answer->type, ==, OK);
	g_assert_cmpuint(answer->fence_id, ==, 12);
	g_assert_false(commands_wait_for_gpu(f->commands));
}

static void set_limit(struct fixture *f, enum quota_name name, uint64_t limit)
{
	objects_get_account(f->objects, 0)->quotas[name].limit = limit;
}

static void test_context_quota(struct fixture *f, gconstpointer data)
{
	set_limit(f, QUOTA_CONTEXTS, 2);
	g_assert_cmphex(create_context(f, 4, 4), ==, OK);
	g_assert_cmphex(create_context(f, 5, 4), ==, NO_MEMORY);
	g_assert_false(objects_has_context(f->objects, 5));
	g_assert_cmphex(destroy_context(f, 4), ==, OK);
	g_assert_cmphex(create_context(f, 5, 4), ==, OK);
	/* other-bytes counts what contexts cost, too. */
	set_limit(f, QUOTA_CONTEXTS, 100);
	set_limit(f, QUOTA_OTHER_BYTES,
		objects_get_account(f->objects, 0)->quotas[QUOTA_OTHER_BYTES].used +
			quota_rows[QUOTA_CONTEXTS].cost_bytes);
	g_assert_cmphex(create_context(f, 6, 4), ==, OK);
	g_assert_cmphex(create_context(f, 7, 4), ==, NO_MEMORY);
	g_assert_false(objects_has_context(f->objects, 7));
}

/* IMAGE exists already and takes IMAGE_BYTES of the quota. */
static void test_texture_quota(struct fixture *f, gconstpointer data)
{
	set_limit(f, QUOTA_TEXTURE_BYTES, 3 * IMAGE_BYTES);
	g_assert_cmphex(create_3d(f, 20, 3 * SIDE), ==, NO_MEMORY);
	g_assert_null(objects_find_resource(f->objects, 20));
	g_assert_cmphex(create_3d(f, 20, 2 * SIDE), ==, OK);
	g_assert_cmphex(create_3d(f, 21, 1), ==, NO_MEMORY);
	objects_remove_resource(f->objects, objects_find_resource(f->objects, 20));
	g_assert_cmphex(create_3d(f, 21, 1), ==, OK);
}

static void test_staging_quota(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_transfer_host_3d up = whole(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D);
	struct virtio_gpu_transfer_host_3d down = whole(VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D);
	g_assert_cmphex(attach_backing(f, IMAGE), ==, OK);
	open_resource(f, VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, CONTEXT, IMAGE);
	set_limit(f, QUOTA_STAGING_BYTES, IMAGE_BYTES);
	objects_get_account(f->objects, CONTEXT)->quotas[QUOTA_STAGING_BYTES].limit = IMAGE_BYTES;
	for (unsigned n = 0; n < 3; n++)
		g_assert_cmphex(command(f, &up, sizeof(up)), ==, OK);
	g_assert_cmphex(command(f, &down, sizeof(down)), ==, OK);
	objects_get_account(f->objects, CONTEXT)->quotas[QUOTA_STAGING_BYTES].limit--;
	g_assert_cmphex(command(f, &up, sizeof(up)), ==, NO_MEMORY);
	g_assert_cmphex(command(f, &down, sizeof(down)), ==, NO_MEMORY);
	up.box.h--;
	g_assert_cmphex(command(f, &up, sizeof(up)), ==, OK);
}

int main(int argc, char **argv)
{
	struct egl_choice choice;
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	if (!egl_choose(&choice, NULL, true) || !virgl_init(&choice, on_fence, NULL)) {
		g_print("1..0 # SKIP virglrenderer does not start here\n");
		return 0;
	}
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/command-3d/capsets", test_capsets },
		{ "/command-3d/contexts", test_contexts },
		{ "/command-3d/open", test_open },
		{ "/command-3d/create", test_create },
		{ "/command-3d/transfer", test_transfer },
		{ "/command-3d/lost-is-told", test_lost_is_told },
		{ "/command-3d/transfer-refused", test_transfer_refused },
		{ "/command-3d/submit", test_submit },
		{ "/command-3d/submit/resources", test_submit_resources },
		{ "/command-3d/submit/backing", test_submit_backing },
		{ "/command-3d/fenced", test_fenced },
		{ "/command-3d/context-quota", test_context_quota },
		{ "/command-3d/texture-quota", test_texture_quota },
		{ "/command-3d/staging-quota", test_staging_quota },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
