/* SPDX-License-Identifier: MIT */
#include "server/starter/starter_walls.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/process.h"
#include "server/starter/starter_paths.h"

/* Buffers of one picture are the largest that workers make, at most 1 GiB. */
#define FILE_BYTES_MAX (UINT64_C(4) << 30)

#define SAME(number, wanted) MASKED(number, 0, wanted)
#define MASKED(number, bits, wanted)                                                               \
	{                                                                                          \
		.compare = CONFINE_EQUAL, .argument = (number), .mask = (bits), .value = (wanted)  \
	}
#define FAMILY(number)                                                                             \
	{                                                                                          \
		SAME(0, number)                                                                    \
	}
#define TYPE(type) MASKED(1, 0xf, type) /* SOCK_TYPE_MASK: without SOCK_CLOEXEC and such */
#define FLAG(flag) MASKED(0, (flag), (flag))
#define CONTROL(request)                                                                           \
	{                                                                                          \
		SAME(1, request)                                                                   \
	}
/* An ioctl's type stands in its second byte. */
#define CONTROLS(type)                                                                             \
	{                                                                                          \
		MASKED(1, 0xff00, (uint64_t)(type) << 8)                                           \
	}

#define STARTER_OPTION(option, why)                                                                \
	{                                                                                          \
		"setsockopt", why,                                                                 \
		{                                                                                  \
			SAME(1, SOL_SOCKET), SAME(2, option)                                       \
		}                                                                                  \
	}
/* The first argument is a process's ID and not 0: one of its bits is set. There are 22 of them. */
#define BIT_OF_PID(call, why, bit)                                                                 \
	{                                                                                          \
		call, why,                                                                         \
		{                                                                                  \
			MASKED(0, 1u << (bit), 1u << (bit))                                        \
		}                                                                                  \
	}
#define BITS_OF_PID(call, why, bit) BIT_OF_PID(call, why, bit), BIT_OF_PID(call, why, (bit) + 1)
#define OF_OTHERS(call, why)                                                                       \
	BITS_OF_PID(call, why, 0), BITS_OF_PID(call, why, 2), BITS_OF_PID(call, why, 4),           \
		BITS_OF_PID(call, why, 6), BITS_OF_PID(call, why, 8), BITS_OF_PID(call, why, 10),  \
		BITS_OF_PID(call, why, 12), BITS_OF_PID(call, why, 14),                            \
		BITS_OF_PID(call, why, 16), BITS_OF_PID(call, why, 18),                            \
		BITS_OF_PID(call, why, 20), BIT_OF_PID(call, why, 22)

