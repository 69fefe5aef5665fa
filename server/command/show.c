/* SPDX-License-Identifier: MIT */
#include "server/command/show.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "server/desktop/guest_report.h"
#include "server/desktop/run_dir.h"

static char *report_text(GKeyFile *file, const char *key)
{
	return g_key_file_get_string(file, GUEST_REPORT_GROUP, key, NULL);
}

/* The verdict without its first words: "OpenGL accelerated: no, software ..." -> "no, software
 * ...". */
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

static bool show_desktop(const char *base, const char *name)
{
	g_autofree char *path = g_build_filename(base, name, NULL);
	g_autofree char *report = g_build_filename(path, GUEST_REPORT_FILE, NULL);
	if (!run_dir_name_ok(name) || !run_dir_in_use(path))
		return false;
	printf("%s\n", name);
	show_report(report);
	return true;
}

int show_main(int argc, char **argv)
{
	g_autofree char *base = run_dir_base();
	if (argc > 2) {
		g_warning("vitrine show takes one name");
		return 1;
	}
	if (argc == 2) {
		if (show_desktop(base, argv[1]))
			return 0;
		g_warning("no desktop named \"%s\" is running", argv[1]);
		return 1;
	}
	g_auto(GStrv) names = run_dir_list();
	unsigned n_shown = 0;
	for (unsigned i = 0; names[i]; i++)
		n_shown += show_desktop(base, names[i]);
	if (n_shown == 0)
		printf("no desktop is running\n");
	return 0;
}
