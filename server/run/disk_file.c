/* SPDX-License-Identifier: MIT */
#include "server/run/disk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(GError **error, const char *path, int number)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "disk %s: %s", path,
		g_strerror(number));
	return false;
}

/* Nothing is opened yet by O_PATH, so that it can be seen first what it is. */
static bool examine(struct disk_file *file, int place, GError **error)
{
	struct stat st;
	if (fstat(place, &st) < 0)
		return fail(error, file->path, errno);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
			"disk %s: neither a regular file nor a block device", file->path);
		return false;
	}
	file->is_device = S_ISBLK(st.st_mode);
	file->device = st.st_dev;
	file->inode = st.st_ino;
	return true;
}

static bool find_real_path(struct disk_file *file, int place, GError **error)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	file->fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return fail(error, file->path, errno);
	char *real = realpath(file->path, NULL);
	if (!real)
		return fail(error, file->path, errno);
	file->real_path = g_strdup(real);
	free(real);
	if (g_utf8_validate(file->real_path, -1, NULL))
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
		"disk %s: the name is not UTF-8, as what QEMU is told must be", file->path);
	return false;
}

bool disk_file_open(struct disk_file *file, const char *path, GError **error)
{
	*file = (struct disk_file){ .path = g_strdup(path), .fd = -1 };
	int place = open(path, O_PATH | O_CLOEXEC);
	if (place < 0)
		return fail(error, path, errno);
	bool good = examine(file, place, error) && find_real_path(file, place, error);
	close(place);
	if (!good)
		return false;
	off_t end = lseek(file->fd, 0, SEEK_END);
	file->size_bytes = end < 0 ? 0 : (uint64_t)end;
	return true;
}

void disk_file_finish(struct disk_file *file)
{
	g_clear_pointer(&file->path, g_free);
	g_clear_pointer(&file->real_path, g_free);
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

bool disk_file_is_same(const struct disk_file *one, const struct disk_file *other)
{
	return one->device == other->device && one->inode == other->inode;
}

size_t disk_file_read(const struct disk_file *file, uint64_t offset, void *bytes, size_t size)
{
	if (offset > file->size_bytes)
		return 0;
	ssize_t n = pread(file->fd, bytes, size, (off_t)offset);
	return n < 0 ? 0 : (size_t)n;
}

char *disk_file_read_text(const struct disk_file *file, uint64_t offset, size_t size)
{
	if (offset >= file->size_bytes)
		return g_strdup("");
	size = (size_t)MIN(file->size_bytes - offset, size);
	char *text = g_malloc0(size + 1);
	disk_file_read(file, offset, text, size);
	return text;
}
