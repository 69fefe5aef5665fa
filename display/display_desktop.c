/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/peer_log.h"
#include "display/display_parts.h"
#include "display/heads/layout.h"
#include "display/heads/limits.h"

/*
 * With several heads clients must send positions through the agent: a tablet's do not say which
 * head they are on.
 */
void display_update_pointer(struct display *display)
{
	inputs_set_absolute(display->inputs, display->absolute);
	spice_inputs_set_absolute(display->spice_inputs, display->absolute);
	lookers_set_absolute(display->lookers, display->absolute);
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
	if (display->dbus)
		dbus_display_set_desktop(display->dbus, width, height);
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

static size_t on_agent_sends(void *user, const uint8_t *bytes, size_t n_bytes)
{
	struct display *display = user;
	return display->agent_port ? dbus_chardev_send(display->agent_port, bytes, n_bytes) : 0;
}

static void on_agent_resumes(void *user)
{
	struct display *display = user;
	if (display->agent_port)
		dbus_chardev_resume(display->agent_port);
}

static void on_agent_renews(void *user)
{
	struct display *display = user;
	if (display->agent_port)
		dbus_chardev_renew(display->agent_port);
}

const struct spice_agent_ops display_agent_ops = {
	.pointer = on_agent_pointer,
	.buttons = on_agent_buttons,
	.wheel = on_agent_wheel,
	.send_guest = on_agent_sends,
	.resume_guest = on_agent_resumes,
	.renew_guest = on_agent_renews,
};

/* ---- monitors that clients wish for ---- */

/* Clients that resize a window ask many times a second, and the guest looks each time. */
#define WISHES_EACH_MS 50

static void tell_qemu(struct display *display, unsigned head, const struct frame_head_mode *mode)
{
	const struct dbus_consoles_size size = {
		.x = (int32_t)mode->x,
		.y = (int32_t)mode->y,
		.width = mode->enabled ? mode->width : 0,
		.height = mode->enabled ? mode->height : 0,
		.width_mm = mode->width_mm,
		.height_mm = mode->height_mm,
	};
	if (display->dbus)
		dbus_display_want_head(display->dbus, head, &size);
}

/*
 * Render is told before QEMU is. QEMU makes the guest ask for its monitors' modes, and render
 * applies a wish that has arrived before it answers such a question.
 */
static void want(struct display *display, const struct frame_head_mode *wished)
{
	struct frame_head_mode old[FRAME_HEADS_MAX];
	memcpy(old, display->wanted, sizeof(old));
	memcpy(display->wanted, wished, sizeof(display->wanted));
	if (display->frames)
		frame_receiver_want_heads(display->frames, display->wanted, FRAME_HEADS_MAX);
	for (unsigned i = 0; i < display->n_heads; i++) {
		bool was_on = old[i].enabled || screens_is_on(display->screens, i);
		if (!memcmp(&old[i], &wished[i], sizeof(old[i])) || (!wished[i].enabled && !was_on))
			continue;
		if (wished[i].enabled)
			g_info("client wants head %u: %ux%u at %u,%u", i, wished[i].width,
				wished[i].height, wished[i].x, wished[i].y);
		else
			g_info("client wants head %u off", i);
		tell_qemu(display, i, &wished[i]);
	}
}

static gboolean on_wishes_due(gpointer user)
{
	struct display *display = user;
	if (memcmp(display->wished, display->wanted, sizeof(display->wished)) == 0) {
		display->wish_source = 0;
		return G_SOURCE_REMOVE;
	}
	want(display, display->wished);
	return G_SOURCE_CONTINUE;
}

/* Returns false where a wish can be followed by no desktop. */
static bool arrange(struct display *display, const struct frame_head_mode *heads,
	struct frame_head_mode *wished)
{
	bool any = false;
	memset(wished, 0, sizeof(display->wished));
	for (unsigned i = 0; i < display->n_heads; i++) {
		if (!heads[i].enabled)
			continue;
		wished[i] = heads[i];
		any = true;
	}
	if (!any) {
		peer_warning(PEER_VIEWER, "client: wants no monitor that the guest has");
		return false;
	}
	if (layout_arrange(wished, FRAME_HEADS_MAX))
		return true;
	peer_warning(PEER_VIEWER, "client: wants a desktop of more than %u pixels to a side",
		LAYOUT_SIZE_MAX);
	return false;
}

void display_want_heads(void *user, const struct frame_head_mode *heads, unsigned n_heads)
{
	struct display *display = user;
	struct frame_head_mode all[FRAME_HEADS_MAX] = { 0 }, wished[FRAME_HEADS_MAX];
	memcpy(all, heads, MIN(n_heads, FRAME_HEADS_MAX) * sizeof(all[0]));
	if (!arrange(display, all, wished))
		return;
	memcpy(display->wished, wished, sizeof(wished));
	if (display->wish_source)
		return;
	want(display, wished);
	display->wish_source = g_timeout_add(WISHES_EACH_MS, on_wishes_due, display);
}

void display_want_heads_again(struct display *display)
{
	bool any = false;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		any |= display->wanted[i].enabled;
	if (any && display->frames)
		frame_receiver_want_heads(display->frames, display->wanted, FRAME_HEADS_MAX);
}

void display_set_heads(struct display *display, unsigned n_heads)
{
	display->n_heads = CLAMP(n_heads, 1, FRAME_HEADS_MAX);
	g_info("qemu: the guest can have %u monitors", display->n_heads);
	screens_offer(display->screens, display->n_heads);
	display_update_pointer(display);
}
