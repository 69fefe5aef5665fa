/* SPDX-License-Identifier: MIT */
/*
 * desktop: compares the one table of options with all that is made from it: the command lines,
 * --help, the man pages, the configuration file, what vitrine-gpu is told, and `vitrine show
 * --json`.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/desktop/desktop_command_line.h"
#include "server/desktop/desktop_file.h"
#include "server/desktop/desktop_options.h"
#include "server/desktop/run_dir.h"

/* main() sets it once. */
static char *folder;

static const char *const programs[DESKTOP_PROGRAMS] = { "VITRINE", "VITRINE_GPU" };

/* ---- every option with a value of its own ---- */

/*
 * Returns a value that is not the default and that no other option has. A path leads to a file. The
 * caller frees it.
 */
static char *make_value(const struct desktop_option *option)
{
	static const struct {
		const char *name, *value;
	} texts[] = { { "resolution", "1366x768" }, { "usb-allow", "audio" } };
	unsigned index = (unsigned)(option - desktop_options);
	if (desktop_option_is_switch(option))
		return g_strdup("true");
	if (option->type == DESKTOP_CHOICE)
		return g_strdup(option->values[g_strv_length((char **)option->values) - 1]);
	if (option->type == DESKTOP_NUMBER)
		return g_strdup_printf("%d", MIN(option->min + 1 + (int)index, option->max));
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (strcmp(option->name, texts[i].name) == 0)
			return g_strdup(texts[i].value);
	}
	if (option->type == DESKTOP_TEXT)
		return g_strdup_printf("x-%s", option->name);
	if (option->type == DESKTOP_QUOTAS)
		return g_strdup("contexts=64,texture-bytes=2G");
	char *path = g_build_filename(folder, option->name, NULL);
	g_assert_true(g_file_set_contents(path, "", 0, NULL));
	return path;
}

static bool is_in(const struct desktop_option *option, enum desktop_program program, bool in_file)
{
	return desktop_option_is_of(option, program) &&
	       (!in_file || desktop_option_in_file(option));
}

/*
 * Returns the program's command line with every option; for `vitrine run` all that a file can have.
 */
static char **make_arguments(enum desktop_program program)
{
	GPtrArray *argv = g_ptr_array_new();
	g_ptr_array_add(argv, g_strdup("program"));
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (!is_in(option, program, program == DESKTOP_RUN))
			continue;
		g_autofree char *value = make_value(option);
		bool alone = desktop_option_is_switch(option);
		g_ptr_array_add(argv, g_strdup_printf("--%s%s%s", option->name, alone ? "" : "=",
					      alone ? "" : value));
	}
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

static void parse(struct desktop *desktop, enum desktop_program program, char **argv)
{
	g_autoptr(GError) error = NULL;
	/* We parse a copy, since GOption moves the pointers of the array it is given. */
	g_autofree char **copy = g_memdup2(argv, (g_strv_length(argv) + 1) * sizeof(*argv));
	desktop_parse(desktop, program, (int)g_strv_length(argv), copy, &error);
	g_assert_no_error(error);
}

static void parse_all(struct desktop *desktop, enum desktop_program program)
{
	g_auto(GStrv) argv = make_arguments(program);
	parse(desktop, program, argv);
}

static void expect_all(const struct desktop *desktop, enum desktop_program program)
{
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (!is_in(option, program, program == DESKTOP_RUN))
			continue;
		g_autofree char *expected = make_value(option);
		g_autofree char *value = desktop_option_get(option, desktop);
		if (g_strcmp0(value, expected) != 0)
			g_error("--%s is %s, not %s", option->name, value, expected);
		g_assert_false(desktop_option_is_initial(option, desktop, program));
	}
}

static void test_command_lines(void)
{
	for (enum desktop_program program = 0; program < DESKTOP_PROGRAMS; program++) {
		struct desktop desktop;
		parse_all(&desktop, program);
		expect_all(&desktop, program);
		desktop_finish(&desktop);
	}
}

