/* SPDX-License-Identifier: MIT */
#include "server/command/show_quotas.h"

#include <stdio.h>

#include "server/desktop/desktop_options.h"

void show_quotas_read(struct quota_limits *limits, GKeyFile *desktop)
{
	const struct desktop_option *option = desktop_option_find(DESKTOP_RUN, "quota");
	g_assert(option);
	const char *group = desktop_sections[option->section].group;
	g_autofree char *text =
		desktop ? g_key_file_get_string(desktop, group, option->name, NULL) : NULL;
	quotas_set_initial(limits);
	/* The file is ours; one that another version wrote may name what is unknown here. */
	g_autofree char *reason = text ? quotas_parse(limits, text) : NULL;
	if (reason)
		g_warning("quotas of the desktop: %s: %s", text, reason);
}

static void print_all(const struct quota_limits *limits)
{
	for (unsigned i = 0; i < QUOTAS; i++) {
		g_autofree char *max = quotas_format_number(limits->max[i]);
		printf("  quota: %s %s (%s)\n", quota_rows[i].name, max, quota_rows[i].unit);
	}
}

void show_quotas_print(const struct quota_limits *limits, bool all)
{
	g_autofree char *changed = quotas_format(limits);
	if (all)
		print_all(limits);
	else if (changed)
		printf("  quota: %s\n", changed);
}
