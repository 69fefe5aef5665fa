/* SPDX-License-Identifier: MIT */
/*
 * isolation: checks what a worker begins in, that a keeper without capabilities can end it all the
 * same, and what is said where the machine does not let us. The worker is this program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/confine/confine.h"
#include "common/link.h"
#include "common/process.h"
#include "protocol/keeper_link.h"
#include "server/starter/spare_users.h"
#include "server/starter/starter.h"

#define PATIENCE_MS 20000
#define WORKER "--as-worker"

enum { NS_USER, NS_NET, NS_MNT, NS_IPC, NS_KINDS };
static const char *const ns_names[NS_KINDS] = { "user", "net", "mnt", "ipc" };

/* What a worker finds. */
struct found {
	ino_t ns[NS_KINDS];
	uid_t user;
	gid_t group;
	int n_groups;
	bool has_loopback, sees_folder, sees_file, writes_cache;
	int death_signal;
	/* errno of what it did to the process that is named on its command line */
	int kill_error, read_error;
	bool may_trace, may_unshare, may_ask_keys, has_vsock, may_type;
	char lack_namespaces[80], lack_user[80];
};

static char *folder, *file;

/* ---- the worker ---- */

static bool has_loopback(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	return bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
	       getsockname(listener, (struct sockaddr *)&address, &size) == 0 &&
	       connect(client, (struct sockaddr *)&address, size) == 0;
}

static bool writes_cache(void)
{
	const char *cache = g_getenv("XDG_CACHE_HOME");
	g_autofree char *path = cache ? g_build_filename(cache, "isolation-test", NULL) : NULL;
	bool good = path && g_file_set_contents(path, "x", 1, NULL);
	return good && g_unlink(path) == 0;
}

static void reach_for(pid_t other, struct found *found)
{
	char byte;
	struct iovec ours = { &byte, 1 }, theirs = { (void *)&folder, 1 };
	found->kill_error = kill(other, 0) < 0 ? errno : 0;
	found->read_error = process_vm_readv(other, &ours, 1, &theirs, 1, 0) < 0 ? errno : 0;
}

static void copy_variable(char *to, size_t size, const char *name)
{
	g_strlcpy(to, g_getenv(name) ? g_getenv(name) : "unset", size);
}

static int run_worker(char **argv)
{
	struct found found = {
		.user = getuid(), .group = getgid(), .n_groups = getgroups(0, NULL)
	};
	struct stat st;
	for (unsigned i = 0; i < NS_KINDS; i++) {
		g_autofree char *path = g_strdup_printf("/proc/self/ns/%s", ns_names[i]);
		found.ns[i] = stat(path, &st) == 0 ? st.st_ino : 0;
	}
	g_autofree char *inside = g_build_filename(argv[2], "inside", NULL);
	g_autofree char *text = NULL;
	found.sees_folder = access(inside, F_OK) == 0;
	found.sees_file = g_file_get_contents(argv[3], &text, NULL, NULL) && *text;
	found.has_loopback = has_loopback();
	found.writes_cache = writes_cache();
	found.may_trace = ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
	found.may_unshare = unshare(0) == 0;
	found.may_ask_keys = syscall(SYS_keyctl, 0, -2, 1) >= 0 || errno != EPERM;
	found.has_vsock = socket(AF_VSOCK, SOCK_STREAM, 0) >= 0 || errno != EPERM;
	found.may_type = ioctl(KEEPER_LINK_FD, TIOCSTI, "x") == 0 || errno != EPERM;
	prctl(PR_GET_PDEATHSIG, &found.death_signal);
	copy_variable(
		found.lack_namespaces, sizeof(found.lack_namespaces), CONFINE_NAMESPACES_VARIABLE);
	copy_variable(found.lack_user, sizeof(found.lack_user), CONFINE_USER_VARIABLE);
	pid_t other;
	if (recv(KEEPER_LINK_FD, &other, sizeof(other), 0) == sizeof(other))
		reach_for(other, &found);
	if (send(KEEPER_LINK_FD, &found, sizeof(found), 0) != sizeof(found))
		return 1;
	for (;;)
		pause();
}

/* ---- the keeper ---- */

struct stage {
	char *argv[2][5], *hidden[2];
	struct starter_plan plan;
	struct starter starter;
};

