/* SPDX-License-Identifier: MIT */
/* Reading what is none of the process's business. */
#include <linux/openat2.h>
#include <sys/stat.h>

#include "tests/climbs/climb_calls.h"

static int read_some(const char *path)
{
	char byte;
	long fd = climb_open_fd(path, O_RDONLY);
	if (fd < 0)
		return errno;
	long n = syscall(SYS_read, fd, &byte, 1);
	int error = n < 0 ? errno : n == 0 ? ENODATA : 0;
	syscall(SYS_close, fd);
	return error;
}

static int read_password(const struct climb_targets *t)
{
	return read_some(t->password);
}

static int read_key(const struct climb_targets *t)
{
	return read_some(t->key);
}

static int read_home(const struct climb_targets *t)
{
	return read_some(t->home_file);
}

static int list_home(const struct climb_targets *t)
{
	return climb_open(t->home, O_RDONLY | O_DIRECTORY);
}

/* The same file by a way round: a descriptor that names it, opened again for reading. */
static int read_by_path_descriptor(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	long fd = climb_open_fd(t->home_file, O_PATH);
	if (fd < 0)
		return errno;
	climb_put_number(stpcpy(path, "/proc/self/fd/"), (uint32_t)fd);
	int error = read_some(path);
	syscall(SYS_close, fd);
	return error;
}

/* The newer call is one that a filter may have forgotten. */
static int read_by_newer_call(const struct climb_targets *t)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };
	return climb_opened(syscall(SYS_openat2, AT_FDCWD, t->home_file, &how, sizeof(how)));
}

static int read_by_handle(const struct climb_targets *t)
{
	/* The root of a file system is inode 2 of ext4; whoever may open handles gets that far. */
	struct {
		unsigned bytes;
		int type;
		uint32_t inode, generation;
	} handle = { 8, 1, 2, 0 };
	long root = climb_open_fd("/", O_RDONLY | O_DIRECTORY);
	long fd = syscall(SYS_open_by_handle_at, root < 0 ? AT_FDCWD : root, &handle, O_RDONLY);
	int error = fd < 0 && errno != ESTALE ? errno : 0;
	if (fd >= 0)
		syscall(SYS_close, fd);
	if (root >= 0)
		syscall(SYS_close, root);
	return error;
}

static int read_other_desktop(const struct climb_targets *t)
{
	return read_some(t->other_file);
}

static int read_shadow(const struct climb_targets *t)
{
	return read_some("/etc/shadow");
}

static int list_root(const struct climb_targets *t)
{
	return climb_open("/root", O_RDONLY | O_DIRECTORY);
}

static int list_tmp(const struct climb_targets *t)
{
	return climb_open("/tmp", O_RDONLY | O_DIRECTORY);
}

static int read_of(int32_t pid, const char *name)
{
	char path[2 * CLIMB_PATH];
	return read_some(climb_proc(path, pid, name));
}

static int read_keeper_environ(const struct climb_targets *t)
{
	return read_of(t->keeper, "environ");
}

static int read_keeper_maps(const struct climb_targets *t)
{
	return read_of(t->keeper, "maps");
}

static int read_keeper_command_line(const struct climb_targets *t)
{
	return read_of(t->keeper, "cmdline");
}

static int read_sibling_environ(const struct climb_targets *t)
{
	return read_of(t->sibling, "environ");
}

static int read_qemu_environ(const struct climb_targets *t)
{
	return read_of(t->qemu, "environ");
}

static int read_qemu_command_line(const struct climb_targets *t)
{
	return read_of(t->qemu, "cmdline");
}

static int open_of(int32_t pid, const char *name, int flags)
{
	char path[2 * CLIMB_PATH];
	return climb_open(climb_proc(path, pid, name), flags);
}

static int open_keeper_mem(const struct climb_targets *t)
{
	return open_of(t->keeper, "mem", O_RDWR);
}

static int open_sibling_mem(const struct climb_targets *t)
{
	return open_of(t->sibling, "mem", O_RDWR);
}

static int open_qemu_mem(const struct climb_targets *t)
{
	return open_of(t->qemu, "mem", O_RDWR);
}

static int list_keeper_descriptors(const struct climb_targets *t)
{
	return open_of(t->keeper, "fd", O_RDONLY | O_DIRECTORY);
}

static int list_qemu_descriptors(const struct climb_targets *t)
{
	return open_of(t->qemu, "fd", O_RDONLY | O_DIRECTORY);
}

static int enter_qemu_root(const struct climb_targets *t)
{
	return open_of(t->qemu, "root/etc", O_RDONLY | O_DIRECTORY);
}

/* From a folder that was left open everything below it is near. */
static int have_folder(const struct climb_targets *t)
{
	for (int fd = 0; fd < 1024; fd++) {
		struct stat here;
		long flags = syscall(SYS_fcntl, fd, F_GETFD);
		if (flags >= 0 && fstat(fd, &here) == 0 && S_ISDIR(here.st_mode))
			return 0;
	}
	return EBADF;
}

#define NODE(function, path, flags)                                                                \
	static int function(const struct climb_targets *t)                                         \
	{                                                                                          \
		return climb_open(path, flags);                                                    \
	}
