/* SPDX-License-Identifier: MIT */
/*
 * commands: sends every command and checks what it answers when it is right, and the exact code
 * when it is not.
 */
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define NO_MEMORY VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
#define BAD_SCANOUT VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID
#define BAD_RESOURCE VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define BAD_CONTEXT VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID
#define BAD_PARAMETER VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER
#define UNSPEC VIRTIO_GPU_RESP_ERR_UNSPEC

#define BGRA VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM

static struct desktop *create(bool virgl)
{
	struct desktop_options options = {
		.virgl = virgl,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
	};
	return desktop_create(&options);
}

static guest_rect rect(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	return (guest_rect){ x, y, width, height };
}

/* ---- 2D ---- */

static void test_create_2d(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	wire_check(guest_gpu_create_2d(guest, 0, BGRA, 16, 16), BAD_RESOURCE);
	wire_check(guest_gpu_create_2d(guest, 1, BGRA, 16, 16), OK);
	wire_check(guest_gpu_create_2d(guest, 1, BGRA, 16, 16), BAD_RESOURCE);
	wire_check(guest_gpu_create_2d(guest, 2, 0, 16, 16), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, 5, 16, 16), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, 0xffffffff, 16, 16), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, BGRA, 0, 16), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, BGRA, 16, 0), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, BGRA, FRAME_SIZE_MAX + 1, 1), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, BGRA, 1, FRAME_SIZE_MAX + 1), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, BGRA, 0xffffffff, 0xffffffff), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 2, BGRA, 0x10000, 0x10000), BAD_PARAMETER);
	wire_check(guest_gpu_create_2d(guest, 0xffffffff, BGRA, 1, 1), OK);
	wire_check(guest_gpu_unref(guest, 0xffffffff), OK);
	wire_check(guest_gpu_unref(guest, 1), OK);
	wire_check(guest_gpu_unref(guest, 1), BAD_RESOURCE);
	wire_check(guest_gpu_unref(guest, 0), BAD_RESOURCE);
	desktop_destroy(desktop);
}

/* One guest's memory runs out at a bound, and it gets memory again once it has given some back. */
static void test_out_of_memory(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	uint32_t id = 1, answer = OK;
	/* Each resource takes 64 MiB. */
	while (id < 1000 && (answer = guest_gpu_create_2d(guest, id, BGRA, 4096, 4096)) == OK)
		id++;
	g_test_message("%u resources of 64 MiB", id - 1);
	g_assert_cmphex(answer, ==, NO_MEMORY);
	g_assert_cmpuint(id, >, 2);
	wire_check(guest_gpu_unref(guest, 1), OK);
	wire_check(guest_gpu_create_2d(guest, 1, BGRA, 4096, 4096), OK);
	for (uint32_t i = 1; i < id; i++)
		wire_check(guest_gpu_unref(guest, i), OK);
	desktop_destroy(desktop);
}

