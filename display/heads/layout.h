/* SPDX-License-Identifier: MIT */
/*
 * layout: puts the monitors that a client wishes for onto one desktop.
 *
 * A client makes up all places. The desktop begins at 0,0, so that positions on it are the
 * pointer's positions; and no two monitors overlap, since then one pixel of the desktop would be
 * shown twice and the pointer could not say on which monitor it is.
 *
 * It is a pure function. Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "protocol/frame_link.h"

/*
 * Moves those that are enabled, so that the desktop begins at 0,0. Where two overlap, or where the
 * desktop would be wider or higher than LAYOUT_SIZE_MAX, all are put into a row, in the order of
 * their numbers. Returns false when even the row would be too wide: there is no layout then.
 */
bool layout_arrange(struct frame_head_mode *heads, unsigned n_heads);
