/* SPDX-License-Identifier: MIT */
/*
 * shader cache: a renderer within its walls keeps what it has compiled, and the next one of the
 * same desktop reads it instead of compiling again.
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

/* Mesa writes in a thread that has the lowest priority. */
#define WRITTEN_MS 15000
/* No other test's desktop has this name, and so none has this one's folder. */
#define NAME "shader-cache"

struct contents {
	unsigned n_files;
	uint64_t size_bytes;
};

static void count(const char *folder, struct contents *contents)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		GStatBuf st;
		if (g_lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			count(path, contents);
		} else {
			contents->n_files++;
			contents->size_bytes += (uint64_t)st.st_size;
		}
	}
}

static void watch(int notify, const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_assert_cmpint(inotify_add_watch(notify, folder, IN_ACCESS | IN_CREATE), >=, 0);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			watch(notify, path);
	}
}

/* Counts what has happened to files, not to folders, which we and Mesa list. */
static void read_events(int notify, unsigned *n_read, unsigned *n_made)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;
	*n_read = *n_made = 0;
	while ((n = read(notify, buffer, sizeof(buffer))) > 0) {
		for (char *at = buffer; at < buffer + n;) {
			const struct inotify_event *event = (const struct inotify_event *)at;
			bool is_file = !(event->mask & IN_ISDIR);
			*n_read += is_file && event->mask & IN_ACCESS;
			*n_made += is_file && event->mask & IN_CREATE;
			at += sizeof(*event) + event->len;
		}
	}
}

/* The folder in /proc is root's whoever the process is, since it is not dumpable. */
static uid_t read_user(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	const char *line = strstr(text, "\nUid:");
	g_assert_nonnull(line);
	return (uid_t)strtoul(line + strlen("\nUid:"), NULL, 10);
}

/* Root's renderer may be another user, and has a folder of that user's. */
static char *find_folder(struct desktop *desktop)
{
	uid_t user = read_user(desktop_renderer(desktop));
	if (user != geteuid())
		return g_strdup_printf("/var/cache/vitrine/%u/shaders", (unsigned)user);
	return g_build_filename(g_get_user_cache_dir(), "vitrine", "shaders", NAME, NULL);
}

static struct desktop *start(void)
{
	const struct desktop_options options = {
		.virgl = true,
		.shape = GUEST_SHAPE_INDIRECT,
		.name = NAME,
	};
	return desktop_create(&options);
}

/* Returns when nothing has been written for a second. */
static void await_writing(const char *folder, struct contents *contents)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)wire_ms(WRITTEN_MS) * 1000;
	struct contents before;
	do {
		before = *contents;
		g_usleep((gulong)wire_ms(1000) * 1000);
		*contents = (struct contents){ 0 };
		count(folder, contents);
	} while (g_get_monotonic_time() < end_us &&
		 (contents->n_files == 0 || contents->size_bytes != before.size_bytes));
}

static void test_second_start(void)
{
	struct contents first = { 0 }, second = { 0 };
	unsigned n_read, n_made;
	struct desktop *desktop = start();
	g_autofree char *folder = find_folder(desktop);
	desktop_destroy(desktop);
	wire_remove_directory(folder);

	desktop = start();
	g_assert_true(scene3d_run(desktop->guest, 100, 1));
	await_writing(folder, &first);
	desktop_destroy(desktop);
	g_test_message("%u files, %" G_GUINT64_FORMAT " bytes in %s", first.n_files,
		first.size_bytes, folder);
	g_assert_cmpuint(first.n_files, >, 0);

	int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	g_assert_cmpint(notify, >=, 0);
	watch(notify, folder);
	desktop = start();
	g_assert_true(scene3d_run(desktop->guest, 100, 1));
	await_writing(folder, &second);
	desktop_destroy(desktop);
	read_events(notify, &n_read, &n_made);
	close(notify);
	g_test_message("read %u times, %u files made", n_read, n_made);
	g_assert_cmpuint(n_read, >, 0);
	g_assert_cmpuint(n_made, ==, 0);
	g_assert_cmpuint(second.size_bytes, ==, first.size_bytes);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/wire/shader-cache/second-start", test_second_start);
	return g_test_run();
}
