/* SPDX-License-Identifier: MIT */
/* gpu_candidates: checks what a desktop is tried with, and in which order. */
#include "server/keeper/gpu_candidates.h"

#include <glib/gstdio.h>
#include <string.h>

#define NODES_MAX 24

struct fixture {
	char *dir;
	unsigned n;
	struct gpu_candidates found;
};

static void make_node(const struct fixture *f, const char *name)
{
	g_autofree char *path = g_build_filename(f->dir, name, NULL);
	g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static void set_up(struct fixture *f, gconstpointer data)
{
	f->dir = g_dir_make_tmp("vitrine-nodes-XXXXXX", NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(f->dir, name, NULL);
		g_unlink(path);
	}
	g_rmdir(f->dir);
	g_free(f->dir);
	gpu_candidates_finish(&f->found);
}

static void find(struct fixture *f, const struct desktop *desktop)
{
	gpu_candidates_finish(&f->found);
	gpu_candidates_find(&f->found, desktop, f->dir);
}

/* `names` are in their order, and the CPU is behind them. */
static void expect(const struct fixture *f, const char *const *names)
{
	unsigned n = g_strv_length((char **)names);
	g_assert_cmpuint(f->found.n, ==, n + 1);
	for (unsigned i = 0; i < n; i++)
		g_assert_true(g_str_has_suffix(gpu_candidates_name(&f->found, i), names[i]));
	g_assert_null(f->found.nodes[n]);
	g_assert_cmpstr(gpu_candidates_name(&f->found, n), ==, "the CPU");
}

static void test_order(struct fixture *f, gconstpointer data)
{
	static const char *const made[] = { "renderD130", "card0", "renderD9", "renderD128",
		"by-path", "controlD64", NULL };
	static const char *const all[] = { "renderD9", "renderD128", "renderD130", NULL };
	static const char *const none[] = { NULL };
	for (unsigned i = 0; made[i]; i++)
		make_node(f, made[i]);
	struct desktop desktop = { .virgl = true };
	find(f, &desktop);
	expect(f, all);
	g_assert_false(f->found.named);
	desktop.software = true;
	find(f, &desktop);
	expect(f, none);
	desktop = (struct desktop){ .virgl = false };
	find(f, &desktop);
	expect(f, none);
}

/* A node that is named need not lie there, and others are not looked at. */
static void test_named(struct fixture *f, gconstpointer data)
{
	static const char *const one[] = { "/else/where", NULL };
	make_node(f, "renderD128");
	struct desktop desktop = { .virgl = true, .render_node = (char *)"/else/where" };
	find(f, &desktop);
	expect(f, one);
	g_assert_true(f->found.named);
	desktop.virgl = false;
	find(f, &desktop);
	expect(f, one);
}

static void test_many(struct fixture *f, gconstpointer data)
{
	const struct desktop desktop = { .virgl = true };
	for (unsigned i = 0; i < NODES_MAX; i++) {
		g_autofree char *name = g_strdup_printf("renderD%u", 128 + i);
		make_node(f, name);
	}
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_MESSAGE, "*only the first 16 of 24 GPUs*");
	find(f, &desktop);
	g_test_assert_expected_messages();
	g_assert_cmpuint(f->found.n, ==, GPU_CANDIDATES_MAX);
	g_assert_true(g_str_has_suffix(f->found.nodes[GPU_NODES_MAX - 1], "/renderD143"));
}

static void test_no_folder(struct fixture *f, gconstpointer data)
{
	static const char *const none[] = { NULL };
	const struct desktop desktop = { .virgl = true };
	gpu_candidates_find(&f->found, &desktop, "/nonexistent");
	expect(f, none);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *, gconstpointer);
	} cases[] = {
		{ "/gpu-candidates/order", test_order },
		{ "/gpu-candidates/named", test_named },
		{ "/gpu-candidates/many", test_many },
		{ "/gpu-candidates/no-folder", test_no_folder },
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
