/* SPDX-License-Identifier: MIT */
/*
 * confine: each wall is put up in a child and run against, and kernels that lack one are played by
 * a filter under it.
 */
#include "common/confine/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that finds what it should ends with 0, else with the line that did not hold. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit_at(__LINE__);                                                        \
	} while (0)

static void _exit_at(int line)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "# line %d does not hold, errno %d\n", line, errno);
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(2);
	_exit(1);
}

static char *folder;

static char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

/* Runs it in a process of its own, since what it does is never taken back. */
static void run_child(gconstpointer function)
{
	int wait_status;
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		((void (*)(void))function)();
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &wait_status, 0), ==, pid);
	g_assert_true(WIFEXITED(wait_status));
	if (WEXITSTATUS(wait_status) == 77)
		g_test_skip("left out with sanitizers, or this kernel lacks it");
	else
		g_assert_cmpint(WEXITSTATUS(wait_status), ==, 0);
}

static struct confine_rules make_rules(void)
{
	return (struct confine_rules){ .process = "test", .calls = { confine_calls_common } };
}

/* Applies the rules and skips where the kernel lacks the wall that is tested. */
static struct confine_state apply(const struct confine_rules *rules, enum confine_wall wall)
{
	struct confine_state state = { 0 };
	g_autoptr(GError) error = NULL;
	HOLDS(confine_apply(rules, CONFINE_AUTO, &state, &error));
	if ((state.lacking >> wall) & 1)
		_exit(77);
	HOLDS((state.held >> wall) & 1);
	return state;
}

/* Sanitizers have rows of their own, by which they may do what these tests expect to be refused. */
static void skip_with_sanitizers(void)
{
#ifdef __SANITIZE_ADDRESS__
	_exit(77);
#endif
}

static bool fails_with(long result, int error)
{
	return result < 0 && errno == error;
}

/* ---- walls ---- */

static void no_new_privs(void)
{
	struct confine_rules rules = make_rules();
	struct confine_state state = { 0 };
	HOLDS(confine_threads(&rules, CONFINE_AUTO, &state, NULL));
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void capabilities(void)
{
	struct confine_rules rules = make_rules();
	struct confine_state state = { 0 };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	bool may_drop = prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) == 1 && geteuid() == 0;
	HOLDS(confine_threads(&rules, CONFINE_AUTO, &state, NULL));
	HOLDS(syscall(SYS_capget, &header, data) == 0);
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		HOLDS((data[i].effective | data[i].permitted | data[i].inheritable) == 0);
	HOLDS(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0) == 0);
	HOLDS(!may_drop || prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
	HOLDS(fails_with(unshare(CLONE_NEWNET), EPERM));
}

static void not_dumpable(void)
{
	struct confine_rules rules = make_rules();
	skip_with_sanitizers();
	apply(&rules, CONFINE_NOT_DUMPABLE);
	HOLDS(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	HOLDS(fails_with(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), EPERM));
}

