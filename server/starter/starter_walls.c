/* SPDX-License-Identifier: MIT */
#include "server/starter/starter_walls.h"

#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/confine/confine.h"

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
	{ "mknod mknodat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr",
		"files that are more than files" },
	{ "ioctl", "keys typed for who owns the terminal", CONTROL(TIOCSTI) },
	{ "ioctl", "the console's clipboard", CONTROL(TIOCLINUX) },
	{ "ioctl", "another's terminal", CONTROL(TIOCSCTTY) },
	{ "ioctl", "line disciplines", CONTROL(TIOCSETD) },
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
	{ "setns unshare pivot_root chroot umount2 fsopen fsmount fspick fsconfig move_mount "
	  "open_tree mount_setattr",
		"its namespaces are made by clone() and mount(), and nothing is taken back" },
#ifndef __SANITIZE_ADDRESS__
	{ "ptrace personality", "others of its user; sanitizers trace themselves" },
#endif
	{ "socket", "raw packets", { SAME(0, AF_INET), TYPE(SOCK_RAW) } },
	{ "socket", "the same", { SAME(0, AF_INET6), TYPE(SOCK_RAW) } },
	{ "socket", "virtual machines", FAMILY(AF_VSOCK) },
	{ "socket", "raw frames", FAMILY(AF_PACKET) },
	{ "socket", "raw frames, too", FAMILY(AF_XDP) },
	{ "socket", "the kernel's ciphers", FAMILY(AF_ALG) },
	{ "socket", "IPsec's keys", FAMILY(AF_KEY) },
	{ "socket", "a protocol with faults of its own", FAMILY(AF_TIPC) },
	{ "socket", "the same", FAMILY(AF_RDS) },
	{ "socket", "the same", FAMILY(AF_CAN) },
	{ "socket", "the same", FAMILY(AF_BLUETOOTH) },
	{ "socket", "the same", FAMILY(AF_SMC) },
};

void starter_walls_put_up(void)
{
	const struct confine_calls calls = { rows, G_N_ELEMENTS(rows) };
	struct confine_state state = { 0 };
	confine_note(&state, CONFINE_SECCOMP, NULL);
	confine_forbid(&state, "vitrine-starter", &calls, NULL);
	confine_scope();
}
