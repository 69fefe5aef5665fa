/* SPDX-License-Identifier: MIT */
#include "display/display.h"

#include <glib.h>
#include <unistd.h>

#include "display/clients.h"
#include "display/frame_link.h"
#include "display/head.h"
#include "display/keeper.h"
#include "display/spice_core.h"
#include "display/spice_head.h"

struct shown_head {
	struct head *head;
	struct spice_head *spice;
	bool resize_due;
	unsigned viewers; /* display channels connected */
};

struct display {
	void (*done)(void *user, bool fault);
	void *user;
	struct keeper *keeper;
	struct spice_core *core;
	struct clients *clients;
	struct frame_link *link;
	struct shown_head heads[FRAME_HEADS_MAX];

	int held[DISPLAY_HELD_MAX]; /* clients that wait for a picture */
	unsigned n_held;
	guint hold_timer, linger_timer; /* 0: nobody is waited for */
};

/* Heads. */

static bool open_head(struct display *display, unsigned number)
{
	struct shown_head *shown = &display->heads[number];
	if (shown->spice)
		return true;
	if (!shown->head)
		shown->head = head_create(number);
	shown->spice = spice_head_create(spice_core_server(display->core), shown->head);
	return shown->spice != NULL;
}

static void resize_head(struct shown_head *shown, const struct frame *frame)
{
	struct head *head = shown->head;
	shown->resize_due = false;
	spice_head_resize(shown->spice, head->width, head->height, frame);
}

static void say_pointer_area(struct display *display)
{
	uint32_t width = 0, height = 0;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		const struct head *head = display->heads[i].head;
		if (!head || !head->on)
			continue;
		width = MAX(width, head->x + head->width);
		height = MAX(height, head->y + head->height);
	}
	if (width > 0)
		keeper_say_pointer_area(display->keeper, width, height);
}

/* Who looks. */

static bool anyone_looks(const struct display *display)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (display->heads[i].viewers > 0)
			return true;
	}
	return false;
}

static void want_rates(struct display *display)
{
	bool awaited = display->hold_timer || display->linger_timer;
	for (unsigned i = 0; display->link && i < FRAME_HEADS_MAX; i++) {
		bool looked_at = awaited || display->heads[i].viewers > 0;
		frame_link_want_rate(display->link, i, looked_at ? DISPLAY_RATE_MHZ : 0);
	}
}

static void admit_held(struct display *display)
{
	if (display->hold_timer)
		g_source_remove(display->hold_timer);
	display->hold_timer = 0;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (display->heads[i].resize_due)
			resize_head(&display->heads[i], NULL);
	}
	for (unsigned i = 0; i < display->n_held; i++)
		spice_core_add_client(display->core, display->held[i]);
	display->n_held = 0;
	want_rates(display);
}

static gboolean on_hold_over(gpointer user)
{
	struct display *display = user;
	display->hold_timer = 0;
	admit_held(display);
	return G_SOURCE_REMOVE;
}

static gboolean on_linger_over(gpointer user)
{
	struct display *display = user;
	display->linger_timer = 0;
	want_rates(display);
	return G_SOURCE_REMOVE;
}

static void linger(struct display *display)
{
	if (display->linger_timer)
		g_source_remove(display->linger_timer);
	display->linger_timer = g_timeout_add(DISPLAY_LINGER_MS, on_linger_over, display);
}

/* Somebody arrives while render sleeps: wake it and wait for what it shows. */
static void on_client(void *user, int fd)
{
	struct display *display = user;
	bool asleep = !anyone_looks(display) && !(display->linger_timer && !display->hold_timer);
	bool on = display->heads[0].head->on;
	if (!asleep || !on || !display->link || display->n_held == DISPLAY_HELD_MAX) {
		spice_core_add_client(display->core, fd);
		return;
	}
	display->held[display->n_held++] = fd;
	if (!display->hold_timer)
		display->hold_timer = g_timeout_add(DISPLAY_HOLD_MS, on_hold_over, display);
	linger(display);
	want_rates(display);
}

static void on_channel(void *user, enum spice_core_channel channel, unsigned id, bool connected)
{
	struct display *display = user;
	if (channel != SPICE_CORE_DISPLAY || id >= FRAME_HEADS_MAX)
		return;
	struct shown_head *shown = &display->heads[id];
	if (connected)
		shown->viewers++;
	else if (shown->viewers > 0)
		shown->viewers--;
	if (connected && display->linger_timer) {
		g_source_remove(display->linger_timer);
		display->linger_timer = 0;
	}
	want_rates(display);
}

/* Frame link. */

static bool on_head_on(void *user, const struct frame_head_on *on)
{
	struct display *display = user;
	struct shown_head *shown = &display->heads[on->head];
	if (!open_head(display, on->head))
		return false;
	struct head *head = shown->head;
	bool same = head->width == on->width && head->height == on->height;
	head->on = true;
	head->x = on->x;
	head->y = on->y;
	if (!same) {
		head_resize(head, on->width, on->height);
		shown->resize_due = true;
		g_info("head %u: %ux%u at %u,%u", on->head, on->width, on->height, on->x, on->y);
	}
	if (shown->resize_due && shown->viewers == 0)
		resize_head(shown, NULL);
	say_pointer_area(display);
	return true;
}

