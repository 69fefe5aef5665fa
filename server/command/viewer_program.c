/* SPDX-License-Identifier: MIT */
#include "server/command/viewer_program.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/fd.h"

#define CAN_WAIT "remote-viewer"

bool viewer_program_init(struct viewer_program *program, const char *name, GError **error)
{
	*program = (struct viewer_program){ .spare_fd = -1 };
	program->path = g_find_program_in_path(name);
	g_autofree char *base = g_path_get_basename(name);
	program->can_wait = strcmp(base, CAN_WAIT) == 0;
	if (program->path)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
		"there is no %s here (on Debian: apt install virt-viewer); --viewer names another "
		"program",
		name);
	return false;
}

/* It is not to outlive us, who would not start the next one. */
static void die_with_us(gpointer user)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static bool spawn(
	struct viewer_program *program, const char *file, GPid *pid, int *fd, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD;
	g_ptr_array_add(argv, program->path);
	for (unsigned i = 0; program->arguments && program->arguments[i]; i++)
		g_ptr_array_add(argv, program->arguments[i]);
	g_ptr_array_add(argv, (char *)file);
	g_ptr_array_add(argv, NULL);
	return g_spawn_async_with_pipes(NULL, (char **)argv->pdata, NULL, flags, die_with_us, NULL,
		pid, fd, NULL, NULL, error);
}

static void on_spare_end(GPid pid, int wait_status, gpointer user)
{
	struct viewer_program *program = user;
	program->spare_pid = 0;
	program->spare_source = 0;
	fd_close(&program->spare_fd);
}

static void on_end(GPid pid, int wait_status, gpointer user)
{
	struct viewer_program *program = user;
	program->pid = 0;
	program->end_source = 0;
	program->ended(program->user, wait_status);
}

void viewer_program_prepare(struct viewer_program *program)
{
	g_autoptr(GError) error = NULL;
	if (!program->can_wait || program->spare_pid > 0)
		return;
	if (!spawn(program, "-", &program->spare_pid, &program->spare_fd, &error)) {
		g_debug("%s", error->message);
		program->spare_pid = 0;
		return;
	}
	fcntl(program->spare_fd, F_SETFD, FD_CLOEXEC);
	program->spare_source = g_child_watch_add(program->spare_pid, on_spare_end, program);
}

/* A connection file is smaller than a pipe is large. */
static bool tell_spare(struct viewer_program *program, const char *text)
{
	ssize_t length = (ssize_t)strlen(text);
	bool told =
		program->spare_fd >= 0 && write(program->spare_fd, text, (size_t)length) == length;
	fd_close(&program->spare_fd);
	if (!told)
		return false;
	g_clear_handle_id(&program->spare_source, g_source_remove);
	program->pid = program->spare_pid;
	program->spare_pid = 0;
	return true;
}

static bool write_file(const char *path, const char *text, GError **error)
{
	return g_file_set_contents_full(
		path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

bool viewer_program_show(struct viewer_program *program, const char *text, GError **error)
{
	g_assert(program->pid == 0);
	viewer_program_prepare(program);
	if (program->can_wait) {
		if (!tell_spare(program, text)) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: cannot be started",
				program->path);
			return false;
		}
	} else if (!write_file(program->file_path, text, error) ||
		   !spawn(program, program->file_path, &program->pid, NULL, error)) {
		program->pid = 0;
		return false;
	}
	program->end_source = g_child_watch_add(program->pid, on_end, program);
	return true;
}

static void end(GPid *pid, unsigned *source)
{
	g_clear_handle_id(source, g_source_remove);
	if (*pid > 0)
		kill(*pid, SIGTERM);
	*pid = 0;
}

void viewer_program_finish(struct viewer_program *program)
{
	fd_close(&program->spare_fd);
	end(&program->spare_pid, &program->spare_source);
	end(&program->pid, &program->end_source);
	if (program->file_path)
		g_unlink(program->file_path);
	g_clear_pointer(&program->file_path, g_free);
	g_clear_pointer(&program->path, g_free);
}
