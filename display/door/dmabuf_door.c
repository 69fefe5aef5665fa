/* SPDX-License-Identifier: MIT */
#include "display/door/dmabuf_door.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/door/lobby.h"
#include "display/door/spice_link.h"

/* Until the rest of a first message is there; it comes in one piece as a rule. */
#define PEEK_AGAIN_MS 10

enum state {
	OFF,
	ON,
	LEAVING,
};

/* A connection, from its arrival to its end. */
struct door_guest {
	struct dmabuf_door *door;
	int fd;          /* -1: spice-server has it */
	int own_fd;      /* a duplicate, to cut it off; -1: over TCP */
	const void *key; /* spice-server's name for it */
	guint source;    /* waits for its first message */
	bool waits;      /* at the door */
	bool is_unix;
	struct spice_link link;
	bool stalled;
};

struct dmabuf_door {
	GThread *thread; /* that made it */
	const struct dmabuf_door_ops *ops;
	void *user;
	enum state state;
	GPtrArray *entries;  /* in the order of arrival */
	struct lobby *lobby; /* those whose first message is awaited */
	bool left, replaced; /* while LEAVING: no dma-buf is shown; an ordinary frame is */
	bool stalled;        /* a draw is not acknowledged */
	guint frame_timer;   /* while LEAVING and not replaced; 0: none */
};

static void update(struct dmabuf_door *door);
static void drop(struct dmabuf_door *door, struct door_guest *entry);

static void entry_free(gpointer data)
{
	struct door_guest *entry = data;
	bool owns_fd = entry->waits || entry->source;
	lobby_leave(entry->door->lobby, entry);
	g_clear_handle_id(&entry->source, g_source_remove);
	if (entry->own_fd >= 0)
		close(entry->own_fd);
	if (owns_fd)
		close(entry->fd);
	g_free(entry);
}

struct dmabuf_door *dmabuf_door_create(const struct dmabuf_door_ops *ops, void *user)
{
	struct dmabuf_door *door = g_new0(struct dmabuf_door, 1);
	door->thread = g_thread_self();
	door->ops = ops;
	door->user = user;
	door->entries = g_ptr_array_new_with_free_func(entry_free);
	door->lobby = lobby_create();
	return door;
}

void dmabuf_door_destroy(struct dmabuf_door *door)
{
	if (!door)
		return;
	g_assert(door->thread == g_thread_self());
	g_clear_handle_id(&door->frame_timer, g_source_remove);
	g_ptr_array_unref(door->entries);
	lobby_destroy(door->lobby);
	g_free(door);
}

bool dmabuf_door_uses_dmabufs(const struct dmabuf_door *door)
{
	return door->state == ON;
}

/* Who waits at the door keeps others from beginning, too. */
static bool may_use(const struct dmabuf_door *door)
{
	bool display = false;
	for (guint i = 0; i < door->entries->len; i++) {
		const struct door_guest *entry = door->entries->pdata[i];
		if (!entry->is_unix || entry->stalled ||
			(entry->link.display && !entry->link.gl_scanout))
			return false;
		display |= entry->link.display && entry->key;
	}
	return display;
}

/* spice-server then takes the draw for done. */
static void cut_off_stalled(struct dmabuf_door *door)
{
	for (guint i = 0; i < door->entries->len; i++) {
		struct door_guest *entry = door->entries->pdata[i];
		if (!entry->stalled || entry->own_fd < 0)
			continue;
		peer_warning(PEER_CLIENT,
			"client on the unix socket: cut off: it does not acknowledge pictures and "
			"others wait");
		shutdown(entry->own_fd, SHUT_RDWR);
	}
}

static void admit(struct dmabuf_door *door, struct door_guest *entry)
{
	int fd = entry->fd;
	g_assert(entry->waits && fd >= 0 && !entry->key);
	entry->waits = false;
	door->ops->admit(door->user, fd);
}

