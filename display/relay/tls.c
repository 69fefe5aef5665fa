/* SPDX-License-Identifier: MIT */
#include "display/relay/tls.h"

#include <errno.h>
#include <gio/gio.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/relay/limits.h"

/* Clients of the last ten years speak these versions. */
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls_credentials {
	gatomicrefcount refs;
	gnutls_certificate_credentials_t gnutls;
};

struct tls {
	struct tls_credentials *credentials;
	gnutls_session_t session;
	int reason;  /* GnuTLS's error that ended it */
	bool unsent; /* GnuTLS keeps a record that did not go out whole */
	bool shaken;
	bool finished; /* goodbye was said: nothing more is sent */
};

/* ---- credentials ---- */

static bool fail(GError **error, const char *what, const char *why)
{
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "TLS: %s: %s", what, why);
	return false;
}

/* This reads from the file's beginning: others share the descriptor's position. */
static bool read_file(int fd, const char *what, gnutls_datum_t *datum, GError **error)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(error, what, "is no file");
	if (st.st_size <= 0 || st.st_size > TLS_FILE_BYTES_MAX)
		return fail(error, what, "is empty or too large");
	datum->data = g_malloc0((size_t)st.st_size + 1);
	ssize_t n = pread(fd, datum->data, (size_t)st.st_size, 0);
	if (n < 0)
		return fail(error, what, g_strerror(errno));
	datum->size = (unsigned)n;
	return true;
}

static void free_file(gnutls_datum_t *datum)
{
	if (datum->data)
		explicit_bzero(datum->data, datum->size);
	g_free(datum->data);
}

static bool load(
	struct tls_credentials *credentials, int certificate_fd, int key_fd, GError **error)
{
	gnutls_datum_t certificate = { 0 }, key = { 0 };
	bool ok = read_file(certificate_fd, "the certificate", &certificate, error) &&
		  read_file(key_fd, "the key", &key, error);
	if (ok) {
		int result = gnutls_certificate_set_x509_key_mem(
			credentials->gnutls, &certificate, &key, GNUTLS_X509_FMT_PEM);
		ok = result >= 0 || fail(error, "certificate and key", gnutls_strerror(result));
	}
	free_file(&certificate);
	free_file(&key);
	return ok;
}

struct tls_credentials *tls_credentials_create(int certificate_fd, int key_fd, GError **error)
{
	struct tls_credentials *credentials = g_new0(struct tls_credentials, 1);
	g_atomic_ref_count_init(&credentials->refs);
	int result = gnutls_certificate_allocate_credentials(&credentials->gnutls);
	if (result < 0)
		fail(error, "credentials", gnutls_strerror(result));
	else if (load(credentials, certificate_fd, key_fd, error))
		return credentials;
	tls_credentials_unref(credentials);
	return NULL;
}

struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials)
{
	g_atomic_ref_count_inc(&credentials->refs);
	return credentials;
}

void tls_credentials_unref(struct tls_credentials *credentials)
{
	if (!credentials || !g_atomic_ref_count_dec(&credentials->refs))
		return;
	if (credentials->gnutls)
		gnutls_certificate_free_credentials(credentials->gnutls);
	g_free(credentials);
}

/* These are ASN.1's numbers of strings (X.680) of which each is UTF-8, too. */
static bool is_utf8(unsigned tag)
{
	return tag == 12 || tag == 19 || tag == 22; /* UTF8String, PrintableString, IA5String */
}

/* The client looks the type up by its number as well as by its name. */
static bool put_part(GString *text, const gnutls_x509_ava_st *part)
{
	if (!is_utf8(part->value_tag) || part->value.size == 0 ||
		memchr(part->value.data, 0, part->value.size))
		return false;
	g_string_append_printf(text, "%s%.*s=", text->len > 0 ? "," : "",
		(int)strnlen((const char *)part->oid.data, part->oid.size),
		(const char *)part->oid.data);
	for (unsigned i = 0; i < part->value.size; i++) {
		if (part->value.data[i] == ',' || part->value.data[i] == '\\')
			g_string_append_c(text, '\\');
		g_string_append_c(text, (char)part->value.data[i]);
	}
	return true;
}

/* A part of several values has no form of its own there. */
static char *describe_name(gnutls_x509_dn_t name)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gnutls_x509_ava_st part;
	for (int i = 0; gnutls_x509_dn_get_rdn_ava(name, i, 0, &part) == 0; i++) {
		gnutls_x509_ava_st second;
		if (gnutls_x509_dn_get_rdn_ava(name, i, 1, &second) == 0 || !put_part(text, &part))
			return NULL;
	}
	return text->len > 0 ? g_strndup(text->str, text->len) : NULL;
}

char *tls_credentials_describe_subject(const struct tls_credentials *credentials)
{
	gnutls_datum_t bytes;
	gnutls_x509_crt_t certificate;
	gnutls_x509_dn_t name;
	char *text = NULL;
	if (gnutls_certificate_get_crt_raw(credentials->gnutls, 0, 0, &bytes) < 0 ||
		gnutls_x509_crt_init(&certificate) < 0)
		return NULL;
	if (gnutls_x509_crt_import(certificate, &bytes, GNUTLS_X509_FMT_DER) == 0 &&
		gnutls_x509_crt_get_subject(certificate, &name) == 0)
		text = describe_name(name);
	gnutls_x509_crt_deinit(certificate);
	return text;
}

