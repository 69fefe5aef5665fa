/* SPDX-License-Identifier: MIT */
/*
 * virtqueue: takes commands from one ring in guest memory and returns their answers. The ring is
 * split (virtio 1.2, 2.7) or packed (2.8, packed.h), as the driver has negotiated. It is written
 * from scratch for an untrusted driver.
 *
 * One thread *works* the ring: it takes chains, returns them and sleeps on the kick descriptor.
 * Another one (the keeper link) starts, stops and rewires it. The mutex is held only while entries
 * are taken or put back, so stopping never waits for a command in progress: what is returned while
 * the ring is stopped is kept, and put into the used ring when it starts again.
 *
 * Every take and return is entered in the ledger in the order that ledger.h asks for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/keeper_link.h"
#include "protocol/ledger.h"
#include "render/ring/chain.h"
#include "render/ring/memory.h"

struct virtqueue;

/*
 * Makes a ring that has not started. `name` ("control", "cursor") is for logs and must stay valid.
 */
struct virtqueue *virtqueue_create(const char *name);
void virtqueue_destroy(struct virtqueue *vq);

/* ---- for the keeper link's thread ---- */

/*
 * Sets the ring's part of the ledger, shared memory that must outlive the ring. With NULL no ledger
 * is kept.
 */
void virtqueue_set_ledger(struct virtqueue *vq, struct ledger_ring *ledger);
/*
 * Sets the features that the guest's driver has negotiated. VIRTIO_RING_F_EVENT_IDX matters here,
 * and VIRTIO_F_RING_PACKED, which counts from the ring's next start on.
 */
void virtqueue_set_features(struct virtqueue *vq, uint64_t features);
/*
 * Replaces the memory table, and takes a reference on the new one. A ring that is not in it waits
 * for the next.
 */
void virtqueue_set_memory(struct virtqueue *vq, struct memory *memory);
/*
 * From here on all that is written to guest memory is marked in this log, of which it takes a
 * reference; NULL: in none. The ring is stopped.
 */
void virtqueue_set_log(struct virtqueue *vq, struct dirty_log *log);
/*
 * Starts the ring and takes the descriptors over; a call_fd of -1 means that there is none. Returns
 * false, which is logged, when the size is no power of two or the addresses lie outside memory. The
 * descriptors are closed then.
 */
bool virtqueue_start(
	struct virtqueue *vq, const struct keeper_ring_start *start, int kick_fd, int call_fd);
/* Takes over a new call descriptor (-1: none) and closes the one before. */
void virtqueue_set_call(struct virtqueue *vq, int call_fd);
/* Stops the ring at once. Returns the index of the next entry to take. */
uint16_t virtqueue_stop(struct virtqueue *vq);
/* Returns where a packed ring goes on to give back; 0 of a split one, which knows it itself. */
uint16_t virtqueue_get_used(struct virtqueue *vq);
/* Drops kept answers and makes chains that are still being worked on worthless. */
void virtqueue_reset(struct virtqueue *vq);

/*
 * Both count entries that the driver has made available, modulo 2^16: how many have been taken, and
 * how many there are; the second is the first while the ring cannot be read. Any thread may call
 * them.
 */
uint16_t virtqueue_get_taken(struct virtqueue *vq);
uint16_t virtqueue_peek_end(struct virtqueue *vq);

/* ---- for the working thread ---- */

/*
 * Returns true when nothing has ever been written into the ring, as far as we see, and none was
 * taken from it. Who is kicked for such a ring does not see the driver's memory: QEMU has mapped it
 * for itself alone.
 */
bool virtqueue_is_blank(struct virtqueue *vq);

/*
 * Takes the next chain. Returns NULL when there is none, when the ring is stopped or broken, or
 * when there are orphans, which come first.
 */
struct chain *virtqueue_try_take(struct virtqueue *vq);
/*
 * Takes one chain that a dead renderer took and did not return, or returns NULL when there is none
 * left. It is to be returned like any other. The working thread calls this until it gives NULL
 * before it calls virtqueue_try_take().
 */
struct chain *virtqueue_try_take_orphan(struct virtqueue *vq);
/*
 * Writes the answer into the chain's writable part, as far as there is room, gives the chain back
 * and frees it. Guest memory is written here, under the lock, and nowhere else: a ring that has
 * been stopped keeps a copy of the answer instead, and one that has been reset forgets it, since
 * the guest may have given that memory to something else by then.
 */
void virtqueue_return(
	struct virtqueue *vq, struct chain *chain, const void *answer, size_t answer_bytes);

/*
 * Translates a faulty chain again, with the newest memory table. Takes the chain over and returns
 * the new one, or the same one when the ring is stopped or was reset.
 */
struct chain *virtqueue_read_again(struct virtqueue *vq, struct chain *chain);
/*
 * Returns false for a chain from before a reset. Its answer would be dropped, so its command need
 * not begin.
 */
bool virtqueue_is_current(struct virtqueue *vq, const struct chain *chain);

/*
 * Asks the driver for kicks. Returns true when there is work already, which is then to be taken
 * before any sleep. virtqueue_quiet() tells the driver that kicks are not needed for the moment.
 */
bool virtqueue_listen(struct virtqueue *vq);
void virtqueue_quiet(struct virtqueue *vq);
/*
 * Returns the descriptor to sleep on, or -1. It stays the ring's and is valid until the next call.
 */
int virtqueue_kick_fd(struct virtqueue *vq);
/* Empties the kick descriptor, so that it is readable again only after another kick. */
void virtqueue_drain_kick(struct virtqueue *vq);
