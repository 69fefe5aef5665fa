/* SPDX-License-Identifier: MIT */
/*
 * starter: checks whose child a worker is, what it begins with, and that nothing is left when the
 * keeper or the starter is killed. The program that is started is this one, and so is the keeper
 * that is killed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/link.h"
#include "common/process.h"
#include "protocol/heartbeat.h"
#include "protocol/keeper_link.h"
#include "server/starter/starter.h"
#include "server/starter/starter_process.h"

#define PATIENCE_MS 20000
#define WORKER "--as-worker"
#define KEEPER "--as-keeper"

/* What a worker tells of itself on its link. */
struct told {
	pid_t pid, parent, group;
	int death_signal, no_new_privs, n_fds, null_input;
	bool heartbeat_is_open, mask_is_empty, sigterm_is_default;
};

/* What a keeper tells. */
struct family {
	pid_t starter, workers[2];
};

enum command { COMMAND_WORKER, COMMAND_MISSING, COMMANDS };

/* ---- the programs ---- */

static int count_fds(void)
{
	int n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	/* The folder names itself and its parent, and is open while it is read. */
	return n - 3;
}

static int run_worker(void)
{
	struct told told = { .pid = getpid(), .parent = getppid(), .group = getpgrp() };
	struct sigaction action;
	sigset_t mask;
	char input[64] = { 0 };
	prctl(PR_GET_PDEATHSIG, &told.death_signal);
	told.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	told.n_fds = count_fds();
	told.heartbeat_is_open = fcntl(HEARTBEAT_FD, F_GETFD) >= 0;
	told.null_input = readlink("/proc/self/fd/0", input, sizeof(input) - 1) > 0 &&
			  strcmp(input, "/dev/null") == 0;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	told.mask_is_empty = sigisemptyset(&mask);
	sigaction(SIGTERM, NULL, &action);
	told.sigterm_is_default = action.sa_handler == SIG_DFL;
	if (send(KEEPER_LINK_FD, &told, sizeof(told), 0) != sizeof(told))
		return 1;
	/* A worker that does not mind that its link hangs up can only be killed. */
	for (;;)
		pause();
}

static struct starter make_starter_of(bool apart)
{
	g_autoptr(GError) error = NULL;
	struct starter starter;
	static char *worker[] = { NULL, (char *)WORKER, NULL };
	static char *missing[] = { (char *)"/nonexistent", NULL };
	static struct starter_plan plan = { .commands = { { .argv = worker }, { .argv = missing } },
		.n_commands = COMMANDS,
		.name = "test" };
	plan.apart = apart;
	if (!worker[0])
		worker[0] = g_file_read_link("/proc/self/exe", NULL);
	starter_init(&starter, &plan, &error);
	g_assert_no_error(error);
	return starter;
}

static struct starter make_starter(void)
{
	return make_starter_of(false);
}

