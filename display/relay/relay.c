/* SPDX-License-Identifier: MIT */
#include "display/relay/relay.h"

#include <errno.h>
#include <glib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/door/arrivals.h"
#include "display/door/lobby.h"
#include "display/relay/connection.h"
#include "display/relay/limits.h"
#include "display/relay/pass.h"
#include "display/relay/session.h"
#include "protocol/heartbeat_writer.h"

/*
 * The end of the relay waits at most this many milliseconds in all for spice-server to go on with
 * display channels that have just begun: it does so within milliseconds unless their head is busy.
 */
#define QUIT_MS 500

struct relay {
	const struct relay_ops *ops;
	void *user;
	GMainContext *main_context; /* belongs to the owner's thread, which runs the ops */
	GThread *thread;

	/* Only the relay's thread touches these. */
	GMainContext *context;
	GMainLoop *loop;
	struct connection_host host;
	struct arrivals *arrivals; /* on TCP */
	GPtrArray *connections;    /* struct connection */
	GPtrArray *dead;           /* struct connection: these have ended and are to be destroyed */
	GSource *burial;

	GMutex lock;                         /* guards these */
	GArray *locals;                      /* struct arrival, for the relay's thread */
	GArray *departures;                  /* int, for the main loop */
	struct tls_credentials *credentials; /* NULL: none */
	GSource *delivery;                   /* on the main loop; NULL: none on its way */

	gint open; /* atomic: true while no password is asked for */
};

struct arrival {
	int fd;
	int inner_fd, server_fd; /* both ends to spice-server of a display channel; -1: no such */
};

static void close_arrival(const struct arrival *arrival)
{
	close(arrival->fd);
	if (arrival->inner_fd >= 0)
		close(arrival->inner_fd);
}

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

/* A connection that ends is at work further up the stack, so it is destroyed later. */
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

/* Has `func` called on the relay's thread, even if that has only just begun. */
static void call(struct relay *relay, GSourceFunc func, void *user)
{
	g_autoptr(GSource) source = g_idle_source_new();
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, func, user, NULL);
	g_source_attach(source, relay->context);
}

/* Returns true when there is room; otherwise it has closed the socket. */
static bool has_room(struct relay *relay, int fd, const struct peer_address *from)
{
	char text[PEER_ADDRESS_TEXT_MAX];
	if (relay->connections->len - lobby_length(relay->host.lobby) < RELAY_CONNECTIONS_MAX)
		return true;
	peer_warning(PEER_CLIENT, "client %s: refused: more than %d connections are relayed",
		peer_address_text(from, text), RELAY_CONNECTIONS_MAX);
	close(fd);
	return false;
}

static void keep(struct relay *relay, struct connection *connection)
{
	if (connection)
		g_ptr_array_add(relay->connections, connection);
}

static struct tls_credentials *take_credentials(struct relay *relay)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&relay->lock);
	return relay->credentials ? tls_credentials_ref(relay->credentials) : NULL;
}

static void on_accepted(
	void *user, int fd, enum keeper_listener_kind kind, const struct peer_address *from)
{
	struct relay *relay = user;
	char text[PEER_ADDRESS_TEXT_MAX];
	if (!has_room(relay, fd, from))
		return;
	if (kind != KEEPER_LISTENER_TLS) {
		keep(relay, connection_create(&relay->host, fd, from, NULL));
		return;
	}
	struct tls_credentials *credentials = take_credentials(relay);
	if (credentials) {
		keep(relay, connection_create(&relay->host, fd, from, credentials));
	} else {
		peer_warning(PEER_CLIENT, "client %s: refused: there is no certificate",
			peer_address_text(from, text));
		close(fd);
	}
	tls_credentials_unref(credentials);
}

static void take_local(struct relay *relay, const struct arrival *arrival)
{
	const struct peer_address from = peer_address_read(arrival->fd);
	if (!has_room(relay, arrival->fd, &from)) {
		if (arrival->inner_fd >= 0)
			close(arrival->inner_fd);
		return;
	}
	keep(relay, arrival->inner_fd >= 0 ?
			    connection_create_local(&relay->host, arrival->fd, arrival->inner_fd,
				    arrival->server_fd) :
			    connection_create(&relay->host, arrival->fd, &from, NULL));
}

static gboolean on_locals(gpointer user)
{
	struct relay *relay = user;
	g_mutex_lock(&relay->lock);
	g_autoptr(GArray) locals = relay->locals;
	relay->locals = g_array_new(FALSE, FALSE, sizeof(struct arrival));
	g_mutex_unlock(&relay->lock);
	for (guint i = 0; i < locals->len; i++)
		take_local(relay, &g_array_index(locals, struct arrival, i));
	return G_SOURCE_REMOVE;
}

