/* SPDX-License-Identifier: MIT */
#include "protocol/worker_options.h"

#include <string.h>

#define RENDER(name) offsetof(struct worker_render_options, name)
#define DISPLAY(name) offsetof(struct worker_display_options, name)

#define CONFINE_HELP "Which walls the process puts up: auto (default), must or off"

const char *const worker_clock_words[] = {
	[WORKER_CLOCK_VITRINE] = "vitrine",
	[WORKER_CLOCK_SERVER] = "server",
	NULL,
};

const char *const worker_clipboard_words[] = {
	[WORKER_CLIPBOARD_BOTH] = "both",
	[WORKER_CLIPBOARD_IN] = "in",
	[WORKER_CLIPBOARD_OUT] = "out",
	[WORKER_CLIPBOARD_OFF] = "off",
	NULL,
};

const char *const worker_file_drop_words[] = {
	[WORKER_FILE_DROP_ON] = "on",
	[WORKER_FILE_DROP_OFF] = "off",
	NULL,
};

const char *const worker_second_client_words[] = {
	[WORKER_SECOND_CLIENT_TAKES] = "take",
	[WORKER_SECOND_CLIENT_REFUSED] = "refuse",
	NULL,
};

static const struct worker_option render_rows[] = {
	{ "virgl", WORKER_OPTION_SWITCH, RENDER(virgl), "Offer OpenGL to the guest" },
	{ "render-node", WORKER_OPTION_PATH, RENDER(render_node), "Draw with this GPU", "PATH" },
	{ "software", WORKER_OPTION_SWITCH, RENDER(software),
		"Draw in software, as without --render-node" },
	{ "hardware", WORKER_OPTION_SWITCH, RENDER(hardware),
		"End where the GPU's driver draws with the CPU" },
	{ "no-pacing", WORKER_OPTION_SWITCH, RENDER(no_pacing),
		"Let the guest draw faster than its monitors show" },
	{ "quota", WORKER_OPTION_QUOTAS, RENDER(quotas), "Let the guest use so much (quotas.h)",
		"NAME=VALUE" },
	{ "confine", WORKER_OPTION_CHOICE, RENDER(confine), CONFINE_HELP, "HOW",
		confine_mode_words },
	{ "shader-cache", WORKER_OPTION_PATH, RENDER(shader_cache),
		"Keep compiled shaders in this folder", "DIR" },
	{ "probe", WORKER_OPTION_SWITCH, RENDER(probe),
		"With --virgl: exit with 0 if OpenGL starts here" },
	{ "report", WORKER_OPTION_SWITCH, RENDER(report),
		"Print what the render node, or with --software the CPU, can do (gpu_report.h)" },
	{ "version", WORKER_OPTION_SWITCH, RENDER(version), "Print the version and exit" },
};

