/* SPDX-License-Identifier: MIT */
/*
 * inputs: what is pressed and where the pointer is, between spice-server's keyboard, mouse and
 * tablet and QEMU. Knows what is down, so that all of it can be let go when a client leaves.
 *
 * The guest's pointer is absolute or relative (QEMU says which), the client's too (spice-server
 * decides: absolute needs a tablet and one single head). Relative steps for an absolute guest move
 * a position kept here.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/input_queue.h"

/* QEMU's buttons: org.qemu.Display1.Mouse, "button value". */
enum input_button {
	INPUT_BUTTON_LEFT,
	INPUT_BUTTON_MIDDLE,
	INPUT_BUTTON_RIGHT,
	INPUT_BUTTON_WHEEL_UP,
	INPUT_BUTTON_WHEEL_DOWN,
	INPUT_BUTTON_SIDE,
	INPUT_BUTTON_EXTRA,
	INPUT_BUTTONS,
};

struct inputs;

/* `event` may be looked at until `user` takes it: something was put into the queue. */
struct inputs *inputs_create(void (*queued)(void *user), void *user);
void inputs_destroy(struct inputs *inputs);

/* Nobody takes events while there is no QEMU: they are dropped. On: nothing is down. */
void inputs_set_connected(struct inputs *inputs, bool connected);
void inputs_set_absolute(struct inputs *inputs, bool absolute);
/* The bounding box of all heads. */
void inputs_set_desktop(struct inputs *inputs, uint32_t width, uint32_t height);
/* Where the guest shows its pointer, as start for relative steps. */
void inputs_set_position(struct inputs *inputs, int32_t x, int32_t y);

/* From spice-server. Buttons: a bit (1 << enum input_button) for each that is down, wheel left out.
 */
void inputs_scan_code(struct inputs *inputs, uint8_t byte);
void inputs_move_to(struct inputs *inputs, int32_t x, int32_t y);
void inputs_move_by(struct inputs *inputs, int32_t dx, int32_t dy);
void inputs_set_buttons(struct inputs *inputs, uint32_t buttons);
/* Steps, negative: up. */
void inputs_wheel(struct inputs *inputs, int steps);
/* The client has left. */
void inputs_release_all(struct inputs *inputs);

/* For who sends. */
bool inputs_next(struct inputs *inputs, struct input_event *event);
void inputs_answered(struct inputs *inputs);