static void on_head_off(void *user, unsigned number)
{
	struct display *display = user;
	struct shown_head *shown = &display->heads[number];
	if (!shown->head || !shown->head->on)
		return;
	shown->head->on = false;
	head_push_blank(shown->head);
	spice_head_wake(shown->spice);
	say_pointer_area(display);
}

static bool on_head_size(void *user, unsigned number, uint32_t *width, uint32_t *height)
{
	struct display *display = user;
	const struct head *head = display->heads[number].head;
	if (!head || !head->on)
		return false;
	*width = head->width;
	*height = head->height;
	return true;
}

static bool on_frame(void *user, struct frame *frame, const struct frame_frame *message)
{
	struct display *display = user;
	struct shown_head *shown = &display->heads[message->head];
	if (shown->resize_due)
		resize_head(shown, frame);
	head_push_frame(shown->head, frame, message->rects, message->n_rects);
	spice_head_wake(shown->spice);
	if (display->n_held > 0 && message->head == 0)
		admit_held(display);
	return true;
}

static struct spice_cursor *cursor_of(struct display *display, unsigned head)
{
	struct spice_head *spice = display->heads[head].spice;
	return spice ? spice_head_cursor(spice) : NULL;
}

static void on_cursor_image(void *user, const struct frame_cursor_image *image)
{
	struct display *display = user;
	struct spice_cursor *cursor = cursor_of(display, image->head);
	if (!cursor)
		return;
	spice_cursor_set_image(cursor, image->pixels, image->hot_x, image->hot_y);
	spice_head_wake(display->heads[image->head].spice);
}

static void on_cursor_move(void *user, unsigned head, int32_t x, int32_t y)
{
	struct display *display = user;
	struct spice_cursor *cursor = cursor_of(display, head);
	if (!cursor)
		return;
	spice_cursor_move(cursor, x, y);
	spice_head_wake(display->heads[head].spice);
}

static void on_cursor_hide(void *user, unsigned head)
{
	struct display *display = user;
	struct spice_cursor *cursor = cursor_of(display, head);
	if (!cursor)
		return;
	spice_cursor_hide(cursor);
	spice_head_wake(display->heads[head].spice);
}

/* What was shown stays on the client's screen until another renderer brings more. */
static void close_frame_link(struct display *display)
{
	frame_link_close(g_steal_pointer(&display->link));
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (display->heads[i].head)
			head_drop_frame(display->heads[i].head);
	}
}

static void on_render_gone(void *user)
{
	struct display *display = user;
	g_message("render: the frame link is closed");
	close_frame_link(display);
}

static const struct frame_link_ops frame_link_ops = {
	.head_on = on_head_on,
	.head_off = on_head_off,
	.head_size = on_head_size,
	.frame = on_frame,
	.cursor_image = on_cursor_image,
	.cursor_move = on_cursor_move,
	.cursor_hide = on_cursor_hide,
	.gone = on_render_gone,
};

/* Keeper link. */

static bool on_ticket(void *user, const char *ticket)
{
	struct display *display = user;
	return spice_core_set_ticket(display->core, ticket);
}

static bool on_listener(void *user, enum keeper_listener_kind kind, int fd)
{
	struct display *display = user;
	return clients_listen(display->clients, kind, fd);
}

static bool on_frame_link(void *user, int fd)
{
	struct display *display = user;
	close_frame_link(display);
	display->link = frame_link_create(fd, &frame_link_ops, display);
	want_rates(display);
	return true;
}

static bool on_dbus(void *user, int fd)
{
	close(fd);
	return true;
}

static void on_keeper_gone(void *user, bool fault)
{
	struct display *display = user;
	display->done(display->user, fault);
}

static const struct keeper_ops keeper_ops = {
	.ticket = on_ticket,
	.listener = on_listener,
	.frame_link = on_frame_link,
	.dbus = on_dbus,
	.gone = on_keeper_gone,
};

static const struct spice_core_ops spice_core_ops = {
	.channel = on_channel,
};

struct display *display_create(
		int keeper_fd, const char *name, void (*done)(void *user, bool fault), void *user)
{
	struct display *display = g_new0(struct display, 1);
	display->done = done;
	display->user = user;
	display->keeper = keeper_create(keeper_fd, &keeper_ops, display);
	display->clients = clients_create(on_client, display);
	display->core = spice_core_create(name, &spice_core_ops, display);
	if (!display->core || !open_head(display, 0) || !keeper_say_ready(display->keeper)) {
		display_destroy(display);
		return NULL;
	}
	head_resize(display->heads[0].head, DISPLAY_FIRST_WIDTH, DISPLAY_FIRST_HEIGHT);
	resize_head(&display->heads[0], NULL);
	return display;
}

void display_destroy(struct display *display)
{
	if (!display)
		return;
	if (display->hold_timer)
		g_source_remove(display->hold_timer);
	if (display->linger_timer)
		g_source_remove(display->linger_timer);
	for (unsigned i = 0; i < display->n_held; i++)
		close(display->held[i]);
	close_frame_link(display);
	clients_destroy(display->clients);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		spice_head_destroy(display->heads[i].spice);
	spice_core_destroy(display->core);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		head_destroy(display->heads[i].head);
	keeper_destroy(display->keeper);
	g_free(display);
}
