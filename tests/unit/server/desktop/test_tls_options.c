/* SPDX-License-Identifier: MIT */
/* tls_options: checks what a client is told to trust, and that files that are half there are not.
 */
#include "server/desktop/tls_options.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/client/certificate.h"

struct fixture {
	char *folder, *certificate, *key, *text;
	gsize length;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->folder = g_dir_make_tmp("vitrine-tls-XXXXXX", NULL);
	f->certificate = g_build_filename(f->folder, "certificate", NULL);
	f->key = g_build_filename(f->folder, "key", NULL);
	certificate_write(f->certificate, f->key);
	g_assert_true(g_file_get_contents(f->certificate, &f->text, &f->length, NULL));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_unlink(f->certificate);
	g_unlink(f->key);
	g_rmdir(f->folder);
	g_free(f->folder);
	g_free(f->certificate);
	g_free(f->key);
	g_free(f->text);
}

static void test_trust(struct fixture *f, gconstpointer data)
{
	struct tls_trust trust;
	g_autoptr(GError) error = NULL;
	g_assert_true(tls_trust_read(&trust, f->certificate, &error));
	g_assert_cmpstr(trust.subject, ==, "CN=127.0.0.1");
	g_assert_cmpstr(trust.authority, ==, f->text);
	tls_trust_finish(&trust);
}

/* The authority is the last one. */
static void test_chain(struct fixture *f, gconstpointer data)
{
	struct tls_trust trust;
	g_autofree char *first = g_strdup(f->text), *last = NULL, *both = NULL;
	certificate_write(f->certificate, f->key);
	g_assert_true(g_file_get_contents(f->certificate, &last, NULL, NULL));
	g_assert_cmpstr(first, !=, last);
	both = g_strconcat(first, last, NULL);
	g_assert_true(g_file_set_contents(f->certificate, both, -1, NULL));
	g_assert_true(tls_trust_read(&trust, f->certificate, NULL));
	g_assert_cmpstr(trust.authority, ==, last);
	tls_trust_finish(&trust);
}

static void test_nonsense(struct fixture *f, gconstpointer data)
{
	struct tls_trust trust;
	g_autoptr(GError) no_certificate = NULL, missing = NULL;
	g_assert_false(tls_trust_read(&trust, f->key, &no_certificate));
	g_assert_nonnull(strstr(no_certificate->message, f->key));
	tls_trust_finish(&trust);
	g_assert_false(tls_trust_read(&trust, "/nonexistent", &missing));
	tls_trust_finish(&trust);
}

/* A file that is being written is refused, wherever it ends before its last line says something. */
static void test_cut_off(struct fixture *f, gconstpointer data)
{
	struct tls_options options = { .port = 1, .certificate = f->certificate, .key = f->key };
	g_assert_true(tls_options_check(&options, NULL));
	gsize end = (gsize)(strstr(f->text, "-----END ") - f->text);
	for (gsize length = 0; length < end; length += 7) {
		g_autoptr(GError) error = NULL;
		g_assert_true(g_file_set_contents(f->certificate, f->text, (gssize)length, NULL));
		g_assert_false(tls_options_check(&options, &error));
		g_assert_nonnull(error);
		/* So is a second one behind a good one. */
		g_clear_error(&error);
		g_autofree char *both = g_strdup_printf("%s%.*s", f->text, (int)length, f->text);
		g_assert_true(g_file_set_contents(f->certificate, both, -1, NULL));
		g_assert_true(tls_options_check(&options, &error) == (length < 11));
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = { { "trust", test_trust }, { "chain", test_chain },
		{ "nonsense", test_nonsense }, { "cut-off", test_cut_off } };
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/tls-options/%s", cases[i].name);
		g_test_add(path, struct fixture, NULL, set_up, cases[i].run, tear_down);
	}
	return g_test_run();
}
