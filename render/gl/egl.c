/* SPDX-License-Identifier: MIT */
#include "render/gl/egl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

#define DRM_MAJOR 226

/* ---- nodes ---- */

/*
 * Returns the descriptor, or -1 with errno when the node cannot be opened, or -2 when it is no DRM
 * device.
 */
static int open_node(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) == DRM_MAJOR)
		return fd;
	close(fd);
	return -2;
}

bool egl_check_node(const char *render_node)
{
	int fd = open_node(render_node);
	if (fd >= 0)
		close(fd);
	return fd != -1;
}

static void describe(struct egl_choice *choice, const char *path)
{
	drmVersion *version = drmGetVersion(choice->render_node_fd);
	g_snprintf(choice->description, sizeof(choice->description), "render node %s (%s), %s, %s",
		path, version ? version->name : "unknown driver",
		egl_platform_get_name(choice->platform), egl_display_get_renderer());
	drmFreeVersion(version);
}

/*
 * VITRINE_EGL=gbm or device leaves out the other. That is for tests, and for drivers that mislead.
 */
static bool platform_is_allowed(enum egl_platform platform)
{
	const char *only = g_getenv("VITRINE_EGL");
	return !only || g_str_equal(only, platform == EGL_ON_GBM ? "gbm" : "device");
}

/* Why one way did not lead there goes behind why the others did not, unless that is the same. */
static void note_failure(struct egl_choice *choice, enum egl_platform platform, const char *why)
{
	size_t used = strlen(choice->description);
	if (strstr(choice->description, why))
		return;
	g_snprintf(choice->description + used, sizeof(choice->description) - used, "%s%s (%s)",
		used ? "; " : "", why, egl_platform_get_name(platform));
}

/* Takes the descriptor over when it succeeds. */
static bool try_node(struct egl_choice *choice, int fd, const char *path)
{
	static const enum egl_platform platforms[] = { EGL_ON_GBM, EGL_ON_DEVICE };
	for (unsigned i = 0; i < G_N_ELEMENTS(platforms); i++) {
		const char *why = NULL;
		if (!platform_is_allowed(platforms[i]))
			continue;
		if (egl_display_open(platforms[i], fd, &why)) {
			choice->platform = platforms[i];
			choice->render_node_fd = fd;
			choice->software = egl_display_is_software();
			describe(choice, path);
			return true;
		}
		note_failure(choice, platforms[i], why);
	}
	return false;
}

/* ---- the choice ---- */

static bool choose_software(struct egl_choice *choice)
{
	const char *why = NULL;
	setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
	*choice = (struct egl_choice){ EGL_ON_NOTHING, true, -1, "" };
	if (!egl_display_open(EGL_ON_NOTHING, -1, &why)) {
		g_snprintf(choice->description, sizeof(choice->description),
			"software rendering: %s", why);
		return false;
	}
	g_snprintf(choice->description, sizeof(choice->description), "software, %s, %s",
		egl_platform_get_name(choice->platform), egl_display_get_renderer());
	return true;
}

static const char *describe_open_error(int error)
{
	if (error == EACCES || error == EPERM)
		return "no right to open it (the group render has it, mostly)";
	return g_strerror(error);
}

static bool choose_node(struct egl_choice *choice, const char *path, bool hardware)
{
	int fd = open_node(path);
	if (fd == -2 && !hardware)
		return choose_software(choice);
	if (fd < 0) {
		g_strlcpy(choice->description,
			fd == -2 ? "it is no DRM device" : describe_open_error(errno),
			sizeof(choice->description));
		return false;
	}
	if (!try_node(choice, fd, path)) {
		close(fd);
		return false;
	}
	if (!choice->software || !hardware)
		return true;
	g_autofree char *renderer = g_strdup(egl_display_get_renderer());
	egl_abandon(choice);
	g_snprintf(choice->description, sizeof(choice->description), "it draws with the CPU (%s)",
		renderer);
	return false;
}

/*
 * Has llvmpipe draw rectangles of one colour as it does all else. It has a way of its own for them,
 * in which Mesa 25.0 takes each constant of the program to its stack, where there is room for 16:
 * a program's 17th goes over what the caller handed over there, as where the pixels go. In 22.3
 * that way is open to targets of other formats than GL makes.
 */
static void leave_out_linear_rasterizer(void)
{
	setenv("LP_PERF", "no_rast_linear", 1);
}

bool egl_choose(struct egl_choice *choice, const char *render_node, bool hardware)
{
	/*
	 * llvmpipe starts a thread for each core, and each costs memory; beyond four a desktop
	 * gains little.
	 */
	g_autofree char *n_threads = g_strdup_printf("%u", MIN(g_get_num_processors(), 4));
	setenv("LP_NUM_THREADS", n_threads, 0);
	leave_out_linear_rasterizer();
	*choice = (struct egl_choice){ .render_node_fd = -1 };
	return render_node ? choose_node(choice, render_node, hardware) : choose_software(choice);
}

void egl_abandon(struct egl_choice *choice)
{
	egl_display_close();
	if (choice->render_node_fd >= 0)
		close(choice->render_node_fd);
	*choice = (struct egl_choice){ .render_node_fd = -1 };
}
