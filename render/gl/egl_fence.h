/* SPDX-License-Identifier: MIT */
/*
 * egl_fence: a descriptor to poll, which becomes readable when what was drawn so far is done.
 *
 * Where EGL makes native fences it is a sync file, which may be given to another process. Where it
 * does not, a thread of ours waits in GL and the descriptor is an eventfd: good for poll() here.
 */
#pragma once

#include <stdbool.h>

/*
 * Returns such a descriptor, the caller's to close; -1 when no fence can be made: then the drawing
 * is finished on return. gpu thread; the context that drew is current.
 */
int egl_fence_create(void);
/* True when the descriptors are sync files. Says so once, in the log, when they are not. */
bool egl_fence_is_native(void);
