/* SPDX-License-Identifier: MIT */
#include "tests/shim/nodes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/shim/faults.h"

#define FDS_MAX 4096
#define DRM_MAJOR_NUMBER 226
#define DEVICE_FOLDER "/dev/dri/"
#define NODE_NAME "renderD"
#define SYSFS_FOLDER "/sys/dev/char/226:"

/* For each descriptor: the node plus 1, and the open file; 0: none. */
static struct {
	uint8_t node;
	unsigned file;
} opened[FDS_MAX];

int nodes_find(int fd)
{
	return fd >= 0 && fd < FDS_MAX ? opened[fd].node - 1 : -1;
}

unsigned nodes_get_file(int fd)
{
	return fd >= 0 && fd < FDS_MAX ? opened[fd].file : 0;
}

static void forget(int fd)
{
	if (fd >= 0 && fd < FDS_MAX)
		opened[fd].node = 0;
}

static void note_copy(int from, int to)
{
	if (to >= 0 && to < FDS_MAX && nodes_find(from) >= 0)
		opened[to] = opened[from];
}

/* ---- names ---- */

static int node_from_minor(const char *text, char end)
{
	char *rest;
	long minor = strtol(text, &rest, 10);
	bool ours = minor >= SHIM_MINOR_FIRST &&
		    minor < SHIM_MINOR_FIRST + (long)faults_get()->n_nodes && *rest == end;
	return ours ? (int)(minor - SHIM_MINOR_FIRST) : -1;
}

static int node_from_path(const char *path)
{
	static const char prefix[] = DEVICE_FOLDER NODE_NAME;
	size_t length = sizeof(prefix) - 1;
	return strncmp(path, prefix, length) == 0 ? node_from_minor(path + length, '\0') : -1;
}

static int node_from_sysfs(const char *path)
{
	size_t length = sizeof(SYSFS_FOLDER) - 1;
	return strncmp(path, SYSFS_FOLDER, length) == 0 ? node_from_minor(path + length, '/') : -1;
}

/* Gives the name under which Mesa's shim knows the same of its only node. */
static const char *get_known_path(const char *path, char buffer[PATH_MAX])
{
	if (node_from_path(path) > 0) {
		snprintf(buffer, PATH_MAX, DEVICE_FOLDER NODE_NAME "%d", SHIM_MINOR_FIRST);
		return buffer;
	}
	if (node_from_sysfs(path) > 0) {
		snprintf(buffer, PATH_MAX, SYSFS_FOLDER "%d%s", SHIM_MINOR_FIRST,
			strchr(path + sizeof(SYSFS_FOLDER) - 1, '/'));
		return buffer;
	}
	return path;
}

static bool may_open(int node)
{
	if (node < 0 || !faults_get()->no_rights[node])
		return true;
	errno = EACCES;
	return false;
}

/* ---- descriptors ---- */

static int open_known(const char *path, int flags, mode_t mode)
{
	static int (*next)(const char *, int, ...);
	static unsigned n_files;
	char buffer[PATH_MAX];
	if (!next)
		next = (int (*)(const char *, int, ...))shim_next("open");
	int node = node_from_path(path);
	if (node >= 0) {
		faults_log("open %s", path);
		__atomic_add_fetch(&faults_control()->opens, 1, __ATOMIC_RELAXED);
	}
	if (!may_open(node))
		return -1;
	int fd = next(get_known_path(path, buffer), flags, mode);
	forget(fd);
	if (node >= 0 && fd >= 0 && fd < FDS_MAX) {
		opened[fd].node = (uint8_t)(node + 1);
		opened[fd].file = __atomic_add_fetch(&n_files, 1, __ATOMIC_RELAXED);
	}
	return fd;
}

static mode_t get_mode(int flags, va_list arguments)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

SHIM_EXPORTED int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = get_mode(flags, arguments);
	va_end(arguments);
	return open_known(path, flags, mode);
}

SHIM_EXPORTED int open64(const char *path, int flags, ...) __attribute__((alias("open")));

/* What open() is with _FORTIFY_SOURCE, when it has no mode. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

SHIM_EXPORTED int __open_2(const char *path, int flags)
{
	return open_known(path, flags, 0);
}

SHIM_EXPORTED int __open64_2(const char *path, int flags)
{
	return open_known(path, flags, 0);
}

SHIM_EXPORTED int close(int fd)
{
	static int (*next)(int);
	if (!next)
		next = (int (*)(int))shim_next("close");
	forget(fd);
	return next(fd);
}

SHIM_EXPORTED int dup(int fd)
{
	int copy = ((int (*)(int))shim_next("dup"))(fd);
	note_copy(fd, copy);
	return copy;
}

SHIM_EXPORTED int fcntl(int fd, int command, ...)
{
	static int (*next)(int, int, ...);
	va_list arguments;
	va_start(arguments, command);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (!next)
		next = (int (*)(int, int, ...))shim_next("fcntl");
	int result = next(fd, command, argument);
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		note_copy(fd, result);
	return result;
}

SHIM_EXPORTED int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

/* ---- files ---- */

