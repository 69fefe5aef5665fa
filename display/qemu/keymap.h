/* SPDX-License-Identifier: MIT */
/*
 * keymap: turns PC scan codes (set 1), as SPICE clients send them byte by byte, into QEMU key
 * numbers.
 *
 * A QEMU key number is the scan code of the press, with bit 7 set for keys behind the prefix 0xe0
 * (QEMU ui/keymaps.h: SCANCODE_GREY, and "qnum" of keycodemapdb). Pause, which has a sequence of
 * its own (e1 1d 45), is 0xc6 there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEYMAP_PAUSE 0xc6u
/* Every key number is below this. */
#define KEYMAP_KEYS 256

struct keymap {
	bool extended;       /* the prefix 0xe0 came */
	unsigned pause_left; /* bytes of the sequence of Pause that are still to come */
	bool pause_down;     /* the sequence is that of a press */
};

/* Takes the next byte. Returns true when it made a key go down or up; *key is never 0 then. */
bool keymap_feed(struct keymap *keymap, uint8_t byte, uint32_t *key, bool *down);
