/* SPDX-License-Identifier: MIT */
/* Writing where the process has nothing to write. */
#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/climbs/climb_calls.h"

/* What a climb makes it takes away again. */
#define SCRATCH "climb-scratch"
#define SCRATCH_2 "climb-scratch-2"

static int create_in(const char *dir)
{
	char path[2 * CLIMB_PATH];
	int error = climb_open(climb_join(path, dir, SCRATCH), O_WRONLY | O_CREAT);
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	return error;
}

static int create_in_home(const struct climb_targets *t)
{
	return create_in(t->home);
}

static int create_in_run_dir(const struct climb_targets *t)
{
	return create_in(t->run_dir);
}

static int create_in_other_dir(const struct climb_targets *t)
{
	return create_in(t->other_dir);
}

static int create_in_tmp(const struct climb_targets *t)
{
	return create_in("/tmp");
}

static int create_in_shm(const struct climb_targets *t)
{
	return create_in("/dev/shm");
}

static int create_unnamed(const struct climb_targets *t)
{
	return climb_open("/tmp", O_TMPFILE | O_RDWR);
}

static int write_existing(const struct climb_targets *t)
{
	return climb_open(t->other_file, O_WRONLY);
}

/* Where another file is shown in its place, nothing of it is reached. */
static int write_password(const struct climb_targets *t)
{
	struct stat found = { .st_mode = 0 };
	long fd = climb_open_fd(t->password, O_WRONLY | O_APPEND);
	if (fd < 0)
		return errno;
	fstat((int)fd, &found);
	syscall(SYS_close, fd);
	return S_ISREG(found.st_mode) ? 0 : ENODEV;
}

/* Landlock knows truncate since ABI 3. */
static int truncate_file(const struct climb_targets *t)
{
	struct stat now;
	long size = stat(t->other_file, &now) == 0 ? now.st_size : 1;
	return climb_result(syscall(SYS_truncate, t->other_file, size));
}

static int make_folder(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	climb_join(path, t->other_dir, SCRATCH);
	int error = climb_result(syscall(SYS_mkdirat, AT_FDCWD, path, 0700));
	syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
	return error;
}

static int make_symlink(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	climb_join(path, t->other_dir, SCRATCH);
	int error = climb_result(syscall(SYS_symlinkat, "/etc/shadow", AT_FDCWD, path));
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	return error;
}

static int make_hard_link(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	climb_join(path, t->other_dir, SCRATCH);
	int error = climb_result(syscall(SYS_linkat, AT_FDCWD, t->other_file, AT_FDCWD, path, 0));
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	return error;
}

static int rename_file(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	climb_join(path, t->other_dir, SCRATCH);
	long result = syscall(SYS_renameat2, AT_FDCWD, t->other_file, AT_FDCWD, path, 0);
	int error = climb_result(result);
	if (result == 0)
		syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, t->other_file, 0);
	return error;
}

static int unlink_file(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH], away[2 * CLIMB_PATH];
	climb_join(path, t->other_dir, "to-unlink");
	long result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	int error = climb_result(result);
	if (result == 0)
		climb_open(climb_join(away, t->other_dir, "to-unlink"), O_CREAT | O_WRONLY);
	return error;
}

static int make_fifo(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	climb_join(path, t->other_dir, SCRATCH_2);
	int error = climb_result(syscall(SYS_mknodat, AT_FDCWD, path, S_IFIFO | 0600, 0));
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	return error;
}

/* A node of a disk, made by ourselves: 254:0 is virtio's first. */
static int make_device(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	climb_join(path, t->other_dir, SCRATCH_2);
	int error = climb_result(syscall(SYS_mknodat, AT_FDCWD, path, S_IFBLK | 0600, 254 << 8));
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	return error;
}

static int bind_in_other_dir(const struct climb_targets *t)
{
	char path[2 * CLIMB_PATH];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	climb_join(path, t->other_dir, SCRATCH);
	climb_copy(address.sun_path, sizeof(address.sun_path), path);
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_bind, fd, &address, sizeof(address)));
	syscall(SYS_close, fd);
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	return error;
}

static int change_mode(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_fchmodat, AT_FDCWD, t->other_file, 0600));
}

static int change_owner(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_fchownat, AT_FDCWD, t->other_file, -1, -1, 0));
}

static int give_away(const struct climb_targets *t)
{
	long result = syscall(SYS_fchownat, AT_FDCWD, t->other_file, t->other_user, -1, 0);
	int error = climb_result(result);
	if (result == 0)
		syscall(SYS_fchownat, AT_FDCWD, t->other_file, 0, -1, 0);
	return error;
}

static int change_times(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_utimensat, AT_FDCWD, t->other_file, NULL, 0));
}

static int change_attribute(const struct climb_targets *t)
{
	return climb_result(syscall(SYS_setxattr, t->other_file, "user.climb", "1", 1, 0));
}

static int write_shadow(const struct climb_targets *t)
{
	return climb_open("/etc/shadow", O_WRONLY | O_APPEND);
}

static int create_in_etc(const struct climb_targets *t)
{
	return create_in("/etc");
}

#define LANDLOCK CLIMB_LANDLOCK
#define SECCOMP CLIMB_SECCOMP
static const struct climb rows[] = {
	{ "create in home", CLIMB_ALL, LANDLOCK, 0, create_in_home },
	{ "create in the run directory", CLIMB_WORKERS, LANDLOCK, 0, create_in_run_dir },
	{ "create in another desktop's folder", CLIMB_ALL, LANDLOCK, 0, create_in_other_dir },
	{ "create in /tmp", CLIMB_ALL, LANDLOCK, 0, create_in_tmp },
	{ "create in /dev/shm", CLIMB_ALL, LANDLOCK, 0, create_in_shm },
	{ "create in /etc", CLIMB_ALL, LANDLOCK, 0, create_in_etc },
	{ "O_TMPFILE", CLIMB_ALL, LANDLOCK, 0, create_unnamed },
	{ "write another desktop's file", CLIMB_ALL, LANDLOCK, 0, write_existing },
	{ "write the password file", CLIMB_ALL, LANDLOCK, 0, write_password },
	{ "write /etc/shadow", CLIMB_ALL, LANDLOCK, 0, write_shadow },
	{ "truncate", CLIMB_ALL, 0, 0, truncate_file },
	{ "mkdir", CLIMB_ALL, LANDLOCK, 0, make_folder },
	{ "symlink", CLIMB_ALL, LANDLOCK, 0, make_symlink },
	{ "link", CLIMB_ALL, LANDLOCK, 0, make_hard_link },
	{ "rename", CLIMB_ALL, LANDLOCK, 0, rename_file },
	{ "unlink", CLIMB_ALL, LANDLOCK, 0, unlink_file },
	{ "mknod: a fifo", CLIMB_ALL, LANDLOCK, 0, make_fifo },
	{ "mknod: a disk", CLIMB_ALL, LANDLOCK, 0, make_device },
	{ "bind a unix socket", CLIMB_ALL, LANDLOCK, 0, bind_in_other_dir },
	{ "chmod", CLIMB_ALL, 0, 0, change_mode },
	{ "chown to oneself", CLIMB_ALL, 0, 0, change_owner },
	{ "chown to another user", CLIMB_ALL, CLIMB_RIGHTS, 0, give_away },
	{ "utimensat", CLIMB_ALL, 0, 0, change_times },
	{ "setxattr", CLIMB_ALL, SECCOMP, 0, change_attribute },
};

const struct climb_group climb_writing = CLIMB_GROUP("writing", rows);
