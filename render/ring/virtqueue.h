/* SPDX-License-Identifier: MIT */
/*
 * virtqueue: one split ring (virtio 1.2, 2.7) in guest memory, written from scratch for an
 * untrusted driver.
 *
 * Threads. One thread *works* the ring: it takes chains, returns them and sleeps on the kick
 * descriptor. Another one (the keeper link) starts, stops and rewires it. The mutex is held only
 * while entries are taken or put back, so stopping never waits for a command in progress: what is
 * returned while the ring is stopped is kept, and put into the used ring when it starts again.
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

/* `name` ("control", "cursor") is for logs and must stay valid. */
struct virtqueue *virtqueue_create(const char *name);
void virtqueue_destroy(struct virtqueue *vq);

/* ---- for the keeper link's thread ---- */

/* The ring's part of the ledger: shared memory that must outlive the ring. NULL: none is kept. */
void virtqueue_set_ledger(struct virtqueue *vq, struct ledger_ring *ledger);
/* VIRTIO_RING_F_* as negotiated. */
void virtqueue_set_features(struct virtqueue *vq, uint64_t features);
/* Replaces the table; takes a reference. A ring that is not in it waits for the next. */
void virtqueue_set_memory(struct virtqueue *vq, struct memory *memory);
/*
 * Starts the ring; takes the descriptors over (call_fd -1: none). False (logged) when the size is
 * no power of two or the addresses lie outside memory; descriptors are closed then.
 */
bool virtqueue_start(
	struct virtqueue *vq, const struct keeper_ring_start *start, int kick_fd, int call_fd);
/* A new call descriptor (-1: none), taken over. The one before is closed. */
void virtqueue_set_call(struct virtqueue *vq, int call_fd);
/* Stops it at once. Returns the index of the next entry to take. */
uint16_t virtqueue_stop(struct virtqueue *vq);
/* Drops kept answers and makes chains that are still being worked on worthless. */
void virtqueue_reset(struct virtqueue *vq);

/* ---- for the working thread ---- */

/*
 * Takes the next chain, or returns NULL: nothing there, stopped or broken, or there are orphans,
 * which come first.
 */
struct chain *virtqueue_try_take(struct virtqueue *vq);
/*
 * Takes one chain that a dead renderer took and did not return, or NULL when there is none left. It
 * is to be returned like any other. Call until NULL before virtqueue_try_take().
 */
struct chain *virtqueue_try_take_orphan(struct virtqueue *vq);
/*
 * Writes the answer into the chain's writable part, as far as there is room, gives the chain back
 * and frees it. Guest memory is written here, under the lock, and nowhere else: a ring that has
 * been stopped keeps a copy instead, one that has been reset forgets the answer. The guest may have
 * given that memory to something else by then.
 */
void virtqueue_return(
	struct virtqueue *vq, struct chain *chain, const void *answer, size_t answer_bytes);

/*
 * Translates a faulty chain again, with the newest memory table. Takes the chain and returns the
 * new one; the same one when the ring is stopped or was reset.
 */
struct chain *virtqueue_read_again(struct virtqueue *vq, struct chain *chain);
/* False for a chain from before a reset: its answer will be dropped, so do not begin. */
bool virtqueue_is_current(struct virtqueue *vq, const struct chain *chain);

/*
 * Asks the driver for kicks. Returns true when there is work already: then take it instead of
 * sleeping. virtqueue_quiet() says that kicks are not needed for the moment.
 */
bool virtqueue_listen(struct virtqueue *vq);
void virtqueue_quiet(struct virtqueue *vq);
/* The descriptor to sleep on, or -1. Valid until the next call. */
int virtqueue_kick_fd(struct virtqueue *vq);
/* Empties the kick descriptor. */
void virtqueue_drain_kick(struct virtqueue *vq);
