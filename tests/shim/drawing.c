/* SPDX-License-Identifier: MIT */
/*
 * What the renderer's check of a layout sees: a square of pixels is written by gbm_bo_map() and
 * read by glReadPixels(). Nothing is drawn here, so what was written is given back. OpenGL is
 * called by pointers of libepoxy, which finds the functions itself; they are what we replace.
 */
#include <dlfcn.h>
#include <drm_fourcc.h>
#include <gbm.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shim/faults.h"

typedef void (*read_pixels)(int, int, int, int, unsigned, unsigned, void *);
typedef void *(*create_context)(void *, void *, void *, const int *);
typedef unsigned (*query_modifiers)(void *, int, int, uint64_t *, unsigned *, int *);

static struct pattern {
	uint32_t width, height;
	uint8_t *pixels;
} written; /* under shim_lock */

/* ---- pointers of libepoxy ---- */

static void **find_pointer(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static read_pixels real_read_pixels;
static query_modifiers real_query_modifiers;
static create_context real_create_context;

static bool give_back(int width, int height, void *to)
{
	pthread_mutex_lock(&shim_lock);
	bool same = written.pixels && written.width == (uint32_t)width &&
		    written.height == (uint32_t)height;
	if (same)
		memcpy(to, written.pixels, (size_t)width * (size_t)height * 4);
	pthread_mutex_unlock(&shim_lock);
	return same;
}

/*
 * The first call through libepoxy's pointer replaces it, if it finds itself there. So it is there
 * while it is called.
 */
static void on_read_pixels(
	int x, int y, int width, int height, unsigned format, unsigned type, void *to)
{
	void **pointer = find_pointer("epoxy_glReadPixels");
	*pointer = (void *)real_read_pixels;
	real_read_pixels(x, y, width, height, format, type, to);
	real_read_pixels = (read_pixels)*pointer;
	*pointer = (void *)on_read_pixels;
	give_back(width, height, to);
}

static void watch_reading(void)
{
	void **pointer = find_pointer("epoxy_glReadPixels");
	if (!pointer || *pointer == (void *)on_read_pixels)
		return;
	real_read_pixels = (read_pixels)*pointer;
	*pointer = (void *)on_read_pixels;
}

static unsigned on_query_modifiers(void *display, int format, int max, uint64_t *modifiers,
	unsigned *external_only, int *count)
{
	void **pointer = find_pointer("epoxy_eglQueryDmaBufModifiersEXT");
	*pointer = (void *)real_query_modifiers;
	unsigned ok = real_query_modifiers(display, format, max, modifiers, external_only, count);
	real_query_modifiers = (query_modifiers)*pointer;
	*pointer = (void *)on_query_modifiers;
	for (int i = 0; ok && external_only && i < *count && i < max; i++) {
		if (modifiers[i] == DRM_FORMAT_MOD_LINEAR)
			external_only[i] = 1;
	}
	return ok;
}

/* What asks to be told of resets is refused, as by a display that does not know how. */
static void *on_create_context(void *display, void *config, void *shared, const int *attributes)
{
	enum { END = 0x3038, STRATEGY = 0x31bd, STRATEGY_EXT = 0x3138 }; /* EGL's */
	for (const int *a = attributes; a && *a != END; a += 2) {
		if (*a == STRATEGY || *a == STRATEGY_EXT)
			return NULL;
	}
	void **pointer = find_pointer("epoxy_eglCreateContext");
	*pointer = (void *)real_create_context;
	void *context = real_create_context(display, config, shared, attributes);
	real_create_context = (create_context)*pointer;
	*pointer = (void *)on_create_context;
	return context;
}

__attribute__((constructor)) static void drawing_start(void)
{
	void **query = find_pointer("epoxy_eglQueryDmaBufModifiersEXT");
	void **create = find_pointer("epoxy_eglCreateContext");
	const char *list = getenv("VITRINE_SHIM_FAULTS");
	if (query && list && strstr(list, "linear=external")) {
		real_query_modifiers = (query_modifiers)*query;
		*query = (void *)on_query_modifiers;
	}
	if (create && list && strstr(list, "untold")) {
		real_create_context = (create_context)*create;
		*create = (void *)on_create_context;
	}
}

/* ---- GBM ---- */

SHIM_EXPORTED void *gbm_bo_map(struct gbm_bo *bo, uint32_t x, uint32_t y, uint32_t width,
	uint32_t height, uint32_t flags, uint32_t *stride_bytes, void **map_data)
{
	void *(*next)(struct gbm_bo *, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t *,
		void **) = (void *(*)(struct gbm_bo *, uint32_t, uint32_t, uint32_t, uint32_t,
		uint32_t, uint32_t *, void **))shim_next("gbm_bo_map");
	if (faults_get()->map_is_null) {
		faults_log("fault map=null");
		return NULL;
	}
	if (faults_get()->pixels_are_wrong || !(flags & GBM_BO_TRANSFER_WRITE))
		return next(bo, x, y, width, height, flags, stride_bytes, map_data);
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	if (!pattern)
		return NULL;
	*pattern = (struct pattern){ width, height, calloc((size_t)width * height, 4) };
	*stride_bytes = width * 4;
	*map_data = (void *)((uintptr_t)pattern | 1);
	return pattern->pixels;
}

SHIM_EXPORTED void gbm_bo_unmap(struct gbm_bo *bo, void *map_data)
{
	void (*next)(struct gbm_bo *, void *) =
		(void (*)(struct gbm_bo *, void *))shim_next("gbm_bo_unmap");
	if (!((uintptr_t)map_data & 1)) {
		next(bo, map_data);
		return;
	}
	/* It is marked as ours by the lowest bit, which a pointer has not. */
	struct pattern *pattern = (struct pattern *)((uintptr_t)map_data & ~(uintptr_t)1);
	pthread_mutex_lock(&shim_lock);
	free(written.pixels);
	written = *pattern;
	pthread_mutex_unlock(&shim_lock);
	free(pattern);
	watch_reading();
}
