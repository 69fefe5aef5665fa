/* SPDX-License-Identifier: MIT */
/* Disturbing processes that stand beside. SIGURG disturbs nobody, and needs the same right as
 * SIGKILL. */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>

#include "tests/climbs/climb_calls.h"

/* A process that is there has had a signal by then. */
#define HEARD_MS 100

static int signal_to(int32_t pid)
{
	return climb_result(syscall(SYS_kill, climb_target(pid), SIGURG));
}

static int signal_keeper(const struct climb_targets *t)
{
	return signal_to(t->keeper);
}

static int signal_sibling(const struct climb_targets *t)
{
	return signal_to(t->sibling);
}

static int signal_qemu(const struct climb_targets *t)
{
	return signal_to(t->qemu);
}

static int signal_all(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_kill, -1, 0));
}

static int signal_parent(const struct climb_targets *t)
{
	long parent = syscall(SYS_getppid);
	return parent ? climb_result(syscall(SYS_kill, parent, SIGURG)) : ESRCH;
}

static int signal_group(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_kill, -climb_target(t->qemu), SIGURG));
}

static int signal_thread(const struct climb_targets *t)
{
	int32_t pid = climb_target(t->qemu);
	return climb_result(syscall(SYS_tgkill, pid, pid, SIGURG));
}

static int signal_thread_old(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_tkill, climb_target(t->qemu), SIGURG));
}

static int queue_signal(const struct climb_targets *t)
{
	siginfo_t info = { .si_signo = SIGURG, .si_code = SI_QUEUE };
	return climb_result(syscall(SYS_rt_sigqueueinfo, climb_target(t->qemu), SIGURG, &info));
}

static int signal_by_descriptor(const struct climb_targets *t)
{
	long fd = syscall(SYS_pidfd_open, climb_target(t->qemu), 0);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_pidfd_send_signal, fd, SIGURG, NULL, 0));
	syscall(SYS_close, fd);
	return error;
}

/* The kernel tells a descriptor's owner of news, and whoever has it says who that is. */
static int signal_by_owner(const struct climb_targets *t)
{
	int ends[2];
	if (syscall(SYS_pipe2, ends, O_CLOEXEC) < 0)
		return errno;
	int error = climb_result(syscall(SYS_fcntl, ends[0], F_SETSIG, CLIMB_HEARD_SIGNAL));
	if (!error)
		error = climb_result(syscall(SYS_fcntl, ends[0], F_SETOWN, climb_target(t->qemu)));
	if (!error)
		error = climb_result(syscall(SYS_fcntl, ends[0], F_SETFL, O_ASYNC));
	if (!error)
		error = climb_result(syscall(SYS_write, ends[1], "x", 1));
	syscall(SYS_close, ends[0]);
	syscall(SYS_close, ends[1]);
	return error;
}

static bool was_heard(const struct climb_targets *t)
{
	for (unsigned ms = 0; ms < HEARD_MS; ms++) {
		if (__atomic_load_n(&t->heard, __ATOMIC_ACQUIRE) > 0)
			return true;
		usleep(1000);
	}
	return false;
}

static int watch_qemu(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_pidfd_open, climb_target(t->qemu), 0));
}

static int read_limits(const struct climb_targets *t)
{
	struct rlimit limit;
	return climb_result(
		syscall(SYS_prlimit64, climb_target(t->qemu), RLIMIT_NOFILE, NULL, &limit));
}

static int slow_down(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_setpriority, PRIO_PROCESS, climb_target(t->qemu), 1));
}

static int schedule_other(const struct climb_targets *t)
{
	struct sched_param param = { 0 };
	return climb_result(
		syscall(SYS_sched_setscheduler, climb_target(t->qemu), SCHED_OTHER, &param));
}

/* QEMU keeps what it has. */
static int reschedule_other(const struct climb_targets *t)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr), .flags = SCHED_FLAG_KEEP_ALL };
	return climb_result(syscall(SYS_sched_setattr, climb_target(t->qemu), &attr, 0));
}

static int pin_other(const struct climb_targets *t)
{
	uint64_t mask[16];
	memset(mask, 0xff, sizeof(mask));
	return climb_result(
		syscall(SYS_sched_setaffinity, climb_target(t->qemu), sizeof(mask), mask));
}

static int slow_input_of_other(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, climb_target(t->qemu),
		IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)));
}

static int move_group(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_getsid, climb_target(t->qemu)));
}

static int move_pages_of(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_move_pages, climb_target(t->qemu), 0, NULL, NULL, NULL, 0));
}

#define SECCOMP CLIMB_SECCOMP
static const struct climb rows[] = {
	{ "signal the keeper", CLIMB_WORKERS, SECCOMP, 0, signal_keeper },
	{ "signal a sibling", CLIMB_WORKERS, SECCOMP, 0, signal_sibling },
	{ "signal QEMU", CLIMB_ALL, SECCOMP, 0, signal_qemu },
	{ "signal everybody", CLIMB_WORKERS, SECCOMP, 0, signal_all },
	{ "signal the parent", CLIMB_WORKERS, SECCOMP, 0, signal_parent },
	{ "signal QEMU's group", CLIMB_ALL, SECCOMP, 0, signal_group },
	{ "tgkill", CLIMB_ALL, SECCOMP, 0, signal_thread },
	{ "tkill", CLIMB_ALL, SECCOMP, 0, signal_thread_old },
	{ "rt_sigqueueinfo", CLIMB_ALL, SECCOMP, 0, queue_signal },
	{ "pidfd_open", CLIMB_WORKERS, SECCOMP, 0, watch_qemu },
	{ "pidfd_send_signal", CLIMB_ALL, SECCOMP, 0, signal_by_descriptor },
	{ "F_SETOWN of QEMU", CLIMB_ALL, SECCOMP, 0, signal_by_owner, was_heard },
	{ "prlimit of QEMU", CLIMB_ALL, SECCOMP, 0, read_limits },
	{ "setpriority of QEMU", CLIMB_ALL, SECCOMP, 0, slow_down },
	{ "sched_setscheduler of QEMU", CLIMB_ALL, SECCOMP, 0, schedule_other },
	{ "sched_setattr of QEMU", CLIMB_ALL, SECCOMP, 0, reschedule_other },
	{ "sched_setaffinity of QEMU", CLIMB_ALL, SECCOMP, 0, pin_other },
	{ "ioprio_set of QEMU", CLIMB_ALL, SECCOMP, 0, slow_input_of_other },
	{ "getsid of QEMU", CLIMB_ALL, SECCOMP, 0, move_group },
	{ "move_pages of QEMU", CLIMB_ALL, SECCOMP, 0, move_pages_of },
};

const struct climb_group climb_neighbours = CLIMB_GROUP("neighbours", rows);
