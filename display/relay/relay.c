/* SPDX-License-Identifier: MIT */
#include "display/relay/relay.h"

#include <errno.h>
#include <glib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/door/arrivals.h"
#include "display/door/lobby.h"
#include "display/door/visitors.h"
#include "display/relay/offers.h"
#include "display/relay/connection.h"
#include "display/relay/limits.h"
#include "display/relay/link_keys.h"
#include "display/relay/pass.h"
#include "display/relay/session.h"
#include "protocol/flight_events.h"
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
	struct line_cap cap;
	uint32_t driver;
	char *idle_why, *idle_words;
	char *end;                 /* of `host`; NULL: not said */
	struct arrivals *arrivals; /* NULL: it ends */
	GPtrArray *connections;    /* struct connection */
	GPtrArray *dead;           /* struct connection: these have ended and are to be destroyed */
	GSource *burial;

	GMutex lock;                         /* guards these */
	GArray *departures;                  /* struct departure, for the main loop */
	struct tls_credentials *credentials; /* NULL: none */
	bool handed;                         /* another one drives, and nobody's keys are held */
	bool warns, has_warned; /* who is in is to be told that they are idle, and is */
	GSource *delivery;      /* on the main loop; NULL: none on its way */
};

struct departure {
	bool asks; /* nobody's: `guest` is only a descriptor */
	struct connection_guest guest;
};

/* ---- the relay's thread ---- */

static gboolean on_delivery(gpointer user);

/* The lock is held. */
static void deliver(struct relay *relay)
{
	if (relay->delivery)
		return;
	relay->delivery = g_idle_source_new();
	g_source_set_priority(relay->delivery, G_PRIORITY_DEFAULT);
	g_source_set_callback(relay->delivery, on_delivery, relay, NULL);
	g_source_attach(relay->delivery, relay->main_context);
}

static void depart(struct relay *relay, const struct departure *departure)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&relay->lock);
	g_array_append_vals(relay->departures, departure, 1);
	deliver(relay);
}

static void on_warned(void *user, bool warned)
{
	struct relay *relay = user;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&relay->lock);
	relay->warns = warned;
	deliver(relay);
}

static void hand_over(void *user, const struct connection_guest *guest)
{
	const struct departure departure = { false, *guest };
	depart(user, &departure);
}

static void on_ask(void *user, int fd)
{
	const struct departure departure = { true, { .fd = fd, .own_fd = -1 } };
	depart(user, &departure);
}

/* A key or capabilities that somebody has waited for are there. */
static void on_login_ready(void *user)
{
	struct relay *relay = user;
	for (guint i = 0; i < relay->connections->len; i++)
		connection_wake(relay->connections->pdata[i]);
}

static bool on_visitor(void *user, struct keeper_visitor *visitor, int fd)
{
	struct relay *relay = user;
	return relay->ops->ask_keeper(relay->user, visitor, fd);
}

static void on_told(void *user, const struct keeper_client *client)
{
	struct relay *relay = user;
	relay->ops->told(relay->user, client);
}

static void on_judged(void *user, void *connection, bool welcome, uint32_t uid)
{
	connection_be_judged(connection, welcome, uid);
}

static const struct visitors_ops visitors_ops = {
	.ask = on_visitor,
	.judged = on_judged,
};

static const struct offers_ops offers_ops = {
	.ask = on_ask,
	.ready = on_login_ready,
};

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
	flight_begin_thread("relay");
	g_main_context_push_thread_default(relay->context);
	relay->host.lobby = make_lobby();
	relay->host.effort = effort_create(connection_take_turn);
	relay->host.keys = link_keys_create(on_login_ready, relay);
	relay->host.offers = offers_create(&offers_ops, relay);
	heartbeat_follow(relay->context, HEARTBEAT_RELAY);
	g_main_loop_run(relay->loop);
	end_connections(relay);
	offers_destroy(relay->host.offers);
	link_keys_destroy(relay->host.keys);
	effort_destroy(relay->host.effort);
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
	relay->departures = g_array_new(FALSE, FALSE, sizeof(struct departure));
	bool handed = relay->handed;
	relay->handed = false;
	bool changed = relay->warns != relay->has_warned, warns = relay->warns;
	relay->has_warned = warns;
	g_mutex_unlock(&relay->lock);
	if (handed)
		relay->ops->handed(relay->user);
	if (changed)
		relay->ops->warned(relay->user, warns ? relay->idle_words : NULL);
	for (guint i = 0; i < departures->len; i++) {
		const struct departure *departure = &g_array_index(departures, struct departure, i);
		if (departure->asks)
			relay->ops->asks(relay->user, departure->guest.fd);
		else
			relay->ops->arrived(relay->user, &departure->guest);
	}
	return G_SOURCE_REMOVE;
}

void relay_set_credentials(struct relay *relay, struct tls_credentials *credentials)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&relay->lock);
	tls_credentials_unref(relay->credentials);
	relay->credentials = credentials;
}

bool relay_listen(struct relay *relay, enum keeper_listener_kind kind, int fd)
{
	return arrivals_listen(relay->arrivals, kind, fd);
}

void relay_judge_visitor(struct relay *relay, const struct keeper_visitor_judged *judged)
{
	visitors_judged(relay->host.visitors, judged);
}

void relay_step_aside(unsigned head)
{
	pass_step_aside(head);
}

