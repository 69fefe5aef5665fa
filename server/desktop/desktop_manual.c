/* SPDX-License-Identifier: MIT */
#include "server/desktop/desktop_manual.h"

#include <string.h>

#include "server/desktop/desktop_options.h"

/* Adds a line of text, in which everything is escaped that roff would take for its own. */
static void add_escaped(GString *page, const char *text, size_t length)
{
	if (length > 0 && strchr(".'", *text))
		g_string_append(page, "\\&");
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '-')
			g_string_append(page, "\\-");
		else if (text[i] == '\\')
			g_string_append(page, "\\e");
		else
			g_string_append_c(page, text[i]);
	}
}

/* Adds each sentence on a line of its own, as man pages have them. */
static void add_sentences(GString *page, const char *text)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
		add_escaped(page, text, length);
		g_string_append_c(page, '\n');
		text += length;
		text += strspn(text, " ");
	}
}

/* Adds the table of quotas, with what is said of each. */
static void add_quotas(GString *page)
{
	g_string_append(page, ".RS\n");
	for (unsigned i = 0; i < QUOTAS; i++) {
		const struct quota_row *row = &quota_rows[i];
		g_autofree char *initial = quotas_format_number(row->initial);
		g_autofree char *min = quotas_format_number(row->min);
		g_autofree char *max = quotas_format_number(row->max);
		g_autofree char *text =
			g_strdup_printf("The %s. Refused past it: %s. Default: %s, from %s to %s.",
				row->unit, row->refused, initial, min, max);
		g_string_append(page, ".TP\n\\fB");
		add_escaped(page, row->name, strlen(row->name));
		g_string_append(page, "\\fR\n");
		add_sentences(page, text);
	}
	g_string_append(page, ".RE\n");
}

static void add_option(
	GString *page, const struct desktop_option *option, enum desktop_program program)
{
	g_string_append(page, ".TP\n\\fB\\-\\-");
	add_escaped(page, option->name, strlen(option->name));
	g_string_append_printf(page, "\\fR%s%s%s\n", option->argument ? "=\\fI" : "",
		option->argument ? option->argument : "", option->argument ? "\\fR" : "");
	g_autofree char *help = g_strdup_printf("%s.", option->help);
	add_sentences(page, help);
	if (option->text)
		add_sentences(page, option->text);
	const char *words = desktop_option_fallback(option, program);
	g_autofree char *fallback = words ? g_strdup_printf("Default: %s.", words) : NULL;
	if (fallback)
		add_sentences(page, fallback);
	if (option->type == DESKTOP_QUOTAS)
		add_quotas(page);
}

/* Adds nothing where the program has no option of this section. */
static void add_section(GString *page, enum desktop_section section, enum desktop_program program)
{
	bool begun = false;
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (option->section != section || !desktop_option_is_of(option, program))
			continue;
		if (!begun)
			g_string_append_printf(page, ".SS %s\n", desktop_sections[section].title);
		if (!begun && program == DESKTOP_RUN)
			g_string_append_printf(page, "In a configuration file: group [%s].\n",
				desktop_sections[section].group);
		begun = true;
		add_option(page, option, program);
	}
}

char *desktop_manual_make(enum desktop_program program)
{
	GString *page = g_string_new(NULL);
	for (unsigned i = 0; i < DESKTOP_SECTIONS; i++)
		add_section(page, i, program);
	return g_string_free(page, FALSE);
}