static const struct confine_call rows[] = {
	{ "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register",
		"large parts of the kernel, and its faults" },
	{ "keyctl add_key request_key", "the user's keys" },
	{ "shmget shmat shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl "
	  "mq_open mq_unlink",
		"what processes of its user share" },
	{ "io_setup io_submit io_destroy io_getevents memfd_secret modify_ldt "
	  "process_mrelease quotactl_fd fanotify_mark",
		"parts of the kernel that nobody needs" },
	{ "inotify_init inotify_init1 timer_create", "kernel memory that no limit bounds" },
	{ "setpriority sched_setscheduler sched_setparam sched_setattr ioprio_set",
		"priorities; of other processes, too, and in the renderer all keep theirs" },
	{ "execveat", "programs that have no path; those with one are Landlock's" },
#ifndef __SANITIZE_ADDRESS__
	/* A thread's own signals are left, for abort(): which process is meant nobody knows yet. */
	{ "kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal",
		"others of its user, where Landlock is older than ABI 6" },
	{ "fcntl", "the kernel signals a descriptor's owner", CONTROL(F_SETOWN) },
	{ "fcntl", "the same", CONTROL(F_SETOWN_EX) },
	{ "ioctl", "the same", CONTROL(FIOSETOWN) },
	{ "ioctl", "the same", CONTROL(SIOCSPGRP) },
#endif
	OF_OTHERS("prlimit64", "limits"),
	OF_OTHERS("getsid", "what is told of other processes"),
	STARTER_OPTION(SO_ATTACH_FILTER, "programs of BPF in sockets"),
	STARTER_OPTION(SO_ATTACH_BPF, "the same"),
	STARTER_OPTION(SO_ATTACH_REUSEPORT_CBPF, "the same"),
	STARTER_OPTION(SO_ATTACH_REUSEPORT_EBPF, "the same"),
	{ "mknod mknodat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr",
		"files that are more than files" },
	{ "ioctl", "keys typed for who owns the terminal", CONTROL(TIOCSTI) },
	{ "ioctl", "the console's clipboard", CONTROL(TIOCLINUX) },
	{ "ioctl", "another's terminal", CONTROL(TIOCSCTTY) },
	{ "ioctl", "line disciplines", CONTROL(TIOCSETD) },
	{ "ioctl", "tunnels", CONTROL(TUNSETIFF) },
	{ "ioctl", "input devices", CONTROLS('E') },
	{ "ioctl", "cameras", CONTROLS('V') },
	{ "ioctl", "KVM", CONTROLS(0xae) },
	{ "ioctl", "vhost", CONTROLS(0xaf) },
	{ "ioctl", "userfaultfd", CONTROLS(0xaa) },
	{ "ioctl", "network block devices", CONTROLS(0xab) },
	{ "ioctl", "disks", CONTROLS(0x12) },
	{ "ioctl", "SCSI", CONTROLS(0x22) },
	{ "ioctl", "loop devices", CONTROLS('L') },
	{ "ioctl", "USB", CONTROLS('U') },
	{ "init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff "
	  "acct quotactl settimeofday clock_settime clock_adjtime adjtimex sethostname "
	  "setdomainname iopl ioperm syslog vhangup fanotify_init",
		"the machine" },
	{ "open_by_handle_at name_to_handle_at", "files by another way than their names" },
	{ "process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise move_pages "
	  "migrate_pages",
		"memory and descriptors of others" },
	{ "clone", "it makes four kinds of namespaces, and these are none of them",
		{ FLAG(CLONE_NEWPID) } },
	{ "clone", "the same", { FLAG(CLONE_NEWUTS) } },
	{ "clone", "the same", { FLAG(CLONE_NEWCGROUP) } },
	{ "clone3", "its flags lie in memory, where no filter sees them; glibc then takes clone",
		{}, ENOSYS },
	{ "setns unshare mount pivot_root chroot umount2 fsopen fsmount fspick fsconfig move_mount "
	  "open_tree mount_setattr",
		"its workers' namespaces are made by clone(), and have what it has made of its "
		"own" },
#ifndef __SANITIZE_ADDRESS__
	{ "ptrace personality", "others of its user; sanitizers trace themselves" },
#endif
	{ "socket", "raw packets", { SAME(0, AF_INET), TYPE(SOCK_RAW) } },
	{ "socket", "the same", { SAME(0, AF_INET6), TYPE(SOCK_RAW) } },
	{ "socket", "virtual machines", FAMILY(AF_VSOCK) },
	{ "socket", "raw frames", FAMILY(AF_PACKET) },
	{ "socket", "raw frames, too", FAMILY(AF_XDP) },
	{ "socket", "the kernel's ciphers", FAMILY(AF_ALG) },
	{ "socket", "the kernel's tables; plugins look for cameras by it, and do without",
		FAMILY(AF_NETLINK) },
	{ "socket", "IPsec's keys", FAMILY(AF_KEY) },
	{ "socket", "a protocol with faults of its own", FAMILY(AF_TIPC) },
	{ "socket", "the same", FAMILY(AF_RDS) },
	{ "socket", "the same", FAMILY(AF_CAN) },
	{ "socket", "the same", FAMILY(AF_BLUETOOTH) },
	{ "socket", "the same", FAMILY(AF_SMC) },
};

static const struct confine_limit limits[] = {
	{ RLIMIT_CORE, 0, "dumps of workers would hold pictures, keys and the guest's memory" },
	{ RLIMIT_FSIZE, FILE_BYTES_MAX, "no file of theirs is as large" },
};

