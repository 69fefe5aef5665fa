/* SPDX-License-Identifier: MIT */
/*
 * disk_chain: which files a disk is made of, where they may lie, and what is refused. The headers
 * are written here, as somebody would write them who wants a file of the host.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/run/disk_chain.h"
#include "server/run/limits.h"

#define IMAGE_BYTES 1024
#define NAME_AT 512

/* A folder "vm" for disks and one "host" beside it, made anew for each test. */
struct place {
	char *top, *vm, *host;
};

static void set_up(struct place *place, const void *data)
{
	g_autofree char *made = g_dir_make_tmp("vitrine-chain-XXXXXX", NULL);
	(void)data;
	place->top = g_steal_pointer(&made);
	place->vm = g_build_filename(place->top, "vm", NULL);
	place->host = g_build_filename(place->top, "host", NULL);
	g_assert_cmpint(g_mkdir(place->vm, 0700), ==, 0);
	g_assert_cmpint(g_mkdir(place->host, 0700), ==, 0);
}

static void remove_folder(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_unlink(file);
	}
	g_dir_close(dir);
	g_rmdir(path);
}

static void tear_down(struct place *place, const void *data)
{
	(void)data;
	remove_folder(place->vm);
	remove_folder(place->host);
	g_rmdir(place->top);
	g_free(place->vm);
	g_free(place->host);
	g_free(place->top);
}

static char *write_at(const char *folder, const char *name, const void *content, size_t length)
{
	char *path = g_build_filename(folder, name, NULL);
	g_assert_true(g_file_set_contents(path, content, (gssize)length, NULL));
	return path;
}

static void put_be32(char *at, uint32_t value)
{
	value = GUINT32_TO_BE(value);
	memcpy(at, &value, sizeof(value));
}

/* Writes a qcow2 image of version 3 that says what is given; NULL: nothing. */
static void write_qcow2(const char *folder, const char *name, const char *backing,
	const char *format, const char *data)
{
	char image[IMAGE_BYTES] = "QFI\xfb";
	put_be32(image + 4, 3);
	put_be32(image + 20, 16);
	put_be32(image + 100, 104);
	if (backing) {
		put_be32(image + 12, NAME_AT);
		put_be32(image + 16, (uint32_t)strlen(backing));
		memcpy(image + NAME_AT, backing, strlen(backing));
	}
	char *extension = image + 104;
	const char *texts[] = { format, data };
	const uint32_t types[] = { 0xe2792aca, 0x44415441 };
	for (unsigned i = 0; i < 2; i++) {
		if (!texts[i])
			continue;
		put_be32(extension, types[i]);
		put_be32(extension + 4, (uint32_t)strlen(texts[i]));
		memcpy(extension + 8, texts[i], strlen(texts[i]));
		extension += 8 + ((strlen(texts[i]) + 7) & ~(size_t)7);
	}
	if (data)
		image[79] = 4;
	g_autofree char *path = write_at(folder, name, image, sizeof(image));
}

static void write_raw(const char *folder, const char *name)
{
	char zeros[IMAGE_BYTES] = { 0 };
	g_autofree char *path = write_at(folder, name, zeros, sizeof(zeros));
}

static void expect(const struct place *place, const char *disk, const char *format,
	const char *where, unsigned n_layers)
{
	g_autofree char *path = g_build_filename(place->vm, disk, NULL);
	g_autoptr(GError) error = NULL;
	struct disk_chain chain;
	disk_chain_find(&chain, path, format, where, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(chain.layers->len, ==, n_layers);
	disk_chain_finish(&chain);
}

static void expect_refusal(const struct place *place, const char *disk, const char *format,
	const char *where, const char *reason)
{
	g_autofree char *path = g_build_filename(place->vm, disk, NULL);
	g_autoptr(GError) error = NULL;
	struct disk_chain chain;
	if (disk_chain_find(&chain, path, format, where, &error))
		g_error("%s is not refused", disk);
	if (!strstr(error->message, reason))
		g_error("\"%s\" is not in: %s", reason, error->message);
	disk_chain_finish(&chain);
}

/* ---- backing files ---- */

static void test_layers(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->vm, "base.img");
	write_qcow2(place->vm, "middle", "base.img", "raw", NULL);
	write_qcow2(place->vm, "top.qcow2", "middle", "qcow2", NULL);
	g_autofree char *path = g_build_filename(place->vm, "top.qcow2", NULL);
	struct disk_chain chain;
	g_assert_true(disk_chain_find(&chain, path, NULL, "folder", NULL));
	static const char *const expected[][2] = { { "top.qcow2", "qcow2" }, { "middle", "qcow2" },
		{ "base.img", "raw" } };
	g_assert_cmpuint(chain.layers->len, ==, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct disk_layer *layer = disk_chain_layer(&chain, i);
		g_autofree char *name = g_path_get_basename(layer->path);
		g_assert_cmpstr(name, ==, expected[i][0]);
		g_assert_cmpstr(layer->format->name, ==, expected[i][1]);
		g_assert_true(g_path_is_absolute(layer->path));
	}
	disk_chain_finish(&chain);
}

