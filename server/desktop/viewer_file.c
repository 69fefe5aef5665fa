/* SPDX-License-Identifier: MIT */
#include "server/desktop/viewer_file.h"

#include <string.h>

char *viewer_file_unix_path(const struct desktop *desktop)
{
	return g_canonicalize_filename(desktop->spice_unix, NULL);
}

const char *viewer_file_host(const char *address)
{
	if (strcmp(address, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(address, "::") == 0 ? "::1" : address;
}

/*
 * The certificate's subject is what is to be expected, so that its names need not have this
 * host's.
 */
static bool describe_tls(GKeyFile *file, const struct desktop *o, GError **error)
{
	struct tls_trust trust;
	bool known = tls_trust_read(&trust, o->tls.certificate, error);
	g_key_file_set_integer(file, VIEWER_FILE_GROUP, "tls-port", (int)o->tls.port);
	if (known)
		g_key_file_set_string(file, VIEWER_FILE_GROUP, "host-subject", trust.subject);
	if (known && trust.authority)
		g_key_file_set_string(file, VIEWER_FILE_GROUP, "ca", trust.authority);
	tls_trust_finish(&trust);
	return known;
}

static bool describe_tcp(GKeyFile *file, const struct desktop *o, GError **error)
{
	g_key_file_set_string(file, VIEWER_FILE_GROUP, "host", viewer_file_host(o->spice_addr));
	if (o->spice_port > 0)
		g_key_file_set_integer(file, VIEWER_FILE_GROUP, "port", (int)o->spice_port);
	return o->tls.port == 0 || describe_tls(file, o, error);
}

/* A key file's text is UTF-8. */
static bool describe_unix(GKeyFile *file, const struct desktop *o, GError **error)
{
	g_autofree char *path = viewer_file_unix_path(o);
	if (!g_utf8_validate(path, -1, NULL))
		return desktop_fail(error, "--spice-unix: its path is not UTF-8");
	g_key_file_set_string(file, VIEWER_FILE_GROUP, "unix-path", path);
	return true;
}

GKeyFile *viewer_file_make(const struct desktop *desktop, GError **error)
{
	GKeyFile *file = g_key_file_new();
	g_key_file_set_string(file, VIEWER_FILE_GROUP, "type", "spice");
	g_key_file_set_string(file, VIEWER_FILE_GROUP, "title", desktop->name);
	if (desktop->spice_unix ? describe_unix(file, desktop, error) :
				  describe_tcp(file, desktop, error))
		return file;
	g_key_file_free(file);
	return NULL;
}
