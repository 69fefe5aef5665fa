/* SPDX-License-Identifier: MIT */
/* Looking into other processes, and taking from them. */
#include <linux/kcmp.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/climbs/climb_calls.h"

static int attach(int32_t pid)
{
	long target = climb_target(pid);
	if (syscall(SYS_ptrace, PTRACE_ATTACH, target, 0, 0) < 0)
		return errno;
	syscall(SYS_wait4, target, NULL, __WALL, NULL);
	syscall(SYS_ptrace, PTRACE_DETACH, target, 0, 0);
	return 0;
}

static int attach_keeper(const struct climb_targets *t)
{
	return attach(t->keeper);
}

static int attach_sibling(const struct climb_targets *t)
{
	return attach(t->sibling);
}

static int attach_qemu(const struct climb_targets *t)
{
	return attach(t->qemu);
}

/* A tracee that was seized is let go when it is stopped, or when its tracer's thread ends. */
static int seize_qemu(const struct climb_targets *t)
{
	long target = climb_target(t->qemu);
	if (syscall(SYS_ptrace, PTRACE_SEIZE, target, 0, 0) < 0)
		return errno;
	syscall(SYS_ptrace, PTRACE_INTERRUPT, target, 0, 0);
	syscall(SYS_wait4, target, NULL, __WALL, NULL);
	syscall(SYS_ptrace, PTRACE_DETACH, target, 0, 0);
	return 0;
}

/* No address is known there: EFAULT says that we were let in and missed. */
static int read_memory(int32_t pid)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)16, 1 };
	return climb_passed(
		syscall(SYS_process_vm_readv, climb_target(pid), &here, 1, &there, 1, 0), EFAULT);
}

static int read_keeper(const struct climb_targets *t)
{
	return read_memory(t->keeper);
}

static int read_sibling(const struct climb_targets *t)
{
	return read_memory(t->sibling);
}

static int read_qemu(const struct climb_targets *t)
{
	return read_memory(t->qemu);
}

static int write_qemu(const struct climb_targets *t)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { (void *)16, 1 };
	return climb_passed(
		syscall(SYS_process_vm_writev, climb_target(t->qemu), &here, 1, &there, 1, 0),
		EFAULT);
}

static int take_descriptor(int32_t pid)
{
	long fd = syscall(SYS_pidfd_open, climb_target(pid), 0);
	if (fd < 0)
		return errno;
	int error = climb_opened(syscall(SYS_pidfd_getfd, fd, 2, 0));
	syscall(SYS_close, fd);
	return error;
}

static int take_from_keeper(const struct climb_targets *t)
{
	return take_descriptor(t->keeper);
}

static int take_from_qemu(const struct climb_targets *t)
{
	return take_descriptor(t->qemu);
}

static int compare(const struct climb_targets *t)
{
	return climb_result(
		syscall(SYS_kcmp, climb_target(t->qemu), climb_target(t->qemu), KCMP_VM, 0, 0));
}

static int read_robust_list(const struct climb_targets *t)
{
	void *head;
	size_t size;
	return climb_result(syscall(SYS_get_robust_list, climb_target(t->qemu), &head, &size));
}

static int advise(const struct climb_targets *t)
{
	struct iovec there = { (void *)4096, 4096 };
	long fd = syscall(SYS_pidfd_open, climb_target(t->qemu), 0);
	if (fd < 0)
		return errno;
	int error = climb_passed(
		syscall(SYS_process_madvise, fd, &there, 1, 20 /* MADV_COLD */, 0), ENOMEM);
	syscall(SYS_close, fd);
	return error;
}

static int enter_namespaces(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	long fd = climb_open_fd(climb_proc(path, t->qemu, "ns/net"), O_RDONLY);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_setns, fd, 0));
	syscall(SYS_close, fd);
	return error;
}

static int enter_by_descriptor(const struct climb_targets *t)
{
	long fd = syscall(SYS_pidfd_open, climb_target(t->qemu), 0);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_setns, fd, 0x40000000 /* CLONE_NEWNET */));
	syscall(SYS_close, fd);
	return error;
}

#define SECCOMP CLIMB_SECCOMP
static const struct climb rows[] = {
	{ "ptrace the keeper", CLIMB_ALL, SECCOMP, 0, attach_keeper },
	{ "ptrace a sibling", CLIMB_ALL, SECCOMP, 0, attach_sibling },
	{ "ptrace QEMU", CLIMB_ALL, SECCOMP, 0, attach_qemu },
	{ "PTRACE_SEIZE of QEMU", CLIMB_ALL, SECCOMP, 0, seize_qemu },
	{ "process_vm_readv of the keeper", CLIMB_ALL, SECCOMP, 0, read_keeper },
	{ "process_vm_readv of a sibling", CLIMB_ALL, SECCOMP, 0, read_sibling },
	{ "process_vm_readv of QEMU", CLIMB_ALL, SECCOMP, 0, read_qemu },
	{ "process_vm_writev of QEMU", CLIMB_ALL, SECCOMP, 0, write_qemu },
	{ "pidfd_getfd of the keeper", CLIMB_ALL, SECCOMP, 0, take_from_keeper },
	{ "pidfd_getfd of QEMU", CLIMB_ALL, SECCOMP, 0, take_from_qemu },
	{ "kcmp", CLIMB_ALL, SECCOMP, 0, compare },
	{ "get_robust_list of QEMU", CLIMB_ALL, 0, 0, read_robust_list },
	{ "process_madvise", CLIMB_ALL, SECCOMP, 0, advise },
	{ "setns by a file", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, enter_namespaces },
	{ "setns by a pidfd", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, enter_by_descriptor },
};

const struct climb_group climb_tracing = CLIMB_GROUP("tracing", rows);
