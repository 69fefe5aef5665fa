/* SPDX-License-Identifier: MIT */
/*
 * spice inputs: gives spice-server a keyboard, a mouse and a tablet, which feed qemu/inputs.h.
 *
 * The tablet is there only while the guest's pointer is absolute: where there is one, clients send
 * positions instead of steps.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/inputs.h"

struct RedsState;
struct spice_inputs;

/* They have the values of QEMU's Keyboard.Modifiers. */
enum spice_inputs_led {
	SPICE_INPUTS_LED_SCROLL = 1 << 0,
	SPICE_INPUTS_LED_NUM = 1 << 1,
	SPICE_INPUTS_LED_CAPS = 1 << 2,
};

/*
 * `inputs` stays the caller's and must outlive this. Returns NULL when spice-server refuses
 * (logged).
 */
struct spice_inputs *spice_inputs_create(struct RedsState *server, struct inputs *inputs);
/* Must be called after the server was destroyed, which may still let go of keys. NULL is fine. */
void spice_inputs_destroy(struct spice_inputs *spice_inputs);

/* Says whether the guest's pointer takes positions or steps. */
void spice_inputs_set_absolute(struct spice_inputs *spice_inputs, bool absolute);
/* Says which lights the guest's keyboard shows, as a sum of enum spice_inputs_led. */
void spice_inputs_set_leds(struct spice_inputs *spice_inputs, uint32_t leds);
/* Says that head 0 lies at this pixel of the desktop; a tablet's positions are pixels of head 0. */
void spice_inputs_set_origin(struct spice_inputs *spice_inputs, uint32_t x, uint32_t y);