/* These are in QEMU's docs/interop/vhost-user.rst, "Backend program conventions". */
static void test_conventions(void)
{
	static const struct {
		const char *name;
		bool has_value;
	} conventions[] = { { "socket-path", true }, { "fd", true },
		{ "print-capabilities", false }, { "virgl", false }, { "render-node", true } };
	for (unsigned i = 0; i < G_N_ELEMENTS(conventions); i++) {
		const struct desktop_option *option =
			desktop_option_find(DESKTOP_GPU, conventions[i].name);
		g_assert_nonnull(option);
		g_assert_true(desktop_option_is_switch(option) != conventions[i].has_value);
	}
}

/* ---- where nobody says anything ---- */

static void test_defaults(void)
{
	struct desktop run, gpu;
	char *argv[] = { (char *)"program", NULL };
	parse(&run, DESKTOP_RUN, argv);
	parse(&gpu, DESKTOP_GPU, argv);
	g_assert_cmpstr(run.name, ==, "desktop");
	g_assert_cmpstr(gpu.name, ==, "vitrine");
	g_assert_cmpuint(run.memory_mib, ==, 2048);
	g_assert_cmpuint(run.n_cpus, ==, 2);
	g_assert_true(run.virgl && run.network && run.audio && run.pacing && !run.software);
	g_assert_true(!gpu.virgl && gpu.pacing && !gpu.software);
	g_assert_cmpuint(run.submit_limit_s, ==, 10);
	g_assert_cmpuint(gpu.submit_limit_s, ==, 10);
	g_assert_cmpuint(run.spare, ==, DESKTOP_SPARE_READY);
	g_assert_cmpuint(gpu.spare, ==, DESKTOP_SPARE_READY);
	g_assert_cmpstr(run.spice_addr, ==, "127.0.0.1");
	g_assert_cmpint(run.vhost_fd, ==, -1);
	g_assert_cmpint(gpu.vhost_fd, ==, -1);
	g_assert_cmpint(gpu.spice_fd, ==, -1);
	g_assert_cmpuint(gpu.spice_port, ==, 0);
	g_assert_null(run.disk);
	desktop_finish(&run);
	desktop_finish(&gpu);
}

/* ---- what vitrine-gpu is told ---- */

static bool shares_member(const struct desktop_option *option, enum desktop_program program)
{
	for (unsigned i = 0; i < desktop_n_options; i++) {
		if (desktop_option_is_of(&desktop_options[i], program) &&
			desktop_options[i].offset == option->offset)
			return true;
	}
	return false;
}

static void test_keeper_arguments(const struct desktop *run, unsigned n_expected)
{
	struct desktop gpu;
	unsigned n_shared = 0;
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(argv, g_strdup("vitrine-gpu"));
	desktop_add_arguments(run, DESKTOP_GPU, argv);
	g_ptr_array_add(argv, NULL);
	parse(&gpu, DESKTOP_GPU, (char **)argv->pdata);
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (!is_in(option, DESKTOP_RUN, true) || !shares_member(option, DESKTOP_GPU))
			continue;
		g_autofree char *is = desktop_option_get(option, &gpu);
		g_autofree char *should = desktop_option_get(option, run);
		g_assert_cmpstr(is, ==, should);
		n_shared++;
	}
	g_assert_cmpuint(n_shared, ==, n_expected);
	desktop_finish(&gpu);
}

/*
 * Both programs have these: name, virgl, the node, software, the limit of a submission, quotas,
 * pacing; encoder, 4:4:4, clock; thirteen of SPICE; the walls.
 */
#define N_SHARED 34

static void test_keeper_is_told(void)
{
	struct desktop all, none;
	char *argv[] = { (char *)"run", NULL };
	parse_all(&all, DESKTOP_RUN);
	parse(&none, DESKTOP_RUN, argv);
	test_keeper_arguments(&all, N_SHARED);
	test_keeper_arguments(&none, N_SHARED);
	desktop_finish(&all);
	desktop_finish(&none);
}

/* ---- what people read ---- */

