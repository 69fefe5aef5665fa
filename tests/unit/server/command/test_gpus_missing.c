/* SPDX-License-Identifier: MIT */
/* gpus_missing: checks what is said of machines that lack something, made of files of the test's
 * own. */
#include "server/command/gpus_missing.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char *root;
	struct gpu_info gpu;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->root = g_dir_make_tmp("vitrine-missing-XXXXXX", NULL);
	g_assert_cmpint(chmod(f->root, 0755), ==, 0);
	f->gpu = (struct gpu_info){ .report = g_key_file_new() };
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_autofree char *command = g_strdup_printf("rm -rf %s", f->root);
	g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
	g_key_file_free(f->gpu.report);
	g_free(f->gpu.node);
	g_free(f->root);
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	g_autofree char *whole = g_strconcat(f->root, path, NULL);
	g_autofree char *folder = g_path_get_dirname(whole);
	g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
	g_assert_true(g_file_set_contents(whole, text, -1, NULL));
}

/* Gives all lines of the driver's card as one text; the caller frees it. */
static char *ask(struct fixture *f, const char *driver)
{
	f->gpu.driver = (char *)driver;
	g_auto(GStrv) lines = gpus_find_missing(&f->gpu, f->root);
	return g_strjoinv("\n", lines);
}

/* The same, by somebody who may not read what root alone may. */
static char *ask_as_nobody(struct fixture *f, const char *driver)
{
	bool is_root = geteuid() == 0;
	if (is_root)
		g_assert_cmpint(seteuid(65534), ==, 0);
	char *text = ask(f, driver);
	if (is_root)
		g_assert_cmpint(seteuid(0), ==, 0);
	return text;
}

/* As the kernel shows some parameters, with the mode 0400; whoever is no root has none at all. */
static void put_secret(const struct fixture *f, const char *path, const char *text)
{
	put(f, path, text);
	g_autofree char *whole = g_strconcat(f->root, path, NULL);
	g_assert_cmpint(chmod(whole, geteuid() == 0 ? 0400 : 0), ==, 0);
}

static void set_renderer(struct fixture *f, const char *name)
{
	g_key_file_set_string(f->gpu.report, "gpu", "renderer", name);
}

static void expect(const char *text, const char *part, bool is_there)
{
	if ((strstr(text, part) != NULL) != is_there)
		g_error("\"%s\" is %s: %s", part, is_there ? "not in" : "in", text);
}

static void test_nvidia(struct fixture *f, gconstpointer data)
{
	put(f, "/sys/module/nvidia_drm/parameters/modeset", "N\n");
	g_autofree char *bare = ask(f, "nvidia");
	expect(bare, "nvidia-drm modeset=1", true);
	expect(bare, "apt install libnvidia-egl-gbm1", true);
	expect(bare, "apt install libnvidia-encode1", true);
	put(f, "/sys/module/nvidia_drm/parameters/modeset", "Y\n");
	put(f, "/usr/lib/x86_64-linux-gnu/libnvidia-egl-gbm.so.1", "");
	put(f, "/usr/lib64/libnvidia-encode.so.1", "");
	g_autofree char *whole = ask(f, "nvidia");
	g_assert_cmpstr(whole, ==, "");
}

#define GUC "/sys/module/i915/parameters/enable_guc"
#define ROOT_READS_GUC "only root can read " GUC

static void test_nvidia_secret(struct fixture *f, gconstpointer data)
{
	put_secret(f, "/sys/module/nvidia_drm/parameters/modeset", "Y\n");
	g_autofree char *unknown = ask_as_nobody(f, "nvidia-drm");
	expect(unknown, "only root can read /sys/module/nvidia_drm/parameters/modeset", true);
	g_key_file_set_string(f->gpu.report, "scanout", "XRGB8888", "implicit");
	g_autofree char *seen = ask_as_nobody(f, "nvidia-drm");
	expect(seen, "modeset", false);
}

static void put_intel(struct fixture *f, const char *firmware)
{
	put(f, firmware, "");
	put(f, "/usr/lib/x86_64-linux-gnu/dri/iHD_drv_video.so", "");
}

static void test_intel(struct fixture *f, gconstpointer data)
{
	static const char *const good[] = { "2\n", "3\n", "-1\n" };
	set_renderer(f, "Mesa Intel(R) Graphics (ADL GT2)");
	g_autofree char *bare = ask(f, "i915");
	expect(bare, "apt install firmware-misc-nonfree", true);
	expect(bare, "apt install intel-media-va-driver-non-free", true);
	put_intel(f, "/lib/firmware/i915/tgl_huc.bin");
	put(f, GUC, "1\n");
	g_autofree char *off = ask(f, "i915");
	expect(off, "enable_guc=2", true);
	expect(off, "apt", false);
	for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
		put(f, GUC, good[i]);
		g_autofree char *on = ask(f, "i915");
		g_assert_cmpstr(on, ==, "");
	}
}

/* What -1 is depends on the generation, and the oldest have no HuC. */
static void test_intel_generations(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *renderer;
		bool is_off;
	} cases[] = {
		{ "Mesa Intel(R) HD Graphics 520 (SKL GT2)", true },
		{ "Mesa Intel(R) Xe Graphics (TGL GT2)", true },
		{ "Mesa Intel(R) UHD Graphics (JSL)", true },
		{ "Mesa Intel(R) Arc(tm) A770 Graphics (DG2)", false },
		{ "Mesa Intel(R) HD Graphics 5500 (BDW GT2)", false },
	};
	put_intel(f, "/lib/firmware/i915/tgl_huc.bin");
	put(f, GUC, "-1\n");
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		set_renderer(f, cases[i].renderer);
		g_autofree char *text = ask(f, "i915");
		expect(text, "enable_guc=2", cases[i].is_off);
	}
	put(f, GUC, "0\n");
	g_autofree char *none = ask(f, "i915");
	g_assert_cmpstr(none, ==, "");
}

