/* SPDX-License-Identifier: MIT */
/*
 * gbm_shim: goes in front of libgbm by LD_PRELOAD, counts buffers and makes drivers lie.
 *
 * GBM_SHIM_COUNT=FILE   names a file of struct counts, shared by every process that has the shim
 * GBM_SHIM_FAULT=NAME   none-made      gbm_bo_create fails: out of video memory
 *                       none-after-2   the third buffer and later ones fail
 *                       no-export      there is no dma-buf to be had
 *                       not-a-dmabuf   export gives a memfd, which EGL refuses to import
 *                       wrong-stride   GBM names a stride that is not the buffer's
 *                       wrong-modifier GBM names a layout that is not the buffer's
 *                       no-map         the CPU cannot reach a buffer
 *                       no-linear      no linear buffer can be made
 *                       linear-sampled EGL says that linear images are for sampling only
 *                       no-images      GL_OES_EGL_image is not offered
 * Faults are for vitrine-render alone: the consumer's own EGL is to see the truth.
 */
#include <dlfcn.h>
#include <drm_fourcc.h>
#include <epoxy/egl.h>
#include <errno.h>
#include <fcntl.h>
#include <gbm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/drm/gbm_shim.h"

#define EXPORTED __attribute__((visibility("default")))

static struct gbm_shim_counts *counts;
static const char *fault;
static int n_made;

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static bool has_fault(const char *name)
{
	return fault && strcmp(fault, name) == 0;
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("GBM_SHIM_COUNT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd >= 0) {
		void *memory =
			mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		counts = memory == MAP_FAILED ? NULL : memory;
		close(fd);
	}
	if (strcmp(program_invocation_short_name, "vitrine-render") == 0)
		fault = getenv("GBM_SHIM_FAULT");
	if (has_fault("no-images"))
		setenv("MESA_EXTENSION_OVERRIDE", "-GL_OES_EGL_image", 1);
}

static struct gbm_bo *note_made(struct gbm_bo *bo)
{
	if (bo)
		n_made++;
	if (bo && counts)
		__atomic_add_fetch(&counts->made, 1, __ATOMIC_RELAXED);
	return bo;
}

static bool refuses(void)
{
	bool no = has_fault("none-made") || (has_fault("none-after-2") && n_made >= 2);
	if (no)
		errno = ENOMEM;
	return no;
}

EXPORTED struct gbm_bo *gbm_bo_create(
	struct gbm_device *gbm, uint32_t width, uint32_t height, uint32_t format, uint32_t flags)
{
	struct gbm_bo *(*real)(struct gbm_device *, uint32_t, uint32_t, uint32_t, uint32_t) =
		next("gbm_bo_create");
	bool no_linear = has_fault("no-linear") && (flags & GBM_BO_USE_LINEAR);
	return refuses() || no_linear ? NULL : note_made(real(gbm, width, height, format, flags));
}

EXPORTED struct gbm_bo *gbm_bo_create_with_modifiers2(struct gbm_device *gbm, uint32_t width,
	uint32_t height, uint32_t format, const uint64_t *modifiers, const unsigned int count,
	uint32_t flags)
{
	struct gbm_bo *(*real)(struct gbm_device *, uint32_t, uint32_t, uint32_t, const uint64_t *,
		unsigned int, uint32_t) = next("gbm_bo_create_with_modifiers2");
	return refuses() ? NULL :
			   note_made(real(gbm, width, height, format, modifiers, count, flags));
}

EXPORTED void gbm_bo_destroy(struct gbm_bo *bo)
{
	void (*real)(struct gbm_bo *) = next("gbm_bo_destroy");
	if (counts)
		__atomic_add_fetch(&counts->destroyed, 1, __ATOMIC_RELAXED);
	real(bo);
}

EXPORTED uint32_t gbm_bo_get_stride(struct gbm_bo *bo)
{
	uint32_t (*real)(struct gbm_bo *) = next("gbm_bo_get_stride");
	return real(bo) + (has_fault("wrong-stride") ? 64 : 0);
}

EXPORTED uint64_t gbm_bo_get_modifier(struct gbm_bo *bo)
{
	uint64_t (*real)(struct gbm_bo *) = next("gbm_bo_get_modifier");
	return has_fault("wrong-modifier") ? I915_FORMAT_MOD_X_TILED : real(bo);
}

EXPORTED int gbm_bo_get_fd(struct gbm_bo *bo)
{
	int (*real)(struct gbm_bo *) = next("gbm_bo_get_fd");
	if (has_fault("no-export"))
		return -1;
	if (has_fault("not-a-dmabuf")) {
		int fd = memfd_create("gbm-shim", MFD_CLOEXEC);
		return fd < 0 || ftruncate(fd, 64 << 20) ? -1 : fd;
	}
	return real(bo);
}

EXPORTED void *gbm_bo_map(struct gbm_bo *bo, uint32_t x, uint32_t y, uint32_t width,
	uint32_t height, uint32_t flags, uint32_t *stride_bytes, void **data)
{
	void *(*real)(struct gbm_bo *, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t *,
		void **) = next("gbm_bo_map");
	if (!has_fault("no-map"))
		return real(bo, x, y, width, height, flags, stride_bytes, data);
	errno = ENOSYS;
	return NULL;
}

/* ---- EGL, which programs call through libepoxy's pointers ---- */

#undef eglQueryDmaBufModifiersEXT

static PFNEGLQUERYDMABUFMODIFIERSEXTPROC find_query(void)
{
	void *egl = dlopen("libEGL.so.1", RTLD_LAZY);
	__eglMustCastToProperFunctionPointerType (*find)(const char *) =
		egl ? dlsym(egl, "eglGetProcAddress") : NULL;
	return find ? (PFNEGLQUERYDMABUFMODIFIERSEXTPROC)find("eglQueryDmaBufModifiersEXT") : NULL;
}

static EGLBoolean query_modifiers(EGLDisplay display, EGLint format, EGLint max,
	EGLuint64KHR *modifiers, EGLBoolean *external_only, EGLint *n)
{
	PFNEGLQUERYDMABUFMODIFIERSEXTPROC real = find_query();
	if (!has_fault("linear-sampled"))
		return real && real(display, format, max, modifiers, external_only, n);
	*n = 1;
	if (max > 0)
		modifiers[0] = DRM_FORMAT_MOD_LINEAR;
	if (max > 0 && external_only)
		external_only[0] = EGL_TRUE;
	return EGL_TRUE;
}

EXPORTED PFNEGLQUERYDMABUFMODIFIERSEXTPROC epoxy_eglQueryDmaBufModifiersEXT = query_modifiers;
