/* SPDX-License-Identifier: MIT */
/*
 * mirror: copies a head's frames, for those who only look on. spice-server keeps what it has not
 * sent yet, and render lends few buffers: with render's own, a looker whose line is slow would keep
 * them from whoever drives.
 *
 * There is one copy more than a head locks (FRAME_LOCKED_MAX), so that one is always free, however
 * slow the looker is. Only what has changed since a copy was last used is copied into it.
 *
 * Threads: main loop; copies may be released on any thread, also after the mirror has gone.
 */
#pragma once

#include "display/heads/frame.h"

struct mirror;

struct mirror *mirror_create(void);
/* Copies that are still shown go with whoever shows them. NULL is fine. */
void mirror_destroy(struct mirror *mirror);

/*
 * Notes what of the frame has changed, and gives a copy of it, which is the caller's. Returns NULL
 * when there is no memory for one, and for a dma-buf, which cannot be read here.
 */
struct frame *mirror_copy(
	struct mirror *mirror, const struct frame *frame, const struct frame_present *message);
/* Gives memory back that no copy is shown from, since nobody looks. */
void mirror_trim(struct mirror *mirror);
/* Returns how many bytes it has. */
size_t mirror_bytes(const struct mirror *mirror);
