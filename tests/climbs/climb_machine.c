/* SPDX-License-Identifier: MIT */
/*
 * Changing the machine for everybody. Each climb asks for something that changes nothing, or takes
 * it back: they run on people's machines, and as root.
 */
#include <linux/mount.h>
#include <linux/reboot.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>

#include "tests/climbs/climb_calls.h"

static int mount_tmpfs(const struct climb_targets *t)
{
	if (syscall(SYS_mount, "none", t->other_dir, "tmpfs", 0, NULL) < 0)
		return errno;
	syscall(SYS_umount2, t->other_dir, MNT_DETACH);
	return 0;
}

static int mount_bind(const struct climb_targets *t)
{
	if (syscall(SYS_mount, "/", t->other_dir, NULL, MS_BIND, NULL) < 0)
		return errno;
	syscall(SYS_umount2, t->other_dir, MNT_DETACH);
	return 0;
}

static int mount_proc(const struct climb_targets *t)
{
	if (syscall(SYS_mount, "proc", t->other_dir, "proc", 0, NULL) < 0)
		return errno;
	syscall(SYS_umount2, t->other_dir, MNT_DETACH);
	return 0;
}

/* It is no mount point, which is said to those only who may ask. */
static int unmount(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_umount2, t->other_dir, MNT_DETACH), EINVAL);
}

static int open_file_system(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_fsopen, "tmpfs", 1 /* FSOPEN_CLOEXEC */));
}

static int copy_tree(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */));
}

static int change_mount(const struct climb_targets *t)
{
	struct mount_attr attr = { 0 };
	return climb_passed(
		syscall(SYS_mount_setattr, AT_FDCWD, t->other_dir, 0, &attr, sizeof(attr)), EINVAL);
}

static int change_root(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_chroot, "/"));
}

/*
 * What is no mount point is refused, but after the permission. No climb mounts there: a mount that
 * was left by one that may mount and not unmount, as the starter, would become the machine's root.
 */
static int pivot(const struct climb_targets *t)
{
	int error = climb_passed(syscall(SYS_pivot_root, t->home, t->home), EINVAL);
	return error == EBUSY ? 0 : error;
}

#define UNSHARE(function, flags)                                                                   \
	static int function(const struct climb_targets *t)                                         \
	{                                                                                          \
		return climb_result(syscall(SYS_unshare, (flags)));                                \
	}
/* A new user namespace is refused to processes with several threads, but after the permission. */
static int unshare_user(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_unshare, CLONE_NEWUSER), EINVAL);
}
UNSHARE(unshare_mount, CLONE_NEWNS)
UNSHARE(unshare_network, CLONE_NEWNET)
UNSHARE(unshare_ipc, CLONE_NEWIPC)
UNSHARE(unshare_pid, CLONE_NEWPID)
UNSHARE(unshare_uts, CLONE_NEWUTS)
UNSHARE(unshare_cgroup, CLONE_NEWCGROUP)
UNSHARE(unshare_time, 0x80 /* CLONE_NEWTIME */)

/* The numbers that guard it are looked at by those only who may reboot. */
static int restart_machine(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_reboot, 0, 0, LINUX_REBOOT_CMD_CAD_OFF, NULL), EINVAL);
}

static int name_host(const struct climb_targets *t)
{
	struct utsname names;
	if (syscall(SYS_uname, &names) < 0)
		return errno;
	return climb_result(syscall(SYS_sethostname, names.nodename, strlen(names.nodename)));
}

static int name_domain(const struct climb_targets *t)
{
	struct utsname names;
	if (syscall(SYS_uname, &names) < 0)
		return errno;
	return climb_result(syscall(SYS_setdomainname, names.domainname, strlen(names.domainname)));
}

/* Without a time nothing is set; who may not is told so before. */
static int set_time(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_settimeofday, NULL, NULL));
}

static int tune_clock(const struct climb_targets *t)
{
	struct timex clock = { .modes = 0 };
	if (syscall(SYS_adjtimex, &clock) < 0)
		return errno;
	clock.modes = ADJ_FREQUENCY;
	return climb_result(syscall(SYS_adjtimex, &clock));
}

static int swap_on(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_swapon, t->other_file, 0), EINVAL);
}

static int swap_off(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_swapoff, t->other_file), EINVAL);
}

static int keep_accounts(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_acct, "/climb-none"), ENOENT);
}

