/* SPDX-License-Identifier: MIT */
/*
 * egl_fence: tells when what was drawn so far is done, by a descriptor that becomes readable or by
 * a call on another thread.
 *
 * Where EGL makes native fences the descriptor is a sync file, which may be given to another
 * process. Where it does not, a thread of ours waits in GL, and the descriptor is an eventfd, which
 * is of use to this process only. The same thread makes the calls, one after the other; it has a GL
 * context that shares the objects of the gpu thread's, and starts with the first that needs it. The
 * gpu thread calls all of this, with the context current that drew.
 */
#pragma once

#include <stdbool.h>

struct egl_task;

/*
 * Returns such a descriptor, which the caller closes; or -1 when no fence can be made, and then the
 * drawing is finished on return.
 */
int egl_fence_create(void);
/*
 * Returns true when the descriptors are sync files. When they are not, it says so in the log, once.
 * It is asked after egl_fence_create(), which finds out.
 */
bool egl_fence_is_native(void);

/*
 * Has work(user, true) called on that thread, which may use GL, when what was drawn so far is done,
 * however long that takes; with false when GL cannot tell any more, since the GPU was reset.
 * Returns NULL when there is no such thread, or when it is behind by EGL_FENCE_WAITS_MAX calls.
 */
struct egl_task *egl_fence_then(void (*work)(void *user, bool done), void *user);
/*
 * Takes a call back whose work has not returned. Returns false when that thread is at it already,
 * if only by waiting for the GPU.
 */
bool egl_fence_take_back(struct egl_task *task);
