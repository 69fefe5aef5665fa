/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/relay/own_credentials.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "tests/client/certificate.h"

static struct tls_credentials *read_credentials(const char *certificate, const char *key)
{
	g_autoptr(GError) error = NULL;
	int certificate_fd = open(certificate, O_RDONLY | O_CLOEXEC);
	int key_fd = open(key, O_RDONLY | O_CLOEXEC);
	struct tls_credentials *credentials =
		tls_credentials_create(certificate_fd, key_fd, &error);
	g_assert_no_error(error);
	g_assert_nonnull(credentials);
	close(certificate_fd);
	close(key_fd);
	return credentials;
}

struct tls_credentials *own_credentials_create_for(const char *subject)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("credentials-XXXXXX", &error);
	g_assert_no_error(error);
	g_autofree char *certificate = g_build_filename(folder, "certificate.pem", NULL);
	g_autofree char *key = g_build_filename(folder, "key.pem", NULL);
	certificate_write_for(certificate, key, subject);
	struct tls_credentials *credentials = read_credentials(certificate, key);
	g_unlink(certificate);
	g_unlink(key);
	g_rmdir(folder);
	return credentials;
}

struct tls_credentials *own_credentials_create(void)
{
	return own_credentials_create_for("CN=127.0.0.1");
}
