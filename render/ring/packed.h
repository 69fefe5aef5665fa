/* SPDX-License-Identifier: MIT */
/*
 * packed: the packed ring (virtio 1.2, 2.8), as virtqueue.c works it, for an untrusted driver.
 *
 * There is one table. The driver writes descriptors into it from slot to slot, and the device
 * writes what is done over them, from the first slot on: so the descriptors of a command that is
 * still at work may be gone. They are copied when it is taken, into the ledger, by the command's
 * id, which the driver chooses among as many as the ring has slots; who takes over after a dead
 * renderer finds them there.
 *
 * A place is a slot with the ring's wrap counter in PACKED_WRAP, as QEMU has it in SET_VRING_BASE.
 * Whoever calls holds the virtqueue's lock.
 */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/keeper_link.h"
#include "protocol/ledger.h"
#include "render/ring/memory.h"

#define PACKED_WRAP 0x8000u

struct packed {
	uint16_t num;
	struct vring_packed_desc *desc;
	uint32_t *driver_event, *device_event; /* struct vring_packed_desc_event */
	uint16_t next_avail, next_used;        /* places */
	uint16_t n_taken;                      /* commands, modulo 2^16 */
	unsigned n_in_flight;                  /* slots of commands that were taken */
	struct ledger_ring *book;
	struct ledger_ring *own;                     /* where there is no ledger */
	uint16_t free[KEEPER_RING_SIZE_MAX], n_free; /* of book->saved */
	/* A command's descriptors, as a split ring has them. */
	struct vring_desc copy[KEEPER_RING_SIZE_MAX];
};

enum packed_taken { PACKED_NOTHING, PACKED_TAKEN, PACKED_BROKEN };

/* Finds the ring in the memory table. False: it is not there, or makes no ring. */
bool packed_find(
	struct packed *packed, const struct memory *memory, const struct keeper_ring_start *start);
/*
 * Begins at the places that `start` gives. With a ledger it goes on from what a renderer before
 * left there, and mends what that had begun. Nothing in the ledger is trusted.
 */
void packed_start(
	struct packed *packed, struct ledger_ring *ledger, const struct keeper_ring_start *start);
/* The driver is new. A ledger is the owner's to clear. */
void packed_forget(struct packed *packed);
void packed_finish(struct packed *packed);

bool packed_has_work(const struct packed *packed);
/* Counts commands that wait to be taken. */
uint16_t packed_count_work(const struct packed *packed);
/* Takes the next command, whose id is in *id, or says in *fault how the driver broke the ring. */
enum packed_taken packed_take(struct packed *packed, uint16_t *id, const char **fault);
/*
 * Reads the descriptors of a command that was taken into packed->copy. Returns how many there are;
 * 0: it was not taken.
 */
unsigned packed_load(struct packed *packed, uint16_t id);
/* Gives a command that was taken back. False: it was not. */
bool packed_put(struct packed *packed, uint16_t id, uint32_t written_bytes);
/* Returns whether the driver wants to be interrupted for what was put since `before`, a place. */
bool packed_wants_interrupt(const struct packed *packed, uint16_t before, bool event_idx);
/* Asks the driver for kicks, or says that none are needed. */
void packed_want_kicks(struct packed *packed, bool wanted);
/* Returns whether the driver has never written into it, as far as we see. */
bool packed_is_blank(const struct packed *packed);
/* Marks in the log what giving a command back has written of the ring. */
void packed_mark(const struct packed *packed, const struct memory *memory, struct dirty_log *log);
