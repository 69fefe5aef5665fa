/* SPDX-License-Identifier: MIT */
#include "tests/drm/drm_test.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/wire/wire.h"

#define SETTLE_US (20 * G_USEC_PER_SEC)

static struct gbm_shim_counts *counts;

/*
 * Starts a renderer once, so that the libraries are in memory. The VM reads them over 9p, and
 * Mesa's are large: the first renderer would miss the keeper's deadline on a busy machine. Without
 * a keeper link it ends as soon as it has drawn.
 */
static void warm_up(void)
{
	g_autofree char *command =
		g_strdup_printf("sh -c '%s --virgl --render-node=%s 3</dev/null 2>&1'",
			g_getenv("VITRINE_RENDER"), g_getenv("WIRE_RENDER_NODE"));
	g_autofree char *output = NULL;
	g_spawn_command_line_sync(command, &output, NULL, NULL, NULL);
	g_test_message("%s", output ? g_strstrip(output) : "no renderer");
}

bool drm_test_init(void)
{
	if (!g_getenv("WIRE_RENDER_NODE"))
		return false;
	/* Workers may write where their shaders are kept, and nowhere else. */
	g_autofree char *folder = g_dir_make_tmp("gbm-shim-XXXXXX", NULL);
	g_autofree char *shaders = g_build_filename(folder, "vitrine", "shaders", WIRE_NAME, NULL);
	g_assert_cmpint(g_mkdir_with_parents(shaders, 0777), ==, 0);
	g_autofree char *file = g_build_filename(shaders, "counts", NULL);
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	g_assert_cmpint(ftruncate(fd, sizeof(*counts)), ==, 0);
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	g_assert_true(counts != MAP_FAILED);
	close(fd);
	warm_up();
	g_setenv("MESA_SHADER_CACHE_DIR", folder, TRUE);
	g_setenv("GBM_SHIM_COUNT", file, TRUE);
	g_setenv("LD_PRELOAD", g_getenv("GBM_SHIM"), TRUE);
	return true;
}

void drm_test_reset_counts(void)
{
	memset(counts, 0, sizeof(*counts));
}

uint64_t drm_test_buffers_made(void)
{
	return __atomic_load_n(&counts->made, __ATOMIC_RELAXED);
}

uint64_t drm_test_buffers_left(void)
{
	gint64 end = g_get_monotonic_time() + SETTLE_US;
	uint64_t left;
	do {
		g_usleep(100000);
		left = drm_test_buffers_made() -
		       __atomic_load_n(&counts->destroyed, __ATOMIC_RELAXED);
	} while (left > 0 && g_get_monotonic_time() < end);
	return left;
}

unsigned drm_test_count_fds(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	unsigned n = 0;
	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

/* shm_create() has named them. */
unsigned drm_test_count_pictures(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	unsigned n = 0;
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *link = g_build_filename(path, name, NULL);
		g_autofree char *target = g_file_read_link(link, NULL);
		n += target && g_str_has_prefix(target, "/memfd:vitrine-frame");
	}
	return n;
}

unsigned drm_test_wait_pictures(pid_t pid)
{
	gint64 end = g_get_monotonic_time() + SETTLE_US;
	unsigned n;
	while ((n = drm_test_count_pictures(pid)) > 0 && g_get_monotonic_time() < end)
		g_usleep(100000);
	return n;
}

unsigned drm_test_wait_fds(pid_t pid, unsigned at_most)
{
	gint64 end = g_get_monotonic_time() + SETTLE_US;
	unsigned n;
	while ((n = drm_test_count_fds(pid)) > at_most && g_get_monotonic_time() < end)
		g_usleep(100000);
	return n;
}

/* ---- formats ---- */

static uint32_t pack_xrgb(uint32_t rgb)
{
	return 0xff000000 | rgb;
}

static uint32_t pack_xbgr(uint32_t rgb)
{
	return 0xff000000 | (rgb & 0xff) << 16 | (rgb & 0xff00) | rgb >> 16;
}

static uint32_t to_ten(uint32_t value)
{
	return (value * 1023 + 127) / 255;
}

static uint32_t pack_xrgb10(uint32_t rgb)
{
	return 3u << 30 | to_ten(rgb >> 16) << 20 | to_ten(rgb >> 8 & 0xff) << 10 |
	       to_ten(rgb & 0xff);
}

static uint32_t pack_xbgr10(uint32_t rgb)
{
	return 3u << 30 | to_ten(rgb & 0xff) << 20 | to_ten(rgb >> 8 & 0xff) << 10 |
	       to_ten(rgb >> 16);
}

const struct drm_test_format drm_test_formats[DRM_TEST_FORMATS] = {
	{ "ARGB8888", 1, pack_xrgb },
	{ "XRGB8888", 2, pack_xrgb },
	{ "ABGR8888", 67, pack_xbgr },
	{ "XBGR8888", 134, pack_xbgr },
	{ "ARGB2101010", 131, pack_xrgb10 },
	{ "ABGR2101010", 8, pack_xbgr10 },
};
