/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the walk of descriptor chains. The input is guest memory, rings included. Its first byte
 * chooses the ring's features.
 */
#include <glib.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "tests/fuzz/rig.h"

#define TAKES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void work_chain(struct virtqueue *vq, struct chain *chain)
{
	uint8_t command[512];
	size_t n = chain_read(chain, 0, command, sizeof(command));
	chain_read(chain, chain->readable_bytes / 2, command, sizeof(command));
	chain_read(chain, UINT64_MAX - 3, command, sizeof(command));
	virtqueue_return(vq, chain, command, n);
}

static struct ledger_ring ledger;

/* The input's end, again and again: bytes that say something to a ring say something here. */
static void fill_ledger(const uint8_t *data, size_t size)
{
	size_t n = MIN(size, 64);
	uint8_t *bytes = (uint8_t *)&ledger;
	for (size_t i = 0; i < sizeof(ledger); i++)
		bytes[i] = data[size - n + i % n];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *rig = rig_get();
	if (size < 1)
		return 0;
	uint64_t features = (data[0] & 1 ? UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX : 0) |
			    (data[0] & 2 ? UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC : 0) |
			    (data[0] & 16 ? UINT64_C(1) << VIRTIO_F_RING_PACKED : 0);
	memset(rig->bytes, 0, RIG_BYTES);
	memcpy(rig->bytes, data + 1, MIN(size - 1, RIG_BYTES));
	struct virtqueue *vq = rig_start_ring(rig, features);
	struct chain *chain, *kept = NULL;
	for (int i = 0; i < TAKES_MAX && (chain = virtqueue_try_take(vq)); i++) {
		/* We keep one chain while the ring stops and starts again. */
		if (!kept && (data[0] & 4))
			kept = chain;
		else
			work_chain(vq, chain);
	}
	virtqueue_listen(vq);
	virtqueue_stop(vq);
	if (kept)
		work_chain(vq, kept);
	/* What a renderer that has died left in the ledger is not trusted either. */
	fill_ledger(data, size);
	if (data[0] & 32)
		virtqueue_set_ledger(vq, &ledger);
	rig_restart_ring(rig, vq, features);
	for (int i = 0; i < TAKES_MAX && (chain = virtqueue_try_take_orphan(vq)); i++)
		work_chain(vq, chain);
	if (data[0] & 8)
		virtqueue_reset(vq);
	virtqueue_stop(vq);
	virtqueue_destroy(vq);
	return 0;
}
