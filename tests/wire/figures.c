/* SPDX-License-Identifier: MIT */
#include "tests/wire/figures.h"

#include <string.h>

char **figures_ask(struct desktop *desktop, const char *argument)
{
	g_autofree char *socket =
		g_strdup_printf("--socket=%s/stats", desktop->guest->backend->directory);
	const char *argv[] = { g_getenv("VITRINE"), "stats", socket, argument, NULL };
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0;
	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text, NULL, &status,
		&error);
	g_assert_no_error(error);
	g_assert_cmpint(status, ==, 0);
	return g_strsplit(text, "\n", -1);
}

uint64_t figures_find(char **lines, const char *what)
{
	g_autofree char *prefix = g_strdup_printf(WIRE_NAME " %s ", what);
	for (unsigned i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], prefix))
			return g_ascii_strtoull(lines[i] + strlen(prefix), NULL, 10);
	}
	g_error("no line \"%s\"", prefix);
}

uint64_t figures_get(struct desktop *desktop, const char *what)
{
	g_auto(GStrv) lines = figures_ask(desktop, NULL);
	return figures_find(lines, what);
}

void figures_wait(struct desktop *desktop, const char *what, uint64_t value)
{
	gint64 end = g_get_monotonic_time() + wire_ms(5000) * 1000;
	while (figures_get(desktop, what) != value) {
		if (g_get_monotonic_time() > end)
			g_error("%s is not %" G_GUINT64_FORMAT, what, value);
		g_usleep(1000);
	}
}