/* Starts a worker and hears what it tells. Gives 0 with `error` set when it cannot be started. */
static pid_t start(struct starter *starter, struct told *told, GError **error)
{
	int link[2];
	int heartbeat = open("/dev/null", O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(link_pair(link), ==, 0);
	int pidfd = -1;
	pid_t pid = starter_spawn(starter, COMMAND_WORKER,
		(const int[]){ link[1], heartbeat, heartbeat }, &pidfd, error);
	g_assert_true(pid < 0 || (pidfd >= 0 && !process_wait_end_of(pidfd, 0)));
	close(pidfd);
	close(link[1]);
	close(heartbeat);
	if (pid > 0) {
		g_assert_true(link_wait_readable(link[0], PATIENCE_MS));
		g_assert_cmpint(recv(link[0], told, sizeof(*told), 0), ==, sizeof(*told));
	}
	close(link[0]);
	return pid > 0 ? pid : 0;
}

static int run_keeper(void)
{
	struct told told;
	/* Namespaces and other users must not be what keeps a worker from dying. */
	struct starter starter = make_starter_of(true);
	struct family family = { .starter = starter.servant.pid };
	for (unsigned i = 0; i < G_N_ELEMENTS(family.workers); i++)
		family.workers[i] = start(&starter, &told, NULL);
	if (write(STDOUT_FILENO, &family, sizeof(family)) != sizeof(family))
		return 1;
	for (;;)
		pause();
}

/* ---- workers ---- */

static void end_worker(pid_t pid)
{
	int status;
	g_assert_cmpint(pid, >, 0);
	g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* All that process_spawn() does for a child of its own holds for the starter's, too. */
static void test_worker(void)
{
	struct told told;
	g_autoptr(GError) error = NULL;
	struct starter starter = make_starter();
	pid_t pid = start(&starter, &told, &error);
	g_assert_no_error(error);
	g_assert_cmpint(told.pid, ==, pid);
	g_assert_cmpint(told.parent, ==, getpid());
	g_assert_cmpint(told.group, ==, pid);
	g_assert_cmpint(told.death_signal, ==, SIGKILL);
	g_assert_cmpint(told.no_new_privs, ==, 1);
	g_assert_cmpint(told.n_fds, ==, 6);
	g_assert_true(told.heartbeat_is_open);
	g_assert_true(told.null_input);
	g_assert_true(told.mask_is_empty);
	g_assert_true(told.sigterm_is_default);
	/* The news of a stop reaches us, and a stopped worker can be killed. */
	siginfo_t info = { 0 };
	kill(pid, SIGSTOP);
	g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), ==, 0);
	g_assert_cmpint(info.si_pid, ==, pid);
	end_worker(pid);
	starter_finish(&starter);
}

static void test_missing_program(void)
{
	g_autoptr(GError) error = NULL;
	struct told told;
	struct starter starter = make_starter();
	int heartbeat = open("/dev/null", O_RDONLY | O_CLOEXEC), pidfd;
	g_assert_cmpint(starter_spawn(&starter, COMMAND_MISSING,
				(const int[]){ heartbeat, heartbeat, heartbeat }, &pidfd, &error),
		==, -1);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
	close(heartbeat);
	/* Nothing is left of it, and the starter goes on. */
	g_assert_true(starter_is_usable(&starter));
	g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, 0);
	pid_t pid = start(&starter, &told, NULL);
	g_assert_cmpint(pid, >, 0);
	end_worker(pid);
	starter_finish(&starter);
}

/*
 * Workers are of the build that the starter was made with, whatever becomes of its files: here
 * another file takes the program's place, as when a package is upgraded, and then nothing does.
 */
