/* SPDX-License-Identifier: MIT */
/* password: checks that one line is read, once, from whatever holds it. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/desktop/password.h"
#include "tests/unit/server/files.h"

#define LONGEST "xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx xxxxxxxxx"

static const struct row {
	const char *text;
	const char *password; /* NULL: refused */
} rows[] = {
	{ "secret\nrest", "secret" },
	{ "secret\r\nrest", "secret" },
	{ "secret", "secret" },
	{ " with spaces \n", " with spaces " },
	{ LONGEST, LONGEST },
	{ LONGEST "\n", LONGEST },
	{ LONGEST "\r\n", LONGEST },
	{ LONGEST "x", NULL },
	{ LONGEST "x\n", NULL },
	{ LONGEST LONGEST LONGEST, NULL },
	{ "", NULL },
	{ "\n", NULL },
	{ "\nsecret", NULL },
};

static void expect(char *password, const char *expected)
{
	g_assert_cmpstr(password, ==, expected);
	g_free(password);
}

static void test_file(gconstpointer data)
{
	const struct row *row = data;
	char *file = write_file("password", row->text, strlen(row->text));
	g_autoptr(GError) error = NULL;
	expect(password_read(file, "password-file", &error), row->password);
	g_assert_true((error == NULL) == (row->password != NULL));
	remove_file(file);
}

/* The writer stays, says it in pieces, and what follows the line is not waited for. */
static void test_pipe(gconstpointer data)
{
	const struct row *row = data;
	int ends[2];
	size_t half = strlen(row->text) / 2;
	g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
	bool whole = strchr(row->text, '\n') || strlen(row->text) > strlen(LONGEST) + 2;
	g_assert_cmpint(write(ends[1], row->text, half), ==, (gssize)half);
	g_assert_cmpint(write(ends[1], row->text + half, strlen(row->text) - half), ==,
		(gssize)(strlen(row->text) - half));
	if (!whole)
		close(ends[1]);
	expect(password_read_fd(ends[0], "--password-fd", NULL), row->password);
	if (whole)
		close(ends[1]);
	close(ends[0]);
}

static gpointer write_late(gpointer path)
{
	g_usleep(100000);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(write(fd, "secret\n", 7), ==, 7);
	close(fd);
	return NULL;
}

static void test_fifo(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-password-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "fifo", NULL);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	GThread *writer = g_thread_new("writer", write_late, path);
	expect(password_read(path, "password-file", NULL), "secret");
	g_thread_join(writer);
	g_unlink(path);
	g_rmdir(folder);
}

/* What is wrong is named, and never what was read. */
static void test_refusals(void)
{
	g_autoptr(GError) missing = NULL, folder = NULL, lengthy = NULL;
	g_assert_null(password_read("/nonexistent", "password-file", &missing));
	g_assert_nonnull(strstr(missing->message, "/nonexistent: No such file"));
	g_assert_null(password_read("/", "password-file", &folder));
	g_assert_nonnull(strstr(folder->message, "Is a directory"));
	char *file = write_file("password", LONGEST "x", strlen(LONGEST) + 1);
	g_assert_null(password_read(file, "password-file", &lengthy));
	g_assert_nonnull(strstr(lengthy->message, "1 to 59 bytes"));
	g_assert_null(strstr(lengthy->message, "xxx"));
	remove_file(file);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *file = g_strdup_printf("/password/file/%u", i);
		g_autofree char *pipe = g_strdup_printf("/password/pipe/%u", i);
		g_test_add_data_func(file, &rows[i], test_file);
		g_test_add_data_func(pipe, &rows[i], test_pipe);
	}
	g_test_add_func("/password/fifo", test_fifo);
	g_test_add_func("/password/refusals", test_refusals);
	return g_test_run();
}
