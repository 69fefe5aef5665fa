/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what commands of the control queue say. The input is a row of commands, each a byte of
 * length in words and that much of a command. They are 2D only, as virglrenderer has fuzzers of its
 * own.
 */
#include <glib.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "render/commands/commands.h"
#include "render/objects/objects.h"
#include "render/scanout/scanouts.h"
#include "tests/fuzz/rig.h"
#include "tests/unit/render/picture_limits.h"

#define COMMANDS_MAX 32
#define COMMAND_AT RIG_FREE
#define RESPONSE_AT (RIG_FREE + 1024)
#define RESPONSE_BYTES 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rooms {
	struct objects *objects;
	struct commands *commands;
	struct virtqueue *queue;
};

/*
 * Returns the rooms without their thread. Nobody has new memory to tell, so no command may wait for
 * it.
 */
static struct rooms *get_rooms(struct rig *rig)
{
	static struct rooms rooms;
	if (rooms.commands)
		return &rooms;
	const struct quota_limits limits = picture_limits(64u << 20);
	rooms.objects = objects_create(&limits);
	rooms.commands =
		commands_create(rooms.objects, scanouts_create(rooms.objects, false), false);
	rooms.queue = commands_get_queue(rooms.commands);
	virtqueue_set_memory(rooms.queue, rig->memory);
	objects_set_memory(rooms.objects, memory_ref(rig->memory));
	return &rooms;
}

static void publish(struct rig *rig, const uint8_t *command, uint32_t bytes)
{
	struct vring_desc *desc = (void *)(rig->bytes + RIG_DESC);
	struct vring_avail *avail = (void *)(rig->bytes + RIG_AVAIL);
	memcpy(rig->bytes + COMMAND_AT, command, bytes);
	desc[0] = (struct vring_desc){ RIG_GUEST_ADDR + COMMAND_AT, bytes, VRING_DESC_F_NEXT, 1 };
	desc[1] = (struct vring_desc){ RIG_GUEST_ADDR + RESPONSE_AT, RESPONSE_BYTES,
		VRING_DESC_F_WRITE, 0 };
	avail->ring[avail->idx % RIG_RING_SIZE] = 0;
	avail->idx++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *rig = rig_get();
	struct rooms *rooms = get_rooms(rig);
	memset(rig->bytes, 0, RIG_FREE);
	rig_restart_ring(rig, rooms->queue, 0);
	for (int i = 0; i < COMMANDS_MAX && size > 1; i++) {
		uint32_t bytes = MIN(data[0] * 4u, (uint32_t)size - 1);
		publish(rig, data + 1, bytes);
		struct chain *chain = commands_take(rooms->commands);
		if (!chain)
			break;
		commands_execute(rooms->commands, chain, false);
		data += 1 + bytes;
		size -= 1 + bytes;
	}
	virtqueue_stop(rooms->queue);
	virtqueue_reset(rooms->queue);
	commands_forget_guest(rooms->commands);
	return 0;
}
