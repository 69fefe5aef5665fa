/* SPDX-License-Identifier: MIT */
/* This turns the options' values from text into members of struct desktop, and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/desktop/desktop_options.h"

static void *member(const struct desktop_option *option, struct desktop *desktop)
{
	return (char *)desktop + option->offset;
}

static const void *const_member(const struct desktop_option *option, const struct desktop *desktop)
{
	return (const char *)desktop + option->offset;
}

static char *set_text(char **to, const char *text)
{
	g_free(*to);
	*to = g_strdup(text);
	return NULL;
}

static char *describe_range(const struct desktop_option *option)
{
	if (option->noun)
		return g_strdup_printf("not %s (%d to %d)", option->noun, option->min, option->max);
	if (option->max == G_MAXINT)
		return g_strdup_printf("a number from %d on", option->min);
	return g_strdup_printf("from %d to %d%s%s", option->min, option->max,
		option->unit ? " " : "", option->unit ? option->unit : "");
}

/* Numbers are read as GOption does, so 0x introduces hexadecimal digits. */
static char *set_number(const struct desktop_option *option, int *to, const char *text)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 0);
	if (errno != 0 || end == text || *end || number < option->min || number > option->max)
		return describe_range(option);
	*to = (int)number;
	return NULL;
}

static char *set_choice(const struct desktop_option *option, unsigned *to, const char *text)
{
	for (unsigned i = 0; option->values[i]; i++) {
		if (strcmp(text, option->values[i]) == 0) {
			*to = i;
			return NULL;
		}
	}
	g_autofree char *all = g_strjoinv(", ", (char **)option->values);
	return g_strdup_printf("is none of %s", all);
}

static char *set_switch(const struct desktop_option *option, bool *to, const char *text)
{
	bool on = strcmp(text, "true") == 0;
	if (!on && strcmp(text, "false") != 0)
		return g_strdup("is none of true, false");
	*to = on == (option->type == DESKTOP_SWITCH_ON);
	return NULL;
}

/* Does what desktop_option_set() does, without the option's own check. */
static char *set(const struct desktop_option *option, struct desktop *desktop, const char *text)
{
	void *to = member(option, desktop);
	switch (option->type) {
	case DESKTOP_TEXT:
	case DESKTOP_PATH:
		return set_text(to, text);
	case DESKTOP_NUMBER:
		return set_number(option, to, text);
	case DESKTOP_CHOICE:
		return set_choice(option, to, text);
	case DESKTOP_SWITCH_ON:
	case DESKTOP_SWITCH_OFF:
		return set_switch(option, to, text);
	case DESKTOP_QUOTAS:
		return quotas_parse(to, text);
	}
	g_assert_not_reached();
}

char *desktop_option_set(const struct desktop_option *option, enum desktop_program program,
	struct desktop *desktop, const char *text)
{
	bool checked = option->checked_by & (1u << program);
	char *reason = checked ? option->check(text) : NULL;
	return reason ? reason : set(option, desktop, text);
}

static char *get_number(const struct desktop_option *option, int number)
{
	return number < option->min ? NULL : g_strdup_printf("%d", number);
}

char *desktop_option_get(const struct desktop_option *option, const struct desktop *desktop)
{
	const void *from = const_member(option, desktop);
	switch (option->type) {
	case DESKTOP_TEXT:
	case DESKTOP_PATH:
		return g_strdup(*(char *const *)from);
	case DESKTOP_NUMBER:
		return get_number(option, *(const int *)from);
	case DESKTOP_CHOICE:
		return g_strdup(option->values[*(const unsigned *)from]);
	case DESKTOP_SWITCH_ON:
		return g_strdup(*(const bool *)from ? "true" : "false");
	case DESKTOP_SWITCH_OFF:
		return g_strdup(*(const bool *)from ? "false" : "true");
	case DESKTOP_QUOTAS:
		return quotas_format(from);
	}
	g_assert_not_reached();
}

/* Gives the default as text, or NULL when none is set. */
static const char *initial_text(const struct desktop_option *option, enum desktop_program program)
{
	const char *text = option->initial[program];
	if (desktop_option_is_switch(option))
		return "false";
	if (option->type == DESKTOP_CHOICE)
		return text ? text : option->values[0];
	return text;
}

void desktop_option_set_initial(
	const struct desktop_option *option, struct desktop *desktop, enum desktop_program program)
{
	const char *text = initial_text(option, program);
	char *reason = text ? set(option, desktop, text) : NULL;
	g_assert(!reason);
	if (!text && option->type == DESKTOP_NUMBER)
		*(int *)member(option, desktop) = option->min - 1;
	if (option->type == DESKTOP_QUOTAS)
		quotas_set_initial(member(option, desktop));
}

bool desktop_option_is_initial(const struct desktop_option *option, const struct desktop *desktop,
	enum desktop_program program)
{
	g_autofree char *text = desktop_option_get(option, desktop);
	return g_strcmp0(text, initial_text(option, program)) == 0;
}
