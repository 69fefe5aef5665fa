/* SPDX-License-Identifier: MIT */
#include "display/door/dmabuf_door.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"

enum state {
	OFF,
	ON,
	LEAVING,
};

/* It stands for a connection from its arrival until spice-server lets go of it. */
struct door_connection {
	struct dmabuf_door_guest guest; /* its fd is -1 when spice-server has it */
	const void *key;                /* spice-server's name for it */
	bool waits;                     /* at the door */
	bool stalled;
};

struct dmabuf_door {
	GThread *thread; /* that made it */
	const struct dmabuf_door_ops *ops;
	void *user;
	enum state state;
	GPtrArray *connections; /* in the order of arrival */
	bool left, replaced;    /* while LEAVING: no dma-buf is shown; an ordinary frame is */
	bool stalled;           /* a draw is not acknowledged */
	guint frame_timer;      /* while LEAVING and not replaced; 0: none */
};

static void update(struct dmabuf_door *door);

static void connection_free(gpointer data)
{
	struct door_connection *connection = data;
	if (connection->guest.own_fd >= 0)
		close(connection->guest.own_fd);
	if (connection->waits)
		close(connection->guest.fd);
	g_free(connection);
}

struct dmabuf_door *dmabuf_door_create(const struct dmabuf_door_ops *ops, void *user)
{
	struct dmabuf_door *door = g_new0(struct dmabuf_door, 1);
	door->thread = g_thread_self();
	door->ops = ops;
	door->user = user;
	door->connections = g_ptr_array_new_with_free_func(connection_free);
	return door;
}

void dmabuf_door_destroy(struct dmabuf_door *door)
{
	if (!door)
		return;
	g_assert(door->thread == g_thread_self());
	g_clear_handle_id(&door->frame_timer, g_source_remove);
	g_ptr_array_unref(door->connections);
	g_free(door);
}

bool dmabuf_door_uses_dmabufs(const struct dmabuf_door *door)
{
	return door->state == ON;
}

/* Whoever waits at the door counts, too: nobody else begins with dma-bufs meanwhile. */
static bool may_use(const struct dmabuf_door *door)
{
	bool display = false;
	for (guint i = 0; i < door->connections->len; i++) {
		const struct door_connection *connection = door->connections->pdata[i];
		if (!connection->guest.is_local || connection->stalled ||
			(connection->guest.display && !connection->guest.gl_scanout))
			return false;
		display |= connection->guest.display && connection->key;
	}
	return display;
}

/* Ends the connections that hold a dma-buf: spice-server then takes the draw for done. */
static void cut_off_stalled(struct dmabuf_door *door)
{
	for (guint i = 0; i < door->connections->len; i++) {
		struct door_connection *connection = door->connections->pdata[i];
		if (!connection->stalled || connection->guest.own_fd < 0)
			continue;
		peer_warning(PEER_CLIENT,
			"client on the unix socket: cut off: it does not acknowledge pictures and "
			"others wait");
		shutdown(connection->guest.own_fd, SHUT_RDWR);
	}
}

static void admit(struct dmabuf_door *door, struct door_connection *connection)
{
	int fd = connection->guest.fd;
	g_assert(connection->waits && fd >= 0 && !connection->key);
	connection->waits = false;
	door->ops->admit(door->user, fd);
}

static struct door_connection *first_waiting(const struct dmabuf_door *door)
{
	for (guint i = 0; i < door->connections->len; i++) {
		struct door_connection *connection = door->connections->pdata[i];
		if (connection->waits)
			return connection;
	}
	return NULL;
}

static bool anyone_looks(const struct dmabuf_door *door)
{
	for (guint i = 0; i < door->connections->len; i++) {
		const struct door_connection *connection = door->connections->pdata[i];
		if (connection->guest.display && connection->key)
			return true;
	}
	return false;
}

/* Looks for the first one anew each time: an admission may end other connections. */
static void admit_waiting(struct dmabuf_door *door)
{
	struct door_connection *connection;
	while (door->state == OFF && (connection = first_waiting(door)))
		admit(door, connection);
}