static void make_idle_words(struct relay *relay, unsigned idle_s)
{
	int64_t warning_s = relay_warning_us(idle_s * (int64_t)G_USEC_PER_SEC) / G_USEC_PER_SEC;
	bool minutes = idle_s % 60 == 0;
	relay->idle_why = g_strdup_printf("it has touched nothing for %u %s",
		minutes ? idle_s / 60 : idle_s, minutes ? "minutes" : "seconds");
	relay->idle_words = g_strdup_printf("you are about to be disconnected, in %d seconds: "
					    "touch a key or the pointer to stay",
		(int)warning_s);
}

struct relay *relay_create(const struct relay_options *options, struct line *const *lines,
	struct tickets *tickets, const struct relay_ops *ops, void *user)
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
	line_cap_init(&relay->cap, options->policy.max_bps);
	relay->arrivals = arrivals_create(relay->context, on_accepted, relay);
	relay->departures = g_array_new(FALSE, FALSE, sizeof(struct departure));
	make_idle_words(relay, options->policy.idle_s);
	relay->host = (struct connection_host){
		.polls = poll_set_create(relay->context),
		.sessions = sessions_create(!options->server_clock),
		.n_lookers = options->policy.n_lookers,
		.cap = &relay->cap,
		.driver = &relay->driver,
		.intake = options->intake,
		.tickets = tickets,
		.visitors = ops->ask_keeper ?
				    visitors_create(relay->context, &visitors_ops, relay) :
				    NULL,
		.told = ops->told ? on_told : NULL,
		.idle_us = options->policy.idle_s * (int64_t)G_USEC_PER_SEC,
		.idle_why = relay->idle_why,
		.idle_words = relay->idle_words,
		.warned = on_warned,
		.hand_over = hand_over,
		.ended = on_ended,
		.user = relay,
	};
	for (unsigned i = 0; i <= options->policy.n_lookers; i++) {
		relay->host.lines[i] = lines[i];
		line_set_max(lines[i], options->policy.max_bps);
	}
	tickets_set_lookers(tickets, options->policy.n_lookers);
	if (options->policy.refuse_second)
		tickets_keep_first(tickets);
	relay->thread = g_thread_new("relay", run, relay);
	return relay;
}

static void close_queued(struct relay *relay)
{
	for (guint i = 0; i < relay->departures->len; i++) {
		const struct departure *departure =
			&g_array_index(relay->departures, struct departure, i);
		close(departure->guest.fd);
		if (departure->guest.own_fd >= 0)
			close(departure->guest.own_fd);
	}
	g_array_unref(relay->departures);
}

static gboolean on_quit(gpointer user)
{
	g_main_loop_quit(user);
	return G_SOURCE_REMOVE;
}

struct new_driver {
	struct relay *relay;
	char *client;
};

static void tell_driver(struct relay *relay, enum keeper_client_what what, const char *text)
{
	struct keeper_client client = { .what = what };
	g_strlcpy(client.text, text, sizeof(client.text));
	peer_message(PEER_VIEWER, "%s", text);
	if (relay->ops->told)
		relay->ops->told(relay->user, &client);
}

static gboolean on_hand_over(gpointer user)
{
	struct new_driver *new = user;
	struct relay *relay = new->relay;
	bool found = relay->host.n_lookers > 0 && new->client[0] == '\0';
	if (found) {
		relay->driver = 0;
		tell_driver(relay, KEEPER_CLIENT_DRIVES, "who came to drive drives from here on");
	}
	for (guint i = 0; relay->host.n_lookers > 0 && !found && i < relay->connections->len; i++)
		found = connection_drive(g_ptr_array_index(relay->connections, i), new->client);
	if (!found) {
		g_autofree char *text =
			g_strdup_printf("client %s: cannot drive: it is not there", new->client);
		tell_driver(relay, KEEPER_CLIENT_NOT_THERE, text);
	}
	g_mutex_lock(&relay->lock);
	relay->handed |= found;
	deliver(relay);
	g_mutex_unlock(&relay->lock);
	g_free(new->client);
	g_free(new);
	return G_SOURCE_REMOVE;
}

void relay_hand_over(struct relay *relay, const char *client)
{
	struct new_driver *new = g_new(struct new_driver, 1);
	*new = (struct new_driver){ relay, g_strdup(client) };
	call(relay, on_hand_over, new);
}

struct new_end {
	struct relay *relay;
	char *why;
};

static gboolean on_set_end(gpointer user)
{
	struct new_end *new = user;
	g_free(new->relay->end);
	new->relay->end = new->why;
	new->relay->host.end = new->why;
	g_free(new);
	return G_SOURCE_REMOVE;
}

void relay_set_end(struct relay *relay, const char *why)
{
	struct new_end *new = g_new(struct new_end, 1);
	*new = (struct new_end){ relay, g_strdup(why) };
	call(relay, on_set_end, new);
}

static gboolean on_switch(gpointer user)
{
	struct relay *relay = user;
	struct tls_credentials *credentials = take_credentials(relay);
	g_autofree char *subject =
		credentials ? tls_credentials_describe_subject(credentials) : NULL;
	unsigned n = 0;
	tls_credentials_unref(credentials);
	g_clear_pointer(&relay->arrivals, arrivals_destroy);
	for (guint i = 0; i < relay->connections->len; i++)
		n += connection_switch(g_ptr_array_index(relay->connections, i), subject);
	g_message("another display takes over: %u clients come again by themselves", n);
	return G_SOURCE_REMOVE;
}

void relay_switch(struct relay *relay)
{
	call(relay, on_switch, relay);
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
	visitors_destroy(relay->host.visitors);
	g_main_loop_unref(relay->loop);
	g_main_context_unref(relay->context);
	g_main_context_unref(relay->main_context);
	g_mutex_clear(&relay->lock);
	g_free(relay->end);
	g_free(relay->idle_why);
	g_free(relay->idle_words);
	g_free(relay);
}
