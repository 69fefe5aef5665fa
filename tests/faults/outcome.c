/* SPDX-License-Identifier: MIT */
#include "tests/faults/outcome.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/wire/wire.h"

#define TRIES 4
/* Nobody tries again sooner than that; display asks spice-server once a second. */
#define PAUSE_US 700000
#define CANNOT_START "cannot start "
#define STATUS_ENDED 3
#define STATUS_SILENT 5

/* Where an assertion of the harness leads to, while there is a step that can be tried again. */
static sigjmp_buf step;
static volatile sig_atomic_t can_go_back, is_ending;
static pthread_t own_thread;
/* What the desktop has gone on without, or NULL. */
static const char *lack;
static bool last_lacks;

static void say(const char *outcome, const char *what)
{
	printf("session: %s: %s\n", outcome, what);
	fflush(stdout);
}

unsigned outcome_count_fds(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	unsigned n = 0;
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* A spare one waits after a crash. The servants are children, too, and always there. */
static unsigned count_workers(const struct backend *backend)
{
	GArray *children = backend_list_children(backend);
	unsigned n = children->len;
	g_array_unref(children);
	return n;
}

/* A line of ours that is more than news, or one of GLib's. */
static bool has_said_why(const char *log)
{
	return strstr(log, "vitrine-") || strstr(log, "failed to allocate") || strstr(log, "GLib");
}

/* Returns the last line, or NULL; it is good for as long as the text. */
static const char *print_log(char *log)
{
	const char *last = NULL;
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
		printf("| %s\n", line);
		last = line;
	}
	return last;
}

static _Noreturn void end_silent(struct backend *backend, const char *what)
{
	g_autofree char *log = backend_read_log(backend);
	/* It tries again, and says each time why there is no worker. */
	bool waits = strstr(log, CANNOT_START) != NULL;
	print_log(log);
	say(waits ? "waits" : "silent", what);
	if (!waits)
		_exit(STATUS_SILENT);
	backend_close_socket(backend);
	backend_wait_exit(backend, 20000);
	wire_remove_directory(backend->directory);
	_exit(STATUS_ENDED);
}

/* Whatever a harness asserts about a keeper that is gone comes to this. */
static _Noreturn void end_with_keeper(struct backend *backend)
{
	bool gone = backend_wait_exit(backend, 15000);
	/* A worker may take a minute to begin, and is given up then. */
	if (!gone && backend_count_log(backend, CANNOT_START) == 0)
		gone = backend_wait_exit(backend, 60000);
	if (!gone)
		end_silent(backend, "it serves nobody, and goes on");
	g_autofree char *log = backend_read_log(backend);
	bool said = has_said_why(log);
	const char *last = print_log(log);
	say(said ? "ended" : "silent", last ? last : "nothing");
	wire_remove_directory(backend->directory);
	_exit(said ? STATUS_ENDED : STATUS_SILENT);
}

static void on_abort(int signal_number)
{
	bool is_own = pthread_equal(pthread_self(), own_thread);
	if (is_own && can_go_back) {
		can_go_back = 0;
		siglongjmp(step, 1);
	}
	if (!is_own || is_ending++)
		_exit(STATUS_SILENT);
	struct backend *backend = backend_newest();
	if (backend)
		end_with_keeper(backend);
	say("silent", "there was no keeper");
	_exit(STATUS_SILENT);
}

void outcome_begin(void)
{
	const char *preload = g_getenv("FAULTS_PRELOAD");
	own_thread = pthread_self();
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
	signal(SIGABRT, on_abort);
	signal(SIGTRAP, on_abort);
	if (preload)
		g_setenv("LD_PRELOAD", preload, TRUE);
}

static bool try_step(struct backend *backend, bool (*act)(uint32_t number), void (*again)(void))
{
	for (volatile unsigned i = 0; i < TRIES; i++) {
		if (sigsetjmp(step, 1) == 0) {
			can_go_back = 1;
			bool good = act(i);
			can_go_back = 0;
			if (good)
				return true;
		}
		if (backend_wait_exit(backend, 0))
			end_with_keeper(backend);
		g_usleep(PAUSE_US);
		if (sigsetjmp(step, 1) == 0) {
			can_go_back = 1;
			again();
			can_go_back = 0;
		}
	}
	return false;
}

void outcome_insist(struct backend *backend, bool (*act)(uint32_t number), void (*again)(void),
	const char *what)
{
	if (!try_step(backend, act, again))
		end_silent(backend, what);
}

void outcome_insist_or(struct backend *backend, bool (*act)(uint32_t number), void (*again)(void),
	const char *what, const char *why)
{
	last_lacks = !try_step(backend, act, again);
	if (!last_lacks)
		return;
	if (backend_count_log(backend, why) == 0)
		end_silent(backend, what);
	lack = what;
}

bool outcome_lacks(void)
{
	return last_lacks;
}

void outcome_kill_worker(struct backend *backend, const char *name)
{
	pid_t old = backend_find_child(backend, name);
	if (old > 0)
		kill(old, SIGKILL);
	if (old > 0 && backend_wait_child(backend, name, old, 15000) == 0)
		end_with_keeper(backend);
}

int outcome_end(struct backend *backend)
{
	unsigned n_fds = outcome_count_fds(backend->pid);
	unsigned n_workers = count_workers(backend);
	backend_close_socket(backend);
	if (!backend_wait_exit(backend, 20000))
		end_silent(backend, "the keeper does not end with QEMU");
	printf("fds: %u of %u workers\n", n_fds, n_workers);
	g_autofree char *log = backend_read_log(backend);
	print_log(log);
	wire_remove_directory(backend->directory);
	say(lack ? "lacks" : "works", lack ? lack : "drawn and shown");
	return lack ? STATUS_ENDED : 0;
}
