/* SPDX-License-Identifier: MIT */
#include "server/starter/starter_walls.h"

#include <glib.h>
#include <sys/socket.h>

#include "common/confine/confine.h"

#define FAMILY(number)                                                                             \
	{                                                                                          \
		{                                                                                  \
			.compare = CONFINE_EQUAL, .argument = 0, .value = (number)                 \
		}                                                                                  \
	}

static const struct confine_call rows[] = {
	{ "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register",
		"large parts of the kernel, and its faults" },
	{ "keyctl add_key request_key", "the user's keys" },
	{ "init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff "
	  "acct quotactl settimeofday clock_settime clock_adjtime adjtimex sethostname "
	  "setdomainname iopl ioperm syslog vhangup fanotify_init",
		"the machine" },
	{ "open_by_handle_at name_to_handle_at", "files by another way than their names" },
	{ "process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise move_pages "
	  "migrate_pages",
		"memory and descriptors of others" },
	{ "setns unshare pivot_root chroot umount2 fsopen fsmount fspick fsconfig move_mount "
	  "open_tree mount_setattr",
		"its namespaces are made by clone() and mount(), and nothing is taken back" },
#ifndef __SANITIZE_ADDRESS__
	{ "ptrace", "others of its user; LeakSanitizer traces itself" },
#endif
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
}
