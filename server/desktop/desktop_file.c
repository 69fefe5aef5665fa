/* SPDX-License-Identifier: MIT */
#include "server/desktop/desktop_file.h"

#include <string.h>

#include "server/desktop/desktop_options.h"

static bool group_is_known(const char *group)
{
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *o = &desktop_options[i];
		if (desktop_option_in_file(o) &&
			strcmp(desktop_sections[o->section].group, group) == 0)
			return true;
	}
	return false;
}

static char *list_groups(void)
{
	GString *list = g_string_new(NULL);
	for (unsigned i = 0; i < DESKTOP_SECTIONS; i++) {
		if (group_is_known(desktop_sections[i].group))
			g_string_append_printf(
				list, "%s[%s]", list->len ? ", " : "", desktop_sections[i].group);
	}
	return g_string_free(list, FALSE);
}

/*
 * Gives the option that the key means, or NULL with `error` set when there is none in this group.
 */
static const struct desktop_option *find_option(
	const char *path, const char *group, const char *key, GError **error)
{
	const struct desktop_option *option = desktop_option_find(DESKTOP_RUN, key);
	if (!option || !desktop_option_in_file(option)) {
		desktop_fail(error, "%s: [%s] %s: no such option", path, group, key);
		return NULL;
	}
	const char *home = desktop_sections[option->section].group;
	if (strcmp(home, group) != 0) {
		desktop_fail(
			error, "%s: [%s] %s: this key belongs to [%s]", path, group, key, home);
		return NULL;
	}
	return option;
}

/* One call of desktop_file_load() works on this. */
struct load {
	struct desktop *desktop;
	const char *path;
	const bool *given;
	GKeyFile *file;
};

static bool take_key(const struct load *load, const char *group, const char *key, GError **error)
{
	const struct desktop_option *option = find_option(load->path, group, key, error);
	if (!option)
		return false;
	GError *fault = NULL;
	g_autofree char *value = g_key_file_get_string(load->file, group, key, &fault);
	/* An unknown escape is a fault, too, although GLib then gives a value without it. */
	if (fault) {
		g_propagate_prefixed_error(error, fault, "%s: [%s] %s: ", load->path, group, key);
		return false;
	}
	/* A value that the command line replaces is checked all the same. */
	struct desktop scratch = { 0 };
	struct desktop *to = load->given[option - desktop_options] ? &scratch : load->desktop;
	g_autofree char *reason = desktop_option_set(option, DESKTOP_RUN, to, value);
	desktop_finish(&scratch);
	return !reason ||
	       desktop_fail(error, "%s: [%s] %s=%s: %s", load->path, group, key, value, reason);
}

static bool take_group(const struct load *load, const char *group, GError **error)
{
	if (!group_is_known(group)) {
		g_autofree char *groups = list_groups();
		return desktop_fail(
			error, "%s: [%s]: no such group: is none of %s", load->path, group, groups);
	}
	g_auto(GStrv) keys = g_key_file_get_keys(load->file, group, NULL, NULL);
	for (unsigned i = 0; keys[i]; i++) {
		if (!take_key(load, group, keys[i], error))
			return false;
	}
	return true;
}

bool desktop_file_load(struct desktop *desktop, const char *path, const bool *given, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	/* A FIFO would be opened, and that waits until somebody writes to it. */
	if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return desktop_fail(error, "--config=%s: not a regular file", path);
	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, error)) {
		g_prefix_error(error, "--config=%s: ", path);
		return false;
	}
	const struct load load = { desktop, path, given, file };
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	for (unsigned i = 0; groups[i]; i++) {
		if (!take_group(&load, groups[i], error))
			return false;
	}
	return true;
}

GKeyFile *desktop_file_make(const struct desktop *desktop)
{
	GKeyFile *file = g_key_file_new();
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *o = &desktop_options[i];
		g_autofree char *value =
			desktop_option_in_file(o) ? desktop_option_get(o, desktop) : NULL;
		if (!value)
			continue;
		g_autofree char *path =
			o->type == DESKTOP_PATH ? g_canonicalize_filename(value, NULL) : NULL;
		/* A file's name may be any bytes; a key file is UTF-8. */
		g_autofree char *text = g_utf8_make_valid(path ? path : value, -1);
		g_key_file_set_string(file, desktop_sections[o->section].group, o->name, text);
	}
	return file;
}
