/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/confine/confine.h"

/* A thread shares all of these; none of the namespaces may be new, and nobody traces it. */
#define THREAD_FLAGS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define NEW_FLAGS                                                                                  \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE | CLONE_VFORK)

#define ONLY(number, wanted)                                                                       \
	{                                                                                          \
		.compare = CONFINE_EQUAL, .argument = (number), .value = (wanted)                  \
	}

static const struct confine_call rows[] = {
	{ "read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek close "
	  "close_range fstat newfstatat statx dup dup2 dup3 ftruncate fallocate fsync "
	  "fdatasync",
		"descriptors that it has; files are Landlock's" },
	{ "fcntl", "F_DUPFD to F_SETLKW; behind those is F_SETOWN, and the kernel signals owners",
		{ { CONFINE_EQUAL, 1, ~UINT64_C(7) & UINT64_C(0xffffffff), 0 } } },
	{ "fcntl", "copies of descriptors", { ONLY(1, F_DUPFD_CLOEXEC) } },
	{ "fcntl", "whether shared memory can shrink", { ONLY(1, F_GET_SEALS) } },
	{ "fcntl", "it shall not", { ONLY(1, F_ADD_SEALS) } },
	{ "poll ppoll select pselect6 epoll_create1 epoll_create epoll_ctl epoll_wait epoll_pwait "
	  "epoll_pwait2 eventfd2 eventfd timerfd_create timerfd_settime timerfd_gettime pipe pipe2",
		"loops wait and wake each other" },
	{ "munmap mremap madvise brk membarrier mincore", "memory" },
	{ "mmap mprotect", "memory that nobody executes", { { CONFINE_EQUAL, 2, PROT_EXEC, 0 } } },
	{ "memfd_create", "buffers that neighbours map" },
	{ "futex futex_waitv set_robust_list get_robust_list rseq set_tid_address gettid getpid "
	  "sched_yield "
	  "sched_getaffinity sched_getscheduler sched_getparam "
	  "sched_get_priority_max "
	  "sched_get_priority_min getpriority getcpu arch_prctl exit exit_group restart_syscall",
		"threads" },
	{ "sched_setaffinity", "this thread's; another's ID may be anybody's", { ONLY(0, 0) } },
	{ "sched_setaffinity", "the first thread's", { { CONFINE_OWN_PID, 0 } } },
	{ "clone", "threads, and no processes",
		{ { CONFINE_EQUAL, 0, THREAD_FLAGS | NEW_FLAGS, THREAD_FLAGS } } },
	{ "clone3", "its flags lie in memory, where no filter sees them; glibc then takes clone",
		{}, ENOSYS },
	{ "rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack rt_sigtimedwait rt_sigpending "
	  "rt_sigsuspend signalfd4 signalfd",
		"signals that it gets" },
	{ "kill tgkill", "a signal to itself: abort()", { { CONFINE_OWN_PID, 0 } } },
	{ "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage "
	  "sysinfo uname getrlimit getrandom",
		"clocks, what the machine is, random numbers" },
	{ "getuid geteuid getgid getegid getresuid getresgid getgroups getppid getpgrp getpgid",
		"who it is" },
	{ "getsid", "who it is, and nobody else", { ONLY(0, 0) } },
	{ "sendto", "sockets that it has; MSG_FASTOPEN would connect where Landlock does not look",
		{ { CONFINE_EQUAL, 3, MSG_FASTOPEN, 0 } } },
	{ "sendmsg", "the same", { { CONFINE_EQUAL, 2, MSG_FASTOPEN, 0 } } },
	{ "recvmsg recvfrom recvmmsg shutdown getsockopt getsockname "
	  "getpeername",
		"sockets that it has; it makes none by these" },
	{ "prctl", "names of threads", { ONLY(0, PR_SET_NAME) } },
	{ "prctl", "names of threads", { ONLY(0, PR_GET_NAME) } },
	{ "prctl", "libraries ask whether they may", { ONLY(0, PR_GET_DUMPABLE) } },
	{ "ioctl", "how much can be read", { ONLY(1, FIONREAD) } },
	{ "ioctl", "a descriptor does not block", { ONLY(1, FIONBIO) } },
	{ "prlimit64", "limits are asked for, its own, and none are set",
		{ ONLY(0, 0), { CONFINE_EQUAL, 2, UINT64_MAX, 0 } } },
	{ "access faccessat faccessat2 stat lstat readlink readlinkat getcwd getdents64 open "
	  "openat "
	  "statfs fstatfs",
		"files, as far as Landlock lets it" },
	{ "io_uring_setup openat2", "newer ways round the filter; libraries fall back", {},
		ENOSYS },
};

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer stops all threads from a process of its own, which traces them. */
static const struct confine_call sanitizer_rows[] = {
	{ "clone fork vfork wait4 waitid ptrace prctl kill tgkill tkill process_vm_readv "
	  "sched_yield "
	  "rt_sigqueueinfo prlimit64 setrlimit mmap mprotect personality getdents",
		"sanitizers" },
};
const struct confine_calls confine_calls_sanitizer = { sanitizer_rows,
	G_N_ELEMENTS(sanitizer_rows) };
#else
const struct confine_calls confine_calls_sanitizer = { NULL, 0 };
#endif

static const struct confine_call code_rows[] = {
	{ "mmap mprotect", "libraries are loaded, and a compiler makes code (LLVM)" },
};

const struct confine_calls confine_calls_code = { code_rows, G_N_ELEMENTS(code_rows) };
const struct confine_calls confine_calls_common = { rows, G_N_ELEMENTS(rows) };
