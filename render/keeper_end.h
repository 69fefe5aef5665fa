/* SPDX-License-Identifier: MIT */
/*
 * keeper_end: serves the renderer's end of the keeper link (protocol/keeper_link.h), and is the
 * main thread's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/confine/confine.h"
#include "protocol/keeper_link.h"

struct gpu;

/*
 * Waits until the keeper says that the GPU may be started. A process for which it has not said so
 * yet is a spare one, and may wait for long; `prepare` is called before that. Returns false when
 * the keeper has gone. `*is_spare`: nobody waits for what this one does at its start.
 */
bool keeper_end_await_begin(int fd, void (*prepare)(void), bool *is_spare);

/* Says what draws, or why nothing does. It comes before READY, and `text` may be cut. */
void keeper_end_tell_gpu(int fd, bool works, const char *text);

/* Says that the guest's context is lost. Any thread may call it; it never waits. */
void keeper_end_tell_lost(int fd, uint32_t context);
/* Tells of memory that QEMU does not share. Any thread may call it; it never waits. */
void keeper_end_tell_trouble(int fd, enum keeper_trouble trouble);

/*
 * Says READY and what walls it is behind, then serves the link and the cursor queue until the
 * keeper goes away. Returns the process's exit status.
 */
int keeper_end_run(int fd, struct gpu *gpu, const struct confine_state *walls);
