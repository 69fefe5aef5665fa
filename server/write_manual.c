/* SPDX-License-Identifier: MIT */
/*
 * write-manual PROGRAM TEMPLATE writes a man page to standard output. It replaces the line
 * "@OPTIONS@" of the template by the options of PROGRAM, "run" or "gpu". It runs while Vitrine is
 * built.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "server/desktop/desktop_manual.h"

static char *fill_in(const char *template, const char *options)
{
	static const char mark[] = "\n@OPTIONS@\n";
	const char *at = strstr(template, mark);
	if (!at)
		return NULL;
	return g_strdup_printf(
		"%.*s%s%s", (int)(at + 1 - template), template, options, at + strlen(mark));
}

int main(int argc, char **argv)
{
	g_autofree char *template = NULL;
	g_autoptr(GError) error = NULL;
	if (argc != 3 || (strcmp(argv[1], "run") != 0 && strcmp(argv[1], "gpu") != 0)) {
		fprintf(stderr, "usage: write-manual run|gpu TEMPLATE\n");
		return 2;
	}
	if (!g_file_get_contents(argv[2], &template, NULL, &error)) {
		fprintf(stderr, "write-manual: %s\n", error->message);
		return 1;
	}
	g_autofree char *options =
		desktop_manual_make(strcmp(argv[1], "run") == 0 ? DESKTOP_RUN : DESKTOP_GPU);
	g_autofree char *page = fill_in(template, options);
	if (!page) {
		fprintf(stderr, "write-manual: %s has no line @OPTIONS@\n", argv[2]);
		return 1;
	}
	return fputs(page, stdout) < 0 || fflush(stdout) != 0;
}
