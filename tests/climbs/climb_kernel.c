/* SPDX-License-Identifier: MIT */
/* Parts of the kernel that none of our processes needs, where its faults are. */
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>

#include "tests/climbs/climb_calls.h"

static int make_bpf_map(const struct climb_targets *t)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1
	};
	return climb_opened(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int load_bpf_program(const struct climb_targets *t)
{
	/* r0 = 0; exit */
	static const struct bpf_insn program[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uint64_t)(uintptr_t)program,
		.insn_cnt = 2,
		.license = (uint64_t)(uintptr_t) "GPL" };
	return climb_opened(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
}

static int join_keyring(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

static int add_a_key(const struct climb_targets *t)
{
	long key = syscall(SYS_add_key, "user", "climb", "x", 1, KEY_SPEC_PROCESS_KEYRING);
	return climb_result(key);
}

static int request_a_key(const struct climb_targets *t)
{
	return climb_passed(
		syscall(SYS_request_key, "user", "climb-none", NULL, KEY_SPEC_PROCESS_KEYRING),
		ENOKEY);
}

static int handle_faults(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int handle_user_faults(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */));
}

static int open_perf(int pid, int cpu)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.exclude_kernel = 1,
		.exclude_hv = 1 };
	return climb_opened(syscall(SYS_perf_event_open, &attr, pid, cpu, -1, 0));
}

static int count_oneself(const struct climb_targets *t)
{
	return open_perf(0, -1);
}

static int count_qemu(const struct climb_targets *t)
{
	return open_perf(climb_target(t->qemu), -1);
}

static int set_up_ring(const struct climb_targets *t)
{
	struct io_uring_params params = { 0 };
	return climb_opened(syscall(SYS_io_uring_setup, 4, &params));
}

static int enter_ring(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0), EBADF);
}

static int set_up_old_ring(const struct climb_targets *t)
{
	unsigned long context = 0;
	if (syscall(SYS_io_setup, 4, &context) < 0)
		return errno;
	syscall(SYS_io_destroy, context);
	return 0;
}

/* 38 bytes that are no module: the kernel looks at them after it has asked who we are. */
static int load_module(const struct climb_targets *t)
{
	static const char nothing[38];
	return climb_passed(syscall(SYS_init_module, nothing, sizeof(nothing), ""), ENOEXEC);
}

static int load_module_file(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_finit_module, -1, "", 0), EBADF);
}

static int unload_module(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_delete_module, "climb_none", O_NONBLOCK), ENOENT);
}

/* More segments than there can be are counted after the permission. */
static int load_kernel(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_kexec_load, 0, 1000, NULL, 0), EINVAL);
}

static int load_kernel_file(const struct climb_targets *t)
{
	return climb_passed(syscall(SYS_kexec_file_load, -1, -1, 1, "", 0), EBADF);
}

static int watch_files(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_fanotify_init, 0, O_RDONLY));
}

static int watch_files_reporting(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, O_RDONLY));
}

static int make_secret_memory(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_memfd_secret, 0));
}

static int read_kernel_log(const struct climb_targets *t)
{
	char line[256];
	return climb_result(
		syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, line, sizeof(line)));
}

static int share_memory(const struct climb_targets *t)
{
	long id = syscall(SYS_shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	if (id < 0)
		return errno;
	syscall(SYS_shmctl, id, IPC_RMID, NULL);
	return 0;
}

static int make_message_queue(const struct climb_targets *t)
{
	long id = syscall(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);
	if (id < 0)
		return errno;
	syscall(SYS_msgctl, id, IPC_RMID, NULL);
	return 0;
}

static int make_semaphores(const struct climb_targets *t)
{
	long id = syscall(SYS_semget, IPC_PRIVATE, 1, IPC_CREAT | 0600);
	if (id < 0)
		return errno;
	syscall(SYS_semctl, id, 0, IPC_RMID, NULL);
	return 0;
}

static int open_message_queue(const struct climb_targets *t)
{
	long fd = syscall(SYS_mq_open, "vitrine-climb", O_RDWR | O_CREAT, 0600, NULL);
	if (fd < 0)
		return errno;
	syscall(SYS_close, fd);
	syscall(SYS_mq_unlink, "vitrine-climb");
	return 0;
}

static int name_handle(const struct climb_targets *t)
{
	struct {
		unsigned bytes;
		int type;
		char rest[128];
	} handle = { .bytes = sizeof(handle.rest) };
	int mount;
	return climb_result(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &handle, &mount, 0));
}

