/* SPDX-License-Identifier: MIT */
/*
 * desktop_quotas: tests the option that sets quotas, which may be given several times, and its list
 * in the manuals.
 */
#include <glib.h>
#include <string.h>

#include "server/desktop/desktop_command_line.h"

static char *read_manual(enum desktop_program program)
{
	static const char *const names[DESKTOP_PROGRAMS] = { "vitrine.1", "vitrine-gpu.1" };
	g_autofree char *path = g_build_filename(g_getenv("MANUALS"), names[program], NULL);
	char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void test_option(void)
{
	struct desktop desktop;
	char *argv[] = { (char *)"run", (char *)"--quota=contexts=64,objects=2K", (char *)"--quota",
		(char *)"objects=4096", NULL };
	g_autoptr(GError) error = NULL;
	g_assert_true(desktop_parse(&desktop, DESKTOP_RUN, 4, argv, &error));
	for (unsigned i = 0; i < QUOTAS; i++)
		g_assert_cmpuint(desktop.quotas.max[i], ==,
			i == QUOTA_CONTEXTS ? 64 :
			i == QUOTA_OBJECTS  ? 4096 :
					      quota_rows[i].initial);
	desktop_finish(&desktop);
}

/*
 * Returns what a manual says of a quota, from its name to the next one's, or NULL when it is not
 * there exactly once.
 */
static char *find_item(const char *manual, const struct quota_row *row)
{
	g_auto(GStrv) parts = g_strsplit(row->name, "-", -1);
	g_autofree char *name = g_strjoinv("\\-", parts);
	g_autofree char *item = g_strdup_printf("\n.TP\n\\fB%s\\fR\n", name);
	g_auto(GStrv) around = g_strsplit(manual, item, -1);
	if (g_strv_length(around) != 2)
		return NULL;
	g_auto(GStrv) items = g_strsplit(around[1], "\n.TP\n", 2);
	return g_strdup(items[0]);
}

/* Each quota is once in both manuals, with its limits. */
static void test_manuals(void)
{
	for (unsigned i = 0; i < DESKTOP_PROGRAMS * QUOTAS; i++) {
		const struct quota_row *row = &quota_rows[i % QUOTAS];
		g_autofree char *manual = read_manual(i / QUOTAS);
		g_autofree char *said = find_item(manual, row);
		g_autofree char *initial = quotas_format_number(row->initial);
		g_autofree char *min = quotas_format_number(row->min);
		g_autofree char *max = quotas_format_number(row->max);
		g_autofree char *limits =
			g_strdup_printf("\nDefault: %s, from %s to %s.", initial, min, max);
		if (!said || !strstr(said, limits))
			g_error("%s: \"%s\" is not said once", row->name, limits);
	}
}

/* An option that has a mistake in it sets nothing. */
static void test_mistake(void)
{
	struct desktop desktop;
	char *argv[] = { (char *)"gpu", (char *)"--quota=contexts=64,objects=many", NULL };
	g_autoptr(GError) error = NULL;
	g_assert_false(desktop_parse(&desktop, DESKTOP_GPU, 2, argv, &error));
	g_assert_cmpstr(error->message, ==,
		"--quota=contexts=64,objects=many: objects: from 1K to 1M GL objects of one virgl "
		"context");
	g_assert_cmpuint(
		desktop.quotas.max[QUOTA_CONTEXTS], ==, quota_rows[QUOTA_CONTEXTS].initial);
	desktop_finish(&desktop);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/quotas/option", test_option);
	g_test_add_func("/quotas/manuals", test_manuals);
	g_test_add_func("/quotas/mistake", test_mistake);
	return g_test_run();
}
