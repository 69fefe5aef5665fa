/* SPDX-License-Identifier: MIT */
/*
 * spice inputs: spice-server's keyboard, mouse and tablet, feeding `inputs`.
 *
 * The tablet is there only while the guest's pointer is absolute: its presence is what lets a
 * client send positions instead of steps.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/inputs.h"

struct RedsState;
struct spice_inputs;

/* As in QEMU's Keyboard.Modifiers. */
enum spice_inputs_led {
	SPICE_INPUTS_LED_SCROLL = 1 << 0,
	SPICE_INPUTS_LED_NUM = 1 << 1,
	SPICE_INPUTS_LED_CAPS = 1 << 2,
};

/* NULL when spice-server refuses. `inputs` stays the caller's and outlives this. */
struct spice_inputs *spice_inputs_create(struct RedsState *server, struct inputs *inputs);
/* After the server was destroyed, which may still let go of keys. */
void spice_inputs_destroy(struct spice_inputs *spice_inputs);

void spice_inputs_set_absolute(struct spice_inputs *spice_inputs, bool absolute);
void spice_inputs_set_leds(struct spice_inputs *spice_inputs, uint32_t leds);
/* Where head 0 lies on the desktop: a tablet's positions are relative to it. */
void spice_inputs_set_origin(struct spice_inputs *spice_inputs, uint32_t x, uint32_t y);