/* ---- a session ---- */

static int set_up(struct tls *tls, int fd)
{
	int result = gnutls_init(&tls->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (result < 0)
		return result;
	result = gnutls_priority_set_direct(tls->session, PRIORITY, NULL);
	if (result < 0)
		return result;
	result = gnutls_credentials_set(
		tls->session, GNUTLS_CRD_CERTIFICATE, tls->credentials->gnutls);
	/* We need no deadline of GnuTLS's: the lobby has one for strangers. */
	gnutls_handshake_set_timeout(tls->session, GNUTLS_INDEFINITE_TIMEOUT);
	gnutls_transport_set_int(tls->session, fd);
	return result;
}

struct tls *tls_create(struct tls_credentials *credentials, int fd)
{
	struct tls *tls = g_new0(struct tls, 1);
	tls->credentials = tls_credentials_ref(credentials);
	int result = set_up(tls, fd);
	if (result >= 0)
		return tls;
	peer_warning(PEER_CLIENT, "client: no TLS session: %s", gnutls_strerror(result));
	tls_destroy(tls);
	return NULL;
}

int tls_finish(struct tls *tls)
{
	if (!tls->session || !tls->shaken || tls->finished || tls->reason != 0 || tls->unsent)
		return 0;
	int result = gnutls_bye(tls->session, GNUTLS_SHUT_WR);
	if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED)
		return -EAGAIN;
	tls->finished = true;
	return 0;
}

void tls_destroy(struct tls *tls)
{
	if (!tls)
		return;
	tls_finish(tls);
	if (tls->session)
		gnutls_deinit(tls->session);
	tls_credentials_unref(tls->credentials);
	g_free(tls);
}

static bool is_passing(ssize_t result)
{
	return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED ||
	       result == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

/* Says that the kernel has given the peer up. GnuTLS leaves errno as the system's call left it,
 * which the caller has set to 0 before. */
static bool is_timeout(ssize_t result)
{
	return (result == GNUTLS_E_PULL_ERROR || result == GNUTLS_E_PUSH_ERROR) &&
	       (errno == ETIMEDOUT || errno == EHOSTUNREACH || errno == ENETUNREACH);
}

/* Returns the -errno for an error of GnuTLS. */
static int error_of(ssize_t result)
{
	if (is_timeout(result))
		return -ETIMEDOUT;
	switch (result) {
	case GNUTLS_E_PREMATURE_TERMINATION:
		return -EPIPE;
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return -ECONNRESET;
	default:
		return -EPROTO;
	}
}

int tls_shake(struct tls *tls)
{
	int result;
	do
		result = gnutls_handshake(tls->session);
	while (result == GNUTLS_E_INTERRUPTED || result == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (result == GNUTLS_E_AGAIN)
		return -EAGAIN;
	tls->shaken = result >= 0;
	tls->reason = MIN(result, 0);
	if (!tls->shaken && error_of(result) == -EPROTO)
		gnutls_alert_send_appropriate(tls->session, result);
	return tls->shaken ? 0 : error_of(result);
}

/*
 * The commonest fault of all is a certificate that the client does not trust. OpenSSL says that
 * without encryption where TLS 1.3 has begun to encrypt, so that GnuTLS cannot read it.
 */
static bool is_distrust(const struct tls *tls)
{
	if (tls->shaken || tls->reason != GNUTLS_E_FATAL_ALERT_RECEIVED)
		return !tls->shaken && tls->reason == GNUTLS_E_DECRYPTION_FAILED;
	switch (gnutls_alert_get(tls->session)) {
	case GNUTLS_A_BAD_CERTIFICATE:
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
	case GNUTLS_A_CERTIFICATE_REVOKED:
	case GNUTLS_A_CERTIFICATE_EXPIRED:
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
	case GNUTLS_A_UNKNOWN_CA:
		return true;
	default:
		return false;
	}
}

const char *tls_reason(const struct tls *tls)
{
	if (is_distrust(tls))
		return "it does not trust the certificate, or not for the name that it connects to";
	return gnutls_strerror(tls->reason);
}

bool tls_wants_out(const struct tls *tls)
{
	return gnutls_record_get_direction(tls->session) == 1;
}

/* A client that wants to agree anew (TLS 1.2) is refused; GnuTLS does TLS 1.3's new keys by itself.
 */
ssize_t tls_read(struct tls *tls, uint8_t *bytes, size_t size_bytes)
{
	errno = 0;
	ssize_t n = gnutls_record_recv(tls->session, bytes, size_bytes);
	if (n >= 0)
		return n;
	if (is_passing(n))
		return -EAGAIN;
	tls->reason = (int)n;
	return n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : error_of(n);
}

/* GnuTLS keeps a record that did not go out whole. To go on with it, it must be passed no bytes. */
ssize_t tls_write(struct tls *tls, const uint8_t *bytes, size_t size_bytes)
{
	errno = 0;
	ssize_t n = gnutls_record_send(
		tls->session, tls->unsent ? NULL : bytes, tls->unsent ? 0 : size_bytes);
	tls->unsent = n < 0 && is_passing(n);
	if (n >= 0)
		return n;
	if (is_passing(n))
		return -EAGAIN;
	tls->reason = (int)n;
	return is_timeout(n) ? -ETIMEDOUT : -EPIPE;
}
