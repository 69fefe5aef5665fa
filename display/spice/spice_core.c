/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_core.h"

#include <glib-unix.h>
#include <spice.h>
#include <unistd.h>

#include "protocol/flight_events.h"

/*
 * This encoder needs no GStreamer. It is the only one until video/video.h knows what GStreamer has.
 */
#define FIRST_CODECS "spice:mjpeg"

struct spice_core {
	SpiceServer *server;
	const struct spice_core_ops *ops;
	void *user;
	int adding; /* the socket that is being added, so that events can be told to be its; or -1
		     */
};

/* spice-server's core interface has no user pointer: each core has a place, and functions of it. */
static struct spice_core *cores[SPICE_CORES_MAX];

/* ---- timers ---- */

struct SpiceTimer {
	SpiceTimerFunc func;
	void *opaque;
	guint source;
};

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
	SpiceTimer *timer = g_new0(SpiceTimer, 1);
	timer->func = func;
	timer->opaque = opaque;
	return timer;
}

static void timer_cancel(SpiceTimer *timer)
{
	g_clear_handle_id(&timer->source, g_source_remove);
}

static gboolean on_timer(gpointer user)
{
	SpiceTimer *timer = user;
	timer->source = 0;
	timer->func(timer->opaque);
	return G_SOURCE_REMOVE;
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
	timer_cancel(timer);
	timer->source = g_timeout_add(ms, on_timer, timer);
}

static void timer_remove(SpiceTimer *timer)
{
	timer_cancel(timer);
	g_free(timer);
}

/* ---- watches ---- */

struct SpiceWatch {
	int fd;
	SpiceWatchFunc func;
	void *opaque;
	guint source;
};

static gboolean on_watch(gint fd, GIOCondition condition, gpointer user)
{
	SpiceWatch *watch = user;
	int events = 0;
	if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
		events |= SPICE_WATCH_EVENT_READ;
	if (condition & G_IO_OUT)
		events |= SPICE_WATCH_EVENT_WRITE;
	/* The callback may remove the watch, so that it must not be touched after it. */
	watch->func(fd, events, watch->opaque);
	return G_SOURCE_CONTINUE;
}

static void watch_update_mask(SpiceWatch *watch, int event_mask)
{
	GIOCondition condition = 0;
	g_clear_handle_id(&watch->source, g_source_remove);
	if (event_mask & SPICE_WATCH_EVENT_READ)
		condition |= G_IO_IN | G_IO_HUP | G_IO_ERR;
	if (event_mask & SPICE_WATCH_EVENT_WRITE)
		condition |= G_IO_OUT;
	if (condition)
		watch->source = g_unix_fd_add(watch->fd, condition, on_watch, watch);
}

static SpiceWatch *watch_add(int fd, int event_mask, SpiceWatchFunc func, void *opaque)
{
	SpiceWatch *watch = g_new0(SpiceWatch, 1);
	watch->fd = fd;
	watch->func = func;
	watch->opaque = opaque;
	watch_update_mask(watch, event_mask);
	return watch;
}

static void watch_remove(SpiceWatch *watch)
{
	watch_update_mask(watch, 0);
	g_free(watch);
}

/* ---- channels ---- */

static void note(int event, const SpiceChannelEventInfo *info)
{
	unsigned type = (unsigned)info->type, id = (unsigned)info->id;
	if (event == SPICE_CHANNEL_EVENT_INITIALIZED)
		flight_note(FLIGHT_CHANNEL_OPENED, type, id, 1);
	if (event == SPICE_CHANNEL_EVENT_DISCONNECTED)
		flight_note(FLIGHT_CHANNEL_CLOSED, type, id, 0);
}

static void on_channel(struct spice_core *core, int event, SpiceChannelEventInfo *info)
{
	static const struct {
		int type;
		enum spice_core_channel channel;
	} known[] = {
		{ SPICE_CHANNEL_MAIN, SPICE_CORE_MAIN },
		{ SPICE_CHANNEL_DISPLAY, SPICE_CORE_DISPLAY },
		{ SPICE_CHANNEL_INPUTS, SPICE_CORE_INPUTS },
		{ SPICE_CHANNEL_CURSOR, SPICE_CORE_CURSOR },
	};
	note(event, info);
	if (event == SPICE_CHANNEL_EVENT_CONNECTED)
		core->ops->connection(core->user, core->adding, info, true);
	if (event == SPICE_CHANNEL_EVENT_CONNECTED)
		return;
	for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
		if (known[i].type == info->type)
			core->ops->channel(core->user, known[i].channel, (unsigned)info->id,
				event == SPICE_CHANNEL_EVENT_INITIALIZED);
	}
	if (event == SPICE_CHANNEL_EVENT_DISCONNECTED)
		core->ops->connection(core->user, -1, info, false);
}