static void limits(void)
{
	static const struct confine_limit few[] = { { RLIMIT_CORE, 0, "" },
		{ RLIMIT_NOFILE, 20, "" } };
	struct confine_rules rules = make_rules();
	struct rlimit limit;
	rules.limits = few;
	rules.n_limits = G_N_ELEMENTS(few);
	skip_with_sanitizers();
	apply(&rules, CONFINE_LIMITS);
	HOLDS(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
	int fd;
	while ((fd = dup(STDERR_FILENO)) >= 0)
		HOLDS(fd < 20);
	HOLDS(errno == EMFILE);
	limit.rlim_cur = 0;
	HOLDS(fails_with(setrlimit(RLIMIT_NOFILE, &limit), EPERM));
}

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void landlock_files(void)
{
	g_autofree char *inside = in_folder("open/file"), *outside = in_folder("secret");
	g_autofree char *written = in_folder("written"), *made = in_folder("written/new");
	g_autofree char *readable = in_folder("open"), *renamed = in_folder("written/newer");
	const struct confine_path paths[] = { { readable, CONFINE_READ, "" },
		{ written, CONFINE_READ_WRITE, "" }, { "/not/there", CONFINE_READ, "" } };
	struct confine_rules rules = make_rules();
	rules.paths = paths;
	rules.n_paths = G_N_ELEMENTS(paths);
	HOLDS(opens(outside, O_RDONLY));
	apply(&rules, CONFINE_LANDLOCK);
	HOLDS(opens(inside, O_RDONLY));
	HOLDS(!opens(inside, O_WRONLY) && errno == EACCES);
	HOLDS(!opens(outside, O_RDONLY) && errno == EACCES);
	HOLDS(!opens("/etc/passwd", O_RDONLY));
	HOLDS(opens(made, O_RDWR | O_CREAT));
	HOLDS(fails_with(rename(made, outside), EPERM) || errno == EACCES);
	HOLDS(!opens(renamed, O_RDONLY) && errno == ENOENT);
}

/* As for the folder of GPUs: of their nodes a process has its own. */
static void landlock_list(void)
{
	g_autofree char *inside = in_folder("open/file"), *listed = in_folder("open");
	const struct confine_path paths[] = { { listed, CONFINE_LIST, "" } };
	struct confine_rules rules = make_rules();
	rules.paths = paths;
	rules.n_paths = G_N_ELEMENTS(paths);
	HOLDS(opens(inside, O_RDONLY));
	apply(&rules, CONFINE_LANDLOCK);
	HOLDS(opens(listed, O_RDONLY | O_DIRECTORY));
	HOLDS(!opens(inside, O_RDONLY) && errno == EACCES);
}

static void landlock_remove(void)
{
	g_autofree char *written = in_folder("written"), *gone = in_folder("written/gone");
	const struct confine_path paths[] = { { written, CONFINE_REMOVE, "" } };
	struct confine_rules rules = make_rules();
	const struct confine_call unlinks[] = { { "unlink", "" } };
	rules.paths = paths;
	rules.n_paths = G_N_ELEMENTS(paths);
	rules.calls[1] = (struct confine_calls){ unlinks, G_N_ELEMENTS(unlinks) };
	HOLDS(opens(gone, O_WRONLY | O_CREAT));
	apply(&rules, CONFINE_LANDLOCK);
	HOLDS(!opens(gone, O_RDONLY) && errno == EACCES);
	HOLDS(unlink(gone) == 0);
	HOLDS(!opens(gone, O_WRONLY | O_CREAT) && errno == EACCES);
}

/* Threads that confine_threads() came before are inside; this is what it is for. */
static gpointer open_it(gpointer path)
{
	return GINT_TO_POINTER(opens(path, O_RDONLY));
}

static void landlock_threads(void)
{
	g_autofree char *outside = in_folder("secret");
	struct confine_rules rules = make_rules();
	struct confine_state state = { 0 };
	HOLDS(confine_threads(&rules, CONFINE_AUTO, &state, NULL));
	if ((state.lacking >> CONFINE_LANDLOCK) & 1)
		_exit(77);
	HOLDS(!g_thread_join(g_thread_new("inside", open_it, outside)));
}

static struct sockaddr_in listen_anywhere(int *fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	HOLDS(*fd >= 0 && bind(*fd, (struct sockaddr *)&address, size) == 0);
	HOLDS(listen(*fd, 8) == 0);
	HOLDS(getsockname(*fd, (struct sockaddr *)&address, &size) == 0);
	return address;
}

static bool connects(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	int error = errno;
	close(fd);
	errno = error;
	return ok;
}

static void landlock_ports(void)
{
	int fds[2];
	struct sockaddr_in ours = listen_anywhere(&fds[0]), theirs = listen_anywhere(&fds[1]);
	struct sockaddr_in any = { .sin_family = AF_INET };
	uint16_t port = ntohs(ours.sin_port);
	struct confine_rules rules = make_rules();
	struct confine_state state = { 0 };
	rules.connect_ports = &port;
	rules.n_connect_ports = 1;
	HOLDS(connects(&theirs));
	HOLDS(confine_threads(&rules, CONFINE_AUTO, &state, NULL));
	if (state.landlock_abi < 4)
		_exit(77);
	HOLDS(connects(&ours));
	HOLDS(!connects(&theirs) && errno == EACCES);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	HOLDS(fails_with(bind(fd, (struct sockaddr *)&any, sizeof(any)), EACCES));
}

static void seccomp_calls(void)
{
	struct confine_rules rules = make_rules();
	skip_with_sanitizers();
	apply(&rules, CONFINE_SECCOMP);
	HOLDS(fails_with(socket(AF_INET, SOCK_STREAM, 0), EPERM));
	HOLDS(fails_with(socket(AF_UNIX, SOCK_STREAM, 0), EPERM));
	HOLDS(fails_with(fork(), EPERM));
	HOLDS(fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS));
	HOLDS(fails_with(execl("/bin/true", "true", NULL), EPERM));
	HOLDS(fails_with(unshare(0), EPERM));
	HOLDS(fails_with(kill(getppid(), 0), EPERM) && kill(getpid(), 0) == 0);
	HOLDS(fails_with(kill(0, 0), EPERM) && fails_with(kill(-1, 0), EPERM));
	HOLDS(fails_with(ioctl(STDERR_FILENO, TIOCSTI, "x"), EPERM));
	HOLDS(fails_with(fcntl(STDERR_FILENO, F_SETOWN, getppid()), EPERM));
	HOLDS(fails_with(fcntl(STDERR_FILENO, F_SETSIG, SIGKILL), EPERM));
	HOLDS(fcntl(STDERR_FILENO, F_GETFL) >= 0);
	HOLDS(fails_with(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS));
}

