/* SPDX-License-Identifier: MIT */
#include "server/run/disk_chain.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "server/run/image_names.h"
#include "server/run/limits.h"

/* What a file is to the image that names it. */
enum part { PART_BACKING, PART_DATA, PART_PIECE };

static const struct {
	const char *words;
	bool is_written;
} parts[] = {
	[PART_BACKING] = { "backing file", false },
	[PART_DATA] = { "data file", true },
	[PART_PIECE] = { "piece", true },
};

/* One call of disk_chain_find() works on this. */
struct chain_search {
	struct disk_chain *chain;
	GArray *seen;     /* struct disk_file: what is part of the disk already */
	const char *disk; /* as the user named it */
	/*
	 * Where other files may lie that are only read: the folder of the disk as it was named,
	 * that of what the name leads to. NULL: there is no such folder.
	 */
	char *own, *real;
	bool anywhere; /* they may lie wherever they like */
	GError **error;
};

static bool fail(const struct chain_search *search, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(const struct chain_search *search, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(search->error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "disk %s: %s",
		search->disk, text);
	return false;
}

/* ---- where the other files may lie ---- */

static char *find_real_folder(const char *path)
{
	char *real = realpath(path, NULL);
	char *copy = g_strdup(real);
	free(real);
	return copy;
}

static bool set_where(struct chain_search *search, const char *where)
{
	g_autofree char *folder = g_path_get_dirname(search->disk);
	search->own = find_real_folder(folder);
	search->anywhere = strcmp(where, "any") == 0;
	if (search->anywhere || strcmp(where, "folder") == 0)
		return true;
	search->chain->pool =
		g_file_test(where, G_FILE_TEST_IS_DIR) ? find_real_folder(where) : NULL;
	if (search->chain->pool)
		return true;
	g_set_error(search->error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY,
		"--disk-backing=%s: neither folder, any, nor a folder that there is", where);
	return false;
}

static bool is_below(const char *path, const char *folder)
{
	if (!folder)
		return false;
	size_t length = strlen(folder);
	/* Of all folders only the root ends in a slash. */
	length -= length == 1;
	return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static bool is_in(const char *path, const char *folder)
{
	g_autofree char *own = g_path_get_dirname(path);
	return g_strcmp0(own, folder) == 0;
}

/*
 * What would be written must be allowed by the user: in the disk's own folder may lie the disks of
 * other machines.
 */
static bool may_lie_there(const struct chain_search *search, const char *path, enum part part)
{
	if (search->anywhere || is_below(path, search->chain->pool))
		return true;
	return !parts[part].is_written && (is_in(path, search->own) || is_in(path, search->real));
}

/*
 * Where QEMU would see a protocol: a colon before the first slash (block.c, path_has_protocol).
 * That it means a file itself is the only one that is followed.
 */
static const char *strip_protocol(
	const struct chain_search *search, enum part part, const char *name)
{
	if (g_str_has_prefix(name, "file:"))
		return name + strlen("file:");
	if (name[strcspn(name, ":/")] != ':')
		return name;
	fail(search,
		"its %s is \"%s\", which is no file but something that QEMU would do. If it is a "
		"file, write \"./\" before its name into the image (qemu-img rebase -u)",
		parts[part].words, name);
	return NULL;
}

static bool refuse(const struct chain_search *search, const char *path, enum part part)
{
	g_autofree char *folder = g_path_get_dirname(path);
	return fail(search,
		"its %s is %s, %s. Whoever made the image chose that file: if the guest may have "
		"it, say --disk-backing=%s, or --disk-backing=any",
		parts[part].words, path,
		parts[part].is_written ? "which the guest would write to" :
					 "outside of the disk's folder",
		folder);
}

/*
 * Opens a file that the image `above` names, if it lies where it may. QEMU takes a relative name as
 * from the folder of the name by which it has the image, not of what that leads to.
 */
static bool open_named(const struct chain_search *search, struct disk_file *file, const char *above,
	enum part part, const char *name)
{
	const char *stripped = strip_protocol(search, part, name);
	if (!stripped)
		return false;
	g_autofree char *folder = g_path_get_dirname(above);
	g_autofree char *path = g_path_is_absolute(stripped) ?
					g_strdup(stripped) :
					g_build_filename(folder, stripped, NULL);
	g_autoptr(GError) reason = NULL;
	if (!disk_file_open(file, path, &reason))
		return fail(
			search, "its %s cannot be used: %s", parts[part].words, reason->message);
	return may_lie_there(search, file->real_path, part) ||
	       refuse(search, file->real_path, part);
}

/* ---- layer by layer ---- */

static void clear_file(gpointer data)
{
	disk_file_finish(data);
}

static void free_layer(gpointer data)
{
	struct disk_layer *layer = data;
	g_free(layer->path);
	g_free(layer->data_path);
	g_free(layer);
}

/* Takes the file, which may be no part of the disk yet: QEMU would open it a second time. */
static bool add_file(const struct chain_search *search, struct disk_file *file)
{
	for (unsigned i = 0; i < search->seen->len; i++) {
		if (disk_file_is_same(&g_array_index(search->seen, struct disk_file, i), file))
			return fail(search, "it uses %s twice", file->real_path);
	}
	g_array_append_vals(search->seen, file, 1);
	*file = (struct disk_file){ .fd = -1 };
	return true;
}

/*
 * A data file holds the guest's bytes and nothing else. One that looks like an image is an image of
 * somebody's, which the guest would overwrite.
 */
static bool take_data(
	struct chain_search *search, struct disk_layer *layer, const char *above, const char *name)
{
	struct disk_file file = { .fd = -1 };
	const struct image_format *format = NULL;
	bool good = open_named(search, &file, above, PART_DATA, name);
	if (good)
		format = image_format_guess(
			&file, "a data file is raw, and its name may end in .raw", search->error);
	good = format != NULL;
	if (good && strcmp(format->name, "raw") != 0)
		good = fail(
			search, "its data file %s looks like %s", file.real_path, format->words);
	if (good) {
		layer->data_path = g_strdup(file.real_path);
		layer->data_is_device = file.is_device;
		good = add_file(search, &file);
	}
	disk_file_finish(&file);
	return good;
}

/*
 * QEMU opens the pieces of a VMDK itself, by the names that it reads, and from the folder of the
 * path that it is given. A piece with a list of pieces in it would be followed, too.
 */
static bool check_piece(
	struct chain_search *search, const struct disk_layer *layer, const char *name)
{
	struct disk_file file = { .fd = -1 };
	struct image_names names = { 0 };
	bool good = open_named(search, &file, layer->path, PART_PIECE, name) &&
		    image_names_read(&names, &file, image_format_find("vmdk"), search->error);
	if (good && names.pieces->len > 0 && image_format_see(&file) == image_format_find("vmdk"))
		good = fail(search, "its piece %s has pieces", file.real_path);
	if (good && file.is_device)
		good = fail(search, "its piece %s is a device", file.real_path);
	good = good && add_file(search, &file);
	image_names_finish(&names);
	disk_file_finish(&file);
	return good;
}

static bool take_names(struct chain_search *search, struct disk_layer *layer, const char *above,
	const struct image_names *names)
{
	if (names->data && !take_data(search, layer, above, names->data))
		return false;
	for (unsigned i = 0; i < names->pieces->len; i++) {
		if (!check_piece(search, layer, names->pieces->pdata[i]))
			return false;
	}
	return true;
}

/* The format is what was said of it, above or by the user, or what it looks like. */
static const struct image_format *find_format(
	const struct chain_search *search, const struct disk_file *file, const char *said)
{
	static const char top[] = "say --disk-format=FORMAT, or --disk-format=raw if it is";
	static const char below[] =
		"write its format into the image above (qemu-img rebase -u -F FORMAT)";
	bool is_top = search->chain->layers->len == 0;
	if (!said)
		return image_format_guess(file, is_top ? top : below, search->error);
	const struct image_format *format = image_format_find(said);
	if (format)
		return format;
	g_autofree char *list = image_format_list();
	if (is_top)
		g_set_error(search->error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			"--disk-format=%s: is none of %s", said, list);
	else
		fail(search, "its backing file %s has the format \"%s\": is none of %s",
			file->real_path, said, list);
	return NULL;
}

/*
 * A guest can write the header of an image that reaches for other files into its raw disk. So where
 * nobody said the format, the file's name must.
 */
static bool may_reach(const struct chain_search *search, const struct disk_file *file,
	const char *said, const struct image_format *format, const struct image_names *names)
{
	if (said || image_names_are_none(names) || image_format_is_said(format, file->path))
		return true;
	return fail(search,
		"%s looks like %s that uses other files, which a guest can write into a raw disk: "
		"if it is, say --disk-format=%s, or let its name end in %s",
		file->path, format->words, format->name, format->endings[0]);
}

static struct disk_layer *add_layer(struct chain_search *search, const struct disk_file *file,
	const struct image_format *format)
{
	struct disk_layer *layer = g_new0(struct disk_layer, 1);
	layer->path = g_strdup(file->real_path);
	layer->is_device = file->is_device;
	layer->format = format;
	g_ptr_array_add(search->chain->layers, layer);
	return layer;
}

/* Takes the opened file as the next layer, and gives what it names. */
static bool take_layer(struct chain_search *search, struct disk_file *file, const char *said,
	struct image_names *names)
{
	if (search->chain->layers->len >= DISK_LAYERS_MAX)
		return fail(search, "more than %d images lie on each other", DISK_LAYERS_MAX);
	const struct image_format *format = find_format(search, file, said);
	if (!format || !image_names_read(names, file, format, search->error) ||
		!may_reach(search, file, said, format, names))
		return false;
	struct disk_layer *layer = add_layer(search, file, format);
	g_autofree char *above = g_strdup(file->path);
	return add_file(search, file) && take_names(search, layer, above, names);
}

static bool take_all(struct chain_search *search, const char *format)
{
	struct disk_file file;
	bool good = disk_file_open(&file, search->disk, search->error);
	search->real = good ? g_path_get_dirname(file.real_path) : NULL;
	g_autofree char *said = g_strdup(format);
	for (bool more = good; more;) {
		struct image_names names = { 0 };
		g_autofree char *path = g_strdup(file.path);
		good = take_layer(search, &file, said, &names);
		disk_file_finish(&file);
		more = good && names.backing;
		if (more)
			good = more = open_named(search, &file, path, PART_BACKING, names.backing);
		g_free(said);
		said = names.backing_format && *names.backing_format ?
			       g_steal_pointer(&names.backing_format) :
			       NULL;
		image_names_finish(&names);
	}
	disk_file_finish(&file);
	return good;
}

bool disk_chain_find(struct disk_chain *chain, const char *disk, const char *format,
	const char *where, GError **error)
{
	struct chain_search search = { chain, g_array_new(FALSE, FALSE, sizeof(struct disk_file)),
		disk, .error = error };
	g_array_set_clear_func(search.seen, clear_file);
	*chain = (struct disk_chain){ 0 };
	chain->layers = g_ptr_array_new_with_free_func(free_layer);
	bool good = set_where(&search, where) && take_all(&search, format);
	g_array_unref(search.seen);
	g_free(search.own);
	g_free(search.real);
	return good;
}

void disk_chain_finish(struct disk_chain *chain)
{
	g_clear_pointer(&chain->layers, g_ptr_array_unref);
	g_clear_pointer(&chain->pool, g_free);
}

const struct disk_layer *disk_chain_layer(const struct disk_chain *chain, unsigned index)
{
	return chain->layers->pdata[index];
}