/* Whoever is no root goes by what the encoder offered in its trial, where it had one. */
static void test_intel_secret(struct fixture *f, gconstpointer data)
{
	static const char *const offers[] = {
		"va (vah264enc): h264, any size, rate control cqp; works",
		"va-low-power (vah264lpenc): h264, any size, rate control cbr, cqp; works", NULL
	};
	static const char *const lacks[] = {
		"va-low-power (vah264lpenc): h264, any size, rate control cqp; its "
		"rate-control is cqp and cannot be cbr",
		NULL
	};
	put_intel(f, "/lib/firmware/i915/tgl_huc.bin");
	put_secret(f, GUC, "0\n");
	set_renderer(f, "Mesa Intel(R) Xe Graphics (TGL GT2)");
	g_autofree char *untried = ask_as_nobody(f, "i915");
	expect(untried, ROOT_READS_GUC ", which is to say 2 or 3 (", true);
	f->gpu.encoders = (char **)offers;
	g_autofree char *serves = ask_as_nobody(f, "i915");
	g_assert_cmpstr(serves, ==, "");
	f->gpu.encoders = (char **)lacks;
	g_autofree char *off = ask_as_nobody(f, "i915");
	expect(off, "enable_guc=2", true);
	expect(off, ROOT_READS_GUC, false);
	put(f, GUC, "2\n");
	g_autofree char *broken = ask(f, "i915");
	expect(broken, "dmesg", true);
}

static void test_xe(struct fixture *f, gconstpointer data)
{
	static const char *const lacks[] = {
		"va-low-power (vah264lpenc): h264, any size, rate control cqp; its "
		"rate-control is cqp and cannot be cbr",
		NULL
	};
	g_autofree char *bare = ask(f, "xe");
	expect(bare, "apt install firmware-misc-nonfree", true);
	put_intel(f, "/lib/firmware/xe/lnl_huc.bin");
	g_autofree char *whole = ask(f, "xe");
	g_assert_cmpstr(whole, ==, "");
	f->gpu.encoders = (char **)lacks;
	g_autofree char *broken = ask(f, "xe");
	expect(broken, "dmesg", true);
}

static void test_others(struct fixture *f, gconstpointer data)
{
	g_autofree char *amd = ask(f, "amdgpu");
	expect(amd, "apt install firmware-amd-graphics", true);
	expect(amd, "apt install mesa-va-drivers", true);
	g_autofree char *nouveau = ask(f, "nouveau");
	expect(nouveau, "apt install nvidia-driver", true);
	g_autofree char *unknown = ask(f, "virtio_gpu");
	g_assert_cmpstr(unknown, ==, "");
}

/* Root may open everything, so another user asks. */
static void test_right(struct fixture *f, gconstpointer data)
{
	if (geteuid() != 0) {
		g_test_skip("needs root, to be another user");
		return;
	}
	f->gpu.node = g_build_filename(f->root, "renderD128", NULL);
	put(f, "/renderD128", "");
	g_assert_cmpint(chmod(f->root, 0755), ==, 0);
	g_assert_cmpint(chown(f->gpu.node, 0, 1), ==, 0);
	g_assert_cmpint(chmod(f->gpu.node, 0660), ==, 0);
	if (g_test_subprocess()) {
		g_assert_cmpint(setresgid(65534, 65534, 65534), ==, 0);
		g_assert_cmpint(setresuid(65534, 65534, 65534), ==, 0);
		g_autofree char *text = ask(f, NULL);
		g_print("%s\n", text);
		_exit(0);
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stdout("*the right to it: adduser USER daemon, and log in again*");
}

static void test_idle_cards(struct fixture *f, gconstpointer data)
{
	put(f, "/sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n");
	put(f, "/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
	put(f, "/sys/bus/pci/devices/0000:02:00.0/class", "0x030000\n");
	put(f, "/sys/bus/pci/devices/0000:02:00.0/vendor", "0x1002\n");
	put(f, "/sys/bus/pci/devices/0000:02:00.0/drm/renderD128", "");
	put(f, "/sys/bus/pci/devices/0000:03:00.0/class", "0x020000\n");
	put(f, "/sys/bus/pci/devices/0000:03:00.0/vendor", "0x8086\n");
	g_auto(GStrv) lines = gpus_find_idle_cards(f->root);
	g_assert_cmpuint(g_strv_length(lines), ==, 1);
	expect(lines[0], "0000:01:00.0 (driver: none): apt install nvidia-driver", true);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *, gconstpointer);
	} cases[] = {
		{ "/gpus-missing/nvidia", test_nvidia },
		{ "/gpus-missing/nvidia-secret", test_nvidia_secret },
		{ "/gpus-missing/intel", test_intel },
		{ "/gpus-missing/intel-generations", test_intel_generations },
		{ "/gpus-missing/intel-secret", test_intel_secret },
		{ "/gpus-missing/xe", test_xe },
		{ "/gpus-missing/others", test_others },
		{ "/gpus-missing/right", test_right },
		{ "/gpus-missing/idle-cards", test_idle_cards },
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