static char *run(const char *line)
{
	g_autoptr(GError) error = NULL;
	char *output = NULL;
	int status;
	g_spawn_command_line_sync(line, &output, NULL, &status, &error);
	g_assert_no_error(error);
	g_assert_true(g_spawn_check_wait_status(status, NULL));
	return output;
}

/*
 * Checks that the text has each option once, at a line's beginning, and none that the table has
 * not.
 */
static void compare_names(enum desktop_program program, const char *text, const char *pattern)
{
	g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	g_autofree unsigned *n_seen = g_malloc0_n(desktop_n_options, sizeof(*n_seen));
	g_regex_match(regex, text, 0, &match);
	for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
		g_autofree char *escaped = g_match_info_fetch(match, 1);
		g_auto(GStrv) parts = g_strsplit(escaped, "\\", -1);
		g_autofree char *name = g_strjoinv("", parts);
		const struct desktop_option *option = desktop_option_find(program, name);
		if (!option)
			g_error("--%s is not in the table", name);
		n_seen[option - desktop_options]++;
	}
	for (unsigned i = 0; i < desktop_n_options; i++) {
		unsigned expected = desktop_option_is_of(&desktop_options[i], program);
		if (n_seen[i] != expected)
			g_error("--%s is there %u times", desktop_options[i].name, n_seen[i]);
	}
}

static void test_help(void)
{
	for (enum desktop_program program = 0; program < DESKTOP_PROGRAMS; program++) {
		g_autofree char *line = g_strdup_printf("%s %s --help", g_getenv(programs[program]),
			program == DESKTOP_RUN ? "run" : "");
		g_autofree char *text = run(line);
		compare_names(program, text, "^  --([a-z0-9-]+)[= ]");
		for (unsigned i = 0; i < desktop_n_options; i++) {
			if (desktop_option_is_of(&desktop_options[i], program))
				g_assert_nonnull(strstr(text, desktop_options[i].help));
		}
	}
}

static void test_manuals(void)
{
	static const char *const names[DESKTOP_PROGRAMS] = { "vitrine.1", "vitrine-gpu.1" };
	for (enum desktop_program program = 0; program < DESKTOP_PROGRAMS; program++) {
		g_autofree char *text = NULL;
		g_autofree char *path = g_build_filename(g_getenv("MANUALS"), names[program], NULL);
		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
		compare_names(program, text, "^\\\\fB\\\\-\\\\-([a-z0-9\\\\-]+)\\\\fR");
	}
}

/* ---- the file ---- */

static char *write_config(const char *text)
{
	char *path = g_build_filename(folder, "desktop.conf", NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

/* Returns a file with every option, as people would write it down. The caller frees it. */
static char *make_config(void)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (!is_in(option, DESKTOP_RUN, true))
			continue;
		g_autofree char *value = make_value(option);
		g_key_file_set_string(
			file, desktop_sections[option->section].group, option->name, value);
	}
	return g_key_file_to_data(file, NULL, NULL);
}

static void parse_config(struct desktop *desktop, const char *text)
{
	g_autofree char *path = write_config(text);
	g_autofree char *option = g_strdup_printf("--config=%s", path);
	char *argv[] = { (char *)"run", option, NULL };
	parse(desktop, DESKTOP_RUN, argv);
}

static void test_file_is_command_line(void)
{
	struct desktop from_file;
	g_autofree char *config = make_config();
	parse_config(&from_file, config);
	expect_all(&from_file, DESKTOP_RUN);
	desktop_finish(&from_file);
}

/* A file written from a desktop makes the same desktop. */
static void test_file_comes_back(void)
{
	struct desktop all, again;
	parse_all(&all, DESKTOP_RUN);
	g_autoptr(GKeyFile) file = desktop_file_make(&all);
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	parse_config(&again, text);
	expect_all(&again, DESKTOP_RUN);
	desktop_finish(&all);
	desktop_finish(&again);
}

