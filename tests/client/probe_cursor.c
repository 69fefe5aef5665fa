/* SPDX-License-Identifier: MIT */
/* spice-probe records what the cursor channel says. */
#include "tests/client/probe.h"

static void cursor_set(SpiceChannel *channel, gint width, gint height, gint hot_x, gint hot_y,
	gpointer rgba, gpointer user)
{
	struct probe_cursor *cursor = &((struct probe *)user)->cursor;

	g_clear_pointer(&cursor->pixels, g_free);
	cursor->width = width;
	cursor->height = height;
	cursor->hot_x = hot_x;
	cursor->hot_y = hot_y;
	cursor->pixels = rgba ? g_memdup2(rgba, (gsize)width * height * 4) : NULL;
	cursor->visible = true;
	cursor->n_sets++;
}

static void cursor_move(SpiceChannel *channel, gint x, gint y, gpointer user)
{
	struct probe_cursor *cursor = &((struct probe *)user)->cursor;

	cursor->x = x;
	cursor->y = y;
	cursor->visible = true;
	cursor->n_moves++;
}

static void cursor_hide(SpiceChannel *channel, gpointer user)
{
	struct probe_cursor *cursor = &((struct probe *)user)->cursor;

	cursor->visible = false;
	cursor->n_hides++;
}

static void cursor_reset(SpiceChannel *channel, gpointer user)
{
	((struct probe *)user)->cursor.visible = false;
}

static void cursor_event(SpiceChannel *channel, SpiceChannelEvent event, gpointer user)
{
	((struct probe *)user)->cursor_opened = event == SPICE_CHANNEL_OPENED;
}

void cursor_attach(struct probe *probe, SpiceChannel *channel)
{
	probe->cursor_channel = g_object_ref(channel);
	g_signal_connect(channel, "cursor-set", G_CALLBACK(cursor_set), probe);
	g_signal_connect(channel, "cursor-move", G_CALLBACK(cursor_move), probe);
	g_signal_connect(channel, "cursor-hide", G_CALLBACK(cursor_hide), probe);
	g_signal_connect(channel, "cursor-reset", G_CALLBACK(cursor_reset), probe);
	g_signal_connect(channel, "channel-event", G_CALLBACK(cursor_event), probe);
}

void cursor_detach(struct probe *probe)
{
	if (probe->cursor_channel)
		g_signal_handlers_disconnect_by_data(probe->cursor_channel, probe);
	g_clear_object(&probe->cursor_channel);
	probe->cursor_opened = false;
	g_clear_pointer(&probe->cursor.pixels, g_free);
	probe->cursor = (struct probe_cursor){ 0 };
}
