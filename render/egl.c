/* SPDX-License-Identifier: MIT */
#include "render/egl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DRM_MAJOR 226
#define RENDER_MINOR_FIRST 128
#define RENDER_NODES_MAX 64

static bool is_render_node(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) == DRM_MAJOR &&
			minor(st.st_rdev) >= RENDER_MINOR_FIRST;
}

static int open_node(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0 && is_render_node(fd))
		return fd;
	int error = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static int find_node(char *path, size_t size)
{
	for (int i = 0; i < RENDER_NODES_MAX; i++) {
		g_snprintf(path, size, "/dev/dri/renderD%d", RENDER_MINOR_FIRST + i);
		int fd = open_node(path);
		if (fd >= 0)
			return fd;
		if (errno == EACCES)
			g_message("%s: no right to open it", path);
	}
	return -1;
}

/*
 * llvmpipe starts a thread for each core and each costs memory; beyond four a desktop gains little.
 */
static void set_software(struct egl_choice *choice)
{
	g_autofree char *n_threads = g_strdup_printf("%u", MIN(g_get_num_processors(), 4));
	setenv("LP_NUM_THREADS", n_threads, 0);
	setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
	choice->surfaceless = choice->software = true;
	choice->render_node_fd = -1;
	g_strlcpy(choice->description, "software, EGL surfaceless", sizeof(choice->description));
}

bool egl_choose(struct egl_choice *choice, const char *render_node, bool software)
{
	char path[64] = "";
	*choice = (struct egl_choice){ .render_node_fd = -1 };
	if (!software && render_node) {
		choice->render_node_fd = open_node(render_node);
		if (choice->render_node_fd < 0 && errno != 0) {
			g_warning("%s: %s", render_node, g_strerror(errno));
			return false;
		}
	} else if (!software) {
		choice->render_node_fd = find_node(path, sizeof(path));
	}
	if (choice->render_node_fd < 0) {
		set_software(choice);
		return true;
	}
	g_snprintf(choice->description, sizeof(choice->description), "render node %s",
			render_node ? render_node : path);
	return true;
}

const struct buffer_interface *egl_buffer_interface(const struct egl_choice *choice)
{
	return &buffer_memfd;
}
