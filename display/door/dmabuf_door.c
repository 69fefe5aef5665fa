/* SPDX-License-Identifier: MIT */
#include "display/door/dmabuf_door.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

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
struct entry {
	struct local *local;
	int fd;          /* -1: spice-server has it */
	int own_fd;      /* a duplicate, to cut it off; -1: over TCP */
	const void *key; /* spice-server's name for it */
	guint source;    /* waits for its first message */
	bool waits;      /* at the door */
	bool is_unix;
	struct spice_link link;
	bool stalled;
};

struct local {
	const struct local_ops *ops;
	void *user;
	enum state state;
	GPtrArray *entries;  /* in the order of arrival */
	struct lobby *lobby; /* those whose first message is awaited */
	bool left, pictured; /* while LEAVING */
	bool stalled;        /* a draw is not acknowledged */
	guint picture_timer;
};

static void update(struct local *local);

static void entry_free(gpointer data)
{
	struct entry *entry = data;
	lobby_leave(entry->local->lobby, entry);
	if (entry->source)
		g_source_remove(entry->source);
	if (entry->own_fd >= 0)
		close(entry->own_fd);
	if (entry->waits || entry->source)
		close(entry->fd);
	g_free(entry);
}

struct local *local_create(const struct local_ops *ops, void *user)
{
	struct local *local = g_new0(struct local, 1);
	local->ops = ops;
	local->user = user;
	local->entries = g_ptr_array_new_with_free_func(entry_free);
	local->lobby = lobby_create();
	return local;
}

static void stop_timer(struct local *local)
{
	if (local->picture_timer)
		g_source_remove(local->picture_timer);
	local->picture_timer = 0;
}

void local_destroy(struct local *local)
{
	if (!local)
		return;
	stop_timer(local);
	g_ptr_array_unref(local->entries);
	lobby_destroy(local->lobby);
	g_free(local);
}

bool local_uses_dmabufs(const struct local *local)
{
	return local->state == ON;
}

/* Who waits at the door keeps others from beginning, too. */
static bool may_use(const struct local *local)
{
	bool display = false;
	for (guint i = 0; i < local->entries->len; i++) {
		const struct entry *entry = local->entries->pdata[i];
		if (!entry->is_unix || entry->stalled ||
			(entry->link.display && !entry->link.gl_scanout))
			return false;
		display |= entry->link.display && entry->key;
	}
	return display;
}

/* spice-server then takes the draw for done. */
static void cut_off_stalled(struct local *local)
{
	for (guint i = 0; i < local->entries->len; i++) {
		struct entry *entry = local->entries->pdata[i];
		if (!entry->stalled || entry->own_fd < 0)
			continue;
		g_message("client: cut off: it does not acknowledge pictures and others wait");
		shutdown(entry->own_fd, SHUT_RDWR);
	}
}

static void admit(struct local *local, struct entry *entry)
{
	int fd = entry->fd;
	entry->waits = false;
	local->ops->admit(local->user, fd);
}

static struct entry *first_waiting(const struct local *local)
{
	for (guint i = 0; i < local->entries->len; i++) {
		struct entry *entry = local->entries->pdata[i];
		if (entry->waits)
			return entry;
	}
	return NULL;
}

static bool anyone_looks(const struct local *local)
{
	for (guint i = 0; i < local->entries->len; i++) {
		const struct entry *entry = local->entries->pdata[i];
		if (entry->link.display && entry->key)
			return true;
	}
	return false;
}

/* Each admission may end other connections. */
static void admit_waiting(struct local *local)
{
	struct entry *entry;
	while (local->state == OFF && (entry = first_waiting(local)))
		admit(local, entry);
}

static gboolean on_picture_late(gpointer user)
{
	struct local *local = user;
	local->picture_timer = 0;
	local->pictured = true;
	update(local);
	return G_SOURCE_REMOVE;
}

static void start_leaving(struct local *local)
{
	local->state = LEAVING;
	local->left = false;
	local->pictured = !anyone_looks(local);
	if (!local->pictured)
		local->picture_timer = g_timeout_add(LOCAL_PICTURE_MS, on_picture_late, local);
	local->ops->use(local->user, false);
}

static void update(struct local *local)
{
	if (local->state == OFF && may_use(local)) {
		g_info("clients: all local: pictures are handed out as dma-bufs");
		local->state = ON;
		local->ops->use(local->user, true);
	} else if (local->state == ON && !may_use(local)) {
		start_leaving(local);
	}
	if (local->state == LEAVING && local->stalled && first_waiting(local))
		cut_off_stalled(local);
	if (local->state == LEAVING && local->left && local->pictured) {
		local->state = OFF;
		local->stalled = false;
		stop_timer(local);
		admit_waiting(local);
		if (may_use(local))
			update(local);
	}
}

/* ---- arrivals ---- */

/* Anybody may come in while nothing is shown as a dma-buf; only local ones while it is. */
static void knock(struct local *local, struct entry *entry)
{
	bool welcome = local->state == OFF || (local->state == ON && may_use(local));
	entry->waits = true;
	if (welcome)
		admit(local, entry);
	else
		update(local);
}

static gboolean on_first_message(gpointer user)
{
	struct entry *entry = user;
	entry->source = 0;
	if (spice_link_peek(entry->fd, &entry->link) == SPICE_LINK_MORE) {
		entry->source = g_timeout_add(PEEK_AGAIN_MS, on_first_message, entry);
		return G_SOURCE_REMOVE;
	}
	lobby_leave(entry->local->lobby, entry);
	knock(entry->local, entry);
	return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
	return on_first_message(user);
}

void local_arrive(struct local *local, int fd, bool is_unix)
{
	struct entry *entry = g_new0(struct entry, 1);
	entry->local = local;
	entry->fd = fd;
	entry->own_fd = is_unix ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	entry->is_unix = is_unix;
	g_ptr_array_add(local->entries, entry);
	if (!is_unix) {
		knock(local, entry);
		return;
	}
	lobby_enter(local->lobby, entry, fd);
	entry->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, entry);
}

static struct entry *find(struct local *local, int fd, const void *key)
{
	for (guint i = 0; i < local->entries->len; i++) {
		struct entry *entry = local->entries->pdata[i];
		if (key ? entry->key == key : !entry->key && entry->fd == fd && !entry->waits)
			return entry;
	}
	return NULL;
}

static void drop(struct local *local, struct entry *entry)
{
	if (!entry)
		return;
	g_ptr_array_remove(local->entries, entry);
	update(local);
}

void local_forget(struct local *local, int fd)
{
	drop(local, find(local, fd, NULL));
}

void local_connected(struct local *local, int fd, const void *key)
{
	struct entry *entry = find(local, fd, NULL);
	if (!entry)
		return;
	entry->key = key;
	entry->fd = -1;
	update(local);
}

void local_disconnected(struct local *local, const void *key)
{
	drop(local, find(local, -1, key));
}

/* ---- what the heads say ---- */

void local_stalled(struct local *local)
{
	g_message("client: does not acknowledge pictures: it gets ordinary ones");
	local->stalled = true;
	for (guint i = 0; i < local->entries->len; i++) {
		struct entry *entry = local->entries->pdata[i];
		entry->stalled = entry->link.display && entry->key;
	}
	update(local);
}

void local_left(struct local *local)
{
	local->left = true;
	update(local);
}

void local_picture(struct local *local)
{
	if (local->state != LEAVING || local->pictured)
		return;
	local->pictured = true;
	update(local);
}
