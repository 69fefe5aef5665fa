/* SPDX-License-Identifier: MIT */
#include "server/starter/own_namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- users ---- */

int own_namespaces_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t length = (ssize_t)strlen(text);
	int result = write(fd, text, (size_t)length) == length ? 0 : errno;
	close(fd);
	return result;
}

static int map(const char *process, unsigned user, unsigned group, unsigned n)
{
	char path[64], text[64];
	snprintf(path, sizeof(path), "/proc/%s/setgroups", process);
	int result = own_namespaces_write(path, "deny");
	snprintf(path, sizeof(path), "/proc/%s/uid_map", process);
	snprintf(text, sizeof(text), "%u %u %u\n", user, user, n);
	if (result == 0)
		result = own_namespaces_write(path, text);
	snprintf(path, sizeof(path), "/proc/%s/gid_map", process);
	snprintf(text, sizeof(text), "%u %u %u\n", group, group, n);
	return result == 0 ? own_namespaces_write(path, text) : result;
}

/* The kernel lets an ordinary user map itself, and nobody else, once groups are what they are. */
static int enter_as_ourselves(void)
{
	unsigned user = geteuid(), group = getegid();
	if (unshare(OWN_NAMESPACES) < 0)
		return errno;
	/* Who is not dumpable does not own its files in /proc. */
	prctl(PR_SET_DUMPABLE, 1);
	int result = map("self", user, group, 1);
	prctl(PR_SET_DUMPABLE, 0);
	return result;
}

/* Only who stays outside, and is root there, may map others than himself. */
static _Noreturn void map_from_outside(
	const struct own_namespaces *wanted, pid_t starter, const int *begin, const int *end)
{
	char process[16], byte;
	int result = ESRCH;
	close(begin[1]);
	snprintf(process, sizeof(process), "%d", (int)starter);
	if (read(begin[0], &byte, 1) == 1)
		result = map(process, wanted->first_user, wanted->first_user, wanted->n_users + 1);
	_exit(write(end[1], &result, sizeof(result)) != sizeof(result));
}

static int enter_as_other(const struct own_namespaces *wanted)
{
	int begin[2], end[2], result = 0;
	pid_t starter = getpid();
	if (pipe2(begin, O_CLOEXEC) < 0 || pipe2(end, O_CLOEXEC) < 0)
		return errno;
	pid_t mapper = fork();
	if (mapper == 0)
		map_from_outside(wanted, starter, begin, end);
	close(begin[0]);
	close(end[1]);
	if (mapper < 0 || unshare(OWN_NAMESPACES) < 0)
		result = errno;
	if (result == 0 && (write(begin[1], "", 1) != 1 ||
				   read(end[0], &result, sizeof(result)) != sizeof(result)))
		result = ESRCH;
	close(begin[1]);
	close(end[0]);
	if (mapper > 0)
		waitpid(mapper, NULL, 0);
	return result;
}

int own_namespaces_become(uid_t user)
{
	if (syscall(SYS_setresgid, user, user, user) < 0 ||
		syscall(SYS_setresuid, user, user, user) < 0)
		return errno;
	return 0;
}

/* ---- files ---- */

/* Puts something empty in the place of a folder or a file. What is not there need not be hidden. */
static int hide(const char *path)
{
	struct stat st;
	int result;
	if (stat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		result = mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			"size=4k,nr_inodes=2,mode=0555");
	else
		result = mount("/dev/null", path, NULL, MS_BIND, NULL);
	return result < 0 ? errno : 0;
}

/* By the kernel's number of it: before glibc 2.36 there is no function. */
static int change_mount(const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
	const struct {
		uint64_t set, clear, propagation, user_namespace;
	} attributes = { set, clear, 0, 0 };
	long result =
		syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof(attributes));
	return result < 0 ? errno : 0;
}

/* A mount of the same folder or file, for flags of its own. What is not there needs none. */
static int mount_on_itself(const char *path)
{
	return mount(path, path, NULL, MS_BIND, NULL) < 0 && errno != ENOENT ? errno : 0;
}

static int make_writable(const char *path)
{
	if (access(path, F_OK) < 0)
		return 0;
	int result = mount_on_itself(path);
	if (result == 0)
		result = change_mount(path, 0, 0, MOUNT_ATTR_RDONLY);
	/* The kernel keeps read-only what was so outside, and then nothing is kept. */
	return result == EPERM ? 0 : result;
}

/* Workers' maps are written in /proc; what changes the machine there stays read-only. */
static int open_proc(void)
{
	static const char *const closed[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq",
		"/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi", "/proc/mtrr" };
	int result = 0;
	for (unsigned i = 0; result == 0 && i < sizeof(closed) / sizeof(closed[0]); i++)
		result = mount_on_itself(closed[i]);
	return result == 0 ? change_mount("/proc", 0, 0, MOUNT_ATTR_RDONLY) : result;
}

static int close_files(const struct own_namespaces *wanted, int *read_only_error)
{
	int result = 0;
	for (unsigned i = 0; result == 0 && i < wanted->n_hidden; i++)
		result = hide(wanted->hidden[i]);
	if (result != 0)
		return result;
	*read_only_error = change_mount("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);
	/* In a chroot(2) the root folder is no mount; the rest holds. */
	if (*read_only_error != 0)
		return 0;
	for (unsigned i = 0; result == 0 && i < wanted->n_writable; i++)
		result = make_writable(wanted->writable[i]);
	return result == 0 ? open_proc() : result;
}

/* ---- all of it ---- */

int own_namespaces_set_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int result = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? errno : 0;
	close(fd);
	return result;
}

int own_namespaces_enter(const struct own_namespaces *wanted, int *read_only_error)
{
	int result = wanted->has_users ? enter_as_other(wanted) : enter_as_ourselves();
	*read_only_error = 0;
	if (result == 0)
		result = close_files(wanted, read_only_error);
	/* For workers that could not have a network of their own later. */
	if (result == 0)
		result = own_namespaces_set_loopback_up();
	if (result == 0 && wanted->has_users)
		result = own_namespaces_become(wanted->first_user + wanted->n_users);
	return result;
}
