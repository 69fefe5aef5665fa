/* SPDX-License-Identifier: MIT */
#include "server/desktop/tls_options.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <unistd.h>

/*
 * Loads the pair as display will, because a desktop whose TLS port lets nobody in should not start.
 */
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

bool tls_options_check(const struct tls_options *o, GError **error)
{
	bool all = o->port > 0 && o->certificate && o->key;
	bool none = o->port == 0 && !o->certificate && !o->key;
	if (!all && !none) {
		g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"--spice-tls-port, --spice-tls-cert and --spice-tls-key go together");
		return false;
	}
	return none || check_pair(o, error);
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
	g_assert(o->certificate && o->key);
	fds[0] = open_file(o->certificate, error);
	if (fds[0] < 0)
		return false;
	fds[1] = open_file(o->key, error);
	if (fds[1] < 0)
		close(fds[0]);
	return fds[1] >= 0;
}
