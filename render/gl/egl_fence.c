/* SPDX-License-Identifier: MIT */
#include "render/gl/egl_fence.h"

#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include "common/fd.h"
#include "render/gl/egl_display.h"
#include "render/gl/gpu_reset.h"
#include "render/gl/limits.h"

/* A GPU that takes longer has hung: who waits for a descriptor goes on without it. */
#define WAIT_NS (5ull * 1000 * 1000 * 1000)

struct egl_task {
	GLsync sync;
	bool bounded; /* by WAIT_NS; else the wait lasts as long as the GPU does */
	void (*work)(void *user, bool done);
	void *user;
};

static GAsyncQueue *tasks; /* of struct egl_task; NULL before the first */

static void run_task(struct egl_task *task)
{
	GLenum result;
	do
		result = glClientWaitSync(task->sync, 0, WAIT_NS);
	while (result == GL_TIMEOUT_EXPIRED && !task->bounded);
	glDeleteSync(task->sync);
	task->work(task->user, result == GL_ALREADY_SIGNALED || result == GL_CONDITION_SATISFIED);
	g_free(task);
}

struct waiter_start {
	void *context;
	GAsyncQueue *result; /* one reference each; 1: the context can be used; else -1 */
};

/* Waits in GL, not in EGL, whose lock on the display would hold up the gpu thread meanwhile. */
static gpointer run_waiter(gpointer data)
{
	/* It is gone once there is a result. */
	const struct waiter_start start = *(const struct waiter_start *)data;
	bool ok = egl_context_make_current(start.context);
	g_async_queue_push(start.result, GINT_TO_POINTER(ok ? 1 : -1));
	g_async_queue_unref(start.result);
	if (!ok)
		return NULL;
	for (;;)
		run_task(g_async_queue_pop(tasks));
}

static bool try_start(void)
{
	struct waiter_start start = { egl_context_create(true, 3, 2), NULL };
	if (!start.context)
		return false;
	start.result = g_async_queue_new();
	tasks = g_async_queue_new();
	g_async_queue_ref(start.result);
	g_thread_unref(g_thread_new("gl-waiter", run_waiter, &start));
	bool ok = GPOINTER_TO_INT(g_async_queue_pop(start.result)) == 1;
	g_async_queue_unref(start.result);
	if (!ok)
		g_clear_pointer(&tasks, g_async_queue_unref);
	return ok;
}

/* Of the current context; libepoxy ends the process where a function is missing. */
static bool has_syncs(void)
{
	return epoxy_gl_version() >= 32 || epoxy_has_gl_extension("GL_ARB_sync");
}

static bool start_waiter(void)
{
	static bool failed;
	if (tasks || failed)
		return tasks != NULL;
	failed = !try_start();
	if (failed)
		g_message("no second context here: the guest waits while pictures are fetched");
	return !failed;
}

static struct egl_task *push_task(void (*work)(void *user, bool done), void *user, bool bounded)
{
	if (!has_syncs() || !start_waiter() || g_async_queue_length(tasks) >= EGL_FENCE_WAITS_MAX)
		return NULL;
	struct egl_task *task = g_new(struct egl_task, 1);
	*task = (struct egl_task){ .sync = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0),
		.bounded = bounded,
		.work = work,
		.user = user };
	/* Only this context can bring its own commands to the GPU. */
	glFlush();
	g_async_queue_push(tasks, task);
	return task;
}

struct egl_task *egl_fence_then(void (*work)(void *user, bool done), void *user)
{
	return push_task(work, user, false);
}

bool egl_fence_take_back(struct egl_task *task)
{
	if (!g_async_queue_remove(tasks, task))
		return false;
	glDeleteSync(task->sync);
	g_free(task);
	return true;
}

/* A driver that offers native fences and then gives none is asked no more. */
static bool native_failed;

bool egl_fence_is_native(void)
{
	static bool said;
	bool native = !native_failed && egl_display_has("EGL_ANDROID_native_fence_sync");
	if (!native && !said) {
		said = true;
		g_message("no native fences here: a thread waits for pictures instead");
	}
	return native;
}

static int create_native(void)
{
	EGLSyncKHR sync = eglCreateSyncKHR(egl_display_get(), EGL_SYNC_NATIVE_FENCE_ANDROID, NULL);
	/* The descriptor exists only after a flush. */
	glFlush();
	int fd = sync == EGL_NO_SYNC_KHR ? -1 : eglDupNativeFenceFDANDROID(egl_display_get(), sync);
	if (sync != EGL_NO_SYNC_KHR)
		eglDestroySyncKHR(egl_display_get(), sync);
	native_failed = fd < 0;
	return fd;
}

static void wake_waiter(void *user, bool done)
{
	int fd = GPOINTER_TO_INT(user), result = fd_wake(fd);
	if (result < 0)
		g_warning("gpu: fence: %s", g_strerror(-result));
	close(fd);
}

static int create_waited(void)
{
	int fd = fd_create_wake();
	int waiter_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (waiter_fd >= 0 && push_task(wake_waiter, GINT_TO_POINTER(waiter_fd), true))
		return fd;
	fd_close(&waiter_fd);
	fd_close(&fd);
	return -1;
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