static const struct worker_option display_rows[] = {
	{ "name", WORKER_OPTION_TEXT, DISPLAY(name), "What clients see as the desktop's name",
		"NAME" },
	{ "clock", WORKER_OPTION_CHOICE, DISPLAY(clock),
		"Whose clock video is shown by: vitrine (default) or server", "WHOSE",
		worker_clock_words },
	{ "encoder", WORKER_OPTION_TEXT, DISPLAY(encoder),
		"Encode video with this (default: the best that works)", "NAME" },
	{ "render-node", WORKER_OPTION_PATH, DISPLAY(render_node),
		"The GPU that the desktop draws with, and no other one is opened", "PATH" },
	{ "software", WORKER_OPTION_SWITCH, DISPLAY(software),
		"With --report: leave out what encodes on a GPU" },
	{ "video-444", WORKER_OPTION_SWITCH, DISPLAY(video_444),
		"H.264 with full colour resolution, for clients that decode it" },
	{ "clipboard", WORKER_OPTION_CHOICE, DISPLAY(clipboard),
		"Which copies pass: both (default), in, out or off", "HOW",
		worker_clipboard_words },
	{ "clipboard-max", WORKER_OPTION_TEXT, DISPLAY(clipboard_max), "The largest copy in MiB",
		"MIB" },
	{ "clipboard-types", WORKER_OPTION_TEXT, DISPLAY(clipboard_types),
		"What copies may be: text,image,files", "KINDS" },
	{ "file-drop", WORKER_OPTION_CHOICE, DISPLAY(file_drop),
		"Whether files may be dropped: on (default) or off", "HOW",
		worker_file_drop_words },
	{ "second-client", WORKER_OPTION_CHOICE, DISPLAY(second_client),
		"What a second client does: take (default) the first one's place, or is refused",
		"WHAT", worker_second_client_words },
	{ "max-mbit", WORKER_OPTION_NUMBER, DISPLAY(max_mbit),
		"What clients are sent in all, in Mbit/s (default: as much as the line carries)",
		"N" },
	{ "lookers", WORKER_OPTION_NUMBER, DISPLAY(lookers),
		"How many may look on beside who drives (default: none)", "N" },
	{ "idle-seconds", WORKER_OPTION_NUMBER, DISPLAY(idle_s),
		"Cut a client off that has done nothing for so long (default: never)", "N" },
	{ "confine", WORKER_OPTION_CHOICE, DISPLAY(confine), CONFINE_HELP, "HOW",
		confine_mode_words },
	{ "report", WORKER_OPTION_SWITCH, DISPLAY(report),
		"Print which encoders work here, and why others do not" },
	{ "version", WORKER_OPTION_SWITCH, DISPLAY(version), "Print the version and exit" },
};

const struct worker_options worker_render_table = { render_rows, G_N_ELEMENTS(render_rows) };
const struct worker_options worker_display_table = { display_rows, G_N_ELEMENTS(display_rows) };

char *worker_clipboard_parse(const char *text, unsigned *kinds)
{
	static const char *const words[] = { "text", "image", "files" };
	g_auto(GStrv) parts = g_strsplit(text ? text : "text,image,files", ",", -1);
	unsigned all = 0;
	for (char **part = parts; *part; part++) {
		unsigned i = 0;
		while (i < G_N_ELEMENTS(words) && strcmp(words[i], *part) != 0)
			i++;
		if (i == G_N_ELEMENTS(words))
			return g_strdup_printf("\"%s\" is none of text, image, files", *part);
		all |= 1u << i;
	}
	if (kinds)
		*kinds = all;
	return NULL;
}

static bool is_text(const struct worker_option *row)
{
	return row->type == WORKER_OPTION_TEXT || row->type == WORKER_OPTION_PATH;
}

void worker_options_init(const struct worker_options *options, void *values)
{
	for (unsigned i = 0; i < options->n_rows; i++) {
		const struct worker_option *row = &options->rows[i];
		void *member = (char *)values + row->offset;
		if (row->type == WORKER_OPTION_SWITCH)
			*(bool *)member = false;
		else if (row->type == WORKER_OPTION_CHOICE || row->type == WORKER_OPTION_NUMBER)
			*(unsigned *)member = 0;
		else if (row->type == WORKER_OPTION_QUOTAS)
			quotas_set_initial(member);
		else
			*(char **)member = NULL;
	}
}

void worker_options_finish(const struct worker_options *options, void *values)
{
	for (unsigned i = 0; i < options->n_rows; i++) {
		const struct worker_option *row = &options->rows[i];
		if (is_text(row))
			g_clear_pointer((char **)((char *)values + row->offset), g_free);
	}
}

/* ---- from values to a command line ---- */

/* Gives NULL where the value is the one that holds anyway, and "" for a switch that is on. */
static char *format_value(const struct worker_option *row, const void *member)
{
	switch (row->type) {
	case WORKER_OPTION_SWITCH:
		return *(const bool *)member ? g_strdup("") : NULL;
	case WORKER_OPTION_CHOICE: {
		unsigned choice = *(const unsigned *)member;
		g_assert(choice < g_strv_length((char **)row->words));
		return choice ? g_strdup(row->words[choice]) : NULL;
	}
	case WORKER_OPTION_NUMBER: {
		unsigned number = *(const unsigned *)member;
		return number ? g_strdup_printf("%u", number) : NULL;
	}
	case WORKER_OPTION_QUOTAS:
		return quotas_format(member);
	case WORKER_OPTION_TEXT:
	case WORKER_OPTION_PATH:
		break;
	}
	return g_strdup(*(char *const *)member);
}

