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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"

/* Descriptors are parked from this number on before they get their final ones, which are below it.
 */
#define PARKING_FD 64

struct pipes {
	int report[2]; /* the child's errno; exec closes it */
	int gate[2];   /* what `admit` gave; -1: there is none */
};

/* What only the child has, in numbers that are its own. */
struct child_fds {
	int report, program; /* program -1: none */
};

/*
 * This function and those below it, up to run_child(), run in the child between fork and exec, so
 * they make only async-signal-safe calls. Returns 0 or errno.
 */
static int place_fds(const struct process_options *options, struct child_fds *own)
{
	int parked[PROCESS_FDS_MAX];
	for (unsigned i = 0; i < options->n_fds; i++) {
		parked[i] = fcntl(options->fds[i].ours, F_DUPFD_CLOEXEC, PARKING_FD);
		if (parked[i] < 0)
			return errno;
	}
	int report = own->report;
	own->program = options->program_fd > 0 ?
			       fcntl(options->program_fd, F_DUPFD_CLOEXEC, PARKING_FD) :
			       -1;
	own->report = fcntl(own->report, F_DUPFD_CLOEXEC, PARKING_FD);
	if (own->report < 0) {
		own->report = report;
		return errno;
	}
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
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

/* The child waits for what `admit` has given, with none for our end, too. */
static int pass_gate(const struct process_options *options, const int *gate)
{
	int result = 0;
	if (!options->admit)
		return 0;
	close(gate[1]);
	if (read(gate[0], &result, sizeof(result)) != sizeof(result))
		return ESRCH;
	return result;
}

#define PROFILE_FILE "/proc/self/attr/apparmor/current"

/* The file is missing or not read without AppArmor. */
bool process_is_in_profile(void)
{
	static const char unconfined[] = "unconfined";
	char label[sizeof(unconfined)] = "";
	int fd = open(PROFILE_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, label, sizeof(unconfined) - 1);
	close(fd);
	return n > 0 && strcmp(label, unconfined) != 0;
}

int process_renounce_privileges(void)
{
	if (process_is_in_profile())
		return 0;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

int process_enter_profile(const char *name)
{
	char text[64];
	if (!process_is_in_profile())
		return 0;
	size_t length = (size_t)g_snprintf(text, sizeof(text), "changeprofile %s", name);
	int fd = open(PROFILE_FILE, O_WRONLY | O_CLOEXEC);
	int result = fd >= 0 && write(fd, text, length) == (ssize_t)length ? 0 : errno;
	if (fd >= 0)
		close(fd);
	return result;
}

static int prepare_child(const struct process_options *options, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (options->own_group)
		setpgid(0, 0);
	int result = options->enter ? options->enter(options->user) : 0;
	if (result != 0)
		return result;
	if (options->no_new_privileges)
		result = process_renounce_privileges();
	if (result != 0)
		return result;
	if (options->death_signal) {
		if (prctl(PR_SET_PDEATHSIG, options->death_signal) < 0)
			return errno;
		if (getppid() != parent)
			return ESRCH;
	}
	return place_stdio(options);
}

/* Comes back with errno. */
static bool is_named(int program, const char *name)
{
	struct stat held, named;
	return fstat(program, &held) == 0 && stat(name, &named) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static int execute(char *const *argv, char *const *environment, int program)
{
	char path[] = "/proc/self/fd/\0\0\0\0";
	if (program >= 0 && program < 1000) {
		char *end = path + strlen(path);
		end[0] = (char)('0' + program / 100);
		end[1] = (char)('0' + program / 10 % 10);
		end[2] = (char)('0' + program % 10);
		/* The kernel's numbers have no zeros before them, and 64 is the least of ours. */
		if (program < 100)
			memmove(end, end + 1, 3);
		execve(path, argv, environment);
		/* There may be no /proc, or a policy that knows programs by their names alone. */
		int error = errno;
		if (!is_named(program, argv[0]))
			return error;
	}
	execve(argv[0], argv, environment);
	return errno;
}

static void run_child(char *const *argv, const struct process_options *options, pid_t parent,
	const struct pipes *pipes)
{
	struct child_fds own = { pipes->report[1], -1 };
	int error = pass_gate(options, pipes->gate);
	if (error == 0)
		error = prepare_child(options, parent);
	if (error == 0)
		error = place_fds(options, &own);
	if (error == 0)
		error = execute(
			argv, options->environment ? options->environment : environ, own.program);
	if (write(own.report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * No function of the C library makes a sibling or namespaces. The child's memory is a copy of ours
 * as a fork's is, but the library does not know that it is in another process, which the few calls
 * before exec bear.
 */
static pid_t clone_child(const struct process_options *options)
{
	int flags = options->namespaces | (options->sibling ? CLONE_PARENT : 0);
	return flags ? (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL) : fork();
}

/*
 * What is in /proc of a child that is not dumpable is root's, and `admit` writes there. A child
 * begins as dumpable as we are, and is no less so until it becomes another user.
 */
static pid_t fork_child(const struct process_options *options)
{
	bool hides = options->admit && prctl(PR_GET_DUMPABLE) != 1;
	if (hides)
		prctl(PR_SET_DUMPABLE, 1);
	pid_t pid = clone_child(options);
	int clone_errno = errno;
	if (hides && pid != 0)
		prctl(PR_SET_DUMPABLE, 0);
	errno = clone_errno;
	return pid;
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

static bool open_pipes(const struct process_options *options, struct pipes *pipes)
{
	*pipes = (struct pipes){ .gate = { -1, -1 } };
	if (pipe2(pipes->report, O_CLOEXEC) < 0)
		return false;
	if (!options->admit || pipe2(pipes->gate, O_CLOEXEC) == 0)
		return true;
	close(pipes->report[0]);
	close(pipes->report[1]);
	return false;
}

static void open_gate(const struct process_options *options, pid_t child, int gate)
{
	int result = options->admit(options->user, child);
	/* A child that is not there any more has left a report, or its end says enough. */
	ssize_t n = write(gate, &result, sizeof(result));
	(void)n;
}

int process_start(char *const *argv, const struct process_options *options, pid_t *pid)
{
	struct pipes pipes;
	g_assert(options->n_fds <= PROCESS_FDS_MAX);
	for (unsigned i = 0; i < options->n_fds; i++)
		g_assert(options->fds[i].theirs > STDERR_FILENO &&
			 options->fds[i].theirs < PARKING_FD);
	*pid = -1;
	if (!open_pipes(options, &pipes))
		return errno;
	pid_t parent = options->sibling ? getppid() : getpid();
	*pid = fork_child(options);
	if (*pid == 0)
		run_child(argv, options, parent, &pipes);
	int result = *pid < 0 ? errno : 0;
	fd_close(&pipes.report[1]);
	fd_close(&pipes.gate[0]);
	if (*pid > 0 && options->admit)
		open_gate(options, *pid, pipes.gate[1]);
	fd_close(&pipes.gate[1]);
	if (*pid > 0)
		result = read_report(pipes.report[0]);
	close(pipes.report[0]);
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
	bool ended = process_wait_end_of(fd, timeout_ms);
	close(fd);
	return ended;
}

bool process_wait_end_of(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;
	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

void process_signal(int pidfd, int signal_number)
{
	pidfd_send_signal(pidfd, signal_number, NULL, 0);
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
