/* SPDX-License-Identifier: MIT */
/*
 * egl_display: holds the one EGL display of this process. virglrenderer draws on it with contexts
 * made here, and so do we.
 *
 * There are three ways to get one: on GBM, whose buffers display and its clients can take; on an
 * EGL device where GBM is refused, so that pictures are read back; and on no device at all, which
 * is Mesa's software renderer.
 *
 * The gpu thread opens and closes it; a context may be made current by any thread. EGL's and GBM's
 * types stay behind void pointers and forward declarations.
 */
#pragma once

#include <stdbool.h>

struct gbm_device;

enum egl_platform {
	EGL_ON_GBM,
	EGL_ON_DEVICE,
	EGL_ON_NOTHING,
};

const char *egl_platform_get_name(enum egl_platform platform);

/*
 * Opens the display on the DRM node behind node_fd, which stays the caller's (-1 with
 * EGL_ON_NOTHING). Returns true only when a context can be made and used that virglrenderer takes:
 * OpenGL 3.0 or newer; else it sets *why to the reason, a static text.
 */
bool egl_display_open(enum egl_platform platform, int node_fd, const char **why);
void egl_display_close(void);

/* Returns an EGLDisplay, or NULL before it is open. */
void *egl_display_get(void);
/* Returns what buffers are made with. It is NULL unless the display is on GBM. */
struct gbm_device *egl_display_get_gbm(void);
bool egl_display_has(const char *extension);

/* Returns true when contexts made here are told that the GPU was reset (gpu_reset.h). */
bool egl_display_tells_resets(void);

/*
 * Makes an OpenGL context, which shares objects with the thread's current one when `shared` is set.
 * Returns NULL when this GL has no such version. The caller destroys the context.
 */
void *egl_context_create(bool shared, int major, int minor);
void egl_context_destroy(void *context);
/* Makes the context current on the calling thread; NULL leaves it with none. */
bool egl_context_make_current(void *context);

/*
 * Returns the name of what a context made here draws with, such as "llvmpipe (LLVM 15.0.6, 256
 * bits)". The text is valid until the display is closed.
 */
const char *egl_display_get_renderer(void);
/* Returns true when a context made here draws with the CPU. */
bool egl_display_is_software(void);
