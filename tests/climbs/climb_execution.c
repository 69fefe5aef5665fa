/* SPDX-License-Identifier: MIT */
/* Other programs, other processes, other code. */
#include <linux/memfd.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/climbs/climb_calls.h"

static const char *const argv[] = { "sleep", "60", NULL };
static const char *const envp[] = { NULL };

static int execute(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_execve, "/bin/sleep", argv, envp));
}

static int execute_at(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_execveat, AT_FDCWD, "/bin/sleep", argv, envp, 0));
}

static int copy(long from, long to)
{
	char block[8192];
	long n;
	while ((n = syscall(SYS_read, from, block, sizeof(block))) > 0) {
		if (syscall(SYS_write, to, block, n) != n)
			return errno;
	}
	return n < 0 ? errno : 0;
}

/* A program that no file system has. Its bytes would come over a link; here they are a copy's. */
static int execute_memory(const struct climb_targets *t)
{
	static const char script[] = "#!/bin/sleep 60\n";
	long memory = syscall(SYS_memfd_create, "climb", 0);
	if (memory < 0)
		return errno;
	long from = climb_open_fd("/bin/sleep", O_RDONLY);
	int error = from < 0 ?
			    climb_result(syscall(SYS_write, memory, script, sizeof(script) - 1)) :
			    copy(from, memory);
	if (from >= 0)
		syscall(SYS_close, from);
	if (!error)
		error = climb_result(syscall(SYS_execveat, memory, "", argv, envp, AT_EMPTY_PATH));
	syscall(SYS_close, memory);
	return error;
}

/* The loader starts programs by mapping them, though their file may not be executed. */
static int execute_loader(const struct climb_targets *t)
{
	static const char *const by_loader[] = { "sleep", "/bin/sleep", "60", NULL };
	return climb_result(syscall(SYS_execve, "/lib64/ld-linux-x86-64.so.2", by_loader, envp));
}

/* The child ends itself at once. */
static int end_child(long pid)
{
	if (pid < 0)
		return errno;
	if (pid == 0) {
		syscall(SYS_exit_group, 0);
		__builtin_unreachable();
	}
	syscall(SYS_wait4, pid, NULL, __WALL, NULL);
	return 0;
}

static int make_child(const struct climb_targets *t)
{
	return end_child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int make_child_old(const struct climb_targets *t)
{
	return end_child(syscall(SYS_fork));
}

static int make_child_silent(const struct climb_targets *t)
{
	return end_child(syscall(SYS_clone, 0, 0, 0, 0, 0));
}

static int make_child_3(const struct climb_targets *t)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	return end_child(syscall(SYS_clone3, &args, sizeof(args)));
}

/* The child borrows our memory, so it runs on a stack of its own. */
static int end_at_once(void *unused)
{
	syscall(SYS_exit, 0);
	return 0;
}

static int make_child_in_memory(const struct climb_targets *t)
{
	_Alignas(16) char stack[8192];
	int pid = clone(end_at_once, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	int error = pid < 0 ? errno : 0;
	if (pid > 0)
		syscall(SYS_wait4, pid, NULL, __WALL, NULL);
	return error;
}

static int make_sibling(const struct climb_targets *t)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		syscall(SYS_exit_group, 0);
		__builtin_unreachable();
	}
	return climb_result(pid);
}

static int make_child_in_namespaces(const struct climb_targets *t)
{
	return end_child(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static int make_child_in_namespaces_3(const struct climb_targets *t)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	return end_child(syscall(SYS_clone3, &args, sizeof(args)));
}

/* "mov eax, 42; ret" in memory that was written: executing it is the proof. */
static const uint8_t code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
#define CODE_BYTES 4096

static int run_code(void *memory)
{
	int (*function)(void);
	memcpy(&function, &memory, sizeof(function));
	int error = function() == 42 ? 0 : ENOEXEC;
	syscall(SYS_munmap, memory, CODE_BYTES);
	return error;
}

static int map_code(const struct climb_targets *t)
{
	void *memory = (void *)syscall(SYS_mmap, NULL, CODE_BYTES,
		PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return errno;
	memcpy(memory, code, sizeof(code));
	return run_code(memory);
}

static int protect_code(const struct climb_targets *t)
{
	void *memory = (void *)syscall(SYS_mmap, NULL, CODE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return errno;
	memcpy(memory, code, sizeof(code));
	if (syscall(SYS_mprotect, memory, CODE_BYTES, PROT_READ | PROT_EXEC) < 0) {
		int error = errno;
		syscall(SYS_munmap, memory, CODE_BYTES);
		return error;
	}
	return run_code(memory);
}

static int map_code_of_memory_file(const struct climb_targets *t)
{
	long fd = syscall(SYS_memfd_create, "climb", MFD_CLOEXEC);
	if (fd < 0)
		return errno;
	void *memory = MAP_FAILED;
	if (syscall(SYS_write, fd, code, sizeof(code)) == sizeof(code))
		memory = (void *)syscall(
			SYS_mmap, NULL, CODE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	int error = memory == MAP_FAILED ? errno : 0;
	syscall(SYS_close, fd);
	return error ? error : run_code(memory);
}

/* Code pages of the program itself, written through /proc: no protection of memory counts there. */
static int write_own_code(const struct climb_targets *t)
{
	return climb_open("/proc/self/mem", O_RDWR);
}

#define SECCOMP CLIMB_SECCOMP
static const struct climb rows[] = {
	{ "execve", CLIMB_ALL, SECCOMP | CLIMB_LANDLOCK, CLIMB_EXECUTES, execute },
	{ "execveat", CLIMB_ALL, SECCOMP | CLIMB_LANDLOCK, CLIMB_EXECUTES, execute_at },
	{ "execveat of a memfd", CLIMB_ALL, SECCOMP, CLIMB_EXECUTES, execute_memory },
	{ "execve of the loader", CLIMB_ALL, SECCOMP, CLIMB_EXECUTES, execute_loader },
	{ "clone: a process", CLIMB_WORKERS | CLIMB_KEEPER, SECCOMP, 0, make_child },
	{ "fork", CLIMB_WORKERS | CLIMB_KEEPER, SECCOMP, 0, make_child_old },
	{ "clone without a signal", CLIMB_WORKERS | CLIMB_KEEPER, SECCOMP, 0, make_child_silent },
	{ "clone3: a process", CLIMB_WORKERS | CLIMB_KEEPER, SECCOMP, 0, make_child_3 },
	{ "vfork", CLIMB_WORKERS | CLIMB_KEEPER, SECCOMP, 0, make_child_in_memory },
	{ "clone: the parent's child", CLIMB_WORKERS | CLIMB_KEEPER, SECCOMP, 0, make_sibling },
	{ "clone: new user namespace", CLIMB_ALL, SECCOMP, 0, make_child_in_namespaces },
	{ "clone3: new user namespace", CLIMB_ALL, SECCOMP, 0, make_child_in_namespaces_3 },
	{ "mmap executable", CLIMB_SERVER, SECCOMP, 0, map_code },
	{ "mprotect executable", CLIMB_SERVER, SECCOMP, 0, protect_code },
	{ "map a memfd executable", CLIMB_SERVER, SECCOMP, 0, map_code_of_memory_file },
	{ "open /proc/self/mem", CLIMB_SERVER, CLIMB_LANDLOCK, 0, write_own_code },
};

const struct climb_group climb_execution = CLIMB_GROUP("execution", rows);
