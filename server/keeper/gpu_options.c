/* SPDX-License-Identifier: MIT */
#include "server/keeper/gpu_options.h"

#include <fcntl.h>

#include "server/desktop/desktop_command_line.h"
#include "server/desktop/workers.h"

static bool check_sockets(const struct desktop *d, GError **error)
{
	if (d->print_capabilities)
		return true;
	if ((d->socket_path != NULL) == (d->vhost_fd >= 0))
		return desktop_fail(error, "give one of --socket-path=PATH and --fd=N");
	if (d->vhost_fd >= 0 && fcntl(d->vhost_fd, F_GETFD) < 0)
		return desktop_fail(error, "--fd=%d is not open", d->vhost_fd);
	if (d->lost_fd >= 0 && fcntl(d->lost_fd, F_GETFD) < 0)
		return desktop_fail(error, "--lost-fd=%d is not open", d->lost_fd);
	if (d->spice_fd >= 0 && fcntl(d->spice_fd, F_GETFD) < 0)
		return desktop_fail(error, "--spice-fd=%d is not open", d->spice_fd);
	return true;
}

bool gpu_options_parse(struct desktop *d, int argc, char **argv, GError **error)
{
	if (!desktop_parse(d, DESKTOP_GPU, argc, argv, error))
		return false;
	if (d->version)
		return true;
	if (!d->worker_dir)
		d->worker_dir = workers_find_dir();
	return desktop_check(d, error) && check_sockets(d, error);
}

bool gpu_options_read_password(struct desktop *d, GError **error)
{
	bool has_port = d->spice_port > 0 || d->tls.port > 0;
	return desktop_read_password(d, error) && (!has_port || desktop_check_address(d, error));
}