static void test_backing(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	struct guest_backing *backing = guest_backing_create(guest, 64 * 64 * 4, GUEST_PAGE_SIZE);
	const struct guest_memory_region *last = &guest->memory->regions[2];
	struct virtio_gpu_mem_entry good = backing->entries[0];
	struct virtio_gpu_mem_entry nowhere = { .addr = 0x123456789000, .length = 4096 };
	struct virtio_gpu_mem_entry beyond = {
		.addr = last->guest_addr + last->size_bytes - 2048,
		.length = 4096,
	};
	struct virtio_gpu_mem_entry wrapping = { .addr = UINT64_MAX - 100, .length = 4096 };
	struct virtio_gpu_mem_entry user = { .addr = last->user_addr, .length = 4096 };
	struct virtio_gpu_mem_entry pair[2] = { good, nowhere };
	wire_ok(guest_gpu_create_2d(guest, 1, BGRA, 64, 64));
	wire_check(guest_backing_attach(backing, 2), BAD_RESOURCE);
	wire_check(guest_gpu_attach_entries(guest, 1, &nowhere, 1), UNSPEC);
	wire_check(guest_gpu_attach_entries(guest, 1, &beyond, 1), UNSPEC);
	wire_check(guest_gpu_attach_entries(guest, 1, &wrapping, 1), UNSPEC);
	wire_check(guest_gpu_attach_entries(guest, 1, &user, 1), UNSPEC);
	wire_check(guest_gpu_attach_entries(guest, 1, pair, 2), UNSPEC);
	wire_check(guest_gpu_detach_backing(guest, 1), UNSPEC);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 0, 64, 64), 0), UNSPEC);
	wire_check(guest_backing_attach(backing, 1), OK);
	wire_check(guest_backing_attach(backing, 1), UNSPEC);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 0, 64, 64), 0), OK);
	wire_check(guest_gpu_detach_backing(guest, 1), OK);
	wire_check(guest_gpu_detach_backing(guest, 1), UNSPEC);
	wire_check(guest_gpu_detach_backing(guest, 2), BAD_RESOURCE);
	/* We promise more entries than we send, and then an absurd number of them. */
	struct virtio_gpu_resource_attach_backing a = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		.resource_id = 1,
		.nr_entries = 3,
	};
	uint8_t command[sizeof(a) + sizeof(pair)];
	memcpy(command, &a, sizeof(a));
	memcpy(command + sizeof(a), pair, sizeof(pair));
	wire_check(guest_gpu_command(guest, command, sizeof(command), NULL, 0), BAD_PARAMETER);
	a.nr_entries = 0xffffffff;
	memcpy(command, &a, sizeof(a));
	wire_check(guest_gpu_command(guest, command, sizeof(command), NULL, 0), BAD_PARAMETER);
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

static void test_transfer_2d(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	struct guest_backing *backing = guest_backing_create(guest, 64 * 32 * 4, GUEST_PAGE_SIZE);
	wire_ok(guest_gpu_create_2d(guest, 1, BGRA, 64, 32));
	wire_ok(guest_backing_attach(backing, 1));
	wire_check(guest_gpu_transfer_2d(guest, 2, rect(0, 0, 64, 32), 0), BAD_RESOURCE);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 0, 64, 32), 0), OK);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(63, 31, 1, 1), (31 * 64 + 63) * 4), OK);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 0, 65, 32), 0), BAD_PARAMETER);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 0, 64, 33), 0), BAD_PARAMETER);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(1, 0, 64, 1), 0), BAD_PARAMETER);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0xffffffff, 0, 2, 1), 0), BAD_PARAMETER);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 1, 1, 0xffffffff), 0), BAD_PARAMETER);
	/* These transfers reach beyond the backing. */
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 0, 64, 32), 4), BAD_PARAMETER);
	wire_check(guest_gpu_transfer_2d(guest, 1, rect(0, 0, 1, 1), 64 * 32 * 4), BAD_PARAMETER);
	wire_check(
		guest_gpu_transfer_2d(guest, 1, rect(0, 0, 1, 1), UINT64_MAX - 2), BAD_PARAMETER);
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