/* ENOTTY: the call has reached a descriptor that is no such device. */
static bool controls(unsigned long request)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	HOLDS(fd >= 0 && ioctl(fd, request, NULL) < 0);
	int error = errno;
	close(fd);
	return error == ENOTTY;
}

static void seccomp_gpus(void)
{
	struct confine_rules rules = make_rules();
	skip_with_sanitizers();
	rules.calls[1] = confine_calls_gpu;
	rules.calls[2] = confine_calls_nvidia;
	rules.calls[3] = confine_calls_cuda;
	apply(&rules, CONFINE_SECCOMP);
	HOLDS(controls(_IO('d', 0)) && controls(_IOWR('b', 0, int)) && controls(_IO('>', 3)));
	HOLDS(controls(_IOWR('F', 200, int)) && controls(_IOWR('m', 0, char[16])));
	/* UVM_INITIALIZE, UVM_CREATE_RANGE_GROUP */
	HOLDS(controls(0x30000001) && controls(23));
	HOLDS(!controls(TIOCSTI) && !controls(_IO(0xae, 1)) && !controls(0x40000001));
	HOLDS(fcntl(STDERR_FILENO, 1027 /* F_DUPFD_QUERY */, STDERR_FILENO) >= 0 ||
		errno == EINVAL);
}

