/* SPDX-License-Identifier: MIT */
#include "tests/wire/backend.h"
#include "tests/wire/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKEND_FD 3
#define BACKENDS_MAX 16

/*
 * Holds the log descriptors of living backends, each plus 1 so that 0 means a free place. The
 * signal handler reads it.
 */
static volatile int live_logs[BACKENDS_MAX];

static struct backend *newest;

static void remember_log(int fd, int was)
{
	for (unsigned i = 0; i < BACKENDS_MAX; i++) {
		if (live_logs[i] == was) {
			live_logs[i] = fd;
			return;
		}
	}
}

static void dump_logs(int signal_number)
{
	static const char title[] = "# --- backend's log:\n";
	char block[4096];
	for (unsigned i = 0; i < BACKENDS_MAX; i++) {
		int fd = live_logs[i] - 1;
		ssize_t n;
		off_t at = 0;
		if (fd < 0 || write(STDERR_FILENO, title, sizeof(title) - 1) < 0)
			continue;
		off_t size = lseek(fd, 0, SEEK_END);
		at = size > 16384 ? size - 16384 : 0;
		while ((n = pread(fd, block, sizeof(block), at)) > 0) {
			if (write(STDERR_FILENO, block, (size_t)n) < 0)
				break;
			at += n;
		}
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

void backend_dump_on_abort(void)
{
	signal(SIGABRT, dump_logs);
	signal(SIGTRAP, dump_logs);
}

char *backend_directory_create(void)
{
	GError *error = NULL;
	char *directory = g_dir_make_tmp("vitrine-wire-XXXXXX", &error);
	g_assert_no_error(error);
	return directory;
}

/* Runs in the child between fork and exec, where only async-signal-safe calls are allowed. */
static void backend_exec(char **argv, int socket, int log)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(log, STDERR_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0)
		_exit(126);
	if (socket == BACKEND_FD)
		fcntl(socket, F_SETFD, 0);
	else if (dup2(socket, BACKEND_FD) < 0)
		_exit(126);
	execv(argv[0], argv);
	_exit(127);
}

static char **backend_argv(const char *program, const char *const *arguments)
{
	GPtrArray *argv = g_ptr_array_new();
	g_ptr_array_add(argv, g_strdup(program));
	g_ptr_array_add(argv, g_strdup_printf("--fd=%d", BACKEND_FD));
	for (; arguments && *arguments; arguments++)
		g_ptr_array_add(argv, g_strdup(*arguments));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

struct backend *backend_start(const char *program, const char *const *arguments, char *directory)
{
	struct backend *backend = g_new0(struct backend, 1);
	backend->name = g_path_get_basename(program);
	backend->directory = directory;
	backend->log_path = g_build_filename(directory, "stderr", NULL);

	int log = open(backend->log_path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	int pair[2];
	g_assert_cmpint(log, >=, 0);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);

	/* What it keeps of its own ends goes with it. */
	g_setenv("XDG_STATE_HOME", directory, TRUE);
	g_auto(GStrv) argv = backend_argv(program, arguments);
	backend->pid = fork();
	g_assert_cmpint(backend->pid, >=, 0);
	if (backend->pid == 0)
		backend_exec(argv, pair[1], log);
	close(pair[1]);
	backend->log_fd = log;
	remember_log(log + 1, 0);
	backend->socket = pair[0];
	newest = backend;
	return backend;
}

struct backend *backend_newest(void)
{
	return newest;
}

void backend_close_socket(struct backend *backend)
{
	if (backend->socket >= 0)
		close(backend->socket);
	backend->socket = -1;
}

bool backend_wait_exit(struct backend *backend, int timeout_ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	while (!backend->reaped) {
		pid_t pid = waitpid(backend->pid, &backend->wait_status, WNOHANG);
		if (pid == backend->pid)
			backend->reaped = true;
		else if (g_get_monotonic_time() >= end)
			return false;
		else
			g_usleep(1000);
	}
	return true;
}

void backend_destroy(struct backend *backend)
{
	if (!backend)
		return;
	backend_close_socket(backend);
	if (!backend_wait_exit(backend, 3000)) {
		kill(backend->pid, SIGKILL);
		backend_wait_exit(backend, 3000);
	}
	newest = newest == backend ? NULL : newest;
	remember_log(0, backend->log_fd + 1);
	close(backend->log_fd);
	wire_remove_directory(backend->directory);
	g_free(backend->directory);
	g_free(backend->log_path);
	g_free(backend->name);
	g_free(backend);
}

char *backend_read_log(const struct backend *backend)
{
	char *text = NULL;
	if (!g_file_get_contents(backend->log_path, &text, NULL, NULL))
		return g_strdup("");
	return text;
}

unsigned backend_count_log(const struct backend *backend, const char *text)
{
	g_autofree char *log = backend_read_log(backend);
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	unsigned count = 0;
	for (char **line = lines; *line; line++)
		count += strstr(*line, text) != NULL;
	return count;
}

static pid_t read_parent(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	int parent = 0;
	char state;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	const char *after_name = strrchr(text, ')');
	if (!after_name || sscanf(after_name + 1, " %c %d", &state, &parent) != 2 || state == 'Z')
		return 0;
	return parent;
}

GArray *backend_list_children(const struct backend *backend)
{
	GArray *children = g_array_new(FALSE, FALSE, sizeof(pid_t));
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && read_parent(pid) == backend->pid)
			g_array_append_val(children, pid);
	}
	if (proc)
		closedir(proc);
	return children;
}

static bool has_executable(pid_t pid, const char *executable)
{
	g_autofree char *link = g_strdup_printf("/proc/%d/exe", (int)pid);
	g_autofree char *target = g_file_read_link(link, NULL);
	g_autofree char *name = target ? g_path_get_basename(target) : NULL;
	return name && strcmp(name, executable) == 0;
}

/*
 * Returns when the process started, in clock ticks since the machine's start: field 22 of proc(5).
 */
static unsigned long long read_start(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	unsigned long long start = 0;
	const char *after_name = NULL;
	if (g_file_get_contents(path, &text, NULL, NULL))
		after_name = strrchr(text, ')');
	if (!after_name || sscanf(after_name + 1,
				   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
				   "%*d %*d %*d %*d %*d %*d %llu",
				   &start) != 1)
		return 0;
	return start;
}

pid_t backend_find_child(const struct backend *backend, const char *executable)
{
	GArray *children = backend_list_children(backend);
	unsigned long long first = G_MAXUINT64;
	pid_t found = 0;
	for (guint i = 0; i < children->len; i++) {
		pid_t pid = g_array_index(children, pid_t, i);
		unsigned long long start = has_executable(pid, executable) ? read_start(pid) : 0;
		if (start > 0 && start < first) {
			first = start;
			found = pid;
		}
	}
	g_array_unref(children);
	return found;
}

pid_t backend_wait_child(
	const struct backend *backend, const char *executable, pid_t other_than, int timeout_ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	do {
		pid_t pid = backend_find_child(backend, executable);
		if (pid && pid != other_than)
			return pid;
		g_usleep(2000);
	} while (g_get_monotonic_time() < end);
	return 0;
}

char *backend_make_worker_dir(void)
{
	static const char *const names[][2] = { { "vitrine-render", "VITRINE_RENDER" },
		{ "vitrine-display", "VITRINE_DISPLAY" } };
	char *directory = backend_directory_create();
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(directory, names[i][0], NULL);
		const char *program = g_getenv(names[i][1]);
		if (!program || symlink(program, path) < 0)
			g_error("%s is not set: run by meson", names[i][1]);
	}
	return directory;
}
