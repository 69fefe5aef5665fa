/* SPDX-License-Identifier: MIT */
/* worker_plan: checks which GPU and which folder for shaders the workers are told of. */
#include "server/keeper/worker_plan.h"

#include <string.h>

struct fixture {
	struct desktop desktop;
	struct gpu_candidates gpus;
	struct starter_plan plan;
};

static void plan(struct fixture *f, const char *name, const char *cache)
{
	f->desktop = (struct desktop){ .name = (char *)name, .virgl = true };
	quotas_set_initial(&f->desktop.quotas);
	f->gpus = (struct gpu_candidates){ .nodes = { (char *)"/n/renderD128" }, .n = 2 };
	if (cache)
		g_setenv("MESA_SHADER_CACHE_DIR", cache, TRUE);
	else
		g_unsetenv("MESA_SHADER_CACHE_DIR");
	worker_plan_init(&f->plan, &f->desktop, &f->gpus);
}

static const char *find_option(const struct fixture *f, unsigned command, const char *name)
{
	char *const *argv = f->plan.commands[command].argv;
	for (unsigned i = 1; argv[i]; i++) {
		if (g_str_has_prefix(argv[i], name))
			return argv[i] + strlen(name);
	}
	return NULL;
}

static bool is_writable(const struct fixture *f, const char *part)
{
	for (unsigned i = 0; i < f->plan.n_writable; i++) {
		if (strstr(f->plan.writable[i], part))
			return true;
	}
	return false;
}

/* Each command knows of one GPU or of none, and a GPU that nobody has named must draw itself. */
static void test_gpus(void)
{
	struct fixture f;
	plan(&f, "work", NULL);
	g_assert_cmpuint(f.plan.n_commands, ==, 4);
	const char *hardware = find_option(&f, WORKER_COMMAND_RENDER(0), "--hardware");
	const char *software = find_option(&f, WORKER_COMMAND_RENDER(1), "--software");
	g_assert_cmpstr(
		find_option(&f, WORKER_COMMAND_RENDER(0), "--render-node="), ==, "/n/renderD128");
	g_assert_cmpstr(
		find_option(&f, WORKER_COMMAND_DISPLAY(0), "--render-node="), ==, "/n/renderD128");
	g_assert_cmpstr(hardware, ==, "");
	g_assert_null(find_option(&f, WORKER_COMMAND_RENDER(1), "--render-node="));
	g_assert_null(find_option(&f, WORKER_COMMAND_DISPLAY(1), "--render-node="));
	g_assert_cmpstr(software, ==, "");
	worker_plan_finish(&f.plan);
}

/* No two desktops have one folder of shaders, whatever Mesa's variable says. */
static void test_shaders(void)
{
	struct fixture f;
	plan(&f, "work", "/cache");
	g_assert_cmpstr(find_option(&f, WORKER_COMMAND_RENDER(0), "--shader-cache="), ==,
		"/cache/vitrine/shaders/work");
	g_assert_true(is_writable(&f, "/cache/vitrine/shaders/work"));
	g_assert_null(g_getenv("MESA_SHADER_CACHE_DIR"));
	worker_plan_finish(&f.plan);

	plan(&f, "work", NULL);
	g_assert_true(g_str_has_suffix(
		find_option(&f, WORKER_COMMAND_RENDER(1), "--shader-cache="), "/shaders/work"));
	worker_plan_finish(&f.plan);

	/* There may be several desktops that nobody has named. */
	plan(&f, DESKTOP_NAMELESS, "/cache");
	g_assert_null(find_option(&f, WORKER_COMMAND_RENDER(0), "--shader-cache="));
	g_assert_false(is_writable(&f, "/cache"));
	worker_plan_finish(&f.plan);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/worker-plan/gpus", test_gpus);
	g_test_add_func("/worker-plan/shaders", test_shaders);
	return g_test_run();
}
