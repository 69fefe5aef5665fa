/* SPDX-License-Identifier: MIT */
#include "tests/apparmor/profile_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROFILE_LOADER "/lib64/ld-linux-x86-64.so.2"
#define PROFILE_PROGRAM "/bin/true"
/* After the check of rights the kernel looks at arguments: this error says that it came to that. */
#define PROFILE_PASSED_IS(result, passed_errno)                                                    \
	((result) >= 0 || errno == (passed_errno) ? 0 : errno)

static int result_of(long result)
{
	return result < 0 ? errno : 0;
}

/* ---- files ---- */

static int open_of(const char *path, int flags)
{
	return result_of(open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
}

static int open_of_process(pid_t pid, const char *name, int flags)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open_of(path, flags);
}

static const char *in_directory(const struct profile_targets *t, const char *name)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s-%d", t->directory, name, (int)getpid());
	return path;
}

#define PROFILE_OPENS(function, path, flags)                                                       \
	static int function(const struct profile_targets *t)                                       \
	{                                                                                          \
		return open_of(path, flags);                                                       \
	}
PROFILE_OPENS(read_secret, t->secret, O_RDONLY)
PROFILE_OPENS(read_hidden, t->hidden, O_RDONLY)
PROFILE_OPENS(read_shadow, "/etc/shadow", O_RDONLY)
PROFILE_OPENS(list_folder, t->directory, O_RDONLY | O_DIRECTORY)
PROFILE_OPENS(list_homes, "/root", O_RDONLY | O_DIRECTORY)
PROFILE_OPENS(write_file, t->written, O_WRONLY)
PROFILE_OPENS(make_file, in_directory(t, "new"), O_WRONLY | O_CREAT)
PROFILE_OPENS(read_memory, "/dev/mem", O_RDONLY)
PROFILE_OPENS(read_kernel_log, "/dev/kmsg", O_RDONLY)
PROFILE_OPENS(open_terminal, "/dev/ttyS0", O_RDWR)
PROFILE_OPENS(open_monitors, "/dev/dri/card0", O_RDWR)
PROFILE_OPENS(read_ports, "/dev/port", O_RDWR)
PROFILE_OPENS(write_core_pattern, "/proc/sys/kernel/core_pattern", O_WRONLY)
PROFILE_OPENS(write_trigger, "/proc/sysrq-trigger", O_WRONLY)
PROFILE_OPENS(list_processes, "/proc", O_RDONLY | O_DIRECTORY)
PROFILE_OPENS(read_mounts, "/proc/self/mountinfo", O_RDONLY)

static int make_folder(const struct profile_targets *t)
{
	return result_of(mkdir(in_directory(t, "folder"), 0700));
}

static int make_symlink(const struct profile_targets *t)
{
	return result_of(symlink("/etc/shadow", in_directory(t, "symlink")));
}

static int make_link(const struct profile_targets *t)
{
	return result_of(link(t->written, in_directory(t, "link")));
}

static int make_device(const struct profile_targets *t)
{
	return result_of(mknod(in_directory(t, "device"), S_IFCHR | 0600, makedev(1, 1)));
}

static int change_mode(const struct profile_targets *t)
{
	return result_of(chmod(t->written, 04755));
}

static int change_owner(const struct profile_targets *t)
{
	return result_of(chown(t->written, 0, 0));
}

static int cut_file(const struct profile_targets *t)
{
	return result_of(truncate(t->written, 6));
}

static int open_by_handle(const struct profile_targets *t)
{
	return PROFILE_PASSED_IS(open_by_handle_at(AT_FDCWD, NULL, O_RDONLY), EFAULT);
}

/* ---- execution ---- */

static int execute(const char *path, const char *argument)
{
	char *const argv[] = { (char *)path, (char *)argument, NULL }, *const environment[] = {
		NULL
	};
	execve(path, argv, environment);
	return errno;
}

static int execute_program(const struct profile_targets *t)
{
	return execute(PROFILE_PROGRAM, NULL);
}

static int execute_loader(const struct profile_targets *t)
{
	return execute(PROFILE_LOADER, PROFILE_PROGRAM);
}

static int execute_keeper(const struct profile_targets *t)
{
	return execute(t->keeper, "--version");
}

static int execute_renderer(const struct profile_targets *t)
{
	return execute(t->renderer, "--version");
}

/* A program that has no file: "#!/bin/true" stands for what an intruder would bring along. */
static int execute_memory(const struct profile_targets *t)
{
	static const char text[] = "#!" PROFILE_PROGRAM "\n";
	char name[] = "program";
	char *const argv[] = { name, NULL }, *const environment[] = { NULL };
	int fd = memfd_create(name, 0);
	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		return errno;
	syscall(SYS_execveat, fd, "", argv, environment, AT_EMPTY_PATH);
	return errno;
}

