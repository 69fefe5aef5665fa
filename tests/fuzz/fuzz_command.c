/* SPDX-License-Identifier: MIT */
/*
 * What commands of the control queue say: the input is a row of commands, each a byte of length in
 * words and that much of a command. 2D only: virglrenderer has fuzzers of its own.
 */
#include <glib.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "render/commands/command.h"
#include "render/gpu_thread.h"
#include "tests/fuzz/rig.h"

#define COMMANDS_MAX 32
#define COMMAND_AT RIG_FREE
#define RESPONSE_AT (RIG_FREE + 1024)
#define RESPONSE_BYTES 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the main thread's place: nobody has new memory to tell. */
static gpointer answer_catch_up(gpointer data)
{
	struct gpu *gpu = data;
	for (;;) {
		struct pollfd p = { gpu->catch_up_fd, POLLIN, 0 };
		if (poll(&p, 1, -1) > 0)
			gpu_caught_up(gpu);
	}
	return NULL;
}

/* The gpu thread sleeps: the ring's kicks never come. */
static struct gpu *get_gpu(struct rig *rig)
{
	static struct gpu *gpu;
	static const struct gpu_options options = { .software = true, .quota_2d_bytes = 64u << 20 };
	if (gpu)
		return gpu;
	gpu = gpu_start(&options);
	if (!gpu)
		abort();
	gpu_set_memory(gpu, rig->memory);
	while (!__atomic_load_n(&gpu->memory, __ATOMIC_ACQUIRE))
		g_usleep(1000);
	g_usleep(10000);
	gpu->last_wait_us = G_MAXINT64 / 2; /* never wait for memory */
	g_thread_unref(g_thread_new("catch-up", answer_catch_up, gpu));
	return gpu;
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
	struct gpu *gpu = get_gpu(rig);
	memset(rig->bytes, 0, RIG_FREE);
	rig_restart_ring(rig, gpu->control, 0);
	for (int i = 0; i < COMMANDS_MAX && size > 1; i++) {
		uint32_t bytes = MIN(data[0] * 4u, (uint32_t)size - 1);
		publish(rig, data + 1, bytes);
		struct chain *chain = virtqueue_try_take(gpu->control);
		if (!chain)
			break;
		command_execute(gpu, chain);
		data += 1 + bytes;
		size -= 1 + bytes;
	}
	virtqueue_stop(gpu->control);
	virtqueue_reset(gpu->control);
	gpu_clear(gpu);
	return 0;
}