NODE(open_dev_mem, "/dev/mem", O_RDWR)
NODE(open_dev_kmsg, "/dev/kmsg", O_WRONLY)
NODE(open_dev_disk, "/dev/vda", O_RDONLY)
NODE(open_dev_loop, "/dev/loop-control", O_RDWR)
NODE(open_dev_kvm, "/dev/kvm", O_RDWR)
NODE(open_dev_fuse, "/dev/fuse", O_RDWR)
NODE(open_dev_tty, "/dev/tty1", O_RDWR)
NODE(open_dev_ptmx, "/dev/ptmx", O_RDWR)
NODE(open_dev_tun, "/dev/net/tun", O_RDWR)
NODE(open_dev_vsock, "/dev/vsock", O_RDWR)
NODE(open_core_pattern, "/proc/sys/kernel/core_pattern", O_WRONLY)
NODE(open_sysrq, "/proc/sysrq-trigger", O_WRONLY)
NODE(open_kcore, "/proc/kcore", O_RDONLY)
NODE(open_kallsyms, "/proc/kallsyms", O_RDONLY)
NODE(open_cgroup, "/sys/fs/cgroup/memory/cgroup.procs", O_WRONLY)
NODE(open_uevent_helper, "/sys/kernel/uevent_helper", O_WRONLY)

#define LANDLOCK CLIMB_LANDLOCK
static const struct climb rows[] = {
	{ "read the password file", CLIMB_ALL, LANDLOCK, 0, read_password },
	{ "read the TLS key", CLIMB_ALL, LANDLOCK, 0, read_key },
	{ "read a file in home", CLIMB_ALL, LANDLOCK, 0, read_home },
	{ "list home", CLIMB_ALL, LANDLOCK, 0, list_home },
	{ "read by an O_PATH descriptor", CLIMB_ALL, LANDLOCK, 0, read_by_path_descriptor },
	{ "openat2 of a file in home", CLIMB_ALL, LANDLOCK, 0, read_by_newer_call },
	{ "open_by_handle_at", CLIMB_ALL, CLIMB_SECCOMP | CLIMB_RIGHTS, 0, read_by_handle },
	{ "read another desktop's files", CLIMB_ALL, LANDLOCK, 0, read_other_desktop },
	{ "read /etc/shadow", CLIMB_ALL, LANDLOCK, 0, read_shadow },
	{ "list /root", CLIMB_ALL, LANDLOCK, 0, list_root },
	{ "list /tmp", CLIMB_ALL, LANDLOCK, 0, list_tmp },
	{ "read the keeper's environment", CLIMB_ALL, LANDLOCK, 0, read_keeper_environ },
	{ "read the keeper's maps", CLIMB_ALL, LANDLOCK, 0, read_keeper_maps },
	{ "read the keeper's command line", CLIMB_ALL, LANDLOCK, 0, read_keeper_command_line },
	{ "read a sibling's environment", CLIMB_ALL, LANDLOCK, 0, read_sibling_environ },
	{ "read QEMU's environment", CLIMB_ALL, LANDLOCK, 0, read_qemu_environ },
	{ "read QEMU's command line", CLIMB_ALL, LANDLOCK, 0, read_qemu_command_line },
	{ "open the keeper's memory", CLIMB_ALL, LANDLOCK, 0, open_keeper_mem },
	{ "open a sibling's memory", CLIMB_ALL, LANDLOCK, 0, open_sibling_mem },
	{ "open QEMU's memory", CLIMB_ALL, LANDLOCK, 0, open_qemu_mem },
	{ "list the keeper's descriptors", CLIMB_ALL, LANDLOCK, 0, list_keeper_descriptors },
	{ "list QEMU's descriptors", CLIMB_ALL, LANDLOCK, 0, list_qemu_descriptors },
	{ "go by QEMU's root", CLIMB_ALL, LANDLOCK, 0, enter_qemu_root },
	{ "have a folder open", CLIMB_ALL, 0, 0, have_folder },
	{ "/dev/mem", CLIMB_ALL, LANDLOCK, 0, open_dev_mem },
	{ "/dev/kmsg", CLIMB_ALL, LANDLOCK, 0, open_dev_kmsg },
	{ "/dev/vda, a disk", CLIMB_ALL, LANDLOCK, 0, open_dev_disk },
	{ "/dev/loop-control", CLIMB_ALL, LANDLOCK, 0, open_dev_loop },
	{ "/dev/kvm", CLIMB_ALL, LANDLOCK, 0, open_dev_kvm },
	{ "/dev/fuse", CLIMB_ALL, LANDLOCK, 0, open_dev_fuse },
	{ "/dev/tty1", CLIMB_ALL, LANDLOCK, 0, open_dev_tty },
	{ "/dev/ptmx", CLIMB_ALL, LANDLOCK, 0, open_dev_ptmx },
	{ "/dev/net/tun", CLIMB_ALL, LANDLOCK, 0, open_dev_tun },
	{ "/dev/vsock", CLIMB_ALL, LANDLOCK, 0, open_dev_vsock },
	{ "write core_pattern", CLIMB_ALL, LANDLOCK, 0, open_core_pattern },
	{ "write sysrq-trigger", CLIMB_ALL, LANDLOCK, 0, open_sysrq },
	{ "read /proc/kcore", CLIMB_ALL, LANDLOCK, 0, open_kcore },
	{ "read /proc/kallsyms", CLIMB_ALL, LANDLOCK, 0, open_kallsyms },
	{ "write a cgroup", CLIMB_ALL, LANDLOCK, 0, open_cgroup },
	{ "write uevent_helper", CLIMB_ALL, LANDLOCK, 0, open_uevent_helper },
};

const struct climb_group climb_files = CLIMB_GROUP("reading", rows);
