/* SPDX-License-Identifier: MIT */
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors are parked from this number on before they get their final ones, which are below it.
 */
#define PARKING_FD 64

/*
 * This function and the three below it run in the child between fork and exec, so they make only
 * async-signal-safe calls. Returns 0 or errno.
 */
static int place_fds(const struct process_options *options, int error_pipe, int *error_pipe_new)
{
	int parked[PROCESS_FDS_MAX];
	for (unsigned i = 0; i < options->n_fds; i++) {
		parked[i] = fcntl(options->fds[i].ours, F_DUPFD_CLOEXEC, PARKING_FD);
		if (parked[i] < 0)
			return errno;
	}
	*error_pipe_new = fcntl(error_pipe, F_DUPFD_CLOEXEC, PARKING_FD);
	if (*error_pipe_new < 0 || close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return errno;
	for (unsigned i = 0; i < options->n_fds; i++) {
		if (dup2(parked[i], options->fds[i].theirs) < 0)
			return errno;
	}
	return 0;
}

static int place_stdio(const struct process_options *options)
{
	if (options->stderr_fd > 0 && dup2(options->stderr_fd, STDERR_FILENO) < 0)
		return errno;
	if (options->keep_stdio)
		return 0;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return errno;
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return errno;
	return 0;
}

static int prepare_child(const struct process_options *options, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (options->own_group)
		setpgid(0, 0);
	if (options->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return errno;
	if (options->death_signal) {
		if (prctl(PR_SET_PDEATHSIG, options->death_signal) < 0)
			return errno;
		if (getppid() != parent)
			return ESRCH;
	}
	return place_stdio(options);
}

static void run_child(
	char *const *argv, const struct process_options *options, pid_t parent, int error_pipe)
{
	int report_fd = error_pipe;
	int error = prepare_child(options, parent);
	if (error == 0)
		error = place_fds(options, error_pipe, &report_fd);
	if (error == 0) {
		execv(argv[0], argv);
		error = errno;
	}
	if (write(report_fd, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * No function of the C library makes a sibling. Its memory is a copy of ours as a fork's is, but
 * the library does not know that it is in another process, which the few calls before exec bear.
 */
static pid_t fork_child(const struct process_options *options)
{
	if (!options->sibling)
		return fork();
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

/* Gives what the child has written before exec closed its end: errno, or nothing, which is 0. */
static int read_report(int fd)
{
	int child_errno = 0;
	ssize_t n;
	do
		n = read(fd, &child_errno, sizeof(child_errno));
	while (n < 0 && errno == EINTR);
	return n == sizeof(child_errno) ? child_errno : 0;
}

int process_start(char *const *argv, const struct process_options *options, pid_t *pid)
{
	g_assert(options->n_fds <= PROCESS_FDS_MAX);
	for (unsigned i = 0; i < options->n_fds; i++)
		g_assert(options->fds[i].theirs > STDERR_FILENO &&
			 options->fds[i].theirs < PARKING_FD);
	int pipe_fds[2];
	*pid = -1;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return errno;
	pid_t parent = options->sibling ? getppid() : getpid();
	*pid = fork_child(options);
	if (*pid == 0)
		run_child(argv, options, parent, pipe_fds[1]);
	int result = *pid < 0 ? errno : 0;
	close(pipe_fds[1]);
	if (*pid > 0)
		result = read_report(pipe_fds[0]);
	close(pipe_fds[0]);
	if (*pid > 0 && result != 0 && !options->sibling) {
		waitpid(*pid, NULL, 0);
		*pid = -1;
	}
	return result;
}

pid_t process_spawn(char *const *argv, const struct process_options *options, GError **error)
{
	pid_t pid;
	g_assert(!options->sibling);
	int result = process_start(argv, options, &pid);
	if (result != 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(result),
			"cannot start %s: %s", argv[0], g_strerror(result));
	return pid;
}

bool process_wait_end(pid_t pid, int timeout_ms)
{
	int fd = pidfd_open(pid, 0);
	if (fd < 0)
		return errno == ESRCH;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;
	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	close(fd);
	return n > 0;
}

char *process_describe_end(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return g_strdup_printf("killed by signal %d (%s)", WTERMSIG(wait_status),
			strsignal(WTERMSIG(wait_status)));
	if (WIFEXITED(wait_status))
		return g_strdup_printf("exit status %d", WEXITSTATUS(wait_status));
	return g_strdup_printf("wait status %#x", (unsigned)wait_status);
}
