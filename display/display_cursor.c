/* SPDX-License-Identifier: MIT */
#include "display/display_parts.h"

/*
 * A guest has shown its pointer where we sent it, and is at rest, when neither has moved for so
 * long.
 */
#define SETTLED_MS 80

static gboolean on_settled(gpointer user)
{
	struct display *display = user;
	struct display_cursor *cursor = &display->cursors[display->cursor_head];
	unsigned head = display->cursor_head;
	int64_t now_us = g_get_monotonic_time();
	int32_t pointer_x, pointer_y, left = 0, top = 0;
	int64_t sent_us = inputs_get_sent(display->inputs, &pointer_x, &pointer_y);
	if (now_us - MAX(sent_us, display->cursor_us) < SETTLED_MS * 1000)
		return G_SOURCE_CONTINUE;
	display->settle_source = 0;
	if (!sent_us || !screens_to_desktop(display->screens, head, &left, &top))
		return G_SOURCE_REMOVE;
	if (hot_spot_settle(&cursor->spot, (int64_t)pointer_x - left - cursor->x,
		    (int64_t)pointer_y - top - cursor->y, &cursor->hot_x, &cursor->hot_y)) {
		screens_cursor_hot_spot(display->screens, head, cursor->hot_x, cursor->hot_y);
		lookers_cursor_hot_spot(display->lookers, head, cursor->hot_x, cursor->hot_y);
	}
	return G_SOURCE_REMOVE;
}

/*
 * Which head's cursor is at work is known by what the guest has changed last. Guests repeat picture
 * and place with every frame.
 */
static void settle_later(struct display *display, unsigned head)
{
	display->cursor_head = head;
	display->cursor_us = g_get_monotonic_time();
	if (!display->settle_source && display->absolute)
		display->settle_source = g_timeout_add(SETTLED_MS, on_settled, display);
}

/* Steps of a client go on from where the guest's pointer is, which is at the hot spot. */
static void follow(struct display *display, unsigned head)
{
	const struct display_cursor *cursor = &display->cursors[head];
	int32_t x = cursor->x, y = cursor->y;
	if (!screens_to_desktop(display->screens, head, &x, &y))
		return;
	inputs_set_position(
		display->inputs, x + (int32_t)cursor->hot_x, y + (int32_t)cursor->hot_y);
}

void display_cursor_image(struct display *display, const struct frame_cursor_image *image)
{
	struct display_cursor *cursor = &display->cursors[image->head];
	cursor->hot_x = MIN(image->hot_x, FRAME_CURSOR_SIZE - 1);
	cursor->hot_y = MIN(image->hot_y, FRAME_CURSOR_SIZE - 1);
	const struct hot_spot_shape *before = cursor->spot.shown;
	hot_spot_show(&cursor->spot, image->pixels, &cursor->hot_x, &cursor->hot_y);
	screens_cursor_image(
		display->screens, image->head, image->pixels, cursor->hot_x, cursor->hot_y);
	lookers_cursor_image(
		display->lookers, image->head, image->pixels, cursor->hot_x, cursor->hot_y);
	if (cursor->spot.shown != before)
		settle_later(display, image->head);
}

void display_cursor_move(struct display *display, unsigned head, int32_t x, int32_t y)
{
	struct display_cursor *cursor = &display->cursors[head];
	x = CLAMP(x, -FRAME_SIZE_MAX, FRAME_SIZE_MAX);
	y = CLAMP(y, -FRAME_SIZE_MAX, FRAME_SIZE_MAX);
	bool moved = x != cursor->x || y != cursor->y;
	cursor->x = x;
	cursor->y = y;
	lookers_cursor_move(display->lookers, head, x, y);
	if (screens_cursor_move(display->screens, head, x, y))
		follow(display, head);
	if (moved)
		settle_later(display, head);
}
