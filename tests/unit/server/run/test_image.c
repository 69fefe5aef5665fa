/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdint.h>

#include "server/run/image.h"
#include "tests/unit/server/files.h"

static void test_image(void)
{
	uint8_t qcow2[112] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3 };
	char *plain = write_file("disk.img", "no header", 9);
	char *image = write_file("disk.img", qcow2, sizeof(qcow2));
	qcow2[15] = 104; /* a backing file's name lies there */
	char *suspicious = write_file("disk.img", qcow2, sizeof(qcow2));
	char *named = write_file("disk.qcow2", qcow2, sizeof(qcow2));
	char *raw = write_file("disk.raw", qcow2, sizeof(qcow2));
	qcow2[15] = 0;
	qcow2[79] = 4; /* external data file */
	char *external = write_file("disk", qcow2, sizeof(qcow2));

	g_assert_cmpstr(image_format(plain, NULL, NULL), ==, "raw");
	g_assert_cmpstr(image_format(image, NULL, NULL), ==, "qcow2");
	g_assert_cmpstr(image_format(raw, NULL, NULL), ==, "raw");
	g_assert_cmpstr(image_format(named, NULL, NULL), ==, "qcow2");
	g_assert_null(image_format(suspicious, NULL, NULL));
	g_assert_null(image_format(external, NULL, NULL));
	g_assert_cmpstr(image_format(suspicious, "qcow2", NULL), ==, "qcow2");
	g_assert_null(image_format("/nonexistent/disk", "raw", NULL));

	char *all[] = { plain, image, suspicious, named, raw, external };
	for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
		remove_file(all[i]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/image", test_image);
	return g_test_run();
}
