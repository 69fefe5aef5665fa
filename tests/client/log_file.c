/* SPDX-License-Identifier: MIT */
#include "tests/client/log_file.h"

#include <glib.h>
#include <string.h>

#include "tests/client/patience.h"

bool log_file_wait(const char *path, const char *text, int timeout_ms)
{
	gint64 end_us = patience_end_us(timeout_ms);

	do {
		g_autofree char *log = NULL;

		if (g_file_get_contents(path, &log, NULL, NULL) && strstr(log, text))
			return true;
		g_usleep(20000);
	} while (g_get_monotonic_time() < end_us);
	return false;
}

unsigned log_file_count_lines(const char *path)
{
	g_autofree char *log = NULL;
	unsigned n = 0;

	if (!g_file_get_contents(path, &log, NULL, NULL))
		return 0;
	for (const char *end = log; (end = strchr(end, '\n')); end++)
		n++;
	return n;
}

void log_file_print(const char *path, const char *title)
{
	g_autofree char *log = NULL;

	if (g_file_get_contents(path, &log, NULL, NULL))
		g_printerr("---- %s ----\n%s---- end ----\n", title, log);
}
