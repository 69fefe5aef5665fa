/* SPDX-License-Identifier: MIT */
#include "tests/wire/malform.h"

#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>

/*
 * Chains and backings lie in this area, which has room for the longest length that fits memory at
 * all: what the device writes there hurts neither the rings nor other requests.
 */
#define SCRATCH_BYTES (1u << 24)
#define CHAIN_BYTES 65536u
#define BACKING_PAGES (SCRATCH_BYTES / 2 / GUEST_PAGE_SIZE)

void malform_init(struct malform *m, struct guest *guest, uint64_t seed)
{
	*m = (struct malform){ .state = seed * 2654435761u + 88172645463325252u, .guest = guest };
	m->scratch_addr = guest_memory_alloc(guest->memory, SCRATCH_BYTES);
}

/* Returns a number below `below` by xorshift64, so that one seed always gives the same run. */
uint32_t malform_random(struct malform *m, uint32_t below)
{
	m->state ^= m->state << 13;
	m->state ^= m->state >> 7;
	m->state ^= m->state << 17;
	return (uint32_t)(m->state >> 16) % below;
}

static uint32_t any_word(struct malform *m)
{
	return malform_random(m, 0xffffffff);
}

static uint32_t any_id(struct malform *m)
{
	switch (malform_random(m, 10)) {
	case 0:
		return 0;
	case 1:
		return any_word(m);
	}
	return 1 + malform_random(m, MALFORM_ID_MAX);
}

/* Chooses among few contexts, so that streams often find one. */
static uint32_t any_context(struct malform *m)
{
	return malform_random(m, 8) ? 1 + malform_random(m, 4) : any_id(m);
}

static uint32_t any_size(struct malform *m)
{
	static const uint32_t odd[] = { 0, 1, 16383, 16384, 16385, 65535, 65536, 0x7fffffff,
		0x80000000, 0xffffffff };
	if (malform_random(m, 8) == 0)
		return odd[malform_random(m, G_N_ELEMENTS(odd))];
	return 1 + malform_random(m, malform_random(m, 2) ? 32 : 256);
}

static uint32_t any_offset(struct malform *m)
{
	return malform_random(m, 3) ? malform_random(m, 64) : any_size(m);
}

static uint32_t any_format(struct malform *m)
{
	static const uint32_t known[] = { 1, 2, 3, 4, 67, 68, 121, 134 };
	if (malform_random(m, 4) == 0)
		return malform_random(m, 512);
	return known[malform_random(m, G_N_ELEMENTS(known))];
}

/* Returns an address above every region of ours. */
static uint64_t nowhere(struct malform *m)
{
	return (UINT64_C(1) << 44 | any_word(m)) << malform_random(m, 20);
}

typedef size_t (*maker)(struct malform *m, uint8_t *command);

#define MAKE(name, structure, ...)                                                                 \
	static size_t make_##name(struct malform *m, uint8_t *command)                             \
	{                                                                                          \
		struct structure c = { 0 };                                                        \
		__VA_ARGS__;                                                                       \
		memcpy(command, &c, sizeof(c));                                                    \
		return sizeof(c);                                                                  \
	}

static struct virtio_gpu_rect any_rect(struct malform *m)
{
	return (struct virtio_gpu_rect){ any_offset(m), any_offset(m), any_size(m), any_size(m) };
}

MAKE(display_info, virtio_gpu_ctrl_hdr, c.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO)
MAKE(create_2d, virtio_gpu_resource_create_2d, c.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D;
	c.resource_id = any_id(m); c.format = any_format(m); c.width = any_size(m);
	c.height = any_size(m))
MAKE(unref, virtio_gpu_resource_unref, c.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF;
	c.resource_id = any_id(m))
MAKE(set_scanout, virtio_gpu_set_scanout, c.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT;
	c.r = any_rect(m); c.scanout_id = malform_random(m, 18); c.resource_id = any_id(m))
