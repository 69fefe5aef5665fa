/* SPDX-License-Identifier: MIT */
#include "server/run/announcement.h"

#include <stdio.h>
#include <string.h>

/* remote-viewer(1), CONNECTION FILE. */
#define VIEWER_GROUP "virt-viewer"

static char *spice_uri(const struct desktop *o)
{
	if (o->spice_unix) {
		g_autofree char *path = g_canonicalize_filename(o->spice_unix, NULL);
		return g_strdup_printf("spice+unix://%s", path);
	}
	bool v6 = strchr(o->spice_addr, ':') != NULL;
	g_autofree char *host =
		g_strdup_printf("%s%s%s", v6 ? "[" : "", o->spice_addr, v6 ? "]" : "");
	if (o->tls.port == 0)
		return g_strdup_printf("spice://%s:%u", host, o->spice_port);
	g_autofree char *port =
		o->spice_port > 0 ? g_strdup_printf("port=%u&", o->spice_port) : NULL;
	return g_strdup_printf("spice://%s?%stls-port=%u", host, port ? port : "", o->tls.port);
}

/* Nobody connects to an address that stands for all. */
static const char *connect_host(const char *address)
{
	if (strcmp(address, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(address, "::") == 0 ? "::1" : address;
}

/*
 * The certificate's subject is what is to be expected, so that its names need not have this
 * host's.
 */
static void describe(GKeyFile *file, const struct desktop *o, const struct tls_trust *trust)
{
	g_key_file_set_string(file, VIEWER_GROUP, "type", "spice");
	g_key_file_set_string(file, VIEWER_GROUP, "host", connect_host(o->spice_addr));
	if (o->spice_port > 0)
		g_key_file_set_integer(file, VIEWER_GROUP, "port", (int)o->spice_port);
	g_key_file_set_integer(file, VIEWER_GROUP, "tls-port", (int)o->tls.port);
	g_key_file_set_string(file, VIEWER_GROUP, "title", o->name);
	g_key_file_set_string(file, VIEWER_GROUP, "host-subject", trust->subject);
	if (trust->authority)
		g_key_file_set_string(file, VIEWER_GROUP, "ca", trust->authority);
}

char *announcement_write(const struct desktop *desktop, const struct run_dir *dir)
{
	struct tls_trust trust;
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strdup_printf("%s.vv", desktop->name);
	char *path = NULL;
	if (desktop->tls.port == 0)
		return NULL;
	if (tls_trust_read(&trust, desktop->tls.certificate, &error)) {
		g_autoptr(GKeyFile) file = g_key_file_new();
		describe(file, desktop, &trust);
		path = run_dir_file(dir, name);
		if (!g_key_file_save_to_file(file, path, &error))
			g_clear_pointer(&path, g_free);
	}
	tls_trust_finish(&trust);
	if (!path)
		g_warning("no file for remote-viewer: %s", error->message);
	return path;
}

void announcement_print(const struct desktop *desktop, const struct run_dir *dir)
{
	g_autofree char *uri = spice_uri(desktop);
	g_autofree char *file = announcement_write(desktop, dir);
	g_autofree char *quoted = g_shell_quote(file ? file : uri);
	printf("vitrine: desktop \"%s\": %s\n", desktop->name, uri);
	printf("vitrine: connect with: remote-viewer %s\n", quoted);
	fflush(stdout);
}