static void test_command_line_wins(void)
{
	struct desktop desktop;
	g_autofree char *path = write_config("[machine]\nmemory=512\ncpus=3\nserial=log\n"
					     "no-audio=true\nuefi=false\n");
	g_autofree char *config = g_strdup_printf("--config=%s", path);
	char *argv[] = { (char *)"run", (char *)"--memory=0x400", config, (char *)"--serial=stdio",
		(char *)"--uefi", NULL };
	parse(&desktop, DESKTOP_RUN, argv);
	g_assert_cmpuint(desktop.memory_mib, ==, 1024);
	g_assert_cmpuint(desktop.n_cpus, ==, 3);
	g_assert_cmpstr(desktop.serial, ==, "stdio");
	g_assert_true(desktop.uefi);
	g_assert_false(desktop.audio);
	desktop_finish(&desktop);
}

struct mistake {
	const char *text, *reason;
};

/* In the message each reason stands behind the file's name. */
static const struct mistake mistakes[] = {
	{ "[graphics]\nquota=contexts=7\n",
		"[graphics] quota=contexts=7: contexts: from 8 to 1K virgl contexts of the guest" },
	{ "memory=512\n", "Key file does not start with a group" },
	{ "[engine]\nmemory=512\n",
		"[engine]: no such group: is none of [desktop], [machine], [graphics], [video], "
		"[spice]" },
	{ "[qemu]\nfd=3\n", "[qemu]: no such group" },
	{ "[machine]\nmemroy=512\n", "[machine] memroy: no such option" },
	{ "[desktop]\nconfig=x\n", "[desktop] config: no such option" },
	{ "[graphics]\nvirgl=true\n", "[graphics] virgl: no such option" },
	{ "[machine]\nspice-port=5901\n", "[machine] spice-port: this key belongs to [spice]" },
	{ "[machine]\nmemory=1\n", "[machine] memory=1: from 64 to 16777216 MiB" },
	{ "[machine]\nmemory=lots\n", "[machine] memory=lots: from 64 to" },
	{ "[machine]\ncpus=256\n", "[machine] cpus=256: from 1 to 255" },
	{ "[machine]\ncpus=99999999999999999999\n", ": from 1 to 255" },
	{ "[machine]\naccel=fast\n", "[machine] accel=fast: is none of auto, kvm, tcg" },
	{ "[machine]\nuefi=yes\n", "[machine] uefi=yes: is none of true, false" },
	{ "[machine]\nkernel=/nonexistent\n", "[machine] kernel=/nonexistent: No such file" },
	{ "[spice]\nspice-port=70000\n", "[spice] spice-port=70000: not a port (0 to 65535)" },
	{ "[spice]\nspice-port=\n", "[spice] spice-port=: not a port" },
	{ "[machine]\nappend=C:\\users\n", "[machine] append: Key file contains key" },
	{ "[desktop]\nname=a/b\n", "[desktop] name=a/b: letters, digits" },
};

static void expect_refusal(const char *text, const char *further, const char *reason)
{
	struct desktop desktop;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = write_config(text);
	g_autofree char *config = g_strdup_printf("--config=%s", path);
	char *argv[] = { (char *)"run", config, (char *)further, NULL };
	g_assert_false(desktop_parse(&desktop, DESKTOP_RUN, further ? 3 : 2, argv, &error));
	g_test_message("%s", error->message);
	if (!strstr(error->message, path) || !strstr(error->message, reason))
		g_error("\"%s\" is not in: %s", reason, error->message);
	desktop_finish(&desktop);
}

static void test_file_is_checked(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++)
		expect_refusal(mistakes[i].text, NULL, mistakes[i].reason);
	/* The file's mistake counts also where the command line says something else. */
	expect_refusal("[machine]\ncpus=0\n", "--cpus=4", "[machine] cpus=0: from 1 to 255");
}

/* A FIFO is refused at once, though nobody writes to it. */
static void test_file_is_fifo(void)
{
	struct desktop desktop;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(folder, "fifo.conf", NULL);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	g_autofree char *config = g_strdup_printf("--config=%s", path);
	char *argv[] = { (char *)"run", config, NULL };
	g_assert_false(desktop_parse(&desktop, DESKTOP_RUN, 2, argv, &error));
	g_assert_nonnull(strstr(error->message, "not a regular file"));
	desktop_finish(&desktop);
	unlink(path);
}

