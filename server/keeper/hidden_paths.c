/* SPDX-License-Identifier: MIT */
#include "server/keeper/hidden_paths.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Gives the path without links, or NULL when there is nothing. */
static char *resolve(const char *path)
{
	char *real = path ? realpath(path, NULL) : NULL;
	char *copy = g_strdup(real);
	free(real);
	return copy;
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* What is needed may be below it, and then it has to stay. */
static bool is_needed(const char *folder, const char *const *needed)
{
	for (unsigned i = 0; needed[i]; i++) {
		g_autofree char *path = resolve(needed[i]);
		if (path && is_below(path, folder))
			return true;
	}
	return false;
}

static bool is_private_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 077) == 0;
}

static void add(GPtrArray *paths, char *path)
{
	for (unsigned i = 0; i < paths->len; i++) {
		if (is_below(path, paths->pdata[i])) {
			g_free(path);
			return;
		}
	}
	g_ptr_array_add(paths, path);
}

static void hide(GPtrArray *paths, const char *file, const char *const *needed)
{
	if (!file)
		return;
	g_autofree char *dir = g_path_get_dirname(file);
	g_autofree char *folder = resolve(dir);
	char *path = resolve(file);
	if (folder && is_private_folder(folder) && !is_needed(folder, needed))
		add(paths, g_steal_pointer(&folder));
	if (path)
		add(paths, path);
}

char **hidden_paths_find(const struct desktop *desktop, const char *const *needed)
{
	const char *const files[] = { desktop->qmp_path, desktop->stats_socket,
		desktop->ticket_socket, desktop->socket_path, desktop->spice_unix,
		desktop->password_file, desktop->view_password_file, desktop->users_file,
		desktop->tls.key };
	GPtrArray *paths = g_ptr_array_new();
	/* Where the session's sockets are: its bus, sound, Wayland, other desktops of ours. */
	g_autofree char *runtime = resolve(g_getenv("XDG_RUNTIME_DIR"));
	if (runtime && is_private_folder(runtime) && !is_needed(runtime, needed))
		add(paths, g_steal_pointer(&runtime));
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++)
		hide(paths, files[i], needed);
	g_ptr_array_add(paths, NULL);
	return (char **)g_ptr_array_free(paths, FALSE);
}