static void test_scanout(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	wire_ok(guest_gpu_create_2d(guest, 1, BGRA, 64, 32));
	wire_check(guest_gpu_set_scanout(guest, 16, 1, rect(0, 0, 64, 32)), BAD_SCANOUT);
	wire_check(guest_gpu_set_scanout(guest, 0xffffffff, 0, rect(0, 0, 0, 0)), BAD_SCANOUT);
	wire_check(guest_gpu_set_scanout(guest, 0, 2, rect(0, 0, 64, 32)), BAD_RESOURCE);
	wire_check(guest_gpu_set_scanout(guest, 0, 1, rect(0, 0, 65, 32)), BAD_PARAMETER);
	wire_check(guest_gpu_set_scanout(guest, 0, 1, rect(0, 1, 64, 32)), BAD_PARAMETER);
	wire_check(guest_gpu_set_scanout(guest, 0, 1, rect(0xfffffff0, 0, 64, 32)), BAD_PARAMETER);
	wire_check(guest_gpu_set_scanout(guest, 0, 1, rect(0, 0, 0, 32)), BAD_PARAMETER);
	wire_check(guest_gpu_set_scanout(guest, 0, 1, rect(0, 0, 64, 0)), BAD_PARAMETER);
	wire_check(guest_gpu_set_scanout(guest, 0, 1, rect(0, 0, 64, 32)), OK);
	wire_check(guest_gpu_set_scanout(guest, 0, 0, rect(0, 0, 0, 0)), OK);
	wire_check(guest_gpu_set_scanout(guest, 15, 1, rect(0, 0, 64, 32)), OK);
	wire_check(guest_gpu_set_scanout(guest, 15, 0, rect(0, 0, 64, 32)), OK);
	wire_check(guest_gpu_flush(guest, 2, rect(0, 0, 1, 1)), BAD_RESOURCE);
	wire_check(guest_gpu_flush(guest, 1, rect(0, 0, 64, 32)), OK);
	wire_check(guest_gpu_flush(guest, 1, rect(0, 0, 65, 32)), BAD_PARAMETER);
	wire_check(guest_gpu_flush(guest, 1, rect(64, 0, 1, 1)), BAD_PARAMETER);
	wire_check(guest_gpu_flush(guest, 1, rect(0, 0xffffffff, 1, 2)), BAD_PARAMETER);
	desktop_destroy(desktop);
}

static void test_information(void)
{
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	struct virtio_gpu_resp_edid edid;
	struct virtio_gpu_resp_capset_info info;
	g_assert_cmpuint(guest->num_capsets, ==, 2);
	wire_check(guest_gpu_get_edid(guest, 16, &edid), BAD_SCANOUT);
	wire_check(guest_gpu_get_edid(guest, 0xffffffff, &edid), BAD_SCANOUT);
	wire_check(guest_gpu_get_edid(guest, 0, &edid), VIRTIO_GPU_RESP_OK_EDID);
	for (uint32_t i = 0; i < guest->num_capsets; i++) {
		wire_check(
			guest_gpu_get_capset_info(guest, i, &info), VIRTIO_GPU_RESP_OK_CAPSET_INFO);
		g_assert_cmpuint(info.capset_id, ==, i + 1);
		g_assert_cmpuint(info.capset_max_size, >, 0);
		g_assert_cmpuint(info.capset_max_size, <, 65536);
		g_autofree uint32_t *capset = g_malloc0(info.capset_max_size);
		wire_check(guest_gpu_get_capset(guest, info.capset_id, info.capset_max_version,
				   capset, info.capset_max_size),
			VIRTIO_GPU_RESP_OK_CAPSET);
		g_assert_cmpuint(capset[0], >, 0); /* virgl_hw.h: max_version */
		wire_check(guest_gpu_get_capset(guest, info.capset_id, info.capset_max_version + 1,
				   capset, info.capset_max_size),
			BAD_PARAMETER);
	}
	wire_check(guest_gpu_get_capset_info(guest, 2, &info), BAD_PARAMETER);
	uint32_t word;
	wire_check(guest_gpu_get_capset(guest, 0, 0, &word, 4), BAD_PARAMETER);
	wire_check(guest_gpu_get_capset(guest, 77, 0, &word, 4), BAD_PARAMETER);
	desktop_destroy(desktop);
}

/* A command that was not offered, not negotiated or is not known is answered UNSPEC. */
static void test_unknown(void)
{
	static const uint32_t types[] = { 0, 1, 0x10b, VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
		VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB, 0x10e, 0x1ff,
		0x20a, 0x2ff, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0x1100, 0xffffffff };
	for (int virgl = 0; virgl < 2; virgl++) {
		struct desktop *desktop = create(virgl);
		uint8_t command[256] = { 0 };
		for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
			memcpy(command, &types[i], 4);
			wire_check(guest_gpu_command(
					   desktop->guest, command, sizeof(command), NULL, 0),
				UNSPEC);
		}
		if (!virgl) {
			/* A guest that did not accept VIRGL is refused 3D commands. */
			wire_check(guest_gpu_ctx_create(desktop->guest, 1, "x"), UNSPEC);
			wire_check(guest_gpu_submit(desktop->guest, 1, command, 16), UNSPEC);
		}
		desktop_destroy(desktop);
	}
}