static struct door_guest *first_waiting(const struct dmabuf_door *door)
{
	for (guint i = 0; i < door->entries->len; i++) {
		struct door_guest *entry = door->entries->pdata[i];
		if (entry->waits)
			return entry;
	}
	return NULL;
}

static bool anyone_looks(const struct dmabuf_door *door)
{
	for (guint i = 0; i < door->entries->len; i++) {
		const struct door_guest *entry = door->entries->pdata[i];
		if (entry->link.display && entry->key)
			return true;
	}
	return false;
}

/* Each admission may end other connections. */
static void admit_waiting(struct dmabuf_door *door)
{
	struct door_guest *entry;
	while (door->state == OFF && (entry = first_waiting(door)))
		admit(door, entry);
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

/* Anybody may come in while nothing is shown as a dma-buf; only local ones while it is. */
static void knock(struct dmabuf_door *door, struct door_guest *entry)
{
	g_assert(!entry->waits && !entry->key && !entry->source);
	bool welcome = door->state == OFF || (door->state == ON && may_use(door));
	entry->waits = true;
	if (welcome)
		admit(door, entry);
	else
		update(door);
}

/* Only what is known not to be a display channel goes to spice-server as it is: it would read more
 * than we do as one. */
static void let_on(struct door_guest *entry, enum spice_link_state state)
{
	struct dmabuf_door *door = entry->door;
	int fd = entry->fd;
	if (state == SPICE_LINK_OTHER) {
		drop(door, entry);
		door->ops->divert(door->user, fd);
		return;
	}
	if (entry->link.display)
		entry->fd = door->ops->guard(door->user, fd);
	if (entry->fd >= 0)
		knock(door, entry);
	else
		drop(door, entry);
}

static gboolean on_first_message(gpointer user)
{
	struct door_guest *entry = user;
	entry->source = 0;
	enum spice_link_state state = spice_link_peek(entry->fd, &entry->link);
	if (state == SPICE_LINK_MORE) {
		entry->source = g_timeout_add(PEEK_AGAIN_MS, on_first_message, entry);
		return G_SOURCE_REMOVE;
	}
	lobby_leave(entry->door->lobby, entry);
	let_on(entry, state);
	return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
	return on_first_message(user);
}

void dmabuf_door_arrive(struct dmabuf_door *door, int fd, bool is_unix)
{
	g_assert(door->thread == g_thread_self() && fd >= 0);
	struct door_guest *entry = g_new0(struct door_guest, 1);
	entry->door = door;
	entry->fd = fd;
	entry->own_fd = is_unix ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	entry->is_unix = is_unix;
	g_ptr_array_add(door->entries, entry);
	if (!is_unix) {
		knock(door, entry);
		return;
	}
	lobby_enter(door->lobby, entry, fd);
	entry->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, entry);
}

static struct door_guest *find(struct dmabuf_door *door, int fd, const void *key)
{
	for (guint i = 0; i < door->entries->len; i++) {
		struct door_guest *entry = door->entries->pdata[i];
		if (key ? entry->key == key : !entry->key && entry->fd == fd && !entry->waits)
			return entry;
	}
	return NULL;
}

static void drop(struct dmabuf_door *door, struct door_guest *entry)
{
	if (!entry)
		return;
	g_ptr_array_remove(door->entries, entry);
	update(door);
}

void dmabuf_door_forget(struct dmabuf_door *door, int fd)
{
	drop(door, find(door, fd, NULL));
}

void dmabuf_door_connected(struct dmabuf_door *door, int fd, const void *key)
{
	g_assert(key);
	struct door_guest *entry = find(door, fd, NULL);
	if (!entry)
		return;
	entry->key = key;
	entry->fd = -1;
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
	for (guint i = 0; i < door->entries->len; i++) {
		struct door_guest *entry = door->entries->pdata[i];
		entry->stalled = entry->link.display && entry->key;
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