char **worker_options_format(
	const struct worker_options *options, const char *program, const void *values)
{
	GPtrArray *argv = g_ptr_array_new();
	g_ptr_array_add(argv, g_strdup(program));
	for (unsigned i = 0; i < options->n_rows; i++) {
		const struct worker_option *row = &options->rows[i];
		g_autofree char *value = format_value(row, (const char *)values + row->offset);
		if (value)
			g_ptr_array_add(argv, g_strconcat("--", row->name,
						      row->argument ? "=" : NULL, value, NULL));
	}
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

/* ---- from a command line to values ---- */

struct worker_options_reader {
	const struct worker_options *options;
	void *values;
};

/* Gives NULL, or why not, which the caller frees. */
static char *choose(const struct worker_option *row, unsigned *choice, const char *text)
{
	for (unsigned i = 0; row->words[i]; i++) {
		if (strcmp(row->words[i], text) == 0) {
			*choice = i;
			return NULL;
		}
	}
	g_autofree char *words = g_strjoinv(", ", (char **)row->words);
	return g_strdup_printf("is none of %s", words);
}

static char *read_number(unsigned *number, const char *text)
{
	guint64 value;
	if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, &value, NULL))
		return g_strdup("is no number");
	*number = (unsigned)value;
	return NULL;
}

static char *read_value(const struct worker_option *row, void *member, const char *text)
{
	if (row->type == WORKER_OPTION_CHOICE)
		return choose(row, member, text);
	if (row->type == WORKER_OPTION_NUMBER)
		return read_number(member, text);
	if (row->type == WORKER_OPTION_QUOTAS)
		return quotas_parse(member, text);
	if (row->type == WORKER_OPTION_SWITCH) {
		*(bool *)member = true;
	} else {
		g_free(*(char **)member);
		*(char **)member = g_strdup(text);
	}
	return NULL;
}

static gboolean on_option(const char *name, const char *text, gpointer user, GError **error)
{
	const struct worker_options_reader *reader = user;
	const struct worker_option *row = reader->options->rows;
	while (strcmp(row->name, name + strlen("--")) != 0) {
		row++;
		g_assert(row < reader->options->rows + reader->options->n_rows);
	}
	g_autofree char *reason = read_value(row, (char *)reader->values + row->offset, text);
	if (reason)
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s=%s: %s", name,
			text, reason);
	return !reason;
}

static GOptionEntry make_entry(const struct worker_option *row)
{
	return (GOptionEntry){ .long_name = row->name,
		.flags = row->type == WORKER_OPTION_SWITCH ? G_OPTION_FLAG_NO_ARG :
			 row->type == WORKER_OPTION_PATH   ? G_OPTION_FLAG_FILENAME :
							     0,
		.arg = G_OPTION_ARG_CALLBACK,
		.arg_data = (gpointer)on_option,
		.description = row->help,
		.arg_description = row->argument };
}

bool worker_options_parse(
	const struct worker_options *options, void *values, int *argc, char ***argv, GError **error)
{
	struct worker_options_reader reader = { options, values };
	g_autofree GOptionEntry *entries = g_new0(GOptionEntry, options->n_rows + 1);
	for (unsigned i = 0; i < options->n_rows; i++)
		entries[i] = make_entry(&options->rows[i]);
	GOptionGroup *group = g_option_group_new(NULL, NULL, NULL, &reader, NULL);
	g_option_group_add_entries(group, entries);
	g_autoptr(GOptionContext) context = g_option_context_new("- started by vitrine-gpu");
	g_option_context_set_main_group(context, group);
	return g_option_context_parse(context, argc, argv, error);
}
