/* SPDX-License-Identifier: MIT */
#include "display/display_parts.h"

#include "display/heads/words.h"

static bool on_head_on(void *user, const struct frame_head_on *on)
{
	struct display *display = user;
	display_say(display, "");
	if (!screens_turn_on(display->screens, on, audience_looks(display->audience, on->head)) ||
		!lookers_turn_on(display->lookers, on))
		return false;
	display_update_pointer(display);
	display_update_desktop(display);
	return true;
}

static void on_head_off(void *user, unsigned head)
{
	struct display *display = user;
	lookers_turn_off(display->lookers, head);
	if (screens_turn_off(display->screens, head))
		display_update_desktop(display);
	display_show_said(display);
}

static bool on_head_size(void *user, unsigned head, uint32_t *width, uint32_t *height)
{
	struct display *display = user;
	return screens_size(display->screens, head, width, height);
}

static bool on_frame(void *user, struct frame *frame, const struct frame_present *message)
{
	struct display *display = user;
	bool dmabuf = frame->dmabuf != NULL;
	display_shoot(display, frame);
	lookers_show(display->lookers, frame, message);
	if (display->warns) {
		frame_unref(frame);
		return true;
	}
	if (!screens_show(display->screens, frame, message))
		return false;
	if (!dmabuf)
		dmabuf_door_frame_shown(display->door);
	audience_frame_shown(display->audience);
	return true;
}

static void on_cursor_image(void *user, const struct frame_cursor_image *image)
{
	display_cursor_image(user, image);
}

static void on_cursor_move(void *user, unsigned head, int32_t x, int32_t y)
{
	display_cursor_move(user, head, x, y);
}

static void on_cursor_hide(void *user, unsigned head)
{
	struct display *display = user;
	screens_cursor_hide(display->screens, head);
	lookers_cursor_hide(display->lookers, head);
}

void display_close_frames(struct display *display)
{
	frame_receiver_close(g_steal_pointer(&display->frames));
	screens_drop_frames(display->screens);
	lookers_drop_frames(display->lookers);
}

bool display_is_looked_at(const struct display *display)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (audience_looks(display->audience, i))
			return true;
	}
	return false;
}

/* The guest has turned its heads off, as a rule, when it powered off. */
static bool turn_on_first(struct display *display)
{
	const struct frame_head_on on = {
		.head = 0, .width = SCREENS_FIRST_WIDTH, .height = SCREENS_FIRST_HEIGHT
	};
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (screens_is_on(display->screens, i))
			return true;
	}
	return screens_turn_on(display->screens, &on, true);
}

static void show_words(struct display *display, unsigned head, const char *text)
{
	struct frame_present present = { .head = head, .serial = UINT64_MAX, .n_rects = 1 };
	uint32_t width, height;
	if (!screens_is_on(display->screens, head) ||
		!screens_size(display->screens, head, &width, &height))
		return;
	struct frame *frame = words_show(head, width, height, text);
	if (!frame)
		return;
	present.rects[0] = (struct rect){ 0, 0, width, height };
	screens_show_own(display->screens, frame, &present);
}

void display_show_words(struct display *display, const char *text)
{
	if (!display_is_looked_at(display))
		return;
	display_close_frames(display);
	if (!turn_on_first(display))
		return;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		screens_cursor_hide(display->screens, i);
		show_words(display, i, text);
	}
}

void display_warn(struct display *display, const char *words)
{
	if (display->ends_us)
		return;
	display->warns = words != NULL;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (words)
			show_words(display, i, words);
		else if (display->frames && audience_rate_mhz(display->audience, i) > 0)
			frame_receiver_want_again(display->frames, i);
	}
}

void display_show_said(struct display *display)
{
	bool is_on = false;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		is_on |= screens_is_on(display->screens, i);
	if (!display->said[0] || !display_is_looked_at(display) || (is_on && !display->shows_said))
		return;
	/* Words that are shown again are as new as those before. */
	screens_drop_frames(display->screens);
	display->shows_said = turn_on_first(display);
	show_words(display, 0, display->said);
}

void display_say(struct display *display, const char *text)
{
	g_strlcpy(display->said, text, sizeof(display->said));
	if (display->said[0]) {
		display_show_said(display);
	} else if (display->shows_said) {
		display->shows_said = false;
		screens_drop_frames(display->screens);
		screens_turn_off(display->screens, 0);
	}
}

static void on_render_gone(void *user)
{
	struct display *display = user;
	g_message("render: the frame link is closed");
	display_close_frames(display);
}

/* Render would show nothing more to us, and goes on where it is with another display. */
static void on_starved(void *user)
{
	struct display *display = user;
	g_warning("what render shows cannot be held; ends, for another display to begin");
	display_close_frames(display);
	display->done(display->user, true);
}

const struct frame_receiver_ops display_frames_ops = {
	.head_on = on_head_on,
	.head_off = on_head_off,
	.head_size = on_head_size,
	.frame = on_frame,
	.cursor_image = on_cursor_image,
	.cursor_move = on_cursor_move,
	.cursor_hide = on_cursor_hide,
	.gone = on_render_gone,
	.starved = on_starved,
};
