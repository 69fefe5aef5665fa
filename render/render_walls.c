/* SPDX-License-Identifier: MIT */
#include "render/render_walls.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/confine/path_list.h"
#include "protocol/worker_options.h"

/* Mesa would keep 1 GiB; a guest chooses what is compiled, and so what lies there. */
#define SHADER_CACHE_MAX "256M"
/* Buffers, fences and guest memory regions are descriptors; quotas bound the buffers. */
#define RENDER_FDS_MAX 65536
/* Its largest files are buffers of one picture, at most 1 GiB. */
#define RENDER_FILE_BYTES_MAX (UINT64_C(4) << 30)
/* llvmpipe has 32 threads at most, and Mesa, LLVM and we have a dozen. */
#define RENDER_THREADS_MAX 1024

static const struct confine_path paths[] = {
	{ "/usr", CONFINE_READ, "libraries, drivers, drirc.d, EGL's vendors: what is installed" },
	{ "/lib", CONFINE_READ, "the same, where it is no link into /usr" },
	{ "/lib64", CONFINE_READ, "the same" },
	{ "/etc/ld.so.cache", CONFINE_READ, "where libraries are, when one is loaded" },
	{ "/etc/glvnd", CONFINE_READ, "EGL's vendors, as the administrator wants them" },
	{ "/etc/drirc", CONFINE_READ, "the administrator's settings of Mesa" },
	{ "/etc/localtime", CONFINE_READ, "times in the log" },
	{ "/dev/dri", CONFINE_LIST, "the list of GPUs; nodes have rows of their own" },
	{ "/dev/null", CONFINE_DEVICE, "a render node of this name stands for the CPU" },
	{ "/dev/urandom", CONFINE_READ, "random numbers of libraries older than getrandom()" },
	{ "/sys/devices/system/cpu", CONFINE_READ, "how many CPUs llvmpipe may use" },
	{ "/proc/self", CONFINE_READ, "how much memory it has, its own maps, its threads' names" },
	{ "/proc/cpuinfo", CONFINE_READ, "what LLVM compiles for" },
	{ "/proc/meminfo", CONFINE_READ, "how much memory a driver says that there is" },
};

static const struct confine_path nvidia_paths[] = {
	{ "/dev/nvidiactl", CONFINE_DEVICE, "NVIDIA's driver: its control node" },
	{ "/dev/nvidia-modeset", CONFINE_DEVICE, "NVIDIA's driver: formats for scanout" },
	{ "/dev/nvidia0", CONFINE_DEVICE, "NVIDIA's driver: the GPU" },
	{ "/dev/nvidia1", CONFINE_DEVICE, "the same, of machines with several" },
	{ "/dev/nvidia2", CONFINE_DEVICE, "the same" },
	{ "/dev/nvidia3", CONFINE_DEVICE, "the same" },
	{ "/proc/driver/nvidia", CONFINE_READ, "NVIDIA's driver: what is there" },
	{ "/proc/devices", CONFINE_READ, "NVIDIA's driver: numbers of its nodes" },
	{ "/proc/modules", CONFINE_READ, "NVIDIA's driver: whether it is loaded" },
	{ "/sys/module/nvidia", CONFINE_READ, "the same" },
	{ "/etc/nvidia", CONFINE_READ, "NVIDIA's driver: settings for programs" },
};

/* Variables of the dynamic linker, glvnd and Mesa that name places of libraries and drivers. */
static const char *const variables[] = { "LD_LIBRARY_PATH", "LIBGL_DRIVERS_PATH",
	"GBM_BACKENDS_PATH", "__EGL_VENDOR_LIBRARY_DIRS", "__EGL_VENDOR_LIBRARY_FILENAMES",
	"DRIRC_CONFIGDIR" };

static const struct confine_call calls[] = {
	{ "flock mkdir mkdirat rename renameat renameat2 unlink unlinkat fadvise64",
		"Mesa's shader cache; where, is Landlock's" },
	{ "utimensat", "the same, of a file that is open: Landlock has no word on times of others",
		{ { CONFINE_EQUAL, 1, UINT64_MAX, 0 } } },
};

/*
 * A process ends when its last thread does, and that one gives its memory back. Mesa's thread for
 * the shader cache would have the lowest priority: on a busy machine a renderer of 4 GiB that was
 * killed was gone after 20 s, and only then the next one may draw.
 */
static const struct confine_call refused_early[] = {
	{ "setpriority sched_setscheduler sched_setparam sched_setattr ioprio_set",
		"all threads keep their priority" },
};

