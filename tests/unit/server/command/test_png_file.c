/* SPDX-License-Identifier: MIT */
/* png_file: what is in the file is what was written, and no half of a file is left. */
#include "server/command/png_file.h"

#include <glib/gstdio.h>
#include <png.h>
#include <string.h>

#define WIDTH 67
#define HEIGHT 5

static void fill(uint8_t *pixels)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++) {
		pixels[4 * i] = (uint8_t)i;
		pixels[4 * i + 1] = (uint8_t)(i * 3);
		pixels[4 * i + 2] = (uint8_t)(i >> 2);
		pixels[4 * i + 3] = 0x5a; /* of no meaning */
	}
}

static void test_exact(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-png-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "shot.png", NULL);
	g_autoptr(GError) error = NULL;
	uint8_t pixels[WIDTH * HEIGHT * 4], read[WIDTH * HEIGHT * 3];
	fill(pixels);
	/* What was there before goes. */
	g_assert_true(g_file_set_contents(path, "before", -1, NULL));
	g_assert_true(png_file_write(path, pixels, WIDTH, HEIGHT, &error));
	g_assert_no_error(error);
	png_image image = { .version = PNG_IMAGE_VERSION };
	g_assert_cmpint(png_image_begin_read_from_file(&image, path), !=, 0);
	g_assert_cmpuint(image.width, ==, WIDTH);
	g_assert_cmpuint(image.height, ==, HEIGHT);
	image.format = PNG_FORMAT_RGB;
	g_assert_cmpint(png_image_finish_read(&image, NULL, read, 0, NULL), !=, 0);
	for (unsigned i = 0; i < WIDTH * HEIGHT; i++) {
		g_assert_cmpuint(read[3 * i], ==, pixels[4 * i + 2]);
		g_assert_cmpuint(read[3 * i + 1], ==, pixels[4 * i + 1]);
		g_assert_cmpuint(read[3 * i + 2], ==, pixels[4 * i]);
	}
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void test_refused(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-png-XXXXXX", NULL);
	g_autofree char *elsewhere = g_build_filename(folder, "none", "shot.png", NULL);
	g_autofree char *taken = g_build_filename(folder, "taken", NULL);
	uint8_t pixels[WIDTH * HEIGHT * 4] = { 0 };
	g_autoptr(GError) error = NULL;
	g_assert_false(png_file_write(elsewhere, pixels, WIDTH, HEIGHT, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	/* A folder is not replaced, and the draft goes. */
	g_assert_cmpint(g_mkdir(taken, 0700), ==, 0);
	g_assert_false(png_file_write(taken, pixels, WIDTH, HEIGHT, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	/* No picture has no pixels. */
	g_assert_false(png_file_write(taken, pixels, 0, HEIGHT, &error));
	g_assert_nonnull(error);
	g_assert_cmpint(g_rmdir(taken), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/png-file/exact", test_exact);
	g_test_add_func("/png-file/refused", test_refused);
	return g_test_run();
}