MAKE(flush, virtio_gpu_resource_flush, c.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH;
	c.r = any_rect(m); c.resource_id = any_id(m))
MAKE(transfer_2d, virtio_gpu_transfer_to_host_2d, c.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D;
	c.r = any_rect(m); c.offset = any_offset(m); c.resource_id = any_id(m))
MAKE(detach, virtio_gpu_resource_detach_backing,
	c.hdr.type = VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING;
	c.resource_id = any_id(m))
MAKE(capset_info, virtio_gpu_get_capset_info, c.hdr.type = VIRTIO_GPU_CMD_GET_CAPSET_INFO;
	c.capset_index = any_offset(m))
MAKE(capset, virtio_gpu_get_capset, c.hdr.type = VIRTIO_GPU_CMD_GET_CAPSET;
	c.capset_id = malform_random(m, 5); c.capset_version = malform_random(m, 5))
MAKE(edid, virtio_gpu_cmd_get_edid, c.hdr.type = VIRTIO_GPU_CMD_GET_EDID; c.scanout = any_offset(m))
MAKE(ctx_create, virtio_gpu_ctx_create, c.hdr.type = VIRTIO_GPU_CMD_CTX_CREATE;
	c.hdr.ctx_id = any_context(m); c.nlen = malform_random(m, 4) ? 64 : any_size(m);
	memset(c.debug_name, 'A', sizeof(c.debug_name)))
MAKE(ctx_destroy, virtio_gpu_ctx_destroy, c.hdr.type = VIRTIO_GPU_CMD_CTX_DESTROY;
	c.hdr.ctx_id = any_context(m))
MAKE(ctx_attach, virtio_gpu_ctx_resource, c.hdr.type = VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE;
	c.hdr.ctx_id = any_context(m); c.resource_id = any_id(m))
MAKE(ctx_detach, virtio_gpu_ctx_resource, c.hdr.type = VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE;
	c.hdr.ctx_id = any_context(m); c.resource_id = any_id(m))
MAKE(create_3d, virtio_gpu_resource_create_3d, c.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_3D;
	c.resource_id = any_id(m); c.target = malform_random(m, 3) ? 2 : malform_random(m, 12);
	c.format = any_format(m);
	c.bind = malform_random(m, 3) ? VIRGL_BIND_RENDER_TARGET : any_word(m);
	c.width = any_size(m); c.height = any_size(m);
	c.depth = malform_random(m, 4) ? 1 : any_size(m);
	c.array_size = malform_random(m, 4) ? 1 : any_size(m);
	c.last_level = malform_random(m, 4) ? 0 : any_offset(m);
	c.nr_samples = malform_random(m, 4) ? 0 : any_offset(m);
	c.flags = malform_random(m, 4) ? malform_random(m, 2) : any_word(m))

static size_t make_transfer_3d(struct malform *m, uint8_t *command)
{
	struct virtio_gpu_transfer_host_3d c = {
		.hdr = { .type = malform_random(m, 2) ? VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D :
							VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D,
			.ctx_id = any_context(m) },
		.box = { any_offset(m), any_offset(m), malform_random(m, 4) ? 0 : any_offset(m),
			any_size(m), any_size(m), malform_random(m, 4) ? 1 : any_size(m) },
		.offset = any_offset(m),
		.resource_id = any_id(m),
		.level = malform_random(m, 4) ? 0 : any_offset(m),
		.stride = malform_random(m, 2) ? 0 : any_size(m),
		.layer_stride = malform_random(m, 2) ? 0 : any_size(m),
	};
	memcpy(command, &c, sizeof(c));
	return sizeof(c);
}

