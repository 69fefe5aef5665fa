/* SPDX-License-Identifier: MIT */
/*
 * secrets: runs vitrine-gpu, changes the files of its passwords, users and certificate, and sends
 * SIGHUP.
 * The display that it has and the next one get what is good, and nothing that is not.
 */
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/client/certificate.h"
#include "tests/unit/server/rig.h"

#define PATIENCE_MS 20000

struct site {
	char *folder, *password, *view_password, *users, *certificate, *key;
	struct rig *rig;
};

static void write_text(const char *path, const char *text)
{
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static unsigned free_port(void)
{
	unsigned port;
	int fd = listen_tcp_range("127.0.0.1", 27000, 27099, &port, NULL);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	return port;
}

static void site_init(struct site *site)
{
	site->folder = g_dir_make_tmp("vitrine-secrets-XXXXXX", NULL);
	site->password = g_build_filename(site->folder, "password", NULL);
	site->view_password = g_build_filename(site->folder, "view-password", NULL);
	site->users = g_build_filename(site->folder, "users", NULL);
	site->certificate = g_build_filename(site->folder, "certificate", NULL);
	site->key = g_build_filename(site->folder, "key", NULL);
	write_text(site->password, "swordfish\n");
	write_text(site->view_password, "goldfish\n");
	write_text(site->users, "alice:wonderland\nbob/view:look\ncarol:salmon\n");
	certificate_write(site->certificate, site->key);
	g_autofree char *options[] = {
		g_strdup_printf("--password-file=%s", site->password),
		g_strdup_printf("--view-password-file=%s", site->view_password),
		g_strdup_printf("--users-file=%s", site->users),
		g_strdup_printf("--spice-tls-port=%u", free_port()),
		g_strdup_printf("--spice-tls-cert=%s", site->certificate),
		g_strdup_printf("--spice-tls-key=%s", site->key),
	};
	const char *const arguments[] = { options[0], options[1], options[2], options[3],
		options[4], options[5], NULL };
	site->rig = rig_create(arguments);
	for (unsigned i = 1; i < G_N_ELEMENTS(options); i++)
		g_free(options[i]);
	rig_negotiate(site->rig);
}

static void site_finish(struct site *site)
{
	rig_destroy(site->rig);
	g_unlink(site->password);
	g_unlink(site->view_password);
	g_unlink(site->users);
	g_unlink(site->certificate);
	g_unlink(site->key);
	g_rmdir(site->folder);
	g_free(site->folder);
	g_free(site->password);
	g_free(site->view_password);
	g_free(site->users);
	g_free(site->certificate);
	g_free(site->key);
}

/* Gives what a worker's log has of the certificate that lies there now. */
static char *certificate_note(const struct site *site)
{
	g_autofree char *text = NULL;
	gsize length;
	g_assert_true(g_file_get_contents(site->certificate, &text, &length, NULL));
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_MD5, (guchar *)text, length);
	return g_strdup_printf("CERTIFICATE %s", sum);
}

/* Waits until the keeper has said it n times. */
static void await_error(const struct site *site, const char *text, unsigned n_times)
{
	for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
		g_autofree char *errors = rig_errors(site->rig);
		unsigned n = 0;
		for (const char *at = errors; (at = strstr(at, text)); at++)
			n++;
		if (n >= n_times)
			return;
		g_usleep(10000);
	}
	g_autofree char *errors = rig_errors(site->rig);
	g_error("\"%s\" is not %u times in: %s", text, n_times, errors);
}

static void test_taken(void)
{
	struct site site;
	site_init(&site);
	g_autofree char *first = certificate_note(&site);
	rig_wait_log(site.rig, "TICKET swordfish as desktop\n", 1);
	rig_wait_log(site.rig, "TICKET 2 1 0 goldfish as view\n", 1);
	rig_wait_log(site.rig, first, 1);
	certificate_write(site.certificate, site.key);
	write_text(site.password, "marlin\n");
	write_text(site.view_password, "carp\n");
	g_autofree char *second = certificate_note(&site);
	kill(site.rig->pid, SIGHUP);
	rig_wait_log(site.rig, "TICKET marlin as desktop\n", 1);
	rig_wait_log(site.rig, "TICKET 2 1 0 carp as view\n", 1);
	rig_wait_log(site.rig, second, 1);
	await_error(&site, "SIGHUP: the password was read again", 1);
	await_error(&site, "SIGHUP: the certificate was read again", 1);
	/* All of them at once: the two, and three users. */
	g_assert_cmpuint(rig_count_log(site.rig, "PASSWORDS 5\n"), ==, 2);
	g_assert_cmpuint(rig_count_log(site.rig, "PASSWORDS"), ==, 2);
	site_finish(&site);
}

