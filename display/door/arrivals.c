/* SPDX-License-Identifier: MIT */
#include "display/door/arrivals.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/door/limits.h"
#include "protocol/stats_writer.h"

/*
 * Accepting pauses this many milliseconds after the process or the machine ran out of descriptors.
 */
#define ACCEPT_PAUSE_MS 500
/*
 * So many are accepted at once before the loop's other sources have their turn. What each costs the
 * loop besides is divided by as many when a crowd comes.
 */
#define ACCEPTS_MAX 32

struct listener {
	struct arrivals *arrivals;
	enum keeper_listener_kind kind;
	int fd;
	GSource *source; /* waits for a client, or for the end of a pause */
};

struct arrivals {
	GThread *thread; /* that made it */
	GMainContext *context;
	arrivals_accepted accepted;
	void *user;
	struct listener listeners[ARRIVALS_LISTENERS_MAX];
	unsigned n_listeners;
};

static gboolean on_client(gint fd, GIOCondition condition, gpointer user);

static void await(struct listener *listener, GSource *source, GSourceFunc func)
{
	g_clear_pointer(&listener->source, g_source_unref);
	listener->source = source;
	g_source_set_callback(source, func, listener, NULL);
	g_source_attach(source, listener->arrivals->context);
}

static void await_client(struct listener *listener)
{
	await(listener, g_unix_fd_source_new(listener->fd, G_IO_IN), G_SOURCE_FUNC(on_client));
}

static gboolean on_pause_over(gpointer user)
{
	await_client(user);
	return G_SOURCE_REMOVE;
}

/*
 * The pause keeps the loop from spinning: the client stays in the socket's queue, which wakes it at
 * once.
 */
static gboolean pause_accepting(struct listener *listener)
{
	peer_warning(PEER_CLIENT, "clients: cannot accept: %s", g_strerror(errno));
	await(listener, g_timeout_source_new(ACCEPT_PAUSE_MS), on_pause_over);
	return G_SOURCE_REMOVE;
}

static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ECONNABORTED || error == EPROTO ||
	       error == EPERM || error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH;
}

/* The kernel gives no address of a client on a unix socket; who that is, the socket knows. */
static void greet(struct listener *listener, int fd, const struct sockaddr_storage *address,
	socklen_t address_bytes)
{
	struct peer_address from;
	int on = 1;
	stats_add_door(STATS_CONNECTIONS, 1);
	if (listener->kind == KEEPER_LISTENER_UNIX) {
		from = peer_address_read(fd);
	} else {
		from = peer_address_of((const struct sockaddr *)address, address_bytes);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	listener->arrivals->accepted(listener->arrivals->user, fd, listener->kind, &from);
}

static gboolean on_client(gint listener_fd, GIOCondition condition, gpointer user)
{
	struct listener *listener = user;
	g_assert(listener->fd == listener_fd && listener->source);
	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage address;
		socklen_t address_bytes = sizeof(address);
		int fd = accept4(listener_fd, (struct sockaddr *)&address, &address_bytes,
			SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return is_passing(errno) ? G_SOURCE_CONTINUE : pause_accepting(listener);
		greet(listener, fd, &address, address_bytes);
	}
	return G_SOURCE_CONTINUE;
}

struct arrivals *arrivals_create(GMainContext *context, arrivals_accepted accepted, void *user)
{
	g_assert(accepted);
	struct arrivals *arrivals = g_new0(struct arrivals, 1);
	arrivals->thread = g_thread_self();
	arrivals->context = context;
	arrivals->accepted = accepted;
	arrivals->user = user;
	return arrivals;
}

void arrivals_destroy(struct arrivals *arrivals)
{
	if (!arrivals)
		return;
	for (unsigned i = 0; i < arrivals->n_listeners; i++) {
		g_source_destroy(arrivals->listeners[i].source);
		g_source_unref(arrivals->listeners[i].source);
		close(arrivals->listeners[i].fd);
	}
	g_free(arrivals);
}

static bool is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

bool arrivals_listen(struct arrivals *arrivals, enum keeper_listener_kind kind, int fd)
{
	g_assert(arrivals->thread == g_thread_self());
	if (arrivals->n_listeners == ARRIVALS_LISTENERS_MAX || !is_listening(fd)) {
		g_warning("clients: %s", arrivals->n_listeners == ARRIVALS_LISTENERS_MAX ?
						 "more listeners than ARRIVALS_LISTENERS_MAX" :
						 "the keeper's descriptor does not listen");
		close(fd);
		return false;
	}
	/*
	 * Accepting must not block. The keeper has a copy of the socket, and another acceptor may
	 * take the client between poll and accept.
	 */
	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	struct listener *listener = &arrivals->listeners[arrivals->n_listeners++];
	*listener = (struct listener){ .arrivals = arrivals, .kind = kind, .fd = fd };
	await_client(listener);
	return true;
}