static size_t make_attach_backing(struct malform *m, uint8_t *command)
{
	uint32_t n = malform_random(m, 40);
	struct virtio_gpu_resource_attach_backing c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		.resource_id = any_id(m),
		.nr_entries = malform_random(m, 6) ? n : any_size(m),
	};
	memcpy(command, &c, sizeof(c));
	for (uint32_t i = 0; i < n; i++) {
		struct virtio_gpu_mem_entry e = {
			.addr = m->scratch_addr + CHAIN_BYTES +
				malform_random(m, BACKING_PAGES) * GUEST_PAGE_SIZE,
			.length = malform_random(m, 4) ? GUEST_PAGE_SIZE : any_size(m),
		};
		if (malform_random(m, 100) == 0)
			e.addr = nowhere(m);
		memcpy(command + sizeof(c) + i * sizeof(e), &e, sizeof(e));
	}
	return sizeof(c) + n * sizeof(struct virtio_gpu_mem_entry);
}

static void put_random_command(struct malform *m, struct virgl_stream *s)
{
	uint32_t words = malform_random(m, 24);
	virgl_put_header(s, malform_random(m, 64), malform_random(m, 12), words);
	for (uint32_t i = 0; i < words; i++)
		virgl_put(s, malform_random(m, 3) ? malform_random(m, 32) : any_word(m));
}

static void put_plausible_command(struct malform *m, struct virgl_stream *s)
{
	static const float red[4] = { 1, 0, 0, 1 };
	uint32_t handle = malform_random(m, 12), id = any_id(m);
	struct virgl_box box = { any_offset(m), any_offset(m), 0, any_size(m), any_size(m), 1 };
	struct virgl_box other = { any_offset(m), any_offset(m), 0, any_size(m), any_size(m), 1 };
	uint8_t data[64] = { 0 };
	switch (malform_random(m, 16)) {
	case 0:
		virgl_create_surface(s, handle, id, any_format(m));
		break;
	case 1:
		virgl_set_framebuffer(s, handle);
		break;
	case 2:
		virgl_clear(s, red);
		break;
	case 3:
		virgl_create_shader(s, handle, malform_random(m, 8), "FRAG\nDCL nonsense\n END\n");
		break;
	case 4:
		virgl_bind_shader(s, handle, malform_random(m, 8));
		break;
	case 5:
		virgl_create_blend(s, handle, 1);
		break;
	case 6:
		virgl_create_rasterizer(s, handle);
		break;
	case 7:
		virgl_create_vertex_elements(s, handle);
		break;
	case 8:
		virgl_set_vertex_buffer(s, id, any_size(m), any_offset(m));
		break;
	case 9:
		virgl_draw(s, malform_random(m, 20), any_offset(m), malform_random(m, 64));
		break;
	case 10:
		virgl_inline_write(s, id, box, data, sizeof(data), any_offset(m));
		break;
	case 11:
		virgl_blit(s, id, box, any_id(m), other, any_format(m));
		break;
	case 12:
		virgl_copy_region(s, id, any_offset(m), any_offset(m), any_id(m), other);
		break;
	case 13:
		virgl_create_sampler_view(s, handle, id, any_format(m));
		break;
	case 14:
		virgl_bind_sampler(s, handle, malform_random(m, 12));
		break;
	default:
		virgl_destroy(s, malform_random(m, 12), handle);
	}
}

void malform_stream(struct malform *m, struct virgl_stream *stream)
{
	unsigned n = 1 + malform_random(m, 6);
	for (unsigned i = 0; i < n; i++) {
		if (malform_random(m, 4))
			put_plausible_command(m, stream);
		else
			put_random_command(m, stream);
	}
	/* We put a wrong word here and there into a stream that is right otherwise. */
	while (malform_random(m, 3) == 0)
		stream->words[malform_random(m, (uint32_t)stream->n_words)] = any_word(m);
}

