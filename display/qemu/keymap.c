/* SPDX-License-Identifier: MIT */
#include "display/qemu/keymap.h"

#define PREFIX_EXTENDED 0xe0u
#define PREFIX_PAUSE 0xe1u
#define RELEASE 0x80u

/* The bytes e1 1d 45 are the press, e1 9d c5 the release. */
static bool feed_pause(struct keymap *keymap, uint8_t byte, uint32_t *key, bool *down)
{
	keymap->pause_down = !(byte & RELEASE);
	if (--keymap->pause_left > 0)
		return false;
	*key = KEYMAP_PAUSE;
	*down = keymap->pause_down;
	return true;
}

bool keymap_feed(struct keymap *keymap, uint8_t byte, uint32_t *key, bool *down)
{
	if (keymap->pause_left > 0)
		return feed_pause(keymap, byte, key, down);
	if (byte == PREFIX_PAUSE) {
		keymap->pause_left = 2;
		return false;
	}
	if (byte == PREFIX_EXTENDED) {
		keymap->extended = true;
		return false;
	}
	*key = byte & ~RELEASE;
	*down = !(byte & RELEASE);
	if (keymap->extended)
		*key |= 0x80u;
	keymap->extended = false;
	return *key != 0;
}
