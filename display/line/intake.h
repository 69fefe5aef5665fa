/* SPDX-License-Identifier: MIT */
/*
 * intake: says which of the guest's devices take what clients say to them. spice-server takes any
 * amount from a client, and keeps for the device what it does not take (docs/spice-aborts.md), so
 * the relay asks here before it reads more from the client: one that is not read waits.
 *
 * A device is named by its channel's type and id, as in SPICE's link message.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* So many devices can be shut at once; there are no more (qemu/limits.h). */
#define INTAKE_MAX 32

struct intake;

struct intake *intake_create(void);
void intake_destroy(struct intake *intake);

/* Is for devices. Whoever waits is woken when it is open again. */
void intake_shut(struct intake *intake, uint8_t type, uint8_t id, bool is_shut);

/*
 * The rest is for the relay. One waits for a device at a time: the last that asked. `wake` is
 * called once, on any thread, under a lock, so that it may only wake. A NULL intake is never shut.
 */
bool intake_is_shut(
	struct intake *intake, uint8_t type, uint8_t id, void (*wake)(void *user), void *user);
/* Has it woken no more. */
void intake_forget(struct intake *intake, const void *user);
