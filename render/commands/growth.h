/* SPDX-License-Identifier: MIT */
/*
 * growth: finds out how much memory the drawing of a program has made, which no command asks for.
 *
 * A driver compiles a shader anew for each state that it is drawn with, and keeps what it has
 * compiled; virglrenderer keeps each pair of shaders that were drawn with. Nobody can tell from the
 * commands how much that is. So the heap (render/quota/heap.h) is measured before and after what
 * took long, as compiling does. What has come and is not counted by another quota is charged to the
 * context that drew, as program-bytes, and what has gone is given back.
 *
 * Threads of the driver free some of it while nobody draws, or another program does. That is noted
 * and given back to whoever draws next and has something, so that programs that are there for days
 * together are never charged with more than there is.
 *
 * One thread uses a growth and the accounts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Whatever takes memory so often at once compiles, or links. By Mesa 22.3's llvmpipe a pair of
 * shaders takes 670 pieces of memory when all of it is found on disk, and 47000 when it is
 * compiled; the other commands of a picture took 13.
 */
#define GROWTH_COMPILED_TAKEN 512

struct heap_use;
struct quota_account;
struct growth;

/*
 * `read` says what the process has taken, or returns false when nobody knows. heap_read() is one.
 */
struct growth *growth_create(bool (*read)(struct heap_use *use));
void growth_destroy(struct growth *growth);
/* Is to be called before something is drawn. */
void growth_begin(struct growth *growth, const struct quota_account *guest);
/*
 * Charges the context with what has come since growth_begin(), or since the last call. Returns
 * false when its quota or the guest's has no room for that, which is logged; it is not charged.
 */
bool growth_charge(struct growth *growth, struct quota_account *context);
/*
 * Returns whether something was compiled between the last two of the calls above. It is known by
 * how often memory was taken.
 */
bool growth_has_compiled(const struct growth *growth);
/*
 * Gives the kernel back what lies free in the heap, if much has gone since it was largest. Is to be
 * called when a context has gone.
 */
void growth_trim(struct growth *growth);
