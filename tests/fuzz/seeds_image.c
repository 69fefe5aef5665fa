/* SPDX-License-Identifier: MIT */
/* Makes heads of disk images for fuzz_image, of which the first byte says how the file is called.
 */
#include <stdint.h>
#include <string.h>

#include "tests/fuzz/seeds.h"

#define IMAGE_BYTES 1024
#define NAME_AT 512

static void save(const char *directory, const char *name, uint8_t kind, const char *image)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_byte_array_append(bytes, &kind, sizeof(kind));
	g_byte_array_append(bytes, (const guint8 *)image, IMAGE_BYTES);
	seeds_save(directory, name, bytes);
}

static void save_text(const char *directory, const char *name, const char *text)
{
	char image[IMAGE_BYTES] = { 0 };
	memcpy(image, text, strlen(text));
	save(directory, name, 1, image);
}

/* A qcow2 header of version 3, with a format of the backing file, and a data file's name. */
static void save_qcow2(const char *directory, const char *name, const char *backing, bool external)
{
	char image[IMAGE_BYTES] = "QFI\xfb\0\0\0\x03";
	image[14] = NAME_AT >> 8;
	image[19] = (char)strlen(backing);
	image[23] = 16;
	image[79] = external ? 4 : 0;
	image[103] = 104;
	memcpy(image + 104,
		"\xe2\x79\x2a\xca\0\0\0\x03raw\0\0\0\0\0DATA\0\0\0\x04"
		"base",
		28);
	memcpy(image + NAME_AT, backing, strlen(backing));
	save(directory, name, 0, image);
}

void seeds_image(const char *directory)
{
	save_qcow2(directory, "qcow2-inside", "base", false);
	save_qcow2(directory, "qcow2-outside", "../secret", false);
	save_qcow2(directory, "qcow2-data", "base", true);
	save_qcow2(directory, "qcow2-protocol", "json:{\"driver\":\"nbd\"}", false);
	save_text(directory, "vmdk-pieces",
		"# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=2\ncreateType=\"x\"\n"
		"RW 8 FLAT \"base\" 0\nRW 8 SPARSE \"../secret\"\nparentFileNameHint=\"base\"\n");
	save_text(directory, "vmdk-parent", "version=1\nparentFileNameHint=\"../secret\"\n");
	char image[IMAGE_BYTES] = "KDMV";
	image[28] = 1;
	memcpy(image + 512, "RW 8 FLAT \"base\" 0\n", 19);
	save(directory, "vmdk-sparse", 1, image);
	char qcow[IMAGE_BYTES] = "QFI\xfb\0\0\0\x01";
	qcow[14] = NAME_AT >> 8;
	qcow[19] = 4;
	memcpy(qcow + NAME_AT, "base", 4);
	save(directory, "qcow", 2, qcow);
	char qed[IMAGE_BYTES] = "QED";
	qed[16] = 5;
	qed[57] = NAME_AT >> 8;
	qed[60] = 4;
	memcpy(qed + NAME_AT, "base", 4);
	save(directory, "qed", 3, qed);
	char vhd[IMAGE_BYTES] = "conectix";
	vhd[63] = 4;
	save(directory, "vhd", 4, vhd);
}
