/* SPDX-License-Identifier: MIT */
#include "render/gl/egl_fence.h"

#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <fcntl.h>
#include <glib.h>

#include "common/fd.h"
#include "render/gl/egl_display.h"
#include "render/gl/gpu_reset.h"
#include "render/gl/limits.h"

/* A GPU that takes longer has hung: what waits goes on without it. */
#define WAIT_NS (5ull * 1000 * 1000 * 1000)

struct wait {
	GLsync sync;
	int fd; /* the waiter's own */
};

static GAsyncQueue *waits; /* of struct wait; NULL before the first */

static void wait_for_sync(struct wait *wait)
{
	glClientWaitSync(wait->sync, 0, WAIT_NS);
	glDeleteSync(wait->sync);
	int result = fd_wake(wait->fd);
	if (result < 0)
		g_warning("gpu: fence: %s", g_strerror(-result));
	fd_close(&wait->fd);
	g_free(wait);
}

/* Waits in GL, not in EGL, whose lock on the display would hold up the gpu thread meanwhile. */
static gpointer run_waiter(gpointer context)
{
	bool ok = egl_context_make_current(context);
	if (!ok)
		g_warning("gpu: the waiter has no context: pictures may be torn");
	for (;;)
		wait_for_sync(g_async_queue_pop(waits));
	return NULL;
}

/* Of the current context; libepoxy ends the process where a function is missing. */
static bool has_syncs(void)
{
	return epoxy_gl_version() >= 32 || epoxy_has_gl_extension("GL_ARB_sync");
}

static bool start_waiter(void)
{
	if (waits)
		return true;
	void *context = egl_context_create(true, 3, 2);
	if (!context)
		return false;
	waits = g_async_queue_new();
	g_thread_unref(g_thread_new("gl-waiter", run_waiter, context));
	return true;
}

bool egl_fence_is_native(void)
{
	static bool said;
	bool native = egl_display_has("EGL_ANDROID_native_fence_sync");
	if (!native && !said) {
		said = true;
		g_message("no native fences here: a thread waits for pictures instead");
	}
	return native;
}

static int create_native(void)
{
	EGLSyncKHR sync = eglCreateSyncKHR(egl_display_get(), EGL_SYNC_NATIVE_FENCE_ANDROID, NULL);
	if (sync == EGL_NO_SYNC_KHR)
		return -1;
	/* The descriptor exists only after a flush. */
	glFlush();
	int fd = eglDupNativeFenceFDANDROID(egl_display_get(), sync);
	eglDestroySyncKHR(egl_display_get(), sync);
	return fd;
}

static int create_waited(void)
{
	bool room =
		has_syncs() && start_waiter() && g_async_queue_length(waits) < EGL_FENCE_WAITS_MAX;
	int fd = room ? fd_create_wake() : -1;
	int waiter_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (waiter_fd < 0) {
		fd_close(&fd);
		return -1;
	}
	struct wait *wait = g_new(struct wait, 1);
	*wait = (struct wait){ glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0), waiter_fd };
	/* Only this context can bring its own commands to the GPU. */
	glFlush();
	g_async_queue_push(waits, wait);
	return fd;
}

int egl_fence_create(void)
{
	int fd = egl_fence_is_native() ? create_native() : -1;
	if (fd < 0)
		fd = create_waited();
	if (fd >= 0)
		return fd;
	gpu_reset_ask();
	glFinish();
	return -1;
}