static void *map(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void seccomp_code(void)
{
	struct confine_rules rules = make_rules();
	skip_with_sanitizers();
	void *data = map(PROT_READ | PROT_WRITE);
	HOLDS(data != MAP_FAILED);
	rules.calls[1] = confine_calls_code;
	pid_t pid = fork();
	if (pid == 0) {
		apply(&rules, CONFINE_SECCOMP);
		_exit(map(PROT_READ | PROT_EXEC) == MAP_FAILED);
	}
	int status;
	HOLDS(waitpid(pid, &status, 0) == pid && status == 0);
	rules.calls[1] = (struct confine_calls){ 0 };
	apply(&rules, CONFINE_SECCOMP);
	HOLDS(map(PROT_READ | PROT_EXEC) == MAP_FAILED && errno == EPERM);
	HOLDS(fails_with(mprotect(data, 4096, PROT_READ | PROT_EXEC), EPERM));
	HOLDS(mprotect(data, 4096, PROT_READ) == 0 && map(PROT_READ) != MAP_FAILED);
}

static gpointer make_socket(gpointer gate)
{
	g_mutex_lock(gate);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	g_mutex_unlock(gate);
	return GINT_TO_POINTER(fd < 0 && errno == EPERM);
}

/* One that was there before the filter is under it, and one that comes later starts. */
static void seccomp_threads(void)
{
	struct confine_rules rules = make_rules();
	GMutex gate;
	g_mutex_init(&gate);
	g_mutex_lock(&gate);
	GThread *before = g_thread_new("before", make_socket, &gate);
	apply(&rules, CONFINE_SECCOMP);
	GThread *after = g_thread_new("after", make_socket, &gate);
	g_mutex_unlock(&gate);
	HOLDS(g_thread_join(before));
	HOLDS(g_thread_join(after));
}

static void seccomp_rows(void)
{
	static const struct confine_call more[] = {
		{ "socket", "",
			{ { CONFINE_EQUAL, 0, 0, AF_INET },
				{ CONFINE_EQUAL, 1, 0xf, SOCK_STREAM } } },
		{ "no_such_call", "" },
	};
	struct confine_rules rules = make_rules();
	rules.calls[1] = (struct confine_calls){ more, G_N_ELEMENTS(more) };
	apply(&rules, CONFINE_SECCOMP);
	HOLDS(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
	HOLDS(fails_with(socket(AF_INET, SOCK_DGRAM, 0), EPERM));
	HOLDS(fails_with(socket(AF_INET6, SOCK_STREAM, 0), EPERM));
}

/* Some calls are refused before the filter of all others is there, and then as well. */
static void seccomp_early(void)
{
	static const struct confine_call rows[] = { { "setpriority", "" } };
	struct confine_rules rules = make_rules();
	rules.refused_early = (struct confine_calls){ rows, G_N_ELEMENTS(rows) };
	struct confine_state state = { 0 };
	HOLDS(setpriority(PRIO_PROCESS, 0, 1) == 0);
	HOLDS(confine_threads(&rules, CONFINE_AUTO, &state, NULL));
	HOLDS(fails_with(setpriority(PRIO_PROCESS, 0, 2), EPERM));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	HOLDS(fd >= 0);
	HOLDS(confine_apply(&rules, CONFINE_AUTO, &state, NULL));
	HOLDS(fails_with(setpriority(PRIO_PROCESS, 0, 2), EPERM));
	HOLDS(getpriority(PRIO_PROCESS, 0) == 1);
}

/* What was allowed is taken from threads that are there, too. */
static void seccomp_forbid(void)
{
	static const struct confine_call dups[] = { { "dup", "",
		{ { CONFINE_EQUAL, 0, 0, STDERR_FILENO } } } };
	const struct confine_calls taken = { dups, G_N_ELEMENTS(dups) };
	struct confine_rules rules = make_rules();
	rules.calls[1] = confine_calls_forbid;
	struct confine_state state = apply(&rules, CONFINE_SECCOMP);
	int fd = dup(STDERR_FILENO);
	HOLDS(fd >= 0);
	HOLDS(confine_forbid(&state, "test", &taken, NULL));
	HOLDS(fails_with(dup(STDERR_FILENO), EPERM) && dup(fd) >= 0);
}

/* ---- kernels that lack a wall, and the modes ---- */

static void play_without(int number, int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	HOLDS(seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), number, 0) == 0);
	HOLDS(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

static void try_lacking(enum confine_wall wall, const char *named)
{
	struct confine_rules rules = make_rules();
	struct confine_state state = { 0 }, must = { 0 };
	g_autoptr(GError) error = NULL;
	HOLDS(!confine_apply(&rules, CONFINE_MUST, &must, &error));
	HOLDS(strstr(error->message, named) && strstr(error->message, "--confine=must"));
	HOLDS(confine_apply(&rules, CONFINE_AUTO, &state, NULL));
	HOLDS(state.lacking == 1u << wall);
	HOLDS(!((state.held >> wall) & 1) && state.held != 0);
	g_autofree char *line = confine_describe(&state);
	HOLDS(strstr(line, "; lacks ") && strstr(strstr(line, "; lacks "), named));
}

static void without_landlock(void)
{
	play_without(SCMP_SYS(landlock_create_ruleset), ENOSYS);
	try_lacking(CONFINE_LANDLOCK, "landlock (the kernel has none)");
}

static void landlock_switched_off(void)
{
	play_without(SCMP_SYS(landlock_create_ruleset), EOPNOTSUPP);
	try_lacking(CONFINE_LANDLOCK, "landlock (is switched off at the kernel's start)");
}

static void without_seccomp(void)
{
	play_without(SCMP_SYS(seccomp), EINVAL);
	try_lacking(CONFINE_SECCOMP, "seccomp");
}

static void off(void)
{
	struct confine_rules rules = make_rules();
	struct confine_state state = { 0 };
	HOLDS(confine_apply(&rules, CONFINE_OFF, &state, NULL));
	HOLDS(state.held == 0 && state.lacking == 0 && opens("/proc/self/status", O_RDONLY));
	HOLDS(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
	g_autofree char *line = confine_describe(&state);
	HOLDS(strcmp(line, "holds nothing") == 0);
}

static void test_notes(void)
{
	struct confine_state state = { 0 };
	g_autoptr(GError) error = NULL;
	confine_note(&state, CONFINE_USER, NULL);
	g_assert_true(confine_check(&state, "vitrine-x", CONFINE_MUST, &error));
	confine_note(&state, CONFINE_NAMESPACES, "user.max_user_namespaces is 0");
	g_autofree char *line = confine_describe(&state);
	g_assert_cmpstr(line, ==, "holds user; lacks namespaces (user.max_user_namespaces is 0)");
	g_assert_true(confine_check(&state, "vitrine-x", CONFINE_AUTO, &error));
	g_assert_false(confine_check(&state, "vitrine-x", CONFINE_MUST, &error));
	g_assert_nonnull(strstr(error->message, "vitrine-x must be confined"));
}

/* A stranger's state has texts without an end and walls that are both there and lacking. */
static void test_clean(void)
{
	struct confine_state state;
	memset(&state, 0xff, sizeof(state));
	memcpy(state.reason[0], "a\033[2J", 6);
	confine_clean(&state);
	g_assert_cmphex(state.held, ==, (1u << CONFINE_WALLS) - 1);
	g_assert_cmphex(state.lacking, ==, 0);
	g_assert_cmpstr(state.reason[0], ==, "a?[2J");
	g_assert_cmpuint(strlen(state.reason[1]), ==, CONFINE_REASON_MAX - 1);
	g_assert_true(g_str_has_prefix(state.reason[1], "???"));
}

static void make_files(void)
{
	folder = g_dir_make_tmp("confine-XXXXXX", NULL);
	static const char *const names[] = { "open", "written" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = in_folder(names[i]);
		g_assert_cmpint(mkdir(path, 0700), ==, 0);
	}
	g_autofree char *file = in_folder("open/file"), *secret = in_folder("secret");
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	g_assert_true(g_file_set_contents(secret, "x", 1, NULL));
}

static void remove_files(void)
{
	static const char *const names[] = { "open/file", "written/new", "secret", "open",
		"written", "" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = in_folder(names[i]);
		remove(path);
	}
	g_free(folder);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*function)(void);
	} children[] = {
		{ "no-new-privs", no_new_privs },
		{ "capabilities", capabilities },
		{ "not-dumpable", not_dumpable },
		{ "limits", limits },
		{ "landlock/files", landlock_files },
		{ "seccomp/gpus", seccomp_gpus },
		{ "landlock/list", landlock_list },
		{ "landlock/remove", landlock_remove },
		{ "landlock/threads", landlock_threads },
		{ "landlock/ports", landlock_ports },
		{ "seccomp/calls", seccomp_calls },
		{ "seccomp/code", seccomp_code },
		{ "seccomp/threads", seccomp_threads },
		{ "seccomp/rows", seccomp_rows },
		{ "seccomp/early", seccomp_early },
		{ "seccomp/forbid", seccomp_forbid },
		{ "lacking/landlock", without_landlock },
		{ "lacking/landlock-switched-off", landlock_switched_off },
		{ "lacking/seccomp", without_seccomp },
		{ "off", off },
	};
	g_test_init(&argc, &argv, NULL);
	make_files();
	for (unsigned i = 0; i < G_N_ELEMENTS(children); i++) {
		g_autofree char *path = g_strconcat("/confine/", children[i].name, NULL);
		g_test_add_data_func(path, children[i].function, run_child);
	}
	g_test_add_func("/confine/notes", test_notes);
	g_test_add_func("/confine/clean", test_clean);
	int status = g_test_run();
	remove_files();
	return status;
}
