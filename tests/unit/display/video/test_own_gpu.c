/* SPDX-License-Identifier: MIT */
/* own gpu: checks which elements are those of a machine's several GPUs. */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "display/video/own_gpu.h"

static char *root;

static void make_folder(const char *path)
{
	g_autofree char *all = g_strconcat(root, path, NULL);
	g_assert_cmpint(g_mkdir_with_parents(all, 0700), ==, 0);
}

static void make_node(const char *node, const char *address)
{
	g_autofree char *drm = g_strdup_printf("/sys/class/drm/%s", node);
	g_autofree char *device = g_strdup_printf("/sys/devices/pci0000:00/%s", address);
	g_autofree char *link = g_strdup_printf("%s%s/device", root, drm);
	g_autofree char *target = g_strconcat(root, device, NULL);
	make_folder(drm);
	make_folder(device);
	g_assert_cmpint(symlink(target, link), ==, 0);
}

static const struct candidate *find(const char *name)
{
	unsigned n;
	const struct candidate *all = candidates_get(&n);
	for (unsigned i = 0; i < n; i++) {
		if (g_str_equal(all[i].name, name))
			return &all[i];
	}
	g_assert_not_reached();
}

static void expect(const char *node, const char *candidate, const char *element, bool may_have)
{
	struct own_gpu gpu;
	own_gpu_find(&gpu, root, node);
	g_autofree char *own = own_gpu_element(&gpu, find(candidate));
	g_assert_cmpstr(own, ==, element);
	g_assert_cmpint(own_gpu_may_have(&gpu, find(candidate)), ==, may_have);
	own_gpu_finish(&gpu);
}

static void test_names(void)
{
	expect("/dev/dri/renderD128", "va", "varenderD128h264enc", true);
	expect("/dev/dri/renderD129", "va", "varenderD129h264enc", true);
	expect("/dev/dri/renderD129", "va-low-power", "varenderD129h264lpenc", true);
	expect("/dev/dri/renderD129", "va-jpeg", "varenderD129jpegenc", true);
	expect("/dev/dri/renderD129", "vaapi", NULL, true);
	expect("/dev/dri/renderD129", "x264", NULL, true);
}

/* NVIDIA's are counted by their addresses, and what is not NVIDIA's has none of its encoders. */
static void test_nvidia(void)
{
	expect("/dev/dri/renderD128", "nvenc", NULL, false);
	expect("/dev/dri/renderD129", "nvenc", "nvh264device0enc", true);
	expect("/dev/dri/renderD130", "nvenc", "nvh264device1enc", true);
	expect("/dev/dri/renderD131", "nvenc", NULL, false);
}

static void test_unknown(void)
{
	expect(NULL, "va", NULL, true);
	expect(NULL, "nvenc", NULL, true);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	root = g_dir_make_tmp("vitrine-gpus-XXXXXX", NULL);
	make_node("renderD128", "0000:00:02.0");
	make_node("renderD129", "0000:01:00.0");
	make_node("renderD130", "0000:41:00.0");
	make_folder("/proc/driver/nvidia/gpus/0000:41:00.0");
	make_folder("/proc/driver/nvidia/gpus/0000:01:00.0");
	g_test_add_func("/own-gpu/names", test_names);
	g_test_add_func("/own-gpu/nvidia", test_nvidia);
	g_test_add_func("/own-gpu/unknown", test_unknown);
	int status = g_test_run();
	const char *const argv_rm[] = { "rm", "-r", root, NULL };
	g_spawn_sync(NULL, (char **)argv_rm, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
		NULL, NULL);
	g_free(root);
	return status;
}
