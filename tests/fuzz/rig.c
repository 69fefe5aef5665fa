/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/rig.h"

#include <glib.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* Drops the log: a guest's mistakes are logged, and here there would be nothing else to see. */
static GLogWriterOutput drop(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	return G_LOG_WRITER_HANDLED;
}

struct rig *rig_get(void)
{
	static struct rig rig;
	if (rig.memory)
		return &rig;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct keeper_memory_region region = {
		.guest_addr = RIG_GUEST_ADDR,
		.user_addr = RIG_USER_ADDR,
		.size_bytes = RIG_BYTES,
	};
	rig.memory = memory_create();
	if (fd < 0 || ftruncate(fd, RIG_BYTES) < 0 || !memory_add_region(rig.memory, &region, fd))
		abort();
	rig.bytes = mmap(NULL, RIG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (rig.bytes == MAP_FAILED)
		abort();
	close(fd);
	g_log_set_writer_func(drop, NULL, NULL);
	return &rig;
}

void rig_restart_ring(struct rig *rig, struct virtqueue *vq, uint64_t features)
{
	struct keeper_ring_start start = {
		.size = RIG_RING_SIZE,
		.desc_user_addr = RIG_USER_ADDR + RIG_DESC,
		.avail_user_addr = RIG_USER_ADDR + RIG_AVAIL,
		.used_user_addr = RIG_USER_ADDR + RIG_USED,
	};
	virtqueue_set_features(vq, features);
	virtqueue_set_memory(vq, rig->memory);
	if (!virtqueue_start(vq, &start, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), -1))
		abort();
}

struct virtqueue *rig_start_ring(struct rig *rig, uint64_t features)
{
	struct virtqueue *vq = virtqueue_create("fuzz");
	rig_restart_ring(rig, vq, features);
	return vq;
}