static void plan(struct stage *stage, const char *program, bool apart)
{
	*stage = (struct stage){ .plan = { .n_commands = 2, .name = "isolation", .apart = apart } };
	for (unsigned i = 0; i < 2; i++) {
		char *argv[] = { (char *)program, (char *)WORKER, folder, file, NULL };
		memcpy(stage->argv[i], argv, sizeof(argv));
		stage->plan.commands[i] = (struct starter_command){
			.argv = stage->argv[i], .user = i, .loopback = i == 1
		};
	}
	stage->hidden[0] = folder;
	stage->hidden[1] = file;
	stage->plan.hidden = stage->hidden;
	stage->plan.n_hidden = 2;
}

static void begin_planned(struct stage *stage)
{
	g_autoptr(GError) error = NULL;
	starter_init(&stage->starter, &stage->plan, &error);
	g_assert_no_error(error);
}

static void begin(struct stage *stage, const char *program, bool apart)
{
	plan(stage, program, apart);
	begin_planned(stage);
}

/* Starts a worker, has it reach for another process, and hears what it found. */
static pid_t start(struct stage *stage, unsigned command, pid_t other, struct found *found)
{
	g_autoptr(GError) error = NULL;
	int link[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link), ==, 0);
	int pidfd;
	pid_t pid = starter_spawn(&stage->starter, command,
		(const int[]){ link[1], link[1], link[1] }, &pidfd, &error);
	g_assert_no_error(error);
	close(link[1]);
	close(pidfd);
	if (other == 0)
		other = pid;
	g_assert_cmpint(send(link[0], &other, sizeof(other), MSG_NOSIGNAL), ==, sizeof(other));
	g_assert_true(link_wait_readable(link[0], PATIENCE_MS));
	g_assert_cmpint(recv(link[0], found, sizeof(*found), 0), ==, sizeof(*found));
	close(link[0]);
	return pid;
}

static void end(struct stage *stage, pid_t pid)
{
	g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
	(void)stage;
}

static char *find_self(void)
{
	return g_file_read_link("/proc/self/exe", NULL);
}

static ino_t read_ns(pid_t pid, const char *name)
{
	struct stat st;
	g_autofree char *path = g_strdup_printf("/proc/%d/ns/%s", (int)pid, name);
	g_assert_cmpint(stat(path, &st), ==, 0);
	return st.st_ino;
}

static ino_t read_own_ns(const char *name)
{
	return read_ns(getpid(), name);
}

static uint64_t read_capabilities(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	const char *at = strstr(text, "\nCapPrm:");
	g_assert_nonnull(at);
	return g_ascii_strtoull(at + strlen("\nCapPrm:"), NULL, 16);
}

/* This machine may be one that does not let us; then the rest says nothing. */
static bool is_lacking(const struct found *found)
{
	if (!*found->lack_namespaces)
		return false;
	g_test_skip(found->lack_namespaces);
	return true;
}

/* ---- what holds ---- */

static void test_namespaces(void)
{
	g_autofree char *self = find_self();
	struct stage stage;
	struct found found[2];
	pid_t pids[2];
	begin(&stage, self, true);
	for (unsigned i = 0; i < 2; i++)
		pids[i] = start(&stage, i, 0, &found[i]);
	for (unsigned i = 0; i < NS_KINDS && !is_lacking(&found[0]); i++) {
		g_assert_cmpuint(found[0].ns[i], !=, read_own_ns(ns_names[i]));
		g_assert_cmpuint(found[1].ns[i], !=, read_own_ns(ns_names[i]));
		g_assert_cmpuint(found[0].ns[i], !=, found[1].ns[i]);
	}
	g_assert_false(found[0].may_unshare || found[0].may_ask_keys || found[0].has_vsock ||
		       found[0].may_type);
#ifndef __SANITIZE_ADDRESS__
	g_assert_false(found[0].may_trace);
#endif
	if (!is_lacking(&found[0])) {
		g_assert_false(found[0].has_loopback);
		g_assert_true(found[1].has_loopback);
		g_assert_false(found[0].sees_folder || found[0].sees_file);
		g_assert_cmpint(found[0].death_signal, ==, SIGKILL);
	}
	for (unsigned i = 0; i < 2; i++)
		end(&stage, pids[i]);
	starter_finish(&stage.starter);
}

