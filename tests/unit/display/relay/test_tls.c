/* SPDX-License-Identifier: MIT */
/* tls: how a certificate's subject is said to clients. What travels in TLS is tested in outer. */
#include <glib.h>

#include "tests/unit/display/relay/own_credentials.h"

/* RFC 4514 says the last part first. */
static const struct {
	const char *subject, *said;
} subjects[] = {
	{ "CN=127.0.0.1", "2.5.4.3=127.0.0.1" },
	{ "CN=work.example,O=Example\\, Inc.,C=DE",
		"2.5.4.6=DE,2.5.4.10=Example\\, Inc.,2.5.4.3=work.example" },
	{ "CN=back\\\\slash", "2.5.4.3=back\\\\slash" },
	{ "CN=M\xc3\xbcller", "2.5.4.3=M\xc3\xbcller" },
};

static void test_subject(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(subjects); i++) {
		struct tls_credentials *credentials =
			own_credentials_create_for(subjects[i].subject);
		g_autofree char *said = tls_credentials_describe_subject(credentials);
		g_assert_cmpstr(said, ==, subjects[i].said);
		tls_credentials_unref(credentials);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tls/subject", test_subject);
	return g_test_run();
}
