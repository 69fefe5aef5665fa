/* SPDX-License-Identifier: MIT */
#include "server/command/show.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "server/command/show_gpu.h"
#include "server/command/show_json.h"
#include "server/command/show_quotas.h"
#include "server/command/show_walls.h"
#include "server/desktop/desktop_file.h"
#include "server/desktop/guest_report.h"
#include "server/desktop/run_dir.h"

static char *report_text(GKeyFile *file, const char *key)
{
	return g_key_file_get_string(file, GUEST_REPORT_GROUP, key, NULL);
}

/*
 * Takes the first words off a verdict: "OpenGL accelerated: no, software ..." becomes "no, software
 * ...".
 */
static const char *short_verdict(const char *verdict)
{
	static const char prefix[] = "OpenGL accelerated: ";
	return g_str_has_prefix(verdict, prefix) ? verdict + sizeof prefix - 1 : verdict;
}

static void show_report(const char *path)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
		printf("  guest: no report (in the guest: apt install vitrine-guest-tools)\n");
		return;
	}
	g_autofree char *accelerated = report_text(file, "accelerated");
	g_autofree char *verdict = report_text(file, "verdict");
	g_autofree char *fix = report_text(file, "fix");
	g_autofree char *os = report_text(file, "os");
	g_autofree char *kernel = report_text(file, "kernel");
	const char *text = verdict ? short_verdict(verdict) : "?";
	if (g_strcmp0(accelerated, "no") == 0 && g_str_has_prefix(text, "no, "))
		text += 4;
	printf("  guest: %s%s\n", g_strcmp0(accelerated, "yes") == 0 ? "accelerated: " : "", text);
	if (fix)
		printf("  fix:   %s\n", fix);
	if (os || kernel)
		printf("  runs:  %s%s%s\n", os ? os : "", os && kernel ? ", kernel " : "",
			kernel ? kernel : "");
}

static void show_quotas(const char *base, const char *name, bool all)
{
	g_autofree char *path = g_build_filename(base, name, DESKTOP_FILE, NULL);
	g_autoptr(GKeyFile) file = g_key_file_new();
	struct quota_limits limits;
	bool found = g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL);
	show_quotas_read(&limits, found ? file : NULL);
	show_quotas_print(&limits, all);
}

static void show_desktop(const char *base, const char *name, bool alone)
{
	g_autofree char *report = g_build_filename(base, name, GUEST_REPORT_FILE, NULL);
	printf("%s\n", name);
	show_report(report);
	show_quotas(base, name, alone);
	show_gpu_print(base, name);
	show_walls_print(base, name);
}

static bool desktop_runs(const char *base, const char *name)
{
	g_autofree char *path = g_build_filename(base, name, NULL);
	return run_dir_name_ok(name) && run_dir_in_use(path);
}

/*
 * Gives the desktops that are meant, for g_strfreev(). When the one that is named does not run it
 * says so and gives NULL.
 */
static char **find_names(const char *base, const char *wanted)
{
	if (!wanted)
		return run_dir_list();
	if (!desktop_runs(base, wanted)) {
		g_warning("no desktop named \"%s\" is running", wanted);
		return NULL;
	}
	char **names = g_new0(char *, 2);
	names[0] = g_strdup(wanted);
	return names;
}

static bool parse(int *argc, char ***argv, gboolean *json)
{
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, json, "Print JSON: the options in force, too",
			NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[NAME]");
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context, "The desktops that run, and what their guests say.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	if (*argc > 2)
		g_warning("vitrine show takes one name");
	return *argc <= 2;
}

int show_main(int argc, char **argv)
{
	g_autofree char *base = run_dir_base();
	gboolean json = FALSE;
	if (!parse(&argc, &argv, &json))
		return 1;
	g_auto(GStrv) names = find_names(base, argc == 2 ? argv[1] : NULL);
	if (!names)
		return 1;
	g_autofree char *text = json ? show_json_write(names) : NULL;
	if (text)
		fputs(text, stdout);
	for (unsigned i = 0; !text && names[i]; i++)
		show_desktop(base, names[i], argc == 2);
	if (!text && !names[0])
		printf("no desktop is running\n");
	return fflush(stdout) != 0;
}
