/* SPDX-License-Identifier: MIT */
#include "display/display_parts.h"

/*
 * With several heads clients must send positions through the agent: a tablet's do not say which
 * head they are on.
 */
void display_update_pointer(struct display *display)
{
	inputs_set_absolute(display->inputs, display->absolute);
	spice_inputs_set_absolute(display->spice_inputs, display->absolute);
	spice_agent_set_pointer(
		display->agent, display->absolute && screens_count(display->screens) > 1);
}

/* While all heads are off there is no desktop, and everybody keeps what was known of the last one.
 */
void display_update_desktop(struct display *display)
{
	uint32_t width, height;
	int32_t x = 0, y = 0;
	if (!screens_desktop(display->screens, &width, &height))
		return;
	screens_to_desktop(display->screens, 0, &x, &y);
	spice_inputs_set_origin(display->spice_inputs, (uint32_t)x, (uint32_t)y);
	inputs_set_desktop(display->inputs, width, height);
	keeper_end_say_pointer_area(display->keeper, width, height);
}

static void on_agent_pointer(void *user, unsigned head, int32_t x, int32_t y)
{
	struct display *display = user;
	if (screens_to_desktop(display->screens, head, &x, &y))
		inputs_move_to(display->inputs, x, y);
}

static void on_agent_buttons(void *user, uint32_t buttons)
{
	struct display *display = user;
	inputs_set_buttons(display->inputs, buttons);
}

static void on_agent_wheel(void *user, int steps)
{
	struct display *display = user;
	inputs_wheel(display->inputs, steps);
}

const struct spice_agent_ops display_agent_ops = {
	.pointer = on_agent_pointer,
	.buttons = on_agent_buttons,
	.wheel = on_agent_wheel,
};

/*
 * Render is told before QEMU is. QEMU makes the guest ask for its monitors' modes, and render
 * applies a wish that has arrived before it answers such a question.
 */
void display_want_heads(void *user, const struct frame_head_mode *heads, unsigned n_heads)
{
	struct display *display = user;
	if (display->frames)
		frame_receiver_want_heads(display->frames, heads, n_heads);
	for (unsigned i = 0; display->dbus && i < n_heads; i++) {
		const struct frame_head_mode *mode = &heads[i];
		bool on = mode->enabled;
		if (!on && !screens_is_open(display->screens, i))
			continue;
		g_info("client wants head %u: %ux%u", i, mode->width, mode->height);
		dbus_display_set_ui_info(display->dbus, i, (int32_t)MIN(mode->x, FRAME_SIZE_MAX),
			(int32_t)MIN(mode->y, FRAME_SIZE_MAX), on ? mode->width : 0,
			on ? mode->height : 0, mode->width_mm, mode->height_mm);
	}
}
