/* SPDX-License-Identifier: MIT */
#include "server/desktop/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/desktop/limits.h"

bool run_dir_name_ok(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length > DESKTOP_NAME_MAX_BYTES || !g_ascii_isalnum(name[0]))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!g_ascii_isalnum(name[i]) && !strchr("._-", name[i]))
			return false;
	}
	return true;
}

static bool fail(GError **error, int number, const char *what, const char *path)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "%s %s: %s", what, path,
		g_strerror(number));
	return false;
}

static bool refuse(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool refuse(GError **error, const char *path, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "%s %s", path, why);
	return false;
}

/*
 * The folder must be ours and closed to others, because everybody may make one of this name in
 * /tmp.
 */
static bool make_private(const char *path, GError **error)
{
	if (g_mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(error, errno, "cannot make", path);
	struct stat st;
	if (lstat(path, &st) < 0)
		return fail(error, errno, "cannot examine", path);
	if (!S_ISDIR(st.st_mode))
		return refuse(error, path, "is %s, and no folder of ours: remove it",
			S_ISLNK(st.st_mode) ? "a symbolic link" : "a file");
	if (st.st_uid != geteuid())
		return refuse(error, path, "belongs to another user (%u)", (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return refuse(error, path, "is open to others (mode %04o): chmod 700 it",
			(unsigned)st.st_mode & 07777);
	return true;
}

/*
 * Who can rename what lies in the folder above may put another one in the place of ours, however
 * private that is. In /tmp nobody can but root, since it is sticky.
 */
static bool check_above(const char *path, GError **error)
{
	g_autofree char *above = g_path_get_dirname(path);
	struct stat st;
	if (stat(above, &st) < 0)
		return fail(error, errno, "cannot examine", above);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return refuse(error, above,
			"belongs to another user (%u), who could exchange our folder in it: let "
			"XDG_RUNTIME_DIR name one of yours, or unset it",
			(unsigned)st.st_uid);
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return refuse(error, above,
			"can be written by others (mode %04o), who could exchange our folder in it",
			(unsigned)st.st_mode & 07777);
	return true;
}

char *run_dir_base(void)
{
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	return runtime && *runtime ? g_build_filename(runtime, "vitrine", NULL) :
				     g_strdup_printf("/tmp/vitrine-%u", (unsigned)geteuid());
}

bool run_dir_in_use(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool locked = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **run_dir_list(void)
{
	g_autofree char *base = run_dir_base();
	GPtrArray *names = g_ptr_array_new();
	GDir *dir = g_dir_open(base, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(base, name, NULL);
		if (run_dir_name_ok(name) && run_dir_in_use(path))
			g_ptr_array_add(names, g_strdup(name));
	}
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static char *make_base(GError **error)
{
	g_autofree char *base = run_dir_base();
	return check_above(base, error) && make_private(base, error) ? g_steal_pointer(&base) :
								       NULL;
}

/*
 * It takes nothing of the heap: a desktop that ends because there is no memory leaves no files, and
 * opendir(3) wants 32 KiB.
 */
static unsigned remove_pass(int fd)
{
	_Alignas(struct dirent64) char entries[4096];
	unsigned n_removed = 0;
	ssize_t n_bytes;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return 0;
	while ((n_bytes = getdents64(fd, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < n_bytes;) {
			const struct dirent64 *entry = (const void *)&entries[at];
			n_removed += unlinkat(fd, entry->d_name, 0) == 0;
			at += entry->d_reclen;
		}
	}
	return n_removed;
}

/* A folder that changes while it is read may not say all. */
static void remove_contents(int fd)
{
	while (remove_pass(fd) > 0)
		;
}

/*
 * Gives the locked directory, or -1. After locking it must still be the one that the path names,
 * since its last user may just have removed it: then *gone is set.
 */
static int lock(const char *path, bool *gone)
{
	struct stat ours, named;
	*gone = false;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		*gone = errno == ENOENT;
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -1;
	}
	*gone = fstat(fd, &ours) < 0 || lstat(path, &named) < 0 || ours.st_ino != named.st_ino ||
		ours.st_dev != named.st_dev;
	if (*gone) {
		close(fd);
		return -1;
	}
	return fd;
}

bool run_dir_create(struct run_dir *dir, const char *name, GError **error)
{
	g_assert(run_dir_name_ok(name));
	*dir = (struct run_dir){ .fd = -1 };
	g_autofree char *base = make_base(error);
	if (!base)
		return false;
	g_autofree char *path = g_build_filename(base, name, NULL);
	for (bool gone = true; gone && dir->fd < 0;) {
		if (!make_private(path, error))
			return false;
		dir->fd = lock(path, &gone);
	}
	if (dir->fd < 0) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
			"a desktop named \"%s\" is running already (%s)", name, path);
		return false;
	}
	remove_contents(dir->fd);
	dir->path = g_steal_pointer(&path);
	return true;
}

void run_dir_remove(struct run_dir *dir)
{
	if (dir->fd < 0)
		return;
	remove_contents(dir->fd);
	rmdir(dir->path);
	close(dir->fd);
	dir->fd = -1;
	g_clear_pointer(&dir->path, g_free);
}

char *run_dir_file(const struct run_dir *dir, const char *file)
{
	g_assert(dir->fd >= 0 && dir->path);
	return g_build_filename(dir->path, file, NULL);
}

void run_dir_write_pid(const struct run_dir *dir, const char *file, int pid)
{
	g_autofree char *path = run_dir_file(dir, file);
	g_autofree char *text = g_strdup_printf("%d\n", pid);
	g_autoptr(GError) error = NULL;
	if (!g_file_set_contents(path, text, -1, &error))
		g_warning("%s", error->message);
}
