/* SPDX-License-Identifier: MIT */
#include "server/command/png_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>

static void on_png_error(png_structp png, png_const_charp text)
{
	GError **error = png_get_error_ptr(png);
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "libpng: %s", text);
	png_longjmp(png, 1);
}

static void on_png_warning(png_structp png, png_const_charp text)
{
	g_debug("libpng: %s", text);
}

/* No local of it changes between setjmp and longjmp. */
static bool write_rows(png_structp png, png_infop info, FILE *file, const uint8_t *pixels,
	uint32_t width, uint32_t height)
{
	if (setjmp(png_jmpbuf(png)))
		return false;
	png_init_io(png, file);
	png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
	png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(png, 3);
	png_write_info(png, info);
	png_set_bgr(png);
	png_set_filler(png, 0, PNG_FILLER_AFTER);
	for (uint32_t y = 0; y < height; y++)
		png_write_row(png, pixels + (size_t)y * width * 4);
	png_write_end(png, info);
	return true;
}

static bool write_file(
	FILE *file, const uint8_t *pixels, uint32_t width, uint32_t height, GError **error)
{
	png_structp png =
		png_create_write_struct(PNG_LIBPNG_VER_STRING, error, on_png_error, on_png_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	bool written = info && write_rows(png, info, file, pixels, width, height);
	png_destroy_write_struct(&png, &info);
	if (!written && error && !*error)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "libpng does not start");
	return written;
}

static bool fail(const char *path, GError **error)
{
	g_set_error(
		error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", path, g_strerror(errno));
	return false;
}

bool png_file_write(
	const char *path, const uint8_t *pixels, uint32_t width, uint32_t height, GError **error)
{
	g_autofree char *draft = g_strdup_printf("%s.XXXXXX", path);
	int fd = g_mkstemp_full(draft, O_WRONLY | O_CLOEXEC, 0666);
	FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (!file)
		return fail(path, error);
	bool written = write_file(file, pixels, width, height, error);
	if (fclose(file) != 0 && written)
		written = fail(path, error);
	if (written && g_rename(draft, path) < 0)
		written = fail(path, error);
	if (!written)
		g_unlink(draft);
	return written;
}
