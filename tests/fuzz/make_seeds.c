/* SPDX-License-Identifier: MIT */
/*
 * Writes well-formed inputs for all targets, so that mutation begins behind the first checks:
 * make-seeds TARGET DIRECTORY.
 */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "tests/fuzz/rig.h"
#include "tests/fuzz/seeds.h"

void seeds_save(const char *directory, const char *name, const GByteArray *bytes)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_assert_true(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
}

static void put(GByteArray *bytes, const void *command, size_t n)
{
	uint8_t words = (uint8_t)(n / 4);
	g_byte_array_append(bytes, &words, 1);
	g_byte_array_append(bytes, command, (guint)n);
}

static void make_commands(const char *directory)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	struct virtio_gpu_ctrl_hdr info = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct virtio_gpu_cmd_get_edid edid = { .hdr.type = VIRTIO_GPU_CMD_GET_EDID };
	struct virtio_gpu_resource_create_2d create = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D }, 1, 1, 32, 32
	};
	struct {
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_mem_entry entry;
	} backing = {
		{ { .type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING }, 1, 1 },
		{ RIG_GUEST_ADDR + 8192, 4096, 0 },
	};
	struct virtio_gpu_transfer_to_host_2d transfer = {
		{ .type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D }, { 0, 0, 32, 32 }, 0, 1, 0
	};
	struct virtio_gpu_set_scanout scanout = { { .type = VIRTIO_GPU_CMD_SET_SCANOUT },
		{ 0, 0, 32, 32 }, 0, 1 };
	struct virtio_gpu_resource_flush flush = { { .type = VIRTIO_GPU_CMD_RESOURCE_FLUSH },
		{ 0, 0, 32, 32 }, 1, 0 };
	struct virtio_gpu_resource_detach_backing detach = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING }, 1, 0
	};
	struct virtio_gpu_resource_unref unref = { { .type = VIRTIO_GPU_CMD_RESOURCE_UNREF }, 1,
		0 };
	put(bytes, &info, sizeof(info));
	put(bytes, &edid, sizeof(edid));
	put(bytes, &create, sizeof(create));
	put(bytes, &backing, sizeof(backing));
	put(bytes, &transfer, sizeof(transfer));
	put(bytes, &scanout, sizeof(scanout));
	put(bytes, &flush, sizeof(flush));
	put(bytes, &detach, sizeof(detach));
	put(bytes, &unref, sizeof(unref));
	seeds_save(directory, "commands", bytes);
}

static void make_ring(const char *directory, bool indirect)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	uint8_t mode = indirect ? 2 : 0;
	_Alignas(16) uint8_t memory[2048] = { 0 };
	struct vring_desc *desc = (void *)(memory + RIG_DESC);
	struct vring_desc *table = (void *)(memory + RIG_FREE);
	struct vring_avail *avail = (void *)(memory + RIG_AVAIL);
	struct vring_desc *chain = indirect ? table : desc;
	struct vring_desc command = { RIG_GUEST_ADDR + 1536, 64, VRING_DESC_F_NEXT, 1 };
	struct vring_desc response = { RIG_GUEST_ADDR + 1600, 64, VRING_DESC_F_WRITE, 0 };
	memcpy(&chain[0], &command, sizeof(command));
	memcpy(&chain[1], &response, sizeof(response));
	if (indirect) {
		struct vring_desc d = { RIG_GUEST_ADDR + RIG_FREE, 32, VRING_DESC_F_INDIRECT, 0 };
		memcpy(&desc[0], &d, sizeof(d));
	}
	uint16_t one = 1;
	memcpy(&avail->idx, &one, sizeof(one));
	g_byte_array_append(bytes, &mode, sizeof(mode));
	g_byte_array_append(bytes, memory, sizeof(memory));
	seeds_save(directory, indirect ? "indirect" : "direct", bytes);
}

static void make_rings(const char *directory)
{
	make_ring(directory, false);
	make_ring(directory, true);
}

static const struct {
	const char *target;
	void (*make)(const char *directory);
} targets[] = {
	{ "agent", seeds_agent },
	{ "command", make_commands },
	{ "config", seeds_config },
	{ "dbus", seeds_dbus },
	{ "heads", seeds_heads },
	{ "image", seeds_image },
	{ "flight", seeds_flight },
	{ "keeper", seeds_keeper },
	{ "link", seeds_link },
	{ "relay", seeds_relay },
	{ "stream", seeds_stream },
	{ "usb", seeds_usb },
	{ "vhost", seeds_vhost },
	{ "virgl", seeds_stream },
	{ "virtqueue", make_rings },
	{ "websocket", seeds_websocket },
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc == 3 && i < G_N_ELEMENTS(targets); i++) {
		if (strcmp(argv[1], targets[i].target) == 0) {
			targets[i].make(argv[2]);
			return 0;
		}
	}
	return 2;
}
