/* SPDX-License-Identifier: MIT */
#include "display/lookers.h"

#include <glib.h>

#include "display/heads/mirror.h"
#include "display/relay/client_policy.h"
#include "display/spice/screens.h"
#include "display/spice/spice_core.h"
#include "display/spice/spice_inputs.h"
#include "display/spice/spice_playback.h"

struct looker {
	struct lookers *lookers;
	struct spice_core *core;
	struct screens *screens;
	struct spice_inputs *inputs;
	struct spice_playback *playback;
	struct line *line;
	unsigned n_looks[FRAME_HEADS_MAX]; /* display channels that are open */
	bool stale[FRAME_HEADS_MAX];       /* somebody looked, and what was shown is there still */
	unsigned forget_source;            /* 0: nothing is */
	struct mirror *mirrors[FRAME_HEADS_MAX];
};

struct lookers {
	const struct lookers_ops *ops;
	void *user;
	unsigned n;
	struct looker all[RELAY_SEATS_MAX - 1];
};

_Static_assert(RELAY_SEATS_MAX <= SPICE_CORES_MAX, "each has a spice-server");

/* ---- spice-server's side ---- */

/*
 * Who sits there next is not shown what was. It is done neither while spice-server tells of
 * somebody's end, since it holds a lock then that its worker may wait for, nor when somebody is
 * looking already.
 */
static void forget(struct looker *looker)
{
	g_clear_handle_id(&looker->forget_source, g_source_remove);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (looker->n_looks[head] > 0 || !looker->stale[head])
			continue;
		looker->stale[head] = false;
		screens_forget(looker->screens, head);
		mirror_trim(looker->mirrors[head]);
	}
}

static gboolean on_forget(gpointer user)
{
	struct looker *looker = user;
	looker->forget_source = 0;
	forget(looker);
	return G_SOURCE_REMOVE;
}

static void look(struct looker *looker, unsigned head, bool looks)
{
	unsigned *n = &looker->n_looks[head];
	if (!looks && *n == 0)
		return;
	*n += looks ? 1 : -1u;
	screens_set_watched(looker->screens, head, *n > 0);
	looker->stale[head] = true;
	if (*n == 0 && !looker->forget_source)
		looker->forget_source = g_idle_add(on_forget, looker);
	looker->lookers->ops->looks(looker->lookers->user, head, looks);
}

static void on_channel(void *user, enum spice_core_channel channel, unsigned id, bool connected)
{
	struct looker *looker = user;
	if (!looker->screens || id >= FRAME_HEADS_MAX)
		return;
	if (channel == SPICE_CORE_CURSOR && connected)
		screens_new_viewer(looker->screens, id);
	if (channel != SPICE_CORE_DISPLAY)
		return;
	look(looker, id, connected);
	if (connected)
		screens_new_display(looker->screens, id);
}

static void on_connection(void *user, int fd, const void *key, bool connected)
{
	struct looker *looker = user;
	looker->lookers->ops->connection(looker->lookers->user, fd, key, connected);
}

static const struct spice_core_ops core_ops = {
	.channel = on_channel,
	.connection = on_connection,
};

/* No dma-buf is shown here. */
static void on_gl(void *user)
{
}

static const struct spice_gl_ops gl_ops = {
	.stalled = on_gl,
	.left = on_gl,
};

/* ---- creation and end ---- */

static bool open_seat(struct looker *looker, const char *name, struct inputs *inputs)
{
	looker->line = line_create();
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		looker->mirrors[i] = mirror_create();
	looker->core = spice_core_create(name, &core_ops, looker);
	if (!looker->core)
		return false;
	struct RedsState *server = spice_core_server(looker->core);
	looker->inputs = spice_inputs_create(server, inputs);
	looker->screens = screens_create(server, looker->line, NULL, &gl_ops, looker);
	looker->playback = spice_playback_create(server);
	return looker->inputs && looker->screens && looker->playback;
}

struct lookers *lookers_create(unsigned n, const char *name, struct inputs *inputs,
	const struct lookers_ops *ops, void *user)
{
	struct lookers *lookers = g_new0(struct lookers, 1);
	g_assert(n < RELAY_SEATS_MAX);
	lookers->ops = ops;
	lookers->user = user;
	for (unsigned i = 0; i < n; i++) {
		lookers->all[i].lookers = lookers;
		lookers->n = i + 1;
		if (!open_seat(&lookers->all[i], name, inputs)) {
			lookers_close(lookers);
			lookers_destroy(lookers);
			return NULL;
		}
	}
	return lookers;
}

void lookers_close(struct lookers *lookers)
{
	for (unsigned i = 0; lookers && i < lookers->n; i++)
		spice_core_destroy(g_steal_pointer(&lookers->all[i].core));
	for (unsigned i = 0; lookers && i < lookers->n; i++)
		g_clear_handle_id(&lookers->all[i].forget_source, g_source_remove);
}

