/* SPDX-License-Identifier: MIT */
/*
 * keymap: PC scan codes (set 1), as SPICE clients send them byte by byte, to QEMU key numbers.
 *
 * A QEMU key number is the scan code of the press, with bit 7 set for keys behind the prefix 0xe0
 * (QEMU ui/keymaps.h: SCANCODE_GREY, and "qnum" of keycodemapdb). Pause, which has a sequence of
 * its own (e1 1d 45), is 0xc6 there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEYMAP_PAUSE 0xc6u
/* Key numbers are below this. */
#define KEYMAP_KEYS 256

struct keymap {
	bool extended;       /* 0xe0 came */
	unsigned pause_left; /* bytes of the Pause sequence still to come */
	bool pause_down;
};

/* Returns true when a key went down or up. */
bool keymap_feed(struct keymap *keymap, uint8_t byte, uint32_t *key, bool *down);