static const struct {
	uint32_t type;
	size_t size_bytes;
} SIZES[] = {
	{ VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, sizeof(struct virtio_gpu_resource_create_2d) },
	{ VIRTIO_GPU_CMD_RESOURCE_UNREF, sizeof(struct virtio_gpu_resource_unref) },
	{ VIRTIO_GPU_CMD_SET_SCANOUT, sizeof(struct virtio_gpu_set_scanout) },
	{ VIRTIO_GPU_CMD_RESOURCE_FLUSH, sizeof(struct virtio_gpu_resource_flush) },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, sizeof(struct virtio_gpu_transfer_to_host_2d) },
	{ VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		sizeof(struct virtio_gpu_resource_attach_backing) },
	{ VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING,
		sizeof(struct virtio_gpu_resource_detach_backing) },
	{ VIRTIO_GPU_CMD_GET_CAPSET_INFO, sizeof(struct virtio_gpu_get_capset_info) },
	{ VIRTIO_GPU_CMD_GET_CAPSET, sizeof(struct virtio_gpu_get_capset) },
	{ VIRTIO_GPU_CMD_GET_EDID, sizeof(struct virtio_gpu_cmd_get_edid) },
	{ VIRTIO_GPU_CMD_CTX_CREATE, sizeof(struct virtio_gpu_ctx_create) },
	{ VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, sizeof(struct virtio_gpu_ctx_resource) },
	{ VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE, sizeof(struct virtio_gpu_ctx_resource) },
	{ VIRTIO_GPU_CMD_RESOURCE_CREATE_3D, sizeof(struct virtio_gpu_resource_create_3d) },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, sizeof(struct virtio_gpu_transfer_host_3d) },
	{ VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, sizeof(struct virtio_gpu_transfer_host_3d) },
	{ VIRTIO_GPU_CMD_SUBMIT_3D, sizeof(struct virtio_gpu_cmd_submit) },
};

/* A command shorter than its type, down to no header at all, is refused. */
static void test_short(void)
{
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	for (unsigned i = 0; i < G_N_ELEMENTS(SIZES); i++) {
		uint8_t command[128] = { 0 };
		memcpy(command, &SIZES[i].type, 4);
		for (size_t n = sizeof(struct virtio_gpu_ctrl_hdr); n < SIZES[i].size_bytes; n += 3)
			wire_check(guest_gpu_command(guest, command, n, NULL, 0), UNSPEC);
		for (size_t n = 4; n < sizeof(struct virtio_gpu_ctrl_hdr); n += 5)
			wire_check(guest_gpu_command(guest, command, n, NULL, 0), UNSPEC);
	}
	g_assert_true(scene3d_run(guest, 10, 1));
	desktop_destroy(desktop);
}

/* When the answer has no room, what fits is written and no byte beyond. */
static void test_small_response(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	struct virtio_gpu_ctrl_hdr command = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	static const size_t sizes[] = { 0, 1, 8, 23, 24, 100, 407, 408 };
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct guest_request *request =
			guest_queue_send(guest->control, &command, sizeof(command), sizes[i]);
		g_assert_true(guest_queue_wait(guest->control, request, guest->timeout_ms));
		g_assert_cmpuint(request->used_bytes, <=, sizes[i]);
		guest_request_free(request);
	}
	desktop_destroy(desktop);
}

/* ---- 3D ---- */

