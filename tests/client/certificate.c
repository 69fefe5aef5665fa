/* SPDX-License-Identifier: MIT */
#include "tests/client/certificate.h"

#include <glib.h>
#include <gnutls/x509.h>
#include <time.h>

#define DAY_S 86400

static void save(const char *path, gnutls_datum_t *pem)
{
	g_autoptr(GError) error = NULL;

	g_file_set_contents(path, (const char *)pem->data, pem->size, &error);
	g_assert_no_error(error);
	gnutls_free(pem->data);
}

static void describe(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *subject)
{
	static const unsigned char address[] = { 127, 0, 0, 1 }, serial[] = { 1 };
	int result = 0;

	result |= gnutls_x509_crt_set_version(certificate, 3);
	result |= gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
	result |= gnutls_x509_crt_set_activation_time(certificate, time(NULL) - DAY_S);
	result |= gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + DAY_S);
	result |= gnutls_x509_crt_set_dn(certificate, subject, NULL);
	result |= gnutls_x509_crt_set_subject_alt_name(
		certificate, GNUTLS_SAN_IPADDRESS, address, sizeof(address), GNUTLS_FSAN_SET);
	result |= gnutls_x509_crt_set_basic_constraints(certificate, 1, -1);
	result |= gnutls_x509_crt_set_key(certificate, key);
	result |= gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
	g_assert_cmpint(result, ==, 0);
}

void certificate_write_for(const char *certificate_path, const char *key_path, const char *subject)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t pem;

	g_assert_cmpint(gnutls_x509_privkey_init(&key), ==, 0);
	g_assert_cmpint(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
				GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		==, 0);
	g_assert_cmpint(gnutls_x509_crt_init(&certificate), ==, 0);
	describe(certificate, key, subject);
	g_assert_cmpint(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
	save(certificate_path, &pem);
	g_assert_cmpint(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
	save(key_path, &pem);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
}

void certificate_write(const char *certificate_path, const char *key_path)
{
	certificate_write_for(certificate_path, key_path, "CN=127.0.0.1");
}
