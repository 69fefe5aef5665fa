/* SPDX-License-Identifier: MIT */
#include "tests/unit/render/quota/warnings.h"

#include <glib.h>

unsigned warnings_n;
char *warnings_last;

static void count(const char *domain, GLogLevelFlags level, const char *message, gpointer user)
{
	if (!(level & G_LOG_LEVEL_WARNING))
		return;
	g_free(warnings_last);
	warnings_last = g_strdup(message);
	warnings_n++;
}

void warnings_begin(void)
{
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_log_set_default_handler(count, NULL);
}

void warnings_end(void)
{
	g_clear_pointer(&warnings_last, g_free);
}
