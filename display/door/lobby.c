/* SPDX-License-Identifier: MIT */
#include "display/door/lobby.h"

#include <glib.h>
#include <sys/socket.h>

#include "common/peer_log.h"
#include "display/door/limits.h"
#include "protocol/stats_writer.h"

/* The connections of one network. It is there while there are any. */
struct lobby_network {
	uint64_t network;
	GQueue connections; /* the one that has got no further for longest is first */
	GList link;         /* in lobby->networks */
};

struct lobby_connection {
	const void *key;
	int fd;
	struct peer_address from;
	gint64 deadline_us;
	struct lobby_network *network;
	GList by_age, by_progress; /* links in lobby->connections and in the network's */
};

struct lobby {
	GThread *thread; /* that made it */
	unsigned network_max, max;
	GHashTable *keys;    /* key: struct lobby_connection, owned */
	GHashTable *numbers; /* network: struct lobby_network, owned */
	GQueue connections;  /* the oldest first */
	/* By how many connections they have: that with most is found without looking at all. */
	GQueue *networks;
	unsigned most;  /* no network has more */
	GSource *timer; /* NULL: nobody is in */
};

struct lobby *lobby_create(unsigned max, unsigned network_max)
{
	struct lobby *lobby = g_new0(struct lobby, 1);
	g_assert(max > 0 && network_max > 0);
	lobby->thread = g_thread_self();
	lobby->max = max;
	lobby->network_max = network_max;
	lobby->keys = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	lobby->numbers = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	/* One may be in too many while another goes. */
	lobby->networks = g_new0(GQueue, max + 2);
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
	g_hash_table_unref(lobby->keys);
	g_hash_table_unref(lobby->numbers);
	g_free(lobby->networks);
	g_free(lobby);
}

unsigned lobby_length(const struct lobby *lobby)
{
	return lobby->connections.length;
}

unsigned lobby_count_network(const struct lobby *lobby, const void *key)
{
	const struct lobby_connection *connection = g_hash_table_lookup(lobby->keys, key);
	return connection ? connection->network->connections.length : 0;
}

/* ---- networks ---- */

static struct lobby_network *find_network(struct lobby *lobby, uint64_t number)
{
	struct lobby_network *network = g_hash_table_lookup(lobby->numbers, &number);
	if (network)
		return network;
	network = g_new0(struct lobby_network, 1);
	network->network = number;
	network->link.data = network;
	g_queue_init(&network->connections);
	g_queue_push_tail_link(&lobby->networks[0], &network->link);
	g_hash_table_insert(lobby->numbers, &network->network, network);
	return network;
}

/* Puts a network, which had `had` connections, to those that have as many as it now has. */
static void sort_network(struct lobby *lobby, struct lobby_network *network, unsigned had)
{
	unsigned has = network->connections.length;
	g_queue_unlink(&lobby->networks[had], &network->link);
	g_queue_push_tail_link(&lobby->networks[has], &network->link);
	lobby->most = MAX(lobby->most, has);
	while (lobby->most > 0 && lobby->networks[lobby->most].length == 0)
		lobby->most--;
}

static void leave_network(struct lobby *lobby, struct lobby_connection *connection)
{
	struct lobby_network *network = connection->network;
	g_queue_unlink(&network->connections, &connection->by_progress);
	sort_network(lobby, network, network->connections.length + 1);
	if (network->connections.length > 0)
		return;
	g_queue_unlink(&lobby->networks[0], &network->link);
	g_hash_table_remove(lobby->numbers, &network->network);
}

/* ---- going ---- */

static void leave(struct lobby *lobby, struct lobby_connection *connection)
{
	g_queue_unlink(&lobby->connections, &connection->by_age);
	leave_network(lobby, connection);
	g_hash_table_remove(lobby->keys, connection->key);
}

static void cut_off(
	struct lobby *lobby, struct lobby_connection *connection, const char *why, unsigned limit)
{
	char text[PEER_ADDRESS_TEXT_MAX];
	peer_warning(PEER_CLIENT, "client %s: cut off before it said who it is: %s %u",
		peer_address_text(&connection->from, text), why, limit);
	shutdown(connection->fd, SHUT_RDWR);
	leave(lobby, connection);
}

static void cut_off_silent(
	struct lobby *lobby, struct lobby_network *network, const char *why, unsigned limit)
{
	stats_add_door(STATS_CROWDED_OUT, 1);
	cut_off(lobby, g_queue_peek_head(&network->connections), why, limit);
}

static void set_timer(struct lobby *lobby);

static gboolean on_timer(gpointer user)
{
	struct lobby *lobby = user;
	struct lobby_connection *first;
	stop_timer(lobby);
	while ((first = g_queue_peek_head(&lobby->connections)) != NULL &&
		first->deadline_us <= g_get_monotonic_time()) {
		stats_add_door(STATS_TOO_LATE, 1);
		cut_off(lobby, first, "it took longer than, in ms,", LOBBY_TIMEOUT_MS);
	}
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

/* ---- coming ---- */

void lobby_enter(struct lobby *lobby, const void *key, int fd, const struct peer_address *from)
{
	g_assert(lobby->thread == g_thread_self());
	struct lobby_connection *connection = g_new0(struct lobby_connection, 1);
	struct lobby_network *network = find_network(lobby, peer_address_network(from));
	connection->key = key;
	connection->fd = fd;
	connection->from = *from;
	connection->deadline_us = g_get_monotonic_time() + LOBBY_TIMEOUT_MS * 1000;
	connection->network = network;
	connection->by_age.data = connection->by_progress.data = connection;
	g_queue_push_tail_link(&lobby->connections, &connection->by_age);
	g_queue_push_tail_link(&network->connections, &connection->by_progress);
	sort_network(lobby, network, network->connections.length - 1);
	g_hash_table_insert(lobby->keys, (gpointer)key, connection);
	if (network->connections.length > lobby->network_max)
		cut_off_silent(lobby, network, "its network has more such connections than",
			lobby->network_max);
	else if (lobby->connections.length > lobby->max)
		cut_off_silent(lobby, g_queue_peek_head(&lobby->networks[lobby->most]),
			"there are more such connections than", lobby->max);
	set_timer(lobby);
}

void lobby_progress(struct lobby *lobby, const void *key)
{
	struct lobby_connection *connection = g_hash_table_lookup(lobby->keys, key);
	g_assert(lobby->thread == g_thread_self());
	if (!connection)
		return;
	g_queue_unlink(&connection->network->connections, &connection->by_progress);
	g_queue_push_tail_link(&connection->network->connections, &connection->by_progress);
}

void lobby_leave(struct lobby *lobby, const void *key)
{
	g_assert(lobby->thread == g_thread_self());
	struct lobby_connection *connection = g_hash_table_lookup(lobby->keys, key);
	if (!connection)
		return;
	leave(lobby, connection);
	if (g_queue_is_empty(&lobby->connections))
		stop_timer(lobby);
}
