/* SPDX-License-Identifier: MIT */
#include "display/display_parts.h"
#include "display/inner_key/inner_key.h"

static void on_relay_arrived(void *user, const struct connection_guest *guest)
{
	struct display *display = user;
	/* Lookers are never local: pictures are copied for them, which a dma-buf cannot be. */
	const struct dmabuf_door_guest door_guest = {
		.fd = guest->fd,
		.own_fd = guest->own_fd,
		.is_local = guest->is_local,
		.display = guest->display,
		.gl_scanout = guest->gl_scanout,
	};
	if (guest->seat > 0)
		g_hash_table_insert(
			display->seats, GINT_TO_POINTER(guest->fd), GUINT_TO_POINTER(guest->seat));
	dmabuf_door_arrive(display->door, &door_guest);
}

/* It opens no channel, so that neither the door nor the audience has to know of it. */
static void on_relay_asks(void *user, int fd)
{
	struct display *display = user;
	spice_core_add_client(display->core, fd);
}

/* The link may be written to on any thread. */
static bool on_relay_asks_keeper(void *user, struct keeper_visitor *visitor, int fd)
{
	struct display *display = user;
	return keeper_end_ask_visitor(display->keeper, visitor, fd);
}

/* The same. */
static void on_relay_told(void *user, const struct keeper_client *client)
{
	struct display *display = user;
	keeper_end_say_client(display->keeper, client);
}

static void on_relay_warned(void *user, const char *words)
{
	display_warn(user, words);
}

/* What the one who drove had said last may be on its way to spice-server yet. */
#define ON_ITS_WAY_MS 50

static gboolean on_let_go(gpointer user)
{
	struct display *display = user;
	display->let_go_source = 0;
	inputs_release_all(display->inputs);
	return G_SOURCE_REMOVE;
}

static void on_relay_handed(void *user)
{
	struct display *display = user;
	inputs_release_all(display->inputs);
	if (!display->let_go_source)
		display->let_go_source = g_timeout_add(ON_ITS_WAY_MS, on_let_go, display);
}

const struct relay_ops display_relay_ops = {
	.handed = on_relay_handed,
	.warned = on_relay_warned,
	.arrived = on_relay_arrived,
	.asks = on_relay_asks,
	.ask_keeper = on_relay_asks_keeper,
	.told = on_relay_told,
};

static void on_door_admit(void *user, int fd)
{
	struct display *display = user;
	audience_arrive(
		display->audience, fd, display->frames && screens_is_on(display->screens, 0));
}

static bool add_client(struct display *display, int fd)
{
	unsigned seat = GPOINTER_TO_UINT(g_hash_table_lookup(display->seats, GINT_TO_POINTER(fd)));
	g_hash_table_remove(display->seats, GINT_TO_POINTER(fd));
	return seat > 0 ? lookers_add_client(display->lookers, seat, fd) :
			  spice_core_add_client(display->core, fd);
}

static void on_admit(void *user, int fd)
{
	struct display *display = user;
	/* While dma-bufs are shown this must wait: a new surface would take a dma-buf's place. */
	if (!dmabuf_door_uses_dmabufs(display->door))
		screens_settle(display->screens);
	if (!add_client(display, fd))
		dmabuf_door_forget(display->door, fd);
}

void display_want_formats(struct display *display)
{
	bool use = dmabuf_door_uses_dmabufs(display->door);
	if (display->frames)
		frame_receiver_want_formats(
			display->frames, spice_gl_formats, use ? SPICE_GL_FORMATS : 0);
}

static void on_door_use(void *user, bool dmabufs)
{
	struct display *display = user;
	display_want_formats(display);
	screens_use_dmabufs(display->screens, dmabufs);
}

const struct dmabuf_door_ops display_door_ops = {
	.admit = on_door_admit,
	.use = on_door_use,
};

static void on_dmabuf_stalled(void *user)
{
	struct display *display = user;
	dmabuf_door_stalled(display->door);
}

static void on_dmabufs_left(void *user)
{
	struct display *display = user;
	dmabuf_door_left(display->door);
}

const struct spice_gl_ops display_gl_ops = {
	.stalled = on_dmabuf_stalled,
	.left = on_dmabufs_left,
};

static void on_connection(void *user, int fd, const void *key, bool connected)
{
	struct display *display = user;
	/* At the end the door goes first: spice-server tells of its last connections after that. */
	if (!display->door)
		return;
	if (connected)
		dmabuf_door_connected(display->door, fd, key);
	else
		dmabuf_door_disconnected(display->door, key);
}

/* A picture that somebody asks for comes at once whatever the rate, and is the only one. */
#define SHOT_RATE_MHZ 1000

/*
 * While spice-server is destroyed (core is NULL then) its last clients leave: nobody is told of
 * that.
 */
void display_want_rates(struct display *display)
{
	bool watched = false;
	for (unsigned i = 0; display->core && i < FRAME_HEADS_MAX; i++) {
		uint32_t rate_mhz = audience_rate_mhz(display->audience, i);
		screens_set_watched(display->screens, i, rate_mhz > 0);
		if (rate_mhz == 0 && display_wants_shot(display, i))
			rate_mhz = SHOT_RATE_MHZ;
		if (display->frames)
			frame_receiver_want_rate(display->frames, i, rate_mhz);
		watched |= rate_mhz > 0;
	}
	line_stats_watch(display->line_stats, watched);
}

static void on_rates(void *user)
{
	display_want_rates(user);
}

const struct audience_ops display_audience_ops = {
	.admit = on_admit,
	.rates = on_rates,
};

static void on_channel(void *user, enum spice_core_channel channel, unsigned id, bool connected)
{
	struct display *display = user;
	if (channel == SPICE_CORE_MAIN)
		g_info("client %s", connected ? "connected" : "left");
	if (channel == SPICE_CORE_MAIN && connected)
		inner_key_check();
	if (channel == SPICE_CORE_CURSOR && connected)
		screens_new_viewer(display->screens, id);
	bool opening = channel == SPICE_CORE_DISPLAY && id < FRAME_HEADS_MAX && connected;
	if (opening && display->frames && screens_start_over(display->screens, id))
		frame_receiver_want_again(display->frames, id);
	if (channel == SPICE_CORE_DISPLAY && id < FRAME_HEADS_MAX)
		audience_look(display->audience, id, connected);
	if (channel == SPICE_CORE_DISPLAY && connected)
		screens_new_display(display->screens, id);
	if (opening)
		display_show_said(display);
	if (channel == SPICE_CORE_INPUTS && !connected)
		inputs_release_all(display->inputs);
}

const struct spice_core_ops display_core_ops = {
	.channel = on_channel,
	.connection = on_connection,
};

/* The whole picture comes once more, and nothing of it is new to the others. */
static void on_looks(void *user, unsigned head, bool looks)
{
	struct display *display = user;
	audience_look(display->audience, head, looks);
	if (looks && display->frames && audience_rate_mhz(display->audience, head) > 0)
		frame_receiver_want_again(display->frames, head);
}

const struct lookers_ops display_lookers_ops = {
	.looks = on_looks,
	.connection = on_connection,
};
