/* SPDX-License-Identifier: MIT */
#include "display/relay/relay.h"

#include <glib.h>
#include <unistd.h>

#include "display/lobby.h"
#include "display/relay/connection.h"
#include "display/relay/session.h"

struct relay {
	const struct relay_ops *ops;
	void *user;
	GMainContext *main_context; /* of the owner */
	GThread *thread;

	/* the relay's thread */
	GMainContext *context;
	GMainLoop *loop;
	struct connection_host host;
	GPtrArray *connections; /* struct connection */
	GPtrArray *dead;        /* struct connection: to be destroyed */
	GSource *burial;

	/* under lock */
	GMutex lock;
	GArray *arrivals;  /* int, for the relay's thread */
	GArray *departures; /* int, for the main loop */
	GSource *delivery; /* on the main loop; NULL: none on its way */
};

/* ---- the relay's thread ---- */

static gboolean on_delivery(gpointer user);

static void hand_over(void *user, int fd)
{
	struct relay *relay = user;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&relay->lock);
	g_array_append_val(relay->departures, fd);
	if (relay->delivery)
		return;
	relay->delivery = g_idle_source_new();
	g_source_set_priority(relay->delivery, G_PRIORITY_DEFAULT);
	g_source_set_callback(relay->delivery, on_delivery, relay, NULL);
	g_source_attach(relay->delivery, relay->main_context);
}

static gboolean on_burial(gpointer user)
{
	struct relay *relay = user;
	g_clear_pointer(&relay->burial, g_source_unref);
	g_ptr_array_set_size(relay->dead, 0);
	return G_SOURCE_REMOVE;
}

/* It is on the stack now. */
static void on_ended(void *user, struct connection *connection)
{
	struct relay *relay = user;
	g_ptr_array_remove_fast(relay->connections, connection);
	g_ptr_array_add(relay->dead, connection);
	if (relay->burial)
		return;
	relay->burial = g_idle_source_new();
	g_source_set_callback(relay->burial, on_burial, relay, NULL);
	g_source_attach(relay->burial, relay->context);
}

/* Runs on the relay's thread, also when that has only just begun. */
static void call(struct relay *relay, GSourceFunc func, void *user)
{
	g_autoptr(GSource) source = g_idle_source_new();
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, func, user, NULL);
	g_source_attach(source, relay->context);
}

static void take_in(struct relay *relay, int fd)
{
	if (relay->connections->len >= RELAY_CONNECTIONS_MAX) {
		g_info("client: refused: %d connections are relayed", RELAY_CONNECTIONS_MAX);
		close(fd);
		return;
	}
	g_ptr_array_add(relay->connections, connection_create(&relay->host, fd));
}

static gboolean on_arrivals(gpointer user)
{
	struct relay *relay = user;
	g_mutex_lock(&relay->lock);
	g_autoptr(GArray) arrivals = relay->arrivals;
	relay->arrivals = g_array_new(FALSE, FALSE, sizeof(int));
	g_mutex_unlock(&relay->lock);
	for (guint i = 0; i < arrivals->len; i++)
		take_in(relay, g_array_index(arrivals, int, i));
	return G_SOURCE_REMOVE;
}

static void end_connections(struct relay *relay)
{
	while (relay->connections->len > 0)
		connection_end(relay->connections->pdata[0]);
	if (relay->burial) {
		g_source_destroy(relay->burial);
		on_burial(relay);
	}
}

static gpointer run(gpointer user)
{
	struct relay *relay = user;
	g_main_context_push_thread_default(relay->context);
	relay->host.lobby = lobby_create();
	g_main_loop_run(relay->loop);
	end_connections(relay);
	lobby_destroy(relay->host.lobby);
	g_main_context_pop_thread_default(relay->context);
	return NULL;
}

/* ---- the main loop ---- */

static gboolean on_delivery(gpointer user)
{
	struct relay *relay = user;
	g_mutex_lock(&relay->lock);
	g_clear_pointer(&relay->delivery, g_source_unref);
	g_autoptr(GArray) departures = relay->departures;
	relay->departures = g_array_new(FALSE, FALSE, sizeof(int));
	g_mutex_unlock(&relay->lock);
	for (guint i = 0; i < departures->len; i++)
		relay->ops->arrived(relay->user, g_array_index(departures, int, i));
	return G_SOURCE_REMOVE;
}

void relay_arrive(struct relay *relay, int fd)
{
	g_mutex_lock(&relay->lock);
	g_array_append_val(relay->arrivals, fd);
	bool first = relay->arrivals->len == 1;
	g_mutex_unlock(&relay->lock);
	if (first)
		call(relay, on_arrivals, relay);
}

struct relay *relay_create(const struct relay_options *options, struct line *line,
		const struct relay_ops *ops, void *user)
{
	struct relay *relay = g_new0(struct relay, 1);
	relay->ops = ops;
	relay->user = user;
	relay->main_context = g_main_context_ref_thread_default();
	relay->context = g_main_context_new();
	relay->loop = g_main_loop_new(relay->context, FALSE);
	relay->connections = g_ptr_array_new();
	relay->dead = g_ptr_array_new_with_free_func((GDestroyNotify)connection_destroy);
	g_mutex_init(&relay->lock);
	relay->arrivals = g_array_new(FALSE, FALSE, sizeof(int));
	relay->departures = g_array_new(FALSE, FALSE, sizeof(int));
	relay->host = (struct connection_host){
		.context = relay->context,
		.sessions = sessions_create(!options->server_clock),
		.line = line,
		.hand_over = hand_over,
		.ended = on_ended,
		.user = relay,
	};
	relay->thread = g_thread_new("relay", run, relay);
	return relay;
}

static void close_all(GArray *fds)
{
	for (guint i = 0; i < fds->len; i++)
		close(g_array_index(fds, int, i));
	g_array_unref(fds);
}

static gboolean on_quit(gpointer user)
{
	g_main_loop_quit(user);
	return G_SOURCE_REMOVE;
}

void relay_destroy(struct relay *relay)
{
	if (!relay)
		return;
	call(relay, on_quit, relay->loop);
	g_thread_join(relay->thread);
	if (relay->delivery) {
		g_source_destroy(relay->delivery);
		g_source_unref(relay->delivery);
	}
	close_all(relay->arrivals);
	close_all(relay->departures);
	g_ptr_array_unref(relay->connections);
	g_ptr_array_unref(relay->dead);
	sessions_destroy(relay->host.sessions);
	g_main_loop_unref(relay->loop);
	g_main_context_unref(relay->context);
	g_main_context_unref(relay->main_context);
	g_mutex_clear(&relay->lock);
	g_free(relay);
}