/* ---- vitrine show --json ---- */

static JsonNode *show(const char *name)
{
	g_autofree char *line = g_strdup_printf("%s show %s --json", g_getenv("VITRINE"), name);
	g_autofree char *text = run(line);
	g_test_message("%s", text);
	g_autoptr(GError) error = NULL;
	JsonNode *root = json_from_string(text, &error);
	g_assert_no_error(error);
	g_assert_cmpint(json_object_get_int_member(json_node_get_object(root), "version"), ==, 1);
	return root;
}

static JsonObject *get_desktop(JsonNode *root, const char *name)
{
	JsonArray *desktops = json_object_get_array_member(json_node_get_object(root), "desktops");
	g_assert_cmpuint(json_array_get_length(desktops), ==, 1);
	JsonObject *desktop = json_array_get_object_element(desktops, 0);
	g_assert_cmpstr(json_object_get_string_member(desktop, "name"), ==, name);
	return desktop;
}

static void expect_member(JsonObject *options, const struct desktop_option *option)
{
	g_autofree char *expected = make_value(option);
	JsonNode *node = json_object_get_member(options, option->name);
	if (!node || JSON_NODE_HOLDS_NULL(node))
		g_error("--%s is not in force", option->name);
	if (desktop_option_is_switch(option))
		g_assert_true(json_node_get_boolean(node));
	else if (option->type == DESKTOP_NUMBER)
		g_assert_cmpint(json_node_get_int(node), ==, g_ascii_strtoll(expected, NULL, 10));
	else
		g_assert_cmpstr(json_node_get_string(node), ==, expected);
}

/* A desktop with every option there is is shown whole. */
static void test_show_all(void)
{
	struct desktop all;
	struct run_dir dir;
	unsigned n_options = 0;
	parse_all(&all, DESKTOP_RUN);
	g_assert_true(run_dir_create(&dir, "all", NULL));
	g_autofree char *path = run_dir_file(&dir, DESKTOP_FILE);
	g_autoptr(GKeyFile) file = desktop_file_make(&all);
	g_assert_true(g_key_file_save_to_file(file, path, NULL));

	g_autoptr(JsonNode) root = show("all");
	JsonObject *desktop = get_desktop(root, "all");
	JsonObject *options = json_object_get_object_member(desktop, "options");
	for (unsigned i = 0; i < desktop_n_options; i++) {
		if (!is_in(&desktop_options[i], DESKTOP_RUN, true))
			continue;
		expect_member(options, &desktop_options[i]);
		n_options++;
	}
	g_assert_cmpuint(json_object_get_size(options), ==, n_options);
	g_assert_true(json_object_get_null_member(desktop, "guest"));
	JsonObject *quotas = json_object_get_object_member(desktop, "quotas");
	g_assert_cmpuint(json_object_get_size(quotas), ==, QUOTAS);
	for (unsigned i = 0; i < QUOTAS; i++)
		g_assert_cmpint(json_object_get_int_member(quotas, quota_rows[i].name), ==,
			(gint64)all.quotas.max[i]);
	g_assert_cmpint(json_object_get_int_member(quotas, "texture-bytes"), ==,
		G_GINT64_CONSTANT(1) << 31);
	g_autofree char *line = g_strdup_printf("%s show all", g_getenv("VITRINE"));
	g_autofree char *text = run(line);
	g_assert_nonnull(strstr(text, "\n  quota: contexts 64 (virgl contexts of the guest)\n"));
	g_assert_nonnull(strstr(text, "\n  quota: resources 16K ("));
	g_autofree char *all_line = g_strdup_printf("%s show", g_getenv("VITRINE"));
	g_autofree char *all_text = run(all_line);
	g_assert_nonnull(strstr(all_text, "\n  quota: contexts=64,texture-bytes=2G\n"));
	run_dir_remove(&dir);
	desktop_finish(&all);
}

static void test_show_none(void)
{
	g_autoptr(JsonNode) root = show("");
	JsonArray *desktops = json_object_get_array_member(json_node_get_object(root), "desktops");
	g_assert_cmpuint(json_array_get_length(desktops), ==, 0);
}

