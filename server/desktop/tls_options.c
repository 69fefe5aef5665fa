/* SPDX-License-Identifier: MIT */
#include "server/desktop/tls_options.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <unistd.h>

/* GOption's idea of the options: where it writes. */
static struct {
	int port;
	char *certificate, *key;
} raw;

static const GOptionEntry entries[] = {
	{ "spice-tls-port", 0, 0, G_OPTION_ARG_INT, &raw.port, "Listen on this TCP port with TLS",
		"N" },
	{ "spice-tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &raw.certificate,
		"The certificate to show, and those behind it (PEM)", "FILE" },
	{ "spice-tls-key", 0, 0, G_OPTION_ARG_FILENAME, &raw.key, "The certificate's key (PEM)",
		"FILE" },
	G_OPTION_ENTRY_NULL,
};

const GOptionEntry *tls_options_entries(void)
{
	return entries;
}

static bool check_file(const char *option, const char *path, GError **error)
{
	if (access(path, R_OK) == 0)
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s=%s: %s", option, path,
		g_strerror(errno));
	return false;
}

/* As display will: a desktop whose TLS port lets nobody in should not start. */
static bool check_pair(const struct tls_options *o, GError **error)
{
	gnutls_certificate_credentials_t credentials;
	int result = gnutls_certificate_allocate_credentials(&credentials);
	if (result == 0) {
		result = gnutls_certificate_set_x509_key_file(
			credentials, o->certificate, o->key, GNUTLS_X509_FMT_PEM);
		gnutls_certificate_free_credentials(credentials);
	}
	if (result >= 0)
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		"--spice-tls-cert=%s with --spice-tls-key=%s: %s", o->certificate, o->key,
		gnutls_strerror(result));
	return false;
}

bool tls_options_take(struct tls_options *o, GError **error)
{
	*o = (struct tls_options){ .certificate = raw.certificate, .key = raw.key };
	if (raw.port < 0 || raw.port > 65535) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"--spice-tls-port=%d is not a port", raw.port);
		return false;
	}
	o->port = (unsigned)raw.port;
	bool all = o->port > 0 && o->certificate && o->key;
	bool none = o->port == 0 && !o->certificate && !o->key;
	if (!all && !none) {
		g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"--spice-tls-port, --spice-tls-cert and --spice-tls-key go together");
		return false;
	}
	return none || (check_file("spice-tls-cert", o->certificate, error) &&
			       check_file("spice-tls-key", o->key, error) && check_pair(o, error));
}

void tls_options_finish(struct tls_options *o)
{
	g_free(o->certificate);
	g_free(o->key);
}

static int open_file(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", path,
			g_strerror(errno));
	return fd;
}

bool tls_options_open(const struct tls_options *o, int fds[2], GError **error)
{
	fds[0] = open_file(o->certificate, error);
	if (fds[0] < 0)
		return false;
	fds[1] = open_file(o->key, error);
	if (fds[1] < 0)
		close(fds[0]);
	return fds[1] >= 0;
}
