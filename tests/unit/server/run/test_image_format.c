/* SPDX-License-Identifier: MIT */
/* image_format: what a file is taken for, by its bytes and its name, where nobody said it. */
#include <glib.h>
#include <string.h>

#include "server/run/image_format.h"
#include "tests/unit/server/files.h"

#define IMAGE_BYTES 4096

struct sample {
	const char *name;  /* of the file */
	const char *bytes; /* what it has there; the rest is zeros */
	size_t n_bytes, at;
	const char *format; /* NULL: it is refused */
	const char *reason; /* a part of why */
};

#define BYTES(text) (text), sizeof(text) - 1
#define TAIL (IMAGE_BYTES - 512)

static const struct sample samples[] = {
	{ "disk.img", BYTES(""), 0, "raw", NULL },
	{ "disk", BYTES("no header"), 0, "raw", NULL },
	{ "disk.img", BYTES("QFI\xfb\0\0\0\x03"), 0, "qcow2", NULL },
	{ "disk.qcow2", BYTES("QFI\xfb\0\0\0\x02"), 0, "qcow2", NULL },
	{ "disk.QCOW2", BYTES("QFI\xfb\0\0\0\x02"), 0, "qcow2", NULL },
	{ "disk.raw", BYTES("QFI\xfb\0\0\0\x03"), 0, "raw", NULL },
	{ "disk.raw", BYTES("KDMV"), 0, "raw", NULL },
	{ "disk.qcow", BYTES("QFI\xfb\0\0\0\x01"), 0, "qcow", NULL },
	{ "disk.qcow2", BYTES("QFI\xfb\0\0\0\x01"), 0, NULL, "version 1" },
	{ "disk.vmdk", BYTES("QFI\xfb\0\0\0\x03"), 0, NULL, "qcow2" },
	{ "disk.qcow2", BYTES("\0"), 0, NULL, "does not look like a qcow2 image" },
	{ "disk.vhd", BYTES("\0"), 0, NULL, "does not look like a VHD image" },
	{ "disk.vmdk", BYTES("KDMV"), 0, "vmdk", NULL },
	{ "disk.vmdk", BYTES("COWD"), 0, "vmdk", NULL },
	{ "disk.vmdk", BYTES("# Disk DescriptorFile\nversion=1\n"), 0, "vmdk", NULL },
	{ "disk.vmdk", BYTES("# Disk\r\n\r\n#\r\nversion=3\r\n"), 0, "vmdk", NULL },
	{ "disk.img", BYTES("# Disk DescriptorFile\nversion=1\n"), 0, NULL, "vmdk" },
	{ "disk.img", BYTES("# a comment"), 0, "raw", NULL },
	{ "disk.img", BYTES("KDMV"), 0, NULL, "vmdk" },
	{ "disk.vdi", BYTES("\x7f\x10\xda\xbe"), 64, "vdi", NULL },
	{ "disk.img", BYTES("\x7f\x10\xda\xbe"), 64, NULL, "vdi" },
	{ "disk.vhdx", BYTES("vhdxfile"), 0, "vhdx", NULL },
	{ "disk", BYTES("vhdxfile"), 0, NULL, "vhdx" },
	{ "disk.vhd", BYTES("conectix"), 0, "vpc", NULL },
	{ "disk.vhd", BYTES("conectix"), TAIL, "vpc", NULL },
	{ "disk.img", BYTES("conectix"), TAIL, NULL, "vpc" },
	{ "disk.img", BYTES("conectix"), TAIL - 512, "raw", NULL },
	{ "disk.qed", BYTES("QED\0"), 0, "qed", NULL },
	{ "disk.img", BYTES("QED\0"), 0, NULL, "qed" },
	{ "disk.hds", BYTES("WithoutFreeSpace"), 0, "parallels", NULL },
	{ "disk.hds", BYTES("WithouFreSpacExt"), 0, "parallels", NULL },
	{ "disk.dmg", BYTES("koly"), TAIL, "dmg", NULL },
	{ "disk.img", BYTES("koly"), TAIL, NULL, "dmg" },
	{ "disk.img", BYTES("Bochs Virtual HD Image"), 0, NULL, "bochs" },
	{ "disk.img", BYTES("\x1f\x8b\x08"), 0, NULL, "gzip" },
	{ "disk.qcow2.xz", BYTES("\xfd\x37zXZ\0"), 0, NULL, "xz" },
	{ "disk.raw.zst", BYTES("\x28\xb5\x2f\xfd"), 0, NULL, "zstd" },
	{ "disk.bz2", BYTES("BZh91AY&SY"), 0, NULL, "bzip2" },
	{ "disk.zip", BYTES("PK\x03\x04"), 0, NULL, "zip" },
	{ "disk.ova", BYTES("ustar"), 257, NULL, "tar" },
	/* What a guest encrypts is its own: the bytes are the same for it and for QEMU. */
	{ "disk.img", BYTES("LUKS\xba\xbe"), 0, "raw", NULL },
};

static void test_sample(const void *data)
{
	const struct sample *s = data;
	char content[IMAGE_BYTES] = { 0 };
	memcpy(content + s->at, s->bytes, s->n_bytes);
	char *path = write_file(s->name, content, sizeof(content));
	g_autoptr(GError) error = NULL;
	struct disk_file file;
	g_assert_true(disk_file_open(&file, path, &error));
	const struct image_format *format = image_format_guess(&file, "say it", &error);
	g_assert_cmpstr(format ? format->name : NULL, ==, s->format);
	if (!s->format && !strstr(error->message, s->reason))
		g_error("\"%s\" is not in: %s", s->reason, error->message);
	disk_file_finish(&file);
	remove_file(path);
}

/* A file that is smaller than what is looked for is no image. */
static void test_small(void)
{
	char *path = write_file("disk.img", "QFI", 3);
	struct disk_file file;
	g_assert_true(disk_file_open(&file, path, NULL));
	g_assert_null(image_format_see(&file));
	disk_file_finish(&file);
	remove_file(path);
}

static void test_names(void)
{
	g_assert_nonnull(image_format_find("raw"));
	g_assert_nonnull(image_format_find("vpc"));
	g_assert_null(image_format_find("raw,file.filename=x"));
	g_assert_null(image_format_find("nbd"));
	g_assert_null(image_format_find(""));
	g_autofree char *list = image_format_list();
	g_assert_nonnull(strstr(list, "qcow2, "));
	g_assert_null(strstr(list, "gzip"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(samples); i++) {
		g_autofree char *name =
			g_strdup_printf("/server/image-format/%02u-%s", i, samples[i].name);
		g_test_add_data_func(name, &samples[i], test_sample);
	}
	g_test_add_func("/server/image-format/small", test_small);
	g_test_add_func("/server/image-format/names", test_names);
	return g_test_run();
}
