/* SPDX-License-Identifier: MIT */
/* admission: checks who is let in without a password, and that the log says who was not. */
#include "server/keeper/admission.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/unit/server/files.h"

static bool has(const struct admission *admission, uid_t uid)
{
	for (unsigned i = 0; i < admission->n_users; i++) {
		if (admission->users[i] == uid)
			return true;
	}
	return false;
}

static struct admission make(const char *allow_user, bool no_password)
{
	struct desktop desktop = {
		.spice_fd = -1, .allow_user = (char *)allow_user, .no_password = no_password
	};
	struct admission admission;
	g_autoptr(GError) error = NULL;
	admission_init(&admission, &desktop, &error);
	g_assert_no_error(error);
	return admission;
}

/* Says of whoever is let in or sent away whose connection it is. */
static bool judge(struct admission *admission, const struct keeper_visitor *visitor, int fd)
{
	uint32_t uid;
	bool welcome = admission_judge(admission, visitor, fd, &uid);
	bool known = visitor->family == AF_UNIX && fd >= 0;
	g_assert_cmpuint(uid, ==, known ? geteuid() : KEEPER_UID_UNKNOWN);
	return welcome;
}

static void test_users(void)
{
	g_unsetenv("SUDO_UID");
	struct admission admission = make(NULL, false);
	g_assert_true(has(&admission, 0) && has(&admission, geteuid()));
	g_assert_false(has(&admission, 12345));
	admission_finish(&admission);
	g_setenv("SUDO_UID", "12345", TRUE);
	admission = make("daemon,23456,bin", false);
	g_assert_true(has(&admission, 0) && has(&admission, 12345) && has(&admission, 23456));
	g_assert_true(has(&admission, 1) && has(&admission, 2));
	g_assert_false(has(&admission, 3));
	admission_finish(&admission);
	static const char *const nonsense[] = { "", "-1", "1x", "4294967295", "root" };
	for (unsigned i = 0; i < G_N_ELEMENTS(nonsense); i++) {
		g_setenv("SUDO_UID", nonsense[i], TRUE);
		admission = make(NULL, false);
		g_assert_cmpuint(admission.n_users, ==, 2);
		admission_finish(&admission);
	}
	g_unsetenv("SUDO_UID");
}

static void test_names(void)
{
	uid_t users[DESKTOP_USERS_MAX];
	static const char *const wrong[] = { "no-such-user", "root,", ",root", "-1", "4294967295" };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_cmpint(desktop_read_users(wrong[i], users, &error), ==, -1);
		g_assert_nonnull(strstr(error->message, "--allow-user: no user \""));
	}
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) many = g_string_new("0");
	for (unsigned i = 1; i < DESKTOP_USERS_MAX; i++)
		g_string_append_printf(many, ",%u", i);
	g_assert_cmpint(desktop_read_users(many->str, users, &error), ==, DESKTOP_USERS_MAX);
	g_string_append(many, ",77");
	g_assert_cmpint(desktop_read_users(many->str, users, &error), ==, -1);
	g_assert_cmpint(desktop_read_users(NULL, users, NULL), ==, 0);
}

static void test_unix(void)
{
	struct admission admission = make(NULL, false);
	const struct keeper_visitor visitor = { .family = AF_UNIX };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *path = write_file("socket", "", 0);
	unlink(path);
	memcpy(address.sun_path, path, strlen(path));
	int listener = listen_unix(path, NULL);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(client, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_true(judge(&admission, &visitor, accepted));
	/* Somebody else's desktop. */
	admission.n_users = 0;
	g_autofree char *line = g_strdup_printf(
		"client on the unix socket: refused: it is user %u's*--allow-user=%u*", geteuid(),
		geteuid());
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, line);
	g_assert_false(judge(&admission, &visitor, accepted));
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING,
		"*refused: the kernel does not tell whose it is, and*");
	g_assert_false(judge(&admission, &visitor, -1));
	g_test_assert_expected_messages();
	close(accepted);
	close(client);
	close(listener);
	remove_file(path);
	admission_finish(&admission);
}

/* Nobody of this host has this connection; other families are nobody's, either. */
static void test_nobody(void)
{
	struct admission admission = make(NULL, false);
	struct keeper_visitor visitor = { .family = AF_INET,
		.peer_port = htons(4711),
		.peer_addr = { 192, 0, 2, 1 },
		.local_addr = { 127, 0, 0, 1 } };
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING,
		"client 192.0.2.1:4711: refused: the connection is over, or not of this*");
	g_assert_false(judge(&admission, &visitor, -1));
	visitor.family = AF_NETLINK;
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, "*refused*");
	g_assert_false(judge(&admission, &visitor, -1));
	g_test_assert_expected_messages();
	admission_finish(&admission);
}

static void test_open(void)
{
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, "everybody*--no-password");
	struct admission admission = make(NULL, true);
	const struct keeper_visitor visitor = { .family = AF_INET, .peer_addr = { 192, 0, 2, 1 } };
	g_assert_true(judge(&admission, &visitor, -1));
	g_test_assert_expected_messages();
	admission_finish(&admission);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/admission/users", test_users);
	g_test_add_func("/admission/names", test_names);
	g_test_add_func("/admission/unix", test_unix);
	g_test_add_func("/admission/nobody", test_nobody);
	g_test_add_func("/admission/open", test_open);
	return g_test_run();
}
