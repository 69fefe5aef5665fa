/* SPDX-License-Identifier: MIT */
/*
 * desktop_options is the one table of options. A new option is one row here and one member of
 * struct desktop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/desktop/desktop.h"

/*
 * These are headings of the man pages. Those of `vitrine run` are groups of its configuration file,
 * too.
 */
enum desktop_section {
	DESKTOP_SECTION_DESKTOP,
	DESKTOP_SECTION_MACHINE,
	DESKTOP_SECTION_QEMU,
	DESKTOP_SECTION_GRAPHICS,
	DESKTOP_SECTION_VIDEO,
	DESKTOP_SECTION_SPICE,
	DESKTOP_SECTION_PROGRAM,
	DESKTOP_SECTIONS
};

enum desktop_type {
	DESKTOP_TEXT,       /* char * */
	DESKTOP_PATH,       /* char *, of a file */
	DESKTOP_NUMBER,     /* int or unsigned; less than `min`: not set */
	DESKTOP_CHOICE,     /* unsigned, an index into `values` */
	DESKTOP_SWITCH_ON,  /* bool: the option makes it true */
	DESKTOP_SWITCH_OFF, /* bool: the option makes it false */
	DESKTOP_QUOTAS,     /* struct quota_limits: each time it is given it changes some of them */
};

struct desktop_option {
	const char *name;
	unsigned programs; /* a set of 1 << enum desktop_program */
	enum desktop_section section;
	enum desktop_type type;
	size_t offset; /* of the member of struct desktop */

	const char *argument; /* what stands for the value in --help; NULL: a switch has none */
	const char *help;     /* one line, without the default */
	const char *text;     /* more sentences for the man page, without mark-up; NULL: none */

	/*
	 * For each program `initial` is the value where none is given. `fallback` says it in words
	 * where they tell it better or it is found only later; "" says nothing.
	 */
	const char *initial[DESKTOP_PROGRAMS], *fallback[DESKTOP_PROGRAMS];

	int min, max;     /* of a number */
	const char *unit; /* of a number: said with its limits; NULL: none */
	const char *noun; /* of a number: "a port"; NULL: none */
	const char *const *values;

	/* Gives NULL, or why this cannot be the value, which the caller frees. */
	char *(*check)(const char *text);
	unsigned checked_by; /* the programs that ask it */
	bool not_in_file;
};

extern const struct desktop_option desktop_options[];
extern const unsigned desktop_n_options;

struct desktop_section_name {
	const char *group; /* in a configuration file */
	const char *title; /* in a man page */
};

extern const struct desktop_section_name desktop_sections[DESKTOP_SECTIONS];

bool desktop_option_is_of(const struct desktop_option *option, enum desktop_program program);
bool desktop_option_is_switch(const struct desktop_option *option);
/* Tells whether the option can stand in a configuration file. */
bool desktop_option_in_file(const struct desktop_option *option);

/* Gives NULL when this program has no option of that name. */
const struct desktop_option *desktop_option_find(enum desktop_program program, const char *name);

/* Gives what is said of the default, or NULL where nothing is. */
const char *desktop_option_fallback(
	const struct desktop_option *option, enum desktop_program program);

/* Takes the value and gives NULL, or gives the reason why not, which the caller frees. */
char *desktop_option_set(const struct desktop_option *option, enum desktop_program program,
	struct desktop *desktop, const char *text);
/*
 * Gives the value as desktop_option_set() takes it, or NULL when none is set. The caller frees it.
 */
char *desktop_option_get(const struct desktop_option *option, const struct desktop *desktop);
void desktop_option_set_initial(
	const struct desktop_option *option, struct desktop *desktop, enum desktop_program program);
bool desktop_option_is_initial(const struct desktop_option *option, const struct desktop *desktop,
	enum desktop_program program);
