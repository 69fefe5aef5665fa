/* SPDX-License-Identifier: MIT */
/* path_list: checks what gets into the table, and that nothing is in it twice. */
#include "common/confine/path_list.h"

#include <glib.h>
#include <string.h>

static unsigned count(
	const struct confine_rules *rules, const char *path, enum confine_access access)
{
	unsigned n = 0;
	for (unsigned i = 0; i < rules->n_paths; i++) {
		g_assert_nonnull(rules->paths[i].reason);
		n += strcmp(rules->paths[i].path, path) == 0 && rules->paths[i].access == access;
	}
	return n;
}

static void test_rows(void)
{
	static const struct confine_path rows[] = { { "/b", CONFINE_READ, "b" },
		{ "/a", CONFINE_READ, "a" } };
	struct confine_rules rules = { 0 };
	struct path_list *list = path_list_create();
	char path[] = "/c";
	path_list_add_table(list, rows, G_N_ELEMENTS(rows));
	path_list_add_table(list, rows, G_N_ELEMENTS(rows));
	path_list_add(list, "/a", CONFINE_READ_WRITE, "another access");
	path_list_add(list, path, CONFINE_READ, "copied");
	path[1] = 'x';
	path_list_give(list, &rules);
	g_assert_cmpuint(rules.n_paths, ==, 4);
	g_assert_cmpuint(count(&rules, "/a", CONFINE_READ), ==, 1);
	g_assert_cmpuint(count(&rules, "/a", CONFINE_READ_WRITE), ==, 1);
	g_assert_cmpuint(count(&rules, "/b", CONFINE_READ), ==, 1);
	g_assert_cmpuint(count(&rules, "/c", CONFINE_READ), ==, 1);
	path_list_destroy(list);
}

/* An empty piece of such a variable means the current folder, which is nobody's to read. */
static void test_variables(void)
{
	struct confine_rules rules = { 0 };
	struct path_list *list = path_list_create();
	g_setenv("PATH_LIST_TEST", "/one::relative:/two", TRUE);
	path_list_add_variable(list, "PATH_LIST_TEST");
	path_list_add_variable(list, "PATH_LIST_UNSET");
	path_list_give(list, &rules);
	g_assert_cmpuint(rules.n_paths, ==, 2);
	g_assert_cmpuint(count(&rules, "/one", CONFINE_READ), ==, 1);
	g_assert_cmpuint(count(&rules, "/two", CONFINE_READ), ==, 1);
	path_list_destroy(list);
}

static void test_libraries(void)
{
	struct confine_rules rules = { 0 };
	struct path_list *list = path_list_create();
	path_list_add_libraries(list);
	path_list_give(list, &rules);
	g_assert_cmpuint(rules.n_paths, >, 0);
	for (unsigned i = 0; i < rules.n_paths; i++) {
		g_assert_cmpuint(rules.paths[i].access, ==, CONFINE_READ);
		g_assert_true(g_file_test(rules.paths[i].path, G_FILE_TEST_IS_DIR));
		g_assert_cmpstr(rules.paths[i].path, !=, "/");
	}
	path_list_destroy(list);
}

/* A node that is no GPU's would let its device in. */
static void test_no_gpu(void)
{
	struct confine_rules rules = { 0 };
	struct path_list *list = path_list_create();
	path_list_add_gpu(list, "/dev/null");
	path_list_add_gpu(list, "/etc/passwd");
	path_list_add_gpu(list, "/not/there");
	path_list_give(list, &rules);
	g_assert_cmpuint(rules.n_paths, ==, 0);
	path_list_destroy(list);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/path-list/rows", test_rows);
	g_test_add_func("/path-list/variables", test_variables);
	g_test_add_func("/path-list/libraries", test_libraries);
	g_test_add_func("/path-list/no-gpu", test_no_gpu);
	return g_test_run();
}