static void test_outside(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->host, "secret");
	g_autofree char *secret = g_build_filename(place->host, "secret", NULL);
	write_qcow2(place->vm, "absolute.qcow2", secret, "raw", NULL);
	write_qcow2(place->vm, "relative.qcow2", "../host/secret", "raw", NULL);
	write_qcow2(place->vm, "dots.qcow2", "././../vm/../host/secret", "raw", NULL);
	g_autofree char *as_file = g_strconcat("file:", secret, NULL);
	write_qcow2(place->vm, "file.qcow2", as_file, "raw", NULL);
	g_autofree char *link = g_build_filename(place->vm, "link", NULL);
	g_assert_cmpint(symlink("../host/secret", link), ==, 0);
	write_qcow2(place->vm, "link.qcow2", "link", "raw", NULL);
	write_qcow2(place->vm, "deep.qcow2", "absolute.qcow2", "qcow2", NULL);
	static const char *const disks[] = { "absolute", "relative", "dots", "file", "link",
		"deep" };
	for (unsigned i = 0; i < G_N_ELEMENTS(disks); i++) {
		g_autofree char *disk = g_strconcat(disks[i], ".qcow2", NULL);
		unsigned n_layers = i == 5 ? 3 : 2;
		expect_refusal(
			place, disk, NULL, "folder", "host/secret, outside of the disk's folder");
		/* What the user says of the format does not say where the rest may lie. */
		expect_refusal(place, disk, "qcow2", "folder", "--disk-backing=");
		expect_refusal(place, disk, NULL, place->vm, "outside");
		expect(place, disk, NULL, place->host, n_layers);
		expect(place, disk, NULL, place->top, n_layers);
		expect(place, disk, NULL, "any", n_layers);
	}
	expect_refusal(place, "link.qcow2", NULL, "/nonexistent", "nor a folder that there is");
}

/* A folder's name that begins like another's is not below it, and what lies below is not in it. */
static void test_beside(struct place *place, const void *data)
{
	(void)data;
	g_autofree char *beside = g_strconcat(place->vm, "-secret", NULL);
	g_autofree char *below = g_build_filename(place->vm, "below", NULL);
	g_assert_cmpint(g_mkdir(beside, 0700), ==, 0);
	g_assert_cmpint(g_mkdir(below, 0700), ==, 0);
	write_raw(beside, "file");
	write_raw(below, "file");
	write_qcow2(place->vm, "beside.qcow2", "../vm-secret/file", "raw", NULL);
	write_qcow2(place->vm, "below.qcow2", "below/file", "raw", NULL);
	expect_refusal(place, "beside.qcow2", NULL, "folder", "outside");
	expect_refusal(place, "beside.qcow2", NULL, place->vm, "outside");
	expect_refusal(place, "below.qcow2", NULL, "folder", "outside");
	expect(place, "below.qcow2", NULL, place->vm, 2);
	expect(place, "below.qcow2", NULL, "/", 2);
	remove_folder(beside);
	remove_folder(below);
}