/* Each of these leaves what was good in its place, for this display and for the next. */
static void test_refused(void)
{
	struct site site;
	site_init(&site);
	g_autofree char *first = certificate_note(&site);
	rig_wait_log(site.rig, first, 1);
	write_text(site.password, "\n");
	write_text(site.certificate, "-----BEGIN CERTIFICATE-----\nMIIB");
	kill(site.rig->pid, SIGHUP);
	await_error(&site, "SIGHUP: the password stays as it was: ", 1);
	await_error(&site, "SIGHUP: the certificate stays as it was: certificate and key: ", 1);
	/* A certificate whose key has not come yet. */
	g_autofree char *other = g_build_filename(site.folder, "other", NULL);
	certificate_write(site.certificate, other);
	g_unlink(other);
	g_unlink(site.password);
	kill(site.rig->pid, SIGHUP);
	await_error(&site, "certificate and key: ", 2);
	await_error(&site, "password: No such file", 1);
	g_unlink(site.key);
	g_assert_cmpint(mkfifo(site.key, 0600), ==, 0);
	kill(site.rig->pid, SIGHUP);
	await_error(&site, "key: not a regular file", 1);
	/* Each SIGHUP has said all that is good once more. */
	rig_wait_log(site.rig, "TICKET swordfish", 4);

	pid_t display = rig_worker(site.rig, "display");
	kill(display, SIGKILL);
	rig_wait_log(site.rig, "TICKET swordfish", 5);
	rig_wait_log(site.rig, first, 2);
	g_assert_cmpuint(rig_count_log(site.rig, "CERTIFICATE"), ==, 2);
	g_autofree char *errors = rig_errors(site.rig);
	g_assert_null(strstr(errors, "swordfish"));
	site_finish(&site);
}

static void expect_users(const struct site *site, unsigned n_times)
{
	rig_wait_log(site->rig, "USER 0 4 alice wonderland", n_times);
	rig_wait_log(site->rig, "USER 1 5 bob look", n_times);
	rig_wait_log(site->rig, "USER 2 4 carol salmon", n_times);
}

/* Who is not in the file any more is forgotten, and the next display does not hear of them. */
static void test_users(void)
{
	struct site site;
	site_init(&site);
	expect_users(&site, 1);
	write_text(site.users, "# bob has gone\nalice:cheshire\ncarol/view:salmon\n");
	kill(site.rig->pid, SIGHUP);
	await_error(&site, "SIGHUP: the list of users was read again", 1);
	rig_wait_log(site.rig, "USER 0 4 alice cheshire", 1);
	rig_wait_log(site.rig, "USER 1 5 carol salmon", 1);
	rig_wait_log(site.rig, "PASSWORDS 4\n", 1);
	kill(rig_worker(site.rig, "display"), SIGKILL);
	rig_wait_log(site.rig, "USER 1 5 carol salmon", 2);
	rig_wait_log(site.rig, "CERTIFICATE", 3);
	g_assert_cmpuint(rig_count_log(site.rig, "USER"), ==, 7);
	site_finish(&site);
}

static void test_users_refused(void)
{
	struct site site;
	site_init(&site);
	expect_users(&site, 1);
	write_text(site.users, "alice:cheshire\nbob\n");
	kill(site.rig->pid, SIGHUP);
	await_error(&site, "SIGHUP: the list of users stays as it was: ", 1);
	await_error(&site, "users: line 2: no colon", 1);
	g_unlink(site.users);
	kill(site.rig->pid, SIGHUP);
	await_error(&site, "users: No such file", 1);
	expect_users(&site, 3);
	kill(rig_worker(site.rig, "display"), SIGKILL);
	expect_users(&site, 4);
	g_assert_cmpuint(rig_count_log(site.rig, "cheshire"), ==, 0);
	g_autofree char *errors = rig_errors(site.rig);
	g_assert_null(strstr(errors, "wonderland"));
	g_assert_null(strstr(errors, "cheshire"));
	site_finish(&site);
}

/* What nohup(1) ignores stays ignored, and the desktop has nothing to be read. */
static void test_without(void)
{
	struct rig *rig = rig_create(NULL);
	rig_negotiate(rig);
	kill(rig->pid, SIGHUP);
	rig_get_u64(rig, VHOST_USER_GET_FEATURES);
	rig_destroy(rig);

	signal(SIGHUP, SIG_IGN);
	rig = rig_create(NULL);
	signal(SIGHUP, SIG_DFL);
	kill(rig->pid, SIGHUP);
	rig_negotiate(rig);
	kill(rig->pid, SIGHUP);
	kill(rig->pid, SIGTERM);
	g_assert_cmpint(rig_wait_end(rig), ==, 0);
	rig_free(rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/secrets/taken", test_taken);
	g_test_add_func("/secrets/refused", test_refused);
	g_test_add_func("/secrets/users", test_users);
	g_test_add_func("/secrets/users-refused", test_users_refused);
	g_test_add_func("/secrets/without", test_without);
	return g_test_run();
}