void lookers_destroy(struct lookers *lookers)
{
	for (unsigned i = 0; lookers && i < lookers->n; i++) {
		struct looker *looker = &lookers->all[i];
		spice_playback_destroy(looker->playback);
		spice_inputs_destroy(looker->inputs);
		screens_destroy(looker->screens);
		for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
			mirror_destroy(looker->mirrors[head]);
		line_destroy(looker->line);
	}
	g_free(lookers);
}

struct line *lookers_line(struct lookers *lookers, unsigned seat)
{
	g_assert(seat >= 1 && seat <= lookers->n);
	return lookers->all[seat - 1].line;
}

bool lookers_add_client(struct lookers *lookers, unsigned seat, int fd)
{
	g_assert(seat >= 1 && seat <= lookers->n);
	struct looker *looker = &lookers->all[seat - 1];
	forget(looker);
	screens_settle(looker->screens);
	return spice_core_add_client(looker->core, fd);
}

/* ---- what they are shown ---- */

void lookers_set_codecs(struct lookers *lookers, const char *codecs)
{
	for (unsigned i = 0; i < lookers->n; i++)
		spice_core_set_codecs(lookers->all[i].core, codecs);
}

bool lookers_turn_on(struct lookers *lookers, const struct frame_head_on *on)
{
	bool all = true;
	for (unsigned i = 0; i < lookers->n; i++)
		all &= screens_turn_on(
			lookers->all[i].screens, on, lookers->all[i].n_looks[on->head] > 0);
	return all;
}

void lookers_turn_off(struct lookers *lookers, unsigned head)
{
	for (unsigned i = 0; i < lookers->n; i++)
		screens_turn_off(lookers->all[i].screens, head);
}

void lookers_show(
	struct lookers *lookers, const struct frame *frame, const struct frame_present *message)
{
	for (unsigned i = 0; i < lookers->n; i++) {
		struct looker *looker = &lookers->all[i];
		unsigned head = message->head;
		if (looker->n_looks[head] == 0 || !screens_is_on(looker->screens, head))
			continue;
		struct frame *copy = mirror_copy(looker->mirrors[head], frame, message);
		if (copy)
			screens_show_own(looker->screens, copy, message);
	}
}

void lookers_drop_frames(struct lookers *lookers)
{
	for (unsigned i = 0; i < lookers->n; i++)
		screens_drop_frames(lookers->all[i].screens);
}

void lookers_cursor_image(struct lookers *lookers, unsigned head, const uint32_t *pixels,
	uint32_t hot_x, uint32_t hot_y)
{
	for (unsigned i = 0; i < lookers->n; i++)
		screens_cursor_image(lookers->all[i].screens, head, pixels, hot_x, hot_y);
}

void lookers_cursor_hot_spot(struct lookers *lookers, unsigned head, uint32_t hot_x, uint32_t hot_y)
{
	for (unsigned i = 0; i < lookers->n; i++)
		screens_cursor_hot_spot(lookers->all[i].screens, head, hot_x, hot_y);
}

void lookers_cursor_move(struct lookers *lookers, unsigned head, int32_t x, int32_t y)
{
	for (unsigned i = 0; i < lookers->n; i++)
		screens_cursor_move(lookers->all[i].screens, head, x, y);
}

void lookers_cursor_hide(struct lookers *lookers, unsigned head)
{
	for (unsigned i = 0; i < lookers->n; i++)
		screens_cursor_hide(lookers->all[i].screens, head);
}

void lookers_set_absolute(struct lookers *lookers, bool absolute)
{
	for (unsigned i = 0; i < lookers->n; i++)
		spice_inputs_set_absolute(lookers->all[i].inputs, absolute);
}

/* ---- what they hear ---- */

void lookers_set_rate(struct lookers *lookers, uint32_t rate_hz)
{
	for (unsigned i = 0; i < lookers->n; i++)
		spice_playback_set_rate(lookers->all[i].playback, rate_hz);
}

void lookers_play(struct lookers *lookers, const void *data, size_t size_bytes)
{
	for (unsigned i = 0; i < lookers->n; i++)
		spice_playback_write(lookers->all[i].playback, data, size_bytes);
}

void lookers_stop_playing(struct lookers *lookers)
{
	for (unsigned i = 0; i < lookers->n; i++)
		spice_playback_stop(lookers->all[i].playback);
}

void lookers_set_volume(struct lookers *lookers, bool mute, uint16_t left, uint16_t right)
{
	for (unsigned i = 0; i < lookers->n; i++)
		spice_playback_set_volume(lookers->all[i].playback, mute, left, right);
}