static void test_program_replaced(void)
{
	g_autoptr(GError) error = NULL;
	struct told told;
	g_autofree char *dir = g_dir_make_tmp("vitrine-starter-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "worker", NULL);
	g_autofree char *bytes = NULL;
	gsize n_bytes;
	g_assert_true(g_file_get_contents("/proc/self/exe", &bytes, &n_bytes, NULL));
	g_assert_true(g_file_set_contents_full(
		path, bytes, (gssize)n_bytes, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	char *argv[] = { path, (char *)WORKER, NULL };
	for (unsigned apart = 0; apart < 2; apart++) {
		const struct starter_plan plan = { .commands = { { .argv = argv } },
			.n_commands = 1,
			.name = "test",
			.apart = apart };
		struct starter starter;
		g_assert_true(starter_init(&starter, &plan, &error));
		g_assert_true(servant_hear_walls(&starter.servant, CONFINE_AUTO, NULL));
		end_worker(start(&starter, &told, &error));
		g_assert_true(g_file_set_contents_full(
			path, "garbage", -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
		end_worker(start(&starter, &told, &error));
		g_assert_cmpint(g_unlink(path), ==, 0);
		pid_t pid = start(&starter, &told, &error);
		g_assert_no_error(error);
		end_worker(pid);
		g_assert_cmpint(told.n_fds, ==, 6);
		starter_finish(&starter);
		g_assert_true(g_file_set_contents_full(
			path, bytes, (gssize)n_bytes, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	}
	g_unlink(path);
	g_rmdir(dir);
}

/* What is not allowed the memory to begin with is not begun, and it is said why. */
static void test_no_memory(void)
{
	struct told told;
	struct rlimit limit, none;
	g_autoptr(GError) error = NULL;
	struct starter starter = make_starter();
	end_worker(start(&starter, &told, NULL));
	pid_t pid = starter.servant.pid;
	g_assert_no_errno(prlimit(pid, RLIMIT_DATA, NULL, &limit));
	none = (struct rlimit){ .rlim_max = limit.rlim_max };
	g_assert_no_errno(prlimit(pid, RLIMIT_DATA, &none, NULL));
	g_assert_cmpint(start(&starter, &told, &error), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM);
	g_assert_no_errno(prlimit(pid, RLIMIT_DATA, &limit, NULL));
	end_worker(start(&starter, &told, NULL));
	starter_finish(&starter);
}

/* A keeper that was taken over cannot fill the machine with workers. */
static void test_bound(void)
{
	struct told told;
	pid_t pids[STARTER_LIVE_MAX];
	struct starter starter = make_starter();
	for (unsigned i = 0; i < STARTER_LIVE_MAX; i++) {
		pids[i] = start(&starter, &told, NULL);
		g_assert_cmpint(pids[i], >, 0);
	}
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(start(&starter, &told, &error), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN);
	end_worker(pids[3]);
	pids[3] = start(&starter, &told, NULL);
	g_assert_cmpint(pids[3], >, 0);
	for (unsigned i = 0; i < STARTER_LIVE_MAX; i++)
		end_worker(pids[i]);
	starter_finish(&starter);
}

/* ---- the starter's own end ---- */

static void test_starter_killed(void)
{
	struct told told;
	g_autoptr(GError) error = NULL;
	struct starter starter = make_starter();
	pid_t pid = start(&starter, &told, NULL);
	kill(starter.servant.pid, SIGKILL);
	g_assert_true(process_wait_end(starter.servant.pid, PATIENCE_MS));
	g_assert_cmpint(start(&starter, &told, &error), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE);
	g_assert_false(starter_is_usable(&starter));
	g_assert_cmpint(kill(pid, 0), ==, 0);
	g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, 0);
	end_worker(pid);
	starter_finish(&starter);
}

/* One that does not answer is given up, so that QEMU does not wait for ever. */
static void test_starter_stopped(void)
{
	struct told told;
	g_autoptr(GError) error = NULL;
	struct starter starter = make_starter();
	g_assert_true(servant_hear_walls(&starter.servant, CONFINE_AUTO, NULL));
	kill(starter.servant.pid, SIGSTOP);
	int64_t began_us = g_get_monotonic_time();
	g_assert_cmpint(start(&starter, &told, &error), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE);
	g_assert_cmpint(g_get_monotonic_time() - began_us, <, 8 * G_TIME_SPAN_SECOND);
	g_assert_false(starter_is_usable(&starter));
	g_assert_true(process_wait_end(starter.servant.pid, PATIENCE_MS));
	starter_finish(&starter);
}

/* Who ends a whole desktop by signals means the keeper, which still has workers to end in order. */
static void test_starter_signalled(void)
{
	struct told told;
	struct starter starter = make_starter();
	kill(starter.servant.pid, SIGTERM);
	kill(starter.servant.pid, SIGINT);
	kill(starter.servant.pid, SIGHUP);
	pid_t pid = start(&starter, &told, NULL);
	g_assert_cmpint(pid, >, 0);
	g_assert_true(told.mask_is_empty);
	end_worker(pid);
	/* Without a keeper on the link it ends by itself. */
	close(starter.servant.link);
	starter.servant.link = -1;
	g_assert_true(process_wait_end(starter.servant.pid, PATIENCE_MS));
	starter_finish(&starter);
}

/* What no keeper says starts nothing, and the starter hears no more of it. */
static void test_nonsense(void)
{
	static const struct {
		char bytes[2];
		unsigned size_bytes, n_fds;
	} rows[] = { { { COMMANDS }, 1, 3 }, { { (char)255 }, 1, 3 }, { { COMMAND_WORKER }, 1, 0 },
		{ { COMMAND_WORKER }, 1, 1 }, { { COMMAND_WORKER }, 1, 2 },
		{ { COMMAND_WORKER }, 2, 3 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct starter starter = make_starter();
		int fds[3] = { STDIN_FILENO, STDIN_FILENO, STDIN_FILENO };
		char control[CMSG_SPACE(sizeof(fds))] = { 0 };
		struct iovec iov = { (void *)rows[i].bytes, rows[i].size_bytes };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		if (rows[i].n_fds > 0) {
			msg.msg_control = control;
			msg.msg_controllen = CMSG_SPACE(sizeof(int) * rows[i].n_fds);
			struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof(int) * rows[i].n_fds);
			memcpy(CMSG_DATA(c), fds, sizeof(int) * rows[i].n_fds);
		}
		g_assert_cmpint(sendmsg(starter.servant.link, &msg, 0), >, 0);
		struct servant_answer answer;
		g_assert_true(servant_hear_walls(&starter.servant, CONFINE_AUTO, NULL));
		g_assert_cmpint(recv(starter.servant.link, &answer, sizeof(answer), 0), ==, 0);
		int status;
		pid_t pid = starter.servant.pid;
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_assert_true(WIFEXITED(status));
		g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
		starter.servant.pid = 0;
		starter_finish(&starter);
	}
}

/* ---- the keeper's end ---- */

enum killed { KILL_KEEPER, KILL_KEEPER_AND_STARTER, KILL_STARTER_AND_KEEPER, KILL_STOPPED };

static void read_family(int fd, struct family *family)
{
	g_assert_cmpint(read(fd, family, sizeof(*family)), ==, sizeof(*family));
	g_assert_cmpint(family->starter, >, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(family->workers); i++)
		g_assert_cmpint(family->workers[i], >, 0);
}

/* Nobody is left, however the keeper goes and whether or not its starter goes with it. */
static void test_keeper_killed(gconstpointer data)
{
	enum killed how = (enum killed)GPOINTER_TO_INT(data);
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	char *argv[] = { self, (char *)KEEPER, NULL };
	struct family family;
	GPid keeper;
	int out;
	g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
		NULL, &keeper, NULL, &out, NULL, NULL));
	read_family(out, &family);
	close(out);
	if (how == KILL_STOPPED) {
		kill(family.starter, SIGSTOP);
		kill(family.workers[0], SIGSTOP);
	}
	if (how == KILL_STARTER_AND_KEEPER)
		kill(family.starter, SIGKILL);
	kill(keeper, SIGKILL);
	if (how == KILL_KEEPER_AND_STARTER)
		kill(family.starter, SIGKILL);
	g_assert_cmpint(waitpid(keeper, NULL, 0), ==, keeper);
	g_assert_true(process_wait_end(family.starter, PATIENCE_MS));
	for (unsigned i = 0; i < G_N_ELEMENTS(family.workers); i++)
		g_assert_true(process_wait_end(family.workers[i], PATIENCE_MS));
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], WORKER) == 0)
		return run_worker();
	if (argc == 2 && strcmp(argv[1], KEEPER) == 0)
		return run_keeper();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/starter/worker", test_worker);
	g_test_add_func("/starter/missing-program", test_missing_program);
	g_test_add_func("/starter/program-replaced", test_program_replaced);
	g_test_add_func("/starter/bound", test_bound);
	g_test_add_func("/starter/no-memory", test_no_memory);
	g_test_add_func("/starter/killed", test_starter_killed);
	g_test_add_func("/starter/stopped", test_starter_stopped);
	g_test_add_func("/starter/signalled", test_starter_signalled);
	g_test_add_func("/starter/nonsense", test_nonsense);
	g_test_add_data_func(
		"/starter/keeper/killed", GINT_TO_POINTER(KILL_KEEPER), test_keeper_killed);
	g_test_add_data_func("/starter/keeper/killed-with-starter",
		GINT_TO_POINTER(KILL_KEEPER_AND_STARTER), test_keeper_killed);
	g_test_add_data_func("/starter/keeper/killed-after-starter",
		GINT_TO_POINTER(KILL_STARTER_AND_KEEPER), test_keeper_killed);
	g_test_add_data_func("/starter/keeper/killed-while-stopped", GINT_TO_POINTER(KILL_STOPPED),
		test_keeper_killed);
	return g_test_run();
}
