/* SPDX-License-Identifier: MIT */
#include "server/desktop/tls_options.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/shm.h"
#include "server/desktop/desktop.h"
#include "server/desktop/limits.h"

/* Others share the descriptor's position, so none is used. The caller wipes and frees the bytes. */
static bool read_copy(int fd, gnutls_datum_t *datum)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || st.st_size < 0 || st.st_size > DESKTOP_TLS_FILE_MAX_BYTES)
		return false;
	datum->data = g_malloc0((size_t)st.st_size + 1);
	ssize_t n = pread(fd, datum->data, (size_t)st.st_size, 0);
	datum->size = n > 0 ? (unsigned)n : 0;
	return n >= 0;
}

static void wipe(gnutls_datum_t *datum)
{
	if (datum->data)
		explicit_bzero(datum->data, datum->size);
	g_free(datum->data);
}

static unsigned count_words(const gnutls_datum_t *datum, const char *word)
{
	const char *at = (const char *)datum->data, *end = at + datum->size;
	unsigned n = 0;
	while ((at = memmem(at, (size_t)(end - at), word, strlen(word)))) {
		at += strlen(word);
		n++;
	}
	return n;
}

/* GnuTLS leaves out what has no end, without a word: a file that is being written. */
static bool is_whole(const gnutls_datum_t *datum)
{
	unsigned n = count_words(datum, "-----BEGIN ");
	return n > 0 && n == count_words(datum, "-----END ");
}

/* Gives 0 or GnuTLS's error. */
static int load_pair(const gnutls_datum_t *certificate, const gnutls_datum_t *key)
{
	if (!is_whole(certificate) || !is_whole(key))
		return GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR;
	gnutls_certificate_credentials_t credentials;
	int result = gnutls_certificate_allocate_credentials(&credentials);
	if (result < 0)
		return result;
	result = gnutls_certificate_set_x509_key_mem(
		credentials, certificate, key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	return result < 0 ? result : 0;
}

bool tls_pair_check(const int fds[2], GError **error)
{
	gnutls_datum_t certificate = { 0 }, key = { 0 };
	int result = GNUTLS_E_FILE_ERROR;
	if (read_copy(fds[0], &certificate) && read_copy(fds[1], &key))
		result = load_pair(&certificate, &key);
	wipe(&certificate);
	wipe(&key);
	return result == 0 ||
	       desktop_fail(error, "certificate and key: %s", gnutls_strerror(result));
}

static int copy_file(const char *path, GError **error)
{
	int fd = shm_copy_file("vitrine-tls", path, DESKTOP_TLS_FILE_MAX_BYTES);
	if (fd == -EINVAL)
		desktop_fail(error, "%s: not a regular file", path);
	else if (fd < 0)
		desktop_fail(error, "%s: %s", path, g_strerror(-fd));
	return fd;
}

bool tls_options_open(const struct tls_options *o, int fds[2], GError **error)
{
	g_assert(o->certificate && o->key);
	fds[0] = copy_file(o->certificate, error);
	fds[1] = fds[0] < 0 ? -1 : copy_file(o->key, error);
	if (fds[0] >= 0 && fds[1] >= 0) {
		if (tls_pair_check(fds, error))
			return true;
		g_prefix_error(error,
			"--spice-tls-cert=%s with --spice-tls-key=%s: ", o->certificate, o->key);
	}
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return false;
}

/* A desktop whose TLS port lets nobody in should not start. */
bool tls_options_check(const struct tls_options *o, GError **error)
{
	int fds[2];
	bool all = o->port > 0 && o->certificate && o->key;
	bool none = o->port == 0 && !o->certificate && !o->key;
	if (!all && !none)
		return desktop_fail(error,
			"--spice-tls-port, --spice-tls-cert and --spice-tls-key go together");
	if (none)
		return true;
	if (!tls_options_open(o, fds, error))
		return false;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return true;
}

static char *copy_text(gnutls_datum_t *datum)
{
	char *text = g_strndup((const char *)datum->data, datum->size);
	gnutls_free(datum->data);
	return text;
}

/* Gives 0 or GnuTLS's error. */
static int describe_chain(struct tls_trust *trust, const gnutls_x509_crt_t *chain, unsigned n)
{
	gnutls_datum_t text = { 0 };
	/* The order is the certificate's own, by which spice-common's ssl_verify.c compares. */
	int result = gnutls_x509_crt_get_dn3(chain[0], &text, GNUTLS_X509_DN_FLAG_COMPAT);
	if (result < 0)
		return result;
	trust->subject = copy_text(&text);
	if (gnutls_x509_crt_check_issuer(chain[n - 1], chain[n - 1]) == 0)
		return 0;
	result = gnutls_x509_crt_export2(chain[n - 1], GNUTLS_X509_FMT_PEM, &text);
	if (result >= 0)
		trust->authority = copy_text(&text);
	return result;
}

bool tls_trust_read(struct tls_trust *trust, const char *path, GError **error)
{
	gnutls_datum_t text = { 0 };
	gnutls_x509_crt_t *chain = NULL;
	unsigned n = 0;
	*trust = (struct tls_trust){ 0 };
	int fd = copy_file(path, error);
	if (fd < 0)
		return false;
	int result = read_copy(fd, &text) ? 0 : GNUTLS_E_FILE_ERROR;
	fd_close(&fd);
	if (result == 0)
		result = gnutls_x509_crt_list_import2(&chain, &n, &text, GNUTLS_X509_FMT_PEM, 0);
	if (result >= 0)
		result = n > 0 ? describe_chain(trust, chain, n) : GNUTLS_E_NO_CERTIFICATE_FOUND;
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	wipe(&text);
	return result >= 0 || desktop_fail(error, "%s: %s", path, gnutls_strerror(result));
}

void tls_trust_finish(struct tls_trust *trust)
{
	g_free(trust->subject);
	g_free(trust->authority);
}