#define PLACE(i)                                                                                   \
	static void on_channel_##i(int event, SpiceChannelEventInfo *info)                         \
	{                                                                                          \
		on_channel(cores[i], event, info);                                                 \
	}

PLACE(0)
PLACE(1)
PLACE(2)
PLACE(3)
PLACE(4)
PLACE(5)
PLACE(6)
PLACE(7)

#define CORE_INTERFACE(i)                                                                            \
	{                                                                                            \
		.base = {                                                                          \
			.type = SPICE_INTERFACE_CORE,                                              \
			.description = "vitrine",                                                  \
			.major_version = SPICE_INTERFACE_CORE_MAJOR,                               \
			.minor_version = SPICE_INTERFACE_CORE_MINOR,                               \
		},                                                                                 \
		.timer_add = timer_add,                                                            \
		.timer_start = timer_start,                                                        \
		.timer_cancel = timer_cancel,                                                      \
		.timer_remove = timer_remove,                                                      \
		.watch_add = watch_add,                                                            \
		.watch_update_mask = watch_update_mask,                                            \
		.watch_remove = watch_remove,                                                      \
		.channel_event = on_channel_##i, \
	}

static SpiceCoreInterface interfaces[] = { CORE_INTERFACE(0), CORE_INTERFACE(1), CORE_INTERFACE(2),
	CORE_INTERFACE(3), CORE_INTERFACE(4), CORE_INTERFACE(5), CORE_INTERFACE(6),
	CORE_INTERFACE(7) };
_Static_assert(G_N_ELEMENTS(interfaces) == SPICE_CORES_MAX, "one for each place");

static unsigned find_place(const struct spice_core *core)
{
	unsigned place = 0;
	while (place < SPICE_CORES_MAX && cores[place] != core)
		place++;
	return place;
}

static bool set_up(SpiceServer *server, const char *name)
{
	if (name)
		spice_server_set_name(server, name);
	/* The relay lets people in; with its own password nobody would come. */
	if (spice_server_set_noauth(server) < 0)
		return false;
	/* For a client behind a slow line the relay asks for another (relay/compression.h). */
	spice_server_set_image_compression(server, SPICE_IMAGE_COMPRESSION_LZ4);
	spice_server_set_jpeg_compression(server, SPICE_WAN_COMPRESSION_NEVER);
	spice_server_set_zlib_glz_compression(server, SPICE_WAN_COMPRESSION_NEVER);
	/*
	 * With ALL each drawable says whether it may be streamed (spice_head.c), and nothing is
	 * guessed.
	 */
	spice_server_set_streaming_video(server, SPICE_STREAM_VIDEO_ALL);
	spice_server_set_video_codecs(server, FIRST_CODECS);
	return true;
}

struct spice_core *spice_core_create(const char *name, const struct spice_core_ops *ops, void *user)
{
	unsigned place = find_place(NULL);
	g_assert(place < SPICE_CORES_MAX);
	SpiceServer *server = spice_server_new();
	struct spice_core *core = g_new0(struct spice_core, 1);
	*core = (struct spice_core){ .server = server, .ops = ops, .user = user, .adding = -1 };
	cores[place] = core;
	if (set_up(server, name) && spice_server_init(server, &interfaces[place]) == 0)
		return core;
	g_warning("spice: the server cannot start");
	spice_core_destroy(core);
	return NULL;
}

void spice_core_destroy(struct spice_core *core)
{
	if (!core)
		return;
	unsigned place = find_place(core);
	g_assert(place < SPICE_CORES_MAX);
	spice_server_destroy(core->server);
	cores[place] = NULL;
	g_free(core);
}

SpiceServer *spice_core_server(struct spice_core *core)
{
	return core->server;
}

void spice_core_set_codecs(struct spice_core *core, const char *codecs)
{
	if (spice_server_set_video_codecs(core->server, codecs) != 0)
		g_warning("spice: not every video codec of \"%s\" is there", codecs);
}

bool spice_core_add_client(struct spice_core *core, int fd)
{
	g_assert(core->adding < 0);
	core->adding = fd;
	bool added = spice_server_add_client(core->server, fd, 0) == 0;
	core->adding = -1;
	if (!added)
		close(fd);
	return added;
}