/* ---- a desktop that runs ---- */

static const char qemu_script[] = "#!/bin/sh\n"
				  "case $1 in\n"
				  "--version) echo 'QEMU emulator version 9.0.0' ;;\n"
				  "*) exec sleep 60 ;;\n"
				  "esac\n";

static GSubprocess *start_desktop(const char *qemu, const char *password_file)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *qemu_option = g_strdup_printf("--qemu=%s", qemu);
	g_autofree char *password_option = g_strdup_printf("--password-file=%s", password_file);
	GSubprocess *process = g_subprocess_new(
		G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error,
		g_getenv("VITRINE"), "run", "--name=real", "--kernel=/dev/null", "--accel=tcg",
		qemu_option, password_option, "--memory=333", "--software", NULL);
	g_assert_no_error(error);
	return process;
}

static void wait_for_file(const char *path)
{
	for (unsigned n = 0; n < 1000 && !g_file_test(path, G_FILE_TEST_EXISTS); n++)
		g_usleep(20000);
	g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

/*
 * `vitrine run` shows what is in force, with the values that it found itself and without the
 * password.
 */
static void test_show_real(void)
{
	g_autofree char *qemu = g_build_filename(folder, "fake-qemu", NULL);
	g_autofree char *password = g_build_filename(folder, "password", NULL);
	g_autofree char *base = run_dir_base();
	g_autofree char *path = g_build_filename(base, "real", DESKTOP_FILE, NULL);
	g_autofree char *text = NULL;
	g_assert_true(g_file_set_contents_full(
		qemu, qemu_script, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
	g_assert_true(g_file_set_contents(password, "hush-hush\n", -1, NULL));
	g_autoptr(GSubprocess) process = start_desktop(qemu, password);
	wait_for_file(path);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));

	g_autoptr(JsonNode) root = show("real");
	JsonObject *options = json_object_get_object_member(get_desktop(root, "real"), "options");
	g_assert_cmpint(json_object_get_int_member(options, "memory"), ==, 333);
	g_assert_cmpint(json_object_get_int_member(options, "spice-port"), >=, 5900);
	g_assert_cmpstr(json_object_get_string_member(options, "accel"), ==, "tcg");
	g_assert_cmpstr(json_object_get_string_member(options, "password-file"), ==, password);
	g_assert_true(json_object_get_boolean_member(options, "software"));
	g_assert_false(json_object_get_boolean_member(options, "no-virgl"));
	g_assert_true(json_object_get_null_member(options, "disk"));
	g_assert_null(strstr(text, "hush"));

	g_subprocess_send_signal(process, SIGTERM);
	g_subprocess_wait(process, NULL, NULL);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void remove_folder(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_remove(file);
	}
	g_rmdir(path);
}

int main(int argc, char **argv)
{
	folder = g_dir_make_tmp("vitrine-desktop-XXXXXX", NULL);
	g_setenv("XDG_RUNTIME_DIR", folder, TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desktop/command-lines", test_command_lines);
	g_test_add_func("/desktop/conventions", test_conventions);
	g_test_add_func("/desktop/defaults", test_defaults);
	g_test_add_func("/desktop/keeper-is-told", test_keeper_is_told);
	g_test_add_func("/desktop/help", test_help);
	g_test_add_func("/desktop/manuals", test_manuals);
	g_test_add_func("/desktop/file/is-command-line", test_file_is_command_line);
	g_test_add_func("/desktop/file/comes-back", test_file_comes_back);
	g_test_add_func("/desktop/file/command-line-wins", test_command_line_wins);
	g_test_add_func("/desktop/file/is-checked", test_file_is_checked);
	g_test_add_func("/desktop/file/is-fifo", test_file_is_fifo);
	g_test_add_func("/desktop/show/all", test_show_all);
	g_test_add_func("/desktop/show/none", test_show_none);
	g_test_add_func("/desktop/show/real", test_show_real);
	int status = g_test_run();
	remove_folder(folder);
	g_free(folder);
	return status;
}
