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

/*
 * Accepting pauses this many milliseconds after the process or the machine ran out of descriptors.
 */
#define ACCEPT_PAUSE_MS 500

struct listener {
	struct arrivals *arrivals;
	enum keeper_listener_kind kind;
	int fd;
	guint source; /* waits for a client, or for the end of a pause */
};

struct arrivals {
	GThread *thread; /* that made it */
	arrivals_accepted accepted;
	void *user;
	struct listener listeners[ARRIVALS_LISTENERS_MAX];
	unsigned n_listeners;
};

static gboolean on_client(gint fd, GIOCondition condition, gpointer user);

static gboolean on_pause_over(gpointer user)
{
	struct listener *listener = user;
	listener->source = g_unix_fd_add(listener->fd, G_IO_IN, on_client, listener);
	return G_SOURCE_REMOVE;
}

/*
 * The pause keeps the loop from spinning: the client stays in the socket's queue, which wakes it at
 * once.
 */
static gboolean pause_accepting(struct listener *listener)
{
	peer_warning(PEER_CLIENT, "clients: cannot accept: %s", g_strerror(errno));
	listener->source = g_timeout_add(ACCEPT_PAUSE_MS, on_pause_over, listener);
	return G_SOURCE_REMOVE;
}

static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ECONNABORTED || error == EPROTO ||
	       error == EPERM || error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH;
}

static gboolean on_client(gint listener_fd, GIOCondition condition, gpointer user)
{
	struct listener *listener = user;
	g_assert(listener->fd == listener_fd && listener->source);
	int fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return is_passing(errno) ? G_SOURCE_CONTINUE : pause_accepting(listener);
	int on = 1;
	if (listener->kind != KEEPER_LISTENER_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	listener->arrivals->accepted(listener->arrivals->user, fd, listener->kind);
	return G_SOURCE_CONTINUE;
}

struct arrivals *arrivals_create(arrivals_accepted accepted, void *user)
{
	g_assert(accepted);
	struct arrivals *arrivals = g_new0(struct arrivals, 1);
	arrivals->thread = g_thread_self();
	arrivals->accepted = accepted;
	arrivals->user = user;
	return arrivals;
}

void arrivals_destroy(struct arrivals *arrivals)
{
	if (!arrivals)
		return;
	g_assert(arrivals->thread == g_thread_self());
	for (unsigned i = 0; i < arrivals->n_listeners; i++) {
		g_source_remove(arrivals->listeners[i].source);
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
	listener->source = g_unix_fd_add(fd, G_IO_IN, on_client, listener);
	return true;
}
