/* SPDX-License-Identifier: MIT */
/*
 * edid: fills in what GET_EDID answers for a head. It is pure and keeps no state.
 *
 * There is a base block (VESA E-EDID 1.4) whose first detailed timing is the wanted size, with
 * usual smaller sizes as standard timings. A size or clock that a detailed timing cannot say (over
 * 4095 pixels or 655 MHz) goes into a DisplayID 1.3 extension as the preferred mode, and the base
 * block falls back to the default size or what of it fits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/frame_link.h"

#define EDID_BLOCK_BYTES 128
#define EDID_BYTES_MAX (2 * EDID_BLOCK_BYTES)
#define EDID_NAME "Vitrine"

/*
 * Fills in one or two blocks. Returns how many bytes it used. `head` makes serial numbers differ.
 */
size_t edid_fill(uint8_t edid[EDID_BYTES_MAX], const struct frame_head_mode *mode, unsigned head);
