/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_inputs.h"

#include <glib.h>
#include <spice.h>

/*
 * Buttons have these bits when spice-server hands them to devices (inputs-channel.cpp,
 * RED_MOUSE_STATE_TO_LOCAL); in the protocol they have others.
 */
static const struct {
	uint32_t mask;
	enum input_button button;
} buttons[] = {
	{ 0x01, INPUT_BUTTON_LEFT },
	{ 0x02, INPUT_BUTTON_RIGHT },
	{ 0x04, INPUT_BUTTON_MIDDLE },
	{ 0x40, INPUT_BUTTON_SIDE },
	{ 0x80, INPUT_BUTTON_EXTRA },
};

struct spice_inputs {
	SpiceServer *server;
	struct inputs *inputs;
	SpiceKbdInstance keyboard;
	SpiceMouseInstance mouse;
	SpiceTabletInstance tablet;
	bool has_tablet;
	uint8_t leds;
	int32_t origin_x, origin_y;
};

static uint32_t to_buttons(uint32_t state)
{
	uint32_t result = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(buttons); i++) {
		if (state & buttons[i].mask)
			result |= 1u << buttons[i].button;
	}
	return result;
}

static struct spice_inputs *of_keyboard(SpiceKbdInstance *keyboard)
{
	return SPICE_CONTAINEROF(keyboard, struct spice_inputs, keyboard);
}

static struct spice_inputs *of_mouse(SpiceMouseInstance *mouse)
{
	return SPICE_CONTAINEROF(mouse, struct spice_inputs, mouse);
}

static struct spice_inputs *of_tablet(SpiceTabletInstance *tablet)
{
	return SPICE_CONTAINEROF(tablet, struct spice_inputs, tablet);
}

static void push_scan_code(SpiceKbdInstance *keyboard, uint8_t byte)
{
	inputs_scan_code(of_keyboard(keyboard)->inputs, byte);
}

static uint8_t get_leds(SpiceKbdInstance *keyboard)
{
	return of_keyboard(keyboard)->leds;
}

static const SpiceKbdInterface keyboard_interface = {
	.base = {
		.type = SPICE_INTERFACE_KEYBOARD,
		.description = "vitrine keyboard",
		.major_version = SPICE_INTERFACE_KEYBOARD_MAJOR,
		.minor_version = SPICE_INTERFACE_KEYBOARD_MINOR,
	},
	.push_scan_freg = push_scan_code,
	.get_leds = get_leds,
};

static void mouse_motion(SpiceMouseInstance *mouse, int dx, int dy, int dz, uint32_t state)
{
	struct inputs *inputs = of_mouse(mouse)->inputs;
	inputs_move_by(inputs, dx, dy);
	inputs_set_buttons(inputs, to_buttons(state));
	inputs_wheel(inputs, dz);
}

static void mouse_buttons(SpiceMouseInstance *mouse, uint32_t state)
{
	inputs_set_buttons(of_mouse(mouse)->inputs, to_buttons(state));
}

static const SpiceMouseInterface mouse_interface = {
	.base = {
		.type = SPICE_INTERFACE_MOUSE,
		.description = "vitrine mouse",
		.major_version = SPICE_INTERFACE_MOUSE_MAJOR,
		.minor_version = SPICE_INTERFACE_MOUSE_MINOR,
	},
	.motion = mouse_motion,
	.buttons = mouse_buttons,
};

/* There is nothing to do: this is the size of the surface, which struct head has. */
static void tablet_set_logical_size(SpiceTabletInstance *tablet, int width, int height)
{
}

static void tablet_position(SpiceTabletInstance *tablet, int x, int y, uint32_t state)
{
	struct spice_inputs *spice_inputs = of_tablet(tablet);
	x = CLAMP(x, 0, INT16_MAX);
	y = CLAMP(y, 0, INT16_MAX);
	inputs_move_to(
		spice_inputs->inputs, x + spice_inputs->origin_x, y + spice_inputs->origin_y);
	inputs_set_buttons(spice_inputs->inputs, to_buttons(state));
}

static void tablet_wheel(SpiceTabletInstance *tablet, int steps, uint32_t state)
{
	struct inputs *inputs = of_tablet(tablet)->inputs;
	inputs_set_buttons(inputs, to_buttons(state));
	inputs_wheel(inputs, steps);
}

static void tablet_buttons(SpiceTabletInstance *tablet, uint32_t state)
{
	inputs_set_buttons(of_tablet(tablet)->inputs, to_buttons(state));
}

static const SpiceTabletInterface tablet_interface = {
	.base = {
		.type = SPICE_INTERFACE_TABLET,
		.description = "vitrine tablet",
		.major_version = SPICE_INTERFACE_TABLET_MAJOR,
		.minor_version = SPICE_INTERFACE_TABLET_MINOR,
	},
	.set_logical_size = tablet_set_logical_size,
	.position = tablet_position,
	.wheel = tablet_wheel,
	.buttons = tablet_buttons,
};

struct spice_inputs *spice_inputs_create(SpiceServer *server, struct inputs *inputs)
{
	struct spice_inputs *spice_inputs = g_new0(struct spice_inputs, 1);
	spice_inputs->server = server;
	spice_inputs->inputs = inputs;
	spice_inputs->keyboard.base.sif = &keyboard_interface.base;
	spice_inputs->mouse.base.sif = &mouse_interface.base;
	spice_inputs->tablet.base.sif = &tablet_interface.base;
	if (spice_server_add_interface(server, &spice_inputs->keyboard.base) != 0 ||
		spice_server_add_interface(server, &spice_inputs->mouse.base) != 0) {
		g_warning("spice: keyboard or mouse was refused");
		g_free(spice_inputs);
		return NULL;
	}
	return spice_inputs;
}

void spice_inputs_destroy(struct spice_inputs *spice_inputs)
{
	g_free(spice_inputs);
}

void spice_inputs_set_absolute(struct spice_inputs *spice_inputs, bool absolute)
{
	if (absolute == spice_inputs->has_tablet)
		return;
	spice_inputs->has_tablet = absolute;
	if (absolute)
		spice_server_add_interface(spice_inputs->server, &spice_inputs->tablet.base);
	else
		spice_server_remove_interface(&spice_inputs->tablet.base);
}

void spice_inputs_set_leds(struct spice_inputs *spice_inputs, uint32_t leds)
{
	uint8_t flags = 0;
	if (leds & SPICE_INPUTS_LED_SCROLL)
		flags |= SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK;
	if (leds & SPICE_INPUTS_LED_NUM)
		flags |= SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK;
	if (leds & SPICE_INPUTS_LED_CAPS)
		flags |= SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK;
	spice_inputs->leds = flags;
	spice_server_kbd_leds(&spice_inputs->keyboard, flags);
}

void spice_inputs_set_origin(struct spice_inputs *spice_inputs, uint32_t x, uint32_t y)
{
	spice_inputs->origin_x = (int32_t)x;
	spice_inputs->origin_y = (int32_t)y;
}