/* An ordinary user's workers are itself, with its groups, or the GPU's would be lost. */
static void test_ordinary_user(void)
{
	g_autofree char *self = find_self();
	struct stage stage;
	struct found found;
	if (getuid() == 0) {
		g_test_skip("run by root");
		return;
	}
	begin(&stage, self, true);
	pid_t pid = start(&stage, 0, 0, &found);
	g_assert_cmpuint(found.user, ==, getuid());
	g_assert_cmpuint(found.group, ==, getgid());
	g_assert_cmpint(found.n_groups, ==, getgroups(0, NULL));
	g_assert_cmpstr(found.lack_user, ==, "unset");
	end(&stage, pid);
	starter_finish(&stage.starter);
}

static bool runs_as_root(void)
{
	if (getuid() == 0)
		return true;
	g_test_skip("only root has users to give");
	return false;
}

/* Root's workers are two users that are nobody, and neither reaches the other or us. */
static void test_root_users(void)
{
	g_autofree char *self = find_self();
	struct stage stage;
	struct found found[2];
	if (!runs_as_root())
		return;
	begin(&stage, self, true);
	pid_t first = start(&stage, 0, getpid(), &found[0]);
	pid_t second = start(&stage, 1, first, &found[1]);
	uint64_t capabilities = read_capabilities(stage.starter.servant.pid);
	bool in_our_network = read_ns(stage.starter.servant.pid, "net") == read_own_ns("net");
	end(&stage, first);
	end(&stage, second);
	starter_finish(&stage.starter);
	if (is_lacking(&found[0]))
		return;
	/* In a container, or where this program is root's alone. Other reasons are faults. */
	if (g_str_equal(found[0].lack_user, g_strerror(EPERM)) ||
		g_str_equal(found[0].lack_user, g_strerror(EACCES))) {
		g_test_skip(found[0].lack_user);
		return;
	}
	g_assert_cmpstr(found[0].lack_user, ==, "");
	g_assert_cmphex(capabilities, ==, 1u << CAP_SETUID | 1u << CAP_SETGID);
	g_assert_false(in_our_network);
	uid_t expected = spare_users_find("isolation", STARTER_USERS + 1);
	for (unsigned i = 0; i < 2; i++) {
		g_assert_cmpuint(found[i].user, ==, expected + i);
		g_assert_cmpuint(found[i].group, ==, expected + i);
		g_assert_cmpint(found[i].kill_error, ==, EPERM);
		g_assert_cmpint(found[i].read_error, ==, EPERM);
		g_assert_true(found[i].writes_cache);
	}
}