static int bind_memory(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_set_mempolicy, 0, NULL, 0));
}

/* Calls of 32 bits have other numbers, which a filter for 64 would take for something else. */
static int call_32_bits(const struct climb_targets *t)
{
#ifdef __x86_64__
	long result = 20; /* getpid of i386 */
	__asm__ volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
	return result > 0 ? 0 : (int)-result;
#else
	return ENOSYS;
#endif
}

static int call_x32(const struct climb_targets *t)
{
	return climb_result(syscall(0x40000000 + SYS_getpid));
}

#define SECCOMP CLIMB_SECCOMP
static const struct climb rows[] = {
	{ "bpf: a map", CLIMB_ALL, SECCOMP, 0, make_bpf_map },
	{ "bpf: a program", CLIMB_ALL, SECCOMP, 0, load_bpf_program },
	{ "keyctl", CLIMB_ALL, SECCOMP, 0, join_keyring },
	{ "add_key", CLIMB_ALL, SECCOMP, 0, add_a_key },
	{ "request_key", CLIMB_ALL, SECCOMP, 0, request_a_key },
	{ "userfaultfd", CLIMB_ALL, SECCOMP, 0, handle_faults },
	{ "userfaultfd of user faults", CLIMB_ALL, SECCOMP, 0, handle_user_faults },
	{ "perf_event_open", CLIMB_ALL, SECCOMP, 0, count_oneself },
	{ "perf_event_open of QEMU", CLIMB_ALL, SECCOMP, 0, count_qemu },
	{ "io_uring_setup", CLIMB_ALL, SECCOMP, 0, set_up_ring },
	{ "io_uring_enter", CLIMB_ALL, SECCOMP, 0, enter_ring },
	{ "io_setup", CLIMB_ALL, SECCOMP, 0, set_up_old_ring },
	{ "init_module", CLIMB_ALL, SECCOMP, 0, load_module },
	{ "finit_module", CLIMB_ALL, SECCOMP, 0, load_module_file },
	{ "delete_module", CLIMB_ALL, SECCOMP, 0, unload_module },
	{ "kexec_load", CLIMB_ALL, SECCOMP, 0, load_kernel },
	{ "kexec_file_load", CLIMB_ALL, SECCOMP, 0, load_kernel_file },
	{ "fanotify_init", CLIMB_ALL, SECCOMP, 0, watch_files },
	{ "fanotify_init by IDs", CLIMB_ALL, SECCOMP, 0, watch_files_reporting },
	{ "memfd_secret", CLIMB_ALL, SECCOMP, 0, make_secret_memory },
	{ "read the kernel's log", CLIMB_ALL, SECCOMP, 0, read_kernel_log },
	{ "shmget", CLIMB_ALL, SECCOMP, 0, share_memory },
	{ "msgget", CLIMB_ALL, SECCOMP, 0, make_message_queue },
	{ "semget", CLIMB_ALL, SECCOMP, 0, make_semaphores },
	{ "mq_open", CLIMB_ALL, SECCOMP, 0, open_message_queue },
	{ "name_to_handle_at", CLIMB_ALL, SECCOMP, 0, name_handle },
	{ "set_mempolicy", CLIMB_ALL, SECCOMP, 0, bind_memory },
	{ "a call of 32 bits", CLIMB_ALL, SECCOMP, 0, call_32_bits },
	{ "a call of x32", CLIMB_ALL, SECCOMP, 0, call_x32 },
};

const struct climb_group climb_kernel = CLIMB_GROUP("kernel", rows);
