/* SPDX-License-Identifier: MIT */
#include "server/run/keeper_command.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/fd.h"
#include "server/desktop/desktop_command_line.h"
#include "server/run/qemu_command.h"

/* vitrine-gpu lies beside us, both as built and as installed. */
static char *find_keeper(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = self ? g_path_get_dirname(self) : g_strdup("/usr/bin");
	return g_build_filename(dir, "vitrine-gpu", NULL);
}

/*
 * The keeper is told of the desktop what its own options can tell. Instead of the port it is given
 * the socket that listens there, so that nobody takes the port in between, and the password by a
 * pipe. A plain file it is told of, too, to read it again.
 */
char **keeper_command(const struct desktop *desktop, const struct run_dir *dir, bool has_spice)
{
	g_autofree char *qmp = run_dir_file(dir, QEMU_KEEPER_QMP);
	g_autofree char *stats = run_dir_file(dir, STATS_SOCKET_FILE);
	g_autofree char *tickets = run_dir_file(dir, TICKET_SOCKET_FILE);
	struct desktop keeper = *desktop;
	keeper.vhost_fd = KEEPER_VHOST_FD;
	keeper.lost_fd = KEEPER_LOST_FD;
	keeper.qmp_path = qmp;
	keeper.stats_socket = stats;
	keeper.ticket_socket = tickets;
	keeper.spice_port = 0;
	keeper.spice_fd = has_spice ? KEEPER_SPICE_FD : -1;
	keeper.password_fd = desktop->password ? KEEPER_PASSWORD_FD : -1;
	if (keeper.password_file && !g_file_test(keeper.password_file, G_FILE_TEST_IS_REGULAR))
		keeper.password_file = NULL;
	GPtrArray *argv = g_ptr_array_new();
	g_ptr_array_add(argv, find_keeper());
	desktop_add_arguments(&keeper, DESKTOP_GPU, argv);
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

int keeper_pipe_password(struct desktop *desktop, GError **error)
{
	int ends[2] = { -1, -1 };
	const char *password = desktop->password;
	if (!password)
		return -1;
	ssize_t length = (ssize_t)strlen(password);
	if (pipe2(ends, O_CLOEXEC) < 0 || write(ends[1], password, (size_t)length) != length) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			"cannot pass the password on: %s", g_strerror(errno));
		fd_close(&ends[0]);
	}
	fd_close(&ends[1]);
	desktop_forget_password(desktop);
	prctl(PR_SET_DUMPABLE, 1);
	return ends[0];
}