/* Code that it wrote itself, in the one place where it may write. */
static int map_cached_code(const struct profile_targets *t)
{
	int fd = open(t->cached, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return code == MAP_FAILED ? errno : 0;
}

/* ---- sockets ---- */

#define PROFILE_MAKES_SOCKET(function, family, type, protocol)                                     \
	static int function(const struct profile_targets *t)                                       \
	{                                                                                          \
		return PROFILE_PASSED_IS(socket((family), (type), (protocol)), EAFNOSUPPORT);      \
	}
PROFILE_MAKES_SOCKET(make_tcp, AF_INET, SOCK_STREAM, 0)
PROFILE_MAKES_SOCKET(make_tcp6, AF_INET6, SOCK_STREAM, 0)
PROFILE_MAKES_SOCKET(make_udp, AF_INET, SOCK_DGRAM, 0)
PROFILE_MAKES_SOCKET(make_raw, AF_INET, SOCK_RAW, 255)
PROFILE_MAKES_SOCKET(make_packet, AF_PACKET, SOCK_RAW, 0)
PROFILE_MAKES_SOCKET(make_netlink, AF_NETLINK, SOCK_RAW, 0)
PROFILE_MAKES_SOCKET(make_vsock, AF_VSOCK, SOCK_STREAM, 0)
PROFILE_MAKES_SOCKET(make_unix_datagram, AF_UNIX, SOCK_DGRAM, 0)

static int connect_qmp(const struct profile_targets *t)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	strncpy(address.sun_path, t->qmp, sizeof(address.sun_path) - 1);
	return result_of(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* ---- other processes ---- */

static int kill_other(const struct profile_targets *t)
{
	return result_of(kill(t->victim, SIGKILL));
}

static int stop_other(const struct profile_targets *t)
{
	return result_of(kill(t->victim, SIGSTOP));
}

static int kill_first(const struct profile_targets *t)
{
	return result_of(kill(1, SIGUSR1));
}

static int trace_other(const struct profile_targets *t)
{
	return result_of(ptrace(PTRACE_SEIZE, t->victim, NULL, NULL));
}

static int read_other_memory(const struct profile_targets *t)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { (void *)(uintptr_t)t, 1 };
	return result_of(process_vm_readv(t->victim, &to, 1, &from, 1, 0));
}

static int write_other_memory(const struct profile_targets *t)
{
	return open_of_process(t->victim, "mem", O_RDWR);
}

static int read_other_environment(const struct profile_targets *t)
{
	return open_of_process(t->victim, "environ", O_RDONLY);
}

static int list_other_descriptors(const struct profile_targets *t)
{
	return open_of_process(t->victim, "fd", O_RDONLY | O_DIRECTORY);
}

static int take_other_descriptor(const struct profile_targets *t)
{
	int pidfd = (int)syscall(SYS_pidfd_open, t->victim, 0);
	return pidfd < 0 ? errno : result_of(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

/* ---- the kernel ---- */

static int mount_memory(const struct profile_targets *t)
{
	return result_of(mount("none", t->directory, "ramfs", 0, NULL)) ?:
		       result_of(umount2(t->directory, MNT_DETACH));
}

static int new_mounts(const struct profile_targets *t)
{
	return result_of(unshare(CLONE_NEWNS));
}

static int new_network(const struct profile_targets *t)
{
	return result_of(unshare(CLONE_NEWNET));
}

static int new_user(const struct profile_targets *t)
{
	return result_of(unshare(CLONE_NEWUSER));
}

static int enter_mounts(const struct profile_targets *t)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)t->victim);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : result_of(setns(fd, CLONE_NEWNS));
}

static int change_root(const struct profile_targets *t)
{
	return result_of(chroot("/"));
}

static int load_module(const struct profile_targets *t)
{
	return PROFILE_PASSED_IS(syscall(SYS_init_module, NULL, 0, ""), ENOEXEC);
}

static int load_kernel(const struct profile_targets *t)
{
	return PROFILE_PASSED_IS(syscall(SYS_kexec_load, 0, 1, NULL, ~0ul), EINVAL);
}

static int restart_machine(const struct profile_targets *t)
{
	return PROFILE_PASSED_IS(syscall(SYS_reboot, 0, 0, 0, NULL), EINVAL);
}

static int swap_on(const struct profile_targets *t)
{
	return PROFILE_PASSED_IS(swapon("/none", 0), ENOENT);
}

static int name_machine(const struct profile_targets *t)
{
	return result_of(sethostname("climbed", 7));
}

static int set_clock(const struct profile_targets *t)
{
	struct timeval now;
	gettimeofday(&now, NULL);
	return result_of(settimeofday(&now, NULL));
}

static int open_ports(const struct profile_targets *t)
{
	return result_of(ioperm(0x80, 1, 1));
}

static int clear_kernel_log(const struct profile_targets *t)
{
	return result_of(klogctl(8, NULL, 1)); /* SYSLOG_ACTION_CONSOLE_LEVEL */
}