static gboolean on_frame_late(gpointer user)
{
	struct dmabuf_door *door = user;
	g_assert(door->state == LEAVING && !door->replaced);
	door->frame_timer = 0;
	door->replaced = true;
	update(door);
	return G_SOURCE_REMOVE;
}

static void start_leaving(struct dmabuf_door *door)
{
	g_assert(door->state == ON && !door->frame_timer);
	door->state = LEAVING;
	door->left = false;
	door->replaced = !anyone_looks(door);
	if (!door->replaced)
		door->frame_timer = g_timeout_add(DMABUF_DOOR_FRAME_MS, on_frame_late, door);
	door->ops->use(door->user, false);
}

static void update(struct dmabuf_door *door)
{
	g_assert(door->thread == g_thread_self());
	if (door->state == OFF && may_use(door)) {
		g_info("clients: all local: pictures are handed out as dma-bufs");
		door->state = ON;
		door->ops->use(door->user, true);
	} else if (door->state == ON && !may_use(door)) {
		start_leaving(door);
	}
	if (door->state == LEAVING && door->stalled && first_waiting(door))
		cut_off_stalled(door);
	if (door->state == LEAVING && door->left && door->replaced) {
		door->state = OFF;
		door->stalled = false;
		g_clear_handle_id(&door->frame_timer, g_source_remove);
		admit_waiting(door);
		if (may_use(door))
			update(door);
	}
}

/* ---- arrivals ---- */

/*
 * Lets anybody in while nothing is shown as a dma-buf, and only local clients while something is.
 * The others wait.
 */
static void knock(struct dmabuf_door *door, struct door_connection *connection)
{
	g_assert(!connection->waits && !connection->key);
	bool welcome = door->state == OFF || (door->state == ON && may_use(door));
	connection->waits = true;
	if (welcome)
		admit(door, connection);
	else
		update(door);
}

void dmabuf_door_arrive(struct dmabuf_door *door, const struct dmabuf_door_guest *guest)
{
	g_assert(door->thread == g_thread_self() && guest->fd >= 0);
	struct door_connection *connection = g_new0(struct door_connection, 1);
	connection->guest = *guest;
	g_ptr_array_add(door->connections, connection);
	knock(door, connection);
}

static struct door_connection *find(struct dmabuf_door *door, int fd, const void *key)
{
	for (guint i = 0; i < door->connections->len; i++) {
		struct door_connection *connection = door->connections->pdata[i];
		if (key ? connection->key == key :
			  !connection->key && connection->guest.fd == fd && !connection->waits)
			return connection;
	}
	return NULL;
}

static void drop(struct dmabuf_door *door, struct door_connection *connection)
{
	if (!connection)
		return;
	g_ptr_array_remove(door->connections, connection);
	update(door);
}

void dmabuf_door_forget(struct dmabuf_door *door, int fd)
{
	drop(door, find(door, fd, NULL));
}

void dmabuf_door_connected(struct dmabuf_door *door, int fd, const void *key)
{
	g_assert(key);
	struct door_connection *connection = find(door, fd, NULL);
	if (!connection)
		return;
	connection->key = key;
	connection->guest.fd = -1;
	update(door);
}

void dmabuf_door_disconnected(struct dmabuf_door *door, const void *key)
{
	drop(door, find(door, -1, key));
}

/* ---- what the heads say ---- */

void dmabuf_door_stalled(struct dmabuf_door *door)
{
	peer_warning(PEER_CLIENT,
		"client on the unix socket: does not acknowledge pictures: it gets ordinary ones");
	door->stalled = true;
	for (guint i = 0; i < door->connections->len; i++) {
		struct door_connection *connection = door->connections->pdata[i];
		connection->stalled = connection->guest.display && connection->key;
	}
	update(door);
}

void dmabuf_door_left(struct dmabuf_door *door)
{
	door->left = true;
	update(door);
}

void dmabuf_door_frame_shown(struct dmabuf_door *door)
{
	if (door->state != LEAVING || door->replaced)
		return;
	door->replaced = true;
	g_clear_handle_id(&door->frame_timer, g_source_remove);
	update(door);
}
