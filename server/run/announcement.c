/* SPDX-License-Identifier: MIT */
#include "server/run/announcement.h"

#include <stdio.h>
#include <string.h>

/* remote-viewer(1), CONNECTION FILE. */
#define VIEWER_GROUP "virt-viewer"

static char *unix_path(const struct desktop *o)
{
	return g_canonicalize_filename(o->spice_unix, NULL);
}

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
		g_autofree char *path = unix_path(o);
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

/* Nobody connects to an address that stands for all: on this machine a loopback one does. */
static const char *connect_host(const char *address)
{
	if (strcmp(address, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(address, "::") == 0 ? "::1" : address;
}

/* From other machines there this one's name does, where it is known. */
static const char *remote_host(const char *address)
{
	return strcmp(address, connect_host(address)) == 0 ? address : g_get_host_name();
}

/*
 * The certificate's subject is what is to be expected, so that its names need not have this
 * host's.
 */
static bool describe_tls(GKeyFile *file, const struct desktop *o, GError **error)
{
	struct tls_trust trust;
	bool known = tls_trust_read(&trust, o->tls.certificate, error);
	g_key_file_set_string(file, VIEWER_GROUP, "host", connect_host(o->spice_addr));
	if (o->spice_port > 0)
		g_key_file_set_integer(file, VIEWER_GROUP, "port", (int)o->spice_port);
	g_key_file_set_integer(file, VIEWER_GROUP, "tls-port", (int)o->tls.port);
	if (known)
		g_key_file_set_string(file, VIEWER_GROUP, "host-subject", trust.subject);
	if (known && trust.authority)
		g_key_file_set_string(file, VIEWER_GROUP, "ca", trust.authority);
	tls_trust_finish(&trust);
	return known;
}

/* A key file's text is UTF-8. */
static bool describe_unix(GKeyFile *file, const struct desktop *o, GError **error)
{
	g_autofree char *path = unix_path(o);
	if (!g_utf8_validate(path, -1, NULL))
		return desktop_fail(error, "--spice-unix: its path is not UTF-8");
	g_key_file_set_string(file, VIEWER_GROUP, "unix-path", path);
	return true;
}

static bool needs_file(const struct desktop *o)
{
	g_autofree char *path = o->spice_unix ? unix_path(o) : NULL;
	return path ? !is_uri_of(path) : o->tls.port > 0;
}

char *announcement_write(const struct desktop *desktop, const struct run_dir *dir)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *name = g_strdup_printf("%s.vv", desktop->name);
	if (!needs_file(desktop))
		return NULL;
	char *path = run_dir_file(dir, name);
	g_key_file_set_string(file, VIEWER_GROUP, "type", "spice");
	g_key_file_set_string(file, VIEWER_GROUP, "title", desktop->name);
	if ((desktop->spice_unix ? describe_unix(file, desktop, &error) :
				   describe_tls(file, desktop, &error)) &&
		g_key_file_save_to_file(file, path, &error))
		return path;
	g_warning("no file for remote-viewer: %s", error->message);
	g_free(path);
	return NULL;
}

void announcement_print(const struct desktop *desktop, const struct run_dir *dir)
{
	g_autofree char *uri = spice_uri(desktop, remote_host(desktop->spice_addr));
	g_autofree char *own = spice_uri(desktop, connect_host(desktop->spice_addr));
	g_autofree char *file = announcement_write(desktop, dir);
	g_autofree char *quoted = g_shell_quote(file ? file : own);
	printf("vitrine: desktop \"%s\": %s\n", desktop->name, uri);
	printf("vitrine: connect with: remote-viewer %s\n", quoted);
	fflush(stdout);
}
