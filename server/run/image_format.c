/* SPDX-License-Identifier: MIT */
#include "server/run/image_format.h"

#include <gio/gio.h>
#include <string.h>

/* A file is told by its first bytes, which are as many as the longest row needs. */
#define HEAD_BYTES 512
/* VHD and DMG have a block of this size at their end. */
#define TAIL_BYTES 512

struct signature {
	const char *format; /* a name, or the words where QEMU has none */
	const char *bytes;
	unsigned n_bytes;
	unsigned offset;
	bool at_end; /* the offset is in the last TAIL_BYTES of the file */
};

#define ENDINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct image_format formats[] = {
	{ "raw", "a raw disk", ENDINGS(".raw"), false, false },
	{ "qcow2", "a qcow2 image", ENDINGS(".qcow2"), true, false },
	{ "qcow", "a qcow image of version 1", ENDINGS(".qcow"), true, false },
	{ "qed", "a QED image", ENDINGS(".qed"), true, false },
	{ "vmdk", "a VMDK image", ENDINGS(".vmdk"), true, false },
	{ "vdi", "a VDI image", ENDINGS(".vdi"), false, false },
	{ "vhdx", "a VHDX image", ENDINGS(".vhdx"), false, false },
	{ "vpc", "a VHD image", ENDINGS(".vhd", ".vpc"), false, false },
	{ "parallels", "a Parallels image", ENDINGS(".hds"), false, false },
	{ "bochs", "a Bochs image", ENDINGS(".bochs"), false, true },
	{ "cloop", "a cloop image", ENDINGS(".cloop"), false, true },
	{ "dmg", "a DMG image", ENDINGS(".dmg"), false, true },
	{ NULL, "a file compressed by gzip", ENDINGS(".gz"), false, true },
	{ NULL, "a file compressed by xz", ENDINGS(".xz"), false, true },
	{ NULL, "a file compressed by zstd", ENDINGS(".zst"), false, true },
	{ NULL, "a file compressed by bzip2", ENDINGS(".bz2"), false, true },
	{ NULL, "a zip archive", ENDINGS(".zip"), false, true },
	{ NULL, "a 7z archive", ENDINGS(".7z"), false, true },
	{ NULL, "a tar archive, as an OVA is", ENDINGS(".tar", ".ova"), false, true },
	{ NULL, "a WIM image", ENDINGS(".wim"), false, true },
	{ NULL, "an Apple sparse image", ENDINGS(".sparseimage"), false, true },
};

/*
 * The bytes are those that QEMU's drivers look for (block/NAME.c, NAME_probe), and for the rest
 * those of each program's own description of its files. "QFI\xfb" of a version that is not 1 is
 * qcow2: of one that QEMU does not know it says so itself.
 */
#define AT(format, bytes, offset)                                                                  \
	{                                                                                          \
		(format), (bytes), sizeof(bytes) - 1, (offset), false                              \
	}
#define AT_END(format, bytes)                                                                      \
	{                                                                                          \
		(format), (bytes), sizeof(bytes) - 1, 0, true                                      \
	}

static const struct signature signatures[] = {
	AT("qcow", "QFI\xfb\0\0\0\x01", 0),
	AT("qcow2", "QFI\xfb", 0),
	AT("qed", "QED\0", 0),
	AT("vmdk", "KDMV", 0),
	AT("vmdk", "COWD", 0),
	AT("vdi", "\x7f\x10\xda\xbe", 64),
	AT("vhdx", "vhdxfile", 0),
	AT("vpc", "conectix", 0),
	AT_END("vpc", "conectix"),
	AT("parallels", "WithoutFreeSpace", 0),
	AT("parallels", "WithouFreSpacExt", 0),
	AT("bochs", "Bochs Virtual HD Image", 0),
	AT("cloop", "#!/bin/sh\n#V2.0 Format\nmodprobe cloop", 0),
	AT_END("dmg", "koly"),
	AT("a file compressed by gzip", "\x1f\x8b\x08", 0),
	AT("a file compressed by xz",
		"\xfd"
		"7zXZ\0",
		0),
	AT("a file compressed by zstd", "\x28\xb5\x2f\xfd", 0),
	AT("a file compressed by bzip2", "1AY&SY", 4),
	AT("a zip archive", "PK\x03\x04", 0),
	AT("a 7z archive", "7z\xbc\xaf\x27\x1c", 0),
	AT("a tar archive, as an OVA is", "ustar", 257),
	AT("a WIM image", "MSWIM\0\0\0", 0),
	AT("an Apple sparse image", "sprs", 0),
};

