/* SPDX-License-Identifier: MIT */
/*
 * entry: linked into a renderer, it has it start again with what VITRINE_SHIM_GPU names preloaded
 * (shim.h). The starter may execute the renderer and nothing else, so it is the renderer itself
 * that is executed.
 */
#include <dlfcn.h>
#include <glib.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/shim/shim.h"

#define INSIDE "VITRINE_SHIM_INSIDE"

static void fail(const char *what, const char *name)
{
	g_printerr("shim: %s%s\n", what, name ? name : "");
	_exit(125);
}

/* AddressSanitizer's library must come before all others. */
static const char *find_sanitizer(void)
{
	Dl_info info;
	void *function = dlsym(RTLD_DEFAULT, "__asan_init");
	return function && dladdr(function, &info) ? info.dli_fname : NULL;
}

static void take_mesa(const char *shim, const char *mesa)
{
	g_autofree char *folder = g_strdup_printf("%s/mesa-%s", shim, mesa);
	g_autofree char *lib = g_build_filename(folder, "lib", NULL);
	if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
		fail("there is no ", folder);
	/* An empty folder: it is this machine's own. */
	if (!g_file_test(lib, G_FILE_TEST_IS_DIR))
		return;
	g_autofree char *dri = g_build_filename(lib, "dri", NULL);
	g_autofree char *gbm = g_build_filename(lib, "gbm", NULL);
	g_autofree char *vendor = g_build_filename(folder, "egl_vendor.json", NULL);
	const char *before = g_getenv("LD_LIBRARY_PATH");
	g_autofree char *path = before ? g_strdup_printf("%s:%s", lib, before) : g_strdup(lib);
	g_setenv("LD_LIBRARY_PATH", path, TRUE);
	g_setenv("LIBGL_DRIVERS_PATH", dri, TRUE);
	g_setenv("GBM_BACKENDS_PATH", gbm, TRUE);
	g_setenv("__EGL_VENDOR_LIBRARY_FILENAMES", vendor, TRUE);
}

/* The failure `bug`, called by the preload: here it is in the renderer's own code. */
__attribute__((visibility("default"))) void shim_bug(void);
void shim_bug(void)
{
	int *volatile nowhere = (int *)8;
	*nowhere = 0;
}

__attribute__((constructor)) static void start_again(int argc, char **argv)
{
	const char *gpu = g_getenv("VITRINE_SHIM_GPU"), *shim = g_getenv("VITRINE_SHIM");
	const char *mesa = g_getenv("VITRINE_SHIM_MESA");
	if (!gpu || g_getenv(INSIDE))
		return;
	const struct shim_chip *chip = shim_chip_find(gpu);
	if (!chip)
		fail("there is no chip ", gpu);
	if (!shim)
		fail("VITRINE_SHIM is not set", NULL);
	const char *sanitizer = find_sanitizer();
	/* What has calls fail (tests/faults) stands before the shims' own, as before the kernel's.
	 */
	const char *faults = g_getenv("FAULTS_PRELOAD");
	g_autofree char *preload = g_strdup_printf("%s%s%s%s%s:%s/shims/%s",
		sanitizer ? sanitizer : "", sanitizer ? ":" : "", faults ? faults : "",
		faults ? ":" : "", SHIM_PRELOAD, shim, chip->library);
	g_setenv("LD_PRELOAD", preload, TRUE);
	g_setenv(chip->variable, chip->value, TRUE);
	if (mesa)
		take_mesa(shim, mesa);
	g_setenv(INSIDE, "1", TRUE);
	execv("/proc/self/exe", argv);
	fail("cannot be executed again", NULL);
}
