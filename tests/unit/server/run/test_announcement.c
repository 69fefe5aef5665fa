/* SPDX-License-Identifier: MIT */
/* announcement: looks at the files that clients are to connect by. */
#include "server/run/announcement.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define GROUP "virt-viewer"

struct place {
	struct run_dir dir;
	char *file;
};

static void place_init(struct place *place, gconstpointer data)
{
	place->dir.path = g_dir_make_tmp("vitrine-line-XXXXXX", NULL);
	place->dir.fd = open(place->dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(place->dir.fd, >=, 0);
	place->file = g_build_filename(place->dir.path, "odd.vv", NULL);
}

static void place_finish(struct place *place, gconstpointer data)
{
	g_unlink(place->file);
	close(place->dir.fd);
	g_assert_cmpint(g_rmdir(place->dir.path), ==, 0);
	g_free(place->dir.path);
	g_free(place->file);
}

/* remote-viewer connects to these as they stand. */
static void test_plain_path(struct place *place, gconstpointer data)
{
	static const char *const paths[] = { "/run/desk/spice", "/a,b:c=d", "/~x/-y_z+@.s" };
	for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
		const struct desktop desktop = { .name = (char *)"odd",
			.spice_unix = (char *)paths[i] };
		g_assert_null(announcement_write(&desktop, &place->dir));
	}
}

/* And to these it does not, however they are escaped. */
static void test_odd_path(struct place *place, gconstpointer data)
{
	static const char *const paths[] = { "/a b", "/100%", "/%20", "/[x]", "/\xc3\xbc", "/a\\b",
		"/ ", "/a\nb", "/\"" };
	for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
		const struct desktop desktop = { .name = (char *)"odd",
			.spice_unix = (char *)paths[i] };
		g_autofree char *written = announcement_write(&desktop, &place->dir);
		g_autoptr(GKeyFile) file = g_key_file_new();
		g_assert_cmpstr(written, ==, place->file);
		g_assert_true(g_key_file_load_from_file(file, written, G_KEY_FILE_NONE, NULL));
		g_autofree char *type = g_key_file_get_string(file, GROUP, "type", NULL);
		g_autofree char *path = g_key_file_get_string(file, GROUP, "unix-path", NULL);
		g_autofree char *title = g_key_file_get_string(file, GROUP, "title", NULL);
		g_assert_cmpstr(type, ==, "spice");
		g_assert_cmpstr(path, ==, paths[i]);
		g_assert_cmpstr(title, ==, "odd");
	}
}

/* No file can name it, and the desktop starts all the same. */
static void test_no_text(struct place *place, gconstpointer data)
{
	const struct desktop desktop = { .name = (char *)"odd", .spice_unix = (char *)"/\xff" };
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, "*is not UTF-8*");
	g_assert_null(announcement_write(&desktop, &place->dir));
	g_test_assert_expected_messages();
}

/* What is printed works here, and elsewhere with the name that this machine has. */
static void test_addresses(struct place *place, gconstpointer data)
{
	static const struct {
		const char *address, *printed, *command;
	} cases[] = { { "192.0.2.7", "spice://192.0.2.7:5900\n", "'spice://192.0.2.7:5900'\n" },
		{ "2001:db8::1", "spice://[2001:db8::1]:5900\n", "'spice://[2001:db8::1]:5900'\n" },
		{ "0.0.0.0", NULL, "'spice://127.0.0.1:5900'\n" },
		{ "::", NULL, "'spice://[::1]:5900'\n" } };
	if (g_test_subprocess()) {
		for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
			const struct desktop desktop = { .name = (char *)"odd",
				.spice_addr = (char *)cases[i].address,
				.spice_port = 5900 };
			announcement_print(&desktop, &place->dir);
		}
		return;
	}
	g_autoptr(GString) expected = g_string_new("*");
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *named = g_strdup_printf("spice://%s:5900\n", g_get_host_name());
		g_string_append_printf(expected,
			"vitrine: desktop \"odd\": %svitrine: connect with: remote-viewer %s",
			cases[i].printed ? cases[i].printed : named, cases[i].command);
	}
	g_string_append_c(expected, '*');
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stdout(expected->str);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct place *place, gconstpointer data);
	} cases[] = { { "/announcement/plain-path", test_plain_path },
		{ "/announcement/odd-path", test_odd_path },
		{ "/announcement/no-text", test_no_text },
		{ "/announcement/addresses", test_addresses } };
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(
			cases[i].name, struct place, NULL, place_init, cases[i].run, place_finish);
	return g_test_run();
}
