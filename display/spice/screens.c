/* SPDX-License-Identifier: MIT */
#include "display/spice/screens.h"

#include "display/heads/head.h"
#include "display/line/line.h"

struct screen {
	struct head *head;        /* NULL: never on */
	struct spice_head *spice; /* NULL: never on, or refused */
	bool resize_due;          /* the surface is not of the head's mode yet */
};

struct screens {
	struct RedsState *server;
	struct line *line;
	spice_head_wanted wanted;
	const struct spice_gl_ops *gl_ops;
	void *user;
	bool dmabufs;
	unsigned n_offered; /* heads that the guest's device has; 0: not known */
	struct screen screens[FRAME_HEADS_MAX];
};

static void on_gl_stalled(void *user)
{
	struct screens *screens = user;
	screens->gl_ops->stalled(screens->user);
}

static bool any_dmabuf(const struct screens *screens)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		const struct screen *screen = &screens->screens[i];
		if (screen->spice && spice_gl_is_on(spice_head_gl(screen->spice)))
			return true;
	}
	return false;
}

static void on_gl_left(void *user)
{
	struct screens *screens = user;
	if (!screens->dmabufs && !any_dmabuf(screens))
		screens->gl_ops->left(screens->user);
}

/* Every head has these; they tell the owner what concerns all heads. */
static const struct spice_gl_ops gl_ops = {
	.stalled = on_gl_stalled,
	.left = on_gl_left,
};

static bool open_screen(struct screens *screens, unsigned number)
{
	g_assert(number < FRAME_HEADS_MAX);
	struct screen *screen = &screens->screens[number];
	if (screen->spice)
		return true;
	if (!screen->head)
		screen->head = head_create(number);
	screen->spice = spice_head_create(
		screens->server, screen->head, screens->line, screens->wanted, screens->user);
	if (screen->spice)
		spice_gl_set_ops(spice_head_gl(screen->spice), &gl_ops, screens);
	return screen->spice != NULL;
}

/*
 * A client's menu has what has a device in spice-server. So one is kept that is not on, beside
 * those that are, as long as the guest has another head.
 */
static void open_next(struct screens *screens)
{
	for (unsigned i = 1; i < screens->n_offered; i++) {
		if (!screens_is_open(screens, i))
			open_screen(screens, i);
		if (!screens->screens[i].spice || !screens_is_on(screens, i))
			return;
	}
}

static void resize(struct screen *screen, const struct frame *frame)
{
	/* Where there is no memory for it the next picture finds it due still. */
	screen->resize_due =
		!spice_head_resize(screen->spice, screen->head->width, screen->head->height, frame);
}

/*
 * Returns whether a dma-buf was shown. If so the surface must be made anew: only that makes a
 * client look away from a dma-buf.
 */
static bool leave_dmabuf(struct screen *screen)
{
	bool on = spice_gl_is_on(spice_head_gl(screen->spice));
	spice_gl_leave(spice_head_gl(screen->spice));
	return on;
}

struct screens *screens_create(struct RedsState *server, struct line *line,
	spice_head_wanted wanted, const struct spice_gl_ops *ops, void *user)
{
	struct screens *screens = g_new0(struct screens, 1);
	screens->server = server;
	screens->line = line;
	screens->wanted = wanted;
	screens->gl_ops = ops;
	screens->user = user;
	if (!open_screen(screens, 0)) {
		screens_destroy(screens);
		return NULL;
	}
	head_resize(screens->screens[0].head, SCREENS_FIRST_WIDTH, SCREENS_FIRST_HEIGHT);
	resize(&screens->screens[0], NULL);
	return screens;
}

void screens_destroy(struct screens *screens)
{
	if (!screens)
		return;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		spice_head_destroy(screens->screens[i].spice);
		head_destroy(screens->screens[i].head);
	}
	g_free(screens);
}

bool screens_is_open(const struct screens *screens, unsigned head)
{
	return head < FRAME_HEADS_MAX && screens->screens[head].spice;
}

unsigned screens_count(const struct screens *screens)
{
	unsigned n = 0;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		n += screens_is_open(screens, i);
	return n;
}