/*
 * The starter keeps the two that map a worker's user into its namespace, or the one without which
 * root may not map itself (before Linux 5.12 it may, and need not have it): they are rights in the
 * starter's own namespace, and none outside. Which it has is not asked: capget() leaves out what an
 * AppArmor profile does not grant, while the kernel looks at what a process has when it maps
 * itself. So the profile need not grant this one. Without namespaces it keeps those by which root
 * executes a program that lies in somebody's folder, and so do its workers, until they give them
 * up.
 */
static bool give_up_capabilities(const struct isolation *isolation)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint32_t kept = 0;
	if (isolation->has_users)
		kept = 1u << CAP_SETUID | 1u << CAP_SETGID;
	else if (geteuid() == 0 && isolation->namespaces)
		kept = 1u << CAP_SETFCAP;
	else if (geteuid() == 0)
		kept = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
	data[0] = (struct __user_cap_data_struct){ .effective = kept, .permitted = kept };
	if (syscall(SYS_capset, &header, data) == 0)
		return true;
	/* A container's root may have no such rights over files, and workers all the same. */
	data[0] = (struct __user_cap_data_struct){ 0 };
	return syscall(SYS_capset, &header, data) == 0;
}

static const char *reason_or_null(const char *reason)
{
	return *reason ? reason : NULL;
}

static void note_isolation(const struct isolation *isolation, struct confine_state *state)
{
	const char *lacking = reason_or_null(isolation->no_namespaces);
	confine_note(state, CONFINE_NAMESPACES,
		lacking ? lacking : reason_or_null(isolation->no_read_only));
	if (isolation->has_users || geteuid() == 0)
		confine_note(state, CONFINE_USER, reason_or_null(isolation->no_users));
}

/* It is neither up nor lacking. */
static void forget(struct confine_state *state, enum confine_wall wall)
{
	state->held &= ~(1u << wall);
}

/*
 * A profile of AppArmor says what may be executed and with which rights. With no_new_privs no
 * worker would get its own one, and filters take that. So does Landlock, but of who has a right
 * that root has, and everybody in a namespace of his own.
 */
static void leave_to_profile(const struct isolation *isolation, struct confine_state *state)
{
	confine_note(state, CONFINE_NO_NEW_PRIVS, NULL);
	confine_note(state, CONFINE_SECCOMP, NULL);
	if (!isolation->namespaces && geteuid() != 0)
		confine_note(state, CONFINE_LANDLOCK, NULL);
}

static void come_back_from_profile(const struct isolation *isolation, struct confine_state *state)
{
	forget(state, CONFINE_NO_NEW_PRIVS);
	forget(state, CONFINE_SECCOMP);
	if (!isolation->namespaces && geteuid() != 0)
		forget(state, CONFINE_LANDLOCK);
}

static void filter(struct confine_state *state, const char *process)
{
	const struct confine_calls calls = { rows, G_N_ELEMENTS(rows) };
	g_autoptr(GError) error = NULL;
	confine_note(state, CONFINE_SECCOMP, NULL);
	if (!confine_forbid(state, process, &calls, &error))
		confine_note(state, CONFINE_SECCOMP, error->message);
}

bool starter_walls_put_up(const struct isolation *isolation, struct confine_state *state)
{
	struct confine_rules rules = {
		.process = "vitrine-starter",
		.limits = limits,
		.n_limits = G_N_ELEMENTS(limits),
		.leaves_tcp = true,
	};
	bool in_profile = process_is_in_profile();
	g_autoptr(GError) error = NULL;
	note_isolation(isolation, state);
	if (in_profile)
		leave_to_profile(isolation, state);
	struct path_list *list = starter_paths_create(isolation);
	path_list_give(list, &rules);
	/* Its own list of rights goes after what takes one of them. */
	confine_note(state, CONFINE_CAPABILITIES, NULL);
	bool good = confine_threads(&rules, CONFINE_AUTO, state, &error);
	path_list_destroy(list);
	good = good && give_up_capabilities(isolation);
	if (good && !in_profile)
		filter(state, rules.process);
	good = good && confine_apply(&rules, CONFINE_AUTO, state, &error);
	if (in_profile)
		come_back_from_profile(isolation, state);
	if (!good)
		g_warning("%s", error ? error->message : "capabilities cannot be given up");
	return good;
}
