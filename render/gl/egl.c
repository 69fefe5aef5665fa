/* SPDX-License-Identifier: MIT */
#include "render/gl/egl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

#define DRM_MAJOR 226
#define RENDER_MINOR_FIRST 128
#define RENDER_NODES_MAX 64

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
	if (fd == -1)
		g_warning("%s: %s", render_node, g_strerror(errno));
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
		g_message("%s: not by %s: %s", path, egl_platform_get_name(platforms[i]), why);
	}
	return false;
}

/* Finds the first node that works and does not draw with the CPU. */
static bool find_node(struct egl_choice *choice)
{
	for (int i = 0; i < RENDER_NODES_MAX; i++) {
		char path[64];
		g_snprintf(path, sizeof(path), "/dev/dri/renderD%d", RENDER_MINOR_FIRST + i);
		int fd = open_node(path);
		if (fd == -1 && errno == EACCES)
			g_message("%s: no right to open it", path);
		if (fd < 0)
			continue;
		if (!try_node(choice, fd, path)) {
			close(fd);
			continue;
		}
		if (!choice->software)
			return true;
		g_message("%s: left alone: it draws with the CPU (%s)", path,
			egl_display_get_renderer());
		egl_abandon(choice);
	}
	return false;
}

/* ---- the choice ---- */

static bool choose_software(struct egl_choice *choice)
{
	const char *why = NULL;
	setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
	if (!egl_display_open(EGL_ON_NOTHING, -1, &why)) {
		g_warning("software rendering: %s", why);
		return false;
	}
	*choice = (struct egl_choice){ EGL_ON_NOTHING, true, -1, "" };
	g_snprintf(choice->description, sizeof(choice->description), "software, %s, %s",
		egl_platform_get_name(choice->platform), egl_display_get_renderer());
	return true;
}

static bool choose_named(struct egl_choice *choice, const char *path)
{
	int fd = open_node(path);
	if (fd == -2)
		return choose_software(choice);
	if (fd < 0) {
		g_warning("%s: %s", path, g_strerror(errno));
		return false;
	}
	if (try_node(choice, fd, path))
		return true;
	g_warning("%s: OpenGL does not work on this render node", path);
	close(fd);
	return false;
}

bool egl_choose(struct egl_choice *choice, const char *render_node, bool software)
{
	/*
	 * llvmpipe starts a thread for each core, and each costs memory; beyond four a desktop
	 * gains little.
	 */
	g_autofree char *n_threads = g_strdup_printf("%u", MIN(g_get_num_processors(), 4));
	setenv("LP_NUM_THREADS", n_threads, 0);
	*choice = (struct egl_choice){ .render_node_fd = -1 };
	if (software)
		return choose_software(choice);
	if (render_node)
		return choose_named(choice, render_node);
	return find_node(choice) || choose_software(choice);
}

void egl_abandon(struct egl_choice *choice)
{
	egl_display_close();
	if (choice->render_node_fd >= 0)
		close(choice->render_node_fd);
	*choice = (struct egl_choice){ .render_node_fd = -1 };
}