static const struct confine_limit limits[] = {
	{ RLIMIT_CORE, 0, "a dump would hold the guest's memory and pictures" },
	{ RLIMIT_NOFILE, RENDER_FDS_MAX, "a process that is taken over cannot take them all" },
	{ RLIMIT_FSIZE, RENDER_FILE_BYTES_MAX, "nor all memory by one file of it" },
	{ RLIMIT_NPROC, RENDER_THREADS_MAX, "nor all threads", .needs_namespaces = true },
};

static bool has_gpu(const struct worker_render_options *options)
{
	return options->render_node && !options->software;
}

static bool has_nvidia(void)
{
	return access("/proc/driver/nvidia", F_OK) == 0;
}

/* ---- the shader cache ---- */

/* Mesa and NVIDIA's driver would take a folder that all programs of this user share. */
static void forbid_cache(void)
{
	setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
	setenv("MESA_GLSL_CACHE_DISABLE", "true", 1);
	setenv("__GL_SHADER_DISK_CACHE", "0", 1);
}

/*
 * Gives where shaders go, or NULL: nowhere. A renderer that is another user than the keeper is told
 * its folder by Mesa's variable (isolation.h).
 */
static char *prepare_cache(const struct worker_render_options *options)
{
	const char *own = g_getenv("MESA_SHADER_CACHE_DIR");
	const char *folder = own && options->shader_cache ? own : options->shader_cache;
	if (!folder || g_mkdir_with_parents(folder, 0700) < 0) {
		if (folder)
			g_message("%s: %s: shaders are compiled at each start", folder,
				g_strerror(errno));
		forbid_cache();
		return NULL;
	}
	setenv("MESA_SHADER_CACHE_DIR", folder, 1);
	setenv("MESA_SHADER_CACHE_MAX_SIZE", SHADER_CACHE_MAX, 0);
	setenv("__GL_SHADER_DISK_CACHE_PATH", folder, 0);
	return g_strdup(folder);
}

/* ---- rules ---- */

static void add_gpus(struct path_list *list, const struct worker_render_options *options)
{
	if (!has_gpu(options))
		return;
	path_list_add_gpu(list, options->render_node);
	if (has_nvidia())
		path_list_add_table(list, nvidia_paths, G_N_ELEMENTS(nvidia_paths));
}

static struct path_list *make_paths(const struct worker_render_options *options, const char *cache)
{
	struct path_list *list = path_list_create();
	path_list_add_table(list, paths, G_N_ELEMENTS(paths));
	for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++)
		path_list_add_variable(list, variables[i]);
	path_list_add_libraries(list);
	g_autofree char *drirc = g_build_filename(g_get_home_dir(), ".drirc", NULL);
	path_list_add(list, drirc, CONFINE_READ, "the user's settings of Mesa");
	if (cache)
		path_list_add(list, cache, CONFINE_READ_WRITE, "this desktop's shader cache");
	add_gpus(list, options);
	return list;
}

static struct confine_rules make_rules(const struct worker_render_options *options)
{
	struct confine_rules rules = {
		.process = "vitrine-render",
		.calls = { confine_calls_common, confine_calls_code,
			{ calls, G_N_ELEMENTS(calls) } },
		.refused_early = { refused_early, G_N_ELEMENTS(refused_early) },
		.limits = limits,
		.n_limits = G_N_ELEMENTS(limits),
	};
	if (has_gpu(options))
		rules.calls[3] = confine_calls_gpu;
	if (has_gpu(options) && has_nvidia())
		rules.calls[4] = confine_calls_nvidia;
	return rules;
}

/* ---- putting them up ---- */

bool render_walls_begin(const struct worker_render_options *options, struct confine_state *state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *cache = prepare_cache(options);
	if (options->confine != CONFINE_OFF)
		confine_note_environment(state);
	struct confine_rules rules = make_rules(options);
	struct path_list *list = make_paths(options, cache);
	path_list_give(list, &rules);
	bool ok = confine_threads(&rules, options->confine, state, &error);
	path_list_destroy(list);
	if (!ok)
		g_warning("%s", error->message);
	return ok;
}

bool render_walls_finish(const struct worker_render_options *options, struct confine_state *state)
{
	g_autoptr(GError) error = NULL;
	struct confine_rules rules = make_rules(options);
	if (!confine_apply(&rules, options->confine, state, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	confine_log(state, options->confine);
	return true;
}
