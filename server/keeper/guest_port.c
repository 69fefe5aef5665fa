/* SPDX-License-Identifier: MIT */
#include "server/keeper/guest_port.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

#include "server/keeper/lost_contexts.h"

void guest_port_init(struct guest_port *port, int fd)
{
	*port = (struct guest_port){ .fd = fd };
	if (fd < 0)
		return;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
}

void guest_port_finish(struct guest_port *port)
{
	g_clear_handle_id(&port->source, g_source_remove);
}

void guest_port_set_open(struct guest_port *port, bool is_open)
{
	port->is_open = is_open;
}

/* Gives false when QEMU has hung up. */
static bool send_left(struct guest_port *port)
{
	const char *at = port->line + port->length - port->left;
	ssize_t n = send(port->fd, at, port->left, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		port->left -= (size_t)n;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* The rest of a line goes before any other: half a line would spoil the next one, too. */
static gboolean on_writable(int fd, GIOCondition condition, gpointer user)
{
	struct guest_port *port = user;
	if (send_left(port) && port->left > 0)
		return G_SOURCE_CONTINUE;
	port->left = 0;
	port->source = 0;
	return G_SOURCE_REMOVE;
}

static bool send_line(struct guest_port *port, const char *line)
{
	if (port->left > 0)
		return false;
	port->length = port->left = strlen(line);
	g_assert(port->length <= sizeof(port->line));
	memcpy(port->line, line, port->length);
	bool sent = send_left(port) && port->left < port->length;
	if (!sent)
		port->left = 0;
	if (port->left > 0)
		port->source = g_unix_fd_add(port->fd, G_IO_OUT | G_IO_HUP, on_writable, port);
	return sent;
}

bool guest_port_lock(struct guest_port *port)
{
	return port->fd >= 0 && port->is_open && send_line(port, GUEST_LOST_LOCK_LINE "\n");
}

bool guest_port_tell(struct guest_port *port, const struct lost_contexts *lost)
{
	g_autofree char *line = lost_contexts_write(lost, port->n_sent + 1, port->n_untold);
	if (port->fd < 0 || !port->is_open || !send_line(port, line)) {
		port->n_untold++;
		return false;
	}
	port->n_sent++;
	port->n_untold = 0;
	return true;
}