static int ask_quota(const struct climb_targets *t)
{
	return climb_passed(
		syscall(SYS_quotactl, QCMD(Q_QUOTAON, USRQUOTA), "/climb-none", 0, t->other_dir),
		ENOENT);
}

static int reach_ports(const struct climb_targets *t)
{
#ifdef __x86_64__
	if (syscall(SYS_ioperm, 0x80, 1, 1) < 0)
		return errno;
	return climb_result(syscall(SYS_ioperm, 0x80, 1, 0));
#else
	return ENOSYS;
#endif
}

static int reach_all_ports(const struct climb_targets *t)
{
#ifdef __x86_64__
	if (syscall(SYS_iopl, 3) < 0)
		return errno;
	return climb_result(syscall(SYS_iopl, 0));
#else
	return ENOSYS;
#endif
}

static int read_local_table(const struct climb_targets *t)
{
#ifdef __x86_64__
	char table[64];
	return climb_result(syscall(SYS_modify_ldt, 0, table, sizeof(table)));
#else
	return ENOSYS;
#endif
}

static int change_personality(const struct climb_targets *t)
{
	long now = syscall(SYS_personality, 0xffffffffu);
	if (now < 0)
		return errno;
	if (syscall(SYS_personality, now | 0x0400000 /* READ_IMPLIES_EXEC */) < 0)
		return errno;
	return climb_result(syscall(SYS_personality, now));
}

#define SECCOMP CLIMB_SECCOMP
#define RIGHTS CLIMB_RIGHTS
static const struct climb rows[] = {
	{ "mount a tmpfs", CLIMB_ALL, SECCOMP | RIGHTS, 0, mount_tmpfs },
	{ "mount / elsewhere", CLIMB_ALL, SECCOMP | RIGHTS, 0, mount_bind },
	{ "mount proc", CLIMB_ALL, SECCOMP | RIGHTS, 0, mount_proc },
	{ "umount2", CLIMB_ALL, SECCOMP | RIGHTS, 0, unmount },
	{ "fsopen", CLIMB_ALL, SECCOMP | RIGHTS, 0, open_file_system },
	{ "open_tree", CLIMB_ALL, SECCOMP | RIGHTS, 0, copy_tree },
	{ "mount_setattr", CLIMB_ALL, SECCOMP, 0, change_mount },
	{ "chroot", CLIMB_ALL, SECCOMP | RIGHTS, 0, change_root },
	{ "pivot_root", CLIMB_ALL, SECCOMP | RIGHTS, 0, pivot },
	{ "unshare: user", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, unshare_user },
	{ "unshare: mount", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, unshare_mount },
	{ "unshare: network", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, unshare_network },
	{ "unshare: IPC", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, unshare_ipc },
	{ "unshare: PID", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, unshare_pid },
	{ "unshare: UTS", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, unshare_uts },
	{ "unshare: cgroup", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, unshare_cgroup },
	{ "unshare: time", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, unshare_time },
	{ "reboot", CLIMB_ALL, SECCOMP | RIGHTS, 0, restart_machine },
	{ "sethostname", CLIMB_ALL, SECCOMP | RIGHTS, 0, name_host },
	{ "setdomainname", CLIMB_ALL, SECCOMP | RIGHTS, 0, name_domain },
	{ "settimeofday", CLIMB_ALL, SECCOMP | RIGHTS, 0, set_time },
	{ "adjtimex", CLIMB_ALL, SECCOMP | RIGHTS, 0, tune_clock },
	{ "swapon", CLIMB_ALL, SECCOMP | RIGHTS, 0, swap_on },
	{ "swapoff", CLIMB_ALL, SECCOMP | RIGHTS, 0, swap_off },
	{ "acct", CLIMB_ALL, SECCOMP | RIGHTS, 0, keep_accounts },
	{ "quotactl", CLIMB_ALL, SECCOMP, 0, ask_quota },
	{ "ioperm", CLIMB_ALL, SECCOMP | RIGHTS, 0, reach_ports },
	{ "iopl", CLIMB_ALL, SECCOMP | RIGHTS, 0, reach_all_ports },
	{ "modify_ldt", CLIMB_ALL, SECCOMP, 0, read_local_table },
	{ "personality", CLIMB_ALL, SECCOMP, 0, change_personality },
};

const struct climb_group climb_machine = CLIMB_GROUP("machine", rows);
