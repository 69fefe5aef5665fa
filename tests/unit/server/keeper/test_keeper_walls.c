/* SPDX-License-Identifier: MIT */
/*
 * keeper_walls: what a keeper needs is done behind its walls, and what it must not do is refused;
 * and a vitrine-gpu that runs is behind them.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/link.h"
#include "common/listen.h"
#include "common/process.h"
#include "common/shm.h"
#include "server/keeper/keeper_walls.h"
#include "tests/unit/server/rig.h"

static char *folder;

/* A child that finds what it should ends with 0, else with the line that did not hold. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			give_up(__LINE__);                                                         \
	} while (0)

static void give_up(int line)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "# line %d does not hold, errno %d\n", line, errno);
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(2);
	_exit(1);
}

static char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static bool fails_with(long result, int error)
{
	return result < 0 && errno == error;
}

static void confine(char *socket_path)
{
	struct desktop desktop = { .socket_path = socket_path };
	struct keeper_walls walls;
	HOLDS(keeper_walls_begin(&walls, &desktop, NULL));
	HOLDS(keeper_walls_close(&walls, &desktop, NULL));
}

static void run_child(void (*function)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		function();
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

/* ---- what it needs ---- */

static pid_t start_stopped_child(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	kill(pid, SIGSTOP);
	return pid;
}

static void look_after_worker(pid_t pid, int pidfd)
{
	siginfo_t info = { 0 };
	HOLDS(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT) == 0 && info.si_pid == pid);
	process_signal(pidfd, SIGKILL);
	HOLDS(process_wait_end_of(pidfd, 5000));
	HOLDS(waitpid(pid, NULL, 0) == pid);
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	memcpy(addr.sun_path, path, strlen(path));
	int client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	HOLDS(connect(client, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	return client;
}

static void talk(int listener)
{
	int fds[2];
	HOLDS(accept4(listener, NULL, NULL, SOCK_CLOEXEC) >= 0);
	HOLDS(link_pair(fds) == 0);
	HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
}

static void do_its_work(void)
{
	g_autofree char *path = in_folder("socket");
	int listener = listen_unix_packets(path, NULL);
	HOLDS(listener >= 0);
	pid_t worker = start_stopped_child();
	int pidfd = pidfd_open(worker, 0), page = shm_create("page", 4096);
	HOLDS(connect_to(path) >= 0);
	confine(path);
	look_after_worker(worker, pidfd);
	talk(listener);
	HOLDS(shm_map(page, 4096, true));
	HOLDS(unlink(path) == 0);
	g_message("a %s", g_strerror(ENOTBLK));
}

static void test_works(void)
{
	run_child(do_its_work);
}

/* ---- what it must not ---- */

static void reach_for_files(void)
{
	g_autofree char *path = in_folder("socket"), *secret = in_folder("secret");
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(9) };
	HOLDS(tcp >= 0);
	confine(path);
	HOLDS(fails_with(open(secret, O_RDONLY), EACCES));
	HOLDS(fails_with(open("/proc/self/mem", O_RDWR), EACCES));
	HOLDS(fails_with(open("/etc/passwd", O_RDONLY), EACCES));
	HOLDS(fails_with(open(path, O_CREAT | O_WRONLY, 0600), EACCES));
	HOLDS(fails_with(unlink("/etc/vitrine-nothing"), EACCES) || errno == ENOENT);
	HOLDS(fails_with(socket(AF_INET, SOCK_STREAM, 0), EPERM));
	HOLDS(fails_with(socket(AF_UNIX, SOCK_STREAM, 0), EPERM));
	HOLDS(fails_with(socketpair(AF_UNIX, SOCK_DGRAM, 0, (int[2]){ 0 }), EPERM));
	HOLDS(fails_with(memfd_create("large", 0), EPERM));
	HOLDS(fails_with(socket(AF_NETLINK, SOCK_RAW, 0), EPERM));
	HOLDS(fails_with(socket(AF_VSOCK, SOCK_STREAM, 0), EPERM));
	HOLDS(fails_with(connect(tcp, (struct sockaddr *)&addr, sizeof(addr)), EPERM));
	HOLDS(fails_with(listen(tcp, 1), EPERM));
}