bool screens_is_on(const struct screens *screens, unsigned head)
{
	return screens_is_open(screens, head) && screens->screens[head].head->on;
}

bool screens_turn_on(struct screens *screens, const struct frame_head_on *on, bool looked_at)
{
	struct screen *screen = &screens->screens[on->head];
	if (!open_screen(screens, on->head))
		return false;
	struct head *head = screen->head;
	/* Head 0 is never unplugged: its surface is still there. */
	bool plugged = head->on || on->head == 0;
	bool same = plugged && head->width == on->width && head->height == on->height;
	head->on = true;
	head->x = on->x;
	head->y = on->y;
	if (!same) {
		head_resize(head, on->width, on->height);
		screen->resize_due = true;
		g_info("head %u: %ux%u at %u,%u", on->head, on->width, on->height, on->x, on->y);
	}
	if (screen->resize_due && !looked_at)
		resize(screen, NULL);
	open_next(screens);
	return true;
}

void screens_offer(struct screens *screens, unsigned n_heads)
{
	screens->n_offered = n_heads;
	open_next(screens);
}

bool screens_turn_off(struct screens *screens, unsigned number)
{
	struct screen *screen = &screens->screens[number];
	if (!screens_is_on(screens, number))
		return false;
	screen->head->on = false;
	screen->resize_due = false;
	if (leave_dmabuf(screen) && number == 0)
		resize(screen, NULL);
	if (number == 0) {
		head_push_blank(screen->head);
		spice_head_wake(screen->spice);
	} else {
		head_drop_frame(screen->head);
		spice_head_unplug(screen->spice);
	}
	return true;
}

bool screens_size(const struct screens *screens, unsigned number, uint32_t *width, uint32_t *height)
{
	if (!screens_is_on(screens, number))
		return false;
	*width = screens->screens[number].head->width;
	*height = screens->screens[number].head->height;
	return true;
}

bool screens_to_desktop(const struct screens *screens, unsigned number, int32_t *x, int32_t *y)
{
	if (!screens_is_on(screens, number))
		return false;
	*x = CLAMP(*x, -FRAME_SIZE_MAX, FRAME_SIZE_MAX) + (int32_t)screens->screens[number].head->x;
	*y = CLAMP(*y, -FRAME_SIZE_MAX, FRAME_SIZE_MAX) + (int32_t)screens->screens[number].head->y;
	return true;
}

bool screens_desktop(const struct screens *screens, uint32_t *width, uint32_t *height)
{
	*width = *height = 0;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		const struct head *head = screens->screens[i].head;
		if (!screens_is_on(screens, i))
			continue;
		*width = MAX(*width, head->x + head->width);
		*height = MAX(*height, head->y + head->height);
	}
	return *width > 0;
}

/*
 * A dma-buf that was under way when dma-bufs ceased to be wanted is dropped. Render is told that
 * they are not, and sends a memfd with full damage next.
 */
static bool show_dmabuf(struct screens *screens, struct screen *screen, struct frame *frame,
	const struct frame_present *message)
{
	if (!screens->dmabufs) {
		frame_unref(frame);
		return true;
	}
	if (screen->resize_due)
		resize(screen, NULL);
	spice_gl_show(spice_head_gl(screen->spice), frame, message);
	return true;
}

void screens_show_own(
	struct screens *screens, struct frame *frame, const struct frame_present *message)
{
	struct screen *screen = &screens->screens[message->head];
	g_assert(screens_is_on(screens, message->head) && !frame->dmabuf);
	screen->resize_due |= leave_dmabuf(screen);
	if (screen->resize_due)
		resize(screen, frame);
	head_push_frame(screen->head, frame, message->rects, message->n_rects);
	spice_head_wake(screen->spice);
}

bool screens_show(struct screens *screens, struct frame *frame, const struct frame_present *message)
{
	g_assert(screens_is_on(screens, message->head));
	struct screen *screen = &screens->screens[message->head];
	if (message->serial <= screen->head->serial) {
		g_warning("render: head %u: serial %" G_GUINT64_FORMAT " after %" G_GUINT64_FORMAT,
			message->head, message->serial, screen->head->serial);
		frame_unref(frame);
		return false;
	}
	screen->head->serial = message->serial;
	if (frame->dmabuf)
		return show_dmabuf(screens, screen, frame, message);
	screens_show_own(screens, frame, message);
	return true;
}

