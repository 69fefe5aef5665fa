/* SPDX-License-Identifier: MIT */
#include "server/run/image_names.h"

#include <gio/gio.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/run/limits.h"

/* One call of image_names_read() works on this. */
struct header_look {
	struct image_names *names;
	const struct disk_file *file;
	GError **error;
};

static bool fail(const struct header_look *look, const char *what)
{
	g_set_error(look->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "disk %s: %s",
		look->file->path, what);
	return false;
}

static uint64_t read_be64(const char *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return GUINT64_FROM_BE(value);
}

static uint32_t read_be32(const char *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return GUINT32_FROM_BE(value);
}

static uint64_t read_le64(const char *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return GUINT64_FROM_LE(value);
}

static uint32_t read_le32(const char *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* Takes the name of the image below from the file; an empty one is none. */
static bool take_backing(const struct header_look *look, uint64_t offset, uint32_t length)
{
	if (length > IMAGE_NAME_MAX_BYTES)
		return fail(look, "the name of its backing file is too long");
	g_autofree char *name = disk_file_read_text(look->file, offset, length);
	if (*name)
		look->names->backing = g_steal_pointer(&name);
	return true;
}

/* ---- qcow and qcow2 ---- */

/*
 * The header is described in QEMU docs/interop/qcow2.rst, "Header"; all numbers are big-endian.
 * That of version 1 is the same up to the backing file's name (block/qcow.c, QCowHeader).
 */
#define QCOW2_VERSION 4
#define QCOW2_BACKING_OFFSET 8
#define QCOW2_BACKING_BYTES 16
#define QCOW2_CLUSTER_BITS 20
#define QCOW2_V2_BYTES 72
#define QCOW2_INCOMPATIBLE 72
#define QCOW2_HEADER_LENGTH 100
#define QCOW2_V3_BYTES 104
#define QCOW2_EXTERNAL_DATA 4
#define QCOW2_EXTENSION_BACKING_FORMAT 0xe2792acau
#define QCOW2_EXTENSION_DATA_FILE 0x44415441u
#define QCOW_CLUSTER_BITS_MAX 21

static void take_extension(struct image_names *names, uint32_t type, const char *data, size_t n)
{
	char **to = NULL;
	if (type == QCOW2_EXTENSION_BACKING_FORMAT)
		to = &names->backing_format;
	else if (type == QCOW2_EXTENSION_DATA_FILE)
		to = &names->data;
	if (!to)
		return;
	g_free(*to);
	*to = g_strndup(data, n);
}

static void read_extensions(struct image_names *names, const char *header, size_t from, size_t end)
{
	while (from <= end && end - from >= 8) {
		uint32_t type = read_be32(header + from), n = read_be32(header + from + 4);
		from += 8;
		if (type == 0 || n > end - from)
			return;
		take_extension(names, type, header + from, n);
		from += ((size_t)n + 7) & ~(size_t)7;
	}
}

static bool read_qcow2(const struct header_look *look)
{
	char head[QCOW2_V3_BYTES] = { 0 };
	struct image_names *names = look->names;
	if (disk_file_read(look->file, 0, head, sizeof(head)) < QCOW2_V2_BYTES)
		return fail(look, "its header is cut off");
	bool v3 = read_be32(head + QCOW2_VERSION) >= 3;
	uint64_t backing = read_be64(head + QCOW2_BACKING_OFFSET);
	if (backing && !take_backing(look, backing, read_be32(head + QCOW2_BACKING_BYTES)))
		return false;
	uint32_t bits = read_be32(head + QCOW2_CLUSTER_BITS);
	if (bits > QCOW_CLUSTER_BITS_MAX)
		return fail(look, "its header makes no sense");
	uint64_t end = backing ? backing : (uint64_t)1 << bits;
	end = MIN(MIN(end, QCOW2_HEADER_MAX_BYTES), look->file->size_bytes);
	g_autofree char *header = disk_file_read_text(look->file, 0, (size_t)end);
	read_extensions(names, header, v3 ? read_be32(head + QCOW2_HEADER_LENGTH) : QCOW2_V2_BYTES,
		(size_t)end);
	bool external = v3 && (read_be64(head + QCOW2_INCOMPATIBLE) & QCOW2_EXTERNAL_DATA);
	if (external && (!names->data || !*names->data))
		return fail(look, "its data lie in another file, and it does not name it");
	if (!external)
		g_clear_pointer(&names->data, g_free);
	return true;
}

static bool read_qcow(const struct header_look *look)
{
	char head[QCOW2_V2_BYTES] = { 0 };
	disk_file_read(look->file, 0, head, sizeof(head));
	uint64_t backing = read_be64(head + QCOW2_BACKING_OFFSET);
	return !backing || take_backing(look, backing, read_be32(head + QCOW2_BACKING_BYTES));
}

/* ---- QED ---- */

/* The header is described in block/qed.h, QEDHeader; all numbers are little-endian. */
#define QED_HEADER_BYTES 64
#define QED_FEATURES 16
#define QED_BACKING_OFFSET 56
#define QED_BACKING_BYTES 60
#define QED_HAS_BACKING 1
#define QED_BACKING_IS_RAW 4

static bool read_qed(const struct header_look *look)
{
	char head[QED_HEADER_BYTES] = { 0 };
	disk_file_read(look->file, 0, head, sizeof(head));
	uint64_t features = read_le64(head + QED_FEATURES);
	if (!(features & QED_HAS_BACKING))
		return true;
	if (features & QED_BACKING_IS_RAW)
		look->names->backing_format = g_strdup("raw");
	return take_backing(
		look, read_le32(head + QED_BACKING_OFFSET), read_le32(head + QED_BACKING_BYTES));
}

/* ---- VMDK ---- */

/* The header is described in block/vmdk.c, VMDK4Header; all numbers are little-endian. */
#define VMDK_HEADER_BYTES 64
#define VMDK_CAPACITY 12
#define VMDK_TEXT_SECTOR 28
#define VMDK_SECTOR_BYTES 512

/* A text line of a VMDK as QEMU reads it (vmdk_parse_extents); it begins anywhere in a line. */
static bool take_piece(const struct header_look *look, const char *line)
{
	char access[16], type[16], name[512];
	int64_t sectors;
	/* NOLINTNEXTLINE(cert-err34-c): only the name counts */
	if (sscanf(line, "%10s %" SCNd64 " %15s \"%511[^\n\r\"]\"", access, &sectors, type, name) <
		4)
		return true;
	if (look->names->pieces->len >= VMDK_FILES_MAX)
		return fail(look, "its data lie in too many files");
	g_ptr_array_add(look->names->pieces, g_strdup(name));
	return true;
}

static bool take_pieces(const struct header_look *look, const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!take_piece(look, line))
			return false;
	}
	return true;
}

