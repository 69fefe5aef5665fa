/* SPDX-License-Identifier: MIT */
/* fetcher: checks what it fetches, all of it behind its walls, and what it does not. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen.h"
#include "common/process.h"
#include "server/starter/fetcher.h"
#include "server/starter/fetcher_process.h"

#define PATIENCE_MS 20000
#define FILE_MAX_BYTES 4096

static struct fetcher make_fetcher_for(const char *monitor, const char *path)
{
	static struct fetcher_plan plan;
	g_autoptr(GError) error = NULL;
	struct fetcher fetcher;
	plan = (struct fetcher_plan){ .monitor = monitor,
		.files = { path },
		.file_max_bytes = FILE_MAX_BYTES,
		.confined = true };
	fetcher_init(&fetcher, &plan, &error);
	g_assert_no_error(error);
	g_assert_true(servant_hear_walls(&fetcher.servant, CONFINE_AUTO, &error));
	return fetcher;
}

/* Its monitor and the file that it copies have one path. */
static struct fetcher make_fetcher(const char *path)
{
	return make_fetcher_for(path, path);
}

/* It connects for its keeper, to one socket. */
static void test_monitor(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-monitor-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "qmp", NULL);
	struct fetcher fetcher = make_fetcher(path);
	char byte = 'x';
	g_assert_cmpint(fetcher_connect(&fetcher), ==, -1);
	int listener = listen_unix(path, NULL);
	g_assert_cmpint(listener, >=, 0);
	for (unsigned i = 0; i < 20; i++) {
		int fd = fetcher_connect(&fetcher);
		g_assert_cmpint(fd, >=, 0);
		g_assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
		int peer = accept(listener, NULL, NULL);
		g_assert_cmpint(write(peer, &byte, 1), ==, 1);
		g_assert_cmpint(read(fd, &byte, 1), ==, 1);
		close(fd);
		/* The fetcher has kept none of it. */
		g_assert_cmpint(read(peer, &byte, 1), ==, 0);
		close(peer);
	}
	fetcher_finish(&fetcher);
	close(listener);
	g_unlink(path);
	g_rmdir(folder);
}

/* Without a monitor it is not let make a socket, and does not need to. */
static void test_no_monitor(void)
{
	struct fetcher fetcher = make_fetcher_for(NULL, "/proc/self/exe");
	g_assert_cmpint(fetcher_connect(&fetcher), ==, -1);
	g_assert_cmpint(fetcher_copy_file(&fetcher, 0), ==, -EFBIG);
	fetcher_finish(&fetcher);
}

/* It copies what it was told of, as it is now, and keeps nothing of it. */
static void test_copies(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-copies-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "file", NULL);
	struct fetcher fetcher = make_fetcher(path);
	char bytes[16] = { 0 };
	g_assert_cmpint(fetcher_copy_file(&fetcher, 0), ==, -ENOENT);
	g_assert_cmpint(fetcher_copy_file(&fetcher, 1), ==, -ENOENT);
	for (unsigned i = 0; i < 20; i++) {
		g_autofree char *text = g_strdup_printf("content %u", i);
		g_assert_true(g_file_set_contents(path, text, -1, NULL));
		int fd = fetcher_copy_file(&fetcher, 0);
		g_assert_cmpint(fd, >=, 0);
		g_assert_true(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE);
		g_assert_cmpint(pread(fd, bytes, sizeof(bytes), 0), ==, (gssize)strlen(text));
		g_assert_cmpmem(bytes, strlen(text), text, strlen(text));
		close(fd);
	}
	g_autofree char *lengthy = g_strnfill(FILE_MAX_BYTES + 1, 'x');
	g_assert_true(g_file_set_contents(path, lengthy, -1, NULL));
	g_assert_cmpint(fetcher_copy_file(&fetcher, 0), ==, -EFBIG);
	/* Nobody writes to the FIFO, and nobody waits for that. */
	g_unlink(path);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	g_assert_cmpint(fetcher_copy_file(&fetcher, 0), ==, -EINVAL);
	fetcher_finish(&fetcher);
	g_unlink(path);
	g_rmdir(folder);
}

/* A certificate is renewed beside the old one, and a link leads from elsewhere to the newest. */
static void test_link(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-link-XXXXXX", NULL);
	g_autofree char *archive = g_build_filename(folder, "archive", NULL);
	g_autofree char *live = g_build_filename(folder, "live", NULL);
	g_autofree char *first = g_build_filename(archive, "1", NULL);
	g_autofree char *second = g_build_filename(archive, "2", NULL);
	g_autofree char *path = g_build_filename(live, "key", NULL);
	g_assert_cmpint(mkdir(archive, 0700) | mkdir(live, 0700), ==, 0);
	g_assert_true(g_file_set_contents(first, "first", -1, NULL));
	g_assert_cmpint(symlink("../archive/1", path), ==, 0);
	struct fetcher fetcher = make_fetcher(path);
	char byte = 0;
	g_assert_true(g_file_set_contents(second, "second", -1, NULL));
	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(symlink("../archive/2", path), ==, 0);
	int fd = fetcher_copy_file(&fetcher, 0);
	g_assert_cmpint(pread(fd, &byte, 1, 0), ==, 1);
	g_assert_cmpint(byte, ==, 's');
	close(fd);
	fetcher_finish(&fetcher);
	const char *const gone[] = { path, second, first, live, archive, folder };
	for (unsigned i = 0; i < G_N_ELEMENTS(gone); i++)
		g_remove(gone[i]);
}

/* What no keeper says ends it. */
static void test_nonsense(void)
{
	static const uint8_t requests[] = { 0, FETCHER_COPY + FETCHER_FILES_MAX };
	for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
		struct fetcher fetcher = make_fetcher("/nonexistent");
		g_assert_cmpint(send(fetcher.servant.link, &requests[i], 1, 0), ==, 1);
		g_assert_true(process_wait_end(fetcher.servant.pid, PATIENCE_MS));
		fetcher_finish(&fetcher);
	}
	struct fetcher fetcher = make_fetcher("/nonexistent");
	const int fds[SERVANT_FDS] = { STDIN_FILENO, STDIN_FILENO, STDIN_FILENO };
	struct servant_answer answer;
	int fd;
	g_assert_false(servant_ask(&fetcher.servant, FETCHER_CONNECT, fds, &answer, &fd));
	g_assert_cmpint(fetcher_copy_file(&fetcher, 0), ==, -EPIPE);
	g_assert_cmpint(fetcher_connect(&fetcher), ==, -1);
	fetcher_finish(&fetcher);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fetcher/monitor", test_monitor);
	g_test_add_func("/fetcher/no-monitor", test_no_monitor);
	g_test_add_func("/fetcher/copies", test_copies);
	g_test_add_func("/fetcher/link", test_link);
	g_test_add_func("/fetcher/nonsense", test_nonsense);
	return g_test_run();
}