static void test_contexts(void)
{
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	uint32_t nop = 0;
	wire_check(guest_gpu_ctx_create(guest, 0, "zero"), BAD_CONTEXT);
	wire_check(guest_gpu_ctx_create(guest, 1, "one"), OK);
	wire_check(guest_gpu_ctx_create(guest, 1, "again"), BAD_CONTEXT);
	wire_check(guest_gpu_ctx_create(guest, 2, ""), OK);
	wire_check(guest_gpu_ctx_destroy(guest, 2), OK);
	wire_check(guest_gpu_ctx_destroy(guest, 2), BAD_CONTEXT);
	wire_check(guest_gpu_ctx_destroy(guest, 0), BAD_CONTEXT);
	wire_check(guest_gpu_submit(guest, 2, &nop, 4), BAD_CONTEXT);
	wire_check(guest_gpu_submit(guest, 1, &nop, 4), OK);
	wire_check(guest_gpu_submit(guest, 1, &nop, 0), OK);
	wire_check(guest_gpu_submit(guest, 1, &nop, 3), BAD_PARAMETER);
	wire_check(guest_gpu_ctx_attach(guest, 1, 5), BAD_RESOURCE);
	wire_check(guest_gpu_create_2d(guest, 5, BGRA, 16, 16), OK);
	wire_check(guest_gpu_ctx_attach(guest, 7, 5), BAD_CONTEXT);
	wire_check(guest_gpu_ctx_detach(guest, 7, 5), BAD_CONTEXT);
	wire_check(guest_gpu_ctx_detach(guest, 1, 6), BAD_RESOURCE);
	/* The name is not terminated, and its length lies beyond the field. */
	struct virtio_gpu_ctx_create c = {
		.hdr = { .type = VIRTIO_GPU_CMD_CTX_CREATE, .ctx_id = 3 },
		.nlen = 4000,
	};
	memset(c.debug_name, 'n', sizeof(c.debug_name));
	wire_check(guest_gpu_command(guest, &c, sizeof(c), NULL, 0), BAD_PARAMETER);
	c.nlen = 64;
	wire_check(guest_gpu_command(guest, &c, sizeof(c), NULL, 0), OK);
	/* The header promises more bytes than follow. */
	struct virtio_gpu_cmd_submit s = {
		.hdr = { .type = VIRTIO_GPU_CMD_SUBMIT_3D, .ctx_id = 1 },
		.size = 4096,
	};
	wire_check(guest_gpu_command(guest, &s, sizeof(s), NULL, 0), BAD_PARAMETER);
	s.size = 0xfffffffc;
	wire_check(guest_gpu_command(guest, &s, sizeof(s), NULL, 0), BAD_PARAMETER);
	desktop_destroy(desktop);
}

static struct virtio_gpu_resource_create_3d texture(uint32_t id)
{
	return (struct virtio_gpu_resource_create_3d){
		.resource_id = id,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8A8,
		.bind = VIRGL_BIND_RENDER_TARGET,
		.width = 32,
		.height = 32,
		.depth = 1,
		.array_size = 1,
	};
}

static void test_create_3d(void)
{
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	struct virtio_gpu_resource_create_3d good = texture(1), c;
	wire_check(guest_gpu_create_3d(guest, &good), OK);
	wire_check(guest_gpu_create_3d(guest, &good), BAD_RESOURCE);
	c = texture(0);
	wire_check(guest_gpu_create_3d(guest, &c), BAD_RESOURCE);
	static const struct {
		size_t offset;
		uint32_t value;
	} wrong[] = {
#define FIELD(name, value) { offsetof(struct virtio_gpu_resource_create_3d, name), value }
		FIELD(target, 99),
		FIELD(format, 0xffffffff),
		FIELD(format, 0),
		FIELD(width, 0),
		FIELD(height, 0),
		FIELD(depth, 0),
		FIELD(width, 0xffffffff),
		FIELD(height, 0x80000000),
		FIELD(depth, 2),
		FIELD(array_size, 0xffffffff),
		FIELD(last_level, 40),
		FIELD(nr_samples, 1000000),
#undef FIELD
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		c = texture(2);
		memcpy((uint8_t *)&c + wrong[i].offset, &wrong[i].value, 4);
		uint32_t answer = guest_gpu_create_3d(guest, &c);
		if (answer != BAD_PARAMETER)
			g_error("row %u (offset %zu = %u): %#x", i, wrong[i].offset, wrong[i].value,
				answer);
	}
	wire_check(guest_gpu_unref(guest, 1), OK);
	desktop_destroy(desktop);
}

