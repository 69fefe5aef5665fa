/* SPDX-License-Identifier: MIT */
#include "server/run/announcement.h"

#include <stdio.h>
#include <string.h>

#include "server/desktop/viewer_file.h"

/* remote-viewer takes back no escapes, and refuses what can stand in no URI without them. */
static bool is_uri_of(const char *path)
{
	for (; *path; path++) {
		if (!g_ascii_isalnum(*path) && !strchr("/._~-+,:=@", *path))
			return false;
	}
	return true;
}

static char *spice_uri(const struct desktop *o, const char *host)
{
	if (o->spice_unix) {
		g_autofree char *path = viewer_file_unix_path(o);
		return g_strdup_printf("spice+unix://%s", path);
	}
	bool v6 = strchr(host, ':') != NULL;
	g_autofree char *quoted = g_strdup_printf("%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "");
	if (o->tls.port == 0)
		return g_strdup_printf("spice://%s:%u", quoted, o->spice_port);
	g_autofree char *port =
		o->spice_port > 0 ? g_strdup_printf("port=%u&", o->spice_port) : NULL;
	return g_strdup_printf("spice://%s?%stls-port=%u", quoted, port ? port : "", o->tls.port);
}

/* From other machines there this one's name does, where it is known. */
static const char *remote_host(const char *address)
{
	return strcmp(address, viewer_file_host(address)) == 0 ? address : g_get_host_name();
}

static bool needs_file(const struct desktop *o)
{
	g_autofree char *path = o->spice_unix ? viewer_file_unix_path(o) : NULL;
	return path ? !is_uri_of(path) : o->tls.port > 0;
}

static char *file_path(const struct desktop *desktop, const struct run_dir *dir)
{
	g_autofree char *name = g_strdup_printf("%s.vv", desktop->name);
	return run_dir_file(dir, name);
}

char *announcement_address(const struct desktop *desktop, const struct run_dir *dir)
{
	return needs_file(desktop) ? file_path(desktop, dir) :
				     spice_uri(desktop, viewer_file_host(desktop->spice_addr));
}

char *announcement_write(const struct desktop *desktop, const struct run_dir *dir)
{
	g_autoptr(GError) error = NULL;
	if (!needs_file(desktop))
		return NULL;
	g_autofree char *path = file_path(desktop, dir);
	g_autoptr(GKeyFile) file = viewer_file_make(desktop, &error);
	if (file && g_key_file_save_to_file(file, path, &error))
		return g_steal_pointer(&path);
	g_warning("no file for remote-viewer: %s", error->message);
	return NULL;
}

void announcement_print(const struct desktop *desktop, const struct run_dir *dir)
{
	g_autofree char *uri = spice_uri(desktop, remote_host(desktop->spice_addr));
	g_autofree char *own = spice_uri(desktop, viewer_file_host(desktop->spice_addr));
	g_autofree char *file = announcement_write(desktop, dir);
	g_autofree char *quoted = g_shell_quote(file ? file : own);
	printf("vitrine: desktop \"%s\": %s\n", desktop->name, uri);
	printf("vitrine: connect with: remote-viewer %s\n", quoted);
	fflush(stdout);
}
