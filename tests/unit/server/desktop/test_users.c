/* SPDX-License-Identifier: MIT */
/* users: reads files of names and passwords, right and wrong ones. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/desktop/users.h"
#include "tests/unit/server/files.h"

#define TEN "xxxxxxxxxx"
#define LONGEST_NAME TEN TEN TEN TEN TEN TEN "xxx"
#define LONGEST_PASSWORD TEN TEN TEN TEN TEN "xxxxxxxxx"

static const struct row {
	const char *name, *text;
	const char *users; /* name=password of each, or name/password of who may only look on */
	const char *wrong; /* NULL: nothing */
} rows[] = {
	{ "one", "alice:wonderland\n", "alice=wonderland;", NULL },
	{ "no-end", "alice:wonderland", "alice=wonderland;", NULL },
	{ "view-only", "alice:one\nbob/view:two\n", "alice=one;bob/two;", NULL },
	{ "carriage-return", "alice:one\r\n\r\nbob:two\r\n", "alice=one;bob=two;", NULL },
	{ "comments", "# who\n\nalice:one\n#bob:two\n\n", "alice=one;", NULL },
	{ "nobody", "", "", NULL },
	{ "comments-only", "#\n\n", "", NULL },
	{ "letters", "A.b-c_d@e9:one\n", "A.b-c_d@e9=one;", NULL },
	{ "cases", "alice:one\nAlice:two\n", "alice=one;Alice=two;", NULL },
	{ "further-colons", "alice::a:b: \n", "alice=:a:b: ;", NULL },
	{ "sign-in-password", "alice:one#two\n", "alice=one#two;", NULL },
	{ "password-utf-8", "alice:s\xc3\xbc\xc3\x9f\n", "alice=s\xc3\xbc\xc3\x9f;", NULL },
	{ "longest", LONGEST_NAME "/view:" LONGEST_PASSWORD "\n",
		LONGEST_NAME "/" LONGEST_PASSWORD ";", NULL },

	{ "no-colon", "alice:one\nbob\n", NULL, "line 2: no colon" },
	{ "blank", " \n", NULL, "line 1: no colon" },
	{ "no-name", ":one\n", NULL, "line 1: no name" },
	{ "view-alone", "/view:one\n", NULL, "line 1: no name" },
	{ "two-views", "alice/view/view:one\n", NULL, "line 1: no name" },
	{ "other-mark", "alice/admin:one\n", NULL, "line 1: no name" },
	{ "space-in-name", "alice b:one\n", NULL, "line 1: no name" },
	{ "space-before", " alice:one\n", NULL, "line 1: no name" },
	{ "late-comment", "alice:one\n #bob:two\n", NULL, "line 2: no name" },
	{ "byte-order-mark",
		"\xef\xbb\xbf"
		"alice:one\n",
		NULL, "line 1: no name" },
	{ "name-utf-8", "\xc3\xa4lice:one\n", NULL, "line 1: no name" },
	{ "long-name", LONGEST_NAME "x:one\n", NULL, "line 1: no name" },
	{ "no-password", "# who\nalice:\n", NULL, "line 2: no password" },
	{ "no-password-cr", "alice:\r\n", NULL, "line 1: no password" },
	{ "long-password", "alice:" LONGEST_PASSWORD "x\n", NULL, "line 1: no password" },
	{ "control-in-password", "alice:one\ttwo\n", NULL, "line 1: no password" },
	{ "carriage-return-inside", "alice:one\rtwo\n", NULL, "line 1: no password" },
	{ "password-latin-1", "alice:s\xfc\xdf\n", NULL, "line 1: no password" },
	{ "password-cut-utf-8", "alice:s\xc3\n", NULL, "line 1: no password" },
	{ "twice", "alice:one\nbob:two\nalice:three\n", NULL, "line 3: a name that there is" },
	{ "twice-view", "alice:one\nalice/view:two\n", NULL, "line 2: a name that there is" },
	{ "desktop", "desktop:one\n", NULL, "line 1: a name that there is" },
	{ "view", "view/view:one\n", NULL, "line 1: a name that there is" },
};

static bool read_text(const char *text, size_t size_bytes, struct users *users, GError **error)
{
	char *path = write_file("users", text, size_bytes);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = users_read_fd(fd, "it", users, error);
	close(fd);
	remove_file(path);
	return good;
}

