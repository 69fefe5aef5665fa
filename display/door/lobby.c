/* SPDX-License-Identifier: MIT */
#include "display/door/lobby.h"

#include <glib.h>
#include <sys/socket.h>

#include "common/peer_log.h"
#include "display/door/limits.h"

struct lobby_connection {
	const void *key;
	int fd;
	gint64 deadline_us;
};

struct lobby {
	GThread *thread;    /* that made it */
	GQueue connections; /* struct lobby_connection, the oldest first */
	GSource *timer;     /* NULL: nobody is in */
};

struct lobby *lobby_create(void)
{
	struct lobby *lobby = g_new0(struct lobby, 1);
	g_queue_init(&lobby->connections);
	lobby->thread = g_thread_self();
	return lobby;
}

static void stop_timer(struct lobby *lobby)
{
	if (!lobby->timer)
		return;
	g_source_destroy(lobby->timer);
	g_clear_pointer(&lobby->timer, g_source_unref);
}

void lobby_destroy(struct lobby *lobby)
{
	if (!lobby)
		return;
	stop_timer(lobby);
	g_queue_clear_full(&lobby->connections, g_free);
	g_free(lobby);
}

static void cut_off(struct lobby *lobby, const char *why)
{
	struct lobby_connection *connection = g_queue_pop_head(&lobby->connections);
	peer_warning(PEER_CLIENT, "client: cut off before it said who it is: %s", why);
	shutdown(connection->fd, SHUT_RDWR);
	g_free(connection);
}

static void set_timer(struct lobby *lobby);

static gboolean on_timer(gpointer user)
{
	struct lobby *lobby = user;
	struct lobby_connection *first;
	stop_timer(lobby);
	while ((first = g_queue_peek_head(&lobby->connections)) != NULL &&
		first->deadline_us <= g_get_monotonic_time())
		cut_off(lobby, "it took longer than " G_STRINGIFY(LOBBY_TIMEOUT_MS) " ms");
	set_timer(lobby);
	return G_SOURCE_REMOVE;
}

static void set_timer(struct lobby *lobby)
{
	const struct lobby_connection *first = g_queue_peek_head(&lobby->connections);
	if (lobby->timer || !first)
		return;
	gint64 left_us = MAX(first->deadline_us - g_get_monotonic_time(), 0);
	lobby->timer = g_timeout_source_new((guint)(left_us / 1000 + 1));
	g_source_set_callback(lobby->timer, on_timer, lobby, NULL);
	g_source_attach(lobby->timer, g_main_context_get_thread_default());
}

void lobby_enter(struct lobby *lobby, const void *key, int fd)
{
	g_assert(lobby->thread == g_thread_self());
	struct lobby_connection *connection = g_new(struct lobby_connection, 1);
	*connection = (struct lobby_connection){
		.key = key,
		.fd = fd,
		.deadline_us = g_get_monotonic_time() + LOBBY_TIMEOUT_MS * 1000,
	};
	g_queue_push_tail(&lobby->connections, connection);
	if (lobby->connections.length > LOBBY_MAX)
		cut_off(lobby, "more than " G_STRINGIFY(LOBBY_MAX) " such connections wait");
	set_timer(lobby);
}

static gint compare_key(gconstpointer connection, gconstpointer key)
{
	return ((const struct lobby_connection *)connection)->key != key;
}

void lobby_leave(struct lobby *lobby, const void *key)
{
	g_assert(lobby->thread == g_thread_self());
	GList *link = g_queue_find_custom(&lobby->connections, key, compare_key);
	if (!link)
		return;
	g_free(link->data);
	g_queue_delete_link(&lobby->connections, link);
	if (g_queue_is_empty(&lobby->connections))
		stop_timer(lobby);
}