void screens_use_dmabufs(struct screens *screens, bool use)
{
	screens->dmabufs = use;
	if (use)
		return;
	if (!any_dmabuf(screens)) {
		screens->gl_ops->left(screens->user);
		return;
	}
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		struct screen *screen = &screens->screens[i];
		if (screen->spice && leave_dmabuf(screen))
			screen->resize_due = screen->head->on;
	}
}

void screens_settle(struct screens *screens)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (screens->screens[i].resize_due)
			resize(&screens->screens[i], NULL);
	}
}

void screens_drop_frames(struct screens *screens)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (!screens->screens[i].head)
			continue;
		head_drop_frame(screens->screens[i].head);
		screens->screens[i].head->serial = 0;
	}
}

static bool wake_if(struct screens *screens, unsigned number, bool changed)
{
	if (changed)
		spice_head_wake(screens->screens[number].spice);
	return changed;
}

bool screens_cursor_image(struct screens *screens, unsigned number, const uint32_t *pixels,
	uint32_t hot_x, uint32_t hot_y)
{
	if (!screens_is_open(screens, number))
		return false;
	struct spice_cursor *cursor = spice_head_cursor(screens->screens[number].spice);
	return wake_if(screens, number, spice_cursor_set_image(cursor, pixels, hot_x, hot_y));
}

bool screens_cursor_hot_spot(
	struct screens *screens, unsigned number, uint32_t hot_x, uint32_t hot_y)
{
	if (!screens_is_open(screens, number))
		return false;
	struct spice_cursor *cursor = spice_head_cursor(screens->screens[number].spice);
	return wake_if(screens, number, spice_cursor_set_hot_spot(cursor, hot_x, hot_y));
}

bool screens_cursor_move(struct screens *screens, unsigned number, int32_t x, int32_t y)
{
	if (!screens_is_open(screens, number))
		return false;
	struct spice_cursor *cursor = spice_head_cursor(screens->screens[number].spice);
	return wake_if(screens, number, spice_cursor_move(cursor, x, y));
}

bool screens_cursor_hide(struct screens *screens, unsigned number)
{
	if (!screens_is_open(screens, number))
		return false;
	struct spice_cursor *cursor = spice_head_cursor(screens->screens[number].spice);
	return wake_if(screens, number, spice_cursor_hide(cursor));
}

void screens_new_viewer(struct screens *screens, unsigned number)
{
	if (screens_is_open(screens, number))
		spice_head_new_viewer(screens->screens[number].spice);
}

void screens_new_display(struct screens *screens, unsigned number)
{
	if (!screens_is_open(screens, number))
		return;
	spice_head_new_display(screens->screens[number].spice);
	spice_gl_new_viewer(spice_head_gl(screens->screens[number].spice));
}

bool screens_start_over(struct screens *screens, unsigned number)
{
	struct line_figures figures;
	struct screen *screen = &screens->screens[number];
	if (!screens_is_on(screens, number) || screen->resize_due ||
		spice_gl_is_on(spice_head_gl(screen->spice)) || !screens->line ||
		!line_get(screens->line, number, &figures) || figures.rtt_min_us < LINE_FAR_US)
		return false;
	head_resize(screen->head, screen->head->width, screen->head->height);
	resize(screen, NULL);
	return true;
}

void screens_forget(struct screens *screens, unsigned number)
{
	struct screen *screen = &screens->screens[number];
	if (!screens_is_on(screens, number))
		return;
	head_resize(screen->head, screen->head->width, screen->head->height);
	resize(screen, NULL);
}

void screens_set_watched(struct screens *screens, unsigned number, bool watched)
{
	if (!screens_is_open(screens, number))
		return;
	head_set_watched(screens->screens[number].head, watched);
	spice_head_wake(screens->screens[number].spice);
}
