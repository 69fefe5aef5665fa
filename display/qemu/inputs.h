/* SPDX-License-Identifier: MIT */
/*
 * inputs: knows what is pressed and where the pointer is. It stands between spice-server's
 * keyboard, mouse and tablet on one side and QEMU on the other, and lets go of all that is down
 * when a client leaves.
 *
 * The guest's pointer is absolute or relative (QEMU says which). So is the client's (spice-server
 * decides: absolute needs a tablet and one single head, or the agent). Relative steps for an
 * absolute guest move a position that is kept here.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/input_queue.h"

/* Buttons have the numbers that QEMU gives them (org.qemu.Display1.Mouse, "button value"). */
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

/* `queued` is called whenever inputs_next() may have something to give. */
struct inputs *inputs_create(void (*queued)(void *user), void *user);
void inputs_destroy(struct inputs *inputs);

/*
 * While QEMU is not connected, what comes is dropped. Either change forgets what waits, what was
 * sent and what is down.
 */
void inputs_set_connected(struct inputs *inputs, bool connected);
void inputs_set_absolute(struct inputs *inputs, bool absolute);
/* Says the desktop's size in pixels: the bounding box of all heads. */
void inputs_set_desktop(struct inputs *inputs, uint32_t width, uint32_t height);
/* Says that the guest shows its pointer at this pixel: relative steps go on from there. */
void inputs_set_position(struct inputs *inputs, int32_t x, int32_t y);

/*
 * Returns when a position was passed on last, in microseconds of the monotonic clock, and fills it
 * in; 0: never, or the guest's pointer takes none.
 */
int64_t inputs_get_sent(const struct inputs *inputs, int32_t *x, int32_t *y);

/* These pass on what clients do. A key comes as scan codes, byte by byte (keymap.h). */
void inputs_scan_code(struct inputs *inputs, uint8_t byte);
void inputs_move_to(struct inputs *inputs, int32_t x, int32_t y);
void inputs_move_by(struct inputs *inputs, int32_t dx, int32_t dy);
/*
 * Takes all buttons that are down, a bit (1 << enum input_button) each; the wheel's are left out.
 */
void inputs_set_buttons(struct inputs *inputs, uint32_t buttons);
/* Turns the wheel by so many steps, bounded (limits.h); below 0 is up. */
void inputs_wheel(struct inputs *inputs, int steps);
/* Lets go of whatever is down, since the client has left. */
void inputs_release_all(struct inputs *inputs);

/*
 * Both are for whoever sends to QEMU: the first takes the next event, as input_queue_next() does,
 * and the second says that QEMU has answered one.
 */
bool inputs_next(struct inputs *inputs, struct input_event *event);
void inputs_answered(struct inputs *inputs);
