/* SPDX-License-Identifier: MIT */
#include "server/desktop/desktop_command_line.h"

#include <string.h>

#include "server/desktop/desktop_file.h"
#include "server/desktop/desktop_options.h"

static const struct {
	const char *usage;
	const char *summary;
} programs[DESKTOP_PROGRAMS] = {
	[DESKTOP_RUN] = { "[-- QEMU ARGUMENTS]", "Runs a virtual machine with an OpenGL desktop." },
	[DESKTOP_GPU] = { "- a vhost-user GPU seen by SPICE", NULL },
};

/* GOption's callback works on this. */
struct parse {
	struct desktop *desktop;
	enum desktop_program program;
	bool *given; /* for each option of the table */
};

static gboolean on_option(const char *name, const char *value, gpointer user, GError **error)
{
	struct parse *parse = user;
	const struct desktop_option *option =
		desktop_option_find(parse->program, name + strlen("--"));
	g_assert(option);
	g_autofree char *reason =
		desktop_option_set(option, parse->program, parse->desktop, value ? value : "true");
	parse->given[option - desktop_options] = true;
	return reason ? desktop_fail(error, "%s%s%s: %s", name, value ? "=" : "",
				value ? value : "", reason) :
			true;
}

static char *describe(const struct desktop_option *option, enum desktop_program program)
{
	const char *words = desktop_option_fallback(option, program);
	return words ? g_strdup_printf("%s (default: %s)", option->help, words) :
		       g_strdup(option->help);
}

static GOptionEntry make_entry(const struct desktop_option *option, const char *description)
{
	GOptionArgFunc function = on_option;
	int flags = desktop_option_is_switch(option) ? G_OPTION_FLAG_NO_ARG : 0;
	if (option->type == DESKTOP_PATH)
		flags |= G_OPTION_FLAG_FILENAME;
	return (GOptionEntry){ .long_name = option->name,
		.flags = flags,
		.arg = G_OPTION_ARG_CALLBACK,
		.arg_data = (gpointer)function,
		.description = description,
		.arg_description = option->argument };
}

/* The descriptions must live as long as the group. */
static GOptionGroup *make_group(struct parse *parse, GPtrArray *descriptions)
{
	GOptionGroup *group = g_option_group_new("desktop", "", "", parse, NULL);
	for (unsigned i = 0; i < desktop_n_options; i++) {
		if (!desktop_option_is_of(&desktop_options[i], parse->program))
			continue;
		char *text = describe(&desktop_options[i], parse->program);
		g_ptr_array_add(descriptions, text);
		const GOptionEntry entries[] = { make_entry(&desktop_options[i], text),
			G_OPTION_ENTRY_NULL };
		g_option_group_add_entries(group, entries);
	}
	return group;
}

static bool parse_arguments(struct parse *parse, int argc, char **argv, GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new(programs[parse->program].usage);
	g_autoptr(GPtrArray) descriptions = g_ptr_array_new_with_free_func(g_free);
	g_option_context_set_summary(context, programs[parse->program].summary);
	g_option_context_set_main_group(context, make_group(parse, descriptions));
	if (!g_option_context_parse(context, &argc, &argv, error))
		return false;
	return argc <= 1 || desktop_fail(error, "unexpected argument %s", argv[1]);
}

bool desktop_parse(struct desktop *desktop, enum desktop_program program, int argc, char **argv,
	GError **error)
{
	g_autofree bool *given = g_new0(bool, desktop_n_options);
	struct parse parse = { desktop, program, given };
	desktop_init(desktop, program);
	if (!parse_arguments(&parse, argc, argv, error))
		return false;
	return !desktop->config || desktop_file_load(desktop, desktop->config, given, error);
}

void desktop_add_arguments(
	const struct desktop *desktop, enum desktop_program program, GPtrArray *argv)
{
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (!desktop_option_is_of(option, program) ||
			desktop_option_is_initial(option, desktop, program))
			continue;
		g_autofree char *value = desktop_option_get(option, desktop);
		bool alone = desktop_option_is_switch(option);
		if (value)
			g_ptr_array_add(argv, g_strdup_printf("--%s%s%s", option->name,
						      alone ? "" : "=", alone ? "" : value));
	}
}
