/* SPDX-License-Identifier: MIT */
#include "server/command/background.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/process.h"
#include "server/command/ticket_client.h"
#include "server/desktop/run_dir.h"

/* A person who looks on does not see that lines come so late. */
#define END_LOOK_MS 100
/* A guest's system has this long to shut down, unless --within says another time. */
#define WITHIN_S 60
/* `vitrine run` ends sooner, also where it must kill QEMU and the keeper. */
#define END_MS 20000

/* Gives a handle of the desktop's `vitrine run`, or -1, which was logged. */
static int open_run(const char *name)
{
	g_autofree char *base = run_dir_base();
	g_autofree char *dir = g_build_filename(base, name, NULL);
	g_autofree char *path = g_build_filename(dir, RUN_PID_FILE, NULL);
	g_autofree char *text = NULL, *again = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL)) {
		g_warning("%s: nobody has written who runs this desktop", path);
		return -1;
	}
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(text, NULL, 10), 0);
	/* Only while it runs, the number is its own; it has locked the folder. */
	if (fd >= 0 && run_dir_in_use(dir) && g_file_get_contents(path, &again, NULL, NULL) &&
		strcmp(text, again) == 0)
		return fd;
	g_warning("desktop \"%s\" has ended", name);
	if (fd >= 0)
		close(fd);
	return -1;
}

static char *parse_name(const GOptionEntry *entries, const char *summary, int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("[NAME]");
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context, summary);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return NULL;
	}
	if (argc > 2) {
		g_warning("give one name");
		return NULL;
	}
	return ticket_client_find(argc == 2 ? argv[1] : NULL);
}

/* ---- attach ---- */

/* What was old has become a hole, which begins in the middle of a line, as a rule. */
static void skip_hole(int fd)
{
	char byte = 0;
	off_t at = lseek(fd, 0, SEEK_CUR), data = lseek(fd, at, SEEK_DATA);
	lseek(fd, data > at ? data : at, SEEK_SET);
	if (data <= at)
		return;
	while (byte != '\n' && read(fd, &byte, 1) == 1)
		;
	puts("vitrine: older lines are gone");
}

/* Where a file system makes no holes the file was begun anew. What it has kept is shown again. */
static void notice_new_begin(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_CUR) <= st.st_size)
		return;
	lseek(fd, 0, SEEK_SET);
	puts("vitrine: the log begins anew");
}

static void copy_new(int fd)
{
	char bytes[4096];
	ssize_t n;
	notice_new_begin(fd);
	skip_hole(fd);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		fwrite(bytes, 1, (size_t)n, stdout);
		fflush(stdout);
	}
}

static int follow(const char *name, const char *log_path)
{
	int run = open_run(name), log = open(log_path, O_RDONLY | O_CLOEXEC);
	if (run >= 0 && log < 0)
		g_warning("desktop \"%s\" runs in the foreground, where it says all (see vitrine "
			  "run --detach)",
			name);
	if (run < 0 || log < 0)
		return 1;
	fprintf(stderr, "vitrine: attached to \"%s\"; Ctrl-C lets it go on, vitrine stop ends it\n",
		name);
	do
		copy_new(log);
	while (!process_wait_end_of(run, END_LOOK_MS));
	copy_new(log);
	fprintf(stderr, "vitrine: desktop \"%s\" has ended\n", name);
	return 0;
}

int attach_main(int argc, char **argv)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	g_autofree char *name = parse_name(
		entries, "Shows what a desktop in the background says, until it ends.", argc, argv);
	if (!name)
		return 1;
	g_autofree char *base = run_dir_base();
	g_autofree char *path = g_build_filename(base, name, RUN_LOG_FILE, NULL);
	return follow(name, path);
}

/* ---- stop ---- */

/* Returns whether it has ended. */
static bool press_power(int run, int within_s)
{
	process_signal(run, SIGUSR1);
	return process_wait_end_of(run, within_s * 1000);
}

static int stop(const char *name, bool now, int within_s)
{
	int run = open_run(name);
	if (run < 0)
		return 1;
	if (!now)
		g_message("the power button of \"%s\" is pressed; if it still runs in %d s it is "
			  "ended",
			name, within_s);
	if (!now && press_power(run, within_s))
		return 0;
	if (!now)
		g_message("the guest has not powered off within %d s: it is ended", within_s);
	process_signal(run, SIGTERM);
	if (process_wait_end_of(run, END_MS))
		return 0;
	g_warning("desktop \"%s\" does not end", name);
	return 1;
}

int stop_main(int argc, char **argv)
{
	gboolean now = FALSE;
	int within_s = WITHIN_S;
	const GOptionEntry entries[] = {
		{ "now", 0, 0, G_OPTION_ARG_NONE, &now,
			"End QEMU at once, as when a machine's plug is pulled", NULL },
		{ "within", 0, 0, G_OPTION_ARG_INT, &within_s,
			"How long the guest may take to power off (default 60)", "SECONDS" },
		G_OPTION_ENTRY_NULL,
	};
	g_autofree char *name = parse_name(entries,
		"Presses a desktop's power button, and ends it if its guest does not power off.",
		argc, argv);
	if (!name)
		return 1;
	if (within_s < 0 || within_s > 86400) {
		g_warning("--within: from 0 to 86400 seconds");
		return 1;
	}
	return stop(name, now, within_s);
}