static void test_transfer_3d(void)
{
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	const uint32_t to = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D;
	const uint32_t from = VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D;
	struct virtio_gpu_resource_create_3d c = texture(1);
	struct virtio_gpu_box all = { 0, 0, 0, 32, 32, 1 };
	struct guest_backing *backing = guest_backing_create(guest, 32 * 32 * 4, GUEST_PAGE_SIZE);
	wire_ok(guest_gpu_ctx_create(guest, 1, "t"));
	wire_ok(guest_gpu_create_3d(guest, &c));
	wire_ok(guest_gpu_ctx_attach(guest, 1, 1));
	wire_check(guest_gpu_transfer_3d(guest, to, 1, 1, all, 0, 0), UNSPEC);
	wire_ok(guest_backing_attach(backing, 1));
	for (int i = 0; i < 2; i++) {
		uint32_t type = i ? from : to;
		struct virtio_gpu_box wide = { 0, 0, 0, 33, 32, 1 }, off = { 32, 0, 0, 1, 1, 1 };
		struct virtio_gpu_box deep = { 0, 0, 1, 32, 32, 1 };
		struct virtio_gpu_box wrap = { 0xffffffff, 0, 0, 2, 1, 1 };
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, all, 0, 0), OK);
		wire_check(guest_gpu_transfer_3d(guest, type, 9, 1, all, 0, 0), BAD_CONTEXT);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 9, all, 0, 0), BAD_RESOURCE);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, wide, 0, 0), BAD_PARAMETER);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, off, 0, 0), BAD_PARAMETER);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, deep, 0, 0), BAD_PARAMETER);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, wrap, 0, 0), BAD_PARAMETER);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, all, 4, 0), BAD_PARAMETER);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, all, UINT64_MAX, 0),
			BAD_PARAMETER);
		wire_check(guest_gpu_transfer_3d(guest, type, 1, 1, all, 0, 0x7fffffff),
			BAD_PARAMETER);
	}
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

/* A stream that virglrenderer refuses costs the guest that context and nothing else. */
static void test_bad_stream(void)
{
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	struct virgl_stream s = { 0 };
	wire_ok(guest_gpu_ctx_create(guest, 1, "bad"));
	virgl_put_header(&s, 250, 0, 3); /* no such command */
	for (int i = 0; i < 3; i++)
		virgl_put(&s, 0);
	uint32_t answer = guest_gpu_submit(guest, 1, s.words, virgl_stream_bytes(&s));
	g_assert_cmphex(answer, >=, VIRTIO_GPU_RESP_ERR_UNSPEC);
	virgl_stream_finish(&s);
	/* A context in which something was wrong ignores what follows, so we make a new one. */
	wire_ok(guest_gpu_ctx_create(guest, 2, "worse"));
	virgl_put_header(&s, 1, VIRGL_OBJECT_SHADER, 4000); /* longer than the stream */
	/* We expect no error here: virglrenderer notes this one and returns success. */
	guest_gpu_submit(guest, 2, s.words, virgl_stream_bytes(&s));
	virgl_stream_finish(&s);
	pid_t renderer = desktop_renderer(desktop);
	g_assert_true(scene3d_run(guest, 10, 1));
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/commands/create-2d", test_create_2d);
	g_test_add_func("/commands/out-of-memory", test_out_of_memory);
	g_test_add_func("/commands/backing", test_backing);
	g_test_add_func("/commands/transfer-2d", test_transfer_2d);
	g_test_add_func("/commands/scanout", test_scanout);
	g_test_add_func("/commands/information", test_information);
	g_test_add_func("/commands/unknown", test_unknown);
	g_test_add_func("/commands/short", test_short);
	g_test_add_func("/commands/small-response", test_small_response);
	g_test_add_func("/commands/contexts", test_contexts);
	g_test_add_func("/commands/create-3d", test_create_3d);
	g_test_add_func("/commands/transfer-3d", test_transfer_3d);
	g_test_add_func("/commands/bad-stream", test_bad_stream);
	return g_test_run();
}