/* A keeper that has given up all capabilities still ends a worker that is stopped. */
static void end_without_capabilities(void)
{
	const struct confine_rules rules = { .process = "test", .signals_others = true };
	struct confine_state state = { 0 };
	g_autofree char *self = find_self();
	struct stage stage;
	struct found found;
	begin(&stage, self, true);
	pid_t pid = start(&stage, 1, 0, &found);
	if (!confine_threads(&rules, CONFINE_AUTO, &state, NULL))
		_exit(2);
	if (kill(pid, SIGSTOP) < 0 || kill(pid, SIGKILL) < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(3);
	starter_finish(&stage.starter);
	_exit(0);
}

static int run_child(void (*function)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		function();
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The same for a function that finds out where it is. */
static void expect_child(void (*function)(void))
{
	int status = run_child(function);
	if (status == 77)
		g_test_skip("this machine has no namespaces for us");
	else
		g_assert_cmpint(status, ==, 0);
}

static void test_ended_without_capabilities(void)
{
	g_assert_cmpint(run_child(end_without_capabilities), ==, 0);
}

static void test_off(void)
{
	g_autofree char *self = find_self();
	struct stage stage;
	struct found found;
	begin(&stage, self, false);
	pid_t pid = start(&stage, 0, 0, &found);
	for (unsigned i = 0; i < NS_KINDS; i++)
		g_assert_cmpuint(found.ns[i], ==, read_own_ns(ns_names[i]));
	g_assert_cmpuint(found.user, ==, getuid());
	g_assert_true(found.sees_folder && found.sees_file);
	g_assert_true(found.may_trace && found.may_unshare);
	g_assert_cmpstr(found.lack_namespaces, ==, "unset");
	end(&stage, pid);
	starter_finish(&stage.starter);
}

/* ---- machines that do not let us ---- */

/* Plays a container: namespaces are refused to all that this process starts. */
static void start_where_refused(void)
{
	g_autofree char *self = find_self();
	struct stage stage;
	struct found found;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSPC), SCMP_SYS(clone), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
	if (seccomp_load(filter) < 0)
		_exit(2);
	begin(&stage, self, true);
	pid_t pid = start(&stage, 1, 0, &found);
#ifdef __SANITIZE_THREAD__
	/*
	 * ThreadSanitizer begins a thread of its own after a fork(), and unshare(2) gives a process
	 * with two no users: nobody gets as far as to make the worker that is refused here.
	 */
	if (g_str_equal(found.lack_namespaces, g_strerror(EINVAL)))
		_exit(77);
#endif
	if (!g_str_equal(found.lack_namespaces, g_strerror(ENOSPC)) ||
		found.ns[NS_USER] != read_own_ns("user") || found.user != getuid())
		_exit(3);
	if (getuid() == 0 && !*found.lack_user)
		_exit(4);
	if (getuid() == 0 && read_capabilities(stage.starter.servant.pid) !=
				     (1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH))
		_exit(5);
	end(&stage, pid);
	starter_finish(&stage.starter);
	_exit(0);
}

static void test_refused(void)
{
	expect_child(start_where_refused);
}

/* A program that only root may execute runs as root, and says so; the rest holds. */
static void test_program_of_root(void)
{
	g_autofree char *self = find_self(), *text = NULL;
	gsize length;
	struct stage stage;
	struct found found;
	if (!runs_as_root())
		return;
	g_autofree char *closed = g_dir_make_tmp("vitrine-closed-XXXXXX", NULL);
	g_autofree char *program = g_build_filename(closed, "worker", NULL);
	g_assert_true(g_file_get_contents(self, &text, &length, NULL));
	g_assert_true(g_file_set_contents_full(
		program, text, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	begin(&stage, program, true);
	pid_t pid = start(&stage, 0, 0, &found);
	end(&stage, pid);
	starter_finish(&stage.starter);
	g_unlink(program);
	g_rmdir(closed);
	if (is_lacking(&found))
		return;
	g_assert_cmpuint(found.user, ==, 0);
	g_assert_cmpstr(found.lack_user, ==, g_strerror(EACCES));
	g_assert_cmpuint(found.ns[NS_USER], !=, read_own_ns("user"));
}

/* What lies on a medium that is read-only for all cannot be kept, and all else holds. */
static void start_on_read_only_medium(void)
{
	g_autofree char *self = find_self();
	struct stage stage = { 0 };
	struct found found;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", folder, "tmpfs", MS_RDONLY, NULL) < 0)
		_exit(77);
	plan(&stage, self, true);
	stage.plan.writable = stage.hidden;
	stage.plan.n_writable = 1;
	stage.plan.n_hidden = 0;
	begin_planned(&stage);
	pid_t pid = start(&stage, 0, 0, &found);
	end(&stage, pid);
	starter_finish(&stage.starter);
	_exit(*found.lack_namespaces ? 77 : found.ns[NS_USER] == read_own_ns("user"));
}

static void test_read_only_medium(void)
{
	if (runs_as_root())
		expect_child(start_on_read_only_medium);
}

/* ---- users ---- */

static void write_in(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Nodes of devices need root; their modes and owners are those of files as well. */
static void test_gpu_of_root(void)
{
	g_autofree char *gpus = g_dir_make_tmp("isolation-XXXXXX", NULL);
	g_autofree char *card = g_build_filename(gpus, "card0", NULL);
	g_autofree char *node = g_build_filename(gpus, "renderD128", NULL);
	g_assert_true(spare_users_reach_gpus_in("/nowhere"));
	g_assert_true(g_file_set_contents(card, "", 0, NULL));
	g_assert_cmpint(chmod(card, 0600), ==, 0);
	g_assert_true(spare_users_reach_gpus_in(gpus));
	g_assert_true(g_file_set_contents(node, "", 0, NULL));
	g_assert_cmpint(chmod(node, 0600), ==, 0);
	g_assert_false(spare_users_reach_gpus_in(gpus));
	g_assert_cmpint(chmod(node, 0666), ==, 0);
	g_assert_true(spare_users_reach_gpus_in(gpus));
	g_assert_cmpint(chmod(node, 0660), ==, 0);
	if (geteuid() == 0) {
		g_assert_false(spare_users_reach_gpus_in(gpus));
		g_assert_cmpint(chown(node, 0, 44), ==, 0);
	}
	g_assert_cmpint(spare_users_reach_gpus_in(gpus), ==, geteuid() == 0 || getegid() != 0);
	unlink(card);
	unlink(node);
	rmdir(gpus);
}

static void test_spare_users(void)
{
	static const struct {
		const char *users, *groups;
		uid_t first, end;
	} rows[] = {
		{ "", "", SPARE_USERS_FIRST, SPARE_USERS_FIRST + SPARE_USERS_N },
		{ "me:5:9\n", "me:5:9\n", SPARE_USERS_FIRST, SPARE_USERS_FIRST + SPARE_USERS_N },
		{ "me:5:9\nroot:100000:10\n", "root:100000:10\n", 100000, 100010 },
		{ "0:100000:10\n", "root:100008:100\n", 100008, 100010 },
		/* These are no range, or none that both have. */
		{ "root:100000:1\n", "root:100000:1\n", SPARE_USERS_FIRST,
			SPARE_USERS_FIRST + SPARE_USERS_N },
		{ "root:x:10\n", "root:100000:10\n", SPARE_USERS_FIRST,
			SPARE_USERS_FIRST + SPARE_USERS_N },
		{ "root:0:10\n", "root:0:10\n", SPARE_USERS_FIRST,
			SPARE_USERS_FIRST + SPARE_USERS_N },
	};
	g_autofree char *users = g_build_filename(folder, "users", NULL);
	g_autofree char *groups = g_build_filename(folder, "groups", NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		write_in(folder, "users", rows[i].users);
		write_in(folder, "groups", rows[i].groups);
		for (unsigned j = 0; j < 50; j++) {
			g_autofree char *name = g_strdup_printf("desktop-%u", j);
			uid_t user = spare_users_find_in(users, groups, name, 2);
			g_assert_cmpuint(user, >=, rows[i].first);
			g_assert_cmpuint(user + 1, <, rows[i].end);
			g_assert_cmpuint((user - rows[i].first) % 2, ==, 0);
			g_assert_cmpuint(user, ==, spare_users_find_in(users, groups, name, 2));
		}
	}
	g_assert_cmpuint(spare_users_find("one", 2), !=, spare_users_find("another", 2));
	g_unlink(users);
	g_unlink(groups);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], WORKER) == 0)
		return run_worker(argv);
	g_test_init(&argc, &argv, NULL);
	folder = g_dir_make_tmp("vitrine-isolation-XXXXXX", NULL);
	g_chmod(folder, 0755);
	write_in(folder, "inside", "x");
	int fd = g_file_open_tmp("vitrine-isolated-XXXXXX", &file, NULL);
	g_assert_true(fd >= 0 && write(fd, "x", 1) == 1 && fchmod(fd, 0644) == 0);
	close(fd);
	g_test_add_func("/isolation/namespaces", test_namespaces);
	g_test_add_func("/isolation/ordinary-user", test_ordinary_user);
	g_test_add_func("/isolation/root-users", test_root_users);
	g_test_add_func("/isolation/ended-without-capabilities", test_ended_without_capabilities);
	g_test_add_func("/isolation/off", test_off);
	g_test_add_func("/isolation/refused", test_refused);
	g_test_add_func("/isolation/program-of-root", test_program_of_root);
	g_test_add_func("/isolation/read-only-medium", test_read_only_medium);
	g_test_add_func("/isolation/gpu-of-root", test_gpu_of_root);
	g_test_add_func("/isolation/spare-users", test_spare_users);
	int status = g_test_run();
	g_autofree char *inside = g_build_filename(folder, "inside", NULL);
	g_unlink(inside);
	g_rmdir(folder);
	g_unlink(file);
	return status;
}
