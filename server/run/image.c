/* SPDX-License-Identifier: MIT */
#include "server/run/image.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The header is described in QEMU docs/interop/qcow2.rst, "Header"; all numbers are big-endian. */
#define QCOW2_HEADER_BYTES 104
#define QCOW2_MAGIC "QFI\xfb"
#define QCOW2_BACKING_OFFSET 8
#define QCOW2_INCOMPATIBLE 72
#define QCOW2_EXTERNAL_DATA 4

static ssize_t read_header(const char *path, char *header, GError **error)
{
	memset(header, 0, QCOW2_HEADER_BYTES);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, header, QCOW2_HEADER_BYTES, 0);
	int number = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0)
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "disk %s: %s", path,
			g_strerror(number));
	return n;
}

static uint64_t read_be64(const char *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return GUINT64_FROM_BE(value);
}

/*
 * Tells whether the image reaches for other files: it has a backing file, or its data lie in
 * another one.
 */
static bool reaches_out(const char *header)
{
	uint32_t version;
	memcpy(&version, header + 4, sizeof(version));
	if (read_be64(header + QCOW2_BACKING_OFFSET) != 0)
		return true;
	return GUINT32_FROM_BE(version) >= 3 &&
	       (read_be64(header + QCOW2_INCOMPATIBLE) & QCOW2_EXTERNAL_DATA);
}

const char *image_format(const char *path, const char *format, GError **error)
{
	char header[QCOW2_HEADER_BYTES];
	if (read_header(path, header, error) < 0)
		return NULL;
	if (format)
		return format;
	if (g_str_has_suffix(path, ".raw") || memcmp(header, QCOW2_MAGIC, 4) != 0)
		return "raw";
	if (!g_str_has_suffix(path, ".qcow2") && reaches_out(header)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
			"disk %s looks like a qcow2 image that uses other files, which a guest "
			"can write into a raw one: say --disk-format=qcow2 if it is",
			path);
		return NULL;
	}
	return "qcow2";
}
