/* SPDX-License-Identifier: MIT */
/*
 * egl_display: the one EGL display of this process. virglrenderer draws on it with contexts made
 * here, and so do we.
 *
 * Three ways to get one: on GBM (buffers that display and its clients can take), on an EGL device
 * (where GBM is refused: pictures are read back), on no device at all (Mesa's software renderer).
 *
 * Opened and closed by the gpu thread; a context may be made current by any thread. EGL's and GBM's
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
 * The descriptor of the DRM node stays the caller's (-1 with EGL_ON_NOTHING). Succeeds only where a
 * context can be made and used; else NULL becomes a reason in `why` (static text).
 */
bool egl_display_open(enum egl_platform platform, int node_fd, const char **why);
void egl_display_close(void);

/* An EGLDisplay; NULL before it is open. */
void *egl_display_get(void);
/* Where buffers can be made; NULL but on GBM. */
struct gbm_device *egl_display_get_gbm(void);
bool egl_display_has(const char *extension);

/* An OpenGL context, sharing objects with the thread's current one if asked to. NULL: no such
 * version. */
void *egl_context_create(bool shared, int major, int minor);
void egl_context_destroy(void *context);
/* NULL makes none current. */
bool egl_context_make_current(void *context);

/* The name of what a context made here draws with, such as "llvmpipe (LLVM 15.0.6, 256 bits)". */
const char *egl_display_get_renderer(void);
/* True when a context made here draws with the CPU. */
bool egl_display_is_software(void);