/* What is no file is refused by name, also where files may lie anywhere. */
static void test_protocols(struct place *place, const void *data)
{
	(void)data;
	static const char *const names[] = { "nbd://127.0.0.1/x", "nbd:unix:/run/x",
		"json:{\"driver\":\"null-co\"}", "fat:rw:/etc", "ssh://host/x", "a:b", "" };
	for (unsigned i = 0; *names[i]; i++) {
		write_qcow2(place->vm, "top.qcow2", names[i], "raw", NULL);
		expect_refusal(place, "top.qcow2", NULL, "any", "which is no file but something");
		expect_refusal(place, "top.qcow2", "qcow2", "folder", names[i]);
		/* qemu-img info would open a data file of such a name. */
		write_qcow2(place->vm, "top.qcow2", NULL, NULL, names[i]);
		expect_refusal(place, "top.qcow2", NULL, "any", "which is no file but something");
	}
	/* A file of such a name is one where the image says that it is. */
	write_raw(place->vm, "a:b");
	write_qcow2(place->vm, "top.qcow2", "./a:b", "raw", NULL);
	expect(place, "top.qcow2", NULL, "folder", 2);
}

static void test_formats_below(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->vm, "base");
	g_autofree char *vmdk = write_at(place->vm, "base.img", "KDMV", 5);
	write_qcow2(place->vm, "top.qcow2", "base", NULL, NULL);
	expect(place, "top.qcow2", NULL, "folder", 2);
	write_qcow2(place->vm, "top.qcow2", "base", "raw,x=y", NULL);
	expect_refusal(place, "top.qcow2", NULL, "folder", "is none of raw");
	write_qcow2(place->vm, "top.qcow2", "base.img", NULL, NULL);
	expect_refusal(place, "top.qcow2", NULL, "folder", "a VMDK image");
	/* Nobody said that the raw disk below is an image that reaches for a file. */
	write_qcow2(place->vm, "base", "top.qcow2", "raw", NULL);
	write_qcow2(place->vm, "top.qcow2", "base", NULL, NULL);
	expect_refusal(place, "top.qcow2", NULL, "folder", "a guest can write into a raw disk");
}

static void test_circle(struct place *place, const void *data)
{
	(void)data;
	write_qcow2(place->vm, "a.qcow2", "b.qcow2", "qcow2", NULL);
	write_qcow2(place->vm, "b.qcow2", "a.qcow2", "qcow2", NULL);
	write_qcow2(place->vm, "self.qcow2", "self.qcow2", "raw", NULL);
	expect_refusal(place, "a.qcow2", NULL, "any", "twice");
	expect_refusal(place, "self.qcow2", NULL, "any", "twice");
	write_raw(place->vm, "0.qcow2");
	for (unsigned i = 1; i <= DISK_LAYERS_MAX; i++) {
		g_autofree char *name = g_strdup_printf("%u.qcow2", i);
		g_autofree char *below = g_strdup_printf("%u.qcow2", i - 1);
		write_qcow2(place->vm, name, below, i == 1 ? "raw" : "qcow2", NULL);
	}
	g_autofree char *last = g_strdup_printf("%u.qcow2", DISK_LAYERS_MAX);
	g_autofree char *good = g_strdup_printf("%u.qcow2", DISK_LAYERS_MAX - 1);
	expect(place, good, NULL, "folder", DISK_LAYERS_MAX);
	expect_refusal(place, last, NULL, "folder", "more than");
}

/* The name counts only where nobody said the format, and is needed only by what reaches out. */
static void test_top(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->vm, "base");
	write_qcow2(place->vm, "top.img", "base", "raw", NULL);
	expect_refusal(place, "top.img", NULL, "any", "a guest can write into a raw disk");
	expect(place, "top.img", "qcow2", "folder", 2);
	expect(place, "top.img", "raw", "folder", 1);
	write_qcow2(place->vm, "top.img", NULL, NULL, NULL);
	expect(place, "top.img", NULL, "folder", 1);
	expect_refusal(place, "top.img", "", "folder", "--disk-format=: is none of raw");
	expect_refusal(place, "top.img", "raw,x=y", "folder", "--disk-format=raw,x=y: is none of");
	expect_refusal(place, "gone", "raw", "folder", "No such file");
	/* A link that the user names is followed, and what it leads to has a folder, too. */
	write_raw(place->host, "base");
	write_qcow2(place->host, "top.qcow2", "../host/base", "raw", NULL);
	g_autofree char *link = g_build_filename(place->vm, "link.qcow2", NULL);
	g_assert_cmpint(symlink("../host/top.qcow2", link), ==, 0);
	expect(place, "link.qcow2", NULL, "folder", 2);
}

/* ---- files that the guest would write ---- */