static size_t make_submit(struct malform *m, uint8_t *command)
{
	struct virgl_stream s = { 0 };
	malform_stream(m, &s);
	struct virtio_gpu_cmd_submit c = {
		.hdr = { .type = VIRTIO_GPU_CMD_SUBMIT_3D, .ctx_id = any_context(m) },
		.size = virgl_stream_bytes(&s),
	};
	size_t bytes = sizeof(c) + c.size;
	if (malform_random(m, 8) == 0)
		c.size = any_size(m);
	memcpy(command, &c, sizeof(c));
	memcpy(command + sizeof(c), s.words, virgl_stream_bytes(&s));
	virgl_stream_finish(&s);
	return bytes;
}

/*
 * Lists makers of objects more often than those that destroy them, so that streams find something.
 */
static const maker MAKERS[] = { make_display_info, make_create_2d, make_create_2d, make_unref,
	make_set_scanout, make_set_scanout, make_flush, make_flush, make_transfer_2d,
	make_transfer_2d, make_detach, make_capset_info, make_capset, make_edid, make_ctx_create,
	make_ctx_create, make_ctx_create, make_ctx_destroy, make_ctx_attach, make_ctx_attach,
	make_ctx_attach, make_ctx_detach, make_create_3d, make_create_3d, make_transfer_3d,
	make_transfer_3d, make_attach_backing, make_attach_backing, make_submit, make_submit,
	make_submit, make_submit, make_submit };

size_t malform_command(struct malform *m, enum malform_kind kind, uint8_t *command)
{
	size_t bytes = MAKERS[malform_random(m, G_N_ELEMENTS(MAKERS))](m, command);
	struct virtio_gpu_ctrl_hdr header;
	memcpy(&header, command, sizeof(header));
	if (kind == MALFORM_UNKNOWN)
		header.type = malform_random(m, 2) ? any_word(m) : 0x100 + malform_random(m, 0x300);
	if (malform_random(m, 3) == 0) {
		header.flags = malform_random(m, 4);
		header.fence_id = any_word(m);
	}
	memcpy(command, &header, sizeof(header));
	return kind == MALFORM_SHORT ? 1 + malform_random(m, (uint32_t)bytes - 1) : bytes;
}

static struct vring_desc any_descriptor(struct malform *m, unsigned next)
{
	struct vring_desc d = {
		.addr = m->scratch_addr + malform_random(m, CHAIN_BYTES),
		.len = malform_random(m, 128),
		.flags = (uint16_t)(malform_random(m, 8)),
		.next = (uint16_t)next,
	};
	switch (malform_random(m, 6)) {
	case 0:
		d.addr = nowhere(m);
		break;
	case 1:
		d.len = any_size(m);
		break;
	case 2:
		d.next = (uint16_t)malform_random(m, 0xffff);
		break;
	case 3:
		d.flags = (uint16_t)any_word(m);
		break;
	}
	return d;
}

/*
 * Makes each `next` that names an entry outside the chain one that the ring does not have. Else the
 * device would go on in another request's entry, and that request's answer would be wrong.
 */
static void keep_to_itself(const struct guest_queue *queue, struct vring_desc *chain, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (chain[i].next >= n && chain[i].next < queue->size)
			chain[i].next += queue->size;
	}
}

/* Fills the scratch area with nonsense too, since a chain may name it as an indirect table. */
struct guest_request *malform_send_chain(struct malform *m)
{
	struct vring_desc *scratch =
		guest_memory_at(m->guest->memory, m->scratch_addr, CHAIN_BYTES);
	for (unsigned i = 0; i < 16; i++)
		scratch[i] = any_descriptor(m, i + 1);
	struct vring_desc chain[8];
	unsigned n = 1 + malform_random(m, G_N_ELEMENTS(chain));
	for (unsigned i = 0; i < n; i++)
		chain[i] = any_descriptor(m, malform_random(m, 3) ? i + 1 : malform_random(m, n));
	keep_to_itself(m->guest->control, chain, n);
	struct guest_request *request = guest_queue_add_raw(m->guest->control, chain, n);
	if (request)
		guest_queue_kick(m->guest->control);
	return request;
}
