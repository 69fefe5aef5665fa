/* SPDX-License-Identifier: MIT */
#include "server/starter/starter_paths.h"

#include <glib.h>
#include <link.h>
#include <string.h>

static const struct confine_path paths[] = {
	{ "/usr", CONFINE_READ, "libraries, drivers, plugins, settings: what is installed" },
	{ "/lib", CONFINE_READ, "the same, where it is no link into /usr" },
	{ "/lib64", CONFINE_READ, "the same" },
	{ "/opt", CONFINE_READ, "the same, of other makers" },
	{ "/nix/store", CONFINE_READ, "the same, where each library has a folder of its own" },
	{ "/gnu/store", CONFINE_READ, "the same" },
	{ "/etc/ld.so.cache", CONFINE_READ, "where libraries are, when one is loaded" },
	{ "/etc/ld.so.preload", CONFINE_READ, "which ones the administrator wants everywhere" },
	{ "/etc/alternatives", CONFINE_READ, "links to which libraries lead" },
	{ "/etc/glvnd", CONFINE_READ, "EGL's vendors, as the administrator wants them" },
	{ "/etc/drirc", CONFINE_READ, "the administrator's settings of Mesa" },
	{ "/etc/libva.conf", CONFINE_READ, "which driver VA-API is to load" },
	{ "/etc/nvidia", CONFINE_READ, "NVIDIA's driver: settings for programs" },
	{ "/etc/localtime", CONFINE_READ, "times in the log" },
	{ "/etc/gnutls", CONFINE_READ, "GnuTLS: which ciphers the administrator wants" },
	{ "/etc/crypto-policies", CONFINE_READ, "the same, elsewhere than on Debian" },
	{ "/etc/ssl/openssl.cnf", CONFINE_READ, "OpenSSL's settings" },
	{ "/dev/dri", CONFINE_LIST, "the list of GPUs" },
	{ "/dev/dri", CONFINE_DEVICE, "GPUs; each worker allows itself render nodes alone" },
	{ "/dev/nvidiactl", CONFINE_DEVICE, "NVIDIA's driver: its control node" },
	{ "/dev/nvidia-modeset", CONFINE_DEVICE, "NVIDIA's driver: formats for scanout" },
	{ "/dev/nvidia-uvm", CONFINE_DEVICE, "NVIDIA's driver: CUDA's memory" },
	{ "/dev/nvidia0", CONFINE_DEVICE, "NVIDIA's driver: the GPU" },
	{ "/dev/nvidia1", CONFINE_DEVICE, "the same, of machines with several" },
	{ "/dev/nvidia2", CONFINE_DEVICE, "the same" },
	{ "/dev/nvidia3", CONFINE_DEVICE, "the same" },
	{ "/dev/null", CONFINE_DEVICE, "input of workers, and a render node for the CPU" },
	{ "/dev/urandom", CONFINE_READ, "random numbers of libraries older than getrandom()" },
	{ "/sys/devices", CONFINE_READ, "how many CPUs there are, and which GPU" },
	{ "/sys/dev/char", CONFINE_READ, "the way there" },
	{ "/sys/class/drm", CONFINE_READ, "GStreamer's VA plugin looks for GPUs by libudev" },
	{ "/sys/bus", CONFINE_READ, "the same" },
	{ "/run/udev", CONFINE_READ, "the same" },
	{ "/sys/module/nvidia", CONFINE_READ, "NVIDIA's driver: whether it is loaded" },
	/* A worker's own folder there has a number that nobody knows yet. */
	{ "/proc", CONFINE_READ, "workers: their own maps and figures, what the machine is" },
};

/* Without namespaces there is nothing to write there. */
static const struct confine_path map_paths[] = {
	{ "/proc", CONFINE_DEVICE, "maps of workers' users; /proc/sys and such is read-only" },
};

/* Variables that name places of libraries, drivers, plugins and settings. */
static const char *const variables[] = { "LD_LIBRARY_PATH", "LIBGL_DRIVERS_PATH",
	"GBM_BACKENDS_PATH", "__EGL_VENDOR_LIBRARY_DIRS", "__EGL_VENDOR_LIBRARY_FILENAMES",
	"DRIRC_CONFIGDIR", "GST_PLUGIN_PATH", "GST_PLUGIN_PATH_1_0", "GST_PLUGIN_SYSTEM_PATH",
	"GST_PLUGIN_SYSTEM_PATH_1_0", "LIBVA_DRIVERS_PATH" };

