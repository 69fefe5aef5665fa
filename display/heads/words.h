/* SPDX-License-Identifier: MIT */
/*
 * words: makes a picture of a head that says something, for clients that show pictures and nothing
 * else: stock ones close their windows when the desktop ends, and keep what SPICE's NOTIFY says to
 * themselves. The letters are capital ones of 5 x 7 points, since no font is there behind the
 * walls.
 *
 * Any thread may call it.
 */
#pragma once

#include "display/heads/frame.h"

/*
 * Gives a frame of this size, which is a head's; its serial is the highest that there is. What no
 * letter is there for is left empty, and what is too long is cut. Returns NULL when there is no
 * memory for it.
 */
struct frame *words_show(uint32_t head, uint32_t width, uint32_t height, const char *text);
