/* SPDX-License-Identifier: MIT */
/* Becoming somebody else, and having more than one has. */
#include <grp.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "tests/climbs/climb_calls.h"

static int become_root(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_setuid, 0));
}

static int become_other(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_setresuid, -1, t->other_user, -1));
}

static int change_group(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_setresgid, -1, t->other_user, -1));
}

static int join_groups(const struct climb_targets *t)
{
	gid_t group = 0;
	return climb_result(syscall(SYS_setgroups, 1, &group));
}

static int become_file_user(const struct climb_targets *t)
{
	/* It returns the one before, whatever happens. */
	long before = syscall(SYS_setfsuid, t->other_user);
	if (before < 0)
		return errno;
	long now = syscall(SYS_setfsuid, -1);
	syscall(SYS_setfsuid, before);
	return now == t->other_user ? 0 : EPERM;
}

static struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

static int have_capability(const struct climb_targets *t)
{
	struct __user_cap_data_struct data[2];
	struct __user_cap_header_struct here = header;
	/* Where the filter refuses to answer, the number of a thread tells nothing either. */
	if (syscall(SYS_capget, &here, data) < 0)
		return errno;
	return data[0].effective | data[1].effective | data[0].permitted | data[1].permitted ?
		       0 :
		       EPERM;
}

static int raise_capabilities(const struct climb_targets *t)
{
	struct __user_cap_data_struct data[2] = {
		{ 1u << CAP_DAC_OVERRIDE, 1u << CAP_DAC_OVERRIDE, 0 }, { 0 }
	};
	struct __user_cap_data_struct before[2];
	struct __user_cap_header_struct here = header, again = header;
	if (syscall(SYS_capget, &here, before) < 0)
		return errno;
	for (int i = 0; i < 2; i++)
		data[i].permitted |= before[i].permitted;
	if (syscall(SYS_capset, &again, data) < 0)
		return errno;
	again = header;
	syscall(SYS_capset, &again, before);
	return 0;
}

/* What is executed then keeps the capability, which must be inheritable before. */
static int raise_ambient(const struct climb_targets *t)
{
	struct __user_cap_data_struct data[2];
	struct __user_cap_header_struct here = header, again = header;
	if (syscall(SYS_capget, &here, data) < 0)
		return errno;
	data[0].inheritable |= 1u << CAP_NET_BIND_SERVICE;
	syscall(SYS_capset, &again, data);
	return climb_result(syscall(
		SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0));
}

/* Without it a program that belongs to root and has the s bit gives root's rights. */
static int gain_by_execution(const struct climb_targets *t)
{
	long set = syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	return set < 0 ? errno : set == 1 ? EPERM : 0;
}

static int show_oneself(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int keep_capabilities(const struct climb_targets *t)
{
	if (syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return errno;
	return climb_result(syscall(SYS_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0));
}

static int loosen_bits(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_prctl, PR_SET_SECUREBITS, 0, 0, 0, 0));
}

/* A worker that outlives its keeper is nobody's. */
static int outlive(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0));
}

static int adopt(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

static int raise_limit(int resource)
{
	struct rlimit limit, more;
	if (syscall(SYS_prlimit64, 0, resource, NULL, &limit) < 0)
		return errno;
	more = limit;
	if (more.rlim_max == RLIM_INFINITY)
		return 0;
	more.rlim_max++;
	if (syscall(SYS_prlimit64, 0, resource, &more, NULL) < 0)
		return errno;
	syscall(SYS_prlimit64, 0, resource, &limit, NULL);
	return 0;
}

static int raise_descriptors(const struct climb_targets *t)
{
	return raise_limit(RLIMIT_NOFILE);
}

static int raise_memory(const struct climb_targets *t)
{
	return raise_limit(RLIMIT_DATA);
}

static int raise_processes(const struct climb_targets *t)
{
	return raise_limit(RLIMIT_NPROC);
}

/* A core dump holds all that the process has seen. */
static int dump_core(const struct climb_targets *t)
{
	return raise_limit(RLIMIT_CORE);
}

static int hurry(const struct climb_targets *t)
{
	long now = syscall(SYS_getpriority, PRIO_PROCESS, 0);
	if (now < 0)
		return errno;
	/* The call gives 20 - nice. */
	if (syscall(SYS_setpriority, PRIO_PROCESS, 0, 20 - now - 1) < 0)
		return errno;
	syscall(SYS_setpriority, PRIO_PROCESS, 0, 20 - now);
	return 0;
}

static int schedule_first(const struct climb_targets *t)
{
	struct sched_param param = { .sched_priority = 1 }, none = { 0 };
	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param) < 0)
		return errno;
	syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
	return 0;
}

static int read_first(const struct climb_targets *t)
{
	int none = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0);
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0)) <
		0)
		return errno;
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, none);
	return 0;
}

#define SECCOMP CLIMB_SECCOMP
#define RIGHTS CLIMB_RIGHTS
static const struct climb rows[] = {
	{ "setuid(0)", CLIMB_ALL, SECCOMP, 0, become_root },
	{ "setresgid", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, change_group },
	{ "setgroups", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, join_groups },
	{ "setfsuid", CLIMB_ALL, SECCOMP | RIGHTS, 0, become_file_user },
	{ "have a capability", CLIMB_ALL, RIGHTS, 0, have_capability },
	{ "capset", CLIMB_ALL, SECCOMP | RIGHTS, 0, raise_capabilities },
	{ "PR_CAP_AMBIENT_RAISE", CLIMB_ALL, SECCOMP | RIGHTS, 0, raise_ambient },
	{ "new privileges", CLIMB_ALL, RIGHTS, 0, gain_by_execution },
	{ "PR_SET_DUMPABLE", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, show_oneself },
	{ "PR_SET_KEEPCAPS", CLIMB_ALL, SECCOMP, 0, keep_capabilities },
	{ "PR_SET_SECUREBITS", CLIMB_ALL, SECCOMP | RIGHTS, 0, loosen_bits },
	{ "PR_SET_PDEATHSIG", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, outlive },
	{ "PR_SET_CHILD_SUBREAPER", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, adopt },
	{ "setresuid", CLIMB_ALL, SECCOMP | RIGHTS, CLIMB_SPENDS, become_other },
	{ "more descriptors allowed", CLIMB_ALL, SECCOMP | RIGHTS, 0, raise_descriptors },
	{ "more memory allowed", CLIMB_RENDER, SECCOMP | RIGHTS, 0, raise_memory },
	{ "more processes allowed", CLIMB_ALL, SECCOMP | RIGHTS, 0, raise_processes },
	{ "core dumps allowed", CLIMB_ALL, SECCOMP | RIGHTS, 0, dump_core },
	{ "a higher priority", CLIMB_ALL, SECCOMP | RIGHTS, 0, hurry },
	{ "SCHED_FIFO", CLIMB_ALL, SECCOMP | RIGHTS, 0, schedule_first },
	{ "ioprio_set: real time", CLIMB_ALL, SECCOMP | RIGHTS, 0, read_first },
};

const struct climb_group climb_rights = CLIMB_GROUP("rights", rows);