/* The kernel executes the dynamic linker, which our own program names. */
static int add_linker(struct dl_phdr_info *info, size_t size_bytes, void *list)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type == PT_INTERP)
			path_list_add(list,
				(const char *)(info->dlpi_addr + (size_t)header->p_vaddr),
				CONFINE_EXECUTE, "the dynamic linker");
	}
	/* The program itself comes first. */
	return 1;
}

/* GStreamer has new plugins looked at in a process of their own, which may crash. */
static void add_scanner(struct path_list *list)
{
	const char *const places[] = { "/usr/libexec/gstreamer-1.0/gst-plugin-scanner",
		"/usr/lib/gstreamer-1.0/gst-plugin-scanner",
		"/usr/lib/x86_64-linux-gnu/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner",
		"/usr/lib/aarch64-linux-gnu/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner",
		g_getenv("GST_PLUGIN_SCANNER"), g_getenv("GST_PLUGIN_SCANNER_1_0") };
	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		if (places[i])
			path_list_add(list, places[i], CONFINE_EXECUTE, "GStreamer's scanner");
	}
}

/* Where the workers are other users home is theirs, and has nothing but what they keep. */
static void add_home(struct path_list *list)
{
	g_autofree char *drirc = g_build_filename(g_get_home_dir(), ".drirc", NULL);
	g_autofree char *plugins =
		g_build_filename(g_get_user_data_dir(), "gstreamer-1.0", "plugins", NULL);
	path_list_add(list, drirc, CONFINE_READ, "the user's settings of Mesa");
	path_list_add(list, plugins, CONFINE_READ, "the user's own plugins of GStreamer");
}

/*
 * A program that takes the place of a worker's (starter_set_program()) is another file, so its
 * folder must be named to Landlock: where nothing but workers can be executed in that.
 */
static bool is_workers_alone(const char *folder, const struct starter_plan *plan)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	bool alone = dir != NULL;
	for (const char *name; alone && (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		bool is_worker = false;
		for (unsigned i = 0; i < plan->n_commands && !is_worker; i++)
			is_worker = strcmp(plan->commands[i].argv[0], path) == 0;
		alone = is_worker || !g_file_test(path, G_FILE_TEST_IS_REGULAR) ||
			!g_file_test(path, G_FILE_TEST_IS_EXECUTABLE);
	}
	return alone;
}

static void add_workers(struct path_list *list, const struct starter_plan *plan)
{
	for (unsigned i = 0; i < plan->n_commands; i++) {
		const char *program = plan->commands[i].argv[0];
		g_autofree char *folder = g_path_get_dirname(program);
		/* Those of other GPUs are the same two. */
		if (i >= 2 && strcmp(program, plan->commands[i - 2].argv[0]) == 0)
			continue;
		path_list_add(list, program, CONFINE_EXECUTE, "a worker");
		if (is_workers_alone(folder, plan))
			path_list_add(list, folder, CONFINE_EXECUTE,
				"one that takes its place, by an upgrade");
	}
}

struct path_list *starter_paths_create(const struct isolation *isolation)
{
	const struct starter_plan *plan = isolation->plan;
	struct path_list *list = path_list_create();
	path_list_add_table(list, paths, G_N_ELEMENTS(paths));
	if (isolation->namespaces)
		path_list_add_table(list, map_paths, G_N_ELEMENTS(map_paths));
	for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++)
		path_list_add_variable(list, variables[i]);
	path_list_add_libraries(list);
	dl_iterate_phdr(add_linker, list);
	add_workers(list, plan);
	add_scanner(list);
	if (!isolation->has_users)
		add_home(list);
	for (unsigned i = 0; i < isolation->writable->len; i++)
		path_list_add(list, isolation->writable->pdata[i], CONFINE_READ_WRITE,
			"compiled shaders, and GStreamer's list of plugins");
	if (plan->gpu)
		path_list_add_gpu(list, plan->gpu);
	return list;
}