static void expect_nobody(const struct users *users)
{
	static const struct users nobody;
	g_assert_cmpmem(users, sizeof(*users), &nobody, sizeof(nobody));
}

static void expect_users(const struct users *users, const char *expected)
{
	g_autoptr(GString) text = g_string_new("");
	for (unsigned i = 0; i < users->n; i++) {
		const struct user *user = &users->all[i];
		g_string_append_printf(
			text, "%s%c%s;", user->name, user->view_only ? '/' : '=', user->password);
	}
	g_assert_cmpstr(text->str, ==, expected);
}

/* What is wrong is named by its line; nothing of the file is in the message, and nobody comes of
 * it. */
static void test_row(gconstpointer data)
{
	const struct row *row = data;
	struct users users;
	g_autoptr(GError) error = NULL;
	memset(&users, 0x5a, sizeof(users));
	g_assert_true(read_text(row->text, strlen(row->text), &users, &error) == !row->wrong);
	if (row->wrong) {
		g_assert_nonnull(strstr(error->message, row->wrong));
		g_assert_null(strstr(error->message, "one"));
		g_assert_null(strstr(error->message, "alice"));
		g_assert_null(strstr(error->message, TEN));
		expect_nobody(&users);
		return;
	}
	g_assert_no_error(error);
	expect_users(&users, row->users);
	users_finish(&users);
	expect_nobody(&users);
}

static void expect_refused(const GString *text, const char *why)
{
	struct users users;
	g_autoptr(GError) error = NULL;
	g_assert_false(read_text(text->str, text->len, &users, &error));
	if (!strstr(error->message, why))
		g_error("\"%s\" is not in: %s", why, error->message);
	expect_nobody(&users);
}

static void test_bounds(void)
{
	struct users users;
	g_autoptr(GString) text = g_string_new("");
	for (unsigned i = 0; i < USERS_MAX; i++)
		g_string_append_printf(text, "user%u:%u\n", i, i);
	g_assert_true(read_text(text->str, text->len, &users, NULL));
	g_assert_cmpuint(users.n, ==, USERS_MAX);
	g_assert_cmpstr(users.all[USERS_MAX - 1].name, ==, "user49");
	g_string_append(text, "user50:50\n");
	expect_refused(text, "line 51: one user too many");

	g_string_assign(text, "alice:one\n");
	while (text->len < USERS_FILE_MAX_BYTES)
		g_string_append_c(text, '#');
	g_assert_true(read_text(text->str, text->len, &users, NULL));
	expect_users(&users, "alice=one;");
	g_string_append_c(text, '#');
	expect_refused(text, "more than 16384 bytes");
	g_string_assign(text, "alice:one\n");
	g_string_append_len(text, "bob:t\0wo\n", 9);
	expect_refused(text, "it is no text");
}

static void test_file(void)
{
	struct users users;
	g_autoptr(GError) error = NULL;
	char *path = write_file("users", "alice:one\nbob", 13);
	g_autofree char *what = g_strdup_printf("--users-file=%s: line 2: no colon", path);
	g_assert_false(users_read(path, &users, &error));
	g_assert_cmpstr(error->message, ==, what);
	g_assert_true(g_file_set_contents(path, "alice:one", -1, NULL));
	g_assert_true(users_read(path, &users, NULL));
	expect_users(&users, "alice=one;");
	remove_file(path);
}

/* Both programs read it, and SIGHUP does: what can be read once is refused, and not waited for. */
static void test_no_plain_file(void)
{
	struct users users;
	g_autofree char *folder = g_dir_make_tmp("vitrine-users-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "fifo", NULL);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	const char *const wrong[] = { path, folder, "/nonexistent", "/dev/stdin" };
	g_assert_nonnull(freopen(path, "r+", stdin));
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_false(users_read(wrong[i], &users, &error));
		g_autofree char *what =
			g_strdup_printf("--users-file=%s: not a plain file", wrong[i]);
		g_assert_cmpstr(error->message, ==, what);
	}
	g_unlink(path);
	g_rmdir(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/users/row/%s", rows[i].name);
		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/users/bounds", test_bounds);
	g_test_add_func("/users/file", test_file);
	g_test_add_func("/users/no-plain-file", test_no_plain_file);
	return g_test_run();
}
