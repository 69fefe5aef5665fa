/* SPDX-License-Identifier: MIT */
/* worker_options: checks that a worker reads from its command line what it was told there. */
#include "protocol/worker_options.h"

#include <string.h>

union values {
	struct worker_render_options render;
	struct worker_display_options display;
};

static const struct worker_options *const tables[] = { &worker_render_table,
	&worker_display_table };

static void *member_of(const struct worker_option *row, union values *values)
{
	return (char *)values + row->offset;
}

/* Sets the option to another value than the initial one; a choice has several such values. */
static void set_some(const struct worker_option *row, union values *values, unsigned choice)
{
	void *member = member_of(row, values);
	if (row->type == WORKER_OPTION_SWITCH)
		*(bool *)member = true;
	else if (row->type == WORKER_OPTION_CHOICE || row->type == WORKER_OPTION_NUMBER)
		*(unsigned *)member = choice;
	else if (row->type == WORKER_OPTION_QUOTAS)
		g_assert_null(quotas_parse(member, "contexts=64,texture-bytes=2G"));
	else
		*(char **)member = g_strdup("a = value, with --signs=");
}

static void assert_equal(
	const struct worker_option *row, union values *values, union values *others)
{
	void *one = member_of(row, values), *other = member_of(row, others);
	if (row->type == WORKER_OPTION_SWITCH)
		g_assert_cmpint(*(bool *)one, ==, *(bool *)other);
	else if (row->type == WORKER_OPTION_CHOICE || row->type == WORKER_OPTION_NUMBER)
		g_assert_cmpuint(*(unsigned *)one, ==, *(unsigned *)other);
	else if (row->type == WORKER_OPTION_QUOTAS)
		g_assert_cmpmem(
			one, sizeof(struct quota_limits), other, sizeof(struct quota_limits));
	else
		g_assert_cmpstr(*(char **)one, ==, *(char **)other);
}

/* Formats the values, expects n_arguments, reads them again, and compares what has come back. */
static void check_round(
	const struct worker_options *table, union values *values, unsigned n_arguments)
{
	g_auto(GStrv) argv = worker_options_format(table, "/a/worker", values);
	g_assert_cmpstr(argv[0], ==, "/a/worker");
	int n = (int)g_strv_length(argv);
	g_assert_cmpint(n, ==, 1 + n_arguments);

	union values again;
	memset(&again, 0xff, sizeof(again));
	worker_options_init(table, &again);
	g_autoptr(GError) error = NULL;
	/*
	 * We parse a copy of the vector, as what is understood is removed from it, and argv owns
	 * the texts.
	 */
	g_autofree char **rest = g_memdup2(argv, (n + 1) * sizeof(*argv));
	g_assert_true(worker_options_parse(table, &again, &n, &rest, &error));
	g_assert_no_error(error);
	g_assert_cmpint(n, ==, 1);
	for (unsigned i = 0; i < table->n_rows; i++)
		assert_equal(&table->rows[i], values, &again);
	worker_options_finish(table, &again);
}

static void test_default_gives_no_argument(void)
{
	for (unsigned t = 0; t < G_N_ELEMENTS(tables); t++) {
		union values values;
		memset(&values, 0xff, sizeof(values));
		worker_options_init(tables[t], &values);
		check_round(tables[t], &values, 0);
		worker_options_finish(tables[t], &values);
	}
}

static void check_row(const struct worker_options *table, const struct worker_option *row)
{
	unsigned n_words = row->words ? g_strv_length((char **)row->words) : 2;
	for (unsigned choice = 1; choice < n_words; choice++) {
		union values values;
		worker_options_init(table, &values);
		set_some(row, &values, choice);
		check_round(table, &values, 1);
		worker_options_finish(table, &values);
	}
}

static void test_each_comes_back(void)
{
	for (unsigned t = 0; t < G_N_ELEMENTS(tables); t++)
		for (unsigned i = 0; i < tables[t]->n_rows; i++)
			check_row(tables[t], &tables[t]->rows[i]);
}

static void test_all_come_back(void)
{
	for (unsigned t = 0; t < G_N_ELEMENTS(tables); t++) {
		union values values;
		worker_options_init(tables[t], &values);
		for (unsigned i = 0; i < tables[t]->n_rows; i++)
			set_some(&tables[t]->rows[i], &values, 1);
		check_round(tables[t], &values, tables[t]->n_rows);
		worker_options_finish(tables[t], &values);
	}
}

static void test_rows(void)
{
	for (unsigned t = 0; t < G_N_ELEMENTS(tables); t++) {
		g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
		for (unsigned i = 0; i < tables[t]->n_rows; i++) {
			const struct worker_option *row = &tables[t]->rows[i];
			g_assert_true(g_hash_table_add(seen, (void *)row->name));
			g_assert_true(row->help && *row->help);
			g_assert_cmpint(!row->argument, ==, row->type == WORKER_OPTION_SWITCH);
			g_assert_cmpint(!!row->words, ==, row->type == WORKER_OPTION_CHOICE);
		}
	}
}

static const struct {
	const struct worker_options *table;
	const char *argument, *message;
} mistakes[] = {
	{ &worker_display_table, "--clock=mine", "--clock=mine: is none of vitrine, server" },
	{ &worker_display_table, "--max-mbit=-5", "--max-mbit=-5: is no number" },
	{ &worker_display_table, "--virgl", "Unknown option --virgl" },
	{ &worker_display_table, "--name", "Missing argument for --name" },
	{ &worker_render_table, "--quota=contexts", "--quota=contexts: is not NAME=VALUE" },
};

static void test_mistakes(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		char *words[] = { (char *)"worker", (char *)mistakes[i].argument, NULL };
		char **argv = words;
		int argc = 2;
		union values values;
		g_autoptr(GError) error = NULL;
		worker_options_init(mistakes[i].table, &values);
		g_assert_false(
			worker_options_parse(mistakes[i].table, &values, &argc, &argv, &error));
		g_assert_true(error && error->domain == G_OPTION_ERROR);
		g_assert_cmpstr(error->message, ==, mistakes[i].message);
		worker_options_finish(mistakes[i].table, &values);
	}
}

static void test_clipboard_kinds(void)
{
	unsigned kinds = 0;
	g_assert_null(worker_clipboard_parse(NULL, &kinds));
	g_assert_cmpuint(
		kinds, ==, WORKER_CLIPBOARD_TEXT | WORKER_CLIPBOARD_IMAGE | WORKER_CLIPBOARD_FILES);
	g_assert_null(worker_clipboard_parse("files,text", &kinds));
	g_assert_cmpuint(kinds, ==, WORKER_CLIPBOARD_TEXT | WORKER_CLIPBOARD_FILES);
	g_autofree char *unknown = worker_clipboard_parse("text,html", NULL);
	g_assert_cmpstr(unknown, ==, "\"html\" is none of text, image, files");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/worker-options/rows", test_rows);
	g_test_add_func("/worker-options/default", test_default_gives_no_argument);
	g_test_add_func("/worker-options/each-comes-back", test_each_comes_back);
	g_test_add_func("/worker-options/all-come-back", test_all_come_back);
	g_test_add_func("/worker-options/mistakes", test_mistakes);
	g_test_add_func("/worker-options/clipboard-kinds", test_clipboard_kinds);
	return g_test_run();
}