static void test_data(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->vm, "data.raw");
	write_raw(place->host, "data.raw");
	write_qcow2(place->vm, "top.qcow2", NULL, NULL, "data.raw");
	expect_refusal(place, "top.qcow2", NULL, "folder", "which the guest would write to");
	expect(place, "top.qcow2", NULL, place->vm, 1);
	expect(place, "top.qcow2", NULL, "any", 1);
	write_qcow2(place->vm, "top.qcow2", NULL, NULL, "../host/data.raw");
	expect_refusal(place, "top.qcow2", NULL, place->vm, "host/data.raw");
	/* The layer below has a data file. */
	write_qcow2(place->vm, "upper.qcow2", "top.qcow2", "qcow2", NULL);
	expect_refusal(place, "upper.qcow2", NULL, place->vm, "host/data.raw");
	expect(place, "upper.qcow2", NULL, place->host, 2);
	/* Another machine's image is no data file, nor is the image itself. */
	write_qcow2(place->vm, "other", NULL, NULL, NULL);
	write_qcow2(place->vm, "top.qcow2", NULL, NULL, "other");
	expect_refusal(place, "top.qcow2", NULL, "any", "a qcow2 image");
	write_qcow2(place->vm, "top.qcow2", NULL, NULL, "");
	expect_refusal(place, "top.qcow2", NULL, "any", "does not name it");
}

static void write_vmdk(const struct place *place, const char *name, const char *text)
{
	g_autofree char *content = g_strconcat("# Disk DescriptorFile\nversion=1\n", text, NULL);
	g_autofree char *path = write_at(place->vm, name, content, strlen(content));
}

static void test_vmdk(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->vm, "a-flat.vmdk");
	write_raw(place->host, "secret");
	write_vmdk(place, "a.vmdk", "RW 2 FLAT \"a-flat.vmdk\" 0\n");
	expect_refusal(place, "a.vmdk", NULL, "folder", "which the guest would write to");
	expect(place, "a.vmdk", NULL, place->vm, 1);
	static const char *const lines[] = { "RW 2 FLAT \"../host/secret\" 0",
		"RW 2 SPARSE \"../host/secret\"", "RW\n2\nVMFS\n\"../host/secret\"",
		"RW 1 FLAT \"a-flat.vmdk\" 0\r\nRW 1 FLAT \"../host/secret\" 0\r\n",
		"RW 0x2 FLAT \"a-flat.vmdk\" 0\n  RW 2 FLAT \"../host/secret\" 0",
		"RDONLY 2 FLAT \"../host/secret\" 0" };
	for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
		write_vmdk(place, "a.vmdk", lines[i]);
		expect_refusal(place, "a.vmdk", NULL, place->vm, "host/secret");
		expect_refusal(place, "a.vmdk", "vmdk", "folder", "would write");
	}
	write_vmdk(place, "a.vmdk", "RW 2 FLAT \"nbd://127.0.0.1/x\" 0\n");
	expect_refusal(place, "a.vmdk", NULL, "any", "nbd://127.0.0.1/x");
	write_vmdk(place, "b.vmdk", "RW 2 FLAT \"a-flat.vmdk\" 0\n");
	write_vmdk(place, "a.vmdk", "RW 2 SPARSE \"b.vmdk\"\n");
	expect_refusal(place, "a.vmdk", NULL, "any", "has pieces");
	write_vmdk(place, "a.vmdk", "parentFileNameHint=\"../host/secret\"\n");
	expect_refusal(place, "a.vmdk", NULL, "folder", "host/secret, outside");
	write_vmdk(place, "a.vmdk", "parentFileNameHint=\"b.vmdk\"\n");
	expect(place, "a.vmdk", NULL, place->vm, 2);
}

/* A sparse VMDK has its description within; its pieces count where it has no data of its own. */
static void test_vmdk_inside(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->host, "secret");
	char image[IMAGE_BYTES] = "KDMV";
	image[28] = 1;
	strcpy(image + 512, "RW 2 FLAT \"../host/secret\" 0\n");
	g_autofree char *empty = write_at(place->vm, "empty.vmdk", image, sizeof(image));
	expect_refusal(place, "empty.vmdk", NULL, "folder", "would write");
	image[12] = 2;
	g_autofree char *full = write_at(place->vm, "full.vmdk", image, sizeof(image));
	expect(place, "full.vmdk", NULL, "folder", 1);
	strcpy(image + 512, "parentFileNameHint=\"../host/secret\"\n");
	g_autofree char *parent = write_at(place->vm, "parent.vmdk", image, sizeof(image));
	expect_refusal(place, "parent.vmdk", NULL, "folder", "host/secret, outside");
}