static int stat_known(const char *name, const char *path, struct stat *st)
{
	char buffer[PATH_MAX];
	int (*next)(const char *, struct stat *) =
		(int (*)(const char *, struct stat *))shim_next(name);
	int result = next(get_known_path(path, buffer), st), node = node_from_path(path);
	if (result == 0 && node > 0)
		st->st_rdev = makedev(DRM_MAJOR_NUMBER, (unsigned)(SHIM_MINOR_FIRST + node));
	return result;
}

/* On this machine both structures are the same. */
SHIM_EXPORTED int stat(const char *path, struct stat *st)
{
	return stat_known("stat", path, st);
}

SHIM_EXPORTED int stat64(const char *path, struct stat64 *st)
{
	return stat_known("stat64", path, (struct stat *)st);
}

static int fstat_known(const char *name, int fd, struct stat *st)
{
	int (*next)(int, struct stat *) = (int (*)(int, struct stat *))shim_next(name);
	int result = next(fd, st), node = nodes_find(fd);
	if (result == 0 && node > 0)
		st->st_rdev = makedev(DRM_MAJOR_NUMBER, (unsigned)(SHIM_MINOR_FIRST + node));
	return result;
}

SHIM_EXPORTED int fstat(int fd, struct stat *st)
{
	return fstat_known("fstat", fd, st);
}

SHIM_EXPORTED int fstat64(int fd, struct stat64 *st)
{
	return fstat_known("fstat64", fd, (struct stat *)st);
}

SHIM_EXPORTED int access(const char *path, int mode)
{
	char buffer[PATH_MAX];
	int (*next)(const char *, int) = (int (*)(const char *, int))shim_next("access");
	return may_open(node_from_path(path)) ? next(get_known_path(path, buffer), mode) : -1;
}

SHIM_EXPORTED ssize_t readlink(const char *path, char *target, size_t size)
{
	char buffer[PATH_MAX];
	ssize_t (*next)(const char *, char *, size_t) =
		(ssize_t(*)(const char *, char *, size_t))shim_next("readlink");
	return next(get_known_path(path, buffer), target, size);
}

SHIM_EXPORTED char *realpath(const char *path, char *resolved)
{
	if (node_from_sysfs(path) > 0)
		return resolved ? strcpy(resolved, path) : strdup(path);
	return ((char *(*)(const char *, char *))shim_next("realpath"))(path, resolved);
}

/* Each node is in a slot of its own, or libdrm would take them for one device. */
static FILE *open_uevent(FILE *from, int node)
{
	FILE *to = fmemopen(NULL, PATH_MAX, "w+");
	char line[256];
	while (to && fgets(line, sizeof(line), from)) {
		if (strncmp(line, "PCI_SLOT_NAME=", 14) == 0)
			fprintf(to, "PCI_SLOT_NAME=0000:%02x:00.0\n", 0x80 + (unsigned)node);
		else
			fputs(line, to);
	}
	fclose(from);
	if (to)
		rewind(to);
	return to;
}

SHIM_EXPORTED FILE *fopen(const char *path, const char *mode)
{
	char buffer[PATH_MAX];
	FILE *(*next)(const char *, const char *) =
		(FILE * (*)(const char *, const char *)) shim_next("fopen");
	FILE *file = next(get_known_path(path, buffer), mode);
	int node = node_from_sysfs(path);
	if (file && node > 0 && strstr(path, "/device/uevent"))
		return open_uevent(file, node);
	return file;
}

SHIM_EXPORTED FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));

/* ---- the folder ---- */

static DIR *folder;
static unsigned n_listed;

SHIM_EXPORTED DIR *opendir(const char *path)
{
	DIR *dir = ((DIR * (*)(const char *)) shim_next("opendir"))(path);
	if (strcmp(path, "/dev/dri") == 0 || strcmp(path, DEVICE_FOLDER) == 0) {
		folder = dir;
		n_listed = 0;
	}
	return dir;
}

/* Mesa's shim lists its own node, and we list the others before it. */
static bool list_node(DIR *dir, char name[256], unsigned char *type)
{
	if (!dir || dir != folder || n_listed + 1 >= faults_get()->n_nodes)
		return false;
	n_listed++;
	snprintf(name, 256, NODE_NAME "%u", SHIM_MINOR_FIRST + n_listed);
	*type = DT_CHR;
	return true;
}

SHIM_EXPORTED struct dirent *readdir(DIR *dir)
{
	static struct dirent entry;
	if (list_node(dir, entry.d_name, &entry.d_type))
		return &entry;
	return ((struct dirent * (*)(DIR *)) shim_next("readdir"))(dir);
}

SHIM_EXPORTED struct dirent64 *readdir64(DIR *dir)
{
	static struct dirent64 entry;
	if (list_node(dir, entry.d_name, &entry.d_type))
		return &entry;
	return ((struct dirent64 * (*)(DIR *)) shim_next("readdir64"))(dir);
}