static gboolean on_late(gpointer user)
{
	*(bool *)user = true;
	return G_SOURCE_REMOVE;
}

/* spice-server does not end yet, and must not see the end of a display channel any sooner because
 * the relay ends. */
static void await_openings(struct relay *relay)
{
	bool late = false;
	g_autoptr(GSource) timer = g_timeout_source_new(QUIT_MS);
	g_source_set_callback(timer, on_late, &late, NULL);
	g_source_attach(timer, relay->context);
	while (relay->connections->len > 0 && !late)
		g_main_context_iteration(relay->context, TRUE);
	g_source_destroy(timer);
}

static void end_connections(struct relay *relay)
{
	g_clear_pointer(&relay->arrivals, arrivals_destroy);
	for (guint i = relay->connections->len; i-- > 0;)
		connection_quit(relay->connections->pdata[i]);
	await_openings(relay);
	while (relay->connections->len > 0)
		connection_end(relay->connections->pdata[0]);
	if (relay->burial) {
		g_source_destroy(relay->burial);
		on_burial(relay);
	}
}

/* Buffers, encoders and those who may come in take descriptors, too. */
static struct lobby *make_lobby(void)
{
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
	getrlimit(RLIMIT_NOFILE, &limit);
	unsigned quarter = (unsigned)MIN(limit.rlim_cur / 4, LOBBY_MAX);
	return lobby_create(MAX(quarter, 1), MAX(MIN(quarter, LOBBY_NETWORK_MAX), 1));
}

static gpointer run(gpointer user)
{
	struct relay *relay = user;
	g_main_context_push_thread_default(relay->context);
	relay->host.lobby = make_lobby();
	heartbeat_follow(relay->context, HEARTBEAT_RELAY);
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

void relay_set_credentials(struct relay *relay, struct tls_credentials *credentials)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&relay->lock);
	tls_credentials_unref(relay->credentials);
	relay->credentials = credentials;
}

void relay_set_password(struct relay *relay, bool asked)
{
	g_atomic_int_set(&relay->open, !asked);
}

bool relay_listen(struct relay *relay, enum keeper_listener_kind kind, int fd)
{
	return arrivals_listen(relay->arrivals, kind, fd);
}

static void arrive(struct relay *relay, const struct arrival *arrival)
{
	g_mutex_lock(&relay->lock);
	g_array_append_vals(relay->locals, arrival, 1);
	bool first = relay->locals->len == 1;
	g_mutex_unlock(&relay->lock);
	if (first)
		call(relay, on_locals, relay);
}

void relay_arrive(struct relay *relay, int fd)
{
	const struct arrival arrival = { fd, -1, -1 };
	arrive(relay, &arrival);
}

int relay_guard(struct relay *relay, int fd)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		peer_warning(
			PEER_CLIENT, "client on the unix socket: cut off: %s", g_strerror(errno));
		close(fd);
		return -1;
	}
	const struct arrival arrival = { fd, pair[0], pair[1] };
	arrive(relay, &arrival);
	return pair[1];
}

void relay_step_aside(unsigned head)
{
	pass_step_aside(head);
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
	relay->locals = g_array_new(FALSE, FALSE, sizeof(struct arrival));
	relay->arrivals = arrivals_create(relay->context, on_accepted, relay);
	relay->open = true;
	relay->departures = g_array_new(FALSE, FALSE, sizeof(int));
	relay->host = (struct connection_host){
		.polls = poll_set_create(relay->context),
		.sessions = sessions_create(!options->server_clock),
		.line = line,
		.open = &relay->open,
		.hand_over = hand_over,
		.ended = on_ended,
		.user = relay,
	};
	relay->thread = g_thread_new("relay", run, relay);
	return relay;
}

static void close_queued(struct relay *relay)
{
	for (guint i = 0; i < relay->locals->len; i++)
		close_arrival(&g_array_index(relay->locals, struct arrival, i));
	for (guint i = 0; i < relay->departures->len; i++)
		close(g_array_index(relay->departures, int, i));
	g_array_unref(relay->locals);
	g_array_unref(relay->departures);
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
	close_queued(relay);
	tls_credentials_unref(relay->credentials);
	g_ptr_array_unref(relay->connections);
	g_ptr_array_unref(relay->dead);
	poll_set_destroy(relay->host.polls);
	sessions_destroy(relay->host.sessions);
	g_main_loop_unref(relay->loop);
	g_main_context_unref(relay->context);
	g_main_context_unref(relay->main_context);
	g_mutex_clear(&relay->lock);
	g_free(relay);
}
