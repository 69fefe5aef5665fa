/* SPDX-License-Identifier: MIT */
#include "render/gl/egl_libraries.h"

#include <dlfcn.h>
#include <epoxy/egl.h>
#include <glib.h>
#include <link.h>
#include <string.h>

/*
 * Mesa before 24.3 has its drivers in files of their own beside its libraries, under many names
 * that are one file where the distribution links them: then it is the GPU's, too. Later ones have
 * them in a library that EGL's is linked to.
 */
#define DRIVER "swrast_dri.so"

/* Gives the folder of Mesa's EGL, which the caller frees, in *user. */
static int find_mesa(struct dl_phdr_info *info, size_t size_bytes, void *user)
{
	if (!info->dlpi_name || !strstr(info->dlpi_name, "/libEGL_mesa.so"))
		return 0;
	*(char **)user = g_path_get_dirname(info->dlpi_name);
	return 1;
}

static char *find_drivers(void)
{
	const char *chosen = g_getenv("LIBGL_DRIVERS_PATH");
	char *mesa = NULL;
	if (chosen)
		return g_strndup(chosen, strcspn(chosen, ":"));
	dl_iterate_phdr(find_mesa, &mesa);
	char *drivers = mesa ? g_build_filename(mesa, "dri", NULL) : NULL;
	g_free(mesa);
	return drivers;
}

void egl_libraries_load(void)
{
	/* It loads the libraries of all vendors, to ask them. */
	eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
	g_autofree char *folder = find_drivers();
	g_autofree char *driver = folder ? g_build_filename(folder, DRIVER, NULL) : NULL;
	if (driver && !dlopen(driver, RTLD_NOW | RTLD_GLOBAL))
		g_debug("%s", dlerror());
}