static void *start_nothing(void *user)
{
	return NULL;
}

static void reach_for_processes(void)
{
	static const char *const argv[] = { "/bin/true", NULL };
	struct rlimit limit = { 100, 100 };
	int signalled = eventfd(0, 0);
	pthread_t thread;
	confine(NULL);
	HOLDS(fails_with(fork(), EPERM));
	HOLDS(fails_with(kill(getppid(), 0), EPERM));
	HOLDS(fails_with(pidfd_open(getppid(), 0), EPERM));
	HOLDS(fails_with(fcntl(signalled, F_SETOWN, getppid()), EPERM));
	HOLDS(fails_with(fcntl(signalled, F_SETSIG, SIGKILL), EPERM));
	HOLDS(fails_with(getsid(getppid()), EPERM));
	HOLDS(pthread_create(&thread, NULL, start_nothing, NULL) == EPERM);
	HOLDS(fails_with(execv(argv[0], (char *const *)argv), EPERM));
	HOLDS(fails_with(ptrace(PTRACE_ATTACH, getppid(), 0, 0), EPERM));
	HOLDS(fails_with(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0), EPERM));
	HOLDS(fails_with(syscall(SYS_unshare, 0), EPERM));
	HOLDS(fails_with(syscall(SYS_setuid, getuid()), EPERM));
	HOLDS(fails_with(syscall(SYS_keyctl, 0, 0, 0), EPERM));
	HOLDS(fails_with(prctl(PR_SET_DUMPABLE, 1), EPERM));
	HOLDS(fails_with(setrlimit(RLIMIT_CORE, &limit), EPERM));
	HOLDS(fails_with(
		(long)mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EPERM));
	for (int fd = 0; fd >= 0; fd = dup(STDERR_FILENO))
		HOLDS(fd < 512);
}

static void test_reaches_no_files(void)
{
	run_child(reach_for_files);
}

static void test_reaches_no_processes(void)
{
#ifdef __SANITIZE_ADDRESS__
	g_test_skip("LeakSanitizer needs some of it");
	return;
#endif
	run_child(reach_for_processes);
}

/* ---- the real one ---- */

static char *read_status(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
	char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void check_threads(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_assert_nonnull(dir);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *status = read_status((pid_t)g_ascii_strtoll(name, NULL, 10));
		g_assert_nonnull(strstr(status, "\nNoNewPrivs:\t1\n"));
		g_assert_nonnull(strstr(status, "\nSeccomp:\t2\n"));
		g_assert_nonnull(strstr(status, "\nCapPrm:\t0000000000000000\n"));
		g_assert_nonnull(strstr(status, "\nCapEff:\t0000000000000000\n"));
	}
}

/* All of its threads are behind the walls before QEMU gets its first answer. */
static void test_running(void)
{
	struct rig *rig = rig_create(NULL);
	rig_negotiate(rig);
	check_threads(rig->pid);
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "walls: holds no-new-privs, capabilities"));
	rig_destroy(rig);
}

static void test_off(void)
{
	const char *const off[] = { "--confine=off", NULL };
	struct rig *rig = rig_create(off);
	rig_negotiate(rig);
	g_autofree char *status = read_status(rig->pid);
	g_assert_nonnull(strstr(status, "\nSeccomp:\t0\n"));
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "walls: none (--confine=off)"));
	rig_destroy(rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	folder = g_dir_make_tmp("vitrine-walls-XXXXXX", NULL);
	g_autofree char *secret = in_folder("secret"), *path = in_folder("socket");
	g_assert_true(g_file_set_contents(secret, "hush", -1, NULL));
	g_test_add_func("/keeper-walls/works", test_works);
	g_test_add_func("/keeper-walls/reaches-no-files", test_reaches_no_files);
	g_test_add_func("/keeper-walls/reaches-no-processes", test_reaches_no_processes);
	g_test_add_func("/keeper-walls/running", test_running);
	g_test_add_func("/keeper-walls/off", test_off);
	int status = g_test_run();
	g_unlink(secret);
	g_unlink(path);
	g_rmdir(folder);
	return status;
}