/* QEMU takes what stands behind the first such word, whatever else is there (vmdk_parent_open). */
static bool take_parent(const struct header_look *look, const char *text)
{
	static const char word[] = "parentFileNameHint";
	const char *at = strstr(text, word);
	if (!at || strlen(at) < sizeof(word) + 1)
		return true;
	at += sizeof(word) + 1;
	const char *end = strchr(at, '"');
	if (!end || end - at > IMAGE_NAME_MAX_BYTES)
		return fail(look, "the name of its parent makes no sense");
	if (end == at)
		return true;
	look->names->backing = g_strndup(at, (size_t)(end - at));
	look->names->backing_format = g_strdup("vmdk");
	return true;
}

/*
 * A VMDK is a text that names pieces; or one file with that text in it, whose pieces count only
 * where the file says that it has no data of its own.
 */
static bool read_vmdk(const struct header_look *look)
{
	char head[VMDK_HEADER_BYTES] = { 0 };
	disk_file_read(look->file, 0, head, sizeof(head));
	if (memcmp(head, "COWD", 4) == 0)
		return true;
	bool sparse = memcmp(head, "KDMV", 4) == 0;
	uint64_t sector = sparse ? read_le64(head + VMDK_TEXT_SECTOR) : 0;
	if (sparse && (sector == 0 || sector > look->file->size_bytes / VMDK_SECTOR_BYTES))
		return true;
	g_autofree char *text =
		disk_file_read_text(look->file, sector * VMDK_SECTOR_BYTES, VMDK_TEXT_MAX_BYTES);
	if (sparse && read_le64(head + VMDK_CAPACITY) != 0)
		return take_parent(look, text);
	return take_pieces(look, text) && take_parent(look, text);
}

/* ---- VHD ---- */

#define VHD_FOOTER_BYTES 512
#define VHD_KIND 60
#define VHD_DIFFERENCING 4

/* QEMU would take what lies on another image for a whole one, and the guest would find holes. */
static bool read_vpc(const struct header_look *look)
{
	char head[VHD_FOOTER_BYTES] = { 0 };
	disk_file_read(look->file, 0, head, sizeof(head));
	if (memcmp(head, "conectix", 8) == 0 && read_be32(head + VHD_KIND) == VHD_DIFFERENCING)
		return fail(look, "a VHD that lies on another one, which QEMU cannot read");
	return true;
}

static const struct {
	const char *format;
	bool (*read)(const struct header_look *look);
} readers[] = {
	{ "qcow2", read_qcow2 },
	{ "qcow", read_qcow },
	{ "qed", read_qed },
	{ "vmdk", read_vmdk },
	{ "vpc", read_vpc },
};

bool image_names_read(struct image_names *names, const struct disk_file *file,
	const struct image_format *format, GError **error)
{
	*names = (struct image_names){ .pieces = g_ptr_array_new_with_free_func(g_free) };
	const struct header_look look = { names, file, error };
	for (unsigned i = 0; i < G_N_ELEMENTS(readers); i++) {
		if (strcmp(readers[i].format, format->name) == 0)
			return readers[i].read(&look);
	}
	return true;
}

void image_names_finish(struct image_names *names)
{
	g_clear_pointer(&names->backing, g_free);
	g_clear_pointer(&names->backing_format, g_free);
	g_clear_pointer(&names->data, g_free);
	g_clear_pointer(&names->pieces, g_ptr_array_unref);
}

bool image_names_are_none(const struct image_names *names)
{
	return !names->backing && !names->data && names->pieces->len == 0;
}
