/* SPDX-License-Identifier: MIT */
#include "server/desktop/tls_options.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fd.h"

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

/* The key passes through the buffer, and is not to stay there. */
static bool copy_bytes(int from, int to)
{
	char buffer[4096];
	ssize_t n;
	while ((n = read(from, buffer, sizeof(buffer))) > 0) {
		if (write(to, buffer, (size_t)n) != n)
			break;
	}
	int copy_errno = errno;
	explicit_bzero(buffer, sizeof(buffer));
	errno = copy_errno;
	return n == 0;
}

/* Nobody writes to the copy: display and the keeper share it for as long as a desktop lives. */
static int copy_file(const char *path, GError **error)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int to = from < 0 ? -1 : memfd_create("vitrine-tls", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (to >= 0 && (!copy_bytes(from, to) || fcntl(to, F_ADD_SEALS, seals) < 0))
		fd_close(&to);
	if (to < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", path,
			g_strerror(errno));
	fd_close(&from);
	return to;
}

bool tls_options_open(const struct tls_options *o, int fds[2], GError **error)
{
	g_assert(o->certificate && o->key);
	fds[0] = copy_file(o->certificate, error);
	if (fds[0] < 0)
		return false;
	fds[1] = copy_file(o->key, error);
	if (fds[1] < 0)
		fd_close(&fds[0]);
	return fds[1] >= 0;
}
