/* SPDX-License-Identifier: MIT */
#include "display/qemu/inputs.h"

#include <glib.h>
#include <string.h>

#include "common/peer_log.h"
#include "display/qemu/keymap.h"

struct inputs {
	void (*queued)(void *user);
	void *user;
	bool connected, absolute;
	uint32_t width, height; /* of the desktop */
	int32_t x, y;           /* where the pointer is on it */
	int32_t sent_x, sent_y; /* where it was sent last, at sent_us; 0: never */
	int64_t sent_us;
	struct keymap keymap;
	bool keys[KEYMAP_KEYS]; /* down */
	uint32_t buttons;       /* down, a bit each */
	struct input_queue queue;
};

struct inputs *inputs_create(void (*queued)(void *user), void *user)
{
	struct inputs *inputs = g_new0(struct inputs, 1);
	inputs->queued = queued;
	inputs->user = user;
	return inputs;
}

void inputs_destroy(struct inputs *inputs)
{
	g_free(inputs);
}

static void push_releases(struct inputs *inputs)
{
	for (uint32_t key = 0; key < KEYMAP_KEYS; key++) {
		struct input_event event = { .kind = INPUT_KEY, .code = key };
		if (inputs->keys[key])
			input_queue_push(&inputs->queue, &event);
		inputs->keys[key] = false;
	}
	for (uint32_t button = 0; button < INPUT_BUTTONS; button++) {
		struct input_event event = { .kind = INPUT_BUTTON, .code = button };
		if (inputs->buttons & 1u << button)
			input_queue_push(&inputs->queue, &event);
	}
	inputs->buttons = 0;
}

/*
 * QEMU has stopped answering. If it comes back, old inputs help nobody, but no key may stay down:
 * their releases fit, since there are fewer keys and buttons than places.
 */
static void overflow(struct inputs *inputs)
{
	peer_warning(PEER_QEMU, "qemu: does not answer: %d inputs that waited are dropped",
		INPUT_QUEUE_MAX);
	input_queue_clear(&inputs->queue, false);
	push_releases(inputs);
}

static void push(struct inputs *inputs, struct input_event event)
{
	if (!inputs->connected)
		return;
	if (!input_queue_push(&inputs->queue, &event))
		overflow(inputs);
	inputs->queued(inputs->user);
}

void inputs_set_connected(struct inputs *inputs, bool connected)
{
	inputs->connected = connected;
	input_queue_clear(&inputs->queue, true);
	memset(inputs->keys, 0, sizeof(inputs->keys));
	inputs->buttons = 0;
}

void inputs_set_absolute(struct inputs *inputs, bool absolute)
{
	inputs->absolute = absolute;
	inputs->sent_us = 0;
}

void inputs_set_desktop(struct inputs *inputs, uint32_t width, uint32_t height)
{
	inputs->width = width;
	inputs->height = height;
}

void inputs_set_position(struct inputs *inputs, int32_t x, int32_t y)
{
	inputs->x = x;
	inputs->y = y;
}

int64_t inputs_get_sent(const struct inputs *inputs, int32_t *x, int32_t *y)
{
	*x = inputs->sent_x;
	*y = inputs->sent_y;
	return inputs->sent_us;
}

void inputs_scan_code(struct inputs *inputs, uint8_t byte)
{
	struct input_event event = { .kind = INPUT_KEY };
	if (!keymap_feed(&inputs->keymap, byte, &event.code, &event.down))
		return;
	inputs->keys[event.code] = event.down && inputs->connected;
	push(inputs, event);
}

void inputs_move_to(struct inputs *inputs, int32_t x, int32_t y)
{
	inputs->x = CLAMP(x, 0, (int32_t)MAX(inputs->width, 1) - 1);
	inputs->y = CLAMP(y, 0, (int32_t)MAX(inputs->height, 1) - 1);
	if (!inputs->absolute)
		return;
	inputs->sent_x = inputs->x;
	inputs->sent_y = inputs->y;
	inputs->sent_us = inputs->connected ? g_get_monotonic_time() : 0;
	push(inputs, (struct input_event){
			     .kind = INPUT_ABSOLUTE,
			     .x = inputs->x,
			     .y = inputs->y,
			     .desktop_width = inputs->width,
			     .desktop_height = inputs->height,
		     });
}

void inputs_move_by(struct inputs *inputs, int32_t dx, int32_t dy)
{
	if (dx == 0 && dy == 0)
		return;
	if (inputs->absolute) {
		inputs_move_to(inputs, inputs->x + CLAMP(dx, INT16_MIN, INT16_MAX),
			inputs->y + CLAMP(dy, INT16_MIN, INT16_MAX));
		return;
	}
	push(inputs, (struct input_event){ .kind = INPUT_RELATIVE, .x = dx, .y = dy });
}

void inputs_set_buttons(struct inputs *inputs, uint32_t buttons)
{
	uint32_t changed = inputs->buttons ^ buttons;
	inputs->buttons = inputs->connected ? buttons : 0;
	for (uint32_t button = 0; button < INPUT_BUTTONS; button++) {
		if (!(changed & 1u << button))
			continue;
		push(inputs, (struct input_event){
				     .kind = INPUT_BUTTON,
				     .code = button,
				     .down = buttons & 1u << button,
			     });
	}
}

void inputs_wheel(struct inputs *inputs, int steps)
{
	struct input_event event = {
		.kind = INPUT_BUTTON,
		.code = steps < 0 ? INPUT_BUTTON_WHEEL_UP : INPUT_BUTTON_WHEEL_DOWN,
	};
	int turns = ABS(CLAMP(steps, -INPUTS_WHEEL_STEPS_MAX, INPUTS_WHEEL_STEPS_MAX));
	for (int i = 0; i < turns; i++) {
		event.down = true;
		push(inputs, event);
		event.down = false;
		push(inputs, event);
	}
}

void inputs_release_all(struct inputs *inputs)
{
	inputs->keymap = (struct keymap){ 0 };
	push_releases(inputs);
	inputs->queued(inputs->user);
}

bool inputs_next(struct inputs *inputs, struct input_event *event)
{
	return input_queue_next(&inputs->queue, event);
}

void inputs_answered(struct inputs *inputs)
{
	input_queue_answered(&inputs->queue);
}