static int load_bpf(const struct profile_targets *t)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_STACK, .value_size = 4, .max_entries = 1 };
	return result_of(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int count_events(const struct profile_targets *t)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK
	};
	return result_of(syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0));
}

static int become_nobody(const struct profile_targets *t)
{
	return result_of(syscall(SYS_setuid, 65534));
}

static int be_first(const struct profile_targets *t)
{
	return result_of(setpriority(PRIO_PROCESS, 0, -20));
}

static int raise_limit(const struct profile_targets *t)
{
	struct rlimit low = { 100, 100 }, high = { 1000, 1000 };
	return result_of(setrlimit(RLIMIT_NOFILE, &low)) ?:
							   result_of(setrlimit(RLIMIT_NOFILE, &high));
}

static int make_ring(const struct profile_targets *t)
{
	struct io_uring_params params = { 0 };
	return result_of(syscall(SYS_io_uring_setup, 1, &params));
}

static int make_key(const struct profile_targets *t)
{
	return result_of(syscall(SYS_add_key, "user", "climb", "x", 1, -3));
}

static int leave_profile(const struct profile_targets *t)
{
	static const char text[] = "changeprofile unconfined";
	int fd = open("/proc/self/attr/apparmor/current", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? errno : result_of(write(fd, text, sizeof(text) - 1));
}

static int remove_profile(const struct profile_targets *t)
{
	return open_of("/sys/kernel/security/apparmor/.remove", O_WRONLY);
}

const struct profile_climb profile_climbs[] = {
	{ "read a password's file", "", read_secret },
	{ "read a key in ~/.ssh", "", read_hidden },
	{ "read /etc/shadow", "", read_shadow },
	{ "list a folder of /run", "", list_folder },
	{ "list a home", "", list_homes },
	{ "write to a file", "", write_file },
	{ "make a file", "", make_file },
	{ "make a folder", "", make_folder },
	{ "make a symbolic link", "", make_symlink },
	{ "make a link", "", make_link },
	{ "make a device", "", make_device },
	{ "change a file's mode", "", change_mode },
	{ "change a file's owner", "", change_owner },
	{ "cut a file", "", cut_file },
	{ "open by handle", "", open_by_handle },
	{ "read /dev/mem", "", read_memory },
	{ "read the kernel's log", "", read_kernel_log },
	{ "open a serial port", "", open_terminal },
	{ "open card0", "", open_monitors },
	{ "read /dev/port", "", read_ports },
	{ "set core_pattern", "", write_core_pattern },
	{ "write to sysrq-trigger", "", write_trigger },
	{ "list processes", "", list_processes },
	{ "read mountinfo", "", read_mounts },
	{ "execute a program", "", execute_program },
	{ "execute it by ld.so", "", execute_loader },
	{ "execute what is in memory", "", execute_memory },
	{ "execute the keeper", "", execute_keeper },
	{ "execute the renderer", "", execute_renderer },
	{ "map code from its cache", "", map_cached_code },
	{ "IPv4 stream", "d", make_tcp },
	{ "IPv6 stream", "d", make_tcp6 },
	{ "IPv4 datagram", "", make_udp },
	{ "raw socket", "", make_raw },
	{ "packet socket", "", make_packet },
	{ "netlink", "", make_netlink },
	{ "vsock", "", make_vsock },
	{ "unix datagram", "", make_unix_datagram },
	{ "connect to QMP", "dk", connect_qmp },
	{ "kill another process", "", kill_other },
	{ "stop another process", "", stop_other },
	{ "signal process 1", "", kill_first },
	{ "trace another process", "", trace_other },
	{ "read another's memory", "", read_other_memory },
	{ "write another's memory", "", write_other_memory },
	{ "read another's environment", "", read_other_environment },
	{ "list another's descriptors", "", list_other_descriptors },
	{ "take another's descriptor", "", take_other_descriptor },
	{ "mount", "", mount_memory },
	{ "mount namespace", "", new_mounts },
	{ "network namespace", "", new_network },
	{ "another's mount namespace", "", enter_mounts },
	{ "chroot", "", change_root },
	{ "load a module", "", load_module },
	{ "load a kernel", "", load_kernel },
	{ "restart the machine", "", restart_machine },
	{ "swap", "", swap_on },
	{ "name the machine", "", name_machine },
	{ "set the clock", "", set_clock },
	{ "open I/O ports", "", open_ports },
	{ "quieten the kernel's log", "", clear_kernel_log },
	{ "bpf", "", load_bpf },
	{ "perf", "", count_events },
	{ "another user", "", become_nobody },
	{ "be first", "", be_first },
	{ "raise a limit", "", raise_limit },
	{ "leave the profile", "", leave_profile },
	{ "remove a profile", "", remove_profile },
	/* Seccomp's and the kernel's own: Linux 6.1's AppArmor has no word on them. */
	{ "user namespace", "rdk", new_user },
	{ "io_uring", "rdk", make_ring },
	{ "keyrings", "rdk", make_key },
	{ NULL, NULL, NULL },
};