/* ---- the other formats ---- */

static void test_others(struct place *place, const void *data)
{
	(void)data;
	write_raw(place->host, "secret");
	char qcow[IMAGE_BYTES] = "QFI\xfb\0\0\0\x01";
	put_be32(qcow + 12, NAME_AT);
	put_be32(qcow + 16, 14);
	strcpy(qcow + NAME_AT, "../host/secret");
	g_autofree char *first = write_at(place->vm, "a.qcow", qcow, sizeof(qcow));
	expect_refusal(place, "a.qcow", NULL, "folder", "host/secret, outside");
	char qed[IMAGE_BYTES] = "QED";
	qed[16] = 1;
	qed[57] = NAME_AT >> 8;
	qed[60] = 14;
	strcpy(qed + NAME_AT, "../host/secret");
	g_autofree char *second = write_at(place->vm, "a.qed", qed, sizeof(qed));
	expect_refusal(place, "a.qed", NULL, "folder", "host/secret, outside");
	char vhd[IMAGE_BYTES] = "conectix";
	vhd[63] = 4;
	g_autofree char *third = write_at(place->vm, "a.vhd", vhd, sizeof(vhd));
	expect_refusal(place, "a.vhd", NULL, "any", "lies on another one");
}

/* Whatever a header says, it is read within bounds. */
static void test_nonsense(struct place *place, const void *data)
{
	(void)data;
	for (unsigned i = 0; i < 104; i++) {
		char image[IMAGE_BYTES] = "QFI\xfb\0\0\0\x03";
		memset(image + MAX(i, 8), 0xff, 104 - MAX(i, 8));
		g_autofree char *path = write_at(place->vm, "a.qcow2", image, sizeof(image));
		g_autoptr(GError) error = NULL;
		struct disk_chain chain;
		if (!disk_chain_find(&chain, path, NULL, "any", &error))
			g_assert_nonnull(error);
		disk_chain_finish(&chain);
	}
	g_autofree char *path = write_at(place->vm, "a.qcow2", "QFI\xfb\0\0\0\x03", 8);
	expect_refusal(place, "a.qcow2", NULL, "any", "cut off");
}

/* Only files and block devices are opened, so that no FIFO holds the start up. */
static void test_kinds(struct place *place, const void *data)
{
	(void)data;
	g_autofree char *fifo = g_build_filename(place->vm, "fifo", NULL);
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	expect_refusal(place, "fifo", NULL, "folder", "neither a regular file nor a block device");
	expect_refusal(place, "../vm", NULL, "folder", "neither a regular file");
	expect_refusal(place, "/dev/null", "raw", "folder", "No such file");
	write_qcow2(place->vm, "top.qcow2", "fifo", "raw", NULL);
	expect_refusal(place, "top.qcow2", NULL, "folder", "neither a regular file");
	write_qcow2(place->vm, "top.qcow2", "gone", "raw", NULL);
	expect_refusal(place, "top.qcow2", NULL, "folder", "backing file cannot be used");
	write_raw(place->vm, "a\xff.raw");
	expect_refusal(place, "a\xff.raw", NULL, "folder", "not UTF-8");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	static const struct {
		const char *name;
		void (*run)(struct place *place, const void *data);
	} tests[] = {
		{ "layers", test_layers },
		{ "outside", test_outside },
		{ "beside", test_beside },
		{ "protocols", test_protocols },
		{ "formats-below", test_formats_below },
		{ "circle", test_circle },
		{ "top", test_top },
		{ "data", test_data },
		{ "vmdk", test_vmdk },
		{ "vmdk-inside", test_vmdk_inside },
		{ "others", test_others },
		{ "nonsense", test_nonsense },
		{ "kinds", test_kinds },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *name = g_strconcat("/server/disk-chain/", tests[i].name, NULL);
		g_test_add(name, struct place, NULL, set_up, tests[i].run, tear_down);
	}
	return g_test_run();
}
