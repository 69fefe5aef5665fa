/* SPDX-License-Identifier: MIT */
#include "server/keeper/listeners.h"

#include <fcntl.h>

#include "common/listen.h"

/*
 * Display has a network of its own, and is not to reach ours by what it is handed. Its filter of
 * system calls keeps it from that; newer kernels let only root put up this second wall.
 */
static void add_tcp_listener(struct viewer *viewer, const struct desktop *desktop,
	enum keeper_listener_kind kind, int fd)
{
	g_autoptr(GError) error = NULL;
	if (desktop->confine != CONFINE_OFF && !listen_never_connect(fd, &error))
		g_debug("%s", error->message);
	viewer_add_listener(viewer, kind, fd);
}

static bool add_tls(struct viewer *viewer, const struct desktop *o, GError **error)
{
	int files[2];
	if (o->tls.port == 0)
		return true;
	if (!tls_options_open(&o->tls, files, error))
		return false;
	viewer_set_certificate(viewer, files[0], files[1]);
	int fd = listen_tcp(o->spice_addr, o->tls.port, error);
	if (fd >= 0)
		add_tcp_listener(viewer, o, KEEPER_LISTENER_TLS, fd);
	return fd >= 0;
}

bool listeners_open(struct viewer *viewer, const struct desktop *o, GError **error)
{
	if (o->spice_port > 0) {
		int fd = listen_tcp(o->spice_addr, o->spice_port, error);
		if (fd < 0)
			return false;
		add_tcp_listener(viewer, o, KEEPER_LISTENER_TCP, fd);
	}
	if (o->spice_unix) {
		int fd = listen_unix(o->spice_unix, error);
		if (fd < 0)
			return false;
		viewer_add_listener(viewer, KEEPER_LISTENER_UNIX, fd);
	}
	if (o->spice_fd >= 0) {
		fcntl(o->spice_fd, F_SETFD, FD_CLOEXEC);
		add_tcp_listener(viewer, o, KEEPER_LISTENER_TCP, o->spice_fd);
	}
	if (!add_tls(viewer, o, error))
		return false;
	if (viewer->n_listeners == 0)
		g_message("nobody can connect: no --spice-port, --spice-tls-port or --spice-unix");
	return true;
}