const struct image_format *image_format_find(const char *name)
{
	g_assert(name);
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (g_strcmp0(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

char *image_format_list(void)
{
	GString *list = g_string_new(NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (formats[i].name)
			g_string_append_printf(
				list, "%s%s", list->len ? ", " : "", formats[i].name);
	}
	return g_string_free(list, FALSE);
}

static const struct image_format *find_by_any(const char *text)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (g_strcmp0(formats[i].name, text) == 0 || strcmp(formats[i].words, text) == 0)
			return &formats[i];
	}
	g_assert_not_reached();
}

/*
 * A VMDK may be a text that names the files in which the data lie. As QEMU does (vmdk_probe) we
 * skip comments and empty lines.
 */
static bool is_vmdk_text(const char *head, size_t n)
{
	const char *end = head + n;
	while (head < end && (*head == '#' || *head == '\r' || *head == '\n' || *head == ' ')) {
		const char *newline = memchr(head, '\n', (size_t)(end - head));
		if (!newline)
			return false;
		head = newline + 1;
	}
	static const char version[] = "version=";
	return (size_t)(end - head) >= strlen(version) &&
	       memcmp(head, version, strlen(version)) == 0;
}

const struct image_format *image_format_see(const struct disk_file *file)
{
	char head[HEAD_BYTES], tail[TAIL_BYTES];
	size_t n_head = disk_file_read(file, 0, head, sizeof(head)), n_tail = 0;
	if (file->size_bytes >= TAIL_BYTES)
		n_tail = disk_file_read(file, file->size_bytes - TAIL_BYTES, tail, sizeof(tail));
	for (unsigned i = 0; i < G_N_ELEMENTS(signatures); i++) {
		const struct signature *s = &signatures[i];
		const char *block = s->at_end ? tail : head;
		if (s->offset + s->n_bytes <= (s->at_end ? n_tail : n_head) &&
			memcmp(block + s->offset, s->bytes, s->n_bytes) == 0)
			return find_by_any(s->format);
	}
	return is_vmdk_text(head, n_head) ? image_format_find("vmdk") : NULL;
}

bool image_format_is_said(const struct image_format *format, const char *path)
{
	for (const char *const *ending = format->endings; *ending; ending++) {
		size_t length = strlen(path), n = strlen(*ending);
		if (length >= n && g_ascii_strcasecmp(path + length - n, *ending) == 0)
			return true;
	}
	return false;
}

static const struct image_format *find_said(const char *path)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (formats[i].name && image_format_is_said(&formats[i], path))
			return &formats[i];
	}
	return NULL;
}

static const struct image_format *refuse(GError **error, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

static const struct image_format *refuse(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, text);
	return NULL;
}

const struct image_format *image_format_guess(
	const struct disk_file *file, const char *hint, GError **error)
{
	const struct image_format *raw = image_format_find("raw");
	const struct image_format *seen = image_format_see(file), *said = find_said(file->path);
	if (said == raw)
		return raw;
	if (said && !seen)
		return refuse(error, "disk %s does not look like %s, as its name says: %s",
			file->path, said->words, hint);
	if (!seen)
		return raw;
	if (!seen->name)
		return refuse(error, "disk %s looks like %s, which QEMU cannot read: unpack it",
			file->path, seen->words);
	if (seen == said || (!said && strcmp(seen->name, "qcow2") == 0))
		return seen;
	return refuse(error, "disk %s looks like %s (%s), and its name does not say so: %s",
		file->path, seen->words, seen->name, hint);
}
