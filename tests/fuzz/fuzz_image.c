/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a disk image says: of what kind it is, and which files it names. Its folder has
 * another file, and one lies beside the folder. Whatever the image says, no disk that is taken has
 * a file in it that lies elsewhere, or one that the guest would write to besides the image.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/run/disk_chain.h"
#include "server/run/image_names.h"
#include "server/run/limits.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static const char *const names[] = { "a.qcow2", "a.vmdk", "a.qcow", "a.qed", "a.vhd", "a.img" };

static char *folder;

static void remove_all(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		unlink(path);
	}
	g_autofree char *base = g_build_filename(folder, "base", NULL);
	g_autofree char *secret = g_build_filename(folder, "..", "secret", NULL);
	g_autofree char *above = g_path_get_dirname(folder);
	unlink(base);
	unlink(secret);
	rmdir(folder);
	rmdir(above);
}

static int create(const char *path, size_t size_bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	g_assert(fd >= 0 && ftruncate(fd, (off_t)size_bytes) == 0);
	return fd;
}

/* The files stay open: some file systems write one out when it is closed after it was cut. */
static void write_image(unsigned index, const char *path, const struct feed *feed)
{
	static int fds[G_N_ELEMENTS(names)];
	if (fds[index] == 0)
		fds[index] = create(path, 0);
	g_assert(ftruncate(fds[index], (off_t)feed->left_bytes) == 0);
	g_assert(pwrite(fds[index], feed->data, feed->left_bytes, 0) == (ssize_t)feed->left_bytes);
}

static void make_folder(void)
{
	g_autofree char *above = g_dir_make_tmp("fuzz-image-XXXXXX", NULL);
	g_assert(above);
	folder = g_build_filename(above, "vm", NULL);
	g_assert(mkdir(folder, 0700) == 0);
	g_autofree char *base = g_build_filename(folder, "base", NULL);
	g_autofree char *secret = g_build_filename(above, "secret", NULL);
	close(create(base, 4096));
	close(create(secret, 4096));
	atexit(remove_all);
}

/* Names that QEMU would open by itself must not be there. */
static void expect_no_pieces(const struct disk_layer *layer)
{
	struct disk_file file;
	struct image_names said;
	g_assert(disk_file_open(&file, layer->path, NULL));
	g_assert(image_names_read(&said, &file, layer->format, NULL));
	g_assert(said.pieces->len == 0);
	image_names_finish(&said);
	disk_file_finish(&file);
}

static void expect_harmless(const struct disk_chain *chain)
{
	g_assert(chain->layers->len > 0 && chain->layers->len <= DISK_LAYERS_MAX);
	for (unsigned i = 0; i < chain->layers->len; i++) {
		const struct disk_layer *layer = disk_chain_layer(chain, i);
		g_autofree char *place = g_path_get_dirname(layer->path);
		g_assert(layer->format && layer->format->name);
		g_assert(strcmp(place, folder) == 0);
		g_assert(!layer->data_path);
		g_assert(layer->format->layered || i + 1 == chain->layers->len);
		expect_no_pieces(layer);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	feed_drop_log();
	if (!folder)
		make_folder();
	uint8_t kind = feed_u8(&feed);
	unsigned index = kind % G_N_ELEMENTS(names);
	g_autofree char *path = g_build_filename(folder, names[index], NULL);
	write_image(index, path, &feed);
	struct disk_chain chain;
	g_autoptr(GError) error = NULL;
	const char *format = kind & 0x80 ? "vmdk" : NULL;
	int next_fd = feed_next_fd();
	if (disk_chain_find(&chain, path, format, "folder", &error))
		expect_harmless(&chain);
	else
		g_assert(error && error->message[0]);
	disk_chain_finish(&chain);
	g_assert(feed_next_fd() == next_fd);
	return 0;
}
